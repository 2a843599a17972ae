"""From the stories of an earlier run to those of a new one: kept ids, and changes.

A new run over a grown archive makes new stories. Each takes the id of the former story with which
it shares the most articles. If several claim one id, the one that shares the most takes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sahel_dedup.articles import Article, read_id
from sahel_dedup.clustering.story_ids import former_stories
from sahel_dedup.errors import ArticleError, no_result
from sahel_dedup.io.sources import located_rows, raise_fault
from sahel_dedup.util.values import is_missing, shorten, show

if TYPE_CHECKING:
    import polars as pl

    from sahel_dedup.clustering.partition import StoryPartition

# Columns of `story_changes`.
COLUMNS = ("change", "story_id", "other", "articles")
_Change: TypeAlias = tuple[str, str, str | None, int]
_WANTED = "{'id': ..., 'story_id': ...} for each article"
_KINDS = ("new", "grew", "merged", "split", "shrank", "vanished")


def read_previous(source: StoryPartition | Mapping[str, str] | Any | None) -> Mapping[str, str]:
    """Read the former story of each article.

    Parameters
    ----------
    source
        The result of `sahel_dedup.cluster`, the output of ``sahel-dedup cluster`` or
        ``index export``, a frame or rows with ``id`` and ``story_id``, or a mapping from article id
        to story id. ``None`` stands for no stories.

    Returns
    -------
    mapping of str to str

    Raises
    ------
    ArticleError
        If a row lacks an id or a story, or an id occurs twice. The error names the place.
    """
    if source is None:
        return {}
    if hasattr(source, "rows") and hasattr(source, "story_of"):
        return {str(row["id"]): str(row["story_id"]) for row in source.rows()}
    if isinstance(source, Mapping):
        return {str(article): _name(story, article) for article, story in source.items()}
    found: dict[str, str] = {}
    for place, row in located_rows(source, {}, raise_fault, wanted=_WANTED):
        try:
            article, story = _read(row)
            if article in found:
                raise ArticleError(f"duplicate id: {article!r}", "id")
        except ArticleError as error:
            raise error.at(*place) from None
        found[article] = story
    return found


def story_changes(
    previous: StoryPartition | Mapping[str, str] | Any, stories: StoryPartition
) -> pl.DataFrame:
    """Return a frame that lists how the stories of an earlier run changed.

    Parameters
    ----------
    previous
        See `read_previous`.
    stories : Stories
        The result of `sahel_dedup.cluster` with the same `previous`.

    Returns
    -------
    polars.DataFrame
        Columns are ``change``, ``story_id``, ``other`` and ``articles``, the number of articles
        concerned. The changes are: ``new``: a story none of whose articles existed before.
        ``grew``: a story with new articles. ``merged``: a former story, most of whose articles are
        now in `other`. ``split``: a story whose articles were in `other`, which continues without
        them. ``shrank``: a story some of whose articles are no longer in the archive. ``vanished``:
        a former story none of whose articles are in the archive. Unchanged stories have no row.

    Raises
    ------
    SettingsError
        If `stories` is not a result.
    """
    import polars as pl

    if not hasattr(stories, "story_of"):
        raise no_result(stories, "story_changes(previous, cluster(articles))")

    rows = list(changed(read_previous(previous), stories))
    return pl.DataFrame(rows, dict(zip(COLUMNS, [pl.String] * 3 + [pl.Int64], strict=True)))


def changed(previous: Mapping[str, str], stories: StoryPartition) -> Iterator[dict[str, object]]:
    """Yield the rows of `story_changes`, by kind of change and id of the story."""
    now = {story.id: (len(story), former_stories(story.articles, previous)) for story in stories}
    found = [*_of_stories(now), *_of_former(Counter(previous.values()), now)]
    for row in sorted(found, key=lambda row: (_KINDS.index(row[0]), row[1], row[2] or "")):
        yield dict(zip(COLUMNS, row, strict=True))


def _of_stories(now: Mapping[str, tuple[int, Counter[str]]]) -> Iterator[_Change]:
    """Yield the changes of the present stories."""
    for name, (size, former) in now.items():
        if fresh := size - former.total():
            yield "grew" if former else "new", name, None, fresh
        for other, count in former.items():
            if other != name and other in now:
                yield "split", name, other, count


def _of_former(
    sizes: Mapping[str, int], now: Mapping[str, tuple[int, Counter[str]]]
) -> Iterator[_Change]:
    """Yield the changes of the former stories."""
    into: dict[str, Counter[str]] = {}
    for name, (_, former) in now.items():
        for other, count in former.items():
            into.setdefault(other, Counter())[name] = count
    for name, size in sizes.items():
        left = into.get(name, Counter())
        if left and name not in now:
            other, count = min(left.items(), key=lambda item: (-item[1], item[0]))
            yield "merged", name, other, count
        if gone := size - left.total():
            yield "shrank" if left else "vanished", name, None, gone


def _name(story: object, article: object) -> str:
    """Return the name of a story, which may be a number."""
    if is_missing(story) or story == "":
        raise ArticleError(f"article {show(article)} has none; leave it out", "story_id")
    return str(story)


def _read(row: Mapping[str, object] | Article) -> tuple[str, str]:
    if isinstance(row, Article):
        row = {"id": row.id, **row.extra}
    story = row.get("story_id")
    if is_missing(story) or story == "":
        held = "" if "story_id" in row else f": the row has {shorten(', '.join(map(str, row)))}"
        raise ArticleError(f"missing{held}", "story_id")
    if not isinstance(story, str):
        raise ArticleError(f"not a string: {show(story)}", "story_id")
    return read_id(row), story
