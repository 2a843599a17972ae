"""Precision and recall of "in one story", measured on pairs that a person has judged.

A judged pair represents as many pairs of the archive as its weight, so that a few hundred pairs are
enough to measure millions. Precision is the weighted share of pairs in one story that report one
event. Recall is the weighted share of pairs that report one event and are in one story, among all
that report one event.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.crosswalk import read_previous
from sahel_dedup.clustering.stories import Stories
from sahel_dedup.errors import NotFoundError
from sahel_dedup.evaluation.judged_pairs import (
    PROBABILITIES,
    JudgedPair,
    check_pairs,
    labels_of,
)
from sahel_dedup.io.readers import Place
from sahel_dedup.settings import check_choice

# A pair with more than this many times the median weight can decide a result alone.
HEAVY = 20.0
# Sizes of stories are reported in groups; these are the lowest of each.
SIZES = (1, 2, 3, 5, 10, 20)
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CONFIDENCE = 0.95
_DRAWS = 4000
_SEED = 0


class Interval(NamedTuple):
    """A share with its 95 % confidence interval, all from 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScore:
    """How well some judged pairs agree with the stories.

    Attributes
    ----------
    pairs, in_one_story, one_event : int
        Number of judged pairs, number in one story, and number that report one event.
    precision, recall : Interval or None
        Weighted; ``None`` if there are no pairs to measure it with.
    """

    pairs: int
    in_one_story: int
    one_event: int
    precision: Interval | None
    recall: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbabilityScore(PairScore):
    """The same for pairs whose probability is in one bin.

    Attributes
    ----------
    low, high : float
        Bounds of the bin. The upper bound belongs to the next bin, except for 1.
    stated : float or None
        Weighted mean of the probabilities.
    observed : Interval or None
        Weighted share of the pairs that report one event. It equals `stated` if the probabilities
        are those of pairs and are calibrated.
    """

    low: float
    high: float
    stated: float | None
    observed: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairScores:
    """Precision and recall of a set of judged pairs, in total and in groups.

    Attributes
    ----------
    total : PairScore
    by_size : mapping of str to PairScore
        By number of articles in the story, or in the larger of two stories: ``"1"`` (two single
        articles), ``"2"``, ``"3-4"``, ``"5-9"``, ``"10-19"`` and ``"20+"``.
    by_probability : tuple of ProbabilityScore
        Five bins. Pairs without a probability are in none.
    """

    total: PairScore
    by_size: Mapping[str, PairScore]
    by_probability: tuple[ProbabilityScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEvaluation:
    """Agreement between stories and judged pairs.

    Attributes
    ----------
    judged : int
        Number of pairs that all results are about.
    not_judged, not_found : int
        Number of pairs left out because nobody has judged them, or because one of their articles
        has no story.
    heavy, heaviest : int, float
        Number of pairs with more than 20 times the median weight, and that limit.
    probabilities : str
        Source of the probabilities: ``"stories: probability"``, ``"pairs: probability"``,
        ``"stories: similarity"`` or ``"none"``. Stories have probabilities only for pairs in one
        story.
    all_pairs, without_heavy : PairScores
        Results for all judged pairs, and for those that are not heavy.

    Notes
    -----
    The intervals are those of the Bayesian bootstrap [1]_ with half a pair of mean weight added on
    each side. Each pair's weight is multiplied by an exponential variate, 4,000 times, with a fixed
    seed. With equal weights this is Jeffreys' interval for a proportion [2]_. It holds for pairs
    drawn independently, each with a probability that is proportional to the reciprocal of its
    weight.

    References
    ----------
    .. [1] D. B. Rubin, "The Bayesian Bootstrap", Annals of Statistics 9, 1981.
    .. [2] L. D. Brown, T. T. Cai and A. DasGupta, "Interval Estimation for a Binomial
       Proportion", Statistical Science 16, 2001.
    """

    judged: int
    not_judged: int
    not_found: int
    heavy: int
    heaviest: float
    probabilities: str
    all_pairs: PairScores
    without_heavy: PairScores

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers, fit for JSON."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def evaluate_pairs(
    stories: Stories | Mapping[str, str],
    pairs: Iterable[JudgedPair],
    *,
    probabilities: Mapping[str, float] | None = None,
    probabilities_name: str = "probability",
) -> PairEvaluation:
    """Measure precision and recall of stories on judged pairs.

    Parameters
    ----------
    stories
        The result of `sahel_dedup.cluster`, or the story of each article by its id.
    pairs
        The pairs, for instance from `read_pairs`.
    probabilities
        How likely each article belongs to its story, by article id. A pair in one story gets the
        lower value of its two articles. By default the values of `stories`, if it has any.
    probabilities_name
        What these numbers are: ``"probability"``, which takes precedence over that of the pairs, or
        ``"similarity"``, which is used if the pairs have no probability either.

    Returns
    -------
    PairEvaluation

    Raises
    ------
    NotFoundError
        If no pair is judged and has a story for both articles.

    Examples
    --------
    >>> stories = {"a": "s1", "b": "s1", "c": "s1", "d": "s2"}
    >>> found = evaluate_pairs(stories, [
    ...     JudgedPair(first="a", second="b", same=True, weight=3),
    ...     JudgedPair(first="a", second="c", same=False),
    ...     JudgedPair(first="a", second="d", same=None),
    ... ])
    >>> found.all_pairs.total.precision.value, found.not_judged
    (0.75, 1)
    """
    if isinstance(stories, Stories):
        rows = ((Place(None, number), row) for number, row in enumerate(stories.rows(), start=1))
        stories, found, name = labels_of(rows)
        if probabilities is None:
            probabilities, probabilities_name = found, name
    stories = read_previous(stories)
    check_choice("probabilities_name", probabilities_name, PROBABILITIES)
    everything = check_pairs(pairs)
    judged = [pair for pair in everything if pair.same is not None]
    known = [pair for pair in judged if pair.first in stories and pair.second in stories]
    if not known:
        raise NotFoundError(
            f"nothing to evaluate: of {len(everything):,} pairs, {len(judged):,} are judged, and "
            "none of these has both articles in the stories"
        )
    probability, origin = _probabilities(known, stories, probabilities or {}, probabilities_name)
    columns = _columns(known, stories, probability)
    limit = HEAVY * float(np.median(columns.weight))
    light = columns.weight <= limit
    all_pairs = _scores(columns)
    return PairEvaluation(
        judged=len(known),
        not_judged=len(everything) - len(judged),
        not_found=len(judged) - len(known),
        heavy=int(np.count_nonzero(~light)),
        heaviest=limit,
        probabilities=origin,
        all_pairs=all_pairs,
        without_heavy=all_pairs if light.all() else _scores(columns.where(light)),
    )


