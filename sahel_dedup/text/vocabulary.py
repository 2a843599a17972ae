"""The vocabulary: it maps token hashes to dense term numbers and holds the data of each term.

An open-addressing hash table of term numbers in a NumPy array. Terms are only ever added; their
numbers depend on the order of arrival, so nothing that is stored or compared between runs may
depend on one. Compiled loops look tokens up in it; a dict would take a Python object and a call
for each token.

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

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.idf_prior import idf_of_terms
from sahel_dedup.text.tokenizer import Tokens, tokenize
from sahel_dedup.text.unicode_tables import NUMERAL, character_tables
from sahel_dedup.text.words import Words, decoded, laid_out
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
        numbers = self._find(year_hashes())
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
        numbers = np.empty(len(tokens.hashes), dtype=np.int32)
        missing = _find_all(self._table, self.hashes, tokens.hashes, self._salt, numbers)
        if missing:
            self._enter(numbers, missing, tokens.hashes, tokens.letters, tokens.letter_starts, True)
        return numbers

    def enter(self, hashes: NDArray[np.uint64], words: Sequence[str]) -> NDArray[np.int32]:
        """Return the numbers of terms given by hash and word; add new terms.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n,)
            As in `hashes`.
        words : sequence of str
            The term that each stands for.

        Returns
        -------
        ndarray of int32, shape (n,)
        """
        numbers = np.full(len(hashes), _NOBODY)
        # Hashes from a file may be read-only, for which the loop would be compiled again.
        self._enter(numbers, len(hashes), hashes.copy(), *laid_out(words), False)
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
        terms = terms.astype(np.int32, copy=False)
        idf = np.empty(len(terms), dtype=np.uint16)
        if _take_known(known, terms, idf):
            unknown = set(terms[idf == UNKNOWN_IDF].tolist())
            new = np.fromiter(unknown, np.int64, len(unknown))
            with self._lock:
                # Another thread may have made more room.
                known = self._prior[lang]
                known[new] = idf_of_terms(lang, new, self._hashes, self.words)
            _take_known(known, terms, idf)
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

    def _enter(
        self,
        numbers: NDArray[np.int32],
        missing: int,
        hashes: NDArray[np.uint64],
        letters: NDArray[np.uint8],
        letter_starts: NDArray[np.int64],
        backwards: bool,
    ) -> None:
        """Fill in the numbers that are still -1: so many, some of them perhaps of one term."""
        with self._lock:
            most = self._size + missing
            self._hashes = with_room(self._hashes, most)
            self._digit = with_room(self._digit, most)
            self.words.make_room(missing, len(letters))
            if most > _LOAD * len(self._table):
                table = np.full(1 << int(most / _LOAD).bit_length(), _NOBODY)
                # Terms that came early are frequent. They are placed first, so they are found
                # fastest.
                place_numbers(table, self.hashes, self._salt, 0)
                self._table = table
            size = _enter_all(
                numbers, hashes, letters, letter_starts, backwards, self._table, self._salt,
                self._hashes, self._digit, self.words.letters, self.words.ends,
                character_tables().classes, self._size,
            )  # fmt: skip
            # Last: a number that another thread sees has its data.
            self.words.grew(size)
            self._size = size

    def _find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the numbers of hashes, -1 for unknown ones.

        Other threads may add terms meanwhile. A term that was added too late is missed here, and
        looked up again once this thread holds the lock.
        """
        return find_listed(self._table, self.hashes, hashes, self._salt)


@compiled
def _take_known(
    known: NDArray[np.uint16], terms: NDArray[np.int32], idf: NDArray[np.uint16]
) -> bool:
    """Look up the prior IDF of terms; whether any is unknown."""
    unknown = False
    for i in range(len(terms)):
        idf[i] = known[terms[i]]
        unknown = unknown or idf[i] == UNKNOWN_IDF
    return unknown


@functools.cache
def year_hashes() -> NDArray[np.uint64]:
    """Return the hashes of the terms that are years."""
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
) -> int:
    """Fill in what `find_listed` returns; return how many are unknown."""
    mask = np.uint64(len(table) - 1)
    missing = 0
    for i in range(len(hashes)):
        slot = splitmix64_one(hashes[i] ^ salt) & mask
        # Read only once, because another thread may enter a number here in the meantime.
        number = table[slot]
        # Data of a number beyond these hashes may not be there yet.
        while number != _NOBODY and (number >= len(known) or known[number] != hashes[i]):
            slot = (slot + np.uint64(1)) & mask
            number = table[slot]
        numbers[i] = number
        missing += number == _NOBODY
    return missing


@compiled
def _enter_all(
    numbers: NDArray[np.int32],
    hashes: NDArray[np.uint64],
    letters: NDArray[np.uint8],
    letter_starts: NDArray[np.int64],
    backwards: bool,
    table: NDArray[np.int32],
    salt: np.uint64,
    known: NDArray[np.uint64],
    digit: NDArray[np.bool_],
    kept: NDArray[np.uint8],
    ends: NDArray[np.int64],
    classes: NDArray[np.uint8],
    size: int,
) -> int:
    """Fill in the numbers that are -1, and add terms that the table lacks; count all terms then.

    New terms are numbered in the order of `hashes`, or from the last one on.
    """
    mask = np.uint64(len(table) - 1)
    for k in range(len(numbers)):
        i = len(numbers) - 1 - k if backwards else k
        if numbers[i] != _NOBODY:
            continue
        slot = splitmix64_one(hashes[i] ^ salt) & mask
        while table[slot] != _NOBODY and known[table[slot]] != hashes[i]:
            slot = (slot + np.uint64(1)) & mask
        if table[slot] == _NOBODY:
            place = ends[size]
            for letter in range(letter_starts[i], letter_starts[i + 1] - 1):
                kept[place] = letters[letter]
                place += 1
            ends[size + 1], known[size] = place, hashes[i]
            digit[size] = classes[decoded(letters, letter_starts[i])] & np.uint8(NUMERAL) > 0
            table[slot] = size
            size += 1
        numbers[i] = table[slot]
    return size


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
