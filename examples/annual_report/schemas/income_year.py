"""What a company earns in a year, and how its statement adds up."""

import zhiji_etl as zj


class IncomeYear(zj.Table):
    """One company, one fiscal year. Costs are negative, as they are printed."""

    vehicle_revenue: float = zj.Quantity("CNY", ge=0)
    other_revenue: float = zj.Quantity("CNY", ge=0)
    revenue: float = zj.Quantity("CNY", ge=0)
    cost_of_sales: float = zj.Quantity("CNY", le=0)
    gross_profit: float = zj.Quantity("CNY")
    gross_margin: float = zj.Quantity("percent", le=100)
    operating_expenses: float = zj.Quantity("CNY", le=0)
    operating_income: float = zj.Quantity("CNY")
    earnings_per_share: float = zj.Quantity("CNY/share")

    @zj.rule
    def segments(m):
        """The segments add up to total revenue."""
        return m.revenue == m.vehicle_revenue + m.other_revenue

    @zj.rule
    def gross(m):
        """Gross profit is revenue less cost of sales."""
        return m.gross_profit == m.revenue + m.cost_of_sales

    @zj.rule
    def margin(m):
        """Gross margin is gross profit in percent of revenue."""
        return m.gross_margin == m.gross_profit / m.revenue

    @zj.rule
    def operating(m):
        """Operating income is gross profit less operating expenses."""
        return m.operating_income == m.gross_profit + m.operating_expenses
