"""The Spark engine against the local one, on a real Spark: the same stories, and at what cost."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sahel_dedup import Article, Settings, fingerprints
from sahel_dedup.batch import Archive

REQUIRED = os.environ.get("SAHEL_REQUIRE_SPARK") == "1"
JAVA = shutil.which("java") is not None or "JAVA_HOME" in os.environ
MISSING = "no Java" if not JAVA else "no pyspark" if find_spec("pyspark") is None else ""

pytestmark = [
    pytest.mark.skipif(bool(MISSING) and not REQUIRED, reason=f"{MISSING}: Spark cannot run"),
    # Spark says so of the pandas that it asks for and does not use here; it leaves sockets
    # and pipes of its workers to the garbage collector.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
Row = dict[str, Any]
SCHEMA = "id string, text string, title string, published string, source string, lang string"


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from sahel_dedup.spark.session import local_session

    # Tasks may fail three times, as on a cluster: local Spark gives up at once by default.
    session = local_session(
        "local[2, 4]", {"spark.sql.shuffle.partitions": "4", "spark.log.level": "OFF"}
    )
    yield session
    session.stop()


def frame(spark: Any, rows: Sequence[Row], partitions: int = 2) -> Any:
    names = [column.split()[0] for column in SCHEMA.split(", ")]
    values = [tuple(row.get(name) for name in names) for row in rows]
    return spark.createDataFrame(values, SCHEMA).repartition(partitions)


def news(size: int, days: float, seed: int = 0, dated: float = 1.0) -> list[Row]:
    """Write reports of events, reworded, of a share of which the time is known."""
    draw = random.Random(seed)
    words = [f"{a}{b}{c}" for a in "bdkmt" for b in "aeiou" for c in ("la", "ri", "so", "nu", "")]
    words += [f"{one}{other}" for one in words[:40] for other in words[40:80]]
    begin = datetime(2024, 3, 1, tzinfo=UTC)
    rows: list[Row] = []
    while len(rows) < size:
        event = draw.choices(words, k=30) + [str(draw.randrange(10**4)) for _ in range(3)]
        when = begin + timedelta(days=draw.uniform(0, days))
        for _ in range(draw.choice((1, 1, 2, 3, 6))):
            text = draw.sample(event, 25) + draw.choices(words, k=15)
            later = when + timedelta(hours=draw.uniform(0, 40))
            rows.append({
                "id": f"a{len(rows)}",
                "text": " ".join(text),
                "title": " ".join(text[:5]) if draw.random() < 0.9 else None,
                "published": later.isoformat() if draw.random() < dated else None,
                "source": draw.choice(("north", "south", "east", None)),
                "lang": draw.choice(("en", "en", "fr", None)),
            })  # fmt: skip
    for number in range(size // 20):  # verbatim copies, and a page under many headlines
        copied = {**draw.choice(rows), "id": f"copy{number}"}
        rows.append(copied)
        page = "Subscribe to read this page and all others of this paper"
        rows.append({"id": f"page{number}", "text": page, "title": f"T {number}", "source": "wall"})
    draw.shuffle(rows)
    return rows


def same_as_local(run: Any, rows: Sequence[Row], settings: Settings) -> None:
    """Compare confirmed pairs and stories of both engines."""
    archive = Archive.read((Article.from_mapping(r) for r in rows), settings, lambda *_: None)
    pairs = archive.compare(settings.bar).pairs
    ours = {
        (archive.ids[i], archive.ids[j]): (cosine, score)
        for i, j, cosine, score in zip(
            pairs.first, pairs.second, pairs.cosine, pairs.score, strict=True
        )
    }
    names = {row["row"]: row["id"] for row in run.articles().select("row", "id").collect()}
    theirs = {
        (names[pair["first"]], names[pair["second"]]): (pair["cosine"], pair["score"])
        for pair in run.pairs().collect()
    }
    assert theirs.keys() == ours.keys()
    assert {pair for pair in theirs if theirs[pair][1] >= settings.bar}
    for pair, found in theirs.items():
        assert found == pytest.approx(ours[pair], abs=1e-4)
    want = {str(row["id"]): row for row in archive.stories().rows()}
    got = {row["id"]: row.asDict() for row in run.stories().collect()}
    assert got.keys() == want.keys()
    for name, row in got.items():
        near = row.pop("similarity"), want[name].pop("similarity")
        assert row == want[name]
        # The last digit that is told is a matter of the order in which numbers are added up.
        assert near[0] == near[1] or near[0] == pytest.approx(near[1], abs=2e-4)


# The same as on one machine -----------------------------------------------------------


def test_the_sample_archive(spark: Any, sample: Path, wire: list[Row], tmp_path: Path) -> None:
    from sahel_dedup.spark.engine import Run

    run = Run.of(spark.read.json(str(sample)), Settings(), tmp_path)
    same_as_local(run, wire, Settings())


def test_fingerprints_are_identical(spark: Any, wire: list[Row], tmp_path: Path) -> None:
    from sahel_dedup.spark.engine import Run

    run = Run.of(frame(spark, wire), Settings(), tmp_path)
    signed = {
        row["id"]: bytes(row["salience"]) + bytes(row["shingles"])
        for row in run.sketches().collect()
    }
    ours = {name: found.to_bytes()[8:] for name, found in fingerprints(wire)}
    assert signed == ours


@pytest.mark.parametrize(
    ("dated", "settings"),
    [
        (1.0, Settings()),
        (0.5, Settings(canonical="central", preferred_sources=("south",))),
        (0.0, Settings(window=None, granularity="topic", canonical="longest")),
    ],
    ids=["dated", "mixed", "undated"],
)
def test_a_generated_archive(spark: Any, tmp_path: Path, dated: float, settings: Settings) -> None:
    from sahel_dedup.spark.engine import Run

    rows = news(1500, days=30, dated=dated)
    same_as_local(Run.of(frame(spark, rows, 3), settings, tmp_path), rows, settings)
