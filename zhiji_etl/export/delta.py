"""The tables of a run as Delta tables, with their units in the fields.

In: the folder of a published run. Out: below `target` one Delta table for each Parquet file; each call overwrites them
in a new version, so that readers of the old one go on undisturbed. Needs the extra `delta` (deltalake).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zhiji_etl.errors import OutputError
from zhiji_etl.sources.names import safe_terminal


def write_delta(run: Path, target: Path) -> list[str]:
    """Write each Parquet file of a run as the Delta table `target/NAME`; gives their names.

    Raises `OutputError`: `delta_missing`, `output_unwritable`.
    """
    import pyarrow.parquet as pq

    library = _library()
    names = []
    for file in sorted(run.glob("*.parquet")):
        table = pq.read_table(file)
        try:
            library.write_deltalake(str(target / file.stem), table, mode="overwrite", schema_mode="overwrite")
        except (OSError, library.exceptions.DeltaError) as error:
            what = f"{safe_terminal(str(target / file.stem))} cannot be written: {safe_terminal(str(error))[:300]}"
            raise OutputError(
                "output_unwritable", what, hint="Is it a folder, and is there room on the disk?"
            ) from None
        names.append(file.stem)
    return names


def _library() -> Any:
    try:
        import deltalake
        import deltalake.exceptions
    except ImportError:
        what = "The package that writes Delta tables is not installed."
        raise OutputError("delta_missing", what, hint="pip install 'zhiji_etl[delta]'") from None
    return deltalake
