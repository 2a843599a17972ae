"""Fixtures of several test files: the sample archive, and real news if available."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest
import typer.main
from hypothesis import settings

# There is no deadline, because the first example of a test builds the tables of the engine. The
# same commit draws the same examples, so that results can be reproduced; HYPOTHESIS_PROFILE=full
# draws more and new ones each time, for a nightly run.
settings.register_profile("fast", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("full", deadline=None, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


# Under nohup, or in the background of a script, signals are ignored, and child processes inherit
# that.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def compile_loops() -> None:
    """Compile once what each process that tests start would otherwise compile again."""
    subprocess.run([sys.executable, "-m", "sahel_dedup", "warmup"], check=False, stdout=DEVNULL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile before the processes start that share the tests."""
    compile_loops()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile if tests start processes, unless that is done."""
    starts = any(hasattr(getattr(item, "module", None), "subprocess") for item in session.items)
    if starts and "PYTEST_XDIST_WORKER" not in os.environ:
        compile_loops()


# Files that `make test-fast` leaves out: Spark, browsers, kills, damage, compiled copies of the
# package, and large archives.
SLOW = {
    "test_boundaries", "test_checkpoint", "test_cli", "test_code_cache", "test_collection",
    "test_collisions",
    "test_corrections", "test_errors", "test_feed_examples", "test_fuzz", "test_golden",
    "test_index_arrays",
    "test_index_corrections", "test_index_damage", "test_index_store", "test_jit",
    "test_kept_pairs", "test_near_copies", "test_patterns",
    "test_recipes", "test_report_browser", "test_review_browser", "test_roles", "test_serve",
    "test_spark", "test_spark_cluster", "test_spark_corrections", "test_spark_stream",
    "test_startup", "test_stream_rounds", "test_threads", "test_work",
}  # fmt: skip

# Files that share one Java, which takes long to start and to warm up.
ONE_JAVA = {"tests/test_spark.py", "tests/test_spark_corrections.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow files as slow, and begin with them, Spark before all."""
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker("slow")
    # Processes that share the tests take one file after another: what is short comes last, so that
    # none has to wait long for another one.
    items.sort(key=lambda item: ("test_spark" not in item.nodeid, item.path.stem not in SLOW))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out by files, in their order."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "one process" if file in ONE_JAVA else file

    config.option.loadscopereorder = False
    return Files(config, log)


@pytest.fixture(scope="session", autouse=True)
def _commands_are_built_once() -> Iterator[None]:
    """Keep the command line, which each call of it within this process would build again."""
    built = functools.cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("typer.main.get_command", "typer.testing._get_command"):
            patch.setattr(name, built)
        yield


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
    """Folder of real news, which publishers own and which is not part of the project."""
    folder = Path(os.environ.get("SAHEL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real news found: set SAHEL_DATA")
    return folder
