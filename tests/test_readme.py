"""README and pages: figures are those that were measured, the example runs, links lead on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.readme import PAGES, README, filled

TEXT = README.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_figures_are_those_of_the_results(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text


def test_the_example_runs() -> None:
    # The first; the second, on columns under other names, needs a frame.
    example, _ = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    found: dict[str, Any] = {}
    exec(example, found)
    stories = found["stories"]
    for line in example.splitlines():
        question, _, answer = line.partition("  # ")
        if answer.startswith(("array", "(", "'")):
            assert repr(eval(question, found)) == answer
    assert stories.check_recall().recall == 1


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (Path(page).parent / target).exists(), f"{page.name}: {target}"
