"""Imports at the start: nothing that is slow and may not be needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sahel_dedup

SLOW = {
    "numba", "scipy", "polars", "pandas", "sklearn", "datasketch", "wordfreq", "rapidfuzz",
    "jinja2", "pyspark", "pyarrow",
}  # fmt: skip


def imported(source: str) -> set[str]:
    """Return the top-level modules that a process has imported at its end."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import atexit, sys\n"
            "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n" + source,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in ran.stderr.split()}


def test_importing_the_package_imports_nothing_slow() -> None:
    assert imported("import sahel_dedup") & {*SLOW, "numpy", "typer"} == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["cluster", "--help"], ["index", "check", "--help"]]
)
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    source = f"from sahel_dedup.cli import app\napp({arguments!r})"
    assert imported(source) & {*SLOW, "numpy"} == set()


def test_grouping_imports_only_what_it_needs() -> None:
    source = "import sahel_dedup\nsahel_dedup.cluster([{'id': 'a', 'text': 'Nine soldiers'}])"
    used = imported(source)
    assert "numba" in used
    assert used & {"sklearn", "polars", "datasketch", "wordfreq", "jinja2"} == set()


def test_the_version_is_that_of_the_installation() -> None:
    assert sahel_dedup.__version__
    assert "__version__" in dir(sahel_dedup)
