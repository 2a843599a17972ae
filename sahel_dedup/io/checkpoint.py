"""Checkpoints: what was made of the articles so far, on disk, so that a long run can go on.

Reading and sketching is most of the work on an archive, and depends on nothing but the
articles. A checkpoint is a folder of parts, each written as a whole when its articles are
done; a run that finds parts skips their articles and continues after them. Settings are
not part of it: the same sketches serve any window and granularity.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.errors import FileError
from sahel_dedup.io.arrays import read_arrays
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.writers import replacing
from sahel_dedup.sketch.fingerprint import FINGERPRINT_VERSION
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.util.version import package_version

# Some forty megabytes, and two to five seconds of work.
PART_ARTICLES = 1 << 14
_HEADER = "checkpoint.json"
# Raised whenever the columns of a part change.
_FORMAT = 3


class Checkpoint:
    """A folder of sketches of the articles of some files.

    Parameters
    ----------
    folder : str
        It is made if it is not there.
    inputs : sequence of path
        The files that the articles are read from.
    reading : str
        Whatever else decides which articles they hold, such as what is done about faults.

    Raises
    ------
    SahelError
        If the folder holds anything else than a checkpoint of these files, as they are, by
        this release.
    """

    def __init__(self, folder: str, inputs: Sequence[InputPath], reading: str = "") -> None:
        self.folder = folder
        header = {
            "format": _FORMAT,
            "fingerprints": FINGERPRINT_VERSION,
            "versions": {"sahel-dedup": package_version(), "wordfreq": version("wordfreq")},
            "unicode": unicodedata.unidata_version,
            "reading": reading,
            "inputs": [_describe(path) for path in inputs],
        }
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, _HEADER)
        if os.path.exists(path):
            self._check(path, header)
        elif os.listdir(folder):
            raise FileError(f"{folder!r} is not a checkpoint directory and is not empty")
        else:
            with replacing(path) as (file, _):
                file.write(json.dumps(header, indent=1).encode())

    def sketch_all(
        self, sketcher: Sketcher, articles: Iterable[Article], workers: int = 0
    ) -> Iterator[tuple[list[str], Profiles]]:
        """Sketch a stream of articles, in order, but for those that were done before.

        Parameters
        ----------
        sketcher : Sketcher
            A new one: it learns the terms, outlets and languages of the parts.
        articles : iterable of Article
            All of them: those that were done are read over.
        workers : int
            Threads; 0 takes all processors.

        Yields
        ------
        ids : list of str
        profiles : Profiles
        """
        names = _Names(sketcher)
        stream = iter(articles)
        number = 0
        while os.path.exists(self._part(number)):
            ids, profiles = self._load(number, names)
            for name, day in zip(ids, profiles.day.tolist(), strict=True):
                article = next(stream, None)
                if article is None or article.id != name:
                    raise FileError(f"{self.folder!r} holds other articles than the input")
                sketcher.implausible_dates += article.published is not None and day != day
            number += 1
            yield ids, profiles
        held: list[tuple[list[str], Profiles]] = []
        for chunk in sketcher.sketch_all(stream, workers):
            yield chunk
            held.append(chunk)
            if sum(len(ids) for ids, _ in held) >= PART_ARTICLES:
                self._save(number, held, names)
                number, held = number + 1, []
        if held:
            self._save(number, held, names)

    def _check(self, path: str, header: dict[str, Any]) -> None:
        try:
            with open(path, "rb") as file:
                found = json.load(file)
        except ValueError:
            raise FileError(f"{self.folder!r} is damaged: {_HEADER} cannot be read") from None
        for name, value in header.items():
            if found.get(name) != value:
                what = "other files" if name == "inputs" else f"other {name}"
                raise FileError(
                    f"{self.folder!r} is a checkpoint of {what} ({found.get(name)}, now {value}): "
                    "name another folder, or remove this one"
                )

    def _part(self, number: int) -> str:
        return os.path.join(self.folder, f"part-{number:05}.npz")

    def _save(
        self, number: int, chunks: Sequence[tuple[list[str], Profiles]], names: _Names
    ) -> None:
        profiles = Profiles.concatenate(profiles for _, profiles in chunks)
        arrays = {item.name: getattr(profiles, item.name) for item in fields(Profiles)}
        hashes, kept = names.new()
        kept["ids"] = [name for ids, _ in chunks for name in ids]
        packed = np.frombuffer(json.dumps(kept).encode(), dtype=np.uint8)
        with replacing(self._part(number)) as (file, _):
            np.savez(file, kept=packed, hashes=hashes, **arrays)

    def _load(self, number: int, names: _Names) -> tuple[list[str], Profiles]:
        path = self._part(number)
        try:
            arrays = read_arrays(path)
            kept = json.loads(arrays["kept"].tobytes())
            profiles = Profiles(**{item.name: arrays[item.name] for item in fields(Profiles)})
            ids: list[str] = kept["ids"]
            names.learn(arrays["hashes"], kept)
            return ids, profiles
        except (ValueError, KeyError) as error:
            raise FileError(
                f"{path!r} is damaged: {error}; delete it and all later parts"
            ) from error


class _Names:
    """What the numbers in profiles stand for, part by part.

    Numbers are given in order of arrival and never changed, so that each part needs only the
    names that are new in it.
    """

    def __init__(self, sketcher: Sketcher) -> None:
        self._sketcher = sketcher
        self._known = dict.fromkeys(("words", "sources", "langs"), 0)

    def new(self) -> tuple[NDArray[np.uint64], dict[str, Sequence[str]]]:
        """Return what has come up since the last call: hashes of the words, names by kind."""
        sketcher = self._sketcher
        kinds = (sketcher.vocabulary.words, sketcher.sources.names, sketcher.langs.names)
        first = self._known["words"]
        kept: dict[str, Sequence[str]] = {}
        for kind, names in zip(self._known, kinds, strict=True):
            kept[kind] = names[self._known[kind] :]
            self._known[kind] += len(kept[kind])
        return sketcher.vocabulary.hashes[first : self._known["words"]], kept

    def learn(self, hashes: NDArray[np.uint64], kept: dict[str, Sequence[str]]) -> None:
        """Give names the numbers that they had."""
        sketcher = self._sketcher
        sketcher.vocabulary.enter(hashes, kept["words"])
        for numbers, kind in ((sketcher.sources, "sources"), (sketcher.langs, "langs")):
            for name in kept[kind]:
                numbers[name] = len(numbers)
        for kind in self._known:
            self._known[kind] += len(kept[kind])


def _describe(path: InputPath) -> dict[str, Any]:
    """Describe a file so that a change of it shows."""
    status = os.stat(path)
    return {"name": os.path.basename(path), "bytes": status.st_size, "time": status.st_mtime_ns}
