"""Programs of five kinds of users: everything works, or raises an error that names the remedy."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.examples import EXAMPLES, environment, needs

ROLES = sorted(path.name for path in (EXAMPLES / "roles").glob("*.py") if path.stem != "common")


@needs("duckdb", "pandas", "pyarrow", "pydantic")
@pytest.mark.parametrize("script", ROLES)
def test_every_snippet_works_or_names_the_remedy(script: str) -> None:
    command = [sys.executable, "-W", "error", script]
    done = subprocess.run(
        command, cwd=EXAMPLES / "roles", env=environment(), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert len(done.stdout.splitlines()) > 5


def test_there_are_five() -> None:
    assert len(ROLES) == 5
