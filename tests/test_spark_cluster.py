"""The Spark engine as it is deployed: executors of their own, spark-submit, the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sahel_dedup import Settings, cluster
from tests.needs_spark import JAVA_OPTIONS, MARKS

pytestmark = MARKS
Row = dict[str, Any]
AGAIN = (
    "agreeing",
    "surviving",
    "closest",
    "recurrence",
    "pairs",
    "components",
    "inside",
    "stories",
)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stages that all runs below share: the first makes them, however it is started."""
    return tmp_path_factory.mktemp("stages")


# What kinds are read and written does not depend on the way, so each is tried once.
@pytest.mark.parametrize(
    ("way", "kinds"),
    [("spark-submit", ("parquet", "jsonl")), ("sahel-dedup", ("jsonl", "parquet"))],
    ids=["spark-submit", "sahel-dedup"],
)
def test_files_in_files_out(
    way: str, kinds: tuple[str, str], wire: list[Row], sample: Path, stages: Path, tmp_path: Path
) -> None:
    import pyspark

    from sahel_dedup.cli import spark_submit

    source, target = sample, tmp_path / f"out.{kinds[1]}"
    if kinds[0] == "parquet":
        source = tmp_path / "in.parquet"
        pl.DataFrame(wire).write_parquet(source)
    if way == "spark-submit":
        submitted = str(Path(pyspark.__file__).parent / "bin" / "spark-submit")
        command = [submitted, "--master", "local[2]", spark_submit.__file__]
    else:
        command = [sys.executable, "-m", "sahel_dedup", "cluster", "--engine", "spark",
                   "--master", "local[2]"]  # fmt: skip
    command += [str(source), "--output", str(target), "--checkpoint", str(stages)]
    # As on a cluster, Spark must be told of the Python that has the package.
    told = os.environ | {"PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=told)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(stages.iterdir())) == 1
    rows = written(target)
    same_rows(rows, wire)
    texts = {row["id"]: row["text"] for row in wire}
    assert all(row["text"] == texts[row["id"]] for row in rows)


BROKEN = b'{"id": "a", "text": "Rain fell."}\n{"id": "b", "text"\n'


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("in.jsonl", BROKEN, r"in\.jsonl, line 2: broken JSON: .* at character \d+"),
        ("in.parquet", b"not Parquet", r"in\.parquet, row 1: broken Parquet: .*"),
        ("in.jsonl/part-0.json", BROKEN, r"\[MALFORMED_RECORD_IN_PARSING.*"),
    ],
)
def test_a_broken_file_is_one_line(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    source = tmp_path / name.partition("/")[0]
    command = [sys.executable, "-m", "sahel_dedup", "cluster", "--engine", "spark",
               "--master", "local[1]", str(source), "-o", str(tmp_path / "out.jsonl")]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    # Spark has a few words to say as it starts.
    lines = done.stderr.splitlines()
    (error,) = [line for line in lines if line.startswith("error: ")]
    assert lines[-1] == error
    assert re.fullmatch(f"error: (.*/)?{message}", error)
    assert not [line for line in lines if line.startswith(("\tat ", "Caused by", "  File"))]


def test_an_output_that_is_there_is_refused_before_any_work(sample: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sahel_dedup", "cluster", "--engine", "spark",
               str(sample), "-o", str(tmp_path / "out.jsonl")]  # fmt: skip
    (tmp_path / "out.jsonl").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "it already exists" in done.stderr


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


@pytest.fixture
def executors(log: Path) -> Iterator[Any]:
    """Spark with two executors, each a process of its own with one core and a gigabyte."""
    from sahel_dedup.spark.session import local_session

    session = local_session(
        "local-cluster[2,1,1024]",
        {
            "spark.sql.shuffle.partitions": "4",
            "spark.log.level": "OFF",
            "spark.executor.extraJavaOptions": JAVA_OPTIONS,
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": log.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
        },
    )
    yield session
    session.stop()


def test_a_killed_executor_changes_nothing(
    executors: Any, log: Path, wire: list[Row], sample: Path, stages: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from sahel_dedup.spark import comparison, engine

    marker = tmp_path / "killed"

    def surviving(*given: Any) -> Any:
        def work(chunks: Any) -> Any:
            for chunk in chunks:
                yield chunk
                try:
                    file = os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
                except FileExistsError:
                    continue
                # This process was forked by a daemon, which is a child of the executor.
                told = Path(f"/proc/{os.getppid()}/status").read_text()
                executor = int(told.partition("PPid:")[2].split()[0])
                os.write(file, Path(f"/proc/{executor}/cmdline").read_bytes())
                os.kill(executor, signal.SIGKILL)

        return comparison.surviving(*given).mapInArrow(work, comparison.SURVIVING)

    monkeypatch.setattr(engine, "surviving", surviving)
    # What the tests above have made need not be made again, but for what the kill is to reach.
    shutil.copytree(stages, tmp_path / "stages")
    for name in AGAIN:
        for folder in (tmp_path / "stages").glob(f"*/{name}"):
            shutil.rmtree(folder)
    df = executors.read.json(str(sample))
    found = engine.cluster(df, Settings(), checkpoint=tmp_path / "stages").collect()
    same_rows([row.asDict() for row in found], wire)
    assert b"CoarseGrainedExecutorBackend" in marker.read_bytes()
    executors.stop()
    events = [json.loads(line) for line in next(log.iterdir()).read_text().splitlines()]
    lost = [event for event in events if event["Event"] == "SparkListenerExecutorRemoved"]
    assert any("137" in event["Removed Reason"] for event in lost)


def same_rows(found: list[Row], articles: list[Row]) -> None:
    """Compare what was found with what the local engine finds."""
    got = {row["id"]: row for row in found}
    assert len(got) == len(found) == len(articles)
    for row in cluster(articles).rows():
        one = got[row["id"]]
        assert all(one[name] == row[name] for name in ("story_id", "canonical", "relation"))
        assert one["similarity"] == pytest.approx(row["similarity"], abs=2e-4)


def written(folder: Path) -> list[Row]:
    if folder.suffix == ".parquet":
        return pl.read_parquet(folder / "*.parquet").to_dicts()
    parts = sorted(folder.glob("*.json"))
    return [json.loads(line) for part in parts for line in part.read_text().splitlines()]
