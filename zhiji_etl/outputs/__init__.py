"""Frames in, published runs out: atomic, hashed, with units in the Parquet metadata.

    publishing(build)          a new run to write into; it appears whole behind `build/latest`, or not at all
    refuse_unwritable(build)   an error at once where no run could be published
    latest(build)              the folder of the published run, for readers: resolve once, then read on in it
    runs(build)                all whole runs, oldest first
    verify(run)                what differs from the manifest `run.json`
    neutralise_formulas        text on its way into CSV and Excel

What cannot be written is an `OutputError`, and leaves what was published untouched.
"""

from zhiji_etl.outputs.folder import RunFolder
from zhiji_etl.outputs.formulas import neutralise_formulas
from zhiji_etl.outputs.publication import publishing, refuse_unwritable
from zhiji_etl.outputs.published import RunInfo, latest, read_manifest, require_folder, runs, verify

__all__ = [
    "RunFolder",
    "RunInfo",
    "latest",
    "neutralise_formulas",
    "publishing",
    "read_manifest",
    "refuse_unwritable",
    "require_folder",
    "runs",
    "verify",
]
