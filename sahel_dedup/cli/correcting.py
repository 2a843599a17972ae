"""``index correct`` and ``index corrections``: corrections of people to an index."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from sahel_dedup.cli.index_options import File, Wait
from sahel_dedup.cli.options import Output
from sahel_dedup.cli.terminal import note, say
from sahel_dedup.errors import FileError
from sahel_dedup.io.collisions import STDOUT, check_apart
from sahel_dedup.io.writers import check_output, write_rows
from sahel_dedup.util.values import counted


def correct(
    file: File,
    corrections: Annotated[
        str,
        typer.Argument(
            metavar="CORRECTIONS",
            help="Rows with a, b and same, as for cluster --corrections.",
            show_default=False,
        ),
    ],
    wait: Wait = 0,
) -> None:
    """Add corrections to an index; later articles follow them too."""
    from sahel_dedup.index.story_index import StoryIndex

    check_apart([corrections], {"FILE": file})
    if not os.path.exists(file):
        raise FileError(f"no index at {file!r}")
    with StoryIndex.open(file, timeout=wait) as opened:
        events = opened.corrections.add(corrections)
        unknown = opened.corrections.unknown
        say(
            f"{counted(len(opened.corrections), 'correction')}; stories that merged or split: "
            f"{len(events):,}; ids that no article has so far: {len(unknown):,}"
        )


def corrections(file: File, output: Output = None) -> None:
    """Write the corrections of an index, one row each: a, b, same, who, when and why."""
    from sahel_dedup.index.story_index import StoryIndex

    check_apart([file], {"--output": output or STDOUT})
    check_output(output)
    with StoryIndex.open(file, readonly=True) as opened:
        number = write_rows(output, [correction.to_row() for correction in opened.corrections])
    note(counted(number, "correction"))
