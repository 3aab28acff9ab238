"""The size of a market in a year: the reference that shares are measured against."""

import zhiji_etl as zj


class MarketYear(zj.Table):
    """What all makers together sell in one market and year."""

    vehicle_sales: float = zj.Quantity("vehicle", ge=0)
