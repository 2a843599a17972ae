"""The table of changes that tests must detect is up to date."""

import ast

import pytest

from benchmarks.mutants import MUTANTS, ROOT, Mutant, mutate


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_to_be_changed_is_there(mutant: Mutant) -> None:
    before = (ROOT / "sahel_dedup" / mutant.module).read_text(encoding="utf-8")
    changed = mutate(mutant)
    assert changed != before
    ast.parse(changed)


def test_a_text_that_has_gone_is_named() -> None:
    with pytest.raises(LookupError, match=r"'no such text' is 0 times in batch\.py"):
        mutate(Mutant("gone", "batch.py", "no such text", ""))
