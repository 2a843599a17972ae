"""From articles to profiles, through all steps between.

Articles are read in chunks. Threads process each chunk as a few large arrays; compiled loops and
NumPy release the GIL in all the heavy parts.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.sketch.digests import text_digests
from sahel_dedup.sketch.fingerprint import racer_key, salience_slots, shingle_slots
from sahel_dedup.sketch.number_contexts import number_context_slots
from sahel_dedup.sketch.opening_numbers import opening_numbers
from sahel_dedup.sketch.profiles import MAX_KEPT, OPENING, REVISED, Profiles
from sahel_dedup.text.boilerplate import find_boilerplate, strip_boilerplate
from sahel_dedup.text.language import detect
from sahel_dedup.text.revisions import marks_revision
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.text.vocabulary import Vocabulary
from sahel_dedup.util.days import SECONDS_A_DAY, today
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.names import NameTable
from sahel_dedup.util.parallel import ordered_map

# The title and the first words say what a report is about, so their terms count twice.
LEAD_TOKENS = 80
# The very first of these words, which are also compared on their own.
OPENING_TOKENS = 45
MAX_COUNT = 250
# ln(1 + n) in units of 1/64, the term-frequency weight.
TF_UNITS = np.round(64 * np.log1p(np.arange(MAX_COUNT + 1))).astype(np.int64)
# Weights of the counts in a profile: for all its terms, and for those of its opening, where each
# counts once.
TF = np.log1p(np.arange(256) & MAX_KEPT).astype(np.float32)
OPENING_TF = np.where(np.arange(256) & OPENING, TF[1], np.float32(0))

_CHUNK_ARTICLES = 256
_CHUNK_CHARS = 1 << 20
_BLOCK_CHARS = 1 << 18
_UNMARKED = ~REVISED
_NUMBERING = threading.Lock()
# Older than any newspaper: such dates are zeros of databases or typing errors.
_FIRST_DAY = datetime(1400, 1, 1, tzinfo=UTC).timestamp() / SECONDS_A_DAY
# Clocks that were reset show one of the first two days of 1970.
_RESET_DAYS = 2.0


@dataclass(slots=True)
class Sketcher:
    """Turns articles into profiles, and keeps the names behind the numbers in them.

    Attributes
    ----------
    vocabulary
        Terms by number.
    sources, langs
        Numbers of outlets and languages by name.
    implausible_dates
        Number of articles whose date was ignored because no article can have it (`day_of`).
    wordless
        Number of articles whose text has no words besides markup and boilerplate.
    """

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    sources: NameTable = field(default_factory=NameTable)
    langs: NameTable = field(default_factory=NameTable)
    implausible_dates: int = 0
    wordless: int = 0

    def sketch_all(
        self,
        articles: Iterable[Article],
        workers: int = 0,
    ) -> Iterator[tuple[list[str], Profiles]]:
        """Sketch a stream of articles, in order.

        Parameters
        ----------
        articles
            The articles; about two chunks per worker are in memory at a time.
        workers
            Number of threads; 0 uses all processors.

        Yields
        ------
        ids : list of str
        profiles : Profiles
            A chunk of each.
        """

        def sketched(chunk: list[Article]) -> tuple[list[str], Profiles]:
            return [article.id for article in chunk], self.sketch(chunk)

        yield from ordered_map(sketched, chunked(articles), workers)

    def sketch(self, articles: Sequence[Article]) -> Profiles:
        """Sketch one chunk of articles.

        Parameters
        ----------
        articles : sequence of Article

        Returns
        -------
        Profiles
            One row per article.
        """
        parts = [self._sketch_block(block) for block in blocks_of(articles)]
        return parts[0] if len(parts) == 1 else Profiles.concatenate(parts)

    def number_sources_by_name(self) -> NDArray[np.int32]:
        """Renumber outlets in the order of their names, independent of the order of reading.

        Returns
        -------
        ndarray of int32, shape (len(sources) + 1,)
            New number of each old one; -1 stays -1.
        """
        old = sorted(self.sources)
        new = np.full(len(old) + 1, -1, dtype=np.int32)
        new[[self.sources[name] for name in old]] = np.arange(len(old))
        self.sources = NameTable(old)
        return new

    def _sketch_block(self, articles: Sequence[Article]) -> Profiles:
        n = len(articles)
        texts: list[str] = []
        for a in articles:
            texts += (a.title or "", strip_boilerplate(a.text, find_boilerplate(a.text)))
        tokens = tokenize(texts)
        numbers = self.vocabulary.look_up(tokens)
        both, counts, kept, indptr = count_tokens(numbers, len(self.vocabulary), tokens.offsets)
        # The rows of the titles follow those of the articles.
        size = indptr[n]
        indptr, title_indptr = indptr[: n + 1], indptr[n:] - size
        terms, title_terms = both[:size], both[size:]
        offsets = tokens.offsets[::2].copy()
        langs = detect(tokens, [a.lang for a in articles], parts=2)
        lang = np.array([_number(self.langs, name) for name in langs], dtype=np.int16)
        idf = self._prior_idf(langs, lang, terms, indptr)
        days = [day_of(a.published) for a in articles]
        day = np.array(days)
        racers = np.empty(size, dtype=np.uint64)
        _weigh_terms(terms, counts, idf, self.vocabulary.hashes, indptr, racers)
        digests = text_digests(tokens)
        self._count(articles, days, digests[1::2, 0])
        return Profiles(
            indptr=indptr,
            terms=terms,
            counts=kept[:size],
            title_indptr=title_indptr,
            title_terms=title_terms,
            salience=salience_slots(racers, indptr),
            shingles=shingle_slots(tokens.hashes, offsets),
            number_contexts=number_context_slots(
                tokens.hashes, numbers, self.vocabulary.is_number, offsets, day
            ),
            opening_numbers=opening_numbers(tokens, langs, OPENING_TOKENS),
            day=day,
            source=np.array([_number(self.sources, a.source) for a in articles], dtype=np.int32),
            lang=lang,
            body=digests[1::2, 0].copy(),
            body_check=digests[1::2, 1].copy(),
            headline=_headlines(digests[::2, 0], texts[::2]),
            length=(offsets[1:] - offsets[:-1]).astype(np.int32),
        )

    def _prior_idf(
        self,
        langs: Sequence[str],
        lang: NDArray[np.int16],
        terms: NDArray[np.int32],
        indptr: NDArray[np.int64],
    ) -> NDArray[np.uint16]:
        """Return the prior IDF of the terms of articles in languages, by name and by number."""
        spoken = set(langs)
        if len(spoken) == 1:
            return self.vocabulary.prior_idf(langs[0], terms)
        idf = np.empty(len(terms), dtype=np.uint16)
        term_lang = lang.repeat(indptr[1:] - indptr[:-1])
        for name in spoken:
            mine = (term_lang == self.langs[name]).nonzero()[0]
            idf[mine] = self.vocabulary.prior_idf(name, terms[mine])
        return idf

    def _count(
        self, articles: Sequence[Article], days: Sequence[float], body: NDArray[np.uint64]
    ) -> None:
        dated = (day for a, day in zip(articles, days, strict=True) if a.published is not None)
        implausible, wordless = sum(map(math.isnan, dated)), len(body) - np.count_nonzero(body)
        if implausible or wordless:
            # Threads sketch at the same time.
            with _NUMBERING:
                self.implausible_dates += implausible
                self.wordless += int(wordless)


def _headlines(digests: NDArray[np.uint64], titles: Sequence[str]) -> NDArray[np.uint64]:
    """Let the lowest bit of the digests of titles say whether they mark a revision."""
    headlines = digests & _UNMARKED
    for i, title in enumerate(titles):
        if title and digests[i] and marks_revision(title):
            headlines[i] |= REVISED
    return headlines


def day_of(published: datetime | None) -> float:
    """Convert a time of publication to days since 1970, negative before; NaN where missing.

    Dates that no article can have count as missing: those before 1400, those more than two days in
    the future, and the first two days of 1970, which clocks show after a reset.
    """
    if published is None:
        return math.nan
    day = published.timestamp() / SECONDS_A_DAY
    possible = _FIRST_DAY <= day <= latest_day() and not 0 <= day < _RESET_DAYS
    return day if possible else math.nan


def latest_day() -> float:
    """Return the latest day on which an article can be published: in two days."""
    return today() + 2


def _number(numbers: dict[str, int], name: str | None) -> int:
    """Return the number of a name, the next one for a new name."""
    if name is None:
        return -1
    number = numbers.get(name)
    if number is None:
        # Counting and entering must be one step, or two threads could give out one number twice.
        with _NUMBERING:
            number = numbers.setdefault(name, len(numbers))
    return number


def count_tokens(
    numbers: NDArray[np.int32], terms: int, parts: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Count the distinct terms of articles, followed by those of their titles.

    Parameters
    ----------
    numbers : ndarray of int32, shape (n_tokens,)
        Term of each token.
    terms : int
        Number of terms in the vocabulary.
    parts : ndarray of int64, shape (2 * n + 1,)
        Start of the title and the text of each article, and the end of the last.

    Returns
    -------
    terms, counts, kept, indptr
        For 2 * n rows: `terms` and `indptr` as in `Profiles`, how often each term occurs, at most
        250, and what `Profiles` keeps of that. All but `indptr` are the first part of a larger
        array.
    """
    # Row, term and position in one sortable number. At half the width it sorts in half the time,
    # and a block of articles hardly ever needs more.
    bits = terms.bit_length() + 2
    width: type[np.unsignedinteger[Any]] = (
        np.uint32 if len(parts).bit_length() + bits <= 32 else np.uint64
    )
    # A token of a title belongs to two rows.
    keys = np.empty(2 * len(numbers), dtype=width)
    keys = keys[: _number_tokens(keys, numbers, parts, bits)]
    keys.sort()
    found = np.empty(len(keys), dtype=np.int32)
    counts, kept = np.empty(len(keys), np.uint8), np.empty(len(keys), np.uint8)
    indptr = np.zeros(len(parts), dtype=np.int64)
    size = _runs(keys, bits, found, counts, kept, indptr)
    return found[:size], counts[:size], kept[:size], indptr


