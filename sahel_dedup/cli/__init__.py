"""The command line: ``sahel-dedup``.

There is one module for each group of commands. `options` has their common options, and `terminal`
their output. This module lists the commands.
"""

from typing import Annotated

import typer

import sahel_dedup
from sahel_dedup.cli import (
    audit,
    cluster,
    correcting,
    demo,
    evaluate,
    index,
    inspection,
    recut,
    review,
    serve,
    teach,
    warmup,
)
from sahel_dedup.cli.terminal import EXIT_CODES, Commands, say

app = typer.Typer(
    cls=Commands,
    help="Group reworded copies of one news event into stories.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"sahel-dedup {sahel_dedup.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Group reworded copies of one news event into stories."""


for command in (
    cluster.cluster,
    recut.recut,
    evaluate.evaluate,
    evaluate.sample_pairs,
    teach.teach,
    audit.audit,
    inspection.explain,
    inspection.report,
    inspection.quantities,
    inspection.boilerplate,
    review.review,
    index.ingest,
    serve.serve,
    demo.demo,
    warmup.warmup,
):
    app.command()(command)
# The former name.
app.command("furniture", hidden=True, deprecated=True)(inspection.boilerplate)
index.index.command()(correcting.correct)
index.index.command()(correcting.corrections)
app.add_typer(index.index, name="index")
