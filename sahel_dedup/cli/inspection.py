"""``explain``, ``report``, ``quantities`` and ``boilerplate``: show the content of stories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sahel_dedup.articles import Article
from sahel_dedup.cli.options import Columns, Inputs, OnErrorOption, Output, parse_columns
from sahel_dedup.cli.terminal import note, note_faults, output_console, say
from sahel_dedup.errors import ArticleError, NotFoundError, SettingsError
from sahel_dedup.io.article_reader import ArticleReader, read_articles
from sahel_dedup.io.collisions import STDOUT, check_apart
from sahel_dedup.io.frames import Row
from sahel_dedup.io.probable_mistakes import unknown_ids
from sahel_dedup.io.readers import SkipReport, read_rows
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_folder, check_output, write_rows
from sahel_dedup.util.values import counted

if TYPE_CHECKING:
    from sahel_dedup.explain.explanation import Explanation

Out = Annotated[
    str,
    typer.Argument(
        metavar="STORIES", help="Output of cluster, including the texts.", show_default=False
    ),
]
OutOrIndex = Annotated[
    str,
    typer.Argument(
        metavar="STORIES|INDEX",
        help="Output of cluster, including the texts, or the file of an index.",
        show_default=False,
    ),
]

FollowedCorrections = Annotated[
    str | None,
    typer.Option(
        "--corrections",
        metavar="FILE",
        help="Corrections that cluster applied, to show them.",
        show_default=False,
    ),
]


def explain(
    archive: OutOrIndex,
    first: Annotated[
        str, typer.Argument(metavar="ID", help="Id of an article.", show_default=False)
    ],
    second: Annotated[
        str, typer.Argument(metavar="ID", help="Id of another article.", show_default=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    corrections: FollowedCorrections = None,
) -> None:
    """Show why two articles are in one story or not, and where they differ.

    An index keeps its corrections and needs no --corrections.
    """
    from sahel_dedup.index.sqlite_file import is_index

    check_apart([archive, corrections], {})
    # Bytes read from a pipe would be lost.
    if not (os.path.isfile(archive) and is_index(archive)):
        explanation = _explain_rows(archive, first, second, corrections)
    elif corrections is None:
        explanation = _explain_stored(archive, first, second)
    else:
        raise SettingsError("--corrections: an index keeps its own; see index corrections")
    if as_json:
        say(explanation.to_json())
    else:
        output_console().print(explanation)


def _explain_rows(out: str, first: str, second: str, corrections: str | None) -> Explanation:
    # Imported only here, because it needs the template engine, which is slow to start.
    from sahel_dedup.corrections.corrections import Corrections
    from sahel_dedup.corrections.reasons import reasons
    from sahel_dedup.explain.explanation import explain as compare

    followed = Corrections.read(corrections)
    wanted = {first, second}
    found: dict[str, Article] = {}
    # The parts of which corrections made a story are unknown: each article counts as one.
    parts: dict[object, dict[str, int]] = {}
    reader, read = ArticleReader(), 0
    for place, row in read_rows(out):
        read += 1
        if followed:
            parts.setdefault(row.get("story_id"), {})[str(row.get("id"))] = read
        if str(row.get("id")) in wanted:
            try:
                article = reader.article(row)
            except ArticleError as error:
                raise error.at(*place) from None
            found[article.id] = article
    if missing := sorted(wanted - set(found)):
        raise NotFoundError(f"no article {missing[0]!r} in {out}")
    if strangers := sorted(set(followed.names).difference(*parts.values())):
        note(unknown_ids(len(strangers), strangers[0]))
    note(f"{counted(read, 'row')} read")
    a, b = found[first], found[second]
    ours, theirs = a.extra.get("story_id"), b.extra.get("story_id")
    if None in (ours, theirs):
        if corrections is not None:
            raise SettingsError(
                f"--corrections: {out!r} is not output of cluster, so it follows no corrections"
            )
        return compare(a, b)
    return compare(
        a,
        b,
        one_story=ours == theirs,
        corrections=reasons(followed, parts.get(ours, {}), parts.get(theirs, {}), a.id, b.id),
    )


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
        bool, typer.Option("--singletons", help="Also list stories of one article.")
    ] = False,
    corrections: FollowedCorrections = None,
) -> None:
    """Write an HTML page that shows the stories: one file that needs no network."""
    check_apart([out, corrections], {"--output": output})
    check_folder(output)
    # Imported only here, because it needs the template engine, which is slow to start.
    from sahel_dedup.report.html import write_placed

    found = write_placed(
        read_rows(out), output, title=title, singletons=singletons, corrections=corrections
    )
    if found.unknown:
        note(unknown_ids(len(found.unknown), found.unknown[0]))
    stories = found.sizes.total()
    note(
        f"{counted(found.articles, 'article')} read; {len(found.listed):,} of "
        f"{counted(stories, 'story', 'stories')} listed"
    )


def quantities(out: Out, output: Output = None) -> None:
    """List how many people each article of each story says were killed, wounded and so on.

    Writes one row per number, in order of story, kind and time: story_id, kind (killed, wounded,
    missing, displaced, arrested, hostages), value, high (of a range), bound (exact, at least, at
    most, about), role (current, former, further, part), id, source, published and sentence.
    English, French, Spanish, Portuguese, German and Arabic are read.
    """
    check_apart([out], {"--output": output or STDOUT})
    check_output(output)
    # Imported only here, because it needs the template engine, which is slow to start.
    from sahel_dedup.explain.reported_quantities import quantity_rows
    from sahel_dedup.report.grouping import collect

    collected = collect(read_rows(out), singletons=True, most=None)
    stories = ((story, [r.article for r in reports]) for story, reports in collected.listed)
    found = write_rows(output, quantity_rows(stories))
    note(
        f"{counted(collected.articles, 'article')} read; "
        f"{counted(found, 'quantity', 'quantities')} found"
    )


def boilerplate(
    inputs: Inputs,
    output: Output = None,
    on_error: OnErrorOption = "raise",
    column: Columns = None,
) -> None:
    """List the boilerplate that comparisons ignore: datelines, bylines, credits and the like.

    Writes one row per piece: the id of the article, the kind, the position in the original
    text (start and end, in code points) and the piece itself.
    """
    check_apart(inputs, {"--output": output or STDOUT})
    check_output(output)
    skipped = SkipReport() if on_error == "skip" else None
    summary = ReadSummary()
    columns = parse_columns(column)
    articles = read_articles(inputs, skipped=skipped, columns=columns, summary=summary)
    pieces = write_rows(output, _boilerplate(articles))
    note_faults(skipped)
    left_out = f", {skipped.total:,} left out" if skipped is not None and skipped.total else ""
    note(f"{counted(summary.read, 'article')} read{left_out}; {counted(pieces, 'piece')} found")


def _boilerplate(articles: Iterable[Article]) -> Iterator[Row]:
    from sahel_dedup.text.boilerplate import find_boilerplate

    for article in articles:
        for cut in find_boilerplate(article.text):
            yield {
                "id": article.id,
                "kind": cut.kind,
                "start": cut.start,
                "end": cut.end,
                "text": article.text[cut.start : cut.end],
            }
