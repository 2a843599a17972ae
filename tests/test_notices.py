"""Notices reach the user: through the log if it has a handler, otherwise on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from sahel_dedup.util.notices import note, warn


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """A logger that nobody hears yet."""
    alone = logging.getLogger("test_notices")
    alone.propagate = False
    alone.addHandler(logging.NullHandler())
    yield alone
    alone.handlers.clear()
    alone.propagate = True
    alone.setLevel(logging.NOTSET)


def test_nobody_listens(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest listens to every logger.
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    warn(logger, "Set %s.", "A")
    assert capsys.readouterr().err == "sahel_dedup: Set A.\n"
    note(logger, "compiling")
    assert capsys.readouterr().err == ""
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    note(logger, "compiling")
    assert capsys.readouterr().err == "sahel_dedup: compiling\n"
    monkeypatch.setattr("sys.stderr", None)
    warn(logger, "lost")


def test_somebody_listens(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    warn(logger, "Set %s.", "A")
    note(logger, "compiling")
    assert records == ["Set A.", "compiling"]
    assert capsys.readouterr().err == ""
