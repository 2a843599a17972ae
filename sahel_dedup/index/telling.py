"""From rows to what a caller is told: assignments and stories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.evidence import LIMIT
from sahel_dedup.index.answers import Assignment, Match
from sahel_dedup.index.days import to_moment
from sahel_dedup.index.joining import Weighed
from sahel_dedup.index.live import Live, story_name
from sahel_dedup.relation import NEAR_CONTAINMENT, NEAR_JACCARD, Relation
from sahel_dedup.stories import Story, shingle_overlap

MATCHES = 10


class Origin(NamedTuple):
    """When and where an article was published, and its language."""

    published: datetime | None
    source: str | None
    lang: str


def describe(
    live: Live, row: int, article: str, story: int, others: Sequence[int], weighed: Weighed
) -> Assignment:
    """Put an assignment into words.

    Parameters
    ----------
    live : Live
    row : int
        The article.
    article : str
        Its id.
    story : int
        Number of its story.
    others : sequence of int
        Rows of the other articles there.
    weighed : Weighed
        Evidence on the pairs they form.

    Returns
    -------
    Assignment
        Without events.
    """
    known = weighed.known(row, others)
    twin = int(live.standing.twin[row])
    if twin != row:
        known.append((LIMIT, 1.0, twin))
    relation: Relation | None = None
    similarity = None
    if known:
        known.sort(key=lambda pair: (-pair[0], -pair[1], pair[2]))
        _, similarity, closest = max(known, key=lambda pair: (pair[1], -pair[2]))
        relation = _relation(live, row, closest, others)
    return Assignment(
        id=article,
        story_id=story_name(story),
        relation=relation,
        similarity=similarity,
        matches=tuple(Match(live.ids[o], cosine, score) for score, cosine, o in known[:MATCHES]),
        is_new_story=not others or row < min(others),
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


def article_rows(live: Live, members: Sequence[int]) -> list[dict[str, object]]:
    """Return what is known of the articles of a story; see `StoryIndex.rows`."""
    story = story_of(live, members[0])
    told: list[dict[str, object]] = []
    for article in story.articles:
        found = {"id": article, "story_id": story.id, "canonical": article == story.canonical}
        told.append(found | origin(live, live.row_of[article])._asdict())
    return told


def origin(live: Live, row: int) -> Origin:
    """Return what an index knows of where an article comes from."""
    p = live.profiles
    day, source = float(p.day[row]), int(p.source[row])
    return Origin(
        None if np.isnan(day) else to_moment(day),
        None if source < 0 else list(live.sketcher.sources)[source],
        list(live.sketcher.langs)[p.lang[row]],
    )


def _relation(live: Live, row: int, closest: int, others: Sequence[int]) -> Relation:
    """Relation of an article to its story; see `Stories.relation`."""
    body = live.profiles.body
    if body[row] and (body[list(others)] == body[row]).any():
        return "exact"
    jaccard, containment = shingle_overlap(live.profiles, np.array([row]), np.array([closest]))
    near = jaccard[0] >= NEAR_JACCARD or containment[0] >= NEAR_CONTAINMENT
    return "near" if near else "reworded"


def _canonical(live: Live, rows: NDArray[np.int64]) -> int:
    """Row of the article that stands for a story; see `Settings.canonical`."""
    p, settings = live.profiles, live.settings
    if preferred := settings.preferred_sources:
        # One name more than there are outlets: that of -1, no outlet.
        names = [*live.sketcher.sources, ""]
        place = {name: rank for rank, name in enumerate(preferred)}
        ranks = [place.get(names[source], len(preferred)) for source in p.source[rows].tolist()]
        rows = rows[np.array(ranks) == min(ranks)]
    if settings.canonical == "longest":
        return int(rows[np.argmax(p.length[rows])])
    if settings.canonical == "central" and len(rows) > 2:
        i, j = np.nonzero(~np.eye(len(rows), dtype=bool))
        cosine = live.similarity.cosines(rows[i], rows[j])
        return int(rows[np.argmax(np.bincount(i, weights=cosine))])
    return int(rows[np.argmin(np.where(np.isnan(p.day[rows]), np.inf, p.day[rows]))])
