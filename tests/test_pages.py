"""The pages of the command line and of the API agree with the code."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from subprocess import run

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "cli.md"


def test_the_page_of_the_command_line_is_up_to_date(tmp_path: Path) -> None:
    written = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "sahel_dedup.cli", "utils", "docs"]
    run([*command, "--name", "sahel-dedup", "--output", written], check=True, capture_output=True)
    now = written.read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now, "run `make cli-page`"


ROOMS = ["", ".evaluation", ".evaluation.teaching", ".explain", ".index", ".report", ".spark"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_on_the_page_of_the_api(room: str) -> None:
    lines = (DOCS / "api.md").read_text(encoding="utf-8").splitlines()
    entries = {line.removeprefix("::: ") for line in lines if line.startswith("::: ")}
    names = {entry.rpartition(".")[2] for entry in entries}
    if room == ".spark":
        pytest.importorskip("pyspark")
    package = importlib.import_module(f"sahel_dedup{room}")
    for name in package.__all__:
        value = getattr(package, name)
        home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        listed = home in entries or f"{home}.{name}" in entries
        assert listed or (home is None and name in names), name
