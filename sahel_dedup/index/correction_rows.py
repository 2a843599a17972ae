"""Corrections as rows of a table in the file of an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sahel_dedup.corrections.corrections import Correction
from sahel_dedup.index.article_ids import to_bytes
from sahel_dedup.index.article_rows import to_text
from sahel_dedup.index.row_checks import blobs, whole_numbers
from sahel_dedup.index.sqlite_file import TableRow


def correction_rows(corrections: Iterable[Correction], first: int) -> Iterator[TableRow]:
    """Convert corrections to numbered rows, starting at a given number."""
    for number, c in enumerate(corrections, start=first):
        origin = (None if value is None else to_bytes(value) for value in (c.who, c.when, c.why))
        yield number, to_bytes(c.a), to_bytes(c.b), int(c.same), *origin


def read_corrections(rows: Sequence[TableRow]) -> list[Correction]:
    """Convert rows to corrections.

    Raises
    ------
    ValueError
        If anything in them is invalid.
    """
    _, a, b, same, *origins = zip(*rows, strict=True)
    blobs("a", a)
    blobs("b", b)
    whole_numbers("same", same, 0, 1)
    for name, values in zip(("who", "said", "why"), origins, strict=True):
        blobs(name, values, missing=True)
    found = []
    for _, one, other, flag, *origin in rows:
        if not one or not other or one == other:
            raise ValueError("a correction does not name two articles")
        who, said, why = (None if value is None else to_text(value) for value in origin)
        found.append(Correction(to_text(one), to_text(other), bool(flag), who, said, why))
    return found
