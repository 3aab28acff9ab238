"""Raw files in, rows out: every raw column as text with `row_id`, `source`, `locator`, and the sha256 of each file.

find_sources(raw)              the folder -> checked and hashed `Source`s, each with its `Sidecar`
ordinals(sources)              name -> a number that stays when other files come and go
scan_source(source, ordinal)   one source -> a LazyFrame of its rows
check_unchanged(sources)       at the end: were these the bytes that were read?

A file that cannot be read is a `SourceError`; a row that cannot is kept, with its `defect`.
"""

from zhiji_etl.sources.files import Source, check_unchanged, find_sources, form_of, ordinals
from zhiji_etl.sources.rows import scan_source
from zhiji_etl.sources.sidecar import Sidecar, Translation, read_sidecar
from zhiji_etl.sources.structure import Defect

__all__ = [
    "Defect",
    "Sidecar",
    "Source",
    "Translation",
    "check_unchanged",
    "find_sources",
    "form_of",
    "ordinals",
    "read_sidecar",
    "scan_source",
]
