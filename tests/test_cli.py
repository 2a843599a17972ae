"""The command line: input, output and failures.

It runs as a process of its own where that matters, and within this process otherwise, which is
faster.
"""

from __future__ import annotations

import gzip
import itertools
import json
import logging
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from sahel_dedup import cluster
from sahel_dedup.batch import Archive
from sahel_dedup.cli import app, terminal
from sahel_dedup.io.readers import read_rows
from sahel_dedup.plain_text import UNSAFE

SAMPLE = Path(str(resources.files("sahel_dedup") / "sample" / "wire.jsonl"))
FOUND = ["id", "story_id", "canonical", "relation", "similarity"]


# As on a fresh machine, in particular without PYTHONUNBUFFERED.
BARE = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
# On a full disk, Python would leave halves of compiled modules behind, and a measurement of
# coverage would fail.
FULL = BARE | {"PYTHONDONTWRITEBYTECODE": "1"}


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


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep files that a test writes out of the checkout."""
    monkeypatch.chdir(tmp_path)


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


def closing(rows: list[dict[str, Any]]) -> str:
    """Return the line that cluster ends with, on the sample archive."""
    sizes = Counter(row["story_id"] for row in rows).values()
    several = sum(size > 1 for size in sizes)
    outlets = len({row["source"] for row in rows})
    return (
        "98 articles read, 98 with a title, 98 with a date, 98 with a source, 98 with a language; "
        f"{len(sizes)} stories of {outlets} outlets, {several} with copies, the largest of "
        f"{max(sizes)} articles\n"
    )


def test_json_lines_to_standard_output(expected: list[dict[str, Any]]) -> None:
    done = run("cluster", SAMPLE)
    assert done.returncode == 0, done.stderr
    assert lines(done.stdout) == expected
    assert list(lines(done.stdout)[0])[:5] == FOUND
    assert done.stderr.decode() == closing(expected)


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
    assert (done.returncode, done.stdout, done.stderr.decode()) == (0, b"", closing(expected))
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
    out, again = tmp_path / "out.jsonl", tmp_path / "again.jsonl"
    rows = [row | {"story_id": "old"} for row in expected]
    del rows[0]["relation"]
    out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = call("cluster", out, "-o", again)
    assert lines(again.read_bytes()) == expected
    assert done.stderr.decode().splitlines()[0] == (
        "input columns replaced by results of the same name: story_id (98 rows), canonical "
        "(98 rows), similarity (98 rows), relation (97 rows)"
    )


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
    done = call("cluster", "-", "-o", out, "--report", page, stdin=SAMPLE.read_bytes())
    assert (done.returncode, done.stderr.decode()) == (0, closing(expected))
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
    assert from_rows["breakdown"] is None
    stored = json.loads(call("explain", index, *pair, "--json").stdout)
    assert stored["passages"] == from_rows["passages"]
    assert stored["breakdown"]["in_window"]
    text = call("explain", index, *pair).stdout.decode()
    assert "One story." in text
    assert "log-odds" in text.lower()


@pytest.mark.parametrize("same", [True, False])
def test_explain_names_corrections(same: bool, tmp_path: Path) -> None:
    out, index, said = (tmp_path / name for name in ("out.jsonl", "wire.index", "said.csv"))
    plain = {row["id"]: row["story_id"] for row in lines(call("cluster", SAMPLE).stdout)}
    pairs = itertools.combinations(plain, 2)
    first, second = next(pair for pair in pairs if (plain[pair[0]] == plain[pair[1]]) != same)
    said.write_text(f"a,b,same,who\n{first},{second},{int(same)},Awa\n", "utf-8")
    assert call("cluster", SAMPLE, "--corrections", said, "-o", out).returncode == 0
    shown = call("explain", out, first, second, "--corrections", said).stdout.decode()
    assert ("Joined" if same else "Kept apart") in shown
    assert "Awa" in shown
    assert "Awa" not in call("explain", out, first, second).stdout.decode()
    assert call("ingest", SAMPLE, "--index", index).returncode == 0
    done = call("explain", index, first, second, "--corrections", said)
    assert done.returncode == 2
    assert b"an index keeps its own" in done.stderr


def test_an_index_without_texts_says_so(tmp_path: Path) -> None:
    index = tmp_path / "wire.index"
    assert call("ingest", SAMPLE, "--index", index, "--no-texts").returncode == 0
    done = call("explain", index, "wire-001", "wire-002")
    assert done.returncode == 2
    assert b"was made without them" in done.stderr


def test_quantities_are_listed_by_story_and_time(tmp_path: Path) -> None:
    rows = [
        {"id": "b", "story_id": "s", "text": "The toll rose to 31.", "published": "2025-03-02"},
        {"id": "a", "story_id": "s", "text": "A raid killed 23 men.", "published": "2025-03-01"},
    ]
    source = "\n".join(map(json.dumps, rows)).encode()
    done = run("quantities", "-", stdin=source)
    found = [(row["id"], row["kind"], row["value"]) for row in lines(done.stdout)]
    assert found == [("a", "killed", 23), ("b", "killed", 31)]
    assert b"2 quantities found" in done.stderr
    assert call("quantities", SAMPLE, "-o", tmp_path / "out.csv").returncode == 2


def test_boilerplate_is_listed_with_its_place(tmp_path: Path) -> None:
    text = "NIORO, Mali (AFP) - Rain fell.\nRead more: the harvest\nIt fell on Tuesday."
    rows = [{"id": "a", "text": text}, {"id": "b", "text": "Rain fell."}, {"id": "c"}]
    source = "\n".join(map(json.dumps, rows)).encode()
    done = run("boilerplate", "-", "--on-error", "skip", stdin=source)
    assert lines(done.stdout) == [
        {"id": "a", "kind": "dateline", "start": 0, "end": 20, "text": "NIORO, Mali (AFP) - "},
        {"id": "a", "kind": "promotion", "start": 31, "end": 53, "text": "Read more: the harvest"},
    ]
    assert b"1 row skipped" in done.stderr
    assert call("boilerplate", SAMPLE, "-o", tmp_path / "cuts.csv").returncode == 0
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
        (("cluster", "news.txt"), "unknown file extension: 'news.txt'"),
        (("cluster", "news.jsonl", "-o", "out.xlsx"), "unknown file extension: 'out.xlsx'"),
        (("cluster", "news.jsonl", "-o", "none/out.csv"), "there is no folder"),
        (("cluster", "news.jsonl", "--report", "none/x.html"), "there is no folder"),
        (("explain", "news.jsonl", "a", "b"), "news.jsonl, line 2, field 'text': missing"),
        (("explain", "news.jsonl", "a", "c"), "no article 'c' in news.jsonl"),
        (("explain", "none.index", "a", "b"), "no file matches 'none.index'"),
        (
            ("report", "news.jsonl"),
            "news.jsonl, line 1, field 'story_id': missing: give the output of cluster",
        ),
        (("report", "news.jsonl", "-o", "none/x.html"), "there is no folder"),
        (("ingest", "none.jsonl"), "no file matches 'none.jsonl'"),
        (("ingest", "news.jsonl", "--window", "week"), "window: 'week' is neither a number"),
        (("cluster", "news.jsonl", "--engine", "spark", "--on-error", "skip"), "--on-error: the"),
        (("cluster", "news.jsonl", "--window", "-1"), "window: -1.0 is not a positive"),
        (("cluster", "news.jsonl", "--window", "week"), "window: 'week' is neither a number"),
        (("cluster", "news.jsonl", "--window", "nan"), "window: nan days are not a length of time"),
        (("cluster", "news.jsonl", "--workers", "-1"), "workers: -1 is less than 0"),
        (("cluster", "news.jsonl", "-o", "out.jsonl"), "news.jsonl, line 2, field 'text': missing"),
        (("evaluate", "news.jsonl", "--gold", "news.jsonl"), "line 1, field 'story"),
    ],
)
def test_failures_are_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
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
           '"source": 3}', '{"text": "t"}', '{"id": "z", "text": 3}', "[]"]  # fmt: skip
    news.write_text("\n".join([*map(json.dumps, good[:2]), *bad, json.dumps(good[2])]) + "\n")
    done = call("cluster", news, "--on-error", "skip", "-o", out)
    assert done.returncode == 0
    assert [(row["id"], row["n"]) for _, row in read_rows(out)] == [
        ("0", "0"), ("1", "1"), ("2", "2"),
    ]  # fmt: skip
    report = done.stderr.decode()
    assert "\n7 rows skipped\n" in report
    for kind in ("id: duplicate id", "broken JSON", "text: missing", "source: not a string",
                 "id: missing", "text: not a string", "not a JSON object"):  # fmt: skip
        assert f"1 x {kind}" in report


def test_a_truncated_file(tmp_path: Path) -> None:
    news = tmp_path / "news.jsonl.gz"
    news.write_bytes(gzip.compress(SAMPLE.read_bytes())[:-2000])
    done = call("cluster", news, "-o", tmp_path / "out.jsonl")
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
    assert b"\n2 impossible dates" in done.stderr
    assert b"1 with a date" in done.stderr
    assert b"2 dates unusable" in done.stderr
    assert [row["published"] for row in lines(done.stdout)] == dates


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_no_articles_give_no_rows(data: bytes, tmp_path: Path) -> None:
    done = call("cluster", "-", stdin=data)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode().endswith("0 with a language; 0 stories, 0 with copies\n")
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
            row |= {
                "title": "Harvest",
                "source": "Volta Observer",
                "published": f"2025-07-{1 + number % 3}",
            }
            file.write(json.dumps(row) + "\n")
    return path


@pytest.mark.parametrize(
    ("signum", "status"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGHUP, 129),
        (signal.SIGKILL, -signal.SIGKILL),
    ],
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
    # In a fresh checkout this may be the first run of all.
    assert [line for line in stderr.splitlines() if b"compiling loops" not in line] == []
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


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "out.jsonl"),
        ("-o", "out.csv"),
        ("-o", "out.csv.gz"),
        ("-o", "out.parquet"),
        ("-o", "out.jsonl.gz", "--report", "out.html"),
    ],
)
def test_a_full_disk(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(SAMPLE.read_bytes())
    room = 60_000 if "--report" in options else 20_000
    done = run(
        "cluster",
        "in.jsonl",
        *options,
        cwd=tmp_path,
        env=FULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"error: ")
    assert options[-1].encode() in done.stderr


def test_a_full_folder_of_temporary_files(bulky: Path, tmp_path: Path) -> None:
    done = run(
        "cluster", "-", stdin=bulky.read_bytes(), preexec_fn=_full_disk,
        env=FULL | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert re.fullmatch(
        rf"error: File too large: {tmp_path}/\w+/stdin.jsonl\n", done.stderr.decode()
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [["cluster", SAMPLE], ["audit", SAMPLE], ["boilerplate", SAMPLE], ["demo"], ["--help"],
     ["cluster", "--help"]],
)  # fmt: skip
@pytest.mark.parametrize("unbuffered", [True, False])
def test_standard_output_on_a_full_disk(arguments: list[str | Path], unbuffered: bool) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-W", "error", "-m", "sahel_dedup", *map(str, arguments)]
        env = BARE | ({"PYTHONUNBUFFERED": "1"} if unbuffered else {})
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, env=env)
    assert done.returncode == 2
    *_, last = done.stderr.decode().splitlines(keepends=True)
    assert last.startswith("error: No space left on device")
    # The help text of a command is printed by a library, which does not say where to.
    assert last.endswith(": standard output\n") or arguments == ["cluster", "--help"]
    assert done.stderr.count(b"No space left") == 1


@pytest.mark.parametrize("command", ["cluster", "audit", "boilerplate", "ingest"])
def test_a_closed_standard_output_is_named_before_any_work(command: str, tmp_path: Path) -> None:
    done = _with_closed(1, command, str(SAMPLE), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2, b"error: cannot write standard output: it is closed\n"
    )  # fmt: skip
    assert os.listdir(tmp_path) == []


def test_closed_streams_that_are_not_needed_do_not_matter(tmp_path: Path) -> None:
    for stream in (0, 1, 2):
        done = _with_closed(stream, "cluster", str(SAMPLE), "-o", "out.jsonl", cwd=tmp_path)
        assert done.returncode == 0
        assert len(lines((tmp_path / "out.jsonl").read_bytes())) == 98


def test_a_closed_standard_input_is_named() -> None:
    done = _with_closed(0, "cluster", "-")
    assert (done.returncode, done.stderr) == (
        2, b"error: cannot read standard input: it is closed\n"
    )  # fmt: skip


def _with_closed(
    stream: int, *arguments: str, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    shell = f'exec "$0" -m sahel_dedup "$@" {stream}>&-'
    command = ["sh", "-c", shell, sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)


@pytest.mark.parametrize("arguments", [["cluster", str(SAMPLE)], ["demo"], ["--help"]])
def test_a_reader_that_stops_early_hears_nothing(
    arguments: list[str], expected: list[dict[str, Any]]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sahel_dedup", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=BARE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
    # The rows of cluster are its last work; demo is stopped; rich ends a help text by itself.
    known = {"cluster": (0, closing(expected)), "demo": (141, ""), "--help": (1, "")}
    assert (process.returncode, said) == known[arguments[0]]


def test_a_reader_of_results_and_notes_that_stops_early() -> None:
    """As head does behind ``2>&1``."""
    with subprocess.Popen(
        [sys.executable, "-m", "sahel_dedup", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=BARE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == 141


@pytest.mark.parametrize("command", ["cluster", "boilerplate", "audit"])
def test_a_named_pipe_is_read_once(command: str, tmp_path: Path) -> None:
    pipe = tmp_path / "in.jsonl"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-m", "sahel_dedup", command, str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        pipe.write_bytes(SAMPLE.read_bytes())
        out, said = process.communicate()
    assert process.returncode == 0
    assert out
    assert said.startswith(b"98 articles read")


def test_a_checkpoint_needs_input_that_can_be_read_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in.jsonl")
    for source in ("-", tmp_path / "in.jsonl"):
        done = call("cluster", source, "--checkpoint", tmp_path / "kept")
        assert done.returncode == 2
        assert b"--checkpoint: standard input and pipes cannot be read again" in done.stderr


STEERING = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202e \u061c \U000e0041 [/foo] [b]bold[/b] \ud800\n\n"


def _is_plain(output: bytes) -> bool:
    return not UNSAFE.search(output.decode().replace("\ufffd", ""))


@pytest.mark.parametrize("command", ["audit", "boilerplate", "cluster"])
@pytest.mark.parametrize("fault", ["", "column", "value", "id"])
def test_nothing_from_the_input_steers_the_terminal(
    command: str, fault: str, tmp_path: Path
) -> None:
    text = "Rain fell on the fields of Kayes on Monday, and the harvest was good this year."
    rows: list[dict[str, object]] = [
        {"id": f"{STEERING}{number}", "text": text, "lang": STEERING} for number in range(3)
    ]
    if fault == "column":
        rows.append({"id": "x", STEERING: "t"})
    elif fault == "value":
        rows.append({"id": "x", "text": "t", "source": [STEERING]})
    elif fault == "id":
        rows.append(dict(rows[0]))
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for on_error in ("raise", "skip"):
        done = call(command, source, "--on-error", on_error)
        assert done.returncode == (2 if fault and on_error == "raise" else 0)
        assert _is_plain(done.stderr)
        if command == "audit":
            assert _is_plain(done.stdout)
            assert ("[/foo] [b]bold[/b]" in done.stdout.decode()) == (done.returncode == 0)


def test_a_file_name_that_is_not_utf_8_is_shown(tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[2J.jsonl"))
    source.write_text("{")
    for command in ("cluster", "report", "evaluate"):
        gold = ("--gold", source) if command == "evaluate" else ()
        done = run(command, source, *gold, env=BARE)
        assert done.returncode == 2
        assert _is_plain(done.stderr)
        assert done.stderr.count(b"\n") == 1
        assert ".jsonl, line 1: broken JSON" in done.stderr.decode()


def test_answers_to_a_terminal_are_the_same_json(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"id": STEERING, "text": "Rain fell."}) + "\n")

    def run_with(terminal: int) -> None:
        command = [sys.executable, "-m", "sahel_dedup", "cluster", str(source)]
        subprocess.run(command, stdout=terminal, stderr=subprocess.DEVNULL, check=True)

    shown = _on_terminal(run_with)
    assert _is_plain(shown.strip().encode())
    assert json.loads(shown)["id"] == STEERING


def test_an_interpreter_that_prints_ascii_only(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    rows = [{"id": f"é{number}", "text": "Rain fell on Kayes."} for number in range(2)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for arguments in (("audit",), ("audit", "--json"), ("cluster",)):
        done = run(*arguments, source, env=BARE | {"PYTHONIOENCODING": "ascii"})
        assert done.returncode == 0, done.stderr


def test_no_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Archive, "read", read)
    done = call("cluster", SAMPLE)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: out of memory")
    assert done.stderr.count(b"\n") == 1


def test_ingest_goes_on_with_the_settings_of_the_file(tmp_path: Path) -> None:
    index = tmp_path / "wire.index"
    first = call("ingest", SAMPLE, "--index", index, "--window", "3", "--retention", "9")
    again = call("ingest", SAMPLE, "--index", index)
    assert (first.returncode, again.returncode) == (0, 0), again.stderr
    assert b"98 articles answered" in first.stderr
    other = call("ingest", SAMPLE, "--index", index, "--window", "7")
    assert other.returncode == 2
    assert b"was made with window 3 days" in other.stderr


def test_warnings_of_the_library_are_notes() -> None:
    rows = [{"id": str(number), "text": "Rain fell."} for number in range(2)]
    before = list(logging.getLogger("sahel_dedup").handlers)
    done = call("cluster", "-", stdin="\n".join(map(json.dumps, rows)).encode())
    notes = done.stderr.decode().splitlines()
    assert [note.partition(" (")[0] for note in notes] == [
        "no article has a title",
        "no article has a date",
        "no article has a source",
        "2 articles read, 0 with a title, 0 with a date, 0 with a source, 0 with a language; 1 "
        "story, 1 with copies, the largest of 2 articles",
    ]
    assert logging.getLogger("sahel_dedup").handlers == before


def test_lines_of_progress_are_few() -> None:
    now = 0.0
    shown: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "note", shown.append)
        tell = terminal._Lines(lambda: now)
        for step in range(100):
            now = float(step)
            tell("reading", step * 1000, None if step < 50 else 100_000)
    assert shown == [
        "reading: 30,000", "reading: 60,000 of 100,000", "reading: 90,000 of 100,000",
    ]  # fmt: skip


def test_version() -> None:
    done = call("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"sahel-dedup {version('sahel-dedup')}\n")


def test_help_lists_the_exit_codes() -> None:
    text = " ".join(call("--help").stdout.decode().split())
    for code in ("0 on success", "1 if", "2 if", "130, 143 and 129", "141 if"):
        assert code in text


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


RENAMED = "".join(
    f'{{"guid": "{n}", "body": "{text}", "date": "Tue, 04 Mar 2025 0{n}:12:00 GMT"}}\n'
    for n, text in enumerate(
        [
            "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers.",
            "Nine soldiers were killed on Monday when gunmen attacked the army camp at Tessarit.",
            "Millet prices rose in Maradi as the lean season began, traders said.",
        ],
        start=1,
    )
)
COLUMNS = ("--column", "id=guid", "--column", "text=body", "--column", "published=date")


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("empty_folder")
def test_columns_under_other_names() -> None:
    Path("feed.jsonl").write_text(RENAMED)
    result = call("cluster", "feed.jsonl", *COLUMNS, "-o", "out.jsonl", "--report", "out.html")
    assert result.returncode == 0, result.stderr
    rows = [row for _, row in read_rows("out.jsonl")]
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert list(rows[0])[5:] == ["text", "published"]
    assert rows[0]["story_id"] == rows[1]["story_id"] != rows[2]["story_id"]
    assert "3 with a date" in result.stderr.decode()
    # What was written has the names of the fields, so other commands can go on with it.
    assert call("explain", "out.jsonl", "1", "2").returncode == 0
    for command in ("audit", "boilerplate", "ingest"):
        result = call(command, "feed.jsonl", *COLUMNS)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--column", "body"), "--column: 'body' is not FIELD=NAME, such as text=body"),
        (("--column", "text="), "--column: 'text=' is not FIELD=NAME"),
        (("--column", "body=text"), "columns: 'body' is not one of id, text, title"),
        ((*COLUMNS, "--column", "text=x"), "--column: 'text' is named twice"),
        (
            (*COLUMNS, "--column", "title=titel"),
            "columns: no row has a column 'titel'; the columns are",
        ),
        ((), "columns={'text': 'body'} (--column text=body) reads it"),
    ],
)
@pytest.mark.usefixtures("empty_folder")
def test_columns_that_cannot_be(given: tuple[str, ...], message: str) -> None:
    Path("feed.jsonl").write_text(RENAMED)
    result = call("cluster", "feed.jsonl", *given)
    assert result.returncode == 2
    assert message in result.stderr.decode()


@pytest.mark.usefixtures("empty_folder")
def test_likely_columns_and_bad_dates_are_noted_once() -> None:
    rows = [{"id": n, "text": "Rain.", "date": "2025-03-04", "published": "soon"} for n in (1, 2)]
    Path("feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = call("cluster", "feed.jsonl", "-o", "out.jsonl")
    assert result.returncode == 0, result.stderr
    assert (
        result.stderr.decode().count("columns={'published': 'date'} (--column published=date)") == 1
    )
    assert (
        result.stderr.decode().count("dates that cannot be read and are dropped: 2 x not a date")
        == 1
    )
    assert "SahelWarning" not in result.stderr.decode()
    # The file keeps what the date was.
    assert [row["published"] for _, row in read_rows("out.jsonl")] == ["soon", "soon"]
    assert call("report", "out.jsonl", "-o", "out.html").returncode == 0
    assert call("explain", "out.jsonl", "1", "2").returncode == 0


@pytest.mark.usefixtures("empty_folder")
def test_bad_dates_are_faults_on_request() -> None:
    Path("feed.jsonl").write_text('{"id": 1, "text": "Rain.", "published": "soon"}\n')
    for command in (("cluster", "feed.jsonl"), ("audit", "feed.jsonl"), ("ingest", "feed.jsonl")):
        result = call(*command, "--on-bad-date", "raise")
        assert result.returncode == 2
        assert "feed.jsonl, line 1, field 'published': not a date" in result.stderr.decode()


@pytest.mark.usefixtures("empty_folder")
def test_a_checkpoint_is_of_the_columns_that_it_was_made_with() -> None:
    Path("feed.jsonl").write_text(RENAMED)
    command = ("cluster", "feed.jsonl", "--checkpoint", "kept", "-o", "out.jsonl")
    assert call(*command, *COLUMNS).returncode == 0
    assert call(*command, *COLUMNS).returncode == 0
    result = call(*command, *COLUMNS[:4])
    assert result.returncode == 2
    assert "is a checkpoint with " in result.stderr.decode()


def test_what_was_read_is_told(tmp_path: Path) -> None:
    rows = [{"id": f"a{n}", "text": "Rain fell.", "story_id": f"s{n // 2}"} for n in range(5)]
    out = tmp_path / "out.jsonl"
    out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b,same,weight\na0,a1,1,1\n")
    for command, told in (
        (("report", out, "-o", tmp_path / "out.html"), "5 articles read; 2 of 3 stories listed"),
        (("explain", out, "a0", "a1"), "5 rows read"),
        (("evaluate", out, "--gold", out), "5 articles read, 5 in known stories"),
        (("evaluate", out, "--pairs", pairs), "5 articles read"),
    ):
        done = call(*command)
        assert done.returncode == 0, done.stderr
        assert told in done.stderr.decode()
