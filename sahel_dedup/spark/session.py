"""A Spark session for the command line, and its errors if Spark cannot run."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sahel_dedup.errors import MissingPackageError, SparkError


def local_session(master: str | None, options: Mapping[str, str] | None = None) -> SparkSession:
    """Start Spark, or use the session that ``spark-submit`` has configured.

    Parameters
    ----------
    master : str, optional
        For instance ``local[2]`` or ``yarn``; by default, as Spark is configured.
    options : mapping, optional
        Further configuration of Spark.

    Returns
    -------
    SparkSession

    Raises
    ------
    MissingPackageError
        If there is no Java.
    SparkError
        If Spark does not start.
    """
    require_java()
    # Tasks on this machine must run in the Python that has this package.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("sahel_dedup")
    if master is not None:
        builder = builder.master(master)
    if (master or "").startswith("local"):
        # No other machine connects to it, and some machines cannot resolve their own name.
        builder = builder.config("spark.driver.host", "127.0.0.1")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
        builder = builder.config("spark.ui.enabled", "false")
        # It shares one process with the driver here, for which Spark's default of a gigabyte is too
        # little.
        builder = builder.config("spark.driver.memory", "4g")
        builder = builder.config("spark.sql.shuffle.partitions", "32")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.log.level", "ERROR")
    for name, value in (options or {}).items():
        builder = builder.config(name, value)
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        return builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        raise SparkError(f"Spark did not start: {error}") from error


def require_java() -> None:
    """Check that Java is available to run Spark.

    Raises
    ------
    MissingPackageError
        If there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = Path(home, "bin", "java").exists() if home else shutil.which("java")
    if not found:
        raise MissingPackageError(
            "no Java: Spark needs Java 17, such as Debian's openjdk-17-jre-headless"
        )
