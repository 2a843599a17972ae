"""The same stories on Apache Spark, for archives too large for one machine: docs/spark.md.

Needs ``pip install 'sahel-dedup[spark]'`` and Java 17.
"""

from __future__ import annotations

try:
    import pyarrow  # noqa: F401
    import pyspark  # noqa: F401
except ImportError as missing:
    from sahel_dedup.errors import missing_package

    raise missing_package("Spark", missing, "spark") from None

from sahel_dedup.spark.engine import cluster

__all__ = ["cluster"]
