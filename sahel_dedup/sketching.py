"""Articles to profiles, by all the steps between.

Articles are read in chunks and each chunk is worked on as a few large arrays, in threads:
NumPy lets go of the interpreter in all the heavy parts.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.compiled import compiled
from sahel_dedup.fingerprint import salience_slots, shingle_slots
from sahel_dedup.furniture import find_furniture, strip_furniture
from sahel_dedup.language import detect
from sahel_dedup.profiles import Profiles
from sahel_dedup.tallies import tally_slots
from sahel_dedup.terms import hash_runs, tokenize
from sahel_dedup.threads import ordered_map
from sahel_dedup.vocabulary import Vocabulary

# The title and the first words tell what a report is about; what they hold counts double.
LEAD_TOKENS = 80
MAX_COUNT = 250
# ln(1 + n) in units of 1/64, the term-frequency weight.
TF_UNITS = np.round(64 * np.log1p(np.arange(MAX_COUNT + 1))).astype(np.int64)
TF = np.log1p(np.arange(MAX_COUNT + 1)).astype(np.float32)

_CHUNK_ARTICLES = 256
_CHUNK_CHARS = 1 << 20
_BLOCK_CHARS = 1 << 18
_SECONDS_A_DAY = 86_400.0
_NUMBERING = threading.Lock()
# No wire report is older than the epoch; clocks that lost their battery are.
_FIRST_DAY = 1.0


@dataclass(slots=True)
class Sketcher:
    """Turns articles into profiles; holds the names behind the numbers in them.

    Attributes
    ----------
    vocabulary
        Terms by number.
    sources, langs
        Numbers of outlets and languages by name.
    implausible_dates
        Articles whose date was before 1970-01-02 or in the future, and so was not used.
    """

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    sources: dict[str, int] = field(default_factory=dict)
    langs: dict[str, int] = field(default_factory=dict)
    implausible_dates: int = 0

    def sketch_all(
        self,
        articles: Iterable[Article],
        workers: int = 0,
        done: Callable[[int], None] = lambda _: None,
    ) -> Iterator[tuple[list[str], Profiles]]:
        """Sketch a stream of articles, in order.

        Parameters
        ----------
        articles
            The articles; about two chunks a worker are held at a time.
        workers
            Threads; 0 takes all processors.
        done
            Told the number of articles finished so far.

        Yields
        ------
        ids : list of str
        profiles : Profiles
            A chunk of each.
        """
        finished = 0

        def sketched(chunk: list[Article]) -> tuple[list[str], Profiles]:
            return [article.id for article in chunk], self.sketch(chunk)

        for ids, profiles in ordered_map(sketched, chunked(articles), workers):
            yield ids, profiles
            finished += len(ids)
            done(finished)

    def sketch(self, articles: Sequence[Article]) -> Profiles:
        """Sketch one chunk of articles.

        Parameters
        ----------
        articles : sequence of Article

        Returns
        -------
        Profiles
            One row an article.
        """
        parts = [self._sketch_block(block) for block in _blocks(articles)]
        return parts[0] if len(parts) == 1 else Profiles.concatenate(parts)

    def number_sources_by_name(self) -> NDArray[np.int32]:
        """Give outlets new numbers, in the order of their names, whoever was read first.

        Returns
        -------
        ndarray of int32, shape (len(sources) + 1,)
            New number of each old one; -1 stays.
        """
        old = sorted(self.sources)
        new = np.full(len(old) + 1, -1, dtype=np.int32)
        new[[self.sources[name] for name in old]] = np.arange(len(old))
        self.sources = {name: number for number, name in enumerate(old)}
        return new

    def _sketch_block(self, articles: Sequence[Article]) -> Profiles:
        n = len(articles)
        texts = [strip_furniture(a.text, find_furniture(a.text)) for a in articles]
        titles = [a.title or "" for a in articles]
        tokens = tokenize([part for pair in zip(titles, texts, strict=True) for part in pair])
        numbers = self.vocabulary.look_up(tokens)
        parts = tokens.offsets
        terms, counts, indptr = _count(numbers, len(self.vocabulary), parts)
        # The titles' behind those of the articles.
        indptr, title_indptr = indptr[: n + 1], indptr[n:] - indptr[n]
        terms, title_terms = terms[: indptr[n]], terms[indptr[n] :]
        counts = counts[: indptr[n]]
        offsets = parts[::2].copy()
        langs = detect(tokens, [a.lang for a in articles], parts=2)
        lang = np.array([_number(self.langs, name) for name in langs], dtype=np.int16)
        idf = self._prior_idf(lang, terms, indptr)
        day = np.array([self._day(a.published) for a in articles])
        salient, weights, counting = _weigh(
            terms, counts, idf, self.vocabulary.hashes, numbers, self.vocabulary.is_figure,
            offsets, day,
        )  # fmt: skip
        runs = hash_runs(tokens.hashes, parts[:-1], parts[1:])
        return Profiles(
            indptr=indptr,
            terms=terms,
            counts=counts,
            title_indptr=title_indptr,
            title_terms=title_terms,
            salience=salience_slots(salient, weights, indptr),
            shingles=shingle_slots(tokens.hashes, offsets),
            tallies=tally_slots(tokens.hashes, counting, offsets),
            day=day,
            source=np.array([_number(self.sources, a.source) for a in articles], dtype=np.int32),
            lang=lang,
            body=runs[1::2].copy(),
            headline=runs[::2].copy(),
            length=(offsets[1:] - offsets[:-1]).astype(np.int32),
        )

    def _prior_idf(
        self, lang: NDArray[np.int16], terms: NDArray[np.int32], indptr: NDArray[np.int64]
    ) -> NDArray[np.uint16]:
        """Return the prior IDF of the terms of articles in some languages."""
        names, spoken = list(self.langs), set(lang.tolist())
        if len(spoken) == 1:
            return self.vocabulary.prior_idf(names[spoken.pop()], terms)
        idf = np.empty(len(terms), dtype=np.uint16)
        term_lang = lang.repeat(indptr[1:] - indptr[:-1])
        for number in spoken:
            mine = (term_lang == number).nonzero()[0]
            idf[mine] = self.vocabulary.prior_idf(names[number], terms[mine])
        return idf

    def _day(self, published: datetime | None) -> float:
        day = day_of(published)
        self.implausible_dates += published is not None and math.isnan(day)
        return day


def day_of(published: datetime | None) -> float:
    """Turn a time of publication into days since 1970; NaN where missing or impossible."""
    if published is None:
        return math.nan
    day = published.timestamp() / _SECONDS_A_DAY
    latest = time.time() / _SECONDS_A_DAY + 2
    return day if _FIRST_DAY <= day <= latest else math.nan


def _number(numbers: dict[str, int], name: str | None) -> int:
    """Return the number of a name, the next one for a new name."""
    if name is None:
        return -1
    number = numbers.get(name)
    if number is None:
        # Counting and entering must be one step, or two threads give one number twice.
        with _NUMBERING:
            number = numbers.setdefault(name, len(numbers))
    return number


def _count(
    numbers: NDArray[np.int32], terms: int, parts: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
    """Count the distinct terms of articles, and behind them those of their titles.

    Parameters
    ----------
    numbers : ndarray of int32, shape (n_tokens,)
        Terms of the tokens.
    terms : int
        Number of all terms.
    parts : ndarray of int64, shape (2 * n + 1,)
        Where the title and the text of each article begin, and the end of the last.

    Returns
    -------
    terms, counts, indptr
        As `Profiles` has them, of 2 * n rows.
    """
    # Row, term and the extra count in one sortable number; half as wide, it sorts in half the
    # time, and a block of articles hardly ever needs more.
    bits = terms.bit_length() + 1
    width: type[np.unsignedinteger[Any]] = (
        np.uint32 if len(parts).bit_length() + bits <= 32 else np.uint64
    )
    # A token of a title stands in two rows.
    keys = np.empty(2 * len(numbers), dtype=width)
    keys = keys[: _number_tokens(keys, numbers, parts, bits)]
    keys.sort()
    return _runs(keys, bits, len(parts) - 1)


@compiled
def _weigh(
    terms: NDArray[np.int32],
    counts: NDArray[np.uint8],
    idf: NDArray[np.uint16],
    hash_of: NDArray[np.uint64],
    numbers: NDArray[np.int32],
    is_figure: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    day: NDArray[np.float64],
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.bool_]]:
    """Prepare what the fingerprints take.

    Returns the hashes of the terms, their TF-IDF weights, and which tokens are figures that
    count: those in conflict are evidence of pairs with dates alone.
    """
    hashes = np.empty(len(terms), dtype=np.uint64)
    weights = np.empty(len(terms), dtype=np.int64)
    for i in range(len(terms)):
        hashes[i], weights[i] = hash_of[terms[i]], TF_UNITS[counts[i]] * np.int64(idf[i])
    counting = np.zeros(len(numbers), dtype=np.bool_)
    for row in range(len(day)):
        if not np.isnan(day[row]):
            for i in range(offsets[row], offsets[row + 1]):
                counting[i] = is_figure[numbers[i]]
    return hashes, weights, counting


@compiled
def _number_tokens(
    keys: NDArray[Any], numbers: NDArray[np.int32], parts: NDArray[np.int64], bits: int
) -> int:
    """Give tokens sortable numbers: row by row, term by term, and whether they count twice."""
    size, n = 0, len(parts) // 2
    for row in range(n):
        title, text, end = parts[2 * row], parts[2 * row + 1], parts[2 * row + 2]
        for i in range(title, end):
            twice = 1 if i < text + LEAD_TOKENS else 0
            keys[size] = row << bits | np.int64(numbers[i]) << 1 | twice
            size += 1
    for row in range(n):
        for i in range(parts[2 * row], parts[2 * row + 1]):
            keys[size] = (n + row) << bits | np.int64(numbers[i]) << 1
            size += 1
    return size


@compiled
def _runs(
    keys: NDArray[Any], bits: int, n: int
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
    """Count how often each term stands among sorted tokens, row by row."""
    terms = np.empty(len(keys), dtype=np.int32)
    counts = np.empty(len(keys), dtype=np.uint8)
    indptr = np.zeros(n + 1, dtype=np.int64)
    size = 0
    last = np.int64(-1)
    for key in keys:
        pair, weight = np.int64(key) >> 1, 1 + (np.int64(key) & 1)
        if pair != last:
            last = pair
            terms[size] = pair & ((1 << (bits - 1)) - 1)
            counts[size] = 0
            size += 1
            indptr[1 + (pair >> (bits - 1))] = size
        counts[size - 1] = min(counts[size - 1] + weight, MAX_COUNT)
    for row in range(n):
        indptr[row + 1] = max(indptr[row], indptr[row + 1])
    return terms[:size].copy(), counts[:size].copy(), indptr


def chunked(articles: Iterable[Article]) -> Iterator[list[Article]]:
    """Cut a stream into chunks of bounded number and size."""
    chunk: list[Article] = []
    chars = 0
    for article in articles:
        chunk.append(article)
        chars += len(article.text)
        if len(chunk) == _CHUNK_ARTICLES or chars > _CHUNK_CHARS:
            yield chunk
            chunk, chars = [], 0
    if chunk:
        yield chunk


def _blocks(articles: Sequence[Article]) -> Iterator[Sequence[Article]]:
    """Cut a chunk into blocks: large, for each has a fixed cost, but of bounded memory."""
    first = chars = 0
    for i, article in enumerate(articles):
        chars += len(article.text)
        if chars > _BLOCK_CHARS:
            yield articles[first : i + 1]
            first, chars = i + 1, 0
    if first < len(articles) or not articles:
        yield articles[first:]
