"""Requirements of tests of the Spark engine: Java and PySpark, or a reason to skip."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

import pytest

# Java also optimizes what runs for a second, which costs more than it saves here, and collects
# garbage in threads. Processes that tests start inherit this.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
os.environ.setdefault("SPARK_SUBMIT_OPTS", JAVA_OPTIONS)

_REQUIRED = os.environ.get("SAHEL_REQUIRE_SPARK") == "1"
_JAVA = shutil.which("java") is not None or "JAVA_HOME" in os.environ
_MISSING = "no Java" if not _JAVA else "no pyspark" if find_spec("pyspark") is None else ""

MARKS = [
    pytest.mark.skipif(bool(_MISSING) and not _REQUIRED, reason=f"{_MISSING}: Spark cannot run"),
    # Java may start slowly on a busy machine.
    pytest.mark.timeout(900),
    # Spark says so of the pandas that it asks for and does not use here; it leaves sockets
    # and pipes of its workers to the garbage collector.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
