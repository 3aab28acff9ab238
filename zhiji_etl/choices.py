"""What the command line lets one choose from: each option as an enumeration of its words."""

from __future__ import annotations

from zhiji_etl.arguments import Word


class Rounding(Word):
    """How a source shortens its numbers."""

    NEAREST = "nearest"
    TRUNCATION = "truncation"


class Language(Word):
    """The language of the report."""

    EN = "en"
    ZH = "zh"


class Published(Word):
    """The files whose JSON Schema is published: two that people write, and the manifest of a run."""

    SIDECAR = "sidecar"
    PROJECT = "project"
    RUN = "run"


class Form(Word):
    """Formats of others for what tables look like."""

    TABLE_SCHEMA = "table-schema"
    ODCS = "odcs"
    JSON_SCHEMA = "json-schema"


class TableFormat(Word):
    """Formats of others for tables."""

    DELTA = "delta"


class EngineName(Word):
    """Who does the work of a run in shards."""

    LOCAL = "local"
    DASK = "dask"
    SPARK = "spark"


class FailOn(Word):
    """From which severity an inconsistent finding makes a run fail."""

    ERROR = "error"
    WARNING = "warning"
    NEVER = "never"
