"""Stages on disk: each stage is written once as Parquet and then read from there.

Lineage is therefore never longer than one stage, a lost executor costs only its tasks, and an
interrupted run resumes after the last stage that was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sahel_dedup.settings import Settings
from sahel_dedup.sketch.fingerprint import FINGERPRINT_VERSION
from sahel_dedup.util.field_names import FIELDS
from sahel_dedup.util.version import data_versions

# Raised whenever what a stage writes, or how it comes about, changes.
STAGES_VERSION = 10


@dataclass(frozen=True, slots=True)
class Stages:
    """A folder of stages.

    Parameters
    ----------
    spark : SparkSession
    root : str
        Folder of a run, on any file system that all executors reach.
    inside : str
        Path inside it, ending in a slash.
    """

    spark: SparkSession
    root: str
    inside: str = ""

    @classmethod
    def of(cls, df: DataFrame, settings: Settings, folder: str) -> Stages:
        """Find the stages of one input under given settings.

        Other inputs, settings and versions of the library have folders of their own.
        """
        # The number of threads does not change the result.
        chosen = f"{settings!r}".partition(", workers=")[0]
        identity = [chosen, FINGERPRINT_VERSION, STAGES_VERSION, data_versions()]
        name = hashlib.blake2b(repr([*identity, signature(df)]).encode(), digest_size=8).hexdigest()
        return cls(df.sparkSession, f"{folder.rstrip('/')}/{name}")

    def at(self, name: str) -> Stages:
        """Return the stages in a subfolder of this one."""
        return Stages(self.spark, self.root, f"{self.inside}{name}/")

    def keep(self, name: str, make: DataFrame | Callable[[], DataFrame]) -> DataFrame:
        """Read a stage, after computing and writing it if it does not exist.

        Parameters
        ----------
        name : str
        make : DataFrame or callable
            The data frame, or a function that returns it.

        Returns
        -------
        DataFrame
            A frame without lineage, read from its files.
        """
        path = f"{self.root}/{self.inside}{name}"
        if not self._written(path):
            made = make if isinstance(make, DataFrame) else make()
            # Shown on Spark's own pages and in its event log.
            self.spark.sparkContext.setJobDescription(f"sahel_dedup: {self.inside}{name}")
            made.write.mode("overwrite").parquet(path)
        return self.spark.read.parquet(path)

    def _written(self, path: str) -> bool:
        # Spark writes this file once all tasks of a job have been committed.
        jvm: Any = self.spark._jvm
        context: Any = self.spark.sparkContext._jsc
        done = jvm.org.apache.hadoop.fs.Path(f"{path}/_SUCCESS")
        return bool(done.getFileSystem(context.hadoopConfiguration()).exists(done))


def signature(df: DataFrame) -> str:
    """Return a signature of an input by its content, whatever the order of its rows."""
    held = [name for name in FIELDS if name in df.columns]
    row = F.xxhash64(*held)
    one = df.select(row.alias("row")).agg(
        F.count("*"), F.bit_xor("row"), F.sum(F.col("row").bitwiseAND(F.lit(0x7FFFFFFF)))
    )
    return repr((held, one.head()))
