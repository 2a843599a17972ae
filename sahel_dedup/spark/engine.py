"""The pipeline on Spark: a data frame of articles in, a data frame of stories out.

The same stages as `sahel_dedup.batch`, in the same order, on the same code. Nothing that
grows with the archive comes to the driver.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from dataclasses import dataclass

from pyspark.errors import PythonException
from pyspark.sql import DataFrame

from sahel_dedup.errors import SahelError
from sahel_dedup.settings import Settings
from sahel_dedup.spark.articles import FIELDS, SKETCH, sketch
from sahel_dedup.spark.buckets import entries, proposals
from sahel_dedup.spark.checkpoint import Stages
from sahel_dedup.spark.components import components
from sahel_dedup.spark.inside import inside
from sahel_dedup.spark.linking import stories
from sahel_dedup.spark.meeting import agreeing, bars, closest, hopes
from sahel_dedup.spark.pairs import weighed_pairs, with_bars
from sahel_dedup.spark.timeline import copies, in_order
from sahel_dedup.spark.weights import corpus_idf, weighed

_OUR_ERROR = re.compile(r"^sahel_dedup\.errors\.(?:Sahel|Article)Error: (.*)$", re.MULTILINE)


def cluster(
    df: DataFrame,
    settings: Settings | None = None,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
) -> DataFrame:
    """Group articles into stories on Spark, as `sahel_dedup.cluster` does on one machine.

    Parameters
    ----------
    df : pyspark.sql.DataFrame
        ``id`` (string or integer) and ``text``; ``title``, ``published`` (timestamp, date or
        ISO 8601 string), ``source`` and ``lang`` help. Other columns are not looked at.
    settings : Settings, optional
        How to group; the defaults if not given.
    checkpoint : path, optional
        Folder, on a file system that all executors reach, for the stages. A run that was
        stopped goes on from the stages that are there, if input and settings are the same.
        By default Spark's checkpoint directory or, where Spark runs on this machine only, a
        folder that is gone when the process ends.

    Returns
    -------
    pyspark.sql.DataFrame
        ``id, story_id, canonical, relation, similarity``, one row an article. It lies in
        the checkpoint folder, so keep that until the rows have been written elsewhere.

    Raises
    ------
    SahelError
        If a column is missing, a row is not an article or an id comes twice, or if no
        folder for the stages is known.
    """
    return Run.of(df, settings or Settings(), checkpoint).stories()


@dataclass(frozen=True, slots=True)
class Run:
    """The stages of one input; each is made when it is first asked for."""

    df: DataFrame
    settings: Settings
    stages: Stages

    @classmethod
    def of(
        cls, df: DataFrame, settings: Settings, checkpoint: str | os.PathLike[str] | None = None
    ) -> Run:
        """Check an input and find its stages; see `cluster`."""
        for name in ("id", "text"):
            if name not in df.columns:
                raise SahelError(f"no column {name!r}; there are {', '.join(df.columns)}")
        df = df.select(*(name for name in FIELDS if name in df.columns))
        folder = os.fspath(checkpoint) if checkpoint is not None else _folder(df)
        return cls(df, settings, Stages.of(df, settings, folder))

    def stories(self) -> DataFrame:
        """Tell of each article its story."""
        return self.stages.keep("stories", self._link)

    def timeline(self) -> DataFrame:
        """Sketch the articles and put them in order of time."""
        return self.stages.keep("timeline", lambda: in_order(self.sketches()))

    def sketches(self) -> DataFrame:
        """Sketch the articles."""
        try:
            made = self.stages.keep("sketches", lambda: self.df.mapInArrow(sketch, SKETCH))
        except PythonException as error:
            if fault := _OUR_ERROR.search(str(error)):
                raise SahelError(fault[1]) from None
            raise
        twice = made.groupBy("id").count().where("count > 1").head()
        if twice is not None:
            raise SahelError(f"duplicate id: {twice['id']!r}")
        return made

    def copies(self) -> DataFrame:
        """Find verbatim twins and hollow pages."""
        window = self.settings.window_days
        return self.stages.keep("copies", lambda: copies(self.timeline(), window))

    def articles(self) -> DataFrame:
        """Weigh the terms of each article by the IDF of the archive."""
        idf = self.stages.keep("idf", lambda: corpus_idf(self.timeline()))
        return self.stages.keep("articles", lambda: weighed(self.timeline(), idf))

    def hopes(self) -> DataFrame:
        """Propose pairs, compare them and keep those that may be one event."""

        def agreed() -> DataFrame:
            return agreeing(self.proposals(), self.timeline())

        def hoped() -> DataFrame:
            return hopes(self.stages.keep("agreeing", agreed), self.articles(), self.settings)

        return self.stages.keep("hopes", hoped)

    def proposals(self) -> DataFrame:
        """Meet in the buckets of LSH."""

        def proposed() -> DataFrame:
            exploded = entries(self.timeline(), self.copies(), self.settings.layout)
            return proposals(exploded, self.settings.window_days)

        return self.stages.keep("proposals", proposed)

    def bars(self) -> DataFrame:
        """Measure the temporal contrast of every article of a pair that may be one event."""

        def nearest() -> DataFrame:
            return closest(self.proposals(), self.hopes(), self.timeline())

        return self.stages.keep(
            "bars", lambda: bars(self.stages.keep("closest", nearest), self.articles())
        )

    def pairs(self) -> DataFrame:
        """Weigh the pairs: `first`, `second`, `cosine`, `score`."""

        def weighed() -> DataFrame:
            told = with_bars(self.articles(), self.bars())
            return weighed_pairs(self.hopes(), told, self.settings)

        return self.stages.keep("pairs", weighed)

    def _link(self) -> DataFrame:
        of_several = components(self.pairs(), self.settings.bar, self.stages)

        def weighed() -> DataFrame:
            told = with_bars(self.articles(), self.bars())
            return inside(self.articles(), of_several, told, self.settings)

        pairs = self.stages.keep("inside", weighed)
        return stories(self.articles(), self.copies(), of_several, pairs, self.settings)


def _folder(df: DataFrame) -> str:
    """Find a folder for the stages where none was named."""
    context = df.sparkSession.sparkContext
    if folder := context.getCheckpointDir():
        return folder
    if not (context.master or "").startswith("local"):
        raise SahelError("no checkpoint: name a folder that all executors reach")
    folder = tempfile.mkdtemp(prefix="sahel-dedup-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
