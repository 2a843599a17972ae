"""``explain``, ``report`` and ``furniture``: what lies behind the stories, for people to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sahel_dedup.articles import Article
from sahel_dedup.cli.options import Inputs, OnError, Output
from sahel_dedup.cli.terminal import note_faults, output_console
from sahel_dedup.errors import ArticleError, SahelError
from sahel_dedup.furniture import find_furniture
from sahel_dedup.reading import read_articles
from sahel_dedup.rows import Row, SkipReport, read_rows
from sahel_dedup.writing import write_rows

if TYPE_CHECKING:
    from sahel_dedup.explain import Explanation

Out = Annotated[
    str,
    typer.Argument(
        metavar="OUT", help="What cluster wrote, with the texts in it.", show_default=False
    ),
]
OutOrIndex = Annotated[
    str,
    typer.Argument(
        metavar="OUT|INDEX",
        help="What cluster wrote, with the texts in it, or the file of an index.",
        show_default=False,
    ),
]


def explain(
    archive: OutOrIndex,
    first: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show why two articles are one story, or are not, and where they differ."""
    from sahel_dedup.index.store import is_index

    explained = _explain_stored if is_index(archive) else _explain_rows
    explanation = explained(archive, first, second)
    if as_json:
        typer.echo(explanation.to_json())
    else:
        output_console().print(explanation)


def _explain_rows(out: str, first: str, second: str) -> Explanation:
    # Only here: it needs the template engine, which is slow to start.
    from sahel_dedup.explain import explain as compare

    wanted = {first, second}
    found: dict[str, Article] = {}
    for place, row in read_rows(out):
        if str(row.get("id")) in wanted:
            try:
                article = Article.from_mapping(row)
            except ArticleError as error:
                raise error.at(*place) from None
            found[article.id] = article
    if missing := sorted(wanted - set(found)):
        raise SahelError(f"no article {missing[0]!r} in {out}")
    a, b = found[first], found[second]
    stories = {a.extra.get("story_id"), b.extra.get("story_id")}
    return compare(a, b, one_story=None if None in stories else len(stories) == 1)


def _explain_stored(path: str, first: str, second: str) -> Explanation:
    from sahel_dedup.index.story_index import StoryIndex

    with StoryIndex.open(path, readonly=True) as index:
        return index.explain(first, second)


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


def furniture(inputs: Inputs, output: Output = None, on_error: OnError = "raise") -> None:
    """List what is left out of account in articles: datelines, bylines, credits and the like.

    Writes one row for each piece: the id of the article, the kind, its place in the text
    as it came (start and end, in code points) and the piece itself.
    """
    skipped = SkipReport() if on_error == "skip" else None
    write_rows(output, _furniture(read_articles(inputs, skipped=skipped)))
    note_faults(skipped, 0)


def _furniture(articles: Iterable[Article]) -> Iterator[Row]:
    for article in articles:
        for cut in find_furniture(article.text):
            yield {
                "id": article.id,
                "kind": cut.kind,
                "start": cut.start,
                "end": cut.end,
                "text": article.text[cut.start : cut.end],
            }
