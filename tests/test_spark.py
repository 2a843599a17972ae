"""The Spark engine against the local one, on a real Spark: the same stories, and their cost."""

from __future__ import annotations

import dataclasses
import logging
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sahel_dedup import (
    Article,
    ArticleError,
    SahelError,
    SahelWarning,
    Settings,
    SettingsError,
    SparkError,
    cluster,
    fingerprints,
)
from sahel_dedup.batch import Archive
from sahel_dedup.cli import app
from sahel_dedup.clustering.large_components import PART, bounded_components
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.scoring.log_odds import WEIGHTS
from tests.needs_spark import MARKS
from tests.test_teaching import model

pytestmark = MARKS
Row = dict[str, Any]
TAUGHT = model(dated=tuple(WEIGHTS[0] * 0.9), undated=tuple(WEIGHTS[1] * 1.1))
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


@pytest.fixture(scope="module")
def sampled(spark: Any, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Stages of the sample archive."""
    from sahel_dedup.spark.engine import Run

    run = Run.of(spark.read.json(str(sample)), Settings(), tmp_path_factory.mktemp("sampled"))
    run.stories()
    return run


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
            mark = "" if len(rows) % 3 else "UPDATE 1-"
            rows.append({
                "id": f"a{len(rows)}",
                "text": " ".join(text),
                "title": mark + " ".join(text[:5]) if draw.random() < 0.9 else None,
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
    pairs = archive.compare(settings.merge_threshold).pairs
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
    assert {pair for pair in theirs if theirs[pair][1] >= settings.merge_threshold}
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


def test_the_sample_archive(sampled: Any, wire: list[Row]) -> None:
    same_as_local(sampled, wire, Settings())


def test_fingerprints_are_identical(sampled: Any, wire: list[Row]) -> None:
    signed = {
        row["id"]: bytes(row["salience"] + row["shingles"]) for row in sampled.sketches().collect()
    }
    ours = {name: found.to_bytes()[8:] for name, found in fingerprints(wire)}
    assert signed == ours


@pytest.mark.parametrize(
    ("dated", "settings"),
    [
        (1.0, Settings()),
        (0.5, Settings(canonical="central", preferred_sources=("south",), model=TAUGHT)),
        (0.0, Settings(window=None, granularity="topic", canonical="longest")),
    ],
    ids=["dated", "mixed", "undated"],
)
def test_a_generated_archive(spark: Any, tmp_path: Path, dated: float, settings: Settings) -> None:
    from sahel_dedup.spark.engine import Run

    rows = news(700, days=20, dated=dated)
    same_as_local(Run.of(frame(spark, rows, 3), settings, tmp_path), rows, settings)


def test_an_empty_archive(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark import cluster

    assert cluster(frame(spark, []), checkpoint=tmp_path).collect() == []
    rows = [{"id": "1", "text": ""}, {"id": "2", "text": "..."}]
    found = cluster(frame(spark, rows), checkpoint=tmp_path).collect()
    assert sorted((row["id"], row["canonical"], row["relation"]) for row in found) == [
        ("1", True, None), ("2", True, None)
    ]  # fmt: skip


# What goes wrong ----------------------------------------------------------------------


def test_killed_workers_change_nothing(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sahel_dedup.spark import candidates, comparison, engine, ordering, sketches

    rows = news(300, days=10)

    def killed_once(df: Any, schema: str, name: str) -> Any:
        marker = str(tmp_path / name)

        def work(chunks: Any) -> Any:
            for chunk in chunks:
                yield chunk
                try:
                    os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    continue
                os.kill(os.getpid(), 9)

        return df.mapInArrow(work, schema)

    def entries(*given: Any) -> Any:
        return killed_once(candidates.entries(*given), candidates._ENTRY, "entries")

    def surviving(*given: Any) -> Any:
        return killed_once(comparison.surviving(*given), comparison.SURVIVING, "surviving")

    def in_order(df: Any) -> Any:
        return ordering.in_order(killed_once(df, sketches.SKETCH, "sketches"))

    for name, flaky in (("entries", entries), ("surviving", surviving), ("in_order", in_order)):
        monkeypatch.setattr(engine, name, flaky)
    run = engine.Run.of(frame(spark, rows), Settings(), tmp_path / "stages")
    same_as_local(run, rows, Settings())
    assert {"entries", "surviving", "sketches"} <= {path.name for path in tmp_path.iterdir()}


def test_a_stopped_run_goes_on(sampled: Any, spark: Any, sample: Path) -> None:
    from sahel_dedup.spark.engine import Run

    def written() -> dict[str, int]:
        return {path.name: (path / "_SUCCESS").stat().st_mtime_ns for path in root.iterdir()
                if (path / "_SUCCESS").exists()}  # fmt: skip

    root = Path(sampled.stages.root)
    before, told = written(), sorted(sampled.stories().collect())
    # As if it had been killed while it wrote the pairs.
    for name in ("pairs", "components", "stories"):
        shutil.rmtree(root / name)
    (root / "pairs").mkdir()
    again = Run.of(spark.read.json(str(sample)).repartition(3), Settings(), root.parent)
    assert sorted(again.stories().collect()) == told
    after = written()
    assert {name for name in before if after[name] != before[name]} == {
        "pairs",
        "components",
        "stories",
    }


def test_other_input_and_settings_have_other_stages(sampled: Any, spark: Any) -> None:
    from sahel_dedup.spark.stages import Stages

    def root(df: Any, settings: Settings) -> str:
        return Stages.of(df, settings, "folder").root

    df = sampled.df
    known = root(df, Settings())
    assert known == root(df.repartition(5), Settings(workers=3))
    assert known != root(df, Settings(granularity="topic"))
    assert known != root(df.where("id <> 'x'").limit(20), Settings())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "1", "text": None}], "article '1': field 'text': missing"),
        ([{"id": "1", "text": "a"}, {"id": "1", "text": "b"}], "duplicate id: '1'"),
    ],
)
def test_faulty_rows_are_named(spark: Any, tmp_path: Path, rows: list[Row], message: str) -> None:
    from sahel_dedup.spark import cluster

    with pytest.raises(ArticleError, match=message):
        cluster(frame(spark, rows), checkpoint=tmp_path)


def test_dates_that_cannot_be_read_are_dropped_and_counted(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark import cluster

    dates = ["2025-03-04", "soon", "03/04/2025", None]
    rows = [{"guid": str(n), "body": "Rain.", "date": date} for n, date in enumerate(dates)]
    df = spark.createDataFrame(rows, "guid string, body string, date string")
    columns = {"id": "guid", "text": "body", "published": "date"}
    with pytest.warns(SahelWarning, match="are dropped: 1 x .*, 1 x .*; for example"):
        found = cluster(df, columns=columns, checkpoint=tmp_path)
    assert sorted(row["id"] for row in found.collect()) == ["0", "1", "2", "3"]
    with pytest.raises(SettingsError, match="no column 'titel' for 'title'; the columns are guid"):
        cluster(df, columns=columns | {"title": "titel"})


def test_languages_that_are_not_known_are_detected_and_counted(spark: Any) -> None:
    from sahel_dedup.spark import cluster

    langs = ["English", "klingonish", "xx", None, "eng"]
    rows = [{"id": str(n), "text": "Rain.", "lang": lang} for n, lang in enumerate(langs)]
    with pytest.warns(SahelWarning, match="so they are detected: 2, for example '(kling|xx)"):
        found = cluster(spark.createDataFrame(rows, "id string, text string, lang string"))
    assert found.count() == 5


def test_the_summary_is_that_of_the_local_engine(
    spark: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    rows: list[Row] = [
        {"id": f"a{n}", "text": f"Rain fell in Kidal {n}.", "published": "2025-03-04",
         "source": "www.BBC.com"} for n in range(50)
    ]  # fmt: skip
    rows += [
        {"id": "b", "text": "***", "published": "soon", "source": "nan", "headline": "Rain"},
        {"id": "c", "text": " ", "published": "2999-01-01", "outlet": "AFP", "lang": "klingon"},
        {"id": "d", "text": "Hail.", "date": "2025-03-04", "title": "Hail", "source": "BBC"},
    ]
    # Rows of one task, and rows of several.
    from sahel_dedup.spark.engine import Run

    def told() -> set[str]:
        found = {each.getMessage() for each in caplog.records if each.levelno == logging.WARNING}
        caplog.clear()
        # Spark does not know in which row a fault was.
        return {each.partition("; for example")[0] for each in found}

    with pytest.warns(SahelWarning):
        here = cluster(rows).read_summary
    wanted = told()
    assert "all articles were published within 1.5 days" in " ".join(wanted)
    df = spark.createDataFrame(
        [tuple(row.get(name) for name in here.columns) for row in rows],
        ", ".join(f"{name} string" for name in here.columns),
    )
    # Rows of one task, and rows of several.
    for parts in (1, 3):
        run = Run.of(df.repartition(parts), Settings(), tmp_path / str(parts))
        run.sketches()
        assert told() == wanted
        assert dataclasses.replace(run.summary, first_fault=here.first_fault) == here


def test_a_number_of_threads_is_no_setting_of_spark(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark import cluster

    with pytest.warns(SahelWarning, match="workers: no effect on Spark"):
        cluster(
            frame(spark, [{"id": "a", "text": "Rain."}]), Settings(workers=2), checkpoint=tmp_path
        )
    command = ["cluster", "in.jsonl", "-o", "o.jsonl", "--engine", "spark", "--workers", "2"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "--workers: Spark decides" in result.stderr


def test_missing_columns_are_named(spark: Any) -> None:
    from sahel_dedup.spark import cluster

    with pytest.raises(SahelError, match="no column 'text'; the columns are id"):
        cluster(spark.createDataFrame([("a",)], "id string"))


@pytest.mark.parametrize("kind", ["double", "boolean", "array<string>", "date"])
def test_ids_are_strings_or_integers(spark: Any, kind: str) -> None:
    from sahel_dedup.spark import cluster

    with pytest.raises(SahelError, match=f"field 'id': neither strings nor integers: {kind}"):
        cluster(spark.createDataFrame([], f"id {kind}, text string"))


def test_without_pyspark_or_java_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = "import sys; sys.modules['pyspark'] = None; import sahel_dedup.spark"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingPackageError: Spark needs pyspark: pip install" in done.stderr
    from sahel_dedup.spark.session import require_java

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SahelError, match="no Java"):
        require_java()


def test_failures_of_spark_have_a_class(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pyspark.sql import SparkSession

    from sahel_dedup.spark.files import cluster_files

    def fail(_self: object) -> None:
        raise RuntimeError("Java gateway process exited")

    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", fail)
    with pytest.raises(SparkError, match="did not start: Java gateway"):
        cluster_files([str(tmp_path / "in.jsonl")], str(tmp_path / "out.jsonl"), Settings())


# Components ---------------------------------------------------------------------------


@pytest.mark.parametrize("one_task", [0, 10**6])
def test_components_are_those_of_the_local_engine(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_task: int
) -> None:
    from sahel_dedup.spark import components as spread
    from sahel_dedup.spark.stages import Stages

    draw = np.random.default_rng(1)
    first, second = draw.integers(0, 400, (2, 260))
    # A long path, and a mass that meets at one article.
    first = np.concatenate([first, np.arange(400, 1600), np.arange(2000, 3100)])
    second = np.concatenate([second, np.arange(401, 1601), np.full(1100, 3100)])
    kept = first != second
    low, high = np.minimum(first, second)[kept], np.maximum(first, second)[kept]
    n, score = 3101, draw.uniform(3.4, 4, len(low)).round(2)
    score[low >= 400] = score[low >= 400].clip(3.5)
    monkeypatch.setattr(spread, "ONE_TASK", one_task)
    pairs = Pairs(low, high, score, score)
    want = bounded_components(pairs.where(score >= 3.5), n, 3.5)
    edges = spark.createDataFrame(
        list(zip(low.tolist(), high.tolist(), score.tolist(), score.tolist(), strict=True)),
        "first long, second long, cosine double, score double",
    ).repartition(7)
    found = spread.components(edges, 3.5, Stages(spark, str(tmp_path))).collect()
    for name, expected in zip(("component", "whole"), want, strict=True):
        got = np.arange(n)
        for row in found:
            got[row["row"]] = row[name]
        both = np.unique(np.stack([expected, got]), axis=1).T
        assert len(both) == len(set(expected)) == len(set(got))
    assert np.bincount(want[1]).max() > 1000 >= np.bincount(want[0]).max()


def test_the_stories_of_a_divided_component_are_joined_again(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark.engine import Run

    text = (
        "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers there, a man "
        "named Abdou {} said by telephone, and the governor spoke of a cowardly act."
    )
    rows = [
        {
            "id": f"v{i:04}",
            "text": text.format("abcdefghij"[i % 10] * (i // 10 + 2)),
            "published": f"2025-03-01T{6 + i % 5:02}:00:00Z",
        }
        for i in range(1100)
    ]
    run = Run.of(frame(spark, rows), Settings(), tmp_path)
    found = {row["id"]: row["story_id"] for row in run.stories().collect()}
    local = cluster(rows)
    expected = {article: story.id for story in local for article in story.articles}
    assert max(len(story.articles) for story in local) > PART
    assert found == expected


# Skew ---------------------------------------------------------------------------------


def test_a_key_that_many_articles_share_is_spread(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark.candidates import entries, parcels_of
    from sahel_dedup.spark.engine import Run

    rows = news(1900, days=40)
    form = rows[0]["text"].split()
    for number in range(0, len(rows), 20):
        words = [*form, str(number)]
        rows[number] = {**rows[number], "text": " ".join(words), "title": None}
    run = Run.of(frame(spark, rows), Settings(), tmp_path)
    exploded = entries(run.timeline(), run.copies(), Settings().layout).persist()
    [_, most] = exploded.groupBy("key").count().orderBy("count", ascending=False).head(1)[0]
    assert most >= len(rows) / 20

    def work(chunks: Any) -> Any:
        import pyarrow as pa

        table = pa.Table.from_batches(list(chunks))
        sizes = [len(cell.as_py()) // 16 for parcel in parcels_of(table.sort_by("row"), 7.0)
                 for cell in parcel.column("ahead")]  # fmt: skip
        yield pa.RecordBatch.from_pydict({"entries": [table.num_rows], "pairs": [sum(sizes)]})

    tasks = exploded.repartition(16, "key").mapInArrow(work, "entries long, pairs long").collect()
    for name in ("entries", "pairs"):
        sizes = [task[name] for task in tasks]
        assert max(sizes) <= 5 * np.median(sizes)


def test_a_large_component_is_weighed_in_tiles(spark: Any, tmp_path: Path) -> None:
    from sahel_dedup.spark.arrow import ragged
    from sahel_dedup.spark.component_pairs import PAIR, SIDE
    from sahel_dedup.spark.engine import Run

    rows = news(300, days=5)
    begin = datetime(2024, 3, 2, tzinfo=UTC)
    event = news(1, days=1, seed=1)[0]["text"].split()
    draw = random.Random(2)
    for number in range(2 * SIDE + 30):
        words = [word if draw.random() < 0.8 else f"w{draw.randrange(999)}" for word in event]
        when = begin + timedelta(minutes=number)
        rows.append({"id": f"e{number}", "text": " ".join(words), "published": when.isoformat()})
    run = Run.of(frame(spark, rows), Settings(), tmp_path)
    same_as_local(run, rows, Settings())
    inside = run.stages.spark.read.parquet(f"{run.stages.root}/inside").toArrow()
    sizes = np.diff(ragged(inside, "pairs", PAIR)[1])
    assert max(sizes) == SIDE**2
    tiles = Counter(inside.column("component").to_pylist())
    assert max(tiles.values()) == 6


# Files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("a.jsonl",), "no output"),
        (("a.csv", "-o", "b.parquet"), "a.csv: the Spark engine reads and writes"),
        (("a.jsonl", "b.parquet", "-o", "c.parquet"), "inputs of several kinds"),
        (("a.jsonl", "-o", "c.parquet", "--on-error", "skip"), "stops at the first faulty row"),
    ],
)
def test_the_command_line_refuses(given: tuple[str, ...], message: str) -> None:
    done = CliRunner().invoke(app, ["cluster", "--engine", "spark", *given])
    assert done.exit_code == 2
    assert message in done.stderr
