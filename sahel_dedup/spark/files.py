"""Files in, files out: what ``sahel-dedup cluster --engine spark`` does."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sahel_dedup.errors import SahelError
from sahel_dedup.settings import Settings
from sahel_dedup.spark.engine import cluster
from sahel_dedup.spark.session import local_session

_ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")


def cluster_files(
    inputs: Sequence[str],
    output: str | None,
    settings: Settings,
    *,
    master: str | None = None,
    checkpoint: str | None = None,
) -> None:
    """Group the articles of files into stories, on Spark.

    Parameters
    ----------
    inputs
        Files, folders or glob patterns, on any file system that Spark reaches, all of one
        kind: ``.jsonl`` (also ``.gz``) or ``.parquet``.
    output
        Folder to write, of the kind that its ending tells. The rows are those that the
        local engine writes, in no particular order.
    settings : Settings
    master
        Where Spark runs; as it is configured if not given.
    checkpoint
        See `sahel_dedup.spark.cluster`.

    Raises
    ------
    SahelError
        If an ending is not known, an input is not there, or the output is.
    """
    if output is None:
        raise SahelError("no output: the Spark engine writes a folder, name it with --output")
    kinds = {_kind(name) for name in inputs}
    if len(kinds) > 1:
        raise SahelError("inputs of several kinds: give files of one kind to the Spark engine")
    kind = _kind(output)
    spark = local_session(master)
    try:
        df = _read(spark, list(inputs), kinds.pop())
        found = cluster(df, settings, checkpoint=checkpoint)
        carried = df.select("id", *(name for name in df.columns if name not in found.columns))
        rows = found.join(carried.withColumn("id", F.col("id").cast("string")), "id")
        if kind == "parquet":
            rows.write.parquet(output)
        else:
            rows.write.json(output, ignoreNullFields=False)
    except AnalysisException as error:
        raise SahelError(str(error).partition(" SQLSTATE")[0]) from None
    finally:
        spark.stop()


def _kind(name: str) -> str:
    for ending in _ENDINGS:
        if name.rstrip("/").lower().endswith(ending):
            return "parquet" if ending == ".parquet" else "json"
    raise SahelError(f"{name}: the Spark engine reads and writes {', '.join(_ENDINGS)}")


def _read(spark: SparkSession, paths: list[str], kind: str) -> DataFrame:
    if kind == "parquet":
        return spark.read.parquet(*paths)
    # Dates stay the strings they are: the library reads more forms of them than Spark does.
    return spark.read.json(paths, mode="FAILFAST")
