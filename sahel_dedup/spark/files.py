"""From files to files: the implementation of ``sahel-dedup cluster --engine spark``."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import ArticleError, FileError, SahelError, SettingsError, SparkError
from sahel_dedup.io.paths import expand_paths
from sahel_dedup.io.readers import read_rows
from sahel_dedup.settings import Settings
from sahel_dedup.spark.engine import cluster, rename
from sahel_dedup.spark.session import local_session
from sahel_dedup.util.field_names import check_columns

_LOGGER = logging.getLogger("sahel_dedup")
_ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")


def cluster_files(
    inputs: Sequence[str],
    output: str | None,
    settings: Settings,
    *,
    columns: Mapping[str, str] | None = None,
    master: str | None = None,
    checkpoint: str | None = None,
    corrections: Corrections | None = None,
) -> None:
    """Group the articles of files into stories, on Spark.

    Parameters
    ----------
    inputs
        Files, folders or glob patterns on any file system that Spark reaches, all of one format:
        ``.jsonl`` (also ``.gz``) or ``.parquet``.
    output
        Folder to write; its ending names the format. The rows are those that the local engine
        writes, in any order.
    settings : Settings
    columns
        See `sahel_dedup.cluster`.
    master
        Where Spark runs; by default, as configured.
    checkpoint, corrections
        See `sahel_dedup.spark.cluster`.

    Raises
    ------
    SahelError
        If an ending is unknown, if an input does not exist or cannot be read, if the output
        exists, or if Spark fails. The error names a faulty line of a file on this machine.
    """
    if output is None:
        raise SettingsError("no output: the Spark engine writes a folder; name it with --output")
    kinds = {_kind(name) for name in inputs}
    if len(kinds) > 1:
        raise SettingsError("inputs of several kinds: give files of one kind to the Spark engine")
    kind = _kind(output)
    if os.path.exists(output):
        raise FileError(f"cannot write {output!r}: it already exists")
    # Spark logs every failure of every task with its stack trace before it raises the error.
    spark = local_session(master, {"spark.log.level": "OFF"})
    try:
        read = _read(spark, list(inputs), kinds.pop())
        found = cluster(
            read, settings, columns=columns, checkpoint=checkpoint, corrections=corrections
        )
        df = rename(read, check_columns(columns))
        replaced = [name for name in found.columns if name in df.columns and name != "id"]
        if replaced:
            _LOGGER.warning(
                "input columns replaced by results of the same name: %s", ", ".join(replaced)
            )
        carried = df.select("id", *(name for name in df.columns if name not in found.columns))
        rows = found.join(carried.withColumn("id", F.col("id").cast("string")), "id")
        if kind == "parquet":
            rows.write.parquet(output)
        else:
            rows.write.json(output, ignoreNullFields=False)
    except (PySparkException, Py4JJavaError) as error:
        raise _fault_in(inputs) or SparkError(_message(error)) from None
    finally:
        spark.stop()


def _fault_in(inputs: Sequence[str]) -> ArticleError | None:
    """Return the first faulty line of input files on this machine, which Spark cannot name."""
    with suppress(SahelError, OSError):
        paths = [path for name in inputs for path in expand_paths(name.removeprefix("file://"))]
        try:
            for _ in read_rows([path for path in paths if os.path.isfile(path)]):
                pass
        except ArticleError as fault:
            return fault
    return None


def _message(error: Exception) -> str:
    """Return the first line of a message of Spark, without the stack trace."""
    said = [str(error)]
    cause = getattr(error, "java_exception", None)
    while cause is not None:
        said.append(str(cause.getMessage()))
        cause = cause.getCause()
    # An error of Spark begins with its class; the text around it only says where it occurred.
    named = [message for message in said if message.startswith("[")]
    return (named or said)[-1].partition("\n")[0].partition(" SQLSTATE")[0]


def _kind(name: str) -> str:
    for ending in _ENDINGS:
        if name.rstrip("/").lower().endswith(ending):
            return "parquet" if ending == ".parquet" else "json"
    raise FileError(f"{name}: the Spark engine reads and writes {', '.join(_ENDINGS)}")


def _read(spark: SparkSession, paths: list[str], kind: str) -> DataFrame:
    if kind == "parquet":
        return spark.read.parquet(*paths)
    # Dates stay strings, because the library reads more formats than Spark does.
    return spark.read.json(paths, mode="FAILFAST")