@compiled
def _weigh_terms(
    terms: NDArray[np.int32],
    counts: NDArray[np.uint8],
    idf: NDArray[np.uint16],
    hashes: NDArray[np.uint64],
    indptr: NDArray[np.int64],
    racers: NDArray[np.uint64],
) -> None:
    """Fill in the keys of terms for the salience fingerprint, from their TF-IDF weights."""
    for row in range(len(indptr) - 1):
        for i in range(indptr[row], indptr[row + 1]):
            racers[i] = racer_key(row, hashes[terms[i]], TF_UNITS[counts[i]] * np.int64(idf[i]))


@compiled
def _number_tokens(
    keys: NDArray[Any], numbers: NDArray[np.int32], parts: NDArray[np.int64], bits: int
) -> int:
    """Encode tokens as numbers that sort by row, then by term, then by position.

    The position is 2 in the title and the opening, 1 in the rest of the lead, and 0 elsewhere.
    """
    size, n = 0, len(parts) // 2
    for row in range(n):
        title, text, end = parts[2 * row], parts[2 * row + 1], parts[2 * row + 2]
        for i in range(title, end):
            place = (1 if i < text + LEAD_TOKENS else 0) + (1 if i < text + OPENING_TOKENS else 0)
            keys[size] = row << bits | np.int64(numbers[i]) << 2 | place
            size += 1
    for row in range(n):
        for i in range(parts[2 * row], parts[2 * row + 1]):
            keys[size] = (n + row) << bits | np.int64(numbers[i]) << 2
            size += 1
    return size


