"""Ids of stories, which are the same in every run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence


def story_ids(first_articles: Iterable[str]) -> list[str]:
    """Name stories after their first articles, each with a different name.

    With only sixteen digits, somebody could construct article ids with the same hash. The first of
    these gets the name that it would have alone.

    Parameters
    ----------
    first_articles : iterable of str
        Id of each story's first article.

    Returns
    -------
    list of str
    """
    articles = list(first_articles)
    names = [story_id(article) for article in articles]
    taken = set(names)
    if len(taken) == len(names):
        return names
    seen: set[str] = set()
    for i, article in enumerate(articles):
        attempt = 0
        while names[i] in (taken if attempt else seen):
            attempt += 1
            names[i] = story_id(article, attempt)
        taken.add(names[i])
        seen.add(names[i])
    return names


def story_id(first_article: str, attempt: int = 0) -> str:
    """Name a story after its first article.

    Parameters
    ----------
    first_article : str
        Id of the article.
    attempt : int
        Number of names for this article that other stories already have.

    Returns
    -------
    str
        ``s`` and sixteen hexadecimal digits.
    """
    data = first_article.encode("utf-8", "surrogatepass")
    # Not a suffix of the id, because the result might be the id of another article.
    person = attempt.to_bytes(8, "big") if attempt else b""
    return "s" + hashlib.blake2b(data, digest_size=8, person=person).hexdigest()


def kept_names(stories: Sequence[Sequence[str]], previous: Mapping[str, str]) -> list[str]:
    """Name stories; those that continue former ones keep their names.

    Parameters
    ----------
    stories : sequence of sequence of str
        The articles of each story, in order of time.
    previous : mapping of str to str
        The former story of each article.

    Returns
    -------
    list of str
        No name occurs twice, and none is that of a former story that another story continues.
    """
    shared = [
        (-count, former, number)
        for number, articles in enumerate(stories)
        for former, count in former_stories(articles, previous).items()
    ]
    names: dict[int, str] = {}
    given: set[str] = set()
    for _, former, number in sorted(shared):
        if number not in names and former not in given:
            names[number] = former
            given.add(former)
    # A former id must never denote another story.
    taken = set(previous.values())
    for number, articles in enumerate(stories):
        if number not in names:
            attempt, name = 0, story_id(articles[0])
            while name in taken:
                attempt += 1
                name = story_id(articles[0], attempt)
            names[number] = name
            taken.add(name)
    return [names[number] for number in range(len(stories))]


def former_stories(articles: Iterable[str], previous: Mapping[str, str]) -> Counter[str]:
    """Count the articles that were in each former story."""
    return Counter(previous[article] for article in articles if article in previous)
