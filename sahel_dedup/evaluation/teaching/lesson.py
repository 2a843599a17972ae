"""A lesson: constants of the evidence fitted to an archive, and the pairs to ask about next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Never

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive, Progress
from sahel_dedup.errors import SettingsError
from sahel_dedup.evaluation.judged_pairs import JudgedPair, check_pairs
from sahel_dedup.evaluation.pair_sample import pair_rows
from sahel_dedup.evaluation.teaching.asking import draw_doubtful
from sahel_dedup.evaluation.teaching.expectation import (
    Expectation,
    Unasked,
    expect,
    left_out_odds,
)
from sahel_dedup.evaluation.teaching.fitting import (
    Judged,
    fit_weights,
    log_odds,
    probabilities,
    spreads,
)
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.io.article_reader import ArticleReader, iter_articles
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.features import FEATURES
from sahel_dedup.scoring.log_odds import weights_of
from sahel_dedup.settings import Settings, check_count, check_keywords, check_settings

# Fewer answers, or answers that are all the same, teach nothing.
FEWEST = 10
# The size of the pool of doubtful pairs, from which an archive is measured and questions are
# chosen.
_POOL = 20_000
_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """The result of learning from answers.

    Attributes
    ----------
    model : EvidenceModel
        The model, for `sahel_dedup.Settings`.
    expectation : Expectation
        By how much precision and recall of pairs are expected to change.
    not_judged, not_found, outside : int
        Number of pairs left out because nobody has judged them, because an article is not in the
        archive, or because the two are further apart than the window.
    """

    model: EvidenceModel
    expectation: Expectation
    not_judged: int
    not_found: int
    outside: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, strings and numbers that JSON can hold."""
        return {
            "model": self.model.to_dict(),
            "expected": self.expectation.to_dict(),
            "not_judged": self.not_judged,
            "not_found": self.not_found,
            "outside": self.outside,
        }


def teach(
    articles: Iterable[Any] | Any,
    pairs: Iterable[JudgedPair],
    *,
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    **misplaced: Never,
) -> Lesson:
    """Fit the constants of the evidence to an archive.

    Parameters
    ----------
    articles
        The archive: see `sahel_dedup.cluster`.
    pairs : iterable of JudgedPair
        Answers, for instance from `sahel_dedup.evaluation.read_pairs`.
    columns : mapping of str to str, optional
        See `sahel_dedup.cluster`.
    settings : Settings, optional
        The window, and the probability for which precision and recall are estimated. A model in
        them is ignored: learning always starts from the constants of the release and uses all
        answers.
    **misplaced
        Not allowed; the error says where settings go.

    Returns
    -------
    Lesson

    Raises
    ------
    SettingsError
        If fewer than 10 answers can be used, or all are the same.
    ArticleError
        If a row is not an article or repeats an id.
    """
    check_keywords("teach", misplaced)
    chosen, answers = replace(check_settings(settings), model=None), check_pairs(pairs)
    reader = ArticleReader(columns)
    room = Classroom.of(reader.articles(articles), chosen, summary=reader.summary)
    reader.warn()
    return room.teach(answers)


def ask(
    articles: Iterable[Any] | Any,
    count: int = 20,
    *,
    pairs: Iterable[JudgedPair] = (),
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    salt: int = 0,
    **misplaced: Never,
) -> list[dict[str, object]]:
    """Choose pairs that a person should judge next.

    Parameters
    ----------
    articles
        The archive: see `sahel_dedup.cluster`.
    count : int
        Number of pairs.
    pairs : iterable of JudgedPair
        Pairs that need no further answer; the choice takes them into account.
    columns : mapping of str to str, optional
        See `sahel_dedup.cluster`.
    settings : Settings, optional
        The window.
    salt : int
        A different number draws different pairs.
    **misplaced
        Not allowed; the error says where settings go.

    Returns
    -------
    list of dict
        Rows like those of `sahel_dedup.evaluation.sample_pairs`; fill in ``same`` with 1 or 0.
    """
    check_keywords("ask", misplaced)
    if isinstance(articles, Iterator):
        articles = list(articles)  # The articles are read twice.
    chosen, known = replace(check_settings(settings), model=None), check_pairs(pairs)
    count, reader = check_count("count", count), ArticleReader(columns)
    room = Classroom.of(reader.articles(articles), chosen, summary=reader.summary)
    reader.warn()
    return room.ask(count, known, lambda: iter_articles(articles, columns), salt)


