"""``evaluate --pairs`` and ``sample-pairs`` on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sahel_dedup.io.readers import read_rows
from sahel_dedup.io.writers import write_rows
from tests.test_cli import SAMPLE, call


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stories") / "stories.jsonl"
    assert call("cluster", SAMPLE, "-o", path).returncode == 0
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [dict(row) for _, row in read_rows(path)]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_from_an_archive_to_figures(ending: str, stories: Path, tmp_path: Path) -> None:
    """Draw pairs, fill in what is known of them, and measure the stories."""
    known = {row["id"]: row["story"] for row in rows_of(SAMPLE)}
    pairs = tmp_path / f"pairs.{ending}"
    done = call("sample-pairs", stories, SAMPLE, "-n", "60", "-o", pairs)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    drawn = rows_of(pairs)
    assert len(drawn) == 60
    assert call("evaluate", stories, "--pairs", pairs).returncode == 2
    for row in drawn[:-1]:
        row["same"] = int(known[row["a"]] == known[row["b"]])
    write_rows(str(pairs), drawn)
    done = call("evaluate", stories, "--pairs", pairs, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["judged"], found["not_judged"], found["not_found"]) == (59, 1, 0)
    total = found["all_pairs"]["total"]
    assert total["precision"]["low"] <= total["precision"]["value"] <= total["precision"]["high"]
    assert total["precision"]["value"] > 0.7
    told = call("evaluate", stories, "--pairs", pairs).stdout.decode()
    assert "59 judged pairs; left out: 1 not yet judged, 0 with articles" in told
    assert f"{total['precision']['value']:.3f}" in told
    for name in ("3-4", "0.8 to 1"):
        assert name in told


def test_a_sheet_has_a_column_to_fill_in(stories: Path, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    assert call("sample-pairs", stories, SAMPLE, "-n", "20", "-o", path).returncode == 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["same"] for row in rows} == {""}
    assert all(row["text_a"] and row["text_b"] for row in rows)


def test_the_same_command_draws_the_same_pairs(stories: Path, tmp_path: Path) -> None:
    one, two, salted = (tmp_path / f"{name}.jsonl" for name in ("one", "two", "salted"))
    for path in (one, two):
        assert call("sample-pairs", stories, SAMPLE, "-n", "30", "-o", path).returncode == 0
    options = ("-n", "30", "--salt", "x", "-o", salted)
    assert call("sample-pairs", stories, SAMPLE, *options).returncode == 0
    assert one.read_bytes() == two.read_bytes() != salted.read_bytes()


def test_it_never_writes_what_it_reads(stories: Path, tmp_path: Path) -> None:
    archive, copy = tmp_path / "news.jsonl", tmp_path / "stories.jsonl"
    archive.write_bytes(SAMPLE.read_bytes())
    copy.write_bytes(stories.read_bytes())
    for output in (archive, copy):
        before = output.read_bytes()
        done = call("sample-pairs", copy, archive, "-o", output)
        assert done.returncode == 2
        assert b"this command reads" in done.stderr
        assert output.read_bytes() == before


def test_articles_on_one_side_alone_are_counted(stories: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer.jsonl"
    write_rows(str(fewer), rows_of(SAMPLE)[:-5])
    pairs = tmp_path / "pairs.jsonl"
    done = call("sample-pairs", stories, fewer, "-o", pairs)
    assert b"left out: 5 articles of the stories are not in the archive" in done.stderr
    other = tmp_path / "other.jsonl"
    write_rows(str(other), rows_of(stories)[:-5])
    done = call("sample-pairs", other, SAMPLE, "-o", pairs)
    assert b"left out: 5 articles have no story" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), b"give either --gold FILE or --pairs FILE"),
        (("--gold", SAMPLE, "--pairs", SAMPLE), b"give either --gold FILE or --pairs FILE"),
        (("--gold", SAMPLE, "--set", "x"), b"--set: known stories have no sets"),
        (("--pairs", SAMPLE), b"line 1, field 'a': missing"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[Any, ...], message: bytes, stories: Path
) -> None:
    done = call("evaluate", stories, *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_known_stories_as_json(stories: Path) -> None:
    found = json.loads(call("evaluate", stories, "--gold", SAMPLE, "--json").stdout)
    assert found["articles"] == len(rows_of(SAMPLE))
    assert found["bcubed"]["f1"] > 0.9
