"""``recut``: groups a saved result again, at another probability or window."""

from __future__ import annotations

from typing import Annotated

import typer

from sahel_dedup.cli.options import Output
from sahel_dedup.cli.terminal import note, say
from sahel_dedup.errors import SettingsError
from sahel_dedup.io.collisions import STDOUT, check_apart
from sahel_dedup.io.writers import check_output, write_rows
from sahel_dedup.util.values import counted


def recut(
    saved: Annotated[
        str,
        typer.Argument(metavar="SAVED", help="File that cluster --save wrote.", show_default=False),
    ],
    output: Output = None,
    min_probability: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="See cluster; at least the value of the saved result.",
            show_default=False,
        ),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(
            metavar="DAYS",
            help="See cluster; at most the value of the saved result.",
            show_default=False,
        ),
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(
            metavar="P,P,...",
            help="Only print a table of the stories at these probabilities.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Group saved articles again, without comparing them again.

    Writes one row per article: id, story_id, canonical, relation and similarity.
    """
    if thresholds is not None and (output is not None or min_probability is not None):
        raise SettingsError(
            "--thresholds: only prints a table; leave out --output and --min-probability"
        )
    check_apart([saved], {"--output": output or STDOUT})
    check_output(output)
    from sahel_dedup.clustering.stories import Stories

    stories = Stories.load(saved)
    if thresholds is not None:
        say(str(stories.recut(window=window).thresholds(_probabilities(thresholds))))
        return
    again = stories.recut(min_probability=min_probability, window=window)
    write_rows(output, again.rows())
    note(
        f"{counted(len(again), 'story', 'stories')} of {counted(len(again.ids), 'article')}; "
        f"there were {len(stories):,}"
    )


def _probabilities(option: str) -> list[float]:
    try:
        return [float(part) for part in option.split(",")]
    except ValueError:
        raise SettingsError(
            f"--thresholds: {option!r} is not a list of numbers, such as .5,.7,.9"
        ) from None
