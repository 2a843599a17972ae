"""Situations of real use, with invented texts: what must be one story, and what must not.

Each folder of ``cases`` holds ``input.jsonl`` and ``expected.json``: ``together``, groups of ids
that must be one story, ``apart``, pairs of ids that must not. Both engines are tested, the stream
with one article after another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sahel_dedup import StoryIndex, cluster

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())


def in_batch(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {article: story.id for story in cluster(rows) for article in story.articles}


def in_stream(rows: list[dict[str, Any]]) -> dict[str, str]:
    with StoryIndex() as index:
        for row in rows:
            index.add(row)
        return {article: story.id for story in index.stories() for article in story.articles}


ENGINES = {"batch": in_batch, "stream": in_stream}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ENGINES)
def test_case(engine: str, name: str) -> None:
    lines = (CASES / name / "input.jsonl").read_text(encoding="utf-8").splitlines()
    expected = json.loads((CASES / name / "expected.json").read_text(encoding="utf-8"))
    story = ENGINES[engine]([json.loads(line) for line in lines])
    for group in expected["together"]:
        assert len({story[article] for article in group}) == 1, group
    joined = [pair for pair in expected["apart"] if story[pair[0]] == story[pair[1]]]
    assert not joined
