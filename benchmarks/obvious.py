"""A typical script for the task: datasketch, TfidfVectorizer, connected components."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

# What datasketch chooses for a Jaccard similarity of 0.5.
BANDS, ROWS = 25, 5
COSINE = 0.6
_BATCH = 10_000


def group(texts: Sequence[str], params: tuple[int, int] = (BANDS, ROWS)) -> NDArray[np.int64]:
    """Group texts whose three-word shingles and TF-IDF vectors are similar.

    Parameters
    ----------
    texts : sequence of str
    params : (int, int)
        Bands and rows of the LSH.

    Returns
    -------
    ndarray of int64, shape (n_texts,)
        Number of the group of each text.
    """
    lsh = MinHashLSH(num_perm=128, params=params)
    first, second = [], []
    minhashes = MinHash.generator((_shingles(text) for text in texts), num_perm=128)
    for number, minhash in enumerate(minhashes):
        for other in lsh.query(minhash):
            first.append(other)
            second.append(number)
        lsh.insert(number, minhash, check_duplication=False)
    vectors = TfidfVectorizer().fit_transform(texts)
    kept = np.zeros(len(first), dtype=bool)
    for start in range(0, len(first), _BATCH):
        rows = slice(start, start + _BATCH)
        products = vectors[first[rows]].multiply(vectors[second[rows]]).sum(axis=1)
        kept[rows] = np.asarray(products).ravel() >= COSINE
    edges = np.array([first, second], dtype=np.int64)[:, kept]
    graph = coo_array((np.ones(edges.shape[1]), tuple(edges)), shape=(len(texts), len(texts)))
    _, component = connected_components(graph, directed=False)
    return np.asarray(component, dtype=np.int64)


def _shingles(text: str) -> list[bytes]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[i : i + 3]).encode() for i in range(max(1, len(words) - 2))]
