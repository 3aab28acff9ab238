"""Money raised by a company."""

import zhiji_etl as zj


class CapitalRound(zj.Table):
    """What one company raised in one period."""

    capital_raised: float = zj.Quantity("CNY", ge=0, fx="spot")
