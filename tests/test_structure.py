"""The structure of the package, read from its sources: sizes, and which way imports run.

A module is a file. A room is an entry of `sahel_dedup/`: a sub-package with everything in it, or a
module. All imports count, including those inside functions and those for types only. Being inside a
package does not count as importing it. `__init__` and `__main__` of the package have no code of
their own and are not rooms.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sahel_dedup"

MOST_FILES = 10
MOST_LINES = 400
MOST_BODY = 60
MOST_PUBLIC = 20
LONGEST_CHAIN = 12
# Public functions of one name that do the same: on an archive, a stream or Spark, on one index or
# through HTTP. Commands are named after what they call.
SAME_FUNCTIONS = {
    "closest", "cluster", "compact", "components", "correct", "explain",
    "join_parts", "recurrence_scores", "single_out", "speakers", "stories", "story_of",
}  # fmt: skip

Graph = Mapping[str, set[str]]


def module_name(path: Path) -> str:
    """Return the dotted name of a file under the root; that of a package is its folder's."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def trees() -> dict[str, ast.Module]:
    """Parse all modules of the package."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {module_name(path): ast.parse(path.read_text("utf-8"), str(path)) for path in paths}


def imported(tree: ast.AST) -> Iterator[tuple[str, str | None, int]]:
    """Yield what a module imports from the package: module, name in it, and line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE.name:
                    yield alias.name, None, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module and node.module.split(".")[0] == PACKAGE.name:
                for alias in node.names:
                    yield node.module, alias.name, node.lineno


def module_graph() -> dict[str, set[str]]:
    """Return the modules that each module imports."""
    graph: dict[str, set[str]] = {}
    for module, tree in trees().items():
        found = set()
        for source, name, _ in imported(tree):
            inner = f"{source}.{name}"
            found.add(inner if inner in trees() else source)
        graph[module] = found - {module}
    return graph


def room_graph(modules: Graph) -> dict[str, set[str]]:
    """Return the rooms that each room imports."""

    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    doors = {PACKAGE.name, f"{PACKAGE.name}.__main__"}
    graph: dict[str, set[str]] = {}
    for module, found in modules.items():
        graph.setdefault(room(module), set()).update(map(room, found))
    return {name: found - {name} - doors for name, found in graph.items() if name not in doors}


def circle(graph: Graph) -> list[str]:
    """Return nodes that import each other in a circle, none if there is none."""
    done: set[str] = set()

    def follow(node: str, way: list[str]) -> list[str]:
        if node in way:
            return way[way.index(node) :]
        if node not in done:
            for other in sorted(graph[node]):
                if found := follow(other, [*way, node]):
                    return found
            done.add(node)
        return []

    return next((found for node in graph if (found := follow(node, []))), [])


def longest_chain(graph: Graph) -> list[str]:
    """Return the nodes of the longest chain of imports; without circles."""

    @cache
    def chain(node: str) -> list[str]:
        below = max((chain(other) for other in sorted(graph[node])), key=len, default=[])
        return [node, *below]

    return max(map(chain, graph), key=len)


def public_names(cls: ast.ClassDef) -> list[str]:
    """Return the public methods and properties of a class, without inherited ones.

    Class methods that construct objects do not count.
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {
        node.name
        for node in cls.body
        if isinstance(node, kinds) and "classmethod" not in map(ast.unparse, node.decorator_list)
    }
    return sorted(name for name in names if not name.startswith("_"))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_imports(tree: ast.AST) -> list[str]:
    """Return the private names and modules that a module takes from others of the package."""
    return [
        f"line {line}: {source}.{name or ''}"
        for source, name, line in imported(tree)
        if any(map(is_private, [*source.split("."), name or ""]))
    ]


def test_few_files_lie_directly_in_the_package() -> None:
    files = [path.name for path in PACKAGE.iterdir() if path.is_file()]
    assert len(files) <= MOST_FILES, sorted(files)


def test_no_module_is_long() -> None:
    lines = {path: path.read_text("utf-8").count("\n") for path in PACKAGE.rglob("*.py")}
    long = {module_name(path): count for path, count in lines.items() if count > MOST_LINES}
    assert not long


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its signature and docstring."""
    docstring = ast.get_docstring(function) is not None and len(function.body) > 1
    return (function.end_lineno or 0) - function.body[docstring].lineno + 1


