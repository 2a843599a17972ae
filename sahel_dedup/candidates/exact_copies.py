"""Articles with one text: exact copies, and placeholder pages that only look like them.

A paywall or an error page appears under the headline of every article it hides. A syndicated text
has many headlines too, because each paper writes its own. The two differ in the words that headline
and text share: a headline uses words of its text, while a placeholder page shares few with its
headlines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.sketch.profiles import Profiles, are_in_text
from sahel_dedup.text.vocabulary import Vocabulary

# A text under this many headlines of one outlet, or of unknown outlets, may be such a page.
MANY_HEADLINES = 5
MANY_HEADLINES_ANYWHERE = 20
# It is one if its headlines share less than this part of their weight with the text, on average.
LEAST_ECHO = 0.2


def exact_duplicates(
    text: NDArray[np.uint64],
    headline: NDArray[np.uint64],
    day: NDArray[np.float64],
    window: float,
) -> NDArray[np.int64]:
    """Return for each article the first with the same text and title, or the article itself.

    Later stages treat ten thousand copies of one text as one article. Copies more than a window
    apart are not duplicates: "no change today" may appear every day.

    Parameters
    ----------
    text, headline : ndarray of uint64, shape (n,)
        Numbers of the texts (`sahel_dedup.sketch.digests.text_numbers`) and hashes of the titles
        (`sahel_dedup.sketch.profiles.Profiles`), in order of time; 0 for none.
    day : ndarray of float64, shape (n,)
    window : float
        In days.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    rows = np.flatnonzero(text)
    order = np.lexsort((rows, headline[rows], text[rows]))
    rows = rows[order]
    duplicate_of = np.arange(len(text))
    head, start = -1, np.nan
    same = (np.diff(text[rows], prepend=np.uint64(0)) == 0) & (
        np.diff(headline[rows], prepend=np.uint64(0)) == 0
    )
    for i in np.flatnonzero(same):
        if not same[i - 1] or head < 0:
            head = rows[i - 1]
            start = day[head]
        if day[rows[i]] - start > window:
            head = rows[i]
            start = day[head]
        else:
            duplicate_of[rows[i]] = head
            # The first may have no date. The window then opens with the first that has one.
            start = day[rows[i]] if np.isnan(start) else start
    return duplicate_of


def spans(
    duplicate_of: NDArray[np.int64], day: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first and the last day among each article and its later copies.

    Parameters
    ----------
    duplicate_of : ndarray of int64, shape (n,)
        See `exact_duplicates`.
    day : ndarray of float64, shape (n,)

    Returns
    -------
    first, last : ndarray of float64, shape (n,)
        NaN where none of them has a date.
    """
    first, last = day.copy(), day.copy()
    np.fmin.at(first, duplicate_of, day)
    np.fmax.at(last, duplicate_of, day)
    return first, last


def placeholder_pages(
    text: NDArray[np.uint64],
    headline: NDArray[np.uint64],
    source: NDArray[np.int32],
    echo: Callable[[NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.bool_]:
    """Find articles whose text is a placeholder page: one text under many headlines.

    Parameters
    ----------
    text, headline : ndarray of uint64, shape (n,)
        Numbers of the texts (`sahel_dedup.sketch.digests.text_numbers`) and hashes of the titles
        (`sahel_dedup.sketch.profiles.Profiles`); 0 for none.
    source : ndarray of int32, shape (n,)
        Number of the outlet, -1 where unknown.
    echo : callable
        Returns `headline_echo` for some rows; called only for texts that have many headlines.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    page = np.zeros(len(text), dtype=np.bool_)
    for rows in _runs_of_one_text(text, source):
        _, distinct = np.unique(headline[rows], return_index=True)
        titled = rows[distinct[headline[rows[distinct]] > 0]]
        if len(titled) >= many_headlines(int(source[rows[0]])):
            page[rows] = is_placeholder(echo(titled))
    return page


def many_headlines(source: int) -> int:
    """Return how many headlines of one text count as many, in one outlet or in unknown ones."""
    return MANY_HEADLINES if source >= 0 else MANY_HEADLINES_ANYWHERE


def is_placeholder(echo: NDArray[np.float64]) -> bool:
    """Whether a text under many headlines shares too little with them.

    Parameters
    ----------
    echo : ndarray of float64, shape (n,)
        `headline_echo` of one article for each headline.
    """
    return bool(echo.mean() < LEAST_ECHO)


def headline_echo(
    lang: str,
    terms: NDArray[np.int32],
    counts: NDArray[np.unsignedinteger[Any]],
    title_terms: NDArray[np.int32],
    vocabulary: Vocabulary,
) -> float:
    """Return the share, 0 to 1, of a title's weight whose words also occur in the text.

    Parameters
    ----------
    lang : str
    terms, counts, title_terms
        Those of one article: see `sahel_dedup.sketch.profiles.Profiles`.
    vocabulary : Vocabulary
        Gives the rarity of words in the language, which is their weight.
    """
    weight = vocabulary.prior_idf(lang, title_terms).astype(np.float64)
    held = are_in_text(title_terms, terms, counts)
    return float(weight[held].sum() / max(weight.sum(), 1.0))


def headline_echoes(
    profiles: Profiles,
    langs: Sequence[str],
    vocabulary: Vocabulary,
    rows: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Return `headline_echo` for some articles, or for all, shape (n_rows,).

    Parameters
    ----------
    profiles : Profiles
    langs : sequence of str
        Names of the languages by number.
    vocabulary : Vocabulary
    rows : ndarray of int64, shape (n_rows,), optional
    """
    p = profiles
    return np.array([
        headline_echo(
            langs[p.lang[row]],
            p.terms[p.indptr[row] : p.indptr[row + 1]],
            p.counts[p.indptr[row] : p.indptr[row + 1]],
            p.title_terms[p.title_indptr[row] : p.title_indptr[row + 1]],
            vocabulary,
        )
        for row in (range(len(p)) if rows is None else rows.tolist())
    ], dtype=np.float64)  # fmt: skip


def _runs_of_one_text(
    text: NDArray[np.uint64], source: NDArray[np.int32]
) -> Iterator[NDArray[np.int64]]:
    """Yield the articles of each text that one outlet, or unknown outlets, published repeatedly."""
    rows = np.flatnonzero(text)
    rows = rows[np.lexsort((source[rows], text[rows]))]
    new = (np.diff(text[rows], prepend=~text[rows[:1]]) != 0) | (
        np.diff(source[rows], prepend=source[rows[:1]]) != 0
    )
    starts = np.append(np.flatnonzero(new), len(rows))
    for run in np.flatnonzero(np.diff(starts) >= MANY_HEADLINES).tolist():
        yield rows[starts[run] : starts[run + 1]]