class Classroom:
    """A compared archive and its doubtful pairs.

    Parameters
    ----------
    archive : Archive
    """

    def __init__(self, archive: Archive) -> None:
        compared = archive.compare()
        self._archive = archive
        self._evidence = compared.evidence
        self._rows = {name: row for row, name in enumerate(archive.ids)}
        self._prior = weights_of(archive.settings)
        chance = probabilities(compared.pairs.score)
        generator = np.random.default_rng(_SEED)
        kind = self._kind(compared.pairs.first, compared.pairs.second)
        places, self._pool_inclusion = draw_doubtful(chance, kind, _POOL, generator)
        self._pool = compared.pairs.where(places)
        self._features = measured(self._evidence, self._pool.first, self._pool.second)
        ends = self._pool.first, self._pool.second
        self._dated = self._evidence.row_of_constants(self._features, *ends) == 0
        # The pool has all pairs of a small archive, but only the doubtful pairs of a large one.
        doubt = chance[places] * (1 - chance[places]) / self._pool_inclusion
        self._spread = spreads(self._features, self._dated, doubt + 1e-9)

    @classmethod
    def of(
        cls,
        articles: Iterable[Article],
        settings: Settings,
        on_progress: Progress = lambda *_: None,
        summary: ReadSummary | None = None,
    ) -> Classroom:
        """Read and compare an archive; the summary is that of whoever reads the articles."""
        return cls(Archive.read(articles, settings, on_progress, summary))

    def teach(self, pairs: Iterable[JudgedPair]) -> Lesson:
        """Fit constants: see `teach`."""
        answers = _Answers.of(pairs, self._rows, self._archive)
        judged = self._judged(answers)
        weights = fit_weights(judged, self._prior, self._spread)
        before = log_odds(judged.features, judged.dated, self._prior)
        after = left_out_odds(judged, self._prior, self._spread)
        threshold = self._archive.settings.merge_threshold
        rows = [tuple(row) for row in (*weights.tolist(), *self._prior.tolist())]
        same = int(np.count_nonzero(judged.same))
        return Lesson(
            model=EvidenceModel(
                features=FEATURES,
                dated=rows[0],
                undated=rows[1],
                shipped_dated=rows[2],
                shipped_undated=rows[3],
                same=same,
                different=len(judged.same) - same,
            ),
            expectation=expect(
                before,
                after,
                judged.same,
                answers.weight,
                threshold,
                self._unasked(answers, weights),
            ),
            not_judged=answers.not_judged,
            not_found=answers.not_found,
            outside=answers.outside,
        )

    def ask(
        self,
        count: int,
        known: list[JudgedPair],
        read: Callable[[], Iterable[Article]],
        salt: int = 0,
    ) -> list[dict[str, object]]:
        """Choose pairs: see `ask`."""
        weights = self._prior
        if any(pair.same is not None for pair in known):
            answers = _Answers.of(known, self._rows, self._archive, least=0)
            weights = fit_weights(self._judged(answers), self._prior, self._spread)
        asked = {frozenset((pair.first, pair.second)) for pair in known}
        ids = self._archive.ids
        ends = zip(self._pool.first.tolist(), self._pool.second.tolist(), strict=True)
        fresh = np.array([frozenset((ids[a], ids[b])) not in asked for a, b in ends], dtype=bool)
        odds = log_odds(self._features[fresh], self._dated[fresh], weights)
        pool = self._pool.where(fresh)
        kind = self._kind(pool.first, pool.second)
        generator = np.random.default_rng([_SEED, salt])
        places, inclusion = draw_doubtful(probabilities(odds), kind, count, generator)
        drawn = pool.where(places)
        drawn = Pairs(drawn.first, drawn.second, drawn.cosine, odds[places])
        weight = 1 / (inclusion * self._pool_inclusion[fresh][places])
        order = generator.permutation(len(places))
        return pair_rows(self._archive, drawn.where(order), weight[order], read)

    def _unasked(self, answers: _Answers, weights: NDArray[np.float64]) -> Unasked:
        """Score the doubtful pairs that have no answer."""
        n = len(self._archive.ids)
        asked = answers.first * n + answers.second
        fresh = ~np.isin(self._pool.first * n + self._pool.second, asked)
        before, after = (
            log_odds(self._features[fresh], self._dated[fresh], constants)
            for constants in (self._prior, weights)
        )
        return Unasked(before, after, 1 / self._pool_inclusion[fresh])

    def _judged(self, answers: _Answers) -> Judged:
        first, second = answers.first, answers.second
        features = measured(self._evidence, first, second)
        dated = self._evidence.row_of_constants(features, first, second) == 0
        return Judged(features, dated, answers.same)

    def _kind(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the kind of each pair: dated or not, of one outlet or two."""
        one_outlet = self._archive.profiles.of_one_outlet(first, second)
        dated = self._evidence.known_dates(first, second) == 2
        return np.asarray(2 * dated + one_outlet, dtype=np.int64)


def measured(
    evidence: Evidence, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Measure the evidence of pairs, shape (n, len(FEATURES))."""
    blocks = [block for _, block in evidence.features(first, second)]
    return np.concatenate([np.zeros((0, len(FEATURES))), *blocks])


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers about pairs of an archive, by row."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    weight: NDArray[np.float64]
    not_judged: int
    not_found: int
    outside: int

    @classmethod
    def of(
        cls,
        pairs: Iterable[JudgedPair],
        rows: dict[str, int],
        archive: Archive,
        least: int = FEWEST,
    ) -> _Answers:
        everything = list(pairs)
        judged = [pair for pair in everything if pair.same is not None]
        found = [pair for pair in judged if pair.first in rows and pair.second in rows]
        ends = [sorted((rows[pair.first], rows[pair.second])) for pair in found]
        first, second = np.array(ends, dtype=np.int64).reshape(-1, 2).T
        day = archive.profiles.day
        inside = ~(np.abs(day[first] - day[second]) > archive.settings.window_days)
        same = np.array([bool(pair.same) for pair in found], dtype=bool)[inside]
        weight = np.array([pair.weight for pair in found])[inside]
        if len(same) < least or (least and len(set(same.tolist())) < 2):
            raise SettingsError(
                f"nothing to learn: of {len(everything):,} pairs, {len(judged):,} are judged, "
                f"{len(same):,} of these have two articles of the archive in the window, and "
                f"{np.count_nonzero(same):,} report one event; {least} with both answers are needed"
            )
        return cls(
            first[inside], second[inside], same, weight, len(everything) - len(judged),
            len(judged) - len(found), len(found) - len(same),
        )  # fmt: skip
