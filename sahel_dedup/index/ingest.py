"""Rows into an index, and an answer out for each: the engine of ``sahel-dedup ingest``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError
from sahel_dedup.index.answers import Assignment
from sahel_dedup.index.story_index import StoryIndex
from sahel_dedup.rows import InputPath, Place, Reporter, Row, SkipReport, read_rows, reporter


def ingest(
    index: StoryIndex,
    paths: InputPath | Sequence[InputPath],
    *,
    skipped: SkipReport | None = None,
    batch_size: int = 1,
) -> Iterator[dict[str, object]]:
    """Add the articles of files to an index.

    It may be killed and run again on the same input: articles that are in the index are
    told of again, and the stories are those of an unbroken run.

    Parameters
    ----------
    index : StoryIndex
    paths
        See `sahel_dedup.rows.read_rows`; ``-`` is standard input, read as it comes.
    skipped : SkipReport, optional
        When given, faulty rows are counted here and left out, otherwise the first one is
        raised. An id that came before with other words is a fault.
    batch_size : int
        Articles that are added at once: more are faster and wait for each other. A rerun
        needs the same number to be the same.

    Yields
    ------
    dict
        What `answer` makes of an article, once it is in the index.

    Raises
    ------
    ArticleError
        If a row cannot be used; the error names its place.
    """
    report = reporter(skipped)
    articles = _articles(read_rows(paths, skipped=skipped), report)
    while batch := list(itertools.islice(articles, batch_size)):
        yield from map(answer, _add(index, batch, report))


def answer(assignment: Assignment) -> dict[str, object]:
    """Put an assignment into a row, fit for JSON."""
    return {
        "id": assignment.id,
        "story_id": assignment.story_id,
        "is_new_story": assignment.is_new_story,
        "relation": assignment.relation,
        "similarity": assignment.similarity,
        "matches": [match.id for match in assignment.matches],
        "merged": [event.story for event in assignment.events if event.kind == "merged"],
    }


def _articles(
    rows: Iterator[tuple[Place, Row]], report: Reporter
) -> Iterator[tuple[Place, Article]]:
    for place, row in rows:
        try:
            yield place, Article.from_mapping(row)
        except ArticleError as error:
            report(error.at(*place))


def _add(
    index: StoryIndex, batch: list[tuple[Place, Article]], report: Reporter
) -> Iterator[Assignment]:
    try:
        yield from index.follow((article for _, article in batch), batch_size=len(batch))
    except ArticleError:
        # Of a batch with a fault nothing was added.
        for place, article in batch:
            try:
                yield index.add(article)
            except ArticleError as error:
                report(error.at(*place))
