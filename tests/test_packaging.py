"""The metadata of the package: what a package index shows, and what it declares to need."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from email.parser import Parser
from importlib.metadata import requires
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What is imported under another name than it is installed under.
IMPORTED_AS = {"scikit-learn": "sklearn"}
# What is imported and not declared, because it belongs to the interface of what is declared.
PARTS = {"h11": "uvicorn", "py4j": "pyspark"}
# What starts a program of the examples, which does not import it.
STARTED = {"uvicorn"}
# Airflow has an environment of its own.
NOT_DECLARED = {"airflow"}
# These import a module by its name.
BY_NAME = {"LazyModule", "find_spec", "import_module"}


def import_names(requirements: Iterable[str]) -> set[str]:
    """Return the names under which required packages are imported."""
    names = (re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements)
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


def modules_named(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a module imports, at once or later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in BY_NAME and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def packages_of_others(folder: str) -> set[str]:
    """Return the packages of others that the modules in a folder import."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    own = {"sahel_dedup", *(path.stem for path in paths)}
    trees = [ast.parse(path.read_text("utf-8")) for path in paths]
    found = {name.partition(".")[0] for tree in trees for name in modules_named(tree)}
    return found - own - sys.stdlib_module_names


def test_the_package_imports_what_it_declares() -> None:
    declared = import_names([*PROJECT["dependencies"], *EXTRAS["spark"], *EXTRAS["serve"]])
    assert packages_of_others("sahel_dedup") == declared | set(PARTS)


def test_the_examples_import_what_they_declare() -> None:
    declared = import_names(EXTRAS["examples"])
    others = import_names([*PROJECT["dependencies"], *EXTRAS["spark"]])
    found = packages_of_others("examples")
    assert declared - found == STARTED
    assert found - declared - others == NOT_DECLARED


@pytest.mark.parametrize(("part", "whole"), PARTS.items())
def test_what_is_not_declared_is_always_there(part: str, whole: str) -> None:
    pytest.importorskip(whole)
    needed = [each for each in requires(whole) or () if "extra ==" not in each]
    assert part in import_names(needed)


def test_imports_of_all_kinds_are_found() -> None:
    source = """
import a.b, c as d
from e.f import g
if TYPE_CHECKING:
    import h
else:
    h = LazyModule("i.j")
def late():
    from k import l
FOUND = importlib.util.find_spec("m")
"""
    found = {name.partition(".")[0] for name in modules_named(ast.parse(source))}
    assert found == {*"acehikm"}
    assert import_names(["a-b>=1,<2", "c[d]>=1", "e", 'f ; g == "h"', "scikit-learn>=1"]) == {
        "a_b", "c", "e", "f", "sklearn",
    }  # fmt: skip


def test_types_are_checked_for_the_newest_python_declared() -> None:
    name = "Programming Language :: Python :: 3."
    newest = max(
        int(line.removeprefix(name)) for line in PROJECT["classifiers"] if line.startswith(name)
    )
    assert f"NEWEST_PYTHON := 3.{newest}\n" in (ROOT / "Makefile").read_text("utf-8")


def test_the_description_has_no_link_that_leads_nowhere() -> None:
    builder = WheelBuilder(str(ROOT))
    text = Parser().parsestr(builder.config.core_metadata_constructor(builder.metadata))
    description = text.get_payload()
    assert isinstance(description, str)
    assert text["Description-Content-Type"] == "text/markdown"
    assert "Tutorial (`docs/tutorial.md` in the source distribution)" in description
    targets = re.findall(r"\]\(([^)]*)\)", description)
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []
    readme = (ROOT / "README.md").read_text("utf-8")
    assert description.count("\n") >= readme.count("\n")
