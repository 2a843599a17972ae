"""Taking over a grouped archive into an index, with its stories and their ids unchanged.

The rows are those of the batch, in order of time, as if the articles had been added in that
order. The index has no events and no past articles, because an archive has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.candidates.exact_copies import exact_duplicates
from sahel_dedup.clustering.partition import StoryPartition
from sahel_dedup.clustering.saved_stories import StoriesParts
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import MissingTextsError, NotFoundError, SettingsError
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.online_recurrence import recurrence_of_nearest
from sahel_dedup.index.standing import story_number
from sahel_dedup.scoring.recurrence import TYPICAL_RECURRENCE, nearest_background
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.digests import text_numbers
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.tokenizer import hash_words
from sahel_dedup.util.days import today


@dataclass(frozen=True, slots=True)
class GroupedArchive:
    """Articles with their stories, in order of time.

    Attributes
    ----------
    articles : sequence of Article
    profiles : Profiles
    terms : sequence of str
        The terms of the profiles by number.
    hashes : ndarray of uint64, shape (n_terms,)
    sources, langs : sequence of str
        Outlets and languages by number.
    story : ndarray of uint64, shape (n,)
        Number of the story of each article.
    duplicate_of : ndarray of int64, shape (n,)
        Row of the first article with the same words, or its own.
    nearest : ndarray of float32, shape (n, 3)
        See `sahel_dedup.index.standing.Standing`.
    corrections : Corrections
        The corrections that the stories follow.
    """

    articles: Sequence[Article]
    profiles: Profiles
    terms: Sequence[str]
    hashes: NDArray[np.uint64]
    sources: Sequence[str]
    langs: Sequence[str]
    story: NDArray[np.uint64]
    duplicate_of: NDArray[np.int64]
    nearest: NDArray[np.float32]
    corrections: Corrections = field(default_factory=Corrections)


def from_parts(parts: StoriesParts, articles: Iterable[Article] | None) -> GroupedArchive:
    """Convert the result of clustering.

    Parameters
    ----------
    parts : StoriesParts
    articles : iterable of Article, optional
        The articles, if the result does not have them.

    Returns
    -------
    GroupedArchive

    Raises
    ------
    NotFoundError, MissingTextsError
        If articles are missing.
    """
    grouped, profiles = parts.grouped, parts.profiles
    found = _in_order(grouped.ids, grouped.position, parts.articles, articles)
    similarity, settings = parts.compared.similarity, grouped.settings
    nearest = _nearest(profiles, similarity, settings)
    # Clustering also recognises forms by their fillings of one day.
    recurrence = parts.compared.evidence.recurrence
    known = np.where(recurrence > TYPICAL_RECURRENCE, recurrence, 0).astype(np.float32)
    named = {name: story.id for story in StoryPartition(grouped) for name in story.articles}
    words = parts.words[:]
    return GroupedArchive(
        articles=found,
        profiles=profiles,
        terms=words,
        hashes=hash_words(words),
        sources=list(grouped.sources),
        langs=_langs(profiles, found),
        story=np.array([_number(named[name]) for name in grouped.ids], dtype=np.uint64),
        duplicate_of=grouped.duplicate_of,
        nearest=np.maximum(nearest, known[:, None]),
        corrections=grouped.corrections,
    )


def from_labels(
    articles: Sequence[Article],
    profiles: Profiles,
    sketcher: Sketcher,
    story: NDArray[np.uint64],
    settings: Settings,
) -> GroupedArchive:
    """Convert articles that were grouped elsewhere.

    Parameters
    ----------
    articles : sequence of Article
        In order of time.
    profiles : Profiles
    sketcher : Sketcher
        The sketcher that made them.
    story : ndarray of uint64, shape (n,)
        Number of the story of each article.
    settings : Settings

    Returns
    -------
    GroupedArchive
        The archive. Copies of one text in two stories stay where they are.
    """
    similarity = Similarity(profiles, sketcher, settings.workers)
    return GroupedArchive(
        articles=articles,
        profiles=profiles,
        terms=sketcher.vocabulary.words,
        hashes=sketcher.vocabulary.hashes,
        sources=sketcher.sources.names,
        langs=sketcher.langs.names,
        story=story,
        duplicate_of=_duplicates_in_stories(profiles, story, settings),
        nearest=_nearest(profiles, similarity, settings),
    )


def fill(engine: Engine, archive: GroupedArchive) -> None:
    """Put a grouped archive into an empty engine, as changes to save.

    An article without a date counts as published on the latest day of the archive.
    """
    live, sketcher = engine.live, engine.live.sketcher
    sketcher.vocabulary.enter(archive.hashes, archive.terms)
    for names, numbers in ((archive.sources, sketcher.sources), (archive.langs, sketcher.langs)):
        for name in names:
            numbers[name] = len(numbers)
    profiles, n = archive.profiles, len(archive.articles)
    live.append([article.id for article in archive.articles], profiles)
    live.clock = float(np.fmax.reduce(profiles.day, initial=live.clock))
    day, s = profiles.day, live.standing
    s.story[:n], s.duplicate_of[:n] = archive.story, archive.duplicate_of
    s.when[:n] = np.where(np.isnan(day), today() if np.isnan(live.clock) else live.clock, day)
    s.nearest[:n], s.recurrence[:n] = archive.nearest, recurrence_of_nearest(archive.nearest, day)
    s.serial[:n] = np.arange(1, n + 1)
    live.next_serial = n + 1
    live.follow(s.story[:0], s.duplicate_of[:0])
    engine.changes.added = list(range(n))
    live.corrections = archive.corrections
    engine.changes.corrected = list(archive.corrections)


def _number(name: str) -> int:
    try:
        return story_number(name)
    except ValueError:
        raise SettingsError(
            f"an index cannot keep the id {name!r} of an earlier run: its ids consist of s and "
            "sixteen hexadecimal digits"
        ) from None


def _in_order(
    ids: Sequence[str],
    position: NDArray[np.int64],
    kept: Sequence[Article] | None,
    given: Iterable[Article] | None,
) -> list[Article]:
    """Return the articles in the order of the rows."""
    if given is None:
        if kept is None:
            raise MissingTextsError(
                "the texts were not kept: the articles were read from a stream; pass them as "
                "articles="
            )
        return [kept[place] for place in position.tolist()]
    wanted = set(ids)
    by_id = {article.id: article for article in given if article.id in wanted}
    if missing := next((name for name in ids if name not in by_id), None):
        raise NotFoundError(f"articles: no article {missing!r}, which is in a story")
    return [by_id[name] for name in ids]


def _nearest(profiles: Profiles, similarity: Similarity, settings: Settings) -> NDArray[np.float32]:
    everything = np.arange(len(profiles))
    found = nearest_background(profiles, everything, similarity, settings.layout, settings.workers)
    return found.astype(np.float32)


def _langs(profiles: Profiles, articles: Sequence[Article]) -> list[str]:
    """Return the names of the languages, taken from one article of each."""
    numbers, rows = np.unique(profiles.lang, return_index=True)
    names = {}
    for number, row in zip(numbers.tolist(), rows.tolist(), strict=True):
        sketcher = Sketcher()
        sketcher.sketch([articles[row]])
        (names[number],) = sketcher.langs.names
    # A number without articles gets a name of its own, which is in no file.
    return [names.get(number, f"?{number}") for number in range(max(names, default=-1) + 1)]


def _duplicates_in_stories(
    profiles: Profiles, story: NDArray[np.uint64], settings: Settings
) -> NDArray[np.int64]:
    """Return the exact duplicates of articles; copies in two stories do not count."""
    text = text_numbers(profiles.body, profiles.body_check)
    both = np.unique(np.stack([text, story]), axis=1, return_inverse=True)[1].reshape(-1) + 1
    chosen = np.where(text > 0, both, 0).astype(np.uint64)
    return exact_duplicates(chosen, profiles.headline, profiles.day, settings.window_days)
