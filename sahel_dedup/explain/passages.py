"""Shared passages: stretches of text that two articles have in common.

*Verbatim* passages are runs of five or more words, found from all runs of three by greedy string
tiling (Wise, 1993): the longest first, without overlaps. Neighbours with a few other words between
them are one *edited* passage if its two wordings are similar enough. In scripts without spaces, a
word is an n-gram of characters.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from sahel_dedup.explain.document import Document, Span
from sahel_dedup.explain.overlap import word_runs
from sahel_dedup.util.hashing import U64
from sahel_dedup.util.runs import places_in_runs

VERBATIM_WORDS = 5
# At most this many words of each text may be between two parts of an edited passage.
GAP_WORDS = 8
# The lowest similarity (Indel, over words) of the two wordings of an edited passage.
EDITED_SIMILARITY = 0.6
# A passage without a run of five words needs at least this many common words.
_SCATTERED_WORDS = 8

_SEED = 3
# The most pairs of positions of a frequent run; beyond, only positions of equal rank are paired.
_MAX_PLACES = 64

_ZEROS = re.compile(rb"\0+")

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text that two articles have in common.

    Attributes
    ----------
    a, b : Span
        Its positions in both texts.
    similarity : float
        Similarity of the two wordings; 1 for a verbatim passage.
    words : int
        Number of words that the two have in common.
    verbatim : tuple of (Span, Span)
        The parts that are the same in both; the whole of a verbatim passage.
    """

    a: Span
    b: Span
    similarity: float
    words: int
    verbatim: tuple[tuple[Span, Span], ...]

    @property
    def edited(self) -> bool:
        """Whether there are other words between the common ones."""
        return len(self.verbatim) > 1


class Tile(NamedTuple):
    """The words ``a`` to ``a + size`` of one text are the words from ``b`` of the other."""

    a: int
    b: int
    size: int


def shared_passages(a: Document, b: Document) -> list[Passage]:
    """Find the passages that two texts share.

    Parameters
    ----------
    a, b : Document

    Returns
    -------
    list of Passage
        In the order of `a`, without overlaps in either text.
    """
    passages: list[Passage] = []
    for chain in _chains(tiles(a.hashes, b.hashes)):
        similarity = _similarity(a, b, chain)
        long = any(tile.size >= VERBATIM_WORDS for tile in chain)
        whole = similarity >= EDITED_SIMILARITY and (long or _words(chain) >= _SCATTERED_WORDS)
        if whole:
            passages.append(_passage(a, b, chain, similarity))
        else:
            parts = (tile for tile in chain if tile.size >= VERBATIM_WORDS)
            passages.extend(_passage(a, b, [tile], 1.0) for tile in parts)
    return passages


def tiles(a: U64, b: U64) -> list[Tile]:
    """Cover two sequences with common runs, longest first and without overlaps.

    Parameters
    ----------
    a, b : ndarray of uint64
        Hashes of the words.

    Returns
    -------
    list of Tile
        Runs of three or more words, in the order of `a`. If a run of three words gives more than 64
        pairs, its first occurrences are matched with each other, then the second ones, and so on,
        so that the work is linear.
    """
    first, second = _seed_pairs(a, b)
    if not len(first):
        return []
    diagonal = second - first
    order = np.lexsort((first, diagonal))
    first, diagonal = first[order], diagonal[order]
    breaks = (np.diff(diagonal) != 0) | (np.diff(first) != 1)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    sizes = np.diff(np.append(starts, len(first))) + _SEED - 1
    taken_a, taken_b = np.zeros(len(a), dtype=bool), np.zeros(len(b), dtype=bool)
    found: list[Tile] = []
    for run in np.argsort(-sizes, kind="stable").tolist():
        low, size = int(first[starts[run]]), int(sizes[run])
        shift = int(diagonal[starts[run]])
        taken = taken_a[low : low + size] | taken_b[low + shift : low + shift + size]
        for begin, end in _free_runs(taken):
            if end - begin >= _SEED:
                taken_a[low + begin : low + end] = True
                taken_b[low + begin + shift : low + end + shift] = True
                found.append(Tile(low + begin, low + begin + shift, end - begin))
    return sorted(found)


