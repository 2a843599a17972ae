"""Judged pairs in their archives, and the stories that other constants would give.

An archive is compared once. Its pairs are measured when needed, and can then be scored with any
constants. `benchmarks.fit_evidence` fits constants on them, and `benchmarks.precision` scores the
resulting stories.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import LABELLED, Row, archive, read, read_named
from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive
from sahel_dedup.clustering.average_linkage import link_stories
from sahel_dedup.clustering.recut import Compared
from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.scoring.features import FEATURES
from sahel_dedup.settings import Settings

# Archives with judged pairs. The Sri Lankan outlets publish in two languages: one family.
FAMILY = {
    "reuters21578_en": "reuters",
    "lk_news_en": "lk",
    "saudi_ar": "saudi",
    "allsides_en": "allsides",
    "lk_ta": "lk",
    "senate2007": "senate",
}
UNDATED = " undated"
ARCHIVE, SEMEVAL, MUC4 = "archive", "semeval22_en", "muc4_derived"
MCCORMICK = "mccormick_plagiarism_1000"
# A pair of a rare kind represents so many others that it may outweigh all the rest. No pair counts
# more than this many times the median of its archive.
MOST = 20.0
# Without dates an article meets its whole archive. Pairs further apart than this, of articles
# whose dates were taken away, are known to differ; so many of them are taken, for all.
FAR_DAYS = 8.0
FAR_PAIRS = 3000
_WORDING, _HOURS = FEATURES.index("wording"), FEATURES.index("hours")


class Remembered(Evidence):
    """Evidence that measures each pair once and accepts other constants."""

    def __init__(self, evidence: Evidence) -> None:
        vars(self).update(vars(evidence))
        self._keys = np.zeros(0, dtype=np.int64)
        self._rows = np.zeros((0, len(FEATURES)), dtype=np.float32)

    def use(self, weights: NDArray[np.float64]) -> None:
        """Use other constants from now on."""
        self._weights = weights

    def features(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _known: NDArray[np.float64] | None = None,
    ) -> list[tuple[slice, NDArray[np.float64]]]:
        """Look pairs up, and measure those that are new."""
        wanted = first * len(self._traits) + second
        fresh = np.setdiff1d(wanted, self._keys)
        if len(fresh):
            blocks = super().features(*np.divmod(fresh, len(self._traits)))
            keys = np.concatenate([self._keys, fresh])
            order = np.argsort(keys)
            rows = np.concatenate([self._rows, *(block.astype(np.float32) for _, block in blocks)])
            self._keys, self._rows = keys[order], rows[order]
        places = np.searchsorted(self._keys, wanted)
        return [(slice(0, len(first)), self._rows[places].astype(np.float64))]


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs of one set, with features and answers.

    Attributes
    ----------
    features : ndarray of float64, shape (n, len(FEATURES))
    same : ndarray of bool, shape (n,)
        Whether both report one event.
    weight : ndarray of float64, shape (n,)
        Number of pairs of the set that each represents.
    """

    features: NDArray[np.float64]
    same: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.same)

    def where(self, chosen: NDArray[np.bool_]) -> Sample:
        """Return some of the pairs."""
        return Sample(self.features[chosen], self.same[chosen], self.weight[chosen])

    def and_other(self, others: Sample) -> Sample:
        """Return these pairs and others."""
        return Sample(
            np.concatenate([self.features, others.features]),
            np.concatenate([self.same, others.same]),
            np.concatenate([self.weight, others.weight]),
        )


