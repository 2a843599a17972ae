"""The pipeline on Spark: a data frame of articles in, a data frame of stories out.

The stages are those of `sahel_dedup.batch`, in the same order and with the same code. Nothing that
grows with the archive goes to the driver.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Never

from pyspark.errors import PythonException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType, NullType, StringType

from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import ArticleError, SahelWarning, SettingsError
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.scoring.background import log_one_day
from sahel_dedup.scoring.log_odds import weights_of
from sahel_dedup.settings import Settings, check_keywords, check_settings
from sahel_dedup.spark.candidates import entries, proposals
from sahel_dedup.spark.clustering import link, stories
from sahel_dedup.spark.comparison import agreeing, closest, recurrence_scores, surviving
from sahel_dedup.spark.component_pairs import inside
from sahel_dedup.spark.components import components
from sahel_dedup.spark.corrected import (
    Followed,
    Named,
    digest,
    gathered,
    named_articles,
    single_out,
)
from sahel_dedup.spark.idf import corpus_idf, with_idf
from sahel_dedup.spark.joining import join_parts
from sahel_dedup.spark.ordering import copies_and_pages, in_order
from sahel_dedup.spark.reading import count_read
from sahel_dedup.spark.scoring import scored_pairs, with_recurrence
from sahel_dedup.spark.sketches import SKETCH, sketch
from sahel_dedup.spark.stages import Stages
from sahel_dedup.util.field_names import FIELDS, check_columns, find_alias, remedy, usual_field
from sahel_dedup.util.values import path_text

_OUR_ERROR = re.compile(r"^sahel_dedup\.errors\.ArticleError: (.*)$", re.MULTILINE)


def cluster(
    df: DataFrame,
    settings: Settings | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    corrections: Corrections | Iterable[Any] | Any | None = None,
    **misplaced: Never,
) -> DataFrame:
    """Group articles into stories on Spark, as `sahel_dedup.cluster` does on one machine.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        ``id`` (string or integer) and ``text``; ``title``, ``published`` (timestamp, date or
        ISO 8601 string), ``source`` and ``lang`` help. Other columns are ignored.
    settings : Settings, optional
        How to group; the defaults if not given.
    columns : mapping of str to str, optional
        See `sahel_dedup.cluster`.
    checkpoint : path, optional
        Folder, on a file system that all executors reach, for the stages. An interrupted run
        resumes from the existing stages if input and settings are the same. The default is Spark's
        checkpoint directory or, if Spark runs only on this machine, a folder that is removed when
        the process ends.
    corrections : optional
        See `sahel_dedup.cluster`. They are read on the driver.
    **misplaced
        Not allowed; the error says where settings go.

    Returns
    -------
    pyspark.sql.DataFrame
        ``id, story_id, canonical, relation, similarity``, one row per article. It is stored in the
        checkpoint folder, so keep that until the rows have been written elsewhere.

    Raises
    ------
    SahelError
        If a column is missing, a row is not an article, an id occurs twice, or no folder for the
        stages is known.
    CorrectionError
        If corrections contradict each other.

    Warns
    -----
    SahelWarning
        As for `sahel_dedup.cluster`, except about preferred outlets; and if the settings give a
        number of threads, which has no effect here.
    """
    check_keywords("cluster", misplaced)
    if not isinstance(df, DataFrame):
        raise SettingsError(f"df: {type(df).__name__} is not a Spark data frame")
    named = rename(df, check_columns(columns))
    chosen = check_settings(settings)
    weights_of(chosen)  # A model of another release is refused before anything is read.
    if chosen.workers:
        _warn("workers: no effect on Spark, which decides how many tasks run at once")
    followed = Corrections.read(corrections)
    summary = ReadSummary(mapped=check_columns(columns), columns=set(df.columns))
    found = Run.of(named, chosen, checkpoint, followed, summary).stories()
    summary.warn(2)
    return found


def rename(df: DataFrame, columns: Mapping[str, str]) -> DataFrame:
    """Rename the columns of fields to the fields, and drop other columns with those names.

    Raises
    ------
    SettingsError
        If a column does not exist.
    """
    if not columns:
        return df
    for field, column in columns.items():
        if column not in df.columns:
            there = ", ".join(df.columns)
            raise SettingsError(
                f"columns: no column {column!r} for {field!r}; the columns are {there}"
            )
    kept = [
        F.col(f"`{name}`")
        for name in df.columns
        if name not in columns and name not in columns.values()
    ]
    return df.select(
        *(F.col(f"`{column}`").alias(field) for field, column in columns.items()), *kept
    )


@dataclass(frozen=True)
class Run:
    """The stages of one input; each is made when it is first asked for.

    Attributes
    ----------
    df : DataFrame
    settings : Settings
    stages : Stages
        Corrections are not part of their name: what does not depend on them is made once.
    corrections : Corrections
    summary : ReadSummary
        Counts of the articles, once they are sketched.
    """

    df: DataFrame
    settings: Settings
    stages: Stages
    corrections: Corrections
    summary: ReadSummary

    @classmethod
    def of(
        cls,
        df: DataFrame,
        settings: Settings,
        checkpoint: str | os.PathLike[str] | None = None,
        corrections: Corrections | None = None,
        summary: ReadSummary | None = None,
    ) -> Run:
        """Check an input and find its stages; see `cluster`."""
        for name in ("id", "text"):
            if name not in df.columns:
                alias = find_alias(name, df.columns)
                hint = f"; {remedy(name, alias)}" if alias else ""
                raise SettingsError(
                    f"no column {name!r}; the columns are {', '.join(df.columns)}{hint}"
                )
        kind = df.schema["id"].dataType
        if not isinstance(kind, StringType | IntegralType | NullType):
            raise SettingsError(f"field 'id': neither strings nor integers: {kind.simpleString()}")
        summary = summary or ReadSummary(columns=set(df.columns))
        df = df.select(*filter(_is_read, df.columns))
        folder = path_text(checkpoint) if checkpoint is not None else _folder(df)
        stages = Stages.of(df, settings, folder)
        return cls(df, settings, stages, corrections or Corrections(), summary)

    def stories(self) -> DataFrame:
        """Return the story of each article."""
        stages = self.stages
        if self.corrections:
            said = sorted((*sorted((c.a, c.b)), c.same) for c in self.corrections)
            stages = stages.at(f"corrected-{digest(said)}")
        return stages.keep("stories", self._link)

    def timeline(self) -> DataFrame:
        """Sketch the articles and put them in order of time."""
        return self.stages.keep("timeline", lambda: in_order(self.sketches()))

    def sketches(self) -> DataFrame:
        """Sketch the articles."""
        try:
            made = self.stages.keep("sketches", lambda: self.df.mapInArrow(sketch, SKETCH))
        except PythonException as error:
            if fault := _OUR_ERROR.search(str(error)):
                raise ArticleError(fault[1]) from None
            raise
        twice = made.groupBy("id").count().where("count > 1").head()
        if twice is not None:
            raise ArticleError(f"duplicate id: {twice['id']!r}")
        span = count_read(made, self.summary)
        self.summary.log()
        log_one_day(self.summary.read, span)
        return made

    def copies(self) -> DataFrame:
        """Find exact copies, which are no articles that corrections name, and placeholder pages."""
        return single_out(self._all_copies(), self._named)

    def _all_copies(self) -> DataFrame:
        window = self.settings.window_days
        return self.stages.keep("copies", lambda: copies_and_pages(self.timeline(), window))

    @functools.cached_property
    def _named(self) -> tuple[Named, ...]:
        if not self.corrections:
            return ()
        return named_articles(self.timeline(), self._all_copies(), self.corrections)

    @property
    def _compared(self) -> Stages:
        """Where pairs are kept: those of other articles if corrections name exact copies."""
        apart = [article.row for article in self._named if article.original != article.row]
        return self.stages.at(f"apart-{digest(apart)}") if apart else self.stages

    def articles(self) -> DataFrame:
        """Weight the terms of each article by the IDF of the archive."""
        idf = self.stages.keep("idf", lambda: corpus_idf(self.timeline()))
        return self.stages.keep("articles", lambda: with_idf(self.timeline(), idf))

    def surviving(self) -> DataFrame:
        """Propose pairs, compare them, and keep those that may report one event."""

        def agreed() -> DataFrame:
            return agreeing(self.proposals(), self.timeline())

        def survivors() -> DataFrame:
            found = self._compared.keep("agreeing", agreed)
            return surviving(found, self.articles(), self.settings)

        return self._compared.keep("surviving", survivors)

    def proposals(self) -> DataFrame:
        """Find candidate pairs and background articles in the buckets of LSH."""

        def proposed() -> DataFrame:
            exploded = entries(self.timeline(), self.copies(), self.settings.layout)
            return proposals(exploded, self.settings.window_days)

        return self._compared.keep("proposals", proposed)

    def recurrence(self) -> DataFrame:
        """Measure the recurrence of every article in a pair that may report one event."""

        def nearest() -> DataFrame:
            return closest(self.proposals(), self.surviving(), self.timeline())

        return self._compared.keep(
            "recurrence",
            lambda: recurrence_scores(
                self._compared.keep("closest", nearest), self.surviving(), self.articles()
            ),
        )

    def pairs(self) -> DataFrame:
        """Score the pairs: `first`, `second`, `cosine`, `score`."""

        def scored() -> DataFrame:
            traits = with_recurrence(self.articles(), self.recurrence())
            return scored_pairs(self.surviving(), traits, self.settings)

        return self._compared.keep("pairs", scored)

    def _link(self) -> DataFrame:
        of_several = components(self.pairs(), self.settings.merge_threshold, self._compared)

        def scored() -> DataFrame:
            traits = with_recurrence(self.articles(), self.recurrence())
            return inside(self.articles(), of_several, traits, self.settings)

        def linked() -> DataFrame:
            pairs = self._compared.keep("inside", scored)
            return link(self.articles(), self.copies(), of_several, pairs, self.settings)

        parts = self._compared.keep("linked", linked)
        traits = with_recurrence(self.articles(), self.recurrence())
        whole = join_parts(
            parts, of_several, self.pairs(), self.articles(), traits, self.settings,
            self._compared.at("joining"),
        )  # fmt: skip
        followed = self._followed(whole, traits) if self._named else None
        return stories(self.articles(), self.copies(), whole, self.settings, followed)

    def _followed(self, linked: DataFrame, recurrence: DataFrame) -> Followed:
        """Bring the stories together that corrections touch."""
        found = gathered(self._named, linked, self.corrections)
        rows = sorted(found.items())
        frame = self.df.sparkSession.createDataFrame(rows, "story long, gathered long")
        return Followed(self.corrections, frame, recurrence)


def _is_read(column: str) -> bool:
    """Whether a column is a field, or may contain one that a row lacks, which is reported."""
    field, _ = usual_field(column) or ("", 0)
    # Another text would be as much to move as all that is needed.
    return column in FIELDS or field in ("title", "published", "source", "lang")


def _folder(df: DataFrame) -> str:
    """Find a folder for the stages if none was named."""
    context = df.sparkSession.sparkContext
    if folder := context.getCheckpointDir():
        return folder
    if not (context.master or "").startswith("local"):
        raise SettingsError("no checkpoint: name a folder that all executors can reach")
    folder = tempfile.mkdtemp(prefix="sahel-dedup-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _warn(what: str) -> None:
    logging.getLogger("sahel_dedup").warning(what)
    warnings.warn(what, SahelWarning, stacklevel=3)
