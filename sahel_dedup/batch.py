"""The batch pipeline: articles in, stories out.

Everything behind the sketches works on articles in order of time (those without a date
first, ties by id), so that the stories do not depend on the order of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.checkpoint import Checkpoint
from sahel_dedup.contrast import LOWEST_BAR, bars
from sahel_dedup.evidence import FLOOR, Evidence, Pairs, least_cosine
from sahel_dedup.fingerprint import Fingerprint
from sahel_dedup.furniture import hollow
from sahel_dedup.linkage import link_stories
from sahel_dedup.lsh import candidate_pairs, distinct
from sahel_dedup.profiles import Profiles
from sahel_dedup.reading import iter_articles
from sahel_dedup.settings import Settings
from sahel_dedup.similarity import Similarity
from sahel_dedup.sketching import Sketcher
from sahel_dedup.stories import Stories, twin_pairs
from sahel_dedup.threads import slices

Progress = Callable[[str, int, int | None], None]
_COMPARED_AT_ONCE = 1 << 20


def cluster(
    articles: Iterable[Mapping[str, Any] | Article] | Any,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
) -> Stories:
    """Group articles into stories.

    Parameters
    ----------
    articles
        An iterable of mappings or `Article`, a pandas or polars frame, or a path.
        ``id`` and ``text`` are required; ``title``, ``published``, ``source`` and
        ``lang`` help; other fields are carried through.
    settings : Settings, optional
        How to group; the defaults if not given.
    progress : callable, optional
        Told the stage, how much of it is done (articles, bands of LSH, pairs), 0 at its
        start, and how much there is to do, None where that is not known.

    Returns
    -------
    Stories

    Raises
    ------
    ArticleError
        If a row is not an article or repeats an id; the error names it.

    Examples
    --------
    >>> import sahel_dedup
    >>> stories = sahel_dedup.cluster([
    ...     {"id": "a", "text": "Gunmen attacked the army camp at Tessarit on Monday, killing "
    ...      "nine soldiers, the governor said."},
    ...     {"id": "b", "text": "Nine soldiers were killed on Monday when gunmen attacked an army "
    ...      "camp at Tessarit, according to the governor."},
    ...     {"id": "c", "text": "Millet prices rose in Maradi as the lean season began."},
    ... ])
    >>> stories.labels.tolist()
    [0, 0, 1]
    """
    settings = settings or Settings()
    tell = progress or (lambda _stage, _done, _all: None)
    kept: list[Article] = []

    def remember() -> Iterable[Article]:
        for article in iter_articles(articles):
            kept.append(article)
            yield article

    archive = Archive.read(remember(), settings, tell)
    return archive.stories(kept)


def fingerprints(
    articles: Iterable[Mapping[str, Any] | Article] | Any, *, workers: int = 0
) -> Iterator[tuple[str, Fingerprint]]:
    """Compute the fingerprint of each article.

    Parameters
    ----------
    articles
        See `cluster`.
    workers
        Threads; 0 takes all processors.

    Yields
    ------
    id : str
    fingerprint : Fingerprint
        It depends on nothing but the article.

    Examples
    --------
    >>> import sahel_dedup
    >>> [(name, fingerprint)] = sahel_dedup.fingerprints([{"id": "a", "text": "Rain in Kidal"}])
    >>> len(fingerprint.to_bytes()), fingerprint.to_minhash().num_perm
    (1032, 128)
    """
    for ids, profiles in Sketcher().sketch_all(iter_articles(articles), workers):
        signatures = zip(ids, profiles.salience, profiles.shingles, strict=True)
        for article, salience, shingles in signatures:
            yield article, Fingerprint(salience, shingles)


class Compared(NamedTuple):
    """The pairs of an archive that are worth a look, weighed.

    Attributes
    ----------
    twin_of : ndarray of int64, shape (n,)
        For each article the first with the same text and title, itself if none.
    similarity : Similarity
        What compares further pairs.
    evidence : Evidence
        What weighs them.
    pairs : Pairs
        Proposed by LSH, of at least the least cosine; no later twin is among them.
    """

    twin_of: NDArray[np.int64]
    similarity: Similarity
    evidence: Evidence
    pairs: Pairs


@dataclass(slots=True)
class Archive:
    """Sketched articles, ready to be grouped.

    Attributes
    ----------
    ids : list of str
        Ids in order of time.
    position : ndarray of int64, shape (n,)
        Place in the input of each row.
    """

    settings: Settings
    ids: list[str]
    position: NDArray[np.int64]
    profiles: Profiles
    sketcher: Sketcher
    tell: Progress = field(repr=False)

    @classmethod
    def read(
        cls,
        articles: Iterable[Article],
        settings: Settings,
        tell: Progress,
        checkpoint: Checkpoint | None = None,
    ) -> Archive:
        """Sketch a stream of articles; their texts are let go.

        With a checkpoint, sketches go to disk as they are made, and those that are there
        are not made again.
        """
        sketcher = Sketcher()
        sketch_all = partial(checkpoint.sketch_all, sketcher) if checkpoint else sketcher.sketch_all
        ids: list[str] = []

        def parts() -> Iterator[Profiles]:
            yield sketcher.sketch([])
            for chunk, profiles in sketch_all(articles, settings.workers):
                ids.extend(chunk)
                tell("reading", len(ids), None)
                yield profiles

        profiles = Profiles.concatenate(parts())
        profiles.source = sketcher.number_sources_by_name()[profiles.source]
        by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
        day = np.where(np.isnan(profiles.day), -np.inf, profiles.day)
        order = by_id[np.argsort(day[by_id], kind="stable")]
        profiles.reorder(order)
        return cls(settings, [ids[i] for i in order], order, profiles, sketcher, tell)

    def stories(self, articles: list[Article] | None = None) -> Stories:
        """Group the articles.

        Parameters
        ----------
        articles : list of Article, optional
            The articles in input order, for the result to show.

        Returns
        -------
        Stories
        """
        profiles, settings = self.profiles, self.settings
        compared = self.compare(settings.bar)
        self.tell("linking", 0, None)
        labels, inside = link_stories(
            compared.pairs, len(profiles), compared.evidence, settings.bar
        )
        self.tell("linking", len(inside), len(inside))
        pairs = Pairs.concatenate([inside, twin_pairs(compared.twin_of)])
        return Stories(
            self.ids,
            self.position,
            profiles,
            labels[compared.twin_of],
            pairs.where(np.lexsort((pairs.second, pairs.first))),
            compared.evidence,
            compared.similarity,
            settings,
            self.sketcher.sources,
            articles,
        )

    def compare(self, least: float = -np.inf) -> Compared:
        """Propose pairs of articles and weigh them.

        Parameters
        ----------
        least : float
            Pairs that cannot score so much may be left out.

        Returns
        -------
        Compared
        """
        profiles, settings, layout = self.profiles, self.settings, self.settings.layout
        twin_of = twins(profiles.body, profiles.headline, profiles.day, settings.window_days)
        page = hollow(profiles.body, profiles.headline, profiles.source)
        single = np.flatnonzero((twin_of == np.arange(len(twin_of))) & ~page)
        first, second = candidate_pairs(
            profiles.salience[single],
            profiles.day[single],
            settings.window_days,
            layout,
            settings.workers,
            partial(self.tell, "candidate pairs"),
        )
        first, second = single[first], single[second]
        self.tell("comparing", 0, len(first))
        similarity = Similarity(profiles, self.sketcher, settings.workers)
        cosine = np.empty(len(first))
        for rows in slices(len(first), _COMPARED_AT_ONCE):
            cosine[rows] = similarity.cosines(first[rows], second[rows])
            self.tell("comparing", min(rows.stop, len(first)), len(first))
        dated = ~np.isnan(profiles.day[first] - profiles.day[second])
        close = cosine >= least_cosine(dated)
        first, second, cosine = first[close], second[close], cosine[close]
        self.tell("weighing", 0, None)
        if least > FLOOR:
            # A higher bar only lowers a score, so articles without a hopeful pair need none.
            lowest = np.full(len(profiles), LOWEST_BAR)
            hopes = Evidence(profiles, similarity, lowest, settings)
            hopeful = hopes.most(first, second, cosine) >= least
            first, second, cosine = first[hopeful], second[hopeful], cosine[hopeful]
            hopeful = hopes.weigh(first, second, cosine).score >= least
            first, second, cosine = first[hopeful], second[hopeful], cosine[hopeful]
        wanted = distinct(np.concatenate([first, second]))
        self.tell("weighing", 0, None)
        bar = bars(profiles, wanted, similarity, layout, settings.workers)
        self.tell("contrast", len(wanted), len(wanted))
        evidence = Evidence(profiles, similarity, bar, settings)
        pairs = evidence.weigh(first, second, cosine)
        self.tell("weighing", len(pairs), len(pairs))
        return Compared(twin_of, similarity, evidence, pairs)


def twins(
    body: NDArray[np.uint64],
    headline: NDArray[np.uint64],
    day: NDArray[np.float64],
    window: float,
) -> NDArray[np.int64]:
    """For each article the first with the same text and title, itself if none.

    Ten thousand copies of one text are one node to the stages behind. Copies more
    than a window apart are no twins: "no change today" is said every day.

    Parameters
    ----------
    body, headline : ndarray of uint64, shape (n,)
        Hashes of text and title, in order of time (`sahel_dedup.profiles.Profiles`).
    day : ndarray of float64, shape (n,)
    window : float
        In days.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    rows = np.flatnonzero(body)
    order = np.lexsort((rows, headline[rows], body[rows]))
    rows = rows[order]
    twin_of = np.arange(len(body))
    head = -1
    same = (np.diff(body[rows], prepend=np.uint64(0)) == 0) & (
        np.diff(headline[rows], prepend=np.uint64(0)) == 0
    )
    for i in np.flatnonzero(same):
        if not same[i - 1] or head < 0:
            head = rows[i - 1]
        if day[rows[i]] - day[head] > window:
            head = rows[i]
        else:
            twin_of[rows[i]] = head
    return twin_of
