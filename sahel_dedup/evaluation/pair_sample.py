"""A sample of pairs to be judged, from which precision and recall can be estimated.

Two kinds of pairs matter: those in one story, for precision, and those that LSH proposes but that
are not in one story, for recall. Each kind is half of the sample. Strata are cut by rank of score
and not by score, because the scale of scores may change. From a stratum of N pairs, n are drawn
with weight N / n each, so that weighted counts estimate those of the archive.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Never

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive, Progress
from sahel_dedup.clustering.crosswalk import read_previous
from sahel_dedup.clustering.recut import Compared
from sahel_dedup.clustering.stories import Stories
from sahel_dedup.errors import FileError, NotFoundError
from sahel_dedup.io.article_reader import ArticleReader
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.settings import Settings, check_count, check_keywords, check_settings
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.util.hashing import splitmix64
from sahel_dedup.util.runs import places_in_runs

# At least one pair is drawn from every stratum, and there are at most 18 strata.
FEWEST = 20
# Strata of pairs in one story are of one size. Those of the others are each three times as large as
# all before it, because pairs with higher scores are more often one event.
_TOGETHER, _APART, _GROWTH = 4, 5, 4
# If there are more pairs than this, only a sample of them is ranked.
MOST_PAIRS = 500_000
_AT_ONCE = 1 << 20

_Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairSample:
    """Pairs to be judged.

    Attributes
    ----------
    rows : list of dict
        ``a`` and ``b`` (ids, the earlier article first), ``same`` (``None``: to be filled in
        with 1 or 0), ``weight``; ``title``, ``published``, ``source`` and ``text`` of either,
        with ``_a`` and ``_b``; and last, so that readers need not see it, the ``probability`` that
        the two report one event. Rows are in random order.
    without_story, without_article : int
        Number of articles that no story contains, and number that are in stories but not in the
        archive. Both are left out.
    """

    rows: list[dict[str, object]]
    without_story: int
    without_article: int


def sample_pairs(
    stories: Stories | Mapping[str, str],
    articles: Iterable[Mapping[str, Any] | Article] | Any,
    count: int = 300,
    *,
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    salt: str = "",
    **misplaced: Never,
) -> PairSample:
    """Draw pairs of articles to be judged, with which `evaluate_pairs` can then measure stories.

    Parameters
    ----------
    stories
        The result of `sahel_dedup.cluster`, or the story of each article by its id.
    articles
        The archive: see `sahel_dedup.cluster`.
    count : int
        Number of pairs, at least 20. A small archive may give fewer.
    columns : mapping of str to str, optional
        See `sahel_dedup.cluster`.
    settings : Settings, optional
        The window limits the pairs that are not in one story.
    salt : str
        A different text draws different pairs.
    **misplaced
        Not allowed; the error says where settings go.

    Returns
    -------
    PairSample
        The same for the same articles in any order.

    Raises
    ------
    ArticleError
        If a row is not an article or repeats an id.
    SettingsError, NotFoundError
        If the count is too small, or no article has a story.
    """
    check_keywords("sample_pairs", misplaced)
    settings = check_settings(settings)
    stories = read_previous(stories)
    if isinstance(articles, Iterator):
        articles = list(articles)  # The articles are read twice.
    first, again = ArticleReader(columns), ArticleReader(columns)
    readers = iter((first, again))
    sample = draw_pairs(
        stories, lambda: next(readers).articles(articles), count, settings, salt=salt,
        summary=first.summary,
    )  # fmt: skip
    first.warn()
    return sample


def draw_pairs(
    stories: Mapping[str, str],
    read: Callable[[], Iterable[Article]],
    count: int,
    settings: Settings,
    *,
    salt: str = "",
    progress: Progress = lambda _stage, _done, _all: None,
    summary: ReadSummary | None = None,
) -> PairSample:
    """Draw pairs like `sample_pairs`, from articles that can be read twice.

    Parameters
    ----------
    stories, count, settings, salt
        See `sample_pairs`, which also lists the errors.
    read
        Returns the articles, from the start on each call.
    progress
        See `sahel_dedup.cluster`.
    summary : ReadSummary, optional
        The summary of the first reading.

    Returns
    -------
    PairSample
    """
    count = check_count("count", count, least=FEWEST)
    archive = Archive.read(read(), settings, progress, summary)
    numbers: dict[str, int] = {}
    story = np.array(
        [
            numbers.setdefault(stories[name], len(numbers)) if name in stories else -1
            for name in archive.ids
        ],
        dtype=np.int64,
    )
    missing = int(np.count_nonzero(story < 0))
    if missing == len(story):
        raise NotFoundError("nothing to sample: no article of the archive is in the stories")
    lottery = Lottery(archive.ids, salt)
    compared = archive.compare()
    inside = pairs_inside(archive, story, compared, lottery)
    outside = pairs_outside(archive, story, compared, lottery)
    drawn = draw(archive, inside, outside, count, lottery)
    return PairSample(
        pair_rows(archive, *drawn, read), missing, len(stories) - len(story) + missing
    )


class Lottery:
    """Random numbers by hash: the same ids are always drawn, whatever else is in the archive."""

    def __init__(self, ids: Sequence[str], salt: str) -> None:
        names = (f"{salt}\0{name}".encode("utf-8", "surrogatepass") for name in ids)
        digests = b"".join(hashlib.blake2b(name, digest_size=8).digest() for name in names)
        self._number = np.frombuffer(digests, dtype="<u8").astype(np.uint64)

    def numbers(self, first: _Rows, second: _Rows) -> NDArray[np.float64]:
        """Return a number from 0 to 1 for each pair; it does not depend on the order of the two."""
        one, two = self._number[first], self._number[second]
        mixed = splitmix64(splitmix64(np.minimum(one, two)) ^ np.maximum(one, two))
        return mixed / np.float64(2**64)


class GroupedRows(NamedTuple):
    """Rows in groups; the rows of group g are `rows[start[g] : start[g] + size[g]]`."""

    rows: _Rows
    start: _Rows
    size: _Rows

    @classmethod
    def of(cls, label: _Rows) -> GroupedRows:
        """Group rows by label; group numbers are labels, and negative labels are left out."""
        rows = np.argsort(label, kind="stable")[np.count_nonzero(label < 0) :]
        size = np.bincount(label[rows])
        return cls(rows, np.cumsum(size) - size, size)

    def pairs(self, one: _Rows, two: _Rows) -> Iterator[tuple[_Rows, _Rows, _Rows]]:
        """Yield the pairs of every member of one group with every member of another, in blocks.

        Yields
        ------
        place : ndarray of int64
            Index into the given pairs of groups.
        first, second : ndarray of int64
            Rows.
        """
        ends = np.cumsum(self.size[one] * self.size[two])
        for at in range(0, int(ends[-1]) if len(ends) else 0, _AT_ONCE):
            flat = np.arange(at, min(at + _AT_ONCE, int(ends[-1])))
            place = np.searchsorted(ends, flat, side="right")
            a, b = one[place], two[place]
            offset = flat - (ends[place] - self.size[a] * self.size[b])
            across, along = np.divmod(offset, self.size[b])
            yield place, self.rows[self.start[a] + across], self.rows[self.start[b] + along]


@dataclass(frozen=True, slots=True)
class RankedPairs:
    """The pairs of one kind that are ranked; each was kept with probability `rate`."""

    pairs: Pairs
    rate: float


def pairs_inside(
    archive: Archive, story: _Rows, compared: Compared, lottery: Lottery
) -> RankedPairs:
    """Return the pairs in one story, whether LSH proposed them or not."""
    groups = GroupedRows.of(story)
    several = np.flatnonzero(groups.size > 1)
    size = groups.size[several]
    rate = min(1.0, MOST_PAIRS / max(int((size * (size - 1) // 2).sum()), 1))
    kept = [(several[:0], several[:0])]
    for _, first, second in groups.pairs(several, several):
        # Rows of a group are ascending, so each pair occurs once in this order.
        chosen = (first < second) & (lottery.numbers(first, second) < rate)
        kept.append((first[chosen], second[chosen]))
    first, second = (np.concatenate(side) for side in zip(*kept, strict=True))
    return RankedPairs(compared.evidence.score_pairs(first, second), rate)


def pairs_outside(
    archive: Archive, story: _Rows, compared: Compared, lottery: Lottery
) -> RankedPairs:
    """Return the pairs within the window that LSH proposes and that are in different stories.

    Exact copies were set aside before; each has the pairs of the first copy.
    """
    day, window = archive.profiles.day, archive.settings.window_days
    groups, pairs = GroupedRows.of(compared.duplicate_of), compared.pairs
    copies = groups.size[pairs.first] * groups.size[pairs.second]
    rate = min(1.0, MOST_PAIRS / max(int(copies.sum()), 1))
    kept = [pairs.where(np.zeros(0, dtype=np.int64))]
    for place, one, two in groups.pairs(pairs.first, pairs.second):
        apart = (story[one] != story[two]) & (story[one] >= 0) & (story[two] >= 0)
        apart &= ~(np.abs(day[one] - day[two]) > window)
        chosen = np.flatnonzero(apart & (lottery.numbers(one, two) < rate))
        alike = pairs.where(place[chosen])
        first, second = np.minimum(one, two)[chosen], np.maximum(one, two)[chosen]
        kept.append(Pairs(first, second, alike.cosine, alike.score))
    return RankedPairs(Pairs.concatenate(kept), rate)


class _Drawn(NamedTuple):
    pairs: Pairs
    weight: NDArray[np.float64]


def draw(
    archive: Archive, inside: RankedPairs, outside: RankedPairs, count: int, lottery: Lottery
) -> _Drawn:
    """Draw half of the pairs from each kind, or more if the other kind has too few."""
    half = min(max(count // 2, count - len(outside.pairs)), len(inside.pairs))
    chosen = []
    for kept, wanted, cut in (
        (inside, half, equal_parts),
        (outside, count - half, growing_parts),
    ):
        pairs = kept.pairs
        stratum = _strata(pairs, archive.profiles, cut)
        number = lottery.numbers(pairs.first, pairs.second)
        size = np.bincount(stratum)
        draws = allocate(size, min(wanted, len(pairs)))
        order = np.lexsort((number, stratum))
        order = order[places_in_runs(size) < draws[stratum[order]]]
        weight = (size / np.maximum(draws, 1))[stratum[order]] / kept.rate
        chosen.append(_Drawn(pairs.where(order), weight))
    pairs = Pairs.concatenate([part.pairs for part in chosen])
    weight = np.concatenate([part.weight for part in chosen])
    # In random order, because readers must not know the stratum of a pair.
    order = np.argsort(lottery.numbers(pairs.first, pairs.second), kind="stable")
    return _Drawn(pairs.where(order), weight[order])


def _strata(pairs: Pairs, traits: Traits, cut: Callable[[int], _Rows]) -> NDArray[np.int64]:
    """Return the stratum of each pair, by number of outlets (one or two) and rank of its score."""
    one_outlet = traits.of_one_outlet(pairs.first, pairs.second)
    stratum = np.empty(len(pairs), dtype=np.int64)
    for outlets in (True, False):
        rows = np.flatnonzero(one_outlet == outlets)
        best_first = rows[np.lexsort((-pairs.cosine[rows], -pairs.score[rows]))]
        parts = cut(len(rows))
        stratum[best_first] = 2 * np.repeat(np.arange(len(parts)), parts) + outlets
    return stratum


def equal_parts(size: int) -> _Rows:
    """Return the sizes of parts of a stratum that are as equal as possible."""
    return np.diff(np.arange(_TOGETHER + 1) * size // _TOGETHER)


def growing_parts(size: int) -> _Rows:
    """Return the sizes of parts of a stratum, each several times as large as the previous one."""
    return np.diff([0, *(size // _GROWTH**power for power in reversed(range(_APART)))])


def allocate(size: _Rows, count: int) -> _Rows:
    """Divide draws among strata by the roots of their sizes, with at least one from each.

    The best allocation is proportional to the size times the root of the share that is one event,
    and that share falls about as fast as sizes grow.
    """
    draws = np.minimum(size, 1)
    for _ in range(count - int(draws.sum())):
        # The stratum that is furthest below its share.
        need = np.where(draws < size, np.sqrt(size) / (draws + 0.5), -1.0)
        draws[np.argmax(need)] += 1
    return draws


def pair_rows(
    archive: Archive,
    pairs: Pairs,
    weights: NDArray[np.float64],
    read: Callable[[], Iterable[Article]],
) -> list[dict[str, object]]:
    """Make rows of the pairs to be judged: see `PairSample.rows`.

    Raises
    ------
    FileError
        If `read` does not yield the articles of the archive.
    """
    wanted = {archive.ids[row] for row in np.concatenate([pairs.first, pairs.second]).tolist()}
    articles = {article.id: article for article in read() if article.id in wanted}
    if len(articles) < len(wanted):
        raise FileError("the input changed while it was read: run again once it is final")
    rows = []
    for number, weight in enumerate(weights.tolist()):
        a = articles[archive.ids[pairs.first[number]]]
        b = articles[archive.ids[pairs.second[number]]]
        row: dict[str, object] = {"a": a.id, "b": b.id, "same": None, "weight": round(weight, 3)}
        for name in ("title", "published", "source", "text"):
            row[f"{name}_a"], row[f"{name}_b"] = getattr(a, name), getattr(b, name)
        row["probability"] = round(1 / (1 + math.exp(-pairs.score[number])), 4)
        rows.append(row)
    return rows