class _Columns(NamedTuple):
    """Judged pairs, with one row each.

    Columns: whether the pair is in one story, whether it reports one event, its weight, the size of
    the larger of its stories, and its probability, NaN where unknown.
    """

    together: NDArray[np.bool_]
    same: NDArray[np.bool_]
    weight: NDArray[np.float64]
    size: NDArray[np.int64]
    probability: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> _Columns:
        """Return some of the pairs."""
        return _Columns(
            self.together[chosen],
            self.same[chosen],
            self.weight[chosen],
            self.size[chosen],
            self.probability[chosen],
        )


def _columns(
    pairs: Sequence[JudgedPair], stories: Mapping[str, str], probability: NDArray[np.float64]
) -> _Columns:
    size = Counter(stories.values())
    both = [(stories[pair.first], stories[pair.second]) for pair in pairs]
    return _Columns(
        np.array([one == two for one, two in both]),
        np.array([pair.same for pair in pairs], dtype=bool),
        np.array([pair.weight for pair in pairs]),
        np.array([max(size[one], size[two]) for one, two in both]),
        probability,
    )


def _probabilities(
    pairs: Sequence[JudgedPair],
    stories: Mapping[str, str],
    of_articles: Mapping[str, float],
    name: str,
) -> tuple[NDArray[np.float64], str]:
    """Return the probability of each pair, and its source: see `PairEvaluation`."""
    of_pairs = np.array(
        [math.nan if pair.probability is None else pair.probability for pair in pairs]
    )
    in_stories = np.array(
        [
            min(of_articles.get(pair.first, math.nan), of_articles.get(pair.second, math.nan))
            if stories[pair.first] == stories[pair.second]
            else math.nan
            for pair in pairs
        ]
    )
    sources = {f"stories: {name}": in_stories, "pairs: probability": of_pairs}
    if name != "probability":
        sources = dict(reversed(sources.items()))
    for source, values in sources.items():
        if not np.isnan(values).all():
            return values, source
    return of_pairs, "none"


