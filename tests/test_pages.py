"""The pages of the command line and of the API agree with the code."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from pathlib import Path
from subprocess import run

import pytest

import sahel_dedup

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "cli.md"


def test_the_page_of_the_command_line_is_up_to_date(tmp_path: Path) -> None:
    written = tmp_path / "cli.md"
    command = [sys.executable, "-m", "typer", "sahel_dedup.cli", "utils", "docs"]
    run([*command, "--name", "sahel-dedup", "--output", written], check=True, capture_output=True)
    now = written.read_text(encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now, "run `make cli-page`"


ROOMS = ["", ".evaluation", ".evaluation.teaching", ".explain", ".index", ".report", ".spark"]


def api_entries() -> dict[str, list[str]]:
    """Return what the page of the API describes, each with the members it is limited to."""
    entries: dict[str, list[str]] = {}
    for line in (DOCS / "api.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("::: "):
            entry = line.removeprefix("::: ")
            entries[entry] = []
        elif found := re.fullmatch(r"\s+members: \[(.+)\]", line):
            entries[entry] = found[1].split(", ")
    return entries


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_on_the_page_of_the_api(room: str) -> None:
    entries = api_entries()
    names = {entry.rpartition(".")[2] for entry in entries}
    if room == ".spark":
        pytest.importorskip("pyspark")
    package = importlib.import_module(f"sahel_dedup{room}")
    for name in package.__all__:
        value = getattr(package, name)
        home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        members = entries.get(str(home))
        listed = f"{home}.{name}" in entries or members == [] or name in (members or ())
        assert listed or (home is None and name in names), name


@pytest.mark.parametrize("entry", api_entries())
def test_what_the_page_of_the_api_describes_is_there(entry: str) -> None:
    if ".spark." in entry:
        pytest.importorskip("pyspark")
    value = pkgutil.resolve_name(entry)
    assert [name for name in api_entries()[entry] if not hasattr(value, name)] == []


def test_every_package_with_public_names_is_a_room() -> None:
    packages = Path(sahel_dedup.__file__).parent
    found = {
        "".join(f".{part}" for part in path.parent.relative_to(packages).parts)
        for path in packages.rglob("__init__.py")
        if "\n__all__ =" in path.read_text(encoding="utf-8")
    }
    assert found == set(ROOMS)
