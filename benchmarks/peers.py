"""Alternatives: each function takes texts and returns the group of each of them.

Every peer is used as in its own documentation, with the setting that is best for it in
benchmarks/compare.py: 32 bands of 4 rows for MinHash, a cosine of 0.6 for TF-IDF. Imports are
inside the functions, as the peers are an optional install.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]

COSINE = 0.6
JACCARD = 0.5
BANDS, ROWS = 32, 4
# More neighbours above the threshold than any group has members.
_NEIGHBOURS = 50
_BLOCK = 10_000


def obvious(texts: Sequence[str]) -> Labels:
    """Run the typical script, with the bands of the other peers."""
    from benchmarks.obvious import group

    return group(texts, (BANDS, ROWS))


def tfidf_all_pairs(texts: Sequence[str]) -> Labels:
    """Find all pairs above a cosine: TF-IDF on the rarer words and sparse_dot_topn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    vectors = TfidfVectorizer(max_df=0.02, dtype=np.float32).fit_transform(texts)
    near = sp_matmul_topn(vectors, vectors.T.tocsr(), top_n=_NEIGHBOURS, threshold=COSINE)
    return _components(zip(*near.nonzero(), strict=True), len(texts))


def rensa(texts: Sequence[str]) -> Labels:
    """Use rensa's MinHash and LSH and confirm pairs by their estimated Jaccard similarity."""
    from rensa import RMinHash, RMinHashLSH

    minhashes = []
    for text in texts:
        minhash = RMinHash(num_perm=128, seed=42)
        minhash.update(shingles(text))
        minhashes.append(minhash)
    lsh = RMinHashLSH(threshold=JACCARD, num_perm=128, num_bands=BANDS)
    lsh.insert_many(minhashes, 0)
    pairs = (
        (i, j)
        for i, found in enumerate(lsh.query_all(minhashes))
        for j in found
        if i < j and minhashes[i].jaccard(minhashes[j]) >= JACCARD
    )
    return _components(pairs, len(texts))


def gaoya(texts: Sequence[str]) -> Labels:
    """Use gaoya's string index, which confirms pairs by their estimated Jaccard similarity."""
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(
        hash_size=32, jaccard_threshold=JACCARD, num_bands=BANDS, band_size=ROWS, num_hashes=128,
        analyzer="word", lowercase=True, ngram_range=(3, 3),
    )  # fmt: skip
    index.par_bulk_insert_docs(list(range(len(texts))), list(texts))
    found = index.par_bulk_query(list(texts))
    pairs = ((i, j) for i, others in enumerate(found) for j in others if i < j)
    return _components(pairs, len(texts))


def text_dedup(texts: Sequence[str]) -> Labels:
    """Use text-dedup's MinHash command; it confirms nothing."""
    from text_dedup import minhash

    with TemporaryDirectory() as place, redirect_stdout(sys.stderr):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        source = Path(place) / "texts.jsonl"
        source.write_text(lines, encoding="utf-8")
        command = f"""--path json --data_files {source} --split train --column text --num_proc 1
            --cache_dir {place}/cache --output {place}/out --hash_func xxh3 --min_length 1
            --ngram 3 --num_perm {BANDS * ROWS} --b {BANDS} --r {ROWS}"""
        minhash.main(command.split(), standalone_mode=False)
        return np.array([minhash.uf.find(i) for i in range(len(texts))])


def datatrove(texts: Sequence[str]) -> Labels:
    """Use datatrove's three MinHash stages one after the other; they confirm nothing."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import minhash
    from datatrove.utils.hashing import HashConfig

    # Its default, xxhash, fails with the xxhash of today.
    config = minhash.MinhashConfig(
        n_grams=3, num_buckets=BANDS, hashes_per_bucket=ROWS, hash_config=HashConfig(hash_fc="sha1")
    )
    labels = np.arange(len(texts))
    with TemporaryDirectory() as place, redirect_stdout(sys.stderr):
        signatures, pairs, clusters = (f"{place}/{stage}" for stage in "abc")
        documents = (Document(text, str(i)) for i, text in enumerate(texts))
        minhash.MinhashDedupSignature(signatures, config).run(documents)
        for band in range(BANDS):
            stage = minhash.MinhashDedupBuckets(signatures, pairs, config=config)
            stage.run(rank=band, world_size=BANDS)
        minhash.MinhashDedupCluster(pairs, clusters, config, save_cluster_id=True).run()
        for path in Path(clusters).glob("*.clusters"):  # there is none if nothing is similar
            document, cluster = np.fromfile(path, dtype="<u4").reshape(-1, 2).T
            labels[document] = len(texts) + cluster
    return labels


PEERS: dict[str, Callable[[Sequence[str]], Labels]] = {
    "datasketch + TfidfVectorizer": obvious,
    "TF-IDF (df <= 2 %) + sparse_dot_topn": tfidf_all_pairs,
    "rensa + networkx": rensa,
    "gaoya + networkx": gaoya,
    "text-dedup": text_dedup,
    "datatrove": datatrove,
}


def shingles(text: str) -> list[str]:
    """Cut a text into three-word shingles."""
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))]


def encoded_shingles(text: str) -> list[bytes]:
    """Cut a text into three-word shingles, encoded as datasketch takes them."""
    return [shingle.encode() for shingle in shingles(text)]


def datasketch_signatures(texts: Iterable[str]) -> Iterator[NDArray[np.uint32]]:
    """Yield the MinHash values of each text."""
    from datasketch import MinHash

    for minhash in MinHash.generator((encoded_shingles(text) for text in texts), num_perm=128):
        yield minhash.hashvalues


def _components(pairs: Iterable[tuple[int, int]], n: int) -> Labels:
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(pairs)
    labels = np.empty(n, dtype=np.int64)
    for number, members in enumerate(networkx.connected_components(graph)):
        labels[list(members)] = number
    return labels
