"""The command line: ``sahel-dedup``.

A module for each group of commands; `options` has what they share, `terminal` how they
speak. This is the list of the commands.
"""

import typer

from sahel_dedup.cli.auditing import audit
from sahel_dedup.cli.clustering import cluster, evaluate
from sahel_dedup.cli.demo import demo
from sahel_dedup.cli.showing import explain, furniture, report
from sahel_dedup.cli.streaming import index, ingest
from sahel_dedup.cli.terminal import Commands

app = typer.Typer(
    cls=Commands,
    help="Groups reworded copies of one news event into stories.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (cluster, evaluate, audit, explain, report, furniture, ingest, demo):
    app.command()(command)
app.add_typer(index, name="index")
