"""Metrics: how well predicted stories agree with known ones.

Three views of one contingency table: pairs of articles, which large stories dominate;
B-cubed, in which every article counts the same; and the adjusted Rand index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sahel_dedup.articles import read_id
from sahel_dedup.clustering.crosswalk import read_previous
from sahel_dedup.errors import ArticleError, NotFoundError
from sahel_dedup.io.readers import Place, read_rows
from sahel_dedup.util.values import is_missing

if TYPE_CHECKING:
    from sahel_dedup.clustering.partition import StoryPartition

# Columns that may hold the story of an article, best first.
STORY_FIELDS = ("story_id", "story")


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and their harmonic mean, all from 0 to 1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Agreement between predicted and known stories.

    Attributes
    ----------
    articles
        Number of articles on both sides; everything else is about these.
    only_predicted, only_gold
        Number of articles that are on one side only and were left out.
    predicted_stories, gold_stories
        Number of stories, including those of one article.
    pairwise
        Compares the pairs of articles in one predicted story with those in one known story. The
        score is 1 if there are no pairs.
    bcubed
        The mean over articles of the share of the article's predicted story that belongs
        with it (precision), and of its known story that was found (recall) [1]_, [2]_.
    adjusted_rand
        The Rand index corrected for chance [3]_: 1 for the same stories, about 0 for
        stories at random.
    predicted_sizes, gold_sizes
        Number of stories by number of articles.

    References
    ----------
    .. [1] A. Bagga and B. Baldwin, "Entity-Based Cross-Document Coreferencing Using the
       Vector Space Model", COLING-ACL 1998.
    .. [2] E. Amigó, J. Gonzalo, J. Artiles and F. Verdejo, "A comparison of extrinsic
       clustering evaluation metrics based on formal constraints", Information
       Retrieval 12, 2009.
    .. [3] L. Hubert and P. Arabie, "Comparing partitions", Journal of Classification 2,
       1985.
    """

    articles: int
    only_predicted: int
    only_gold: int
    predicted_stories: int
    gold_stories: int
    pairwise: Score
    bcubed: Score
    adjusted_rand: float
    predicted_sizes: Mapping[int, int]
    gold_sizes: Mapping[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and numbers that JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        # Plain text for print and logs: a table of rich needs a console, and wraps at its width.
        lines = [
            f"{self.articles:,} articles; left out: {self.only_predicted:,} without a known "
            f"story, {self.only_gold:,} without a predicted one",
            "",
            f"{'':14}{'precision':>10}{'recall':>10}{'F1':>10}",
        ]
        for name, score in (("pairs", self.pairwise), ("B-cubed", self.bcubed)):
            lines.append(f"{name:14}{score.precision:10.3f}{score.recall:10.3f}{score.f1:10.3f}")
        lines += [
            f"{'adjusted Rand':14}{self.adjusted_rand:30.3f}",
            "",
            f"{'':14}{'predicted':>10}{'known':>10}",
            f"{'stories':14}{self.predicted_stories:10,}{self.gold_stories:10,}",
            f"{'of one':14}{self.predicted_sizes.get(1, 0):10,}{self.gold_sizes.get(1, 0):10,}",
            f"{'largest':14}{max(self.predicted_sizes):10,}{max(self.gold_sizes):10,}",
        ]
        return "\n".join(lines)


def evaluate(
    predicted: StoryPartition | Mapping[str, str] | Any,
    gold: StoryPartition | Mapping[str, str] | Any,
) -> Evaluation:
    """Compare predicted stories with known ones.

    Parameters
    ----------
    predicted, gold
        Story by article id: a mapping, the result of `sahel_dedup.cluster`, or anything else that
        `sahel_dedup.clustering.crosswalk.read_previous` reads. Names of stories need not agree
        between the two. Articles on one side only are counted and left out.

    Returns
    -------
    Evaluation

    Raises
    ------
    NotFoundError
        If the two have no article in common.
    ArticleError
        If one of them has rows without an id or a story.
    """
    predicted, gold = read_previous(predicted), read_previous(gold)
    ids = [article_id for article_id in gold if article_id in predicted]
    if not ids:
        raise NotFoundError(
            "nothing to evaluate: no article is in both predicted and known stories"
        )
    known = _codes([gold[article_id] for article_id in ids])
    found = _codes([predicted[article_id] for article_id in ids])
    known_size, found_size = np.bincount(known), np.bincount(found)
    # shared: number of articles that have both stories, for every two that occur together.
    cells, shared = np.unique(known * len(found_size) + found, return_counts=True)
    row, column = np.divmod(cells, len(found_size))
    # Every pair is counted twice here, which cancels out in all ratios. int64 can hold the counts
    # of 3 billion articles.
    together = int(np.square(shared).sum())
    both = together - len(ids)
    only_found = int(np.square(found_size).sum()) - together
    only_known = int(np.square(known_size).sum()) - together
    neither = len(ids) ** 2 - len(ids) - both - only_found - only_known
    return Evaluation(
        articles=len(ids),
        only_predicted=len(predicted) - len(ids),
        only_gold=len(gold) - len(ids),
        predicted_stories=len(found_size),
        gold_stories=len(known_size),
        pairwise=_score(_share(both, only_found), _share(both, only_known)),
        bcubed=_score(
            float(np.sum(shared * (shared / found_size[column])) / len(ids)),
            float(np.sum(shared * (shared / known_size[row])) / len(ids)),
        ),
        adjusted_rand=_adjusted_rand(both, only_found, only_known, neither),
        predicted_sizes=_histogram(found_size),
        gold_sizes=_histogram(known_size),
    )


def _adjusted_rand(both: int, only_found: int, only_known: int, neither: int) -> float:
    """Return the Rand index adjusted for chance (Hubert and Arabie, 1985), from counts of pairs.

    scikit-learn has it too, but takes as long to import as everything else together.
    """
    if not only_found and not only_known:
        return 1.0
    known = (both + only_known) * (only_known + neither)
    found = (both + only_found) * (only_found + neither)
    return 2 * (both * neither - only_known * only_found) / (known + found)


def read_labels(
    path: str | PathLike[str], *, fields: Sequence[str] = STORY_FIELDS
) -> dict[str, str]:
    """Read the story of each article from a file of rows.

    Parameters
    ----------
    path
        A file that `sahel_dedup.io.readers.read_rows` can read.
    fields
        Columns that may hold the story; the first one that a row has is used.

    Returns
    -------
    dict of str to str
        Story by article id. Articles whose story is missing or empty are left out.

    Raises
    ------
    ArticleError
        If a row has no id, has none of the fields or repeats an id.
    """
    stories = ((read_id(row), first_of(row, fields)) for _, row in label_rows(path, fields))
    return {article: story for article, story in stories if story is not None}


def label_rows(
    path: str | PathLike[str], fields: Sequence[str]
) -> Iterator[tuple[Place, Mapping[str, object]]]:
    """Read rows that each have a unique id and a story.

    Parameters
    ----------
    path, fields
        See `read_labels`, which also lists the errors.

    Yields
    ------
    place : Place
    row : Mapping
    """
    seen: set[str] = set()
    for place, row in read_rows(path):
        try:
            article_id = read_id(row)
            if article_id in seen:
                raise ArticleError(f"duplicate id: {article_id!r}", "id")
            if not any(name in row for name in fields):
                raise ArticleError(f"missing: the row has none of {', '.join(fields)}", fields[0])
        except ArticleError as error:
            raise error.at(*place) from None
        seen.add(article_id)
        yield place, row


def first_of(row: Mapping[str, object], fields: Sequence[str]) -> str | None:
    """Return the first of some fields that a row has, ``None`` if it is missing or empty."""
    value = next(row[name] for name in fields if name in row)
    return None if is_missing(value) or value == "" else str(value)


def _codes(labels: Sequence[str]) -> npt.NDArray[np.int64]:
    # scikit-learn accepts strings too, but sorts a million of them slowly.
    numbers: dict[str, int] = {}
    return np.fromiter(
        (numbers.setdefault(label, len(numbers)) for label in labels), np.int64, len(labels)
    )


def _share(right: int, wrong: int) -> float:
    return right / (right + wrong) if right + wrong else 1.0


def _score(precision: float, recall: float) -> Score:
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total else 0.0)


def _histogram(sizes: npt.NDArray[np.int64]) -> dict[int, int]:
    values, counts = np.unique(sizes, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
