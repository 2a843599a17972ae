"""The stages that `benchmarks.stages` times are there, whatever they have been renamed to."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.stages import STAGES


@pytest.mark.parametrize(("owner", "name"), STAGES.values(), ids=STAGES)
def test_every_stage_is_a_function(owner: Any, name: str) -> None:
    assert callable(getattr(owner, name))
