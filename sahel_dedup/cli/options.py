"""Options that several commands share, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Annotated, Literal

import typer

from sahel_dedup.errors import SahelError
from sahel_dedup.rows import STDIN, InputPath, expand_paths, spool_stdin
from sahel_dedup.settings import CanonicalPolicy, Granularity, Settings

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Files of articles (.jsonl, .csv, .parquet, with or without .gz), glob patterns, or "
        "- for JSON lines on standard input.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="File to write, by its ending (as for INPUT); JSON lines on standard output if not "
        "given.",
        show_default=False,
    ),
]
OnError = Annotated[
    Literal["raise", "skip"],
    typer.Option(help="Stop at the first faulty row, or leave faulty rows out and count them."),
]
GranularityOption = Annotated[
    Granularity, typer.Option("--granularity", help="What a story is: see docs/granularity.md.")
]
Window = Annotated[
    str,
    typer.Option(metavar="DAYS|none", help="Articles published further apart are never one story."),
]
Canonical = Annotated[
    CanonicalPolicy, typer.Option("--canonical", help="Which article stands for its story.")
]
Prefer = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="Outlet whose article stands for the story before others; may be repeated, best "
        "first.",
        show_default=False,
    ),
]
Workers = Annotated[int, typer.Option(help="Threads; 0 takes all processors.")]


def make_settings(
    granularity: Granularity,
    window: str,
    workers: int,
    canonical: CanonicalPolicy = "earliest",
    prefer: list[str] | None = None,
) -> Settings:
    """Make settings of options.

    Raises
    ------
    SahelError
        If a value is out of its range.
    """
    try:
        return Settings(
            granularity=granularity,
            window=_parse_window(window),
            canonical=canonical,
            preferred_sources=tuple(prefer or ()),
            workers=workers,
        )
    except ValueError as error:
        raise SahelError(str(error)) from None


def _parse_window(days: str) -> timedelta | None:
    if days.lower() == "none":
        return None
    try:
        return timedelta(days=float(days))
    except (ValueError, OverflowError):
        raise ValueError(f"window: {days!r} is neither a number of days nor 'none'") from None


@contextmanager
def open_inputs(names: list[str]) -> Iterator[list[InputPath]]:
    """Find the files that arguments name, each fit to be read more than once.

    Yields
    ------
    list of path
        Standard input is a temporary file among them, removed at the end of the block.
    """
    with ExitStack() as stack:
        yield [
            stack.enter_context(spool_stdin()) if path == STDIN else path
            for path in expand_paths(names)
        ]
