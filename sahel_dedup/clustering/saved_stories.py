"""Stories in a file: the whole result, which can be queried and grouped again later.

The file has NumPy's ``.npz`` format without pickled objects, so that loading runs no code. Because
files may come from elsewhere, every length and every index is checked before use.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.candidates.exact_copies import spans
from sahel_dedup.clustering.partition import Grouped
from sahel_dedup.clustering.recut import Compared
from sahel_dedup.clustering.window import Times
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import FileError
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.io.arrays import read_arrays
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_folder, replacing
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.fingerprint import FINGERPRINT_VERSION
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.words import Words
from sahel_dedup.util.days import length_in_days
from sahel_dedup.util.values import path_text

# Increased whenever the contents of the file change.
_FORMAT = 5
_PAIRS = tuple(item.name for item in fields(Pairs))
_Arrays = dict[str, NDArray[Any]]

_COUNTERS = ("skipped", "placeholders", "elsewhere", "bad_dates")


class StoriesParts(NamedTuple):
    """The parts of a `sahel_dedup.clustering.stories.Stories`."""

    grouped: Grouped
    profiles: Profiles
    compared: Compared
    words: Words
    articles: Sequence[Article] | None
    read_summary: ReadSummary


def save(parts: StoriesParts, to: str | os.PathLike[str]) -> None:
    """Write stories to a file, which appears only when it is complete: see `Stories.save`."""
    path = path_text(to)
    grouped, compared = parts.grouped, parts.compared
    idf, is_number, years = compared.similarity.weights
    arrays: dict[str, Any] = {
        item.name: getattr(parts.profiles, item.name) for item in fields(Profiles)
    }
    arrays |= {
        "position": grouped.position,
        "duplicate_of": grouped.duplicate_of,
        "labels": grouped.labels,
        "parts": grouped.parts,
        "recurrence": compared.evidence.recurrence,
        "idf": idf,
        "is_number": is_number,
        "years": years,
    }
    for kind, pairs in (("inside", grouped.inside), ("compared", compared.pairs)):
        arrays |= {f"{kind}_{name}": getattr(pairs, name) for name in _PAIRS}
    model = grouped.settings.model
    # Not `asdict`, which counts the items of a Counter anew.
    read = parts.read_summary
    summary = {item.name: getattr(read, item.name) for item in fields(ReadSummary)}
    header = {
        "format": _FORMAT,
        "fingerprints": FINGERPRINT_VERSION,
        "settings": asdict(grouped.settings)
        | {
            "window": length_in_days(grouped.settings.window),
            "model": None if model is None else model.to_dict(),
        },
        "ids": list(grouped.ids),
        "sources": list(grouped.sources),
        "words": parts.words[:],
        "previous": dict(grouped.previous),
        "corrections": [correction.to_row() for correction in grouped.corrections],
        "summary": summary | {"columns": sorted(read.columns)},
        "articles": None if parts.articles is None else [_plain(a) for a in parts.articles],
    }
    # Lone surrogates stay as they are.
    packed = np.frombuffer(json.dumps(header, default=str).encode(), dtype=np.uint8)
    check_folder(path)
    with replacing(path) as (file, _):
        np.savez(file, header=packed, **arrays)


def load(source: str | os.PathLike[str]) -> StoriesParts:
    """Read what `save` wrote.

    Raises
    ------
    FileError
        If the file is of another version, or damaged.
    """
    path = path_text(source)
    try:
        arrays = read_arrays(path)
        header = json.loads(arrays["header"].tobytes())
        versions = header["format"], header["fingerprints"]
        if versions != (_FORMAT, FINGERPRINT_VERSION):
            raise FileError(f"{path!r} was written by another version: group the articles again")
        return _restore(header, arrays)
    except OSError as error:
        raise FileError(f"cannot read {path!r}: {error.strerror or error}") from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError,
            RecursionError) as error:  # fmt: skip
        raise FileError(
            f"{path!r} is damaged or not a file of stories: {error}; give a file that "
            "Stories.save or cluster --save wrote"
        ) from error


def _restore(header: dict[str, Any], arrays: _Arrays) -> StoriesParts:
    profiles = Profiles(**{item.name: arrays[item.name] for item in fields(Profiles)})
    n, words, sources = len(header["ids"]), header["words"], header["sources"]
    _check(profiles, arrays, n, len(words), len(sources))
    taught = header["settings"].get("model")
    model = None if taught is None else EvidenceModel.from_dict(taught)
    settings = Settings(**header["settings"] | {"model": model})
    similarity = Similarity.with_idf(
        profiles, arrays["idf"], arrays["is_number"], arrays["years"], len(profiles)
    )
    evidence = Evidence(profiles, similarity, arrays["recurrence"], settings)
    inside, compared = (
        Pairs(*(arrays[f"{kind}_{name}"] for name in _PAIRS)) for kind in ("inside", "compared")
    )
    duplicate_of = arrays["duplicate_of"]
    times = Times(*spans(duplicate_of, profiles.day), settings.window_days)
    grouped = Grouped(
        [str(name) for name in header["ids"]], arrays["position"], profiles, duplicate_of,
        arrays["labels"], arrays["parts"], inside, settings,
        {str(name): number for number, name in enumerate(sources)},
        Corrections.read(list(header["corrections"])),
        {str(name): str(story) for name, story in header["previous"].items()},
    )  # fmt: skip
    stored = header["articles"]
    articles = None if stored is None else [_article(row) for row in stored]
    if articles is not None and len(articles) != n:
        raise ValueError("articles are missing")
    scored = Compared(duplicate_of, times, similarity, evidence, compared)
    return StoriesParts(
        grouped, profiles, scored, Words(words), articles, _summary(header["summary"])
    )


def _check(p: Profiles, arrays: _Arrays, n: int, words: int, sources: int) -> None:
    """Check every length and every index, because compiled loops do not."""
    _check_profiles(p, n)
    for terms in (p.terms, p.title_terms):
        _within("terms", terms, words)
    _within("source", p.source + 1, sources + 1)
    idf = arrays["idf"]
    if idf.ndim != 2 or idf.shape[1] < words or idf.dtype != np.float32:
        raise ValueError("idf has another shape")
    _within("lang", p.lang, len(idf))
    years = arrays["years"]
    if years.ndim != 1 or years.dtype != np.int32:
        raise ValueError("years has another shape")
    _within("years", years, idf.shape[1])
    for name, dtype, size in (
        ("position", np.int64, n), ("duplicate_of", np.int64, n), ("labels", np.int64, n),
        ("parts", np.int64, n), ("recurrence", np.float64, n),
        ("is_number", np.bool_, idf.shape[1]),
    ):  # fmt: skip
        if arrays[name].shape != (size,) or arrays[name].dtype != dtype:
            raise ValueError(f"{name} has another shape")
    if (np.sort(arrays["position"]) != np.arange(n)).any():
        raise ValueError("position is no order")
    _within("duplicate_of", arrays["duplicate_of"], n)
    for kind in ("inside", "compared"):
        _check_pairs(kind, [arrays[f"{kind}_{name}"] for name in _PAIRS], n)


def _check_profiles(p: Profiles, n: int) -> None:
    template = Sketcher().sketch([])
    for item in fields(Profiles):
        column, like = getattr(p, item.name), getattr(template, item.name)
        if column.dtype != like.dtype or column.shape[1:] != like.shape[1:]:
            raise ValueError(f"{item.name} is of another type")
        ragged = item.name in ("terms", "counts", "title_terms")
        if not ragged and len(column) != n + item.name.endswith("indptr"):
            raise ValueError(f"{item.name} is of another length")
    for indptr, terms in (
        (p.indptr, p.terms), (p.indptr, p.counts), (p.title_indptr, p.title_terms),
    ):  # fmt: skip
        if indptr[0] != 0 or indptr[-1] != len(terms) or (np.diff(indptr) < 0).any():
            raise ValueError("the terms of articles are out of order")


def _check_pairs(kind: str, columns: Sequence[NDArray[Any]], n: int) -> None:
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        raise ValueError(f"{kind} pairs differ in length")
    if [column.dtype for column in columns] != [np.int64, np.int64, np.float64, np.float64]:
        raise ValueError(f"{kind} pairs are of another type")
    for rows in columns[:2]:
        _within(kind, rows, n)


def _summary(counts: dict[str, Any]) -> ReadSummary:
    # A file of an earlier version may have counts that are no longer made.
    known = {item.name: counts[item.name] for item in fields(ReadSummary)}
    found = {name: Counter(known[name]) for name in _COUNTERS}
    return ReadSummary(**{**known, **found, "columns": set(known["columns"])})


def _within(name: str, numbers: NDArray[Any], size: int) -> None:
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < size):
        raise ValueError(f"{name} is out of range")


def _plain(article: Article) -> dict[str, Any]:
    published = article.published
    return {
        "id": article.id,
        "text": article.text,
        "title": article.title,
        "published": None if published is None else published.isoformat(),
        "source": article.source,
        "lang": article.lang,
        "extra": dict(article.extra),
        "date_fault": article.date_fault,
    }


def _article(row: dict[str, Any]) -> Article:
    published = row["published"]
    moment = None if published is None else datetime.fromisoformat(published)
    return Article(**{**row, "published": moment})
