"""The names of the tests, on which all processes of a parallel run must agree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def collected(**environment: str) -> list[str]:
    """Names of all tests, as a new process sees them."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0"]
    listed = subprocess.run(
        command,
        cwd=Path(__file__).parents[1],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in listed.stdout.splitlines() if "::" in line]


def test_names_do_not_depend_on_the_process_that_lists_them() -> None:
    """Otherwise a parallel run ends before its first test.

    The clock moves on between the two listings, which is enough for a name that contains it.
    """
    first = collected(PYTHONHASHSEED="1", TZ="UTC")
    assert len(first) > 1000
    assert collected(PYTHONHASHSEED="2", TZ="Asia/Tokyo") == first