@compiled
def _runs(
    keys: NDArray[Any],
    bits: int,
    terms: NDArray[np.int32],
    counts: NDArray[np.uint8],
    kept: NDArray[np.uint8],
    indptr: NDArray[np.int64],
) -> int:
    """Count how often each term occurs among sorted tokens, row by row: see `count_tokens`.

    Returns how many terms there are; `indptr` is all 0 before.
    """
    size = 0
    last = np.int64(-1)
    for key in keys:
        pair, place = np.int64(key) >> 2, np.int64(key) & 3
        if pair != last:
            last = pair
            terms[size] = pair & ((1 << (bits - 2)) - 1)
            counts[size] = 0
            size += 1
            indptr[1 + (pair >> (bits - 2))] = size
        count = counts[size - 1] + (2 if place > 0 else 1)
        counts[size - 1] = count if count < MAX_COUNT else MAX_COUNT
        # The last of its tokens has the foremost position.
        kept[size - 1] = (count if count < MAX_KEPT else MAX_KEPT) | (OPENING if place == 2 else 0)
    for row in range(1, len(indptr)):
        if indptr[row] < indptr[row - 1]:
            indptr[row] = indptr[row - 1]
    return size


def chunked(articles: Iterable[Article]) -> Iterator[list[Article]]:
    """Cut a stream into chunks of bounded count and size."""
    chunk: list[Article] = []
    chars = 0
    for article in articles:
        chunk.append(article)
        chars += _size(article) + (_carried(article) if article.extra else 0)
        if len(chunk) == _CHUNK_ARTICLES or chars > _CHUNK_CHARS:
            yield chunk
            chunk, chars = [], 0
    if chunk:
        yield chunk


def blocks_of(articles: Sequence[Article]) -> Iterator[Sequence[Article]]:
    """Cut a chunk into blocks: large, because each has a fixed cost, but of bounded memory."""
    first = chars = 0
    for i, article in enumerate(articles):
        chars += _size(article)
        if chars > _BLOCK_CHARS:
            yield articles[first : i + 1]
            first, chars = i + 1, 0
    if first < len(articles) or not articles:
        yield articles[first:]


def _size(article: Article) -> int:
    """Return the number of characters of an article that are processed."""
    return len(article.text) + len(article.title or "")


def _carried(article: Article) -> int:
    """Return the total length of the further fields of an article that have one."""
    return sum(len(value) for value in article.extra.values() if isinstance(value, Sized))
