"""The programs of examples/, for the tests that run them."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
_REQUIRED = os.environ.get("SAHEL_REQUIRE_EXAMPLES") == "1"


def needs(*modules: str) -> pytest.MarkDecorator:
    """Return the mark of a test that is skipped without some modules, unless none may be."""
    missing = [module for module in modules if find_spec(module) is None]
    return pytest.mark.skipif(
        bool(missing) and not _REQUIRED,
        reason=f"no {', '.join(missing)}: pip install 'sahel-dedup[examples]'",
    )


def load(path: str) -> ModuleType:
    """Import a program by its path below examples/."""
    file = EXAMPLES / path
    spec = importlib.util.spec_from_file_location(f"example_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(**more: str) -> dict[str, str]:
    """Return the environment in which a program finds this package."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def command(path: str, *arguments: str) -> list[str]:
    """Return the command that runs a program below examples/."""
    return [sys.executable, str(EXAMPLES / path), *arguments]
