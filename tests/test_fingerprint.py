"""Fingerprints: bit-identical to those of datasketch and of a slow twin.

``python tests/test_fingerprint.py`` writes the golden fingerprints again. That is for a
change of `FINGERPRINT_VERSION` only.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import FINGERPRINT_VERSION, Fingerprint, SahelError, fingerprints
from sahel_dedup.sketch.fingerprint import (
    EMPTY_SLOT,
    RACERS,
    SLOTS,
    racer_key,
    salience_slots,
    shingle_hash,
    shingle_slots,
    shingles,
)
from sahel_dedup.text.tokenizer import hash_word, tokenize
from sahel_dedup.util.hashing import splitmix64

GOLDEN = Path(__file__).parent / "data" / "golden.json"
GOLDEN_ARTICLES = ("wire-001", "wire-002", "wire-067")
GOLDEN_RATIO = 0x9E3779B97F4A7C15

TEXTS = st.lists(
    st.sampled_from(["a", "kayes", "nioro", "12", "47", "政变", "été", "!"]), max_size=12
)


# The shingle fingerprint --------------------------------------------------------------


@given(st.lists(TEXTS.map(" ".join), max_size=6))
def test_shingle_fingerprints_are_those_of_datasketch(texts: list[str]) -> None:
    tokens = tokenize(texts)
    slots = shingle_slots(tokens.hashes, tokens.offsets)
    for article in range(len(texts)):
        theirs = MinHash(num_perm=SLOTS, seed=1, hashfunc=shingle_hash, scheme="affine32")
        for shingle in shingles(tokens, article):
            theirs.update(shingle.encode())
        assert slots[article].tolist() == theirs.hashvalues.tolist()


def test_shingles_are_three_words_or_all_there_are() -> None:
    tokens = tokenize(["One two, three four!", "Two words", "", "one"])
    assert [list(shingles(tokens, article)) for article in range(4)] == [
        ["one two three", "two three four"], ["two words"], [], ["one"],
    ]  # fmt: skip


def test_a_shingle_hash_depends_on_the_order_of_the_words() -> None:
    hashes = {shingle_hash(text) for text in (b"a b c", b"a c b", b"c b a", b"a b", b"b a", b"a")}
    assert len(hashes) == 6
    assert all(0 <= value < 2**32 for value in hashes)


def test_fingerprints_feed_an_index_of_datasketch() -> None:
    copy = "Gunmen attacked the army camp at Tessarit on Monday killing nine soldiers"
    texts = {"a": copy, "b": f"{copy} today", "c": "Millet prices rose in Maradi"}
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    index = MinHashLSH(threshold=0.5, num_perm=SLOTS)
    for name, fingerprint in fingerprints(rows):
        index.insert(name, fingerprint.to_minhash())
    (_, query), *_ = fingerprints(rows)
    assert sorted(index.query(query.to_minhash())) == ["a", "b"]


# The salience fingerprint -------------------------------------------------------------


def slow_salience(weights: Mapping[int, int]) -> list[int]:
    """Run the race of each slot, one term after the other; weights by hash."""
    heaviest = sorted(weights, key=lambda h: (-weights[h], h & 0x7FFFFF, h >> 23 & 0x1FF))
    racers = [h for h in heaviest if weights[h] > 0][:RACERS]
    if not racers:
        return [int(EMPTY_SLOT)] * SLOTS
    slots = []
    for slot in range(SLOTS):
        seeds = [int(splitmix64(np.array([(i * GOLDEN_RATIO) % 2**64], dtype=np.uint64))[0])
                 for i in (slot + 1, slot + 1 + SLOTS)]  # fmt: skip
        multiply, add = seeds[0] % 2**32 | 1, seeds[1] % 2**32
        finishes = []
        for rank, racer in enumerate(racers):
            draw = (racer % 2**32 * multiply + add) % 2**32 >> 16
            exponential = np.float32(-math.log((draw + 0.5) / 2**16))
            time = exponential * np.float32(1 / weights[racer] ** 2)
            finishes.append((int(time.view(np.uint32)) >> 6, rank))
        slots.append(racers[min(finishes)[1]] % 2**32)
    return slots


HASHES = st.integers(0, 2**64 - 1)
RACES = st.dictionaries(HASHES, st.integers(0, 2**21 - 1), max_size=60)


@given(st.lists(RACES, max_size=3))
def test_salience_fingerprints_are_those_of_the_slow_twin(races: list[dict[int, int]]) -> None:
    slots = _salience(races)
    assert slots.tolist() == [slow_salience(weights) for weights in races]


def test_many_articles_race_as_each_does_alone() -> None:
    draw = random.Random(3)
    races = [{draw.getrandbits(64): draw.randrange(2**21) for _ in range(draw.randrange(120))}
             for _ in range(150)]  # fmt: skip
    together = _salience(races)
    alone = np.concatenate([_salience([weights]) for weights in races])
    assert (together == alone).all()
    assert together[:5].tolist() == [slow_salience(weights) for weights in races[:5]]


def _salience(races: list[dict[int, int]]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    keys = [
        racer_key(row, np.uint64(hashed), np.int64(weight))
        for row, weights in enumerate(races)
        for hashed, weight in weights.items()
    ]
    offsets = np.cumsum([0, *map(len, races)])
    return salience_slots(np.array(keys, dtype=np.uint64), offsets)


def test_agreement_is_the_jaccard_similarity_of_the_weights() -> None:
    draw = random.Random(11)
    errors = []
    for _ in range(60):
        terms = [draw.getrandbits(64) for _ in range(30)]
        one = {term: draw.randint(100, 2000) for term in terms[:20]}
        other = {term: draw.randint(100, 2000) for term in terms[10:]}
        slots = _salience([one, other])
        agreement = float((slots[0] == slots[1]).mean())
        expected = 0.0
        # Moulton and Jiang, equation 4, of the squared weights.
        for term in one.keys() & other.keys():
            ratios = [max((one.get(t, 0) / one[term]) ** 2, (other.get(t, 0) / other[term]) ** 2)
                      for t in terms]  # fmt: skip
            expected += 1 / sum(ratios)
        errors.append(agreement - expected)
    # Of 60 means of 128 draws with a spread of at most a half.
    assert abs(float(np.mean(errors))) < 4 * 0.5 / math.sqrt(60 * SLOTS)
    assert max(map(abs, errors)) < 5 * 0.5 / math.sqrt(SLOTS)


# Of articles --------------------------------------------------------------------------


def test_golden_fingerprints(wire: list[dict[str, Any]]) -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden["version"] == FINGERPRINT_VERSION
    made = dict(fingerprints(row for row in wire if row["id"] in GOLDEN_ARTICLES))
    assert {name: made[name].to_bytes().hex() for name in GOLDEN_ARTICLES} == golden["articles"]


def test_a_fingerprint_depends_on_nothing_but_the_article(wire: list[dict[str, Any]]) -> None:
    in_order = dict(fingerprints(wire, workers=2))
    reversed_order = dict(fingerprints(wire[::-1], workers=1))
    assert in_order == reversed_order
    for row in wire[::10]:
        ((_, alone),) = fingerprints([row])
        assert alone == in_order[row["id"]]
        ((_, elsewhere),) = fingerprints([row | {"id": "other", "published": None, "source": "X"}])
        assert elsewhere == alone


def test_articles_without_words_have_empty_fingerprints_that_agree_with_none() -> None:
    fingerprint, other = (f for _, f in fingerprints([{"id": n, "text": "?"} for n in (1, 2)]))
    assert set(fingerprint.salience) == set(fingerprint.shingles) == {EMPTY_SLOT}
    assert fingerprint == other
    assert fingerprint.salience_agreement(other) == fingerprint.shingle_jaccard(other) == 0


def test_likeness() -> None:
    texts = ("rain fell on kidal", "rain fell on kidal today", "millet prices rose in maradi")
    one, two, three = (f for _, f in fingerprints({"id": t, "text": t} for t in texts))
    assert one.shingle_jaccard(one) == one.salience_agreement(one) == 1
    assert 0.4 < one.shingle_jaccard(two) < 0.9
    assert one.salience_agreement(two) > 0.5
    assert one.shingle_jaccard(three) == one.salience_agreement(three) == 0


# At rest ------------------------------------------------------------------------------

SIGNATURES = st.binary(min_size=4 * SLOTS, max_size=4 * SLOTS).map(
    lambda data: np.frombuffer(data, dtype=np.uint32)
)


@given(SIGNATURES, SIGNATURES)
def test_bytes_come_back(salience: Any, signature: Any) -> None:
    fingerprint = Fingerprint(salience, signature)
    data = fingerprint.to_bytes()
    back = Fingerprint.from_bytes(data)
    assert back == fingerprint
    assert hash(back) == hash(fingerprint)
    assert (back.salience == salience).all()
    assert (back.shingles == signature).all()
    assert back.to_bytes() == data


def test_what_is_no_fingerprint_of_this_version_is_refused() -> None:
    ((_, fingerprint),) = fingerprints([{"id": "a", "text": "Rain in Kidal"}])
    data = fingerprint.to_bytes()
    later = data[:4] + (FINGERPRINT_VERSION + 1).to_bytes(2, "little") + data[6:]
    with pytest.raises(SahelError, match=r"version 2 .* reads version 1 .* compute it again"):
        Fingerprint.from_bytes(later)
    for broken, message in [
        (data[:-1], "cut short"), (data + b"\0", "cut short"), (b"", "not a sahel_dedup"),
        (b"SDFQ" + data[4:], "not a sahel_dedup"), (data[:7], "not a sahel_dedup"),
    ]:  # fmt: skip
        with pytest.raises(SahelError, match=message):
            Fingerprint.from_bytes(broken)
    assert fingerprint != data


def test_a_word_hashes_the_same_everywhere() -> None:
    assert (hash_word("kayes"), shingle_hash(b"kayes nioro")) == (
        17476472266392289244, 3482684944,
    )  # fmt: skip


def _write_golden() -> None:
    sample = resources.files("sahel_dedup") / "sample" / "wire.jsonl"
    rows = [json.loads(line) for line in sample.read_text(encoding="utf-8").splitlines()]
    articles = {
        name: fingerprint.to_bytes().hex()
        for name, fingerprint in fingerprints(row for row in rows if row["id"] in GOLDEN_ARTICLES)
    }
    golden = {"version": FINGERPRINT_VERSION, "articles": articles}
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    _write_golden()
