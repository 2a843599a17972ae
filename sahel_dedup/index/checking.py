"""Search for damage in the file of an index: ``sahel-dedup index check``."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import SahelError
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.growable_profiles import TERM
from sahel_dedup.index.kept_texts import check_texts
from sahel_dedup.index.live import Live
from sahel_dedup.index.metadata import check_retention, stored_settings, warn_of_versions
from sahel_dedup.index.persistence import Keeper
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.sketch.profiles import Traits, take_ragged
from sahel_dedup.util.days import length_of

# Numbers that are assigned in the order of arrival and may therefore differ.
_NUMBERED = ("source", "lang")
_PLACES = ("story", "when", "nearest", "serial")


def check(path: str | os.PathLike[str]) -> list[str]:
    """Search for damage in the file of an index, and in that of its arrays.

    Every row is read, with the texts, and compared with its checksum.

    Parameters
    ----------
    path
        The file. Another process may be writing it.

    Returns
    -------
    list of str
        Descriptions of damage; empty if there is none.
    """
    try:
        with closing(Store(path, readonly=True)) as store:
            if faults := store.faults():
                return [f"{store.path!r} is damaged: {fault}" for fault in faults]
            with store.transaction(), store.checked():
                warn_of_versions(store.made, store.path)
                store.read_state()
                settings = stored_settings(store.made, store.path)
                keeper = Keeper(store, Engine(settings), arrays=False)
                check_retention(length_of(keeper.load().retention), settings)
                check_texts(keeper)
                faults = _copy_faults(keeper.engine.live)
                return faults + _array_faults(keeper, Keeper(store, Engine(settings)))
    except SahelError as error:
        return [str(error)]


def _copy_faults(live: Live) -> list[str]:
    """Return what is wrong with copies; everything else is checked whenever rows are read."""
    story, head = live.standing.story[: len(live)], live.standing.duplicate_of[: len(live)]
    wrong = {
        "articles are copies of one that is a copy itself": head[head] != head,
        "copies are in another story than their original": story[head] != story,
    }
    return [f"{found.sum():,} {meaning}" for meaning, found in wrong.items() if found.any()]


def _array_faults(rows: Keeper, arrays: Keeper) -> list[str]:
    """Compare an index that was read from its rows with the one from its arrays."""
    arrays.load()
    path = repr(rows.store.arrays_path)
    if arrays.arrays is not None and arrays.arrays.fault is not None:
        return [f"{path} is damaged and is not used: {arrays.arrays.fault}"]
    same = _named(rows.engine.live) == _named(arrays.engine.live) and all(
        np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        for one, other in zip(_columns(rows), _columns(arrays), strict=True)
    )
    return [] if same else [f"{path} differs from the index: remove it"]


def _columns(keeper: Keeper) -> list[NDArray[np.generic]]:
    """Return the data of live articles that must not depend on how they were read."""
    live = keeper.engine.live
    p, s = live.profiles, live.standing
    there = np.flatnonzero(live.ids.present(len(live)))
    traits = [item.name for item in fields(Traits) if item.name not in _NUMBERED]
    columns = [getattr(p, name)[there] for name in traits]
    columns += [getattr(s, name)[there] for name in _PLACES]
    columns += [s.serial[s.duplicate_of[there]], np.diff(p.indptr)[there]]
    words, _ = take_ragged(p.words, p.indptr, there)
    return [*columns, words & ~TERM, keeper.terms.filed(words & TERM)]


def _named(live: Live) -> list[str]:
    """Return everything with a name: articles, outlets and languages."""
    p, outlets, langs = live.profiles, live.sketcher.sources.names, live.sketcher.langs.names
    names = []
    for row in np.flatnonzero(live.ids.present(len(live))).tolist():
        source = p.source[row]
        names += [live.ids[row], "" if source < 0 else outlets[source], langs[p.lang[row]]]
    return names
