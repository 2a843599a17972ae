"""What several test files need: the sample archive, and real news where it is at hand."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The first example of a test pays for the tables that the engine builds on first use.
settings.register_profile("default", deadline=None)
settings.load_profile("default")


def pytest_configure() -> None:
    """Let go of machine code that is older than any module.

    Numba makes it anew when the module of a loop changes, but not when one does from which that
    takes a function or a constant.
    """
    package = Path(str(resources.files("sahel_dedup")))
    newest = max(path.stat().st_mtime for path in package.rglob("*.py"))
    for kept in package.rglob("*.nb[ci]"):
        if kept.stat().st_mtime < newest:
            kept.unlink()


@pytest.fixture(scope="session")
def sample() -> Path:
    """File of the sample archive."""
    return Path(str(resources.files("sahel_dedup") / "sample" / "wire.jsonl"))


@pytest.fixture(scope="session")
def wire(sample: Path) -> list[dict[str, Any]]:
    """Rows of the sample archive."""
    return [json.loads(line) for line in sample.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of real news, whose publishers keep it from being part of the project."""
    folder = Path(os.environ.get("SAHEL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real news at hand: set SAHEL_DATA")
    return folder
