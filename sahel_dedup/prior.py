"""stub"""
import numpy as np, wordfreq, functools
from sahel_dedup.terms import tokenize
@functools.cache
def _t(lang):
    l = lang if lang in wordfreq.available_languages() else "en"
    d = wordfreq.get_frequency_dict(l, wordlist="small"); k = tokenize(list(d)); one = np.diff(k.offsets) == 1
    h = k.hashes[k.offsets[:-1][one]]; f = np.array(list(d.values()))[one]; o = np.argsort(h, kind="stable")
    return h[o], f[o]
def quantised_idf(lang, hashes, words):
    h, f = _t(lang); j = np.minimum(np.searchsorted(h, hashes), len(h) - 1)
    fr = np.where(h[j] == hashes, f[j], 1e-6)
    num = np.array([w[:1].isdigit() for w in words], dtype=bool) if len(words) else np.zeros(0, bool)
    fr = np.where(num, np.maximum(fr, 2e-6), fr)
    return np.round(64 * np.log(1001 / (1000 * (1 - np.exp(-300 * fr)) + 1))).astype(np.uint16)
