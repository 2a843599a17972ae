"""The pages of the command line and of the API agree with the code."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

import sahel_dedup

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "cli.md"


def test_the_page_of_the_command_line_is_up_to_date(tmp_path: Path) -> None:
    written = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "sahel_dedup.cli", "utils", "docs"]
    run([*command, "--name", "sahel-dedup", "--output", written], check=True, capture_output=True)
    now = written.read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now, "run `make cli-page`"


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    lines = (DOCS / "api.md").read_text(encoding="utf-8").splitlines()
    entries = {line.removeprefix("::: ") for line in lines if line.startswith("::: ")}
    names = {entry.rpartition(".")[2] for entry in entries}
    for name in sahel_dedup.__all__:
        module = getattr(getattr(sahel_dedup, name), "__module__", None)
        assert name in names or module in entries, name
