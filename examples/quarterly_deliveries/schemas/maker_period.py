"""What a maker of cars delivers, and how quarters, growth and sums to date hang together."""

import zhiji_etl as zj


class MakerPeriod(zj.Table):
    """One maker, one quarter, half or year."""

    deliveries: float = zj.Quantity("vehicle", ge=0)
    year_on_year: float = zj.Quantity("percent")
    quarter_on_quarter: float = zj.Quantity("percent")

    @zj.rule
    def growth_on_the_year(m):
        """同比: growth against the same quarter of the year before."""
        return m.year_on_year == m.deliveries / m.year_before.deliveries - 1

    @zj.rule
    def growth_on_the_quarter(m):
        """环比: growth against the quarter before."""
        return m.quarter_on_quarter == m.deliveries / m.previous.deliveries - 1

    @zj.rule
    def year_to_date(m):
        """累计: a year is the sum of its quarters."""
        return m.deliveries == m.quarters.deliveries

    @zj.rule
    def two_halves(m):
        """A year is the sum of its halves."""
        return m.deliveries == m.halves.deliveries
