"""The public names of the package: agreement with `__all__`, docstrings, and running examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import sahel_dedup

# Importing this one runs the command line.
MODULES = [
    importlib.import_module(info.name)
    for info in pkgutil.walk_packages(sahel_dedup.__path__, "sahel_dedup.")
    if info.name != "sahel_dedup.__main__"
]


def test_exported_names_are_the_names_there_are() -> None:
    """Names are imported when they are first used; type checkers see plain imports."""
    seen_by_type_checkers = [
        alias.name
        for node in ast.parse(inspect.getsource(sahel_dedup)).body
        if isinstance(node, ast.If)
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if getattr(sahel_dedup, alias.name)
        is getattr(importlib.import_module(statement.module or ""), alias.name)
    ]
    assert sorted(seen_by_type_checkers) == sorted(sahel_dedup.__all__)
    assert set(sahel_dedup.__all__) <= set(dir(sahel_dedup))
    there = {
        name
        for name, value in vars(sahel_dedup).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and name not in ("annotations", "TYPE_CHECKING", "Any")
    }
    assert there == set(sahel_dedup.__all__)


def test_exported_names_are_sorted_constants_classes_functions() -> None:
    def rank(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert sahel_dedup.__all__ == sorted(sahel_dedup.__all__, key=rank)


@pytest.mark.parametrize(
    ("former", "name"), [("find_furniture", "find_boilerplate"), ("Cut", "BoilerplateSpan")]
)
def test_former_names_warn(former: str, name: str) -> None:
    with pytest.deprecated_call(match=name):
        assert getattr(sahel_dedup, former) is getattr(sahel_dedup, name)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sahel_dedup.nothing


def test_every_public_name_has_a_docstring() -> None:
    bare = []
    for name in sahel_dedup.__all__:
        value = getattr(sahel_dedup, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            bare += [name] * (not inspect.getdoc(value))
        if inspect.isclass(value):
            members = {n: m for n, m in vars(value).items() if not n.startswith("_")}
            for member, what in members.items():
                if inspect.isfunction(what) or isinstance(what, property | classmethod):
                    bare += [f"{name}.{member}"] * (not inspect.getdoc(getattr(value, member)))
    assert bare == []


@pytest.mark.parametrize("module", [sahel_dedup, *MODULES], ids=lambda module: module.__name__)
def test_examples_run(module: ModuleType) -> None:
    assert module.__doc__
    assert doctest.testmod(module).failed == 0


def test_every_part_of_the_example_is_checked() -> None:
    tried = sum(doctest.testmod(module).attempted for module in MODULES)
    assert tried > 5
