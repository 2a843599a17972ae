"""Stages at rest: each stage is written once as Parquet, and read from there ever after.

So lineage is never longer than a stage, a lost executor costs no more than its tasks, and
a run that was stopped goes on from the last stage that was written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sahel_dedup.fingerprint import FINGERPRINT_VERSION
from sahel_dedup.settings import Settings
from sahel_dedup.spark.articles import FIELDS

# Raised whenever what a stage writes, or how it comes about, changes.
STAGES_VERSION = 1


@dataclass(frozen=True, slots=True)
class Stages:
    """A folder of stages.

    Parameters
    ----------
    spark : SparkSession
    folder : str
        Path on any file system that all executors reach.
    """

    spark: SparkSession
    folder: str

    @classmethod
    def of(cls, df: DataFrame, settings: Settings, folder: str) -> Stages:
        """Find the stages of one input under given settings.

        Other inputs, settings and versions of the library lie beside them.
        """
        # The number of threads does not change what is found.
        told = [f"{settings!r}".partition(", workers=")[0], FINGERPRINT_VERSION, STAGES_VERSION]
        name = hashlib.blake2b(repr([*told, signature(df)]).encode(), digest_size=8).hexdigest()
        return cls(df.sparkSession, f"{folder.rstrip('/')}/{name}")

    def at(self, name: str) -> Stages:
        """Return the stages in a folder of this one."""
        return Stages(self.spark, f"{self.folder}/{name}")

    def keep(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """Read a stage, after making and writing it if it is not there.

        Parameters
        ----------
        name : str
        make : callable
            Makes the data frame.

        Returns
        -------
        DataFrame
            With no lineage but its files.
        """
        path = f"{self.folder}/{name}"
        if not self._written(path):
            make().write.mode("overwrite").parquet(path)
        return self.spark.read.parquet(path)

    def _written(self, path: str) -> bool:
        # Spark writes this file when all tasks of a job have been committed.
        jvm, context = self.spark._jvm, self.spark._jsc
        done = jvm.org.apache.hadoop.fs.Path(f"{path}/_SUCCESS")
        return bool(done.getFileSystem(context.hadoopConfiguration()).exists(done))


def signature(df: DataFrame) -> str:
    """Tell one input from another by its content, whatever the order of its rows."""
    held = [name for name in FIELDS if name in df.columns]
    row = F.xxhash64(*held)
    one = df.select(row.alias("row")).agg(
        F.count("*"), F.bit_xor("row"), F.sum(F.col("row").bitwiseAND(F.lit(0x7FFFFFFF)))
    )
    return repr((held, one.head()))