@dataclass(slots=True)
class Set:
    """A compared archive, with its judged pairs.

    Attributes
    ----------
    rows : list of dict
        Its articles in order of time.
    pairs : list of dict
        Judged pairs: `a`, `b`, `same`, `weight`, and `round`, 1 or 2.
    """

    rows: list[Row]
    row_of: dict[str, int]
    compared: Compared
    evidence: Remembered
    pairs: list[Row]

    def stories(self, weights: NDArray[np.float64], threshold: float) -> dict[str, str]:
        """Group the articles by other constants."""
        self.evidence.use(weights)
        found = self.compared.pairs
        pairs = self.evidence.score_pairs(found.first, found.second)
        strong = pairs.where(pairs.score >= threshold)
        labels, _ = link_stories(strong, self.compared.times, self.evidence, threshold)
        labels = labels[self.compared.duplicate_of]
        return dict(zip(self.row_of, map(str, labels.tolist()), strict=True))

    def measured(self, pairs: Sequence[Row]) -> Sample:
        """Measure judged pairs; those not similar enough for the pipeline get a weight of 0."""
        ends = np.array([[self.row_of[p["a"]], self.row_of[p["b"]]] for p in pairs])
        first, second = np.sort(ends, axis=1).T
        return self.sample(
            first,
            second,
            np.array([p["same"] == 1 for p in pairs]),
            np.array([float(p["weight"]) for p in pairs]),
        )

    def sample(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        same: NDArray[np.bool_],
        weight: NDArray[np.float64],
    ) -> Sample:
        """Measure pairs given by row."""
        features = np.concatenate([block for _, block in self.evidence.features(first, second)])
        return Sample(features, same, weight)


def judged_pairs(data: Path, name: str) -> list[Row]:
    """Read the judged pairs of an archive; those of the first round are of `round` 1."""
    return [
        {**pair, "round": number}
        for number, file in ((1, "judged"), (2, "judged2"))
        for pair in read(data / "pairs" / f"{file}.pairs.jsonl.gz")
        if pair["set"] == name
    ]


def judged_sets(data: Path, names: Sequence[str] = tuple(FAMILY)) -> Iterator[tuple[str, Set]]:
    """Compare archives with judged pairs."""
    for name in names:
        rows = read(data / "bulk" / f"{name}.jsonl.gz")
        yield name, compare(rows, judged_pairs(data, name))


def undated_sets(data: Path, names: Sequence[str] = tuple(FAMILY)) -> Iterator[tuple[str, Set]]:
    """Compare the same archives without their dates; `rows` keep them."""
    for name in names:
        rows = read(data / "bulk" / f"{name}.jsonl.gz")
        undated = [{**row, "published": None} for row in rows]
        found = compare(undated, judged_pairs(data, name))
        published = {row["id"]: row["published"] for row in rows}
        found.rows = [{**row, "published": published[row["id"]]} for row in found.rows]
        yield name, found


def sets_without(
    data: Path, field: str, one_in: int, names: Sequence[str] = tuple(FAMILY)
) -> Iterator[tuple[str, Set]]:
    """Compare the same archives after one in so many articles lost a field."""
    for name in names:
        rows = [
            {**row, field: None} if crc32(row["id"].encode()) % one_in == 0 else row
            for row in read(data / "bulk" / f"{name}.jsonl.gz")
        ]
        yield name, compare(rows, judged_pairs(data, name))


def smaller_sets(
    data: Path, one_in: int, names: Sequence[str] = tuple(FAMILY)
) -> Iterator[tuple[str, Set]]:
    """Compare the articles of judged pairs among one in so many of the others."""
    for name in names:
        pairs = judged_pairs(data, name)
        needed = {article for pair in pairs for article in (pair["a"], pair["b"])}
        rows = [
            row
            for row in read(data / "bulk" / f"{name}.jsonl.gz")
            if row["id"] in needed or crc32(row["id"].encode()) % one_in == 0
        ]
        yield name, compare(rows, pairs)


