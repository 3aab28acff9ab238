"""zhiji_etl: printed figures in, typed and unit-checked Parquet out, and which of them cannot all be true."""

__version__ = "0.1.0"
