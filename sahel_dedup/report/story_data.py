"""From stories to the data of the report: an index of all, and the details of each.

Passages are marked here and not in the browser, so that only one tokeniser is needed. Offsets are
in UTF-16 units, as in a browser.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sahel_dedup.articles import Article
from sahel_dedup.clustering.canonical import canonical
from sahel_dedup.explain.document import Document, Span, Weigher, read_document
from sahel_dedup.explain.negation import find_negations
from sahel_dedup.explain.overlap import overlap
from sahel_dedup.explain.passages import shared_passages
from sahel_dedup.explain.propagation import PropagationStep, spread
from sahel_dedup.explain.quantities import compare_quantities
from sahel_dedup.explain.reported_quantities import (
    ReportedQuantity,
    find_reported_quantities,
    in_time,
    progress,
)
from sahel_dedup.explain.sentence_alignment import align
from sahel_dedup.io.tabular import without_surrogates
from sahel_dedup.report.decisions import Decision
from sahel_dedup.report.grouping import Report
from sahel_dedup.util.languages import known_language

# Only the beginning of longer texts is shown and compared.
SHOWN_CHARACTERS = 20_000
SHOWN_TITLE = 1_000
LISTED_TITLE = 200
SNIPPET = 180
# Only the first articles of larger stories are shown; all are counted.
SHOWN_ARTICLES = 100
# Quantities in the table of a story, and changes of one in the list of stories.
SHOWN_QUANTITIES = 200
SHOWN_CHANGES = 12
# Corrections of a story, and characters of the reason for one.
SHOWN_DECISIONS = 100
SHOWN_REASON = 1_000
# The other headlines of a story, for searching.
_SEARCHED_TITLES = 20
_SEARCHED_OUTLETS = 40
# Details are compressed, some stories at a time: text shrinks to a third, and a story opens in a
# few milliseconds.
_CHUNK_BYTES = 400_000
_WIDE = re.compile("[\U00010000-\U0010ffff]")


class Builder:
    """Builds the data of the stories, one after the other.

    Parameters
    ----------
    decided : mapping of str to sequence of Decision
        What people decided, by the id of the story.
    """

    def __init__(self, decided: Mapping[str, Sequence[Decision]] | None = None) -> None:
        self._decided = decided or {}
        self._weighers: dict[str, Weigher] = {}
        self.index: list[dict[str, Any]] = []

    def chunks(self, stories: Iterable[tuple[str, list[Report]]]) -> Iterator[str]:
        """Yield the compressed details of stories, and fill `index` meanwhile.

        Parameters
        ----------
        stories : iterable of (str, list of Report)

        Yields
        ------
        str
            Base64 of zlib of a JSON list of stories. The index has the chunk of each story, ``c``,
            and its position in it, ``p``.
        """
        chunk: list[str] = []
        number = size = 0
        for story, reports in stories:
            details, entry = self.story(story, reports)
            self.index.append(entry | {"c": number, "p": len(chunk)})
            chunk.append(_json(details))
            size += len(chunk[-1])
            if size >= _CHUNK_BYTES:
                yield _packed(chunk)
                chunk, size, number = [], 0, number + 1
        if chunk:
            yield _packed(chunk)

    def story(self, story: str, reports: list[Report]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the details of one story, and its entry in the index."""
        way = spread([_shown(report.article) for report in reports])
        found = {report.article.id: report for report in reports}
        chosen = next((r.article.id for r in reports if r.canonical), None)
        if chosen is None:
            chosen = canonical([step.article for step in way.steps]).id
        steps = list(way.steps[:SHOWN_ARTICLES])
        if all(step.article.id != chosen for step in steps):
            steps[-1] = next(step for step in way.steps if step.article.id == chosen)
        places = {step.article.id: place for place, step in enumerate(steps)}
        head = steps[places[chosen]].article
        compared = self._compare_all(head, [step.article for step in steps])
        reported = in_time(
            quantity
            for step in way.steps[:SHOWN_ARTICLES]
            for quantity in find_reported_quantities(step.article)
        )
        decided = self._decided.get(story, ())
        details = {
            "id": _text(story),
            "canonical": places[chosen],
            "more": len(reports) - len(steps),
            "decisions": [_decision(decision) for decision in decided[:SHOWN_DECISIONS]],
            "quantities": [_quantity(quantity) for quantity in reported[:SHOWN_QUANTITIES]],
            "articles": [
                _article(step, found[step.article.id], places, comparison)
                for step, comparison in zip(steps, compared, strict=True)
            ],
        }
        title = head.title or head.text
        others = {step.article.title or "" for step in way.steps[:_SEARCHED_TITLES]} - {head.title}
        entry = {
            "id": _text(story),
            "t": _one_line(title, LISTED_TITLE) or _text(head.id),
            "s": _one_line(head.text, SNIPPET),
            "x": " \n".join(sorted(_one_line(other, LISTED_TITLE) for other in others)),
            "n": len(reports),
            "m": len(way.outlets),
            "o": [_one_line(outlet, 80) for outlet in list(way.outlets)[:_SEARCHED_OUTLETS]],
            "a": _milliseconds(way.first_seen),
            "z": _milliseconds(way.last_seen),
            "d": len(decided),
            "f": sum(1 for comparison in compared if comparison and comparison["conflicts"]),
            "q": {
                kind: values[:SHOWN_CHANGES]
                for kind, values in progress(reported).items()
                if len(set(values)) > 1
            },
        }
        return details, entry

    def _compare_all(
        self, head: Article, articles: Sequence[Article]
    ) -> list[dict[str, Any] | None]:
        """Compare the canonical article with each other one; ``None`` at its own position."""
        lang = (known_language(head.lang) or "en").partition("-")[0]
        weigher = self._weighers.setdefault(lang, Weigher(None, lang))
        first = read_document(head.text, weigher)
        units = _Units(head.text)
        return [
            None if article.id == head.id else _compare(first, units, article.text, weigher, lang)
            for article in articles
        ]


