"""Output of the command line: progress and faults on standard error, results on standard output."""

from __future__ import annotations

import gc
import io
import logging
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from typer.core import TyperGroup

from sahel_dedup.errors import SahelError, SahelWarning
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.readers import SkipReport, count_rows
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_stdout, discard, discard_stdout
from sahel_dedup.plain_text import plain, plain_lines
from sahel_dedup.util.values import counted

if TYPE_CHECKING:
    from sahel_dedup.clustering.stories import Stories

_OF_ARTICLES = ("reading", "writing", "report")
# Wide enough for a headline if there is no terminal to ask.
_PIPE_WIDTH = 120
_LINE_EVERY = 30.0
# After so many new objects, the garbage among them is collected.
_NEW_OBJECTS = 50_000
_EXPECTED = (SahelError, OSError, MemoryError)
EXIT_CODES = """\
Exit status: 0 on success; 1 if `index check` finds damage; 2 if an option or the input cannot be
used, or if disk space or memory runs out; 130, 143 and 129 after Ctrl-C, SIGTERM and SIGHUP; 141
if the program that reads the output stops early. In no case is a file left half written.
"""


class Commands(TyperGroup):
    """Commands whose expected failures give one line on standard error and an exit status.

    `EXIT_CODES` lists them. SIGTERM and SIGHUP raise an exception, so that temporary files are
    removed.
    """

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line as a program, and report every failure before Python would."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A character that the terminal cannot show must not end a command.
                stream.reconfigure(errors="backslashreplace")
        status: Any = 0
        try:
            with _log_as_notes(), _rare_collection():
                return super().main(*args, **options)
        except SystemExit as ended:
            status = ended.code
        except _EXPECTED as error:
            # A help text could not be printed; no command has begun.
            status = _fail(error, "standard output")
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError as error:
            status = status or _fail(error, "standard output")
            discard_stdout()
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
        except OSError:
            # As with `2>&1 | head`; there is nowhere left to report it.
            discard(sys.stderr)
        sys.exit(status)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        _raise_signals()
        try:
            return super().invoke(ctx)
        except _EXPECTED as error:
            raise typer.Exit(_fail(error)) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for garbage less often, because rows are freed without it and articles stay."""
    usual = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _fail(error: BaseException, file: str | None = None) -> int:
    """Report an expected failure and return the exit status."""
    if isinstance(error, BrokenPipeError):
        # The reader of the output has stopped.
        discard_stdout()
        return 141
    if isinstance(error, MemoryError):
        reason = "out of memory: give it fewer articles at once, or more memory"
    elif isinstance(error, OSError) and error.strerror:
        name = error.filename if error.filename is not None else file
        reason = error.strerror if name is None else f"{error.strerror}: {name}"
    else:
        reason = str(error)
    typer.secho(f"error: {plain(reason)}", fg="red", err=True)
    return 2


def _raise_signals() -> None:
    """Convert signals to end to exceptions; ignored signals (nohup) stay ignored."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


@contextmanager
def _log_as_notes() -> Iterator[None]:
    """Show the warnings of the library, and that it compiles, as notes."""
    logger, handler = logging.getLogger("sahel_dedup"), _Notes()
    logger.addHandler(handler)
    logging.getLogger("sahel_dedup.util.jit").setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            # Python warnings repeat the log for callers in Python.
            warnings.simplefilter("ignore", SahelWarning)
            yield
    finally:
        logger.removeHandler(handler)


def note(text: str) -> None:
    """Print a message that does not belong to the result on standard error."""
    typer.secho(plain_lines(text), fg="yellow", err=True)


def say(text: str) -> None:
    """Print a result.

    Raises
    ------
    FileError
        If there is no standard output.
    """
    check_stdout()
    with _naming_stdout():
        typer.echo(text)


class _Output(Console):
    """A console on standard output whose failures are those of any other file."""

    def print(self, *objects: Any, **options: Any) -> None:
        with _naming_stdout():
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@contextmanager
def _naming_stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        error.filename = "standard output"
        raise


def note_faults(skipped: SkipReport | None) -> None:
    """Report what reading left out, and why."""
    if skipped is not None and skipped.total:
        note(skipped.summary())


def note_left_out(without_story: int, without_article: int) -> None:
    """Report what is only in the archive, and what is only in the stories."""
    for number, fault in (
        (without_story, "articles have no story"),
        (without_article, "articles of the stories are not in the archive"),
    ):
        if number:
            note(f"left out: {number:,} {fault}")


def note_stories(summary: ReadSummary, stories: Stories) -> None:
    """End a run with one line: what was read, what was left out, and the result."""
    sizes = [len(rows) for rows in stories.members]
    several = sum(size > 1 for size in sizes)
    # One outlet, or nearly as many as articles, shows that the column names something else.
    outlets = f" of {counted(summary.outlets, 'outlet')}" if summary.outlets else ""
    found = f"{counted(len(sizes), 'story', 'stories')}{outlets}, {several:,} with copies"
    largest = f", the largest of {counted(max(sizes), 'article')}" if several else ""
    note(f"{summary}; {found}{largest}")


def output_console() -> Console:
    """Return a console on standard output.

    Raises
    ------
    FileError
        If there is no standard output.
    """
    check_stdout()
    return _Output(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


class _Rate(ProgressColumn):
    """The mean rate since the stage began, because stages report progress at long intervals."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed else 0
        return Text(f"{rate:>9,.0f} a second" if rate >= 1 else "")


class _Lines:
    """Progress without a terminal: a line every half minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock() + _LINE_EVERY

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if (now := self._clock()) >= self._next:
            self._next = now + _LINE_EVERY
            note(f"{stage}: {done:,}" + ("" if total is None else f" of {total:,}"))


@contextmanager
def show_progress(
    paths: Sequence[InputPath],
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show progress by stages: a live display on a terminal, lines elsewhere.

    Parameters
    ----------
    paths
        The input; every stage of `_OF_ARTICLES` processes each row.

    Yields
    ------
    callable
        See `progress` of `sahel_dedup.cluster`.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    articles = count_rows(paths)
    tasks: dict[str, TaskID] = {}
    with Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:<16}"),
        TextColumn("{task.completed:>12,.0f}"),
        _Rate(),
        TextColumn("{task.elapsed:>6.1f} s"),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
    ) as display:

        def on_progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for earlier in tasks.values():
                    display.update(earlier, total=display.tasks[earlier].completed)
                tasks[stage] = display.add_task(stage, total=None)
            total = articles if total is None and stage in _OF_ARTICLES else total
            display.update(tasks[stage], completed=done, total=total)

        yield on_progress