def _seed_pairs(a: U64, b: U64) -> tuple[Places, Places]:
    """Return positions of the same run of three words, in the one text and in the other."""
    nothing = np.zeros(0, dtype=np.int64)
    if min(len(a), len(b)) < _SEED:
        return nothing, nothing
    seeds_a, seeds_b = word_runs(a, _SEED), word_runs(b, _SEED)
    order_a, order_b = np.argsort(seeds_a, kind="stable"), np.argsort(seeds_b, kind="stable")
    common = np.intersect1d(seeds_a, seeds_b)
    low_a, count_a = _range_of(common, seeds_a[order_a])
    low_b, count_b = _range_of(common, seeds_b[order_b])
    few = count_a * count_b <= _MAX_PLACES
    size = np.where(few, count_a * count_b, np.minimum(count_a, count_b))
    step = places_in_runs(size)
    width = np.repeat(np.where(few, count_b, 1), size)
    in_a = step // width
    in_b = np.where(np.repeat(few, size), step % width, step)
    return order_a[np.repeat(low_a, size) + in_a], order_b[np.repeat(low_b, size) + in_b]


def _range_of(values: U64, ordered: U64) -> tuple[Places, Places]:
    low = np.searchsorted(ordered, values, side="left")
    return low, np.searchsorted(ordered, values, side="right") - low


def _free_runs(taken: NDArray[np.bool_]) -> list[tuple[int, int]]:
    # Find runs of zero bytes: this takes 2.5 µs on such short arrays, `np.diff` takes 87.
    return [match.span() for match in _ZEROS.finditer(taken.tobytes())]


def _chains(found: list[Tile]) -> list[list[Tile]]:
    """Group tiles that follow each other closely in both texts."""
    kept = _without_strays(found)
    rank = {tile: i for i, tile in enumerate(sorted(kept, key=lambda tile: tile.b))}
    chains: list[list[Tile]] = []
    for tile in kept:
        last = chains[-1][-1] if chains else None
        if last is not None and rank[tile] == rank[last] + 1 and _close(last, tile):
            chains[-1].append(tile)
        else:
            chains.append([tile])
    return chains


def _without_strays(found: list[Tile]) -> list[Tile]:
    """Leave out short tiles that belong to neither neighbour."""
    around = itertools.pairwise([None, *found, None])
    joined = [bool(x and y and _close(x, y)) for x, y in around]
    return [
        tile
        for tile, before, after in zip(found, joined[:-1], joined[1:], strict=True)
        if before or after or tile.size >= VERBATIM_WORDS
    ]


def _close(one: Tile, next_one: Tile) -> bool:
    gap_a = next_one.a - one.a - one.size
    gap_b = next_one.b - one.b - one.size
    return 0 <= gap_a <= GAP_WORDS and 0 <= gap_b <= GAP_WORDS


def _words(chain: list[Tile]) -> int:
    return sum(tile.size for tile in chain)


def _similarity(a: Document, b: Document, chain: list[Tile]) -> float:
    first, last = chain[0], chain[-1]
    if first is last:
        return 1.0
    return Indel.normalized_similarity(
        a.hashes[first.a : last.a + last.size].tolist(),
        b.hashes[first.b : last.b + last.size].tolist(),
    )


def _passage(a: Document, b: Document, chain: list[Tile], similarity: float) -> Passage:
    parts = tuple(
        (a.span(tile.a, tile.a + tile.size - 1), b.span(tile.b, tile.b + tile.size - 1))
        for tile in chain
    )
    return Passage(
        a=Span(parts[0][0].start, parts[-1][0].end),
        b=Span(parts[0][1].start, parts[-1][1].end),
        similarity=similarity,
        words=_words(chain),
        verbatim=parts,
    )
