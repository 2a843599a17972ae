"""``index load``: makes an index from the output of ``cluster`` and the articles that it read."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive
from sahel_dedup.clustering.stories import Stories, parts_of
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import ArticleError, MissingTextsError, NotFoundError, SettingsError
from sahel_dedup.evaluation.metrics import label_rows
from sahel_dedup.index.index_corrections import IndexCorrections
from sahel_dedup.index.opening import open_session
from sahel_dedup.index.standing import story_number
from sahel_dedup.index.takeover import GroupedArchive, from_labels, from_parts
from sahel_dedup.io.article_reader import ArticleReader, read_articles
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.paths import expand_paths
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.settings import Settings, check_settings

_STORY = re.compile("s[0-9a-f]{16}")


def load(
    stories: str,
    archive: Sequence[InputPath],
    index_file: str,
    settings: Settings | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    retention: float | None = None,
    keep_texts: bool = True,
    keep_fields: bool = False,
    corrections: str | None = None,
) -> int:
    """Make an index from a grouped archive; see `StoryIndex.from_stories`.

    Parameters
    ----------
    stories : str
        A file of rows with ``id`` and ``story_id``, or what `Stories.save` wrote.
    archive : sequence of path
        Files of the articles that were grouped; none if `stories` has them.
    index_file : str
        A file that must not exist yet.
    settings : Settings, optional
        With which they were grouped; a saved result knows them.
    columns
        See `sahel_dedup.cluster`.
    retention, keep_texts, keep_fields
        See `StoryIndex.open`.
    corrections : path, optional
        A file of corrections to be followed from now on. Those of a saved result are too.

    Returns
    -------
    int
        Number of articles.

    Raises
    ------
    ArticleError
        If a row cannot be used.
    SahelError
        If the two do not have the same articles, or the index already has some.
    """
    said = Corrections.read(corrections)
    if saved := _is_saved(stories):
        if settings is not None:
            raise SettingsError(
                f"{stories!r} contains its settings: leave out --granularity, --window and --model"
            )
        parts = parts_of(Stories.load(stories))
        chosen = parts.grouped.settings
        if not archive and parts.articles is None:
            raise MissingTextsError(
                f"{stories!r} has no texts: name the archive, as in index load {stories} ARCHIVE"
            )
        if not archive and columns:
            raise SettingsError(
                f"--column: no effect without an archive, because {stories!r} contains the articles"
            )
        reader = ArticleReader(columns)
        grouped = from_parts(parts, reader.articles(list(archive)) if archive else None)
        reader.summary.log()
    else:
        chosen = check_settings(settings)
        grouped = _read(stories, archive or expand_paths([stories]), chosen, columns)
    opened = open_session(
        index_file, chosen, retention=retention, keep_texts=keep_texts, keep_fields=keep_fields,
        readonly=False, timeout=0.0,
    )  # fmt: skip
    with closing(opened) as session:
        session.take_over(grouped)
        if saved or said:
            IndexCorrections(session).add([*grouped.corrections, *said])
    return len(grouped.articles)


def _is_saved(path: str) -> bool:
    """Whether a file is a saved result, which is an archive of arrays, and not a table."""
    return zipfile.is_zipfile(path)


def _read(
    stories: str,
    paths: Sequence[InputPath],
    settings: Settings,
    columns: Mapping[str, str] | None,
) -> GroupedArchive:
    story_of, summary = _read_stories(stories), ReadSummary()
    kept: list[Article] = []

    def known() -> Iterator[Article]:
        for article in read_articles(paths, columns=columns, summary=summary):
            if article.id not in story_of:
                raise NotFoundError(
                    f"article {article.id!r} has no story in {stories!r}: give the articles that "
                    "were grouped"
                )
            kept.append(article)
            yield article

    archive = Archive.read(known(), settings, lambda _stage, _done, _all: None, summary)
    if len(kept) < len(story_of):
        missing = next(iter(story_of.keys() - set(archive.ids)))
        raise NotFoundError(f"article {missing!r} is in {stories!r} but not in the archive")
    articles = [kept[place] for place in archive.position.tolist()]
    story = np.array([story_of[name] for name in archive.ids], dtype=np.uint64)
    return from_labels(articles, archive.profiles, archive.sketcher, story, settings)


def _read_stories(path: str) -> dict[str, int]:
    """Read the number of the story of each article."""
    found: dict[str, int] = {}
    for place, row in label_rows(path, ["story_id"]):
        name = row["story_id"]
        if not isinstance(name, str) or not _STORY.fullmatch(name):
            raise ArticleError(
                "not the id of a story, which consists of s and 16 hexadecimal digits", "story_id"
            ).at(*place)
        found[str(row["id"])] = story_number(name)
    return found
