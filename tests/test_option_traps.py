"""Options that would have no effect together with others are refused, and nothing is written."""

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
        ("cluster news.jsonl --granularity topic --window 3", "window: topics have none"),
        ("ingest news.jsonl --index new --granularity topic --window 3", "window: topics have"),
        ("ingest news.jsonl --index news.index --no-texts", "made with texts, which cannot"),
        ("ingest news.jsonl --index news.index --fields", "leave out keep_fields=True (--fields)"),
        ("recut saved.npz --thresholds .6 -o new", "--thresholds: only prints"),
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
