"""Reading of judged pairs of articles, and of the stories to compare with them."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from os import PathLike

from sahel_dedup.articles import read_id
from sahel_dedup.errors import ArticleError, SettingsError
from sahel_dedup.evaluation.metrics import STORY_FIELDS, first_of, label_rows
from sahel_dedup.io.frames import Row
from sahel_dedup.io.pair_rows import check_pair_ids, read_pair_ids, read_same
from sahel_dedup.io.readers import Place, read_rows
from sahel_dedup.util.values import is_missing, show

# Columns of a row of stories that say how likely its article belongs there, best first.
PROBABILITIES = ("probability", "similarity")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPair:
    """A pair of articles, and whether they report one event; checked when it is made.

    Attributes
    ----------
    first, second : str
        Ids of the articles.
    same : bool or None
        Whether both report the same event; ``None`` if nobody has judged it yet.
    weight : float
        Number of pairs of the archive that it represents.
    probability : float or None
        Probability that they report one event, as computed when the pair was drawn.
    kind : str or None
        Kind of the pair, in the words of the person who judged it.
    """

    first: str
    second: str
    same: bool | None
    weight: float = 1.0
    probability: float | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        check_pair_ids(self.first, self.second, "first", "second")
        if not isinstance(self.same, bool | None):
            raise ArticleError(f"neither True nor False nor None: {show(self.same)}", "same")
        if not _is_finite(self.weight):
            raise ArticleError(f"not a finite number: {show(self.weight)}", "weight")
        if self.weight <= 0:
            raise ArticleError(f"not positive: {self.weight:g}", "weight")
        if self.probability is None:
            return
        if not _is_finite(self.probability):
            raise ArticleError(f"not a finite number: {show(self.probability)}", "probability")
        if not 0 <= self.probability <= 1:
            raise ArticleError(f"not between 0 and 1: {self.probability:g}", "probability")


def read_pairs(path: str | PathLike[str], *, chosen: str | None = None) -> list[JudgedPair]:
    """Read judged pairs from a file of rows.

    Parameters
    ----------
    path
        A file that `sahel_dedup.io.readers.read_rows` can read, with the columns ``a`` and
        ``b`` (or ``id_a`` and ``id_b``), ids of articles; ``same``: 1, 0, true, false, or empty if
        nobody has judged the pair yet; and optionally ``weight``, ``kind``, ``probability`` and
        ``set``. Further columns are ignored.
    chosen
        The set of pairs to read, by the column ``set``.

    Returns
    -------
    list of JudgedPair
        A pair that occurs twice counts twice: it may have been drawn twice.

    Raises
    ------
    ArticleError
        If a row is not a judged pair. The error names file, line and field.
    SettingsError
        If the file has several sets and none is chosen, or lacks the chosen one.
    """
    pairs: list[JudgedPair] = []
    sets: Counter[str] = Counter()
    for place, row in read_rows(path):
        name = "" if is_missing(row.get("set")) else str(row["set"])
        sets[name] += 1
        if chosen is not None and name != chosen:
            continue
        try:
            pairs.append(_read_pair(row))
        except ArticleError as error:
            raise error.at(*place) from None
    if chosen is None and len(sets) > 1:
        raise SettingsError(f"{path}: has several sets of pairs; choose one: {_names(sets)}")
    if chosen is not None and chosen not in sets:
        raise SettingsError(f"{path}: has no set {chosen!r}, only {_names(sets)}")
    return pairs


def check_pairs(pairs: Iterable[JudgedPair]) -> list[JudgedPair]:
    """Return judged pairs that were given as an argument.

    Raises
    ------
    SettingsError
        If they are anything else. The error gives the right call.
    """
    if isinstance(pairs, JudgedPair):
        raise SettingsError("pairs: one JudgedPair; write [pair]")
    if isinstance(pairs, str | PathLike):
        raise SettingsError(f"pairs: a path; write read_pairs({os.fspath(pairs)!r})")
    if not isinstance(pairs, Iterable):
        raise SettingsError(f"pairs: {show(pairs)} is not a list of JudgedPair")
    found = list(pairs)
    for pair in found:
        if not isinstance(pair, JudgedPair):
            raise SettingsError(
                f"pairs: {show(pair)} is not a JudgedPair; write "
                "JudgedPair(first='a', second='b', same=True)"
            )
    return found


def read_stories(path: str | PathLike[str]) -> tuple[dict[str, str], dict[str, float], str]:
    """Read stories, and how likely each article belongs to its story, for `evaluate_pairs`.

    Parameters
    ----------
    path
        A file that ``sahel-dedup cluster`` wrote.

    Returns
    -------
    stories : dict of str to str
        Story by article id.
    probabilities : dict of str to float
        Probability by article id, without articles that are the only one of their story.
    name : str
        The column of the probabilities: the first of `PROBABILITIES` that a row has.

    Raises
    ------
    ArticleError
        See `sahel_dedup.evaluation.metrics.read_labels`; also if a probability is not a number.
    """
    return labels_of(label_rows(path, STORY_FIELDS))


def labels_of(
    rows: Iterable[tuple[Place, Mapping[str, object]]],
) -> tuple[dict[str, str], dict[str, float], str]:
    """Read stories and probabilities from rows with their places: see `read_stories`."""
    stories: dict[str, str] = {}
    values: dict[str, dict[str, float]] = {name: {} for name in PROBABILITIES}
    for place, row in rows:
        story = first_of(row, STORY_FIELDS)
        if story is None:
            continue
        article = read_id(row)
        stories[article] = story
        for name in PROBABILITIES:
            try:
                value = _number(row, name)
            except ArticleError as error:
                raise error.at(*place) from None
            if value is not None:
                values[name][article] = value
    name = next((name for name in PROBABILITIES if values[name]), PROBABILITIES[-1])
    return stories, values[name], name


def _read_pair(row: Row) -> JudgedPair:
    first, second = read_pair_ids(row)
    weight = _number(row, "weight")
    kind = row.get("kind")
    return JudgedPair(
        first=first,
        second=second,
        same=read_same(row),
        weight=1.0 if weight is None else weight,
        probability=_number(row, "probability"),
        kind=None if is_missing(kind) or kind == "" else str(kind),
    )


def _number(row: Mapping[str, object], name: str) -> float | None:
    value = row.get(name)
    if is_missing(value) or value == "":
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ArticleError(f"not a number: {value!r}", name) from None
    if not math.isfinite(number):
        raise ArticleError(f"not a finite number: {value!r}", name)
    return number


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _names(sets: Counter[str]) -> str:
    return ", ".join(f"{name or '(none)'} ({count:,})" for name, count in sets.items())
