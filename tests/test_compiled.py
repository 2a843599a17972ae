"""What turns loops into machine code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba.core.dispatcher
import numpy as np
import pytest
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled


def halves(values: NDArray[np.float64], times: int) -> float:
    total = 0.0
    for value in values:
        for _ in range(times):
            value /= 2
        total += value
    return total


def test_a_compiled_loop_does_what_the_loop_does() -> None:
    values = np.random.default_rng(0).random(100)
    assert compiled(halves)(values, 7) == halves(values, 7)


def test_machine_code_is_made_anew_where_it_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("no locator available")

    monkeypatch.setattr(numba.core.dispatcher.Dispatcher, "enable_caching", refuse)
    assert compiled(halves)(np.ones(3), 1) == 1.5


def test_machine_code_is_kept_for_the_next_process(tmp_path: Path) -> None:
    module = tmp_path / "some_loop.py"
    module.write_text(
        "from sahel_dedup.compiled import compiled\n"
        "@compiled\n"
        "def twice(x):\n"
        "    return 2 * x\n"
        "print(twice(21), sum(twice.stats.cache_hits.values()))\n"
    )
    for hits in (0, 1):
        ran = subprocess.run(
            [sys.executable, module], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert ran.stdout.split() == ["42", str(hits)], ran.stderr
