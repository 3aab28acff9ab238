"""Small questions about a number and what stands right next to it.

In: the tokens of a window and places in it. Out: whether it is so.
"""

from __future__ import annotations

from zhiji_etl.reading.grammar.tokens import Tokens, token_at


def is_number(tokens: Tokens, at: int) -> bool:
    """Whether a number in digits stands at a place."""
    return "number" in token_at(tokens, at).kinds


def has_unit(tokens: Tokens, at: int) -> bool:
    """Whether a unit follows a number, so that it is a figure after all."""
    kinds = token_at(tokens, at + 1).kinds.keys()
    return bool({"percent", "scale", "noun", "tenth"} & kinds) or (
        "currency" in kinds and not is_number(tokens, at + 2)
    )


def touch(tokens: Tokens, first: int, last: int) -> bool:
    """Whether nothing stands between the tokens from one place to another."""
    return all(tokens[place].end == tokens[place + 1].start for place in range(first, last))
