"""Characters of a long text replaced by others, in its bytes: most texts hold none, and are given back as they are.

Polars' own replacement takes the same time whether there is anything to replace or not, several times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]

_WIDEST = 4
"""Bytes of the widest character (RFC 3629)."""


class Replacement:
    """Characters by their code points, and the character that each is replaced by."""

    def __init__(self, table: Mapping[int, str]) -> None:
        first_bytes = {chr(code).encode()[0] for code in table}
        self._begins = bytes(byte in first_bytes for byte in range(256))
        """For each byte whether a character that is replaced begins with it."""
        self._lines = np.zeros(0x110000, np.int32)
        """For each code point the line of its replacement; 0 has none."""
        self._bytes = np.zeros((len(table) + 1, _WIDEST), np.uint8)
        self._widths = np.zeros(len(table) + 1, np.uint8)
        for line, (code, new) in enumerate(table.items(), 1):
            encoded = new.encode()
            self._lines[code] = line
            self._widths[line] = len(encoded)
            self._bytes[line, : len(encoded)] = list(encoded)

    def __call__(self, text: bytes) -> bytes:
        """A UTF-8 text with the characters replaced."""
        old = np.frombuffer(text, np.uint8)
        at = np.flatnonzero(np.frombuffer(text.translate(self._begins), np.bool_))
        lines = self._lines[_code_points(old, at)]
        held = lines > 0
        return self._replaced(old, at[held], lines[held]) if held.any() else text

    def _replaced(self, old: Bytes, at: Places, lines: NDArray[np.int32]) -> bytes:
        widths = self._widths[lines]
        old_widths = _WIDTHS[old[at]]
        if (widths > old_widths).any():
            old, at = _with_room(old, at, np.maximum(widths, old_widths) - old_widths)
            old_widths = np.maximum(widths, old_widths)
        new, kept = old.copy(), np.ones(len(old), np.bool_)
        for byte in range(_WIDEST):
            wide = widths > byte
            new[at[wide] + byte] = self._bytes[lines[wide], byte]
            kept[at[~wide & (old_widths > byte)] + byte] = False
        return new[kept].tobytes()


_WIDTHS = np.array([1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0) for byte in range(256)], np.uint8)
"""How many bytes the character has that begins with each byte (RFC 3629)."""


def _with_room(text: Bytes, at: Places, more: Bytes) -> tuple[Bytes, Places]:
    """The text with so many bytes more behind each of these places, and where the places are then."""
    roomy = np.insert(text, np.repeat(at + 1, more), 0)
    return roomy, at + np.cumsum(more, dtype=np.int64) - more


def _code_points(text: Bytes, at: Places) -> Places:
    """The characters that begin at these bytes: 7 bits, or 5, 4 or 3 and then 6 of each further byte (RFC 3629)."""
    first = text[at].astype(np.int64)
    points = first.copy()
    for least, bits, further in ((0xC0, 0x1F, 1), (0xE0, 0x0F, 2), (0xF0, 0x07, 3)):
        wide = np.flatnonzero(first >= least)
        point = first[wide] & bits
        for byte in range(1, further + 1):
            point = (point << 6) | (text[np.minimum(at[wide] + byte, len(text) - 1)] & 0x3F)
        points[wide] = np.minimum(point, 0x10FFFF)
    return points
