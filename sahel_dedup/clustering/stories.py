"""The clustering result and queries on it."""

from __future__ import annotations

import functools
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Never

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.clustering import story_table
from sahel_dedup.clustering.partition import Grouped, StoryPartition
from sahel_dedup.clustering.recall_check import RecallCheck, check_recall
from sahel_dedup.clustering.recut import Compared, group_compared, narrow, stricter
from sahel_dedup.clustering.saved_stories import StoriesParts, load, save
from sahel_dedup.clustering.story import Link
from sahel_dedup.clustering.thresholds import Thresholds
from sahel_dedup.errors import MissingTextsError
from sahel_dedup.explain.conflicts import find_conflicts
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.scoring.breakdown import ScoreBreakdown, score_breakdown
from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.scoring.recurrence import TYPICAL_RECURRENCE, recurrence_scores
from sahel_dedup.settings import check_count
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.text.words import Words

if TYPE_CHECKING:
    import polars as pl

    from sahel_dedup.explain.explanation import Explanation


class Stories(StoryPartition):
    """Articles grouped into stories, as `sahel_dedup.cluster` returns them.

    Iteration yields every `Story`, largest first, and ``len`` counts them. ``"a" in stories`` and
    ``stories["a"]`` take the id of an article. `ids`, `labels`, `days`, `articles`, `recurrence`
    and `rows` are in input order.

    Parameters
    ----------
    grouped : Grouped
        The result of the grouping; its traits are the `profiles`.
    profiles : Profiles
    compared : Compared
        The pairs that were compared, inside stories or not.
    words : Words
        The terms of the profiles by number.
    articles : sequence of Article, optional
        The articles in input order, if their texts were kept.
    read_summary : ReadSummary, optional
        What was read, which fields it had, and what was left out.

    Attributes
    ----------
    articles : sequence of Article or None
        The articles, if their texts were kept.
    probabilities : ndarray of float64
        Probability of each pair inside a story, in the order of `pairs`.
    expected_precision : float
        Their mean; NaN without pairs. It is only as accurate as the calibration of the evidence on
        this archive.
    read_summary : ReadSummary
    """

    def __init__(
        self,
        grouped: Grouped,
        profiles: Profiles,
        compared: Compared,
        words: Words,
        articles: Sequence[Article] | None = None,
        read_summary: ReadSummary | None = None,
    ) -> None:
        super().__init__(grouped)
        self.read_summary = read_summary or ReadSummary()
        self._profiles = profiles
        self._grouped = grouped
        self._compared = compared
        self._evidence = compared.evidence
        self._similarity = compared.similarity
        self._words = words
        self.articles = articles
        self.probabilities = 1 / (1 + np.exp(-self._pairs.score))
        self.expected_precision = float(self.probabilities.mean()) if len(self._pairs) else math.nan

    @functools.cached_property
    def recurrence(self) -> NDArray[np.float64]:
        """Similarity of each article to texts that cannot report the same event, 0 to 1.

        Daily bulletins and forms have high values (`sahel_dedup.scoring.recurrence`).
        """
        return self._recurrence[self._rows]

    def pairs(self, *, conflicts: bool | None = None) -> Iterator[Link]:
        """Yield the confirmed pairs: all pairs inside stories, in order of time.

        Exact copies are paired only with the first of them.

        Parameters
        ----------
        conflicts : bool
            Deprecated: call `sahel_dedup.find_conflicts` on the articles.
        """
        compare = _asked_for_conflicts(conflicts)
        return (self._link(i, compare) for i in range(len(self._pairs)))

    def weakest_links(self, count: int = 10, *, conflicts: bool | None = None) -> list[Link]:
        """Return the confirmed pairs with the lowest scores, weakest first.

        Scores are bounded; among equal scores, the less similar pair comes first. `conflicts` is as
        for `pairs`.
        """
        check_count("count", count, least=0)
        compare = _asked_for_conflicts(conflicts)
        order = np.lexsort((self._pairs.cosine, self._pairs.score))[:count]
        return [self._link(int(i), compare) for i in order]

    def check_recall(self, *, pairs: int = 1_000_000) -> RecallCheck:
        """Compare a sample of the articles with all others, to see what LSH missed.

        Parameters
        ----------
        pairs : int
            How many pairs to compare: more pairs give a narrower interval.

        Returns
        -------
        RecallCheck
        """
        return check_recall(self._profiles, self._evidence, self.settings, pairs)

    def recut(
        self,
        *,
        min_probability: float | None = None,
        window: timedelta | float | None = None,
        **misplaced: Never,
    ) -> Stories:
        """Group the same articles at a higher probability or with a shorter window.

        Nothing is read or compared again. The stories are those that `sahel_dedup.cluster`
        returns with these settings. Other settings are refused.

        Parameters
        ----------
        min_probability : float, optional
            See `Settings`. At least the value of this result, which is the default.
        window : timedelta or float, optional
            A time or a number of days. At most the value of this result, which is the default.

        Returns
        -------
        Stories

        Raises
        ------
        SettingsError
            If a value is out of its range, or would need pairs that were not compared.

        Examples
        --------
        >>> import sahel_dedup
        >>> stories = sahel_dedup.cluster([
        ...     {"id": "a", "text": "Rain in Kidal."}, {"id": "b", "text": "Rain in Kidal."}
        ... ])
        >>> stories.recut(min_probability=0.9).settings.min_probability
        0.9
        """
        settings, profiles, compared = self.settings, self._profiles, self._compared
        chosen = stricter(settings, min_probability, window, misplaced)
        if chosen.window_days < settings.window_days:
            compared = narrow(self._ids, profiles, compared, chosen, self.corrections)
        grouped = group_compared(
            self._ids, self._position, profiles, self._sources, compared, chosen, self.corrections
        )._replace(previous=self._previous)  # fmt: skip
        return Stories(grouped, profiles, compared, self._words, self.articles, self.read_summary)

    def thresholds(self, probabilities: Iterable[float]) -> Thresholds:
        """Show how the stories change with the probability.

        Parameters
        ----------
        probabilities : iterable of float
            See `Settings.min_probability`; none may be below that of this result.

        Returns
        -------
        Thresholds
            Prints as a table, appears as a plot in a notebook, and has `to_frame`.

        Raises
        ------
        SettingsError
            As for `recut`.
        """
        return Thresholds.of(probabilities, lambda p: self.recut(min_probability=p))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole result to a file, with the articles if their texts were kept.

        Values in other columns that JSON cannot represent are saved as text. The file appears only
        when it is complete.

        Parameters
        ----------
        path : str or path
            Usually ``.npz``.

        Raises
        ------
        FileError, OSError
            If no file can be created there, or writing fails.
        """
        save(parts_of(self), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Stories:
        """Read what `save` wrote. Loading runs no code from the file.

        Raises
        ------
        FileError
            If the file cannot be read, is of another version, or is damaged.
        """
        return cls(*load(path))

    def __getattr__(self, name: str) -> Any:
        if name != "evidence":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        warnings.warn(
            "Stories.evidence() is deprecated: use explain(first, second).breakdown",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._evidence_on

    def _evidence_on(self, first: str, second: str) -> dict[str, float]:
        """Return what `Stories.evidence` returned: similarity, score, and pieces by name."""
        breakdown = self._breakdown(self._row(first), self._row(second))
        return {"similarity": breakdown.similarity, "score": breakdown.score, **breakdown.pieces}

    def explain(self, first: str, second: str) -> Explanation:
        """Explain why two articles are in one story or not, and where they differ.

        Parameters
        ----------
        first, second : str
            Ids of any two articles.

        Returns
        -------
        Explanation
            Includes whether clustering put the two into one story, and the evidence.

        Raises
        ------
        NotFoundError, MissingTextsError
            If no article has that id, or texts were not kept.
        """
        # Imported only here, because it needs the template engine, which is slow to start.
        from sahel_dedup.explain.explanation import explain

        a, b = self._row(first), self._row(second)
        return explain(
            self._article(a),
            self._article(b),
            one_story=bool(self._story[a] == self._story[b]),
            breakdown=self._breakdown(a, b),
            corrections=self._reasons(a, b),
        )

    def to_frame(self) -> pl.DataFrame:
        """Return a polars frame with one row per article, in input order.

        Columns are those of `rows`, followed, if the articles were kept, by title, time of
        publication, outlet, language and all further fields of the articles. Ids are integers if
        all of them were integers, so that the frame can be joined with the one that was read.
        """
        frame = story_table.article_frame(self.rows(), self.articles)
        return story_table.with_numbers(frame, "id", self.read_summary)

    def to_pandas(self) -> Any:
        """Return the result of `to_frame` as a pandas frame.

        Raises
        ------
        MissingPackageError
            If pandas is not installed.
        """
        return story_table.to_pandas(self.to_frame())

    def stories_frame(self) -> pl.DataFrame:
        """Return a polars frame with one row per story, largest first.

        Columns are ``story_id``, ``size``, ``first`` and ``last`` (times of publication),
        ``outlets`` (a list of names), ``canonical`` (the id of the article that represents the
        story) and its ``title``.
        """
        frame = story_table.story_frame(self._story_rows())
        return story_table.with_numbers(frame, "canonical", self.read_summary)

    def quantities(self) -> pl.DataFrame:
        """Return a polars frame of tolls over time: numbers of people killed, wounded and so on.

        Its columns are ``story_id`` and those of `sahel_dedup.explain.ReportedQuantity`. Raises
        `SahelError` if texts were not kept.
        """
        self._kept()
        frame = story_table.quantity_frame((story.id, story.details) for story in self)
        return story_table.with_numbers(frame, "id", self.read_summary)

    def without_copies(self) -> list[Article]:
        """Return one article for each story, the canonical one, in input order.

        Raises
        ------
        MissingTextsError
            If texts were not kept.
        """
        articles = self._kept()
        canonical = self._position[[self._canonical(story) for story in range(len(self))]]
        return [articles[place] for place in sorted(canonical.tolist())]

    def _repr_html_(self) -> str:
        return story_table.stories_html(self, self._story_rows())

    def _story_rows(self) -> Iterator[story_table.StoryRow]:
        names = dict(zip(self._sources.values(), self._sources, strict=True))
        for story in self:
            rows = [self._row(article) for article in story.articles]
            sources = [names.get(number) for number in self._traits.source[rows].tolist()]
            yield story_table.story_row(story, self._traits.day[rows], sources)

    def _details(self, rows: NDArray[np.int64]) -> tuple[Article, ...]:
        return () if self.articles is None else tuple(map(self._article, rows.tolist()))

    @functools.cached_property
    def _evidence_of_all(self) -> Evidence:
        # Clustering computes the recurrence only of articles in surviving pairs.
        return Evidence(self._profiles, self._similarity, self._recurrence, self.settings)

    @functools.cached_property
    def _recurrence(self) -> NDArray[np.float64]:
        known = self._evidence.recurrence[self._duplicate_of]
        recurrence = recurrence_scores(
            self._profiles, np.arange(len(known)), self._similarity, self.settings.layout
        )
        # Clustering also recognises forms, in the first of exact copies, by fillings of one day.
        return np.where(known > TYPICAL_RECURRENCE, np.maximum(recurrence, known), recurrence)

    def _breakdown(self, first: int, second: int) -> ScoreBreakdown:
        return score_breakdown(
            self._evidence_of_all,
            self._similarity,
            self._words,
            self._profiles,
            self.settings,
            (first, second),
        )

    def _kept(self) -> Sequence[Article]:
        if self.articles is None:
            raise MissingTextsError("the texts were not kept: the articles were read from a stream")
        return self.articles

    def _article(self, row: int) -> Article:
        return self._kept()[int(self._position[row])]

    def _link(self, pair: int, conflicts: bool) -> Link:
        first, second = int(self._pairs.first[pair]), int(self._pairs.second[pair])
        found = find_conflicts(self._article(first), self._article(second)) if conflicts else None
        return Link(
            first=self._ids[first],
            second=self._ids[second],
            story=self._name(int(self._story[first])),
            similarity=float(self._pairs.cosine[pair]),
            score=float(self._pairs.score[pair]),
            conflicts=found,
        )


def parts_of(stories: Stories) -> StoriesParts:
    """Return the parts of a result, for its file and for an index that takes it over."""
    s, kept, summary = stories, stories.articles, stories.read_summary
    return StoriesParts(s._grouped, s._profiles, s._compared, s._words, kept, summary)


def _asked_for_conflicts(conflicts: bool | None) -> bool:
    if conflicts is not None:
        reason = "conflicts= is deprecated: call sahel_dedup.find_conflicts on the articles"
        warnings.warn(reason, DeprecationWarning, stacklevel=3)
    return bool(conflicts)
