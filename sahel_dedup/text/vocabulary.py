"""The vocabulary: it maps token hashes to dense term numbers and holds the data of each term.

An open-addressing hash table of term numbers in a NumPy array. Terms are only ever added; their
numbers depend on the order of arrival, so nothing that is stored or compared between runs may
depend on one.

The hash function is public, so somebody can write a text whose terms all fall into one part of the
table. Each vocabulary therefore scrambles the slots with a random salt. No term number depends on
the salt.
"""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.idf_prior import quantised_idf
from sahel_dedup.text.tokenizer import Tokens, tokenize
from sahel_dedup.util.growing import with_room
from sahel_dedup.util.hashing import splitmix64_one
from sahel_dedup.util.jit import compiled

# Load at which the table doubles.
_LOAD = 0.5
_NOBODY = np.int32(-1)
# The prior IDF of a term that nobody has asked for yet.
UNKNOWN_IDF = np.uint16(0xFFFF)
_NOTHING = np.zeros(0, dtype=np.uint16)
# Numbers that are most likely years.
_YEARS = range(1900, 2100)


class Words(Sequence[str]):
    """Words concatenated in UTF-8, in a quarter of the memory that separate strings take.

    Attributes
    ----------
    letters : ndarray of uint8, shape (room,)
        Their bytes.
    ends : ndarray of int64, shape (room,)
        Word ``i`` owns the bytes ``ends[i]:ends[i + 1]``.
    """

    def __init__(self) -> None:
        self.letters = np.zeros(0, dtype=np.uint8)
        self.ends = np.zeros(1, dtype=np.int64)
        self._size = 0

    @classmethod
    def of(cls, letters: NDArray[np.uint8], ends: NDArray[np.int64], size: int) -> Words:
        """Take arrays over, with room after so many words."""
        words = cls()
        words.letters, words.ends, words._size = letters, ends, size
        return words

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return self.take(range(*place.indices(len(self))))
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self.take([place])[0]

    def take(self, places: Iterable[int]) -> list[str]:
        """Return the words at some positions, which must exist."""
        # No word has a NUL, and decoding all at once takes half the time.
        encoded = self._encoded(np.fromiter(places, np.int64))
        return b"\0".join(encoded).decode().split("\0") if encoded else []

    def encoded(self, first: int) -> list[bytes]:
        """Return the words from a position on, in UTF-8."""
        return self._encoded(np.arange(first, len(self)))

    def extend(self, words: Iterable[str]) -> None:
        """Add words at the end."""
        encoded = [word.encode() for word in words]
        letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        start, size = int(self.ends[self._size]), self._size + len(encoded)
        self.letters = with_room(self.letters, start + len(letters))
        self.letters[start : start + len(letters)] = letters
        self.ends = with_room(self.ends, size + 1)
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        self.ends[self._size + 1 : size + 1] = start + np.cumsum(lengths)
        # Last: a word that another thread sees is there.
        self._size = size

    def _encoded(self, places: NDArray[np.int64]) -> list[bytes]:
        letters = self.letters.data
        starts, ends = self.ends[places].tolist(), self.ends[places + 1].tolist()
        # Lists of views would make the garbage collector scan all articles again and again.
        return [bytes(letters[start:end]) for start, end in zip(starts, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class VocabularyArrays:
    """What a vocabulary is made of; arrays may have room after what is in use.

    Attributes
    ----------
    size : int
        Number of terms.
    salt : int
        What their places in the table depend on.
    table : ndarray of int32
        Open addressing: numbers of terms, -1 where there is none.
    hashes : ndarray of uint64
    digit : ndarray of bool
    letters, ends
        See `Words`.
    prior : dict of str to ndarray of uint16
        See `Vocabulary.prior_idf`, by language; without room, 65535 for those not asked for yet.
    """

    size: int
    salt: int
    table: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    digit: NDArray[np.bool_]
    letters: NDArray[np.uint8]
    ends: NDArray[np.int64]
    prior: dict[str, NDArray[np.uint16]]


class Vocabulary:
    """Terms seen so far, shared by the threads that sketch articles."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._salt = np.uint64(secrets.randbits(64))
        self._table = np.full(1 << 14, _NOBODY)
        self._hashes = np.zeros(1 << 12, dtype=np.uint64)
        self._digit = np.zeros(1 << 12, dtype=bool)
        self._prior: dict[str, NDArray[np.uint16]] = {}
        self._size = 0
        self.words = Words()

    @classmethod
    def of(cls, arrays: VocabularyArrays) -> Vocabulary:
        """Take arrays over, which are added to from then on."""
        vocabulary = cls()
        vocabulary._salt, vocabulary._size = np.uint64(arrays.salt), arrays.size
        vocabulary._table, vocabulary._hashes = arrays.table, arrays.hashes
        vocabulary._digit, vocabulary._prior = arrays.digit, dict(arrays.prior)
        vocabulary.words = Words.of(arrays.letters, arrays.ends, arrays.size)
        return vocabulary

    def arrays(self) -> VocabularyArrays:
        """Return what it is made of, as far as that is in use."""
        size, words = self._size, self.words
        return VocabularyArrays(
            size,
            int(self._salt),
            self._table,
            self._hashes[:size],
            self._digit[:size],
            words.letters[: int(words.ends[size])],
            words.ends[: size + 1],
            {lang: known[:size] for lang, known in self._prior.items()},
        )

    def __len__(self) -> int:
        return self._size

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """Hash of each term, shape (len(self),)."""
        return self._hashes[: self._size]

    @property
    def is_number(self) -> NDArray[np.bool_]:
        """Whether each term starts with a digit, shape (len(self),)."""
        return self._digit[: self._size]

    def years(self) -> NDArray[np.int32]:
        """Return the numbers of the terms that are years, from 1900 to 2099, ascending."""
        numbers = self._find(_year_hashes())
        return np.sort(numbers[numbers >= 0])

    def look_up(self, tokens: Tokens) -> NDArray[np.int32]:
        """Return the term number of each token; add new terms.

        Parameters
        ----------
        tokens : Tokens
            A chunk of tokens.

        Returns
        -------
        ndarray of int32, shape (n_tokens,)
        """
        numbers = self._find(tokens.hashes)
        missing = (numbers < 0).nonzero()[0]
        if len(missing):
            # The hash of each new term, and the first token that has it.
            hashes = tokens.hashes[missing]
            first = dict(zip(hashes[::-1].tolist(), missing[::-1].tolist(), strict=True))
            places = np.fromiter(first.values(), np.int64, len(first))
            self.enter(tokens.hashes[places], tokens.words(places))
            numbers[missing] = self._find(hashes)
        return numbers

    def enter(self, hashes: NDArray[np.uint64], words: Sequence[str]) -> NDArray[np.int32]:
        """Return the numbers of terms given by hash and word; add new terms.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n,)
            Distinct hashes, as in `hashes`.
        words : sequence of str
            The term that each stands for.

        Returns
        -------
        ndarray of int32, shape (n,)
        """
        with self._lock:
            numbers = self._find(hashes)
            missing = (numbers < 0).nonzero()[0]
            numbers[missing] = self._add(hashes[missing], [words[i] for i in missing.tolist()])
            return numbers

    def prior_idf(
        self, lang: str, terms: NDArray[np.int32] | NDArray[np.int64]
    ) -> NDArray[np.uint16]:
        """Return the prior IDF of terms in a language, in units of 1/64.

        Only requested terms are looked up in the lists of the language, because most words of one
        language never occur in another.

        Parameters
        ----------
        lang : str
            Language code as `sahel_dedup.text.language.detect` returns it.
        terms : ndarray of int, shape (n,)
            Numbers of the terms.

        Returns
        -------
        ndarray of uint16, shape (n,)
        """
        known = self._prior.get(lang, _NOTHING)
        if len(known) < self._size:
            with self._lock:
                known = self._prior.get(lang, _NOTHING)
                if len(known) < self._size:
                    # Leave room for a quarter more, because growing copies everything.
                    more = np.full(self._size + self._size // 4 - len(known), UNKNOWN_IDF)
                    known = self._prior[lang] = np.concatenate([known, more])
        idf = known.take(terms)
        unknown = (idf == UNKNOWN_IDF).nonzero()[0]
        if len(unknown):
            with self._lock:
                # Another thread may have made more room.
                known = self._prior[lang]
                new = list(set(terms[unknown].tolist()))
                known[new] = quantised_idf(lang, self._hashes[new], self.words.take(new))
            idf[unknown] = known[terms[unknown]]
        return idf

    def prior_table(self, langs: Iterable[str]) -> NDArray[np.uint16]:
        """Return the prior IDF of each term in some languages, as far as it is known.

        Returns
        -------
        ndarray of uint16, shape (n_langs, n_terms)
            See `prior_idf`; 65535 for terms that were not asked for yet.
        """
        rows = []
        for lang in langs:
            row = np.full(self._size, UNKNOWN_IDF)
            known = self._prior.get(lang, _NOTHING)[: self._size]
            row[: len(known)] = known
            rows.append(row)
        return np.array(rows, dtype=np.uint16).reshape(len(rows), self._size)

    def take_priors(self, langs: Iterable[str], table: NDArray[np.uint16]) -> None:
        """Take over what `prior_table` returned when there were only the first of these terms."""
        for lang, row in zip(langs, table, strict=False):
            known = self._prior.get(lang, _NOTHING)
            merged = np.full(max(len(known), len(row)), UNKNOWN_IDF)
            merged[: len(row)] = row
            fresh = np.flatnonzero(known != UNKNOWN_IDF)
            merged[fresh] = known[fresh]
            self._prior[lang] = merged

    def _add(self, hashes: NDArray[np.uint64], words: list[str]) -> NDArray[np.int32]:
        """Add terms that are missing and return their numbers."""
        start, end = self._size, self._size + len(words)
        while end > len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
            self._digit = np.concatenate([self._digit, np.zeros_like(self._digit)])
        self._hashes[start:end] = hashes
        self._digit[start:end] = [word[:1].isdigit() for word in words]
        self.words.extend(words)
        self._size = end
        if end > _LOAD * len(self._table):
            table = np.full(1 << int(end / _LOAD).bit_length(), _NOBODY)
            # Terms that came early are frequent. They are placed first, so they are found fastest.
            place_numbers(table, self._hashes[:end], self._salt, 0)
            self._table = table
        else:
            place_numbers(self._table, hashes, self._salt, start)
        return np.arange(start, end, dtype=np.int32)

    def _find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the numbers of hashes, -1 for unknown ones.

        Other threads may add terms meanwhile. A term that was added too late is missed here, and
        looked up again once this thread holds the lock.
        """
        return find_listed(self._table, self._hashes, hashes, self._salt)


@functools.cache
def _year_hashes() -> NDArray[np.uint64]:
    return tokenize([" ".join(map(str, _YEARS))]).hashes


def find_listed(
    table: NDArray[np.int32],
    known: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    salt: np.uint64,
) -> NDArray[np.int32]:
    """Return the numbers of hashes that a table holds, -1 for others."""
    numbers = np.empty(len(hashes), dtype=np.int32)
    _find_all(table, known, hashes, salt, numbers)
    return numbers


@compiled
def _find_all(
    table: NDArray[np.int32],
    known: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    salt: np.uint64,
    numbers: NDArray[np.int32],
) -> None:
    """Fill in what `find_listed` returns."""
    mask = np.uint64(len(table) - 1)
    for i in range(len(hashes)):
        slot = splitmix64_one(hashes[i] ^ salt) & mask
        # Read only once, because another thread may enter a number here in the meantime.
        number = table[slot]
        # A number beyond these hashes was entered after they were copied.
        while number != _NOBODY and (number >= len(known) or known[number] != hashes[i]):
            slot = (slot + np.uint64(1)) & mask
            number = table[slot]
        numbers[i] = number


@compiled
def place_numbers(
    table: NDArray[np.int32], hashes: NDArray[np.uint64], salt: np.uint64, first: int
) -> None:
    """Enter numbers, counting up from a first one, for distinct hashes that a table lacks."""
    mask = np.uint64(len(table) - 1)
    for i in range(len(hashes)):
        slot = splitmix64_one(hashes[i] ^ salt) & mask
        while table[slot] != _NOBODY:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = first + i
