"""``explain`` and ``report``: why articles are one story, and a page to look at them."""

from __future__ import annotations

from typing import Annotated

import typer

from sahel_dedup.articles import Article
from sahel_dedup.cli.terminal import output_console
from sahel_dedup.errors import SahelError
from sahel_dedup.rows import read_rows

Out = Annotated[
    str,
    typer.Argument(
        metavar="OUT", help="What cluster wrote, with the texts in it.", show_default=False
    ),
]


def explain(
    out: Out,
    first: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what two articles share, and where they differ."""
    # Only here: it needs the template engine, which is slow to start.
    from sahel_dedup.explain import explain as compare

    wanted = {first, second}
    found: dict[str, Article] = {}
    for place, row in read_rows(out):
        if str(row.get("id")) in wanted:
            try:
                article = Article.from_mapping(row)
            except SahelError as error:
                raise SahelError(f"{place.file}, line {place.line}: {error}") from None
            found[article.id] = article
    if missing := sorted(wanted - set(found)):
        raise SahelError(f"no article {missing[0]!r} in {out}")
    explanation = compare(found[first], found[second])
    if as_json:
        typer.echo(explanation.to_json())
    else:
        output_console().print(explanation)


def report(
    out: Out,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="HTML file to write.")
    ] = "report.html",
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Stories",
    singletons: Annotated[
        bool, typer.Option("--singletons", help="List stories of one article too.")
    ] = False,
) -> None:
    """Write a page to look at the stories with: one HTML file that needs no network."""
    from sahel_dedup.report import write_report

    rows = (row for _, row in read_rows(out))
    write_report(rows, output, title=title, singletons=singletons)
