"""How the command line speaks: progress and faults on standard error, results on output."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

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

from sahel_dedup.errors import SahelError
from sahel_dedup.rows import InputPath, SkipReport, count_rows

_OF_ARTICLES = ("reading", "writing", "report")
# Wide enough for a headline where there is no terminal to ask.
_PIPE_WIDTH = 120


class Commands(TyperGroup):
    """Commands whose expected failures are one line on standard error and an exit status.

    2 for input, settings or a disk that will not do, 130 for an interrupt, 143 for a
    request to terminate, which is raised so that temporary files are removed.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever reads has seen enough, which typer knows to end without a word.
            raise
        except (SahelError, OSError) as error:
            typer.secho(f"error: {error}", fg="red", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def note(text: str) -> None:
    """Tell the user something that does not belong to the result."""
    typer.secho(text, fg="yellow", err=True)


def note_faults(skipped: SkipReport | None, implausible_dates: int) -> None:
    """Tell what was left out of account while reading, and why."""
    if skipped is not None and skipped.total:
        note(skipped.summary())
    if implausible_dates:
        note(f"{implausible_dates:,} dates before 1970-01-02 or in the future, taken as missing")


def output_console() -> Console:
    """Return a console on standard output."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


class _Rate(ProgressColumn):
    """Mean rate since the stage began: stages tell how far they are at long intervals."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed else 0
        return Text(f"{rate:>9,.0f} a second" if rate >= 1 else "")


@contextmanager
def progress(
    paths: Sequence[InputPath],
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show the stages of the work while it runs, on a terminal only.

    Parameters
    ----------
    paths
        The input, of which every stage of `_OF_ARTICLES` takes each row.

    Yields
    ------
    callable
        See `progress` of `sahel_dedup.cluster`.
    """
    console = Console(stderr=True)
    articles = count_rows(paths) if console.is_terminal else None
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
        disable=not console.is_terminal,
    ) as display:

        def tell(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for earlier in tasks.values():
                    display.update(earlier, total=display.tasks[earlier].completed)
                tasks[stage] = display.add_task(stage, total=None)
            total = articles if total is None and stage in _OF_ARTICLES else total
            display.update(tasks[stage], completed=done, total=total)

        yield tell
