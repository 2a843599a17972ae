"""The page of the command line agrees with the commands."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import run

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"


def test_the_page_of_the_command_line_is_up_to_date(tmp_path: Path) -> None:
    written = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "sahel_dedup.cli", "utils", "docs"]
    run([*command, "--name", "sahel-dedup", "--output", written], check=True, capture_output=True)
    now = written.read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now, "run `make cli-page`"
