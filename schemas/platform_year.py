"""What a trading platform reports for a year."""

import zhiji_etl as zj


class PlatformYear(zj.Table):
    """The volume of trade on one company's platforms in one fiscal year."""

    gmv: float = zj.Quantity("CNY", ge=0, fx="average")
    china_retail_gmv: float = zj.Quantity("CNY", ge=0, fx="average")
    china_retail_share: float = zj.Quantity("percent", ge=0, le=100)

    @zj.rule
    def retail_within_volume(m):
        """Retail in China is part of the whole volume."""
        return m.china_retail_gmv <= m.gmv

    @zj.rule
    def retail_share(m):
        """The share of retail in China follows from the two volumes."""
        return m.china_retail_share == m.china_retail_gmv / m.gmv
