"""Options without effect are refused, and what commands leave out is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import call
from tests.test_traps import ROWS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of articles, their stories, and an index."""
    folder = tmp_path_factory.mktemp("news")
    news, pairs = folder / "news.jsonl", folder / "pairs.jsonl"
    news.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    pairs.write_text('{"a": "a", "b": "c", "same": 0}\n')
    made = call("cluster", news, "-o", folder / "stories.jsonl", "--save", folder / "saved.npz")
    assert made.returncode == 0
    assert call("ingest", news, "--index", folder / "news.index").returncode == 0
    return folder


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("cluster news.jsonl --master local[2]", "--master: only with --engine spark"),
        ("cluster news.jsonl --granularity topic --window 3", "window: topics have no window"),
        ("ingest news.jsonl --index new --granularity topic --window 3", "window: topics have"),
        ("ingest news.jsonl --index news.index --no-texts", "made with texts, which cannot"),
        ("ingest news.jsonl --index news.index --fields", "leave out keep_fields=True (--fields)"),
        ("recut saved.npz --thresholds .6 -o new", "--thresholds: only prints"),
        ("recut saved.npz --thresholds .6,low", "is not a list of numbers, such as"),
        ("recut saved.npz --thresholds .6 --min-probability .9", "--thresholds: only prints"),
        ("teach news.jsonl --ask 2 --sheet new.csv --json", "--json: nothing is learnt"),
        ("review stories.jsonl news.jsonl --sheet new.csv --port 9", "--sheet: serves no page"),
        ("review stories.jsonl news.jsonl --sheet new.csv --answers new", "--sheet: serves no"),
        ("explain news.jsonl a b --corrections pairs.jsonl", "--corrections: 'news.jsonl' is no"),
    ],
)
def test_options_without_effect_are_refused(
    command: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    done = call(*command.split())
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert not (folder / "new").exists()
    assert not (folder / "new.csv").exists()


ROWS_OF = {
    "bad.jsonl": [{**row, "published": "soon"} for row in ROWS],
    "years.jsonl": [{**row, "published": "2999-01-01"} for row in ROWS],
    "body.jsonl": [{"body" if name == "text" else name: row[name] for name in row} for row in ROWS],
    "other.jsonl": [{"id": "x", "story_id": "s0000000000000001"}],
    "unknown.jsonl": [{"a": "x", "b": "y", "same": 1}],
    "fewer.jsonl": [{"id": row["id"], "story_id": "s1"} for row in ROWS[:2]],
}


@pytest.mark.parametrize(
    "command",
    ["cluster {}", "audit {}", "teach {} --ask 2 --sheet out.csv",
     "sample-pairs stories.jsonl {} -o out.csv", "review stories.jsonl {} --sheet out.csv",
     "index load stories.jsonl {} --index out.index", "index load saved.npz {} --index out.index"],
)  # fmt: skip
@pytest.mark.parametrize(
    ("archive", "message"),
    [("bad.jsonl", "dates that cannot be read and are dropped: 3 x not a date; for example bad."),
     ("years.jsonl", "3 impossible dates (before 1400, 1970-01-01 or -02, in the future)")],
)  # fmt: skip
def test_dates_that_are_dropped_are_said(
    command: str, archive: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    if "saved" in command and archive == "years.jsonl":
        pytest.skip("the days are those of the saved result")
    write(folder)
    done = call(*command.format(archive).split())
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode().count(message) == 1


def write(folder: Path) -> None:
    for name, rows in ROWS_OF.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "out.index").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("cluster news.jsonl --prefer radio", 0, "no article has: 1, for example 'radio'; there"),
        ("report stories.jsonl -o out.html --corrections unknown.jsonl", 0, "no article has: 2,"),
        ("explain stories.jsonl a b --corrections unknown.jsonl", 0, "no article has: 2, for"),
        ("cluster news.jsonl --corrections unknown.jsonl -o out.csv", 0, "no article has: 2, for"),
        ("cluster news.jsonl --previous other.jsonl", 0, "none of the 1 article of the previous"),
        ("review other.jsonl news.jsonl --sheet out.csv", 2, "nothing to review: no article of"),
        ("review fewer.jsonl news.jsonl --sheet out.csv", 0, "left out: 1 articles have no story"),
        ("review stories.jsonl fewer.jsonl --sheet out.csv", 2, "field 'text': missing"),
        ("index load saved.npz --index out.index", 2, "name the archive, as in index load saved"),
        ("sample-pairs stories.jsonl body.jsonl -o out.csv", 2, "(--column text=body) reads it"),
        ("sample-pairs stories.jsonl body.jsonl -o out.csv --column text=body", 0, ""),
    ],
)
def test_what_is_left_out_is_said(
    command: str, code: int, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    write(folder)
    done = call(*command.split())
    assert (done.returncode, message in done.stderr.decode()) == (code, True), done.stderr
