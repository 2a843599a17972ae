"""Checkpoints: a run that was killed goes on, with the same result; other input is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from sahel_dedup.articles import Article
from sahel_dedup.cli import app
from sahel_dedup.errors import SahelError
from sahel_dedup.io import checkpoint
from sahel_dedup.io.checkpoint import Checkpoint
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher

A_PART = 300

# Runs the command and kills its own process, as the power does, behind the second part.
KILLED = f"""
import os, sys
from sahel_dedup.io import checkpoint
from sahel_dedup.cli import app
checkpoint.PART_ARTICLES = {A_PART}
signum = int(sys.argv.pop(1))
save = checkpoint.Checkpoint._save
def killed(self, number, *given):
    save(self, number, *given)
    if number == 1:
        os.kill(os.getpid(), signum)
checkpoint.Checkpoint._save = killed
app()
"""


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Write 1,500 short articles, each fifth a copy, in two languages, some with faulty dates."""
    draw = np.random.default_rng(0)
    words = [f"word{number}" for number in range(3000)]
    path = tmp_path / "news.jsonl"
    with path.open("w") as file:
        for number in range(1500):
            if number % 5 != 1:
                text = " ".join(draw.choice(words, 40))
            row = {
                "id": f"a{number} \ud800",
                "text": text,
                "published": f"20{24 + 40 * (number % 50 == 0)}-01-{1 + number // 60:02}",
                "source": f"outlet {number // 100}",
                "lang": "en" if number % 3 else "fr",
            }
            file.write(json.dumps(row) + "\n")
    return path


def run(*arguments: str | Path) -> int | None:
    """Run the command, and return the status that it ends with if it fails."""
    status: int | None = app([str(argument) for argument in arguments], standalone_mode=False)
    return status


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on(signum: int, news: Path, tmp_path: Path) -> None:
    whole, resumed, folder = tmp_path / "whole.jsonl", tmp_path / "out.jsonl", tmp_path / "kept"
    run("cluster", news, "--output", whole)
    command: list[str | Path] = ["cluster", news, "-o", resumed, "--checkpoint", folder]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(int(signum)), *map(str, command)],
        check=False,
        capture_output=True,
    )
    # In a fresh checkout this may be the first run of all.
    assert [line for line in killed.stderr.splitlines() if b"compiling loops" not in line] == []
    assert killed.returncode == (130 if signum == signal.SIGINT else -signum)
    assert not resumed.exists()
    assert sorted(os.listdir(tmp_path)) == ["kept", "news.jsonl", "whole.jsonl"]
    parts = {path.name for path in folder.glob("part-*")}
    assert {"part-00000.npz", "part-00001.npz"} <= parts
    sketched: list[int] = []
    sketch = Sketcher.sketch

    def counted(self: Sketcher, articles: Any) -> Profiles:
        sketched.append(len(articles))
        return sketch(self, articles)

    with mock.patch.object(Sketcher, "sketch", counted):
        run(*command)
    assert sum(sketched) <= 1500 - 2 * A_PART
    assert resumed.read_bytes() == whole.read_bytes()


def articles(count: int) -> list[Article]:
    return [Article(str(i), f"rain fell in town {i}", source=f"s{i % 7}") for i in range(count)]


def test_what_was_kept_is_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PART_ARTICLES", 500)
    first, second = Sketcher(), Sketcher()
    made, found = (
        list(Checkpoint(str(tmp_path / "kept"), []).sketch_all(sketcher, articles(1300), 1))
        for sketcher in (first, second)
    )
    assert [i for ids, _ in made for i in ids] == [i for ids, _ in found for i in ids]
    one, two = (Profiles.concatenate(profiles for _, profiles in run) for run in (made, found))
    for item in fields(Profiles):
        assert np.array_equal(
            getattr(one, item.name), getattr(two, item.name), equal_nan=item.name == "day"
        )
    assert list(first.vocabulary.words) == list(second.vocabulary.words)
    assert np.array_equal(first.vocabulary.hashes, second.vocabulary.hashes)
    assert (first.sources, first.langs) == (second.sources, second.langs)


def test_other_input_is_refused(news: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    Checkpoint(folder, [news], "raise")
    Checkpoint(folder, [news], "raise")
    with pytest.raises(SahelError, match="other reading"):
        Checkpoint(folder, [news], "skip")
    with news.open("a") as file:
        file.write("\n")
    with pytest.raises(SahelError, match="other files"):
        Checkpoint(folder, [news], "raise")
    with pytest.raises(SahelError, match="not empty"):
        Checkpoint(str(tmp_path), [news])
    assert run("cluster", "-", "--checkpoint", folder) == 2


def test_other_articles_are_refused(tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    list(Checkpoint(folder, []).sketch_all(Sketcher(), articles(20)))
    with pytest.raises(SahelError, match="other articles"):
        list(Checkpoint(folder, []).sketch_all(Sketcher(), articles(19)))


def test_damage_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    list(Checkpoint(str(folder), []).sketch_all(Sketcher(), articles(20)))
    part = folder / "part-00000.npz"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(SahelError, match="damaged"):
        list(Checkpoint(str(folder), []).sketch_all(Sketcher(), articles(20)))
    (folder / "checkpoint.json").write_text("{")
    with pytest.raises(SahelError, match="damaged"):
        Checkpoint(str(folder), [])
