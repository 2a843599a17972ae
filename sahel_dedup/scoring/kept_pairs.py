"""Candidate pairs that a checkpoint keeps, so that an archive that has grown compares little anew.

Which pairs are candidates follows from the fingerprints, which never change
(`sahel_dedup.candidates.grown`). Their TF-IDF cosines do change, because each new article changes
the IDF of its words. But most candidates are far below the least cosine that matters, and the
vector of an article turns by a small angle only. The angle between two vectors shrinks by no more
than the sum of their turns, and a cosine rises by no more than that. So a bound is kept for each
pair, and only pairs whose bound reaches the least cosine are compared. All others would be dropped
(`sahel_dedup.scoring.survivors`): what is scored is the same, and so are the stories.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.grown import changed_pairs
from sahel_dedup.candidates.pair_table import PairTable
from sahel_dedup.scoring.kept_meetings import ARRAYS, KeptMeetings
from sahel_dedup.scoring.log_odds import least_cosine
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.scoring.vectors import GRID
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.fingerprint import EMPTY_SLOT
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import TF, Sketcher
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.parallel import slices

_LOGGER = logging.getLogger("sahel_dedup")
# Bounds are whole numbers of this fraction, rounded up.
_UNITS = 8192
_HIGHEST = (1 << 16) - 1
# Buckets of larger archives depend on their size (`sahel_dedup.candidates.lsh.KEY_SHIFT`).
_MOST_ARTICLES = (1 << 20) - 1
_COMPARED_AT_ONCE = 1 << 20
_ARRAYS = ("file_of", "line_of", "day", "member", "idf", "bound", "indptr", "second",
           "prior", *ARRAYS)  # fmt: skip


class ReadLines(NamedTuple):
    """Where the articles of an archive were read.

    Attributes
    ----------
    files : list of str
        Contents of the files (`sahel_dedup.io.checkpoint.file_key`), each once.
    file : ndarray of int64, shape (n,)
        Number of the file of each article.
    line : ndarray of int64, shape (n,)
        Its line there, which no other has.
    """

    files: list[str]
    file: NDArray[np.int64]
    line: NDArray[np.int64]

    def code(self, files: list[str]) -> NDArray[np.int64]:
        """Give each article a number by a list of files; -1 if its file is not among them."""
        number = {key: i for i, key in enumerate(files)}
        own = np.array([number.get(key, -1) for key in self.files], dtype=np.int64)
        found = own[self.file]
        return np.where(found < 0, -1, (found << 40) + self.line)


class PairStore(Protocol):
    """What keeps pairs: see `sahel_dedup.io.checkpoint.Checkpoint`."""

    def load_pairs(
        self, names: Collection[str]
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Return the arrays that were saved last, if the numbers of terms are the same."""

    def save_pairs(self, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
        """Save pairs in the place of those that are there."""


class Candidates(NamedTuple):
    """Pairs of articles, sorted, and their TF-IDF cosines."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]


class KeptPairs:
    """The candidate pairs and meetings of the last run over an archive, and those of this run.

    Parameters
    ----------
    store : PairStore
    origin : ReadLines
        Of the articles as they are now, in order of time.

    Attributes
    ----------
    meetings : KeptMeetings
        What is known of meetings once `recall` was called.
    """

    def __init__(self, store: PairStore, origin: ReadLines) -> None:
        self.store, self.origin = store, origin
        self.meetings = KeptMeetings(len(origin.file))
        self._former: tuple[dict[str, NDArray[Any]], dict[str, Any]] | None = None
        self._found: tuple[dict[str, NDArray[Any]], dict[str, Any]] | None = None

    def load(self, sketcher: Sketcher) -> None:
        """Load what was kept, and tell the sketcher how rare each term is in its language."""
        self._former = self.store.load_pairs(_ARRAYS)
        if self._former is not None:
            sketcher.vocabulary.take_priors(sketcher.langs, self._former[0]["prior"])

    def recall(
        self,
        profiles: Profiles,
        single: NDArray[np.int64],
        similarity: Similarity,
        settings: Settings,
    ) -> Candidates | None:
        """Return the candidate pairs that may have enough cosine, and note all for the next run.

        Parameters
        ----------
        profiles : Profiles
        single : ndarray of int64, shape (m,)
            Rows of the articles that are compared.
        similarity : Similarity
        settings : Settings

        Returns
        -------
        Candidates or None
            None if nothing that helps was kept: the archive lacks articles that it had, or the
            window or the recall was another.
        """
        if self._former is None or len(profiles) > _MOST_ARTICLES:
            return None
        arrays, about = self._former
        row = self._rows(arrays, about, profiles)
        if row is None or about["settings"] != _relevant(settings):
            _LOGGER.info("the pairs in the checkpoint are of other articles or settings")
            return None
        n = len(profiles)
        self.meetings = KeptMeetings(n, row, arrays)
        former = PairTable(arrays["indptr"], arrays["second"], arrays["bound"]).moved(row, n)
        before = np.zeros(n, dtype=np.bool_)
        before[row] = arrays["member"]
        now = _members(profiles, single)
        change = changed_pairs(
            profiles.salience, profiles.day, settings.window_days, settings.layout,
            (before, now), former, settings.workers,
        )  # fmt: skip
        if change is None:
            _LOGGER.info("too much has changed since the last run: all pairs are proposed again")
            return None
        table = former.changed(*change, _HIGHEST)
        turn = _turns(profiles, arrays["idf"], similarity.weights[0])
        pairs, places = _compared(table, turn, profiles, similarity)
        table.value[places] = _first_bounds(pairs, profiles)
        self._note(profiles, now, similarity, settings, table)
        return pairs

    def note(
        self,
        profiles: Profiles,
        single: NDArray[np.int64],
        similarity: Similarity,
        settings: Settings,
        pairs: Candidates,
    ) -> None:
        """Note all candidate pairs for the next run; parameters as of `recall`."""
        if len(profiles) <= _MOST_ARTICLES:
            bound = _first_bounds(pairs, profiles)
            table = PairTable.of(pairs.first, pairs.second, bound, len(profiles))
            self._note(profiles, _members(profiles, single), similarity, settings, table)

    def save(self, sketcher: Sketcher) -> None:
        """Save what was noted, once the meetings of this run have been found."""
        if self._found is not None:
            arrays, about = self._found
            prior = sketcher.vocabulary.prior_table(sketcher.langs)
            self.store.save_pairs(arrays | self.meetings.arrays() | {"prior": prior}, about)

    def _rows(
        self, arrays: dict[str, NDArray[Any]], about: dict[str, Any], profiles: Profiles
    ) -> NDArray[np.int64] | None:
        """Return the present row of each former article; None if one is gone or has another day."""
        former = ReadLines(about["files"], arrays["file_of"], arrays["line_of"]).code(
            self.origin.files
        )
        code = self.origin.code(self.origin.files)
        order = np.argsort(code)
        place = np.minimum(np.searchsorted(code, former, sorter=order), len(code) - 1)
        if not len(code):
            return None
        row = order[place]
        if (code[row] != former).any() or (np.diff(row) <= 0).any():
            return None
        same = np.array_equal(profiles.day[row], arrays["day"], equal_nan=True)
        return row if same else None

    def _note(
        self,
        profiles: Profiles,
        member: NDArray[np.bool_],
        similarity: Similarity,
        settings: Settings,
        table: PairTable,
    ) -> None:
        arrays = {
            "file_of": self.origin.file, "line_of": self.origin.line, "day": profiles.day,
            "member": member, "idf": similarity.weights[0], "bound": table.value,
            "indptr": table.indptr, "second": table.second,
        }  # fmt: skip
        self._found = arrays, {"files": self.origin.files, "settings": _relevant(settings)}


def _relevant(settings: Settings) -> list[Any]:
    """Return what candidate pairs depend on, fit for JSON."""
    return [settings.layout.bands, settings.layout.rows, repr(settings.window_days)]


def _members(profiles: Profiles, single: NDArray[np.int64]) -> NDArray[np.bool_]:
    member = np.zeros(len(profiles), dtype=np.bool_)
    member[single] = True
    member &= profiles.salience[:, 0] != EMPTY_SLOT
    return member


def _compared(
    table: PairTable, turn: NDArray[np.int64], profiles: Profiles, similarity: Similarity
) -> tuple[Candidates, NDArray[np.int64]]:
    """Compare the pairs that may have enough cosine; return them, and their places."""
    rough = _roughness(profiles)
    first, places = raise_bounds(table, turn, rough, profiles.day, _least())
    second = table.second[places].astype(np.int64)
    parts = [similarity.cosines(first[s], second[s])
             for s in slices(len(first), _COMPARED_AT_ONCE)]  # fmt: skip
    return Candidates(first, second, np.concatenate([np.zeros(0), *parts])), places


def _least() -> NDArray[np.int64]:
    """Return the least cosine of pairs with and without dates, in units, rounded down."""
    return np.floor(least_cosine(np.array([True, False])) * _UNITS).astype(np.int64)


def _first_bounds(pairs: Candidates, profiles: Profiles) -> NDArray[np.uint16]:
    """Return bounds of the true cosines: those of rounded vectors are a little off."""
    rough = _roughness(profiles)
    bound = np.ceil(pairs.cosine * _UNITS) + rough[pairs.first] + rough[pairs.second]
    return np.asarray(np.minimum(bound, _HIGHEST), dtype=np.uint16)


def _roughness(profiles: Profiles) -> NDArray[np.int64]:
    """Bound how far rounding moves the vector of each article, in units.

    Each entry is off by half a step of the grid at most. One more unit is for the product of two
    such errors, and for sums in 32 bits.
    """
    sizes = np.diff(profiles.indptr)
    return np.asarray(np.ceil(np.sqrt(sizes) / (2 * GRID) * _UNITS) + 2, dtype=np.int64)


def _turns(
    profiles: Profiles, former: NDArray[np.float32], idf: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return the angle by which the vector of each article turned with the IDF, in units."""
    before = np.zeros_like(idf)
    before[: former.shape[0], : former.shape[1]] = former
    p = profiles
    turn = np.zeros(len(p))
    _angles(p.indptr, p.terms, p.counts, p.lang, TF, before, idf, turn)
    return np.asarray(np.ceil(turn * _UNITS) + 1, dtype=np.int64)


@compiled
def _angles(
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    counts: NDArray[np.uint8],
    lang: NDArray[np.int16],
    tf: NDArray[np.float32],
    before: NDArray[np.float32],
    idf: NDArray[np.float32],
    angles: NDArray[np.float64],
) -> None:
    for row in range(len(lang)):
        old = new = both = 0.0
        for i in range(indptr[row], indptr[row + 1]):
            weight = np.float64(tf[counts[i]])
            one = weight * before[lang[row], terms[i]]
            other = weight * idf[lang[row], terms[i]]
            old += one * one
            new += other * other
            both += one * other
        if new > 0 and old > 0:
            cosine = both / np.sqrt(old * new)
            angles[row] = np.arccos(cosine) if cosine < 1 else 0.0
        elif new > 0:
            # Of a vector that was nothing any angle is possible.
            angles[row] = 2.0


def raise_bounds(
    table: PairTable,
    turn: NDArray[np.int64],
    rough: NDArray[np.int64],
    day: NDArray[np.float64],
    least: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Raise the bounds of pairs by the turns of both articles.

    Returns
    -------
    first : ndarray of int64, shape (n_likely,)
        The first articles of the pairs whose bounds reach the least cosine.
    places : ndarray of int64, shape (n_likely,)
        Where these are in the table.
    """
    size = _raise(*table, turn, rough, day, least)
    first, places = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    _list(*table, rough, day, least, first, places)
    return first, places


@compiled
def _raise(
    indptr: NDArray[np.int64],
    second: NDArray[np.int32],
    bound: NDArray[np.uint16],
    turn: NDArray[np.int64],
    rough: NDArray[np.int64],
    day: NDArray[np.float64],
    least: NDArray[np.int64],
) -> int:
    size = 0
    for a in range(len(turn)):
        for i in range(indptr[a], indptr[a + 1]):
            b = second[i]
            higher = np.int64(bound[i]) + turn[a] + turn[b]
            bound[i] = higher if higher < _HIGHEST else _HIGHEST
            size += _is_likely(a, b, bound[i], rough, day, least)
    return size


@compiled
def _list(
    indptr: NDArray[np.int64],
    second: NDArray[np.int32],
    bound: NDArray[np.uint16],
    rough: NDArray[np.int64],
    day: NDArray[np.float64],
    least: NDArray[np.int64],
    first: NDArray[np.int64],
    places: NDArray[np.int64],
) -> None:
    size = 0
    for a in range(len(day)):
        for i in range(indptr[a], indptr[a + 1]):
            if _is_likely(a, second[i], bound[i], rough, day, least):
                first[size], places[size] = a, i
                size += 1


@compiled
def _is_likely(
    a: int,
    b: int,
    bound: int,
    rough: NDArray[np.int64],
    day: NDArray[np.float64],
    least: NDArray[np.int64],
) -> bool:
    wanted = least[1] if np.isnan(day[a] - day[b]) else least[0]
    return bool(np.int64(bound) + rough[a] + rough[b] >= wanted)