def short_sets(
    data: Path, days: int, names: Sequence[str] = tuple(FAMILY)
) -> Iterator[tuple[str, list[Set]]]:
    """Cut archives into parts of so many days, and compare each that has judged pairs inside."""
    for name in names:
        rows = read(data / "bulk" / f"{name}.jsonl.gz")
        part = {row["id"]: _day(row) // days for row in rows}
        articles: dict[float, list[Row]] = {}
        for row in rows:
            articles.setdefault(part[row["id"]], []).append(row)
        inside: dict[float, list[Row]] = {}
        for pair in judged_pairs(data, name):
            if part[pair["a"]] == part[pair["b"]]:
                inside.setdefault(part[pair["a"]], []).append(pair)
        yield name, [compare(articles[number], inside[number]) for number in sorted(inside)]


def other_sets(data: Path) -> Iterator[tuple[str, Set]]:
    """Compare the other data on which stories are scored: labelled sets and labelled pairs."""
    for name in (SEMEVAL, MUC4):
        known = [p for p in read(data / "pairs" / f"{name}.pairs.jsonl.gz") if p["label"] in (0, 1)]
        pairs = [{**pair, "same": pair["label"], "weight": 1.0} for pair in known]
        yield name, compare(read(data / "pairs" / f"{name}.jsonl.gz"), pairs)
    yield MCCORMICK, compare(read_named(data, "labelled", MCCORMICK), [])
    yield ARCHIVE, compare(list(archive(data)), [])


def compare(rows: Sequence[Row], pairs: list[Row]) -> Set:
    """Compare the articles of one set."""
    articles = (Article.from_mapping(row) for row in rows)
    found = Archive.read(articles, Settings(), lambda *_: None)
    compared = found.compare()
    row_of = {article: row for row, article in enumerate(found.ids)}
    in_order = [rows[place] for place in found.position]
    return Set(in_order, row_of, compared, Remembered(compared.evidence), pairs)


def dated_sample(kept: Set) -> Sample:
    """Return the judged pairs of an archive whose distance in time is known, within the window."""
    sample = kept.measured(kept.pairs)
    hours = sample.features[:, _HOURS]
    near = (hours != 0) & (hours <= np.log1p(24 * 7) - 2)
    return _alike(sample, near, 0.1)


def undated_sample(name: str, dated: Set, undated: Set) -> Sample:
    """Return pairs of an archive as they would be without dates, for all that it holds.

    Judged pairs lie within a week; of the others of its candidates it is known that they are
    not one event. An archive that has articles without dates has judged pairs of them.
    """
    known = dated.measured(dated.pairs)
    if (known.features[:, _HOURS] == 0).any():
        return _alike(known, known.features[:, _HOURS] == 0, 0.15)
    near = _alike(undated.measured(undated.pairs), np.ones(len(known), dtype=bool), 0.15)
    near = Sample(near.features, near.same, cut(near.weight))
    day = np.array([_day(row) for row in undated.rows])
    found = undated.compared.pairs
    far = np.flatnonzero(np.abs(day[found.first] - day[found.second]) > FAR_DAYS)
    if not len(far):
        return near
    draw = np.random.default_rng(sum(map(ord, name)))
    some = draw.choice(far, min(FAR_PAIRS, len(far)), replace=False)
    none = np.zeros(len(some), dtype=bool)
    weight = np.full(len(some), len(far) / len(some))
    return near.and_other(undated.sample(found.first[some], found.second[some], none, weight))


def labelled_samples(kept: Set) -> Iterator[tuple[str, Sample]]:
    """Return the undated candidate pairs inside each labelled set of the archive benchmark."""
    first, second = kept.compared.pairs.first, kept.compared.pairs.second
    story = np.array([row.get("story", "") for row in kept.rows])
    family = np.array([row.get("family") or "" for row in kept.rows])
    origin = np.array([row["id"].partition("/")[0] for row in kept.rows])
    undated = kept.evidence.known_dates(first, second) < 2
    same = story[first] == story[second]
    # Pairs of one family are of one story by some other judgement than that of the gold.
    known = same | (family[first] == "") | (family[first] != family[second])
    for part in LABELLED:
        chosen = undated & known & (origin[first] == part) & (origin[second] == part)
        if chosen.any():
            ones = np.ones(np.count_nonzero(chosen))
            yield part, kept.sample(first[chosen], second[chosen], same[chosen], ones)


def cut(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cap weights at `MOST` times the median."""
    return np.minimum(weight, MOST * np.median(weight))


def _alike(sample: Sample, chosen: NDArray[np.bool_], cosine: float) -> Sample:
    """Keep those of some pairs that the pipeline would score."""
    return sample.where(chosen & (sample.features[:, _WORDING] > np.log(cosine)))


def _day(row: Row) -> float:
    published = Article.from_mapping(row).published
    return np.nan if published is None else published.timestamp() / 86_400
