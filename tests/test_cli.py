"""The command line: what goes in, what comes out, and how it fails.

As a process of its own wherever that makes a difference; the rest saves its start.
"""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from sahel_dedup import cluster
from sahel_dedup.cli import app
from sahel_dedup.rows import read_rows

SAMPLE = Path(str(resources.files("sahel_dedup") / "sample" / "wire.jsonl"))
FOUND = ["id", "story_id", "canonical", "relation", "similarity"]


def run(
    *arguments: str | Path, stdin: bytes = b"", **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line; a warning is an error there too."""
    command = [sys.executable, "-W", "error", "-m", "sahel_dedup", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, **options)


def call(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command line within this process."""
    command = list(map(str, arguments))
    result = CliRunner().invoke(app, command, input=stdin, catch_exceptions=False)
    return subprocess.CompletedProcess(
        command, result.exit_code, result.stdout_bytes, result.stderr_bytes
    )


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def articles() -> list[dict[str, Any]]:
    return lines(SAMPLE.read_bytes())


@pytest.fixture(scope="module")
def expected(articles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the function finds, with the columns that the command line carries."""
    return [
        found | {name: value for name, value in row.items() if name != "id"}
        for row, found in zip(articles, cluster(articles).rows(), strict=True)
    ]


def test_json_lines_to_standard_output(expected: list[dict[str, Any]]) -> None:
    done = run("cluster", SAMPLE)
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == expected
    assert list(lines(done.stdout)[0])[:5] == FOUND
    assert done.stderr == b""


def test_standard_input_plain_and_gzip(expected: list[dict[str, Any]]) -> None:
    data = SAMPLE.read_bytes()
    assert lines(run("cluster", "-", stdin=data).stdout) == expected
    assert lines(call("cluster", "-", stdin=gzip.compress(data)).stdout) == expected


@pytest.mark.parametrize("source", ["csv", "parquet"])
def test_every_format_in_and_out(
    source: str, articles: list[dict[str, Any]], expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    frame = pl.DataFrame(articles)
    path = tmp_path / f"in.{source}"
    frame.write_csv(path) if source == "csv" else frame.write_parquet(path)
    target = tmp_path / ("out.parquet" if source == "csv" else "out.csv.gz")
    done = call("cluster", path, "--output", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    rows = [row for _, row in read_rows(target)]
    assert list(rows[0]) == list(expected[0])
    assert [row["story_id"] for row in rows] == [row["story_id"] for row in expected]
    assert [row["text"] for row in rows] == [row["text"] for row in expected]


def test_several_files_and_globs_in_order(
    articles: list[dict[str, Any]], expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    raw = SAMPLE.read_bytes().splitlines(keepends=True)
    for number in range(3):
        data = b"".join(raw[number * 40 : (number + 1) * 40])
        (tmp_path / f"part{number}.jsonl.gz").write_bytes(gzip.compress(data))
    rows = lines(call("cluster", tmp_path / "part*.jsonl.gz").stdout)
    assert rows == expected
    mixed = call("cluster", tmp_path / "part2.jsonl.gz", tmp_path / "part[01].jsonl.gz")
    assert [row["id"] for row in lines(mixed.stdout)] == [
        article["id"] for article in articles[80:] + articles[:80]
    ]
    assert {row["id"]: row["story_id"] for row in lines(mixed.stdout)} == {
        row["id"]: row["story_id"] for row in expected
    }


def test_options_reach_the_engine(articles: list[dict[str, Any]], tmp_path: Path) -> None:
    plain, tuned = (
        lines(call("cluster", SAMPLE, *options).stdout)
        for options in (
            (),
            ("--granularity", "topic", "--window", "none", "--canonical", "longest",
             "--prefer", "Volta Observer", "--prefer", "Niamey Herald", "--workers", "1"),
        )
    )  # fmt: skip
    assert len({row["story_id"] for row in tuned}) < len({row["story_id"] for row in plain})
    standing = {row["story_id"]: row["source"] for row in tuned if row["canonical"]}
    for row in tuned:
        if row["source"] == "Volta Observer":
            assert standing[row["story_id"]] == "Volta Observer"


def test_clustering_its_own_output(expected: list[dict[str, Any]], tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("".join(json.dumps(row | {"story_id": "old"}) + "\n" for row in expected))
    assert call("cluster", out, "-o", out).returncode == 0
    assert lines(out.read_bytes()) == expected


def test_evaluate(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert call("cluster", SAMPLE, "-o", out).returncode == 0
    done = call("evaluate", out, "--gold", SAMPLE)
    assert done.returncode == 0
    for word in ("98 articles", "pairs", "B-cubed", "adjusted Rand", "largest"):
        assert word in done.stdout.decode()


def test_demo_shows_stories_and_how_good_they_are() -> None:
    done = run("demo")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    for word in ("Sahel Wire Service", "reworded", "exact", "of a single article", "B-cubed"):
        assert word in text


def test_cluster_with_a_report(expected: list[dict[str, Any]], tmp_path: Path) -> None:
    out, page = tmp_path / "out.jsonl", tmp_path / "report.html"
    done = run("cluster", "-", "-o", out, "--report", page, stdin=SAMPLE.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert lines(out.read_bytes()) == expected
    text = page.read_text("utf-8")
    # The audit that rows do not tell: bulletins, and the evidence of the weakest links.
    assert "daily bulletins" in text
    assert re.search(r"<td>-?\d+\.\d\d</td>", text)
    # And from the rows alone.
    assert call("report", out, "-o", tmp_path / "again.html").returncode == 0
    again = (tmp_path / "again.html").read_text("utf-8")
    assert "100.0 %" in again
    assert "daily bulletins" not in again


def test_explain(expected: list[dict[str, Any]], tmp_path: Path) -> None:
    out, index = tmp_path / "out.jsonl", tmp_path / "wire.index"
    assert call("cluster", SAMPLE, "-o", out).returncode == 0
    assert call("ingest", SAMPLE, "--index", index).returncode == 0
    first, *others = (row for row in expected if row["relation"] == "reworded")
    second = next(row for row in others if row["story_id"] == first["story_id"])
    pair = (first["id"], second["id"])
    from_rows = json.loads(call("explain", out, *pair, "--json").stdout)
    assert from_rows["one_story"]
    assert from_rows["weighing"] is None
    stored = json.loads(call("explain", index, *pair, "--json").stdout)
    assert stored["passages"] == from_rows["passages"]
    assert stored["weighing"]["in_window"]
    text = run("explain", index, *pair).stdout.decode()
    assert "One story." in text
    assert "log-odds" in text.lower()


def test_an_index_without_texts_says_so(tmp_path: Path) -> None:
    index = tmp_path / "wire.index"
    assert call("ingest", SAMPLE, "--index", index, "--no-texts").returncode == 0
    done = call("explain", index, "wire-001", "wire-002")
    assert done.returncode == 2
    assert b"was made without them" in done.stderr


def test_furniture_is_listed_with_its_place(tmp_path: Path) -> None:
    text = "NIORO, Mali (AFP) - Rain fell.\nRead more: the harvest\nIt fell on Tuesday."
    rows = [{"id": "a", "text": text}, {"id": "b", "text": "Rain fell."}, {"id": "c"}]
    source = "\n".join(map(json.dumps, rows)).encode()
    done = run("furniture", "-", "--on-error", "skip", stdin=source)
    assert lines(done.stdout) == [
        {"id": "a", "kind": "dateline", "start": 0, "end": 20, "text": "NIORO, Mali (AFP) - "},
        {"id": "a", "kind": "promotion", "start": 31, "end": 53, "text": "Read more: the harvest"},
    ]
    assert b"1 row skipped" in done.stderr
    assert call("furniture", SAMPLE, "-o", tmp_path / "cuts.csv").returncode == 0
    texts = {row["id"]: row["text"] for row in lines(SAMPLE.read_bytes())}
    found = pl.read_csv(tmp_path / "cuts.csv").rows(named=True)
    assert len(found) > 40
    for row in found:
        assert texts[row["id"]][row["start"] : row["end"]] == row["text"]


def test_help_and_usage() -> None:
    assert b"--on-error" in call("cluster", "--help").stdout
    assert call("cluster").returncode == 2
    assert call("cluster", SAMPLE, "--granularity", "fine").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cluster", "none.jsonl"), "no file matches 'none.jsonl'"),
        (("cluster", "news.txt"), "unknown ending: 'news.txt'"),
        (("cluster", "news.jsonl", "-o", "out.xlsx"), "unknown ending: 'out.xlsx'"),
        (("cluster", "news.jsonl", "-o", "none/out.csv"), "there is no folder"),
        (("cluster", "news.jsonl", "--report", "none/x.html"), "there is no folder"),
        (("explain", "news.jsonl", "a", "b"), "news.jsonl, line 2, field 'text': missing"),
        (("explain", "news.jsonl", "a", "c"), "no article 'c' in news.jsonl"),
        (("explain", "none.index", "a", "b"), "no file matches 'none.index'"),
        (("report", "news.jsonl"), "row 1, field 'story_id': missing: cluster writes it"),
        (("cluster", "news.jsonl", "--window", "-1"), "window: -1 day, 0:00:00 is not a positive"),
        (("cluster", "news.jsonl", "--window", "week"), "window: 'week' is neither a number"),
        (("cluster", "news.jsonl", "--window", "nan"), "window: 'nan' is neither a number"),
        (("cluster", "news.jsonl", "--workers", "-1"), "workers: -1 is negative"),
        (("cluster", "news.jsonl", "-o", "out.jsonl"), "news.jsonl, line 2, field 'text': missing"),
        (("evaluate", "news.jsonl", "--gold", "news.jsonl"), "line 1, field 'story"),
    ],
)
def test_failures_are_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news.jsonl").write_text('{"id": "a", "text": "x"}\n{"id": "b"}\n')
    (tmp_path / "news.txt").write_text("")
    before = sorted(os.listdir(tmp_path))
    done = call(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert message in done.stderr.decode()
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1
    assert sorted(os.listdir(tmp_path)) == before


def test_faulty_rows_are_skipped_and_reported(tmp_path: Path) -> None:
    news, out = tmp_path / "news.jsonl", tmp_path / "out.csv"
    good = [{"id": str(n), "text": f"Report number {n} on the harvest", "n": n} for n in range(3)]
    bad = ['{"id": "0", "text": "again"}', "{", '{"id": "x"}', '{"id": "y", "text": "t", '
           '"published": "soon"}', '{"text": "t"}', '{"id": "z", "text": 3}', "[]"]  # fmt: skip
    news.write_text("\n".join([*map(json.dumps, good[:2]), *bad, json.dumps(good[2])]) + "\n")
    done = call("cluster", news, "--on-error", "skip", "-o", out)
    assert done.returncode == 0
    assert [(row["id"], row["n"]) for _, row in read_rows(out)] == [
        ("0", "0"), ("1", "1"), ("2", "2"),
    ]  # fmt: skip
    report = done.stderr.decode()
    assert report.startswith("7 rows skipped\n")
    for kind in ("id: duplicate id", "broken JSON", "text: missing", "published: not an ISO 8601",
                 "id: missing", "text: not a string", "not a JSON object"):  # fmt: skip
        assert f"1 x {kind}" in report


def test_a_truncated_file(tmp_path: Path) -> None:
    news = tmp_path / "news.jsonl.gz"
    news.write_bytes(gzip.compress(SAMPLE.read_bytes())[:-2000])
    done = run("cluster", news, "-o", tmp_path / "out.jsonl")
    assert done.returncode == 2
    assert b"news.jsonl.gz, line" in done.stderr
    assert b"broken gzip" in done.stderr
    assert os.listdir(tmp_path) == [news.name]
    skipped = call("cluster", news, "--on-error", "skip")
    assert len(lines(skipped.stdout)) > 50
    assert b"1 row skipped\n  1 x broken gzip" in skipped.stderr


def test_implausible_dates_are_counted() -> None:
    dates = ["1970-01-01T00:00:00Z", "2999-01-01", "2025-01-01", None]
    rows = [{"id": str(n), "text": "t", "published": date} for n, date in enumerate(dates)]
    done = call("cluster", "-", stdin="\n".join(map(json.dumps, rows)).encode())
    assert done.returncode == 0
    assert done.stderr.startswith(b"2 dates before 1970-01-02 or in the future")
    assert [row["published"] for row in lines(done.stdout)] == dates


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_no_articles_give_no_rows(data: bytes, tmp_path: Path) -> None:
    done = call("cluster", "-", stdin=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    out = tmp_path / "out.parquet"
    assert call("cluster", "-", "-o", out, stdin=data).returncode == 0
    assert pl.read_parquet(out).height == 0


@pytest.fixture(scope="module")
def bulky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few short articles with much to carry: quick to cluster, slow to write."""
    path = tmp_path_factory.mktemp("bulky") / "in.jsonl"
    freight = os.urandom(60_000).hex()
    with path.open("w") as file:
        for number in range(400):
            row = {"id": str(number), "text": f"Harvest report {number}", "freight": freight}
            file.write(json.dumps(row) + "\n")
    return path


@pytest.mark.parametrize(
    ("signum", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_killed_in_the_middle(signum: int, status: int, bulky: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl.gz"
    out.write_bytes(b"before")
    command = [sys.executable, "-m", "sahel_dedup", "cluster", str(bulky), "-o", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not any(path.stat().st_size for path in tmp_path.glob(".*.tmp")):
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signum)
        _, stderr = process.communicate()
    assert process.returncode == status
    assert stderr == b""
    assert out.read_bytes() == b"before"
    if signum != signal.SIGKILL:
        assert os.listdir(tmp_path) == [out.name]


def test_interrupted_while_it_waits_for_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sahel_dedup", "cluster", "-", "-o", str(tmp_path / "o.csv")]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(scratch)},
    ) as process:
        # The spool itself: before it, tempfile tries the folder with a file of its own.
        while not list(scratch.glob("*/stdin.jsonl")):
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, b"")
    assert os.listdir(tmp_path) == [scratch.name]
    assert os.listdir(scratch) == []


def _full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_full_disk(bulky: Path, tmp_path: Path) -> None:
    done = run("cluster", bulky, "-o", tmp_path / "out.jsonl", preexec_fn=_full_disk)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_standard_output_on_a_full_disk() -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "sahel_dedup", "cluster", str(SAMPLE)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["cluster", "demo"])
def test_a_reader_that_stops_early_hears_nothing(command: str) -> None:
    arguments = [str(SAMPLE)] if command == "cluster" else []
    with subprocess.Popen(
        [sys.executable, "-m", "sahel_dedup", command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def _on_terminal(run_with: Callable[[int], None]) -> str:
    """Return what was shown on a terminal."""
    leader, follower = pty.openpty()
    try:
        run_with(follower)
        os.close(follower)
        shown = b""
        while True:
            try:
                if not (part := os.read(leader, 65536)):
                    break
            except OSError:  # how Linux says that nobody is left at the other end
                break
            shown += part
    finally:
        os.close(leader)
    return shown.decode()


def test_progress_on_a_terminal(expected: list[dict[str, Any]], tmp_path: Path) -> None:
    out = tmp_path / "out"

    def run_with(terminal: int) -> None:
        with out.open("wb") as stdout:
            subprocess.run(
                [sys.executable, "-m", "sahel_dedup", "cluster", str(SAMPLE)],
                stdout=stdout,
                stderr=terminal,
                check=True,
                env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
            )

    shown = _on_terminal(run_with)
    for word in ("reading", "candidate pairs", "linking", "a second", "left", "98 articles"):
        assert word in shown
    assert lines(out.read_bytes()) == expected


def test_the_installed_script_is_the_module() -> None:
    script = shutil.which("sahel-dedup", path=str(Path(sys.executable).parent))
    assert script is not None
    done = subprocess.run([script, "--help"], capture_output=True, check=True)
    assert b"cluster" in done.stdout
