"""Articles from Spark Structured Streaming into a served index, and the story of each out.

pip install 'sahel-dedup[spark,serve]'
sahel-dedup serve --index news.index
spark-submit spark_stream.py http://127.0.0.1:8750 incoming/ answers/ checkpoint/

New files of JSON lines in the folder are read as they appear; a Kafka topic is read the same way.
Each partition of a batch sends its own requests to the server. A batch that Spark repeats after a
failure gets the same stories again, and its answers replace the earlier ones.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from sahel_dedup import ArticleError, StoryIndex

FIELDS = "id string, title string, text string, published string, source string, lang string"
ANSWERS = pa.schema((name, pa.string()) for name in ("id", "story_id", "relation", "error"))
BATCH = 128


def adder(
    url: str, token: str | None
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what adds the rows of a partition, and answers each with its story or an error."""

    def add(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with StoryIndex.connect(url, token=token) as index:
            for batch in batches:
                answers: list[dict[str, Any]] = []

                def left_out(
                    error: ArticleError, row: Any, answers: list[dict[str, Any]] = answers
                ) -> None:
                    answers.append({"id": row["id"], "error": str(error)})

                for found in index.follow(batch, batch_size=BATCH, on_error=left_out):
                    answers.append(
                        {"id": found.id, "story_id": found.story_id, "relation": found.relation}
                    )
                yield pa.RecordBatch.from_pylist(answers, schema=ANSWERS)

    return add


def main() -> None:
    url, incoming, answers, checkpoint = sys.argv[1:5]
    spark = SparkSession.builder.appName("stories").getOrCreate()
    add = adder(url, os.environ.get("SAHEL_DEDUP_TOKEN"))

    def handle(batch: DataFrame, number: int) -> None:
        found = batch.mapInArrow(add, from_arrow_schema(ANSWERS))
        found.write.mode("overwrite").json(os.path.join(answers, f"batch={number}"))

    articles = spark.readStream.schema(FIELDS).json(incoming)
    stream = articles.writeStream.foreachBatch(handle).option("checkpointLocation", checkpoint)
    if "--once" in sys.argv:
        stream = stream.trigger(availableNow=True)
    stream.start().awaitTermination()


if __name__ == "__main__":
    main()
