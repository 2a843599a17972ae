"""Building of results, assignments and stories, from rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.canonical import canonical_place, merits, outlet_ranks
from sahel_dedup.clustering.story import Story
from sahel_dedup.explain.overlap import Relation, relations
from sahel_dedup.index.live import Live
from sahel_dedup.index.online_linkage import ScoredPairs
from sahel_dedup.index.results import Assignment, Match
from sahel_dedup.index.standing import story_name
from sahel_dedup.scoring.log_odds import LIMIT
from sahel_dedup.util.days import to_moment

MATCHES = 10


class Origin(NamedTuple):
    """The time of publication, outlet and language of an article."""

    published: datetime | None
    source: str | None
    lang: str


def describe(
    live: Live, row: int, article: str, story: int, oldest: int | None, scored: ScoredPairs
) -> Assignment:
    """Describe where an article belongs.

    Parameters
    ----------
    live : Live
    row : int
        The article.
    article : str
        Its id.
    story : int
        Number of its story.
    oldest : int or None
        Row of the first article of the story; ``None`` for a story of this article alone.
    scored : ScoredPairs
        Scores of its pairs.

    Returns
    -------
    Assignment
        The assignment, without events.
    """
    stories, duplicate_of = live.standing.story, int(live.standing.duplicate_of[row])
    if oldest is None and duplicate_of == row:
        return Assignment(article, story_name(story), None, None, (), is_new_story=True)
    known = []
    if oldest is not None:
        known = scored.known(row, lambda other: int(stories[other]) == story)
    if duplicate_of != row:
        known.append((LIMIT, 1.0, duplicate_of))
    relation: Relation | None = None
    similarity = None
    if known:
        known.sort(key=lambda pair: (-pair[0], -pair[1], pair[2]))
        _, similarity, closest = max(known, key=lambda pair: (pair[1], -pair[2]))
        relation = _relation(live, row, closest, [other for _, _, other in known])
    return Assignment(
        id=article,
        story_id=story_name(story),
        relation=relation,
        similarity=similarity,
        matches=tuple(Match(live.ids[o], cosine, score) for score, cosine, o in known[:MATCHES]),
        is_new_story=oldest is None or row <= oldest,
    )


def story_of(live: Live, row: int) -> Story:
    """Return the story of an article."""
    p = live.profiles
    rows = np.array(live.members(row))
    day = np.where(np.isnan(p.day[rows]), -np.inf, p.day[rows])
    rows = rows[np.lexsort((rows, day))]
    return Story(
        id=story_name(int(live.standing.story[row])),
        canonical=live.ids[_canonical(live, rows)],
        articles=tuple(live.ids[member] for member in rows),
    )


def all_rows(live: Live) -> Iterator[dict[str, object]]:
    """Yield a row for each article, story by story; see `StoryIndex.to_frame`."""
    for members in live.stories():
        story = story_of(live, members[0])
        for article in story.articles:
            found = {"id": article, "story_id": story.id, "canonical": article == story.canonical}
            yield found | origin(live, live.row_of[article])._asdict()


def origin(live: Live, row: int) -> Origin:
    """Return the time, outlet and language of an article."""
    p = live.profiles
    day, source = float(p.day[row]), int(p.source[row])
    return Origin(
        None if np.isnan(day) else to_moment(day),
        None if source < 0 else live.sketcher.sources.names[source],
        live.sketcher.langs.names[p.lang[row]],
    )


def _relation(live: Live, row: int, closest: int, others: Sequence[int]) -> Relation:
    """Return the relation of an article to its story; see `Stories.relation`.

    Equal texts are always candidates, so only the candidates of an article are considered.
    """
    p = live.profiles
    if p.same_text(np.full(len(others), row), np.array(others, dtype=np.int64)).any():
        return "exact"
    return relations(p, np.array([row]), np.array([closest]))[0]


def _canonical(live: Live, rows: NDArray[np.int64]) -> int:
    """Return the row of the article that represents a story; see `Settings.canonical`."""
    p, settings, n = live.profiles, live.settings, len(rows)
    ranks = outlet_ranks(settings.preferred_sources, live.sketcher.sources)
    centrality: NDArray[np.float64] = np.zeros(n)
    if settings.canonical == "central" and n > 2:
        centrality = live.similarity.centrality(rows)
    merit = merits(settings.canonical, p.length[rows], centrality)
    ranked = None if ranks is None else ranks[p.source[rows]]
    return int(rows[canonical_place(p.day[rows], merit, ranked)])
