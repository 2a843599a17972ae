"""Addition of rows to an index, with an answer for each: the core of ``sahel-dedup ingest``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from sahel_dedup.errors import ArticleError
from sahel_dedup.index.feed import OnChanged
from sahel_dedup.index.results import Assignment
from sahel_dedup.index.story_index import StoryIndex
from sahel_dedup.io.article_reader import OnBadDate
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.readers import SkipReport
from sahel_dedup.io.tabular import to_json


def ingest(
    index: StoryIndex,
    paths: InputPath | Sequence[InputPath],
    *,
    skipped: SkipReport | None = None,
    dead_letters: IO[str] | None = None,
    on_changed: OnChanged = "raise",
    batch_size: int = 1,
    columns: Mapping[str, str] | None = None,
    on_bad_date: OnBadDate = "drop",
) -> Iterator[dict[str, object]]:
    """Add the articles of files to an index.

    It can be killed and run again on the same input: articles that are in the index are answered
    again, and the stories are those of an uninterrupted run.

    Parameters
    ----------
    index : StoryIndex
    paths
        See `sahel_dedup.io.readers.read_rows`; ``-`` is standard input, read as it arrives.
    skipped : SkipReport, optional
        If given, faulty rows are counted here and left out; otherwise the first one is raised.
    dead_letters : text file, optional
        Receives a JSON line from `dead_letter` for each row that is left out.
    on_changed : {"raise", "update"}
        Whether a known id with other words is a fault, or an edited article.
    batch_size : int
        Number of articles that are added together. Larger batches are faster, but articles wait for
        each other. A rerun gives the same stories only with the same number.
    columns, on_bad_date
        See `sahel_dedup.cluster`.

    Yields
    ------
    dict
        The `answer` to an article, once it is in the index.

    Raises
    ------
    ArticleError
        If a row cannot be used; the error names its place.
    """

    def leave_out(error: ArticleError, row: object) -> None:
        if skipped is None:
            raise error
        if dead_letters is not None:
            dead_letters.write(dead_letter(error, row) + "\n")
            dead_letters.flush()
        skipped.add(error)

    found = index.follow(
        paths,
        batch_size=batch_size,
        on_error="raise" if skipped is None else leave_out,
        on_changed=on_changed,
        columns=columns,
        on_bad_date=on_bad_date,
    )
    yield from map(answer, found)


def answer(assignment: Assignment) -> dict[str, object]:
    """Convert an assignment to a row that JSON can hold."""
    return {
        "id": assignment.id,
        "story_id": assignment.story_id,
        "is_new_story": assignment.is_new_story,
        "relation": assignment.relation,
        "similarity": assignment.similarity,
        "matches": [match.id for match in assignment.matches],
        "merged": [event.story for event in assignment.events if event.kind == "merged"],
        "kept": assignment.kept,
        "updated": assignment.updated,
    }


def dead_letter(error: ArticleError, row: object) -> str:
    """Return a line of JSON for a row that was left out: its place, the reason, and the row."""
    values = {
        "file": error.file,
        "line": error.line,
        "field": error.field,
        "reason": error.reason,
        "row": row,
    }
    # ASCII, so that lone surrogates survive.
    return json.dumps(json.loads(to_json(values)))
