"""What a maker of cars sells and earns, and how its figures hang together."""

import zhiji_etl as zj


class MakerPeriod(zj.Table):
    """One maker, one quarter or year."""

    sedans: float = zj.Quantity("vehicle", ge=0)
    suvs: float = zj.Quantity("vehicle", ge=0)
    vehicle_sales: float = zj.Quantity("vehicle", ge=0)
    vehicle_revenue: float = zj.Quantity("CNY", ge=0)
    service_revenue: float = zj.Quantity("CNY", ge=0)
    revenue: float = zj.Quantity("CNY", ge=0)
    revenue_growth: float = zj.Quantity("percent")
    market_share: float = zj.Quantity("percent", ge=0, le=100)
    market_share_growth: float = zj.Quantity("percent")

    @zj.rule
    def kinds(m):
        """Sedans and SUVs are all vehicles that are sold."""
        return m.vehicle_sales == m.sedans + m.suvs

    @zj.rule
    def quarters(m):
        """A year is the sum of its quarters."""
        return m.vehicle_sales == m.quarters.vehicle_sales

    @zj.rule
    def segments(m):
        """Vehicles and services are all revenue."""
        return m.revenue == m.vehicle_revenue + m.service_revenue

    @zj.rule
    def growth(m):
        """Growth of revenue is measured against the year before."""
        return m.revenue_growth == m.revenue / m.previous.revenue - 1

    @zj.rule
    def share_growth(m):
        """Growth of the share is measured in percent of the share of the year before."""
        return m.market_share_growth == m.market_share / m.previous.market_share - 1
