"""The README: its figures are those that were measured, its example runs, its links lead on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.readme import README, filled

TEXT = README.read_text(encoding="utf-8")


def test_figures_are_those_of_the_results() -> None:
    assert filled(TEXT) == TEXT


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    found: dict[str, Any] = {}
    exec(example, found)
    stories = found["stories"]
    for line in example.splitlines():
        question, _, answer = line.partition("  # ")
        if answer.startswith(("array", "(", "'")):
            assert repr(eval(question, found)) == answer
    assert stories.check_recall().recall == 1


def test_links_lead_somewhere() -> None:
    for page in (README, *README.parent.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (Path(page).parent / target).exists(), f"{page.name}: {target}"
