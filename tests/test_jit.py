"""Compilation of loops: lazy, never stale, and as Python on request."""

from __future__ import annotations

import ast
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import sahel_dedup
from sahel_dedup.sketch.number_contexts import conflicts
from sahel_dedup.util.code_cache import sources
from sahel_dedup.util.hashing import splitmix64, splitmix64_one
from sahel_dedup.util.jit import code_cache as code_cache_of_this_process
from sahel_dedup.util.jit import compiled

PACKAGE = Path(sahel_dedup.__file__).parent


def halves(values: NDArray[np.float64], times: int) -> float:
    total = 0.0
    for value in values:
        for _ in range(times):
            value /= 2
        total += value
    return total


def run(source: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script on the package that lies in a folder."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(folder), **environment},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Folder of a copy of the package."""
    shutil.copytree(PACKAGE, tmp_path / "sahel_dedup", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def edit(copy: Path, module: str, old: str, new: str) -> None:
    path = copy / "sahel_dedup" / module
    source = path.read_text(encoding="utf-8")
    assert source.count(old) == 1
    path.write_text(source.replace(old, new), encoding="utf-8")


def test_a_compiled_loop_does_what_the_loop_does() -> None:
    values = np.random.default_rng(0).random(100)
    assert compiled(halves)(values, 7) == halves(values, 7)


def test_threads_may_call_a_loop_that_is_not_compiled_yet() -> None:
    loop = compiled(halves)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: loop(np.ones(3), 1), range(32)))
    assert results == [1.5] * 32


def test_a_loop_pickles_by_its_name() -> None:
    assert pickle.loads(pickle.dumps(conflicts)) is conflicts


HASH = """
import hashlib
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.util.jit import code_cache
tokens = tokenize(["Nine soldiers killed in Tessarit, 1,200 fled."])
folder = code_cache().folder
times = [] if folder is None else [path.stat().st_mtime_ns for path in folder.iterdir()]
print(hashlib.md5(tokens.hashes.tobytes()).hexdigest(), folder, max(times, default=0))
"""


def test_machine_code_is_kept_until_a_source_changes(copy: Path) -> None:
    """A constant of another module than that of the loop is enough."""
    first, folder, made = run(HASH, copy).stdout.split()
    assert Path(folder).parent == copy / "sahel_dedup" / "__pycache__"
    assert run(HASH, copy).stdout.split() == [first, folder, made]

    edit(copy, "util/hashing.py", "GOLDEN_RATIO = np.uint64(0x9E", "GOLDEN_RATIO = np.uint64(0x8E")
    changed, other, _ = run(HASH, copy).stdout.split()
    assert (changed, other) != (first, folder)
    as_python = run(HASH, copy, NUMBA_DISABLE_JIT="1")
    assert as_python.stdout.split()[0] == changed
    assert as_python.stderr == ""

    edit(copy, "util/hashing.py", "GOLDEN_RATIO = np.uint64(0x8E", "GOLDEN_RATIO = np.uint64(0x9E")
    assert run(HASH, copy).stdout.split() == [first, folder, made]


BOTH = """
import json
from pathlib import Path
import sahel_dedup
rows = [json.loads(line) for line in Path("sahel_dedup/sample/wire.jsonl").open(encoding="utf-8")]
index = sahel_dedup.StoryIndex()
list(index.add_many(rows))
print(len(sahel_dedup.cluster(rows)), len(list(index.stories())))
"""


