"""The wire format: conversion of articles, answers and errors to JSON and back.

Server and clients both use this module, so that they cannot differ. Ids and texts may contain lone
surrogates, which ASCII JSON can represent.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sahel_dedup import errors
from sahel_dedup.articles import Article
from sahel_dedup.clustering.story import Story
from sahel_dedup.errors import ArticleError, CorrectionError, SahelError
from sahel_dedup.index.results import Assignment, Event, IndexStats, Match
from sahel_dedup.io.tabular import plain_value, to_json
from sahel_dedup.scoring.breakdown import ScoreBreakdown, SharedTerm
from sahel_dedup.settings import Settings
from sahel_dedup.util.days import length_in_days, length_of

Json = dict[str, Any]

# Errors by name, which a client raises again with their original class.
_ERRORS: dict[str, type[SahelError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SahelError)
}


def encode(value: object) -> bytes:
    """Write a value as JSON in ASCII, on one line."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def decode(data: bytes | str) -> Any:
    """Read JSON.

    Raises
    ------
    ValueError
        If it is not JSON, or names a field twice.
    """
    try:
        return json.loads(data, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def article_to_json(article: Article) -> Json:
    """Convert an article to the fields that `Article.from_mapping` reads."""
    extra = {str(name): value for name, value in article.extra.items()}
    # With the writer of JSON, which handles dates and other types of Python.
    row: Json = json.loads(to_json(plain_value(extra))) if extra else {}
    row |= {"id": article.id, "text": article.text}
    if article.published is not None:
        row["published"] = article.published.isoformat()
    for name in ("title", "source", "lang"):
        if (value := getattr(article, name)) is not None:
            row[name] = value
    return row


def article_from_json(row: Json) -> Article:
    """Read what `article_to_json` wrote."""
    return Article.from_mapping(row)


def assignment_to_json(found: Assignment) -> Json:
    """Convert an assignment to JSON."""
    return asdict(found)


def assignment_from_json(row: Json) -> Assignment:
    """Read an assignment."""
    matches = tuple(Match(**match) for match in row["matches"])
    return Assignment(**{**row, "matches": matches, "events": events_from_json(row["events"])})


def event_to_json(event: Event) -> Json:
    """Convert an event to JSON."""
    return asdict(event)


def events_from_json(rows: list[Json]) -> tuple[Event, ...]:
    """Read events."""
    return tuple(Event(**row) for row in rows)


def story_to_json(story: Story) -> Json:
    """Convert a story to JSON."""
    return {"id": story.id, "canonical": story.canonical, "articles": story.articles}


def story_from_json(row: Json) -> Story:
    """Read a story."""
    return Story(row["id"], row["canonical"], tuple(row["articles"]))


def stats_to_json(stats: IndexStats) -> Json:
    """Convert statistics to JSON: times in ISO 8601, lengths of time in days."""
    row = asdict(stats)
    if stats.newest is not None:
        row["newest"] = stats.newest.isoformat()
    row["retention"] = length_in_days(stats.retention)
    return row


def stats_from_json(row: Json) -> IndexStats:
    """Read statistics."""
    newest = row["newest"]
    times = {
        "newest": None if newest is None else datetime.fromisoformat(newest),
        "retention": length_of(row["retention"]),
    }
    return IndexStats(**{**row, **times})


def settings_to_json(settings: Settings) -> Json:
    """Convert settings to JSON, with the window in days."""
    return asdict(settings) | {
        "window": length_in_days(settings.window),
        "preferred_sources": list(settings.preferred_sources),
    }


def settings_from_json(row: Json) -> Settings:
    """Read settings."""
    known = {item.name for item in fields(Settings)}
    given = {name: value for name, value in row.items() if name in known}
    return Settings(**{**given, "preferred_sources": tuple(row["preferred_sources"])})


def breakdown_to_json(found: ScoreBreakdown) -> Json:
    """Convert the breakdown of a score to JSON."""
    return asdict(found)


def breakdown_from_json(row: Json) -> ScoreBreakdown:
    """Read the breakdown of a score."""
    return ScoreBreakdown(**{**row, "terms": tuple(SharedTerm(*term) for term in row["terms"])})


def error_to_json(error: SahelError) -> Json:
    """Convert an error to JSON, with its field and place if it has them."""
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _ERRORS)
    row: Json = {"type": kind, "message": str(error)}
    if isinstance(error, ArticleError):
        row |= {"reason": error.reason, "field": error.field, "line": error.line}
    return {"error": row}


def error_from_json(row: Json) -> SahelError:
    """Read an error; an error of unknown class becomes a `SahelError`."""
    described = row["error"]
    kind = _ERRORS.get(described["type"], SahelError)
    if kind is ArticleError:
        return ArticleError(described["reason"], described["field"], described["line"])
    if kind is CorrectionError:
        return CorrectionError(described["message"], ())
    return kind(described["message"])


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object names a field twice")
    return found