def _scores(columns: _Columns) -> PairScores:
    group = np.searchsorted(SIZES, columns.size, side="right") - 1
    # The last bin includes both its bounds.
    place = np.searchsorted(BINS[:-1], columns.probability, side="right") - 1
    place[np.isnan(columns.probability)] = -1
    return PairScores(
        total=_score(columns),
        by_size={
            name: _score(columns.where(group == number)) for number, name in enumerate(_sizes())
        },
        by_probability=tuple(
            _probability_score(columns.where(place == number), BINS[number], BINS[number + 1])
            for number in range(len(BINS) - 1)
        ),
    )


def _sizes() -> list[str]:
    """Return the names of the groups of `SIZES`."""
    return [
        f"{least}+"
        if after is None
        else f"{least}-{after - 1}"
        if after - least > 1
        else f"{least}"
        for least, after in zip(SIZES, (*SIZES[1:], None), strict=True)
    ]


def _score(columns: _Columns) -> PairScore:
    weight, together, same = columns.weight, columns.together, columns.same
    inside, apart = _mean(weight[together]), _mean(weight[~together])
    found, wrong, missed = together & same, together & ~same, ~together & same
    return PairScore(
        pairs=len(weight),
        in_one_story=int(np.count_nonzero(together)),
        one_event=int(np.count_nonzero(same)),
        precision=_share(weight[found], weight[wrong], inside, inside),
        recall=_share(weight[found], weight[missed], inside, apart),
    )


def _probability_score(columns: _Columns, low: float, high: float) -> ProbabilityScore:
    weight, score = columns.weight, _score(columns)
    stated = float(np.average(columns.probability, weights=weight)) if len(weight) else None
    mean = _mean(weight)
    return ProbabilityScore(
        pairs=score.pairs,
        in_one_story=score.in_one_story,
        one_event=score.one_event,
        precision=score.precision,
        recall=score.recall,
        low=low,
        high=high,
        stated=stated,
        observed=_share(weight[columns.same], weight[~columns.same], mean, mean),
    )


def _mean(weight: NDArray[np.float64]) -> float:
    return float(weight.mean()) if len(weight) else 0.0


def _share(
    yes: NDArray[np.float64], no: NDArray[np.float64], one_yes: float, one_no: float
) -> Interval | None:
    """Return the weighted share of yes, with its interval (see `PairEvaluation`).

    `one_yes` and `one_no` are the weights of one more pair of either kind.
    """
    total = float(yes.sum() + no.sum())
    if not total:
        return None
    value = float(yes.sum()) / total
    draw = np.random.default_rng(_SEED)
    mass_yes, mass_no = _masses(draw, yes, one_yes), _masses(draw, no, one_no)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(mass_yes / (mass_yes + mass_no), (tail, 1 - tail)).tolist()
    # Extended like Jeffreys' interval: no observation contradicts the extreme that was observed.
    return Interval(
        value, 0.0 if not len(yes) else min(low, value), 1.0 if not len(no) else max(high, value)
    )


def _masses(
    draw: np.random.Generator, weight: NDArray[np.float64], further: float
) -> NDArray[np.float64]:
    """Draw sums of the weights plus half a further pair, shape (_DRAWS,)."""
    # Weights are often equal, and a sum of k exponential variates is one gamma variate.
    values, counts = np.unique(weight, return_counts=True)
    drawn = draw.gamma(counts, size=(_DRAWS, len(counts)))
    return np.asarray(drawn @ values + further * draw.gamma(0.5, size=_DRAWS))


def _plain(value: Any) -> Any:
    """Convert tuples to lists, and intervals to mappings."""
    if isinstance(value, Interval):
        return value._asdict()
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
