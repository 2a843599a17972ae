"""The batch pipeline: articles in, stories out.

All stages after the sketches work on articles in order of time (those without a date
first, ties by id), so that the stories do not depend on the order of the input.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Never

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.candidates.exact_copies import (
    exact_duplicates,
    headline_echoes,
    placeholder_pages,
    spans,
)
from sahel_dedup.candidates.lsh import distinct
from sahel_dedup.clustering.corrected import single_out
from sahel_dedup.clustering.crosswalk import read_previous
from sahel_dedup.clustering.recut import Compared, group_compared
from sahel_dedup.clustering.stories import Stories
from sahel_dedup.clustering.window import Times
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import SettingsError
from sahel_dedup.io.article_reader import ArticleReader, OnBadDate, OnError
from sahel_dedup.io.kept_reading import KeptReading
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.scoring.background import log_one_day, span_of
from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.scoring.kept_pairs import KeptPairs, ReadLines
from sahel_dedup.scoring.log_odds import weights_of
from sahel_dedup.scoring.proposals import propose
from sahel_dedup.scoring.recurrence import recurrence_scores
from sahel_dedup.scoring.survivors import surviving_pairs
from sahel_dedup.settings import Settings, check_keywords, check_settings, check_workers
from sahel_dedup.sketch.digests import text_numbers
from sahel_dedup.sketch.fingerprint import Fingerprint
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.repetition import repeating_outlets
from sahel_dedup.sketch.sketcher import Sketcher

Progress = Callable[[str, int, int | None], None]
_LOGGER = logging.getLogger("sahel_dedup")


def cluster(
    articles: Iterable[Mapping[str, Any] | Article] | Any,
    settings: Settings | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    on_error: OnError = "raise",
    on_bad_date: OnBadDate = "drop",
    progress: Progress | None = None,
    corrections: Corrections | Iterable[Any] | Any | None = None,
    previous: Stories | Mapping[str, str] | Any | None = None,
    **misplaced: Never,
) -> Stories:
    """Group articles into stories.

    Parameters
    ----------
    articles
        An iterable of mappings, `Article`, dataclasses, named tuples, pydantic models or sqlite3
        rows; a pandas or polars frame, lazy or not; anything that supports Arrow, such as a pyarrow
        table, record batches, or a DuckDB relation; a path, a folder or a list of paths. ``id`` and
        ``text`` are required; ``title``, ``published``, ``source`` and ``lang`` improve the result;
        other fields are passed through.
    settings : Settings, optional
        How to group; the defaults if not given.
    columns : mapping of str to str, optional
        The columns from which fields are read, if their names differ from those of the fields:
        ``{"text": "body", "published": "date"}``. ``{"id": "index"}`` uses the index of a pandas
        frame.
    on_error : {"raise", "skip"}
        What to do with a row that is not an article: raise an error, or skip it. The
        `read_summary` of the result counts skipped rows.
    on_bad_date : {"drop", "raise"}
        What to do with a date that cannot be read: drop the date and count it in the summary,
        or treat the row as faulty.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` while a stage runs. ``done`` counts articles,
        bands of LSH or pairs, and is 0 when a stage starts; ``total`` is None if unknown.
    corrections : optional
        Pairs of articles that you put into one story or keep apart: a path, a frame, or an iterable
        of tuples ``(a, b, same)`` or mappings; see
        `sahel_dedup.corrections.corrections.Corrections.read`. They take precedence over the
        evidence and the window.
    previous : optional
        The stories of an earlier run over the archive: its result, its file, or anything else that
        `sahel_dedup.clustering.crosswalk.read_previous` reads. Stories that continue earlier ones
        keep their ids.
    **misplaced
        Not allowed; the error says where settings go.

    Returns
    -------
    Stories

    Raises
    ------
    ArticleError
        If a row is not an article or repeats an id, or a row of corrections is not a correction.
        The error names the row.
    CorrectionError
        If corrections contradict each other.
    SettingsError
        If an argument cannot be used, or a column does not exist.
    TypeError
        If an argument is unknown.

    Warns
    -----
    SahelWarning
        If rows or dates were left out, or the input probably contains a mistake, such as an unknown
        name.

    Examples
    --------
    >>> import sahel_dedup
    >>> stories = sahel_dedup.cluster([
    ...     {"id": "a", "text": "Gunmen attacked the army camp at Tessarit on Monday, killing "
    ...      "nine soldiers, the governor said."},
    ...     {"id": "b", "text": "Nine soldiers were killed on Monday when gunmen attacked an army "
    ...      "camp at Tessarit, according to the governor."},
    ...     {"id": "c", "text": "Millet prices rose in Maradi as the lean season began."},
    ... ])
    >>> stories.labels.tolist()
    [0, 0, 1]
    """
    check_keywords("cluster", misplaced)
    settings = check_settings(settings)
    if progress is not None and not callable(progress):
        raise SettingsError(
            f"progress: {progress!r} is not a function of stage, done and total; try progress=print"
        )
    reader = ArticleReader(columns, on_error=on_error, on_bad_date=on_bad_date)
    followed, former = Corrections.read(corrections), read_previous(previous)
    stories = group(reader.articles(articles), settings, reader.summary, progress, followed, former)
    reader.warn()
    return stories


def group(
    articles: Iterable[Article],
    settings: Settings,
    summary: ReadSummary,
    progress: Progress | None = None,
    corrections: Corrections | None = None,
    previous: Mapping[str, str] | None = None,
) -> Stories:
    """Group articles that have been checked; see `cluster`.

    Parameters
    ----------
    articles
        Articles with unique ids.
    settings
    summary
        The summary of reading them.
    progress, corrections, previous
        See `cluster`.

    Returns
    -------
    Stories
    """
    kept: list[Article] = []

    def remember() -> Iterable[Article]:
        for article in articles:
            kept.append(article)
            yield article

    on_progress = progress or (lambda _stage, _done, _all: None)
    archive = Archive.read(remember(), settings, on_progress, summary, corrections)
    return archive.stories(kept, previous)


def fingerprints(
    articles: Iterable[Mapping[str, Any] | Article] | Any,
    *,
    columns: Mapping[str, str] | None = None,
    on_error: OnError = "raise",
    on_bad_date: OnBadDate = "drop",
    workers: int = 0,
    **misplaced: Never,
) -> Iterator[tuple[str, Fingerprint]]:
    """Compute the fingerprint of each article.

    Parameters
    ----------
    articles, columns, on_error, on_bad_date
        See `cluster`.
    workers
        Number of threads; 0 uses all processors.
    **misplaced
        Not allowed: fingerprints do not depend on settings.

    Returns
    -------
    iterator of (str, Fingerprint)
        The id of each article and its fingerprint, which depends only on the article.

    Examples
    --------
    >>> import sahel_dedup
    >>> [(name, fingerprint)] = sahel_dedup.fingerprints([{"id": "a", "text": "Rain in Kidal"}])
    >>> len(fingerprint.to_bytes()), fingerprint.to_minhash().num_perm
    (1032, 128)
    """
    check_keywords("fingerprints", misplaced, "fingerprints do not depend on settings")
    reader = ArticleReader(columns, on_error=on_error, on_bad_date=on_bad_date)
    return _fingerprints(reader, reader.articles(articles), check_workers(workers))


def _fingerprints(
    reader: ArticleReader, articles: Iterator[Article], workers: int
) -> Iterator[tuple[str, Fingerprint]]:
    for ids, profiles in Sketcher().sketch_all(articles, workers):
        signatures = zip(ids, profiles.salience, profiles.shingles, strict=True)
        for article, salience, shingles in signatures:
            yield article, Fingerprint(salience, shingles)
    reader.summary.log()
    reader.warn()


def _logged(on_progress: Progress) -> Progress:
    """Log each stage as it begins."""
    begun: set[str] = set()

    def logged(stage: str, done: int, total: int | None) -> None:
        if stage not in begun:
            begun.add(stage)
            _LOGGER.info("stage: %s", stage)
        on_progress(stage, done, total)

    return logged


@dataclass(slots=True)
class Archive:
    """Sketched articles, ready to be grouped.

    Attributes
    ----------
    ids : list of str
        Ids in order of time.
    position : ndarray of int64, shape (n,)
        Position of each row in the input.
    summary : ReadSummary
        Counts of the articles that were read, and of their fields.
    corrections : Corrections
        The corrections that the stories must follow.
    kept : KeptPairs or None
        The pairs of the last run over the archive, if a checkpoint keeps them.
    """

    settings: Settings
    ids: list[str]
    position: NDArray[np.int64]
    profiles: Profiles
    sketcher: Sketcher
    on_progress: Progress = field(repr=False)
    summary: ReadSummary
    corrections: Corrections
    kept: KeptPairs | None = None

    @classmethod
    def read(
        cls,
        articles: Iterable[Article] | KeptReading,
        settings: Settings,
        on_progress: Progress,
        summary: ReadSummary | None = None,
        corrections: Corrections | None = None,
    ) -> Archive:
        """Sketch a stream of articles; their texts are discarded.

        Those of files that a checkpoint keeps are made once. The summary is that of whoever
        reads the articles.
        """
        on_progress = _logged(on_progress)
        weights_of(settings)  # Refuse a model of another release before anything is read.
        sketcher = Sketcher()
        summary = summary or ReadSummary()
        sketched = (
            articles.sketch_all(sketcher, settings.workers)
            if isinstance(articles, KeptReading)
            else sketcher.sketch_all(articles, settings.workers)
        )
        ids: list[str] = []

        def parts() -> Iterator[Profiles]:
            yield sketcher.sketch([])
            for chunk, profiles in sketched:
                ids.extend(chunk)
                on_progress("reading", len(ids), None)
                yield profiles

        profiles = Profiles.concatenate(parts())
        profiles.source = sketcher.number_sources_by_name()[profiles.source]
        by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
        day = np.where(np.isnan(profiles.day), -np.inf, profiles.day)
        order = by_id[np.argsort(day[by_id], kind="stable")]
        profiles.reorder(order)
        summary.drop_dates(sketcher.implausible_dates)
        ids = [ids[i] for i in order]
        said = corrections or Corrections()
        summary.add_corrections(len(said), sorted(set(said.names).difference(ids)))
        summary.add_outlets(sketcher.sources.keys(), settings.preferred_sources)
        summary.add_texts(sketcher.wordless, repeating_outlets(profiles), sketcher.sources.names)
        summary.log()
        log_one_day(len(ids), span_of(profiles.day))
        kept = None
        if isinstance(articles, KeptReading):
            files, file, line = articles.places()
            kept = KeptPairs(articles.checkpoint, ReadLines(files, file[order], line[order]))
        return cls(settings, ids, order, profiles, sketcher, on_progress, summary, said, kept)

    def stories(
        self, articles: list[Article] | None = None, previous: Mapping[str, str] | None = None
    ) -> Stories:
        """Group the articles.

        Parameters
        ----------
        articles : list of Article, optional
            The articles in input order, for the result to show.
        previous : mapping of str to str, optional
            The former story of each article.

        Returns
        -------
        Stories
        """
        profiles, settings, former = self.profiles, self.settings, previous or {}
        self.summary.add_previous(former, self.ids)
        compared = self.compare(settings.merge_threshold)
        self.on_progress("linking", 0, None)
        grouped = group_compared(
            self.ids, self.position, profiles, self.sketcher.sources, compared, settings,
            self.corrections,
        )._replace(previous=former)  # fmt: skip
        self.on_progress("linking", len(grouped.inside), len(grouped.inside))
        words = self.sketcher.vocabulary.words
        return Stories(grouped, profiles, compared, words, articles, self.summary)

    def compare(self, least: float = -np.inf) -> Compared:
        """Propose pairs of articles and score them.

        Parameters
        ----------
        least : float
            Pairs that cannot reach this score may be left out.

        Returns
        -------
        Compared
        """
        profiles, settings, layout = self.profiles, self.settings, self.settings.layout
        text = text_numbers(profiles.body, profiles.body_check)
        duplicate_of = exact_duplicates(text, profiles.headline, profiles.day, settings.window_days)
        duplicate_of = single_out(duplicate_of, self.ids, self.corrections)
        langs, vocabulary = self.sketcher.langs.names, self.sketcher.vocabulary
        page = placeholder_pages(
            text,
            profiles.headline,
            profiles.source,
            lambda rows: headline_echoes(profiles, langs, vocabulary, rows),
        )
        single = np.flatnonzero((duplicate_of == np.arange(len(duplicate_of))) & ~page)
        similarity, proposed = propose(
            profiles, self.sketcher, single, settings, self.on_progress, self.kept
        )
        self.on_progress("scoring", 0, None)
        first, second, cosine, form = surviving_pairs(
            *proposed, profiles, similarity, settings, least
        )
        wanted = distinct(np.concatenate([first, second]))
        self.on_progress("scoring", 0, None)
        near = first[form], second[form]
        meetings = None if self.kept is None else self.kept.meetings
        recurrence = recurrence_scores(
            profiles, wanted, similarity, layout, settings.workers, near, meetings
        )
        if self.kept is not None:
            self.kept.save(self.sketcher)
        self.on_progress("recurrence", len(wanted), len(wanted))
        evidence = Evidence(profiles, similarity, recurrence, settings)
        pairs = evidence.score_pairs(first, second, cosine)
        self.on_progress("scoring", len(pairs), len(pairs))
        times = Times(*spans(duplicate_of, profiles.day), settings.window_days)
        return Compared(duplicate_of, times, similarity, evidence, pairs)