KEPT = """
import json
from pathlib import Path
import sahel_dedup
rows = [json.loads(line) for line in Path("sahel_dedup/sample/wire.jsonl").open(encoding="utf-8")]
stories = sahel_dedup.cluster(rows)
stories.recut(min_probability=0.8)
ids = [row["id"] for row in rows]
corrections = [sahel_dedup.Correction(ids[0], ids[-1], same=True)]
sahel_dedup.cluster(rows, corrections=corrections).explain(ids[0], ids[-1])
sahel_dedup.StoryIndex.from_stories(stories, "news.index").close()
with sahel_dedup.StoryIndex.open("news.index") as index:
    index.add({"id": "new", "text": rows[0]["text"]})
    list(index.add_many({"id": row["id"] + " again", "text": row["text"]} for row in rows))
    index.update({"id": ids[1], "text": rows[1]["text"] + " Two more died."})
    index.query(rows[2])
with sahel_dedup.StoryIndex.open("news.index", readonly=True) as index:
    index.query(rows[2])
"""


def test_batch_and_stream_follow_a_changed_constant(copy: Path) -> None:
    (copy / "cache").mkdir(mode=0o755)
    made = code_cache_of_this_process().folder
    if made is not None:
        # The copy is what this process runs: what is compiled need not be compiled again.
        shutil.copytree(made, copy / "cache" / made.name)
    before = run(BOTH, copy, NUMBA_CACHE_DIR=str(copy / "cache")).stdout.split()
    edit(
        copy, "scoring/log_odds.py", "LEAST_COSINE_UNDATED = 0.10,", "LEAST_COSINE_UNDATED = 0.99,"
    )
    after = run(BOTH, copy, NUMBA_CACHE_DIR=str(copy / "cache")).stdout.split()
    for now, earlier in zip(after, before, strict=True):
        assert int(now) > int(earlier) + 10
    assert len(list((copy / "cache").iterdir())) == 2


def test_a_first_compilation_is_announced_once(copy: Path) -> None:
    source = "import logging; logging.basicConfig(level=logging.INFO)" + HASH
    assert run(source, copy).stderr.count("compiling loops to machine code") == 1
    assert "compiling" not in run(source, copy).stderr


def test_both_forms_of_a_function_agree() -> None:
    values = np.array([0, 1, 2**63, 2**64 - 1], dtype=np.uint64)
    assert [int(splitmix64_one(value)) for value in values] == splitmix64(values).tolist()


def test_loops_are_made_of_nothing_that_the_digest_leaves_out() -> None:
    """What modules with loops import, directly or not, is all part of the digest."""
    imports: dict[str, set[str]] = {}
    with_loops = set()
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        source = path.read_text(encoding="utf-8")
        if "util.jit import compiled" in source:
            with_loops.add(name)
        imports[name] = {
            found
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and node.module
            for found in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        }
    waiting, needed = list(with_loops), set(with_loops)
    while waiting:
        new = imports[waiting.pop()] & imports.keys() - needed
        needed |= new
        waiting += new
    assert len(with_loops) > 10
    digested = {
        "sahel_dedup." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name, _ in sources()
    }
    assert needed - {"sahel_dedup"} - digested == set()


def test_after_warmup_nothing_is_left_to_compile(copy: Path) -> None:
    """Also beside a cache that an earlier run left half full."""
    folder = copy / "cache"
    folder.mkdir(mode=0o755)
    warm = "from sahel_dedup.cli import app; app(['warmup'])"
    printed = run(warm, copy, NUMBA_CACHE_DIR=str(folder))
    assert f"machine code is stored in {folder}" in printed.stdout
    assert "compiling" in printed.stderr
    pieces = sorted(path.name for path in folder.rglob("*"))
    shutil.copytree(Path(__file__).parent, copy / "tests")
    golden = "from tests import make_golden as m; assert m.batch() and m.stream()"
    large = (
        "from sahel_dedup.clustering import large_components as parts\n"
        "parts.MAX_COMPONENT = parts.PART = 3\n" + golden
    )
    demo = "from sahel_dedup.cli import app; app(['demo'])"
    for later in (warm, BOTH, golden, large, KEPT, demo):
        assert "compiling" not in run(later, copy, NUMBA_CACHE_DIR=str(folder)).stderr
    assert sorted(path.name for path in folder.rglob("*")) == pieces