class _Units:
    """Offsets into a text, from code points to UTF-16 units."""

    def __init__(self, text: str) -> None:
        self._wide = [match.start() for match in _WIDE.finditer(text)]

    def pair(self, span: Span) -> list[int]:
        return [span.start + self._before(span.start), span.end + self._before(span.end)]

    def _before(self, offset: int) -> int:
        return bisect_left(self._wide, offset)


def _article(
    step: PropagationStep,
    report: Report,
    places: Mapping[str, int],
    compared: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the data of one article of a story."""
    article = step.article
    return {
        "id": _text(article.id),
        "title": _text(article.title or "")[:SHOWN_TITLE],
        "source": _text(article.source or ""),
        "lang": known_language(article.lang),
        "published": _milliseconds(article.published),
        "hours": step.hours,
        "from": places.get(step.likely_source or ""),
        "shared": round(step.shared, 3),
        "relation": _text(report.relation or "") or None,
        "similarity": report.similarity,
        "text": _text(article.text),
        "cut": len(report.article.text) - len(article.text),
        "compared": compared,
    }


def _compare(
    first: Document, units: _Units, text: str, weigher: Weigher, lang: str
) -> dict[str, Any]:
    second, other_units = read_document(text, weigher), _Units(text)
    alignment = align(first, second)
    shared = overlap(first.hashes, second.hashes)

    def both(a: Span, b: Span) -> list[int]:
        return units.pair(a) + other_units.pair(b)

    return {
        "passages": [
            {
                "at": both(passage.a, passage.b),
                "words": passage.words,
                "parts": [both(a, b) for a, b in passage.verbatim] if passage.edited else [],
            }
            for passage in shared_passages(first, second)
        ],
        "conflicts": [
            both(pair.a.phrase, pair.b.phrase)
            for pair in compare_quantities(first, second, alignment, lang).conflicts
        ],
        "negations": [
            both(negation.a, negation.b)
            for negation in find_negations(first, second, alignment, lang)
        ],
        "inFirst": round(shared.b_in_a, 3),
        "inSecond": round(shared.a_in_b, 3),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    said = decision.correction
    return {
        "a": _text(said.a),
        "b": _text(said.b),
        "same": said.same,
        "who": _text(said.who or ""),
        "when": _text(said.when or ""),
        "why": _text(said.why or "")[:SHOWN_REASON],
        "followed": decision.followed,
    }


def _quantity(quantity: ReportedQuantity) -> dict[str, Any]:
    return {
        "kind": quantity.kind,
        "value": str(quantity),
        "id": _text(quantity.id),
        "source": _text(quantity.source or ""),
        "published": _milliseconds(quantity.published),
        "sentence": _text(quantity.sentence),
    }


def _shown(article: Article) -> Article:
    """Return the article with the part of its text that is shown."""
    return Article(
        article.id,
        article.text[:SHOWN_CHARACTERS],
        article.title,
        article.published,
        article.source,
        article.lang,
    )


def _packed(chunk: list[str]) -> str:
    data = f"[{','.join(chunk)}]".encode()
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _text(text: str) -> str:
    return without_surrogates(text)


def _one_line(text: str, size: int) -> str:
    # A title of a megabyte is cut first, because only its first two hundred words are needed.
    flat = " ".join(_text(text[: 4 * size]).split())
    return flat if len(flat) <= size else flat[: size - 1] + "…"


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
