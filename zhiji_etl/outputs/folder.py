"""The folder of a run that is being written: Parquet with units, JSON and text, and the manifest they end up in.

In: frames, whose order is the caller's. Out: files under plain names, each written once. Units go into the Parquet
field metadata under `unit`, where pyarrow shows them; also into that of the file, under `units` for DuckDB, and of the
schema, where pandas takes them for `attrs`. The same frame gives the same bytes: fixed compression, row groups and
statistics, no time in the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from polars.exceptions import ComputeError

from zhiji_etl.errors import OutputError
from zhiji_etl.outputs.disk import write_whole, writing
from zhiji_etl.outputs.published import MANIFEST
from zhiji_etl.sources.hashes import file_sha256
from zhiji_etl.sources.names import safe_terminal

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP: Final = 1 << 17
COMPRESSION_LEVEL: Final = 1
"""A quarter of the time of writing less than level 3, for files that are 7 % larger."""
PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
DISK_ERRORS: Final = re.compile(r"\(os error (?:5|13|27|28|30|122)\)|thrift: transport error")
"""EIO, EACCES, EFBIG, ENOSPC, EROFS, EDQUOT, which Polars wraps into errors of its own; where a file can take only a
part of a header, it does not even tell the number."""


class RunFolder:
    """One run in the making. `manifest` holds extra entries for `run.json`; `rows` what each Parquet file holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name
        self.manifest: dict[str, Any] = {}
        self.rows: dict[str, int] = {}

    def write_parquet(self, name: str, frame: pl.DataFrame, *, units: Mapping[str, str] = NOTHING) -> None:
        """Write a frame as it comes, with the units of its columns.

        `OutputError`: `output_name`, `output_column` (a unit for a column that the frame does not have),
        `output_unwritable`.
        """
        path = self._new(name)
        with writing(path), _disk_errors():
            frame.lazy().sink_parquet(
                path,
                compression="zstd",
                compression_level=COMPRESSION_LEVEL,
                row_group_size=ROW_GROUP,
                statistics=True,
                maintain_order=True,
                sync_on_close="all",
                arrow_schema=_arrow_schema(frame.schema, units) if units else None,
                metadata={"units": json.dumps(dict(units))} if units else None,
                engine="streaming",
            )
        self.rows[name] = frame.height

    def write_text(self, name: str, text: str) -> None:
        """Write UTF-8 text; `OutputError`: `output_name`, `output_unwritable`."""
        path = self._new(name)
        with writing(path):
            write_whole(path, text.encode("utf-8"))

    def take_part(self, name: str, part: str, path: Path, rows: int) -> None:
        """Make a finished file, on the same disk, a part of an output that is a folder: `figures.parquet/PART.parquet`.

        `OutputError`: `output_name`, `output_unwritable`.
        """
        folder = self.path / name
        if not folder.is_dir():
            self._new(name).mkdir()
        target = folder / f"{part}.parquet"
        with writing(target):
            path.replace(target)
        self.rows[f"{name}/{target.name}"] = rows

    def written(self) -> list[dict[str, Any]]:
        """The Parquet files so far by name: `name`, `rows`, `sha256`."""
        return [
            {"name": name, "rows": rows, "sha256": file_sha256(self.path / name)}
            for name, rows in sorted(self.rows.items())
        ]

    def _new(self, name: str) -> Path:
        """A path for a name that is plain and not yet taken: table names come from schemas, so they are looked at."""
        path = self.path / name
        if not PLAIN_NAME.fullmatch(name) or name == MANIFEST or path.exists():
            what = f"An output cannot be named {safe_terminal(name)!r}: the name is taken or is no plain file name."
            raise OutputError("output_name", what, hint="Use letters, digits, _, - and a dot.")
        return path


def json_text(value: object) -> str:
    """JSON as a person can read it, the same for the same value; `ValueError` for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True, default=str) + "\n"


# -------------------------------------------------------------------------------------------------------- helpers


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Give back as `OSError` what the operating system said and Polars wrapped."""
    try:
        yield
    except ComputeError as error:
        if not DISK_ERRORS.search(str(error)):
            raise
        raise OSError(str(error)) from error


def _arrow_schema(schema: pl.Schema, units: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of the frame with units in its fields; Polars' own field metadata (Enum values) stays."""
    import pyarrow as pa

    unknown = sorted(units.keys() - schema.keys())
    if unknown:
        what = f"There is no column {', '.join(map(safe_terminal, unknown))} to give a unit to."
        raise OutputError("output_column", what, hint=f"The columns are {', '.join(schema)}.")
    arrow = schema.to_arrow(compat_level=pl.CompatLevel.oldest())
    fields = [field.with_metadata(_field_metadata(field, units.get(field.name))) for field in arrow]
    return pa.schema(fields, metadata={"PANDAS_ATTRS": json.dumps({"units": dict(units)})})


def _field_metadata(field: pa.Field, unit: str | None) -> dict[bytes, bytes]:
    return {**(field.metadata or {}), **({} if unit is None else {b"unit": unit.encode()})}
