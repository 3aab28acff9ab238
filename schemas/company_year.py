"""What a carmaker reports for a year, and how its figures hang together."""

import zhiji_etl as zj


class CompanyYear(zj.Table):
    """What one company reports for one fiscal year."""

    stock_code: str = zj.Identifier()
    vehicle_sales: float = zj.Quantity("vehicle", ge=0)
    market_share: float = zj.Quantity("percent", ge=0, le=100)
    nev_sales: float = zj.Quantity("vehicle", ge=0)
    nev_sales_growth: float = zj.Quantity("percent")
    overseas_sales: float = zj.Quantity("vehicle", ge=0)
    overseas_sales_growth: float = zj.Quantity("percent")
    overseas_sales_rank: float = zj.Quantity("rank", ge=1)
    revenue: float = zj.Quantity("USD", ge=0, fx="average_quoted", restated_in="CNY")
    global_500_rank: float = zj.Quantity("rank", ge=1, le=500)
    global_500_auto_rank: float = zj.Quantity("rank", ge=1)
    global_500_top_100_years: float = zj.Quantity("year", ge=0)

    @zj.rule(severity="warning")
    def share_vs_sales(m):
        """Market share follows from sales and the size of the market."""
        market = m.of("China market").vehicle_sales
        return zj.either(
            all_sales=m.market_share == m.vehicle_sales / market,
            domestic_sales=m.market_share == (m.vehicle_sales - m.overseas_sales) / market,
        )

    @zj.rule
    def nev_growth(m):
        """Growth of new energy vehicles is measured against the year before."""
        return m.nev_sales_growth == m.nev_sales / m.previous.nev_sales - 1

    @zj.rule
    def overseas_growth(m):
        """Growth of overseas sales is measured against the year before."""
        return m.overseas_sales_growth == m.overseas_sales / m.previous.overseas_sales - 1

    @zj.rule
    def nev_within_sales(m):
        """New energy vehicles are part of all vehicles."""
        return m.nev_sales <= m.vehicle_sales

    @zj.rule
    def overseas_within_sales(m):
        """Vehicles sold overseas are part of all vehicles."""
        return m.overseas_sales <= m.vehicle_sales

    @zj.rule
    def auto_rank_within_rank(m):
        """A rank among some companies is not behind the rank among all."""
        return m.global_500_auto_rank <= m.global_500_rank
