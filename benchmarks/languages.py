"""Quality of stories in each language, at the default setting.

Prints a table for each question and writes them all to ``benchmarks/results/languages.json``:

planted    Copies planted among the bulk articles of ar, zh, fr, ha, sw and pcm: are they found
           (recall), and nothing else with them (precision)?
labelled   B-cubed F1 of cstnews (pt), and of multiling2011_fr and _ar at granularity ``topic``.
saudi      Precision of saudi_ar as estimated from its dates, and by pairs that were judged one by
           one, weighted as pairs/judged says; and the share of its articles that are in a story
           of several outlets.
reprints   Are all articles of hkcnews_zh with one text and within the window one story?

Originals are bulk articles of ordinary length. `benchmarks.planted` describes the changes; here the
units are words, or characters in Chinese, and sentences end as is usual in the script. A copy has
no title. Each copy of an original is another outlet's, one of the bulk part's own, or nobody's when
these are used up; where the bulk part has dates, it follows within two days. Articles with a TF-IDF
cosine of 0.35 or more to another of the bulk part, as scikit-learn's TfidfVectorizer has it, are
never originals: two groups must not be rightly one.

Recall counts pairs within a planted group, precision the pairs inside stories of two planted
articles: wrong if they are of different groups. Pairs with an article that is not planted, real
copies among them, count for nothing.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.common import Row, answer, console, read, read_named
from benchmarks.planted import KINDS, SHARES
from sahel_dedup import Settings, cluster
from sahel_dedup.articles import parse_published
from sahel_dedup.clustering.date_precision import estimate_precision
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.settings import Granularity

# Language and the bulk file that holds it.
LANGUAGES = {
    "ar": "saudi_ar",
    "zh": "hkcnews_zh",
    "fr": "masakha_fr_ha_sw_pcm",
    "ha": "masakha_fr_ha_sw_pcm",
    "sw": "masakha_fr_ha_sw_pcm",
    "pcm": "masakha_fr_ha_sw_pcm",
}
LABELLED: dict[str, Granularity] = {
    "cstnews": "event",
    "multiling2011_fr": "topic",
    "multiling2011_ar": "topic",
}
GROUPS = 150
LARGEST_GROUP = 4
# Of an original, in units of its script.
_SIZES = {"words": (80, 600), "characters": (200, 1500)}
_SENTENCE = re.compile(r"(?<=[.!?؟۔])\s+|(?<=[。！？])|\n+")
_DATELINES = {
    "ar": ("الرياض - واس - ", "وكالات. ", ""),
    "zh": ("【本報訊】", "綜合報道：", ""),
    "fr": ("BAMAKO (AFP) - ", "Dakar, le 3 mars. ", ""),
    "ha": ("ABUJA - ", "Daga wakilinmu. ", ""),
    "sw": ("NAIROBI - ", "Na mwandishi wetu. ", ""),
    "pcm": ("LAGOS - ", "From our correspondent. ", ""),
}
# Articles this alike to another, by scikit-learn's TF-IDF, may report its event.
_ALIKE = 0.35


def main() -> None:
    """Run every part, or those named on the command line."""
    questions = {"planted": planted, "labelled": labelled, "saudi": saudi, "reprints": reprints}
    answer("languages", __doc__, questions)


def planted(folder: Path) -> dict[str, Any]:
    """Find planted copies in each language."""
    console.print(f"{'':6}{'articles':>9}{'planted':>9}{'recall':>9}", end="")
    console.print(f"{'precision':>11}   " + "".join(f"{kind:>9}" for kind in KINDS))
    results = {}
    for lang, name in LANGUAGES.items():
        bulk = [row for row in read(folder / "bulk" / f"{name}.jsonl.gz") if _is(lang, row)]
        copies = plant(bulk, lang)
        archive = [*bulk, *copies]
        found = cluster(archive)
        story = dict(zip((row["id"] for row in archive), found.labels.tolist(), strict=True))
        results[lang] = score = _score(story, copies) | {"articles": len(archive)}
        console.print(
            f"{lang:6}{len(archive):9,}{score['planted']:9,}{score['recall']:9.3f}"
            f"{score['precision']:11.3f}   "
            + "".join(f"{score['recall_by_kind'][kind]:9.3f}" for kind in KINDS)
        )
    return results


def plant(bulk: Sequence[Row], lang: str, groups: int = GROUPS, seed: int = 0) -> list[Row]:
    """Make copies of some articles.

    Parameters
    ----------
    bulk : sequence of dict
        Articles of one language.
    lang : str
    groups : int
        How many articles get copies, one to `LARGEST_GROUP` each.
    seed : int
        Seed of all random choices.

    Returns
    -------
    list of dict
        The copies, with `original` and `kind`.
    """
    rng = random.Random(seed)
    low, high = _SIZES["characters" if lang == "zh" else "words"]
    fit = [row for row in _unique(bulk, lang) if low <= len(_units(row["text"], lang)) <= high]
    words = [unit for row in rng.sample(fit, min(500, len(fit)))
             for unit in _units(row["text"], lang)]  # fmt: skip
    outlets = sorted({str(row["source"]) for row in bulk if row["source"]})
    copies: list[Row] = []
    for row in rng.sample(fit, min(groups, len(fit))):
        others = [name for name in rng.sample(outlets, len(outlets)) if name != row["source"]]
        for number in range(rng.randint(1, LARGEST_GROUP)):
            kind = rng.choices(KINDS, SHARES)[0]
            published = parse_published(row["published"])
            later = published and published + timedelta(hours=rng.uniform(0, 48))
            copies.append({
                "id": f"{row['id']}#{number}",
                "text": reword(row["text"], kind, lang, words, rng),
                "published": later and later.isoformat(),
                "source": others.pop() if others else None,
                "original": row["id"],
                "kind": kind,
            })  # fmt: skip
    return copies


def reword(text: str, kind: str, lang: str, words: Sequence[str], rng: random.Random) -> str:
    """Make a copy of a text; see `benchmarks.planted` for the kinds."""
    sentences = [s for s in _SENTENCE.split(text) if s.strip()]
    if kind == "light":
        copy = _edit(text, 0.02, 0.0, lang, words, rng)
        return rng.choice(_DATELINES[lang]) + copy
    if kind == "medium":
        kept = [s for s in sentences if rng.random() >= 0.15] or sentences
        if len(kept) > 1:
            i, j = rng.sample(range(len(kept)), 2)
            kept[i], kept[j] = kept[j], kept[i]
        return _edit(" ".join(kept), 0.06, 0.02, lang, words, rng)
    left = 0.65 * len(text)
    chosen = []
    for i in rng.sample(range(len(sentences)), len(sentences)):
        if left > 0:
            chosen.append(i)
            left -= len(sentences[i])
    return _edit(" ".join(sentences[i] for i in sorted(chosen)), 0.13, 0.02, lang, words, rng)


def _edit(
    text: str, replaced: float, dropped: float, lang: str, words: Sequence[str], rng: random.Random
) -> str:
    out = []
    for unit in _units(text, lang):
        draw = rng.random()
        if draw < replaced:
            out.append(rng.choice(words))
        elif draw >= replaced + dropped:
            out.append(unit)
    return ("" if lang == "zh" else " ").join(out)


def _units(text: str, lang: str) -> Sequence[str]:
    """Cut a text into the units that are replaced and dropped."""
    return re.sub(r"\s+", "", text) if lang == "zh" else text.split()


def _is(lang: str, row: Row) -> bool:
    return str(row["lang"]).partition("-")[0] == lang


def _unique(bulk: Sequence[Row], lang: str) -> list[Row]:
    """Leave out the articles that may report what another one reports."""
    near = np.zeros(len(bulk))
    vectors = TfidfVectorizer(
        analyzer="char" if lang == "zh" else "word",
        ngram_range=(2, 2) if lang == "zh" else (1, 1),
        sublinear_tf=True,
    ).fit_transform(row["text"] for row in bulk)
    for start in range(0, len(bulk), 500):
        cosine = (vectors[start : start + 500] @ vectors.T).toarray()
        cosine[np.arange(len(cosine)), start + np.arange(len(cosine))] = 0
        near[start : start + 500] = cosine.max(axis=1)
    return [row for row, cosine in zip(bulk, near.tolist(), strict=True) if cosine < _ALIKE]


def _score(story: dict[str, int], copies: Sequence[Row]) -> dict[str, Any]:
    """Count the pairs of planted articles: found, missed and wrong."""
    kind = {row["id"]: str(row["kind"]) for row in copies}
    group = {row["id"]: str(row["original"]) for row in copies}
    group |= {original: original for original in group.values()}
    inside: dict[str, list[str]] = {}
    for article, original in group.items():
        inside.setdefault(original, []).append(article)
    pairs = [pair for members in inside.values() for pair in combinations(members, 2)]
    found = sum(story[a] == story[b] for a, b in pairs)
    by_story = Counter(story[article] for article in group)
    together = sum(n * (n - 1) // 2 for n in by_story.values())
    by_kind = {
        name: [story[a] == story[group[a]] for a, made in kind.items() if made == name]
        for name in KINDS
    }
    return {
        "planted": len(group),
        "pairs": len(pairs),
        "recall": found / len(pairs),
        "precision": found / max(together, 1),
        "recall_by_kind": {name: float(np.mean(hits)) for name, hits in by_kind.items()},
    }


def labelled(folder: Path) -> dict[str, Any]:
    """Score the labelled sets that are not English."""
    results = {}
    console.print(f"{'B-cubed':20}{'setting':>9}{'precision':>11}{'recall':>8}{'F1':>8}")
    for name, granularity in LABELLED.items():
        rows = read_named(folder, "labelled", name)
        labels = cluster(rows, Settings(granularity=granularity)).labels.tolist()
        score = evaluate(
            {row["id"]: label for row, label in zip(rows, labels, strict=True)},
            {row["id"]: row["story"] for row in rows},
        ).bcubed
        results[name] = {
            "granularity": granularity,
            "precision": score.precision,
            "recall": score.recall,
            "f1": score.f1,
        }
        console.print(
            f"{name:20}{granularity:>9}{score.precision:11.3f}{score.recall:8.3f}{score.f1:8.3f}"
        )
    return results


def saudi(folder: Path) -> dict[str, float | None]:
    """Measure agency copy in Arabic papers, without labels."""
    rows = read_named(folder, "bulk", "saudi_ar")
    stories = cluster(rows)
    labels = stories.labels
    outlets: dict[int, set[str]] = {}
    for row, label in zip(rows, labels.tolist(), strict=True):
        outlets.setdefault(label, set()).add(str(row["source"]))
    shared = sum(len(outlets[label]) > 1 for label in labels.tolist()) / len(rows)
    precision = estimate_precision([stories.days[members] for members in stories.members])
    story = dict(zip((row["id"] for row in rows), labels.tolist(), strict=True))
    weight: Counter[tuple[bool, bool]] = Counter()
    for pair in read(folder / "pairs" / "judged.pairs.jsonl.gz"):
        if pair["set"] == "saudi_ar":
            a, b = (story[f"saudi_ar/{pair[side]}"] for side in "ab")
            weight[bool(pair["same"]), a == b] += pair["weight"]
    right, wrong, missed = weight[True, True], weight[False, True], weight[True, False]
    estimate = "none" if precision is None else f"{precision:.3f}"
    console.print(
        f"estimated precision {estimate}; judged pairs: precision {right / (right + wrong):.3f}, "
        f"recall {right / (right + missed):.3f}\nin stories of several outlets {shared:.1%}"
    )
    return {
        "estimated_precision": precision,
        "judged_precision": right / (right + wrong),
        "judged_recall": right / (right + missed),
        "several_outlets": shared,
    }


def reprints(folder: Path) -> dict[str, int]:
    """Count articles that were published again verbatim and are in one story."""
    rows = read_named(folder, "bulk", "hkcnews_zh")
    stories = cluster(rows)
    window = Settings().window
    by_text: dict[str, list[Row]] = {}
    for row in rows:
        by_text.setdefault("".join(row["text"].split()), []).append(row)
    pairs = [
        (a, b)
        for group in by_text.values()
        for a, b in combinations(group, 2)
        if window is None or abs(_time(a) - _time(b)) <= window.total_seconds()
    ]
    found = sum(stories.story_of(a["id"]) == stories.story_of(b["id"]) for a, b in pairs)
    console.print(f"{found} of {len(pairs)} pairs of one text within the window found")
    return {"pairs": len(pairs), "found": found}


def _time(row: Row) -> float:
    published = parse_published(row["published"])
    return published.timestamp() if published else 0.0


if __name__ == "__main__":
    main()
