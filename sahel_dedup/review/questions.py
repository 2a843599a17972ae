"""Questions of a review: pairs of articles, the most uncertain first, and stories."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive
from sahel_dedup.errors import NotFoundError
from sahel_dedup.explain.document import Span
from sahel_dedup.explain.explanation import explain
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """A pair of articles.

    Attributes
    ----------
    a, b : Article
        The earlier one first.
    probability : float
        Probability that the two report one event, from the evidence.
    together : bool
        Whether they are in one story.
    """

    a: Article
    b: Article
    probability: float
    together: bool


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of a review.

    Attributes
    ----------
    pairs : list of Question
    stories : list of (str, list of Article)
        Stories with several articles, those with the most uncertain pair first.
    without_story, without_article : int
        Numbers of articles that were left out because they have no story, and of articles of the
        stories that are not there.
    """

    pairs: list[Question]
    stories: list[tuple[str, list[Article]]]
    without_story: int
    without_article: int

    @classmethod
    def of(
        cls,
        articles: Sequence[Article],
        stories: Mapping[str, str],
        settings: Settings,
        count: int,
        summary: ReadSummary | None = None,
    ) -> Questions:
        """Choose the questions.

        Parameters
        ----------
        articles : sequence of Article
        stories : mapping of str to str
            Story by id of the article; other articles are left out.
        settings : Settings
            Settings with which the stories were made.
        count : int
            Most pairs to ask about.
        summary : ReadSummary, optional
            The summary of reading the articles.

        Raises
        ------
        NotFoundError
            If no article has a story.
        """
        asked = [article for article in articles if article.id in stories]
        if not asked:
            raise NotFoundError("nothing to review: no article of the archive is in the stories")
        archive = Archive.read(asked, settings, lambda *_: None, summary)
        pairs = archive.compare().pairs
        by_row = [asked[place] for place in archive.position.tolist()]
        doubt = np.abs(pairs.score - settings.merge_threshold)
        order = np.lexsort((pairs.second, pairs.first, doubt))
        found: list[Question] = []
        rank: dict[str, int] = {}
        for place in order.tolist():
            a, b = by_row[pairs.first[place]], by_row[pairs.second[place]]
            together = stories[a.id] == stories[b.id]
            if together:
                rank.setdefault(stories[a.id], len(rank))
            probability = 1 / (1 + math.exp(-pairs.score[place]))
            if len(found) < count:
                found.append(Question(a, b, probability, together))
        members: dict[str, list[Article]] = {}
        for article in by_row:
            members.setdefault(stories[article.id], []).append(article)
        several = [(name, group) for name, group in members.items() if len(group) > 1]
        several.sort(key=lambda story: (rank.get(story[0], len(rank)), story[0]))
        left_out = len(articles) - len(asked), len(stories) - len(asked)
        return cls(found, several, *left_out)

    def sheet(self, who: str | None) -> Iterator[dict[str, object]]:
        """Yield a row for each pair, with ``same`` to be filled in, as ``sample-pairs`` does."""
        for question in self.pairs:
            row: dict[str, object] = {"a": question.a.id, "b": question.b.id, "same": None}
            row |= {"who": who, "why": None}
            for name in ("title", "published", "source", "text"):
                row[f"{name}_a"] = getattr(question.a, name)
                row[f"{name}_b"] = getattr(question.b, name)
            yield row | {"probability": round(question.probability, 4)}


def show_pair(question: Question) -> dict[str, Any]:
    """Return a pair for the page: both texts in pieces, with common pieces marked."""
    found = explain(question.a, question.b)
    facts = [
        f"Probability of one event: {question.probability:.0%}. "
        f"They are in {'one story' if question.together else 'two stories'}.",
        f"{(found.relation or 'unrelated').capitalize()}: {found.why}.",
    ]
    facts += [f"{c.kind.capitalize()}: {c.first} / {c.second}" for c in found.conflicts]
    return {
        "a": show_article(question.a)
        | {"pieces": pieces(found.a.text, [p.a for p in found.passages])},
        "b": show_article(question.b)
        | {"pieces": pieces(found.b.text, [p.b for p in found.passages])},
        "facts": facts,
    }


def show_article(article: Article) -> dict[str, Any]:
    """Return the fields of an article, without its text, for the page."""
    published = article.published
    return {
        "id": article.id,
        "title": article.title or "",
        "source": article.source or "",
        "published": "" if published is None else published.isoformat(sep=" ", timespec="minutes"),
    }


def pieces(text: str, shared: Sequence[Span]) -> list[tuple[str, bool]]:
    """Cut a text into pieces, each marked if the other text has it too."""
    found: list[tuple[str, bool]] = []
    at = 0
    for span in sorted(shared, key=lambda span: (span.start, span.end)):
        start, end = max(span.start, at), max(span.end, at)
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    found.append((text[at:], False))
    return [piece for piece in found if piece[0]]
