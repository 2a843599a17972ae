"""The canonical article of a story: one rule for the batch, the index and single stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article, check_story
from sahel_dedup.errors import SettingsError
from sahel_dedup.explain.comparison import ComparedArticles, compare_articles
from sahel_dedup.settings import CanonicalPolicy, check_choice, check_sources
from sahel_dedup.sketch.sketcher import day_of


def canonical_place(
    day: NDArray[np.float64],
    merit: NDArray[np.float64] | NDArray[np.int32] | None = None,
    rank: NDArray[np.int64] | None = None,
) -> int:
    """Choose the article that represents a story.

    Parameters
    ----------
    day : ndarray of float64, shape (n,)
        Times of publication; NaN where unknown. Articles with the same time are in order of their
        ids.
    merit : ndarray, shape (n,), optional
        The quantity that the policy compares: see `merits`.
    rank : ndarray of int64, shape (n,), optional
        Ranks of the outlets: see `outlet_ranks`.

    Returns
    -------
    int
        Position of the article from the best outlet; among several, the one with the greatest
        merit; among several, the earliest. Articles without a date come last.
    """
    nothing = np.zeros(len(day))
    keys = (day, nothing if merit is None else -merit, nothing if rank is None else rank)
    # NaN is sorted after every number, and equal values keep their order.
    return int(np.lexsort(keys)[0])


def merits(
    policy: CanonicalPolicy,
    length: NDArray[np.int32],
    centrality: NDArray[np.float64],
) -> NDArray[np.float64] | NDArray[np.int32] | None:
    """Return the quantity that a policy compares before time.

    Parameters
    ----------
    policy : str
        ``"earliest"``: none. ``"longest"``: words of title and text, without boilerplate.
        ``"central"``: similarity to the others.
    length : ndarray of int32, shape (n,)
    centrality : ndarray of float64, shape (n,)
        Sum of the TF-IDF cosines between each article and the others of its story.
    """
    if policy == "longest":
        return length
    return centrality if policy == "central" else None


def outlet_ranks(preferred: Sequence[str], sources: Mapping[str, int]) -> NDArray[np.int64] | None:
    """Rank outlets in order of preference, with all others last.

    Parameters
    ----------
    preferred : sequence of str
        Names of outlets, best first.
    sources : mapping of str to int
        Numbers of the outlets by name.

    Returns
    -------
    ndarray of int64, shape (len(sources) + 1,), or None
        Rank by number of the outlet; the last is that of -1, no outlet. ``None`` if no outlet is
        preferred.
    """
    if not preferred:
        return None
    rank = np.full(len(sources) + 1, len(preferred))
    # If a name is given twice, the first position counts.
    for place, name in reversed(list(enumerate(preferred))):
        if name in sources:
            rank[sources[name]] = place
    return rank


def canonical(
    articles: Sequence[Article],
    policy: CanonicalPolicy = "earliest",
    *,
    preferred_sources: Sequence[str] = (),
    similarity: NDArray[np.float64] | None = None,
) -> Article:
    """Choose the article that represents a story.

    Parameters
    ----------
    articles : sequence of Article
        The articles of one story. Among equals, the earlier wins, then the one with the lesser id.
    policy
        ``"earliest"``; ``"longest"``: the most words in title and text, without boilerplate;
        ``"central"``: the greatest sum of similarities to the others.
    preferred_sources
        Outlets whose articles are preferred to all others, best first.
    similarity : ndarray of float64, shape (n, n), optional
        Similarities between the articles. If missing, ``"central"`` uses their TF-IDF cosines, with
        words weighted as in general news.

    Returns
    -------
    Article

    Raises
    ------
    SettingsError
        If there are no articles, or another argument cannot be used.
    ArticleError
        If an item is not an `Article`.
    """
    articles = check_story(articles)
    check_choice("policy", policy, get_args(CanonicalPolicy))
    preferred_sources = check_sources(preferred_sources)
    if similarity is not None and policy != "central":
        raise SettingsError(
            f"similarity: the policy {policy!r} does not use it; only 'central' does"
        )
    if similarity is not None and np.shape(similarity) != (len(articles), len(articles)):
        raise SettingsError("similarity: not a matrix with a row and a column for each article")
    order = sorted(range(len(articles)), key=lambda place: articles[place].id)
    members = [articles[place] for place in order]
    names = {name: number for number, name in enumerate({a.source or "" for a in members})}
    ranks = outlet_ranks(preferred_sources, names)
    merit = None
    if policy != "earliest":
        compared = compare_articles(members)
        centrality = np.zeros(len(members))
        if policy == "central":
            centrality = (
                _centrality(compared)
                if similarity is None
                else similarity[np.ix_(order, order)].sum(axis=1) - similarity.diagonal()[order]
            )
        merit = merits(policy, compared.profiles.length, centrality)
    chosen = canonical_place(
        np.array([day_of(article.published) for article in members]),
        merit,
        None if ranks is None else ranks[[names[article.source or ""] for article in members]],
    )
    return members[chosen]


def _centrality(compared: ComparedArticles) -> NDArray[np.float64]:
    """Sum the cosines between each article and the others, of which there may be thousands."""
    places = np.arange(len(compared.profiles))
    return np.array(
        [
            compared.similarity.cosines(
                np.full(len(places) - 1, place), np.delete(places, place)
            ).sum()
            for place in places
        ]
    )