def test_no_function_is_long() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    lines = {
        f"{module}.{node.name}": body_lines(node)
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    }
    assert not {name: count for name, count in lines.items() if count > MOST_BODY}


def test_no_class_offers_too_much() -> None:
    """Methods of base classes in the package count too: a mixin makes no class smaller."""
    classes = {
        node.name: node
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def offered(cls: ast.ClassDef) -> set[str]:
        bases = [base.id for base in cls.bases if isinstance(base, ast.Name)]
        inherited = [offered(classes[base]) for base in bases if base in classes]
        return set(public_names(cls)).union(*inherited)

    large = {name: len(offered(cls)) for name, cls in classes.items()}
    assert not {name: count for name, count in large.items() if count > MOST_PUBLIC}


def test_modules_import_no_circle() -> None:
    assert not circle(module_graph())


def test_rooms_import_no_circle() -> None:
    assert not circle(room_graph(module_graph()))


def test_no_chain_of_rooms_is_long() -> None:
    """Counted between rooms: modules of one sub-package may build on each other."""
    chain = longest_chain(room_graph(module_graph()))
    assert len(chain) <= LONGEST_CHAIN, " -> ".join(chain)


def test_nothing_imports_a_private_name() -> None:
    found = {name: private_imports(tree) for name, tree in trees().items()}
    assert not {name: names for name, names in found.items() if names}


@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_nothing_beside_the_package_imports_a_private_name(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    found = {path.name: private_imports(ast.parse(path.read_text("utf-8"))) for path in paths}
    assert not {name: names for name, names in found.items() if names}


def doubles(modules: Mapping[str, ast.Module], names: Callable[[ast.Module], set[str]]) -> set[str]:
    """Return the names that occur in several modules."""
    found = Counter(name for tree in modules.values() for name in names(tree))
    return {name for name, count in found.items() if count > 1}


def class_names(tree: ast.Module) -> set[str]:
    """Return the names of all classes, also of those in functions and classes."""
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def is_type(name: str) -> bool:
    """Whether a name is written as types are: `Stories`, `_Rows`, and not `rows` or `ROWS`."""
    bare = name.lstrip("_")
    return bare[:1].isupper() and not bare.isupper()


def aliases(tree: ast.Module) -> dict[str, str]:
    """Return the definitions of types that are no classes, by name."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            found.update({name: ast.unparse(node.value) for name in filter(is_type, names)})
    return found


def public_functions(tree: ast.Module) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in tree.body if isinstance(node, kinds)}
    return {name for name in names if not name.startswith("_")}


def test_a_class_has_a_name_of_its_own() -> None:
    assert not doubles(trees(), class_names)


def test_an_alias_means_one_type() -> None:
    """Modules may define the same alias, but no other one and no class of that name."""
    found: dict[str, set[str]] = {}
    for tree in trees().values():
        for name, meaning in (dict.fromkeys(class_names(tree), "class") | aliases(tree)).items():
            found.setdefault(name, set()).add(meaning)
    assert not {name: meanings for name, meanings in found.items() if len(meanings) > 1}


def test_functions_of_one_name_do_the_same() -> None:
    commands = f"{PACKAGE.name}.cli."
    modules = {name: tree for name, tree in trees().items() if not name.startswith(commands)}
    assert doubles(modules, public_functions) == SAME_FUNCTIONS


def test_the_measures_measure() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert longest_chain({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == ["a", "b", "c"]
    source = "from sahel_dedup.index.live import _NO_ROW\nimport sahel_dedup._hidden.thing\n"
    assert len(private_imports(ast.parse(source))) == 2
    one = ast.parse("class A: pass\n_Bs = list[int]\nC = 3\nROWS = 4\ndef f(): pass\n")
    two = ast.parse("def g():\n    class A: pass\n_Bs = list[str]\ndef f(): pass\ndef _f(): pass\n")
    assert doubles({"one": one, "two": two}, class_names) == {"A"}
    assert doubles({"one": one, "two": two}, public_functions) == {"f"}
    assert (aliases(one), aliases(two)) == ({"_Bs": "list[int]"}, {"_Bs": "list[str]"})
    source = "def f():\n    from sahel_dedup.batch import cluster\n"
    assert list(imported(ast.parse(source))) == [("sahel_dedup.batch", "cluster", 2)]
