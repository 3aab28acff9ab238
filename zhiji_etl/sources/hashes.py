"""The sha256 of files, by which runs know what they read and what they wrote.

In: a path. Out: hexadecimal text.
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """The sha256 of a file as it lies, in memory of a block; `OSError` where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
