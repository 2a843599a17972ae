"""Notices that a user should see at once, even if no handler listens to the log."""

from __future__ import annotations

import logging
import sys


def warn(logger: logging.Logger, message: str, *values: object) -> None:
    """Log a warning; without a handler it is printed on standard error."""
    if _is_heard(logger):
        logger.warning(message, *values)
    else:
        _print(message % values)


def note(logger: logging.Logger, message: str) -> None:
    """Log a note for a person who waits; without a handler, a terminal or notebook shows it."""
    if logger.isEnabledFor(logging.INFO) and _is_heard(logger):
        logger.info(message)
    elif "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty()):
        _print(message)


def _is_heard(logger: logging.Logger) -> bool:
    """Whether there is a handler that does not drop everything."""
    current: logging.Logger | None = logger
    while current is not None:
        if not all(isinstance(handler, logging.NullHandler) for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def _print(message: str) -> None:
    # There is no standard error under pythonw.
    if sys.stderr is not None:
        sys.stderr.write(f"sahel_dedup: {message}\n")
