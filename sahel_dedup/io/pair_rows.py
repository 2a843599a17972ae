"""Rows that say whether two articles report one event: judged pairs and corrections."""

from __future__ import annotations

from collections.abc import Mapping

from sahel_dedup.articles import read_id
from sahel_dedup.errors import ArticleError
from sahel_dedup.util.values import is_missing, show

_TRUE, _FALSE = frozenset({"1", "1.0", "true"}), frozenset({"0", "0.0", "false"})


def read_pair_ids(row: Mapping[str, object]) -> tuple[str, str]:
    """Read the ids of the two articles from ``a`` and ``b``, or from ``id_a`` and ``id_b``.

    Raises
    ------
    ArticleError
        If one is missing or not an id, or if both are the same. The error names the field.
    """
    ids = []
    for name in ("a", "b"):
        if name not in row and not {"id_a", "id_b"}.isdisjoint(row):
            name = f"id_{name}"
        try:
            ids.append(read_id({"id": row.get(name)}))
        except ArticleError as error:
            missing = f"missing: the row has {', '.join(map(str, row))}"
            raise ArticleError(error.reason if name in row else missing, name) from None
    check_pair_ids(*ids)
    return ids[0], ids[1]


def check_pair_ids(a: object, b: object, first: str = "a", second: str = "b") -> None:
    """Check the ids of the two articles of a pair; `first` and `second` are their fields.

    Raises
    ------
    ArticleError
        If one is not an id, or both are the same.
    """
    for name, value in ((first, a), (second, b)):
        if not isinstance(value, str) or not value:
            raise ArticleError(f"not a non-empty string: {show(value)}", name)
    if a == b:
        raise ArticleError(f"the same article twice: {a!r}", second)


def read_same(row: Mapping[str, object]) -> bool | None:
    """Read ``same``: 1, 0, true, false, or empty for a pair that nobody has judged.

    Raises
    ------
    ArticleError
        If it is missing or has another value.
    """
    if "same" not in row:
        raise ArticleError(f"missing: the row has {', '.join(map(str, row))}", "same")
    value = row["same"]
    text = "" if is_missing(value) else str(value).strip().lower()
    if text and text not in _TRUE | _FALSE:
        raise ArticleError(f"not 1, 0, true, false or empty: {value!r}", "same")
    return text in _TRUE if text else None
