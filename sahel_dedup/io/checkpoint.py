"""Checkpoints: the sketches of each file, on disk, so that no file is read twice.

Reading and sketching is most of the work on an archive, and depends only on the articles. A
checkpoint is a folder of parts, each written completely once its articles are done. Parts belong to
the content of a file, so a run over a grown archive reads only what is new, and a run that was
killed continues after the last part. Settings are not part of a checkpoint, because the same
sketches serve any window and granularity.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import FileError
from sahel_dedup.io.arrays import array_names, map_arrays, write_arrays
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.paths import format_of
from sahel_dedup.io.writers import replacing
from sahel_dedup.sketch.fingerprint import FINGERPRINT_VERSION
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.util.version import data_versions, package_version

_HEADER = "checkpoint.json"
_PAIRS = "pairs.npz"
# Increased whenever the columns of a part change.
_FORMAT = 12
_PROFILES = tuple(item.name for item in fields(Profiles))
_COLUMNS = ("places", "flags", *_PROFILES)


@dataclass(slots=True)
class Part:
    """Articles of a file that were sketched together.

    Attributes
    ----------
    ids : list of str
    profiles : Profiles
    places : ndarray of int64, shape (n,)
        Line of each article in its file, from 1.
    flags : ndarray of uint8, shape (n,)
        The fields that each article has: see `sahel_dedup.io.summary.ReadSummary.flags`.
    replaced : dict of str to list of int
        Columns of the input with the name of a result, and the articles that have them.
    lines : list of bytes or None
        The columns of each article as JSON, without those of the results; None if they were not
        kept, or after they were written to disk (`Checkpoint.lines`).
    """

    ids: list[str]
    profiles: Profiles
    places: NDArray[np.int64]
    flags: NDArray[np.uint8]
    replaced: dict[str, list[int]]
    lines: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.int64]) -> Part:
        """Return some of the articles; `replaced` and `lines` are left out."""
        return Part(
            [self.ids[row] for row in rows.tolist()], self.profiles.take(rows),
            self.places[rows], self.flags[rows], {},
        )  # fmt: skip


class Checkpoint:
    """A folder of sketches of articles, by the file from which they were read.

    Parameters
    ----------
    folder : str
        The folder, which is created if it does not exist.
    reading : str
        Whatever else decides which articles are read from a file, such as the handling of faults.

    Raises
    ------
    FileError
        If the folder contains anything other than a checkpoint of such reading by this release.
    """

    def __init__(self, folder: str, reading: str = "") -> None:
        self.folder = folder
        header = {
            "format": _FORMAT,
            "fingerprints": FINGERPRINT_VERSION,
            "versions": {"sahel-dedup": package_version(), **data_versions()},
            "reading": reading,
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
        self._names: _Names | None = None

    def start(self, sketcher: Sketcher) -> None:
        """Give names the numbers that they have in the parts.

        Parameters
        ----------
        sketcher : Sketcher
            A new sketcher.
        """
        self._names = _Names(sketcher)
        while os.path.exists(path := self._path("names", len(self._names.chain) - 1)):
            arrays, kept = self._read(path, ["hashes"])
            self._names.learn(path, arrays["hashes"], kept)

    def part(self, key: str, number: int) -> Part | None:
        """Return a part of a file, or None if it does not exist.

        Raises
        ------
        FileError
            If it is damaged.
        """
        path = self._path(key, number)
        if not os.path.exists(path):
            return None
        arrays, kept = self._read(path, _COLUMNS)
        try:
            profiles = Profiles(**{name: arrays[name] for name in _PROFILES})
            found = Part(kept["ids"], profiles, arrays["places"], arrays["flags"], kept["replaced"])
            whole = len(found) == len(profiles) == len(found.places) == len(found.flags)
            if not whole or kept["part"] != [key, number] or kept["names"] not in self._known():
                raise ValueError("it belongs to another checkpoint")
        except (ValueError, KeyError) as error:
            raise self._damaged(path, error) from error
        return found

    def has_lines(self, key: str, number: int) -> bool:
        """Whether the lines of a part were kept."""
        return "lines" in array_names(self._path(key, number))

    def lines(self, key: str, number: int) -> tuple[list[memoryview], dict[str, list[int]]]:
        """Return the kept lines of a part, and `Part.replaced`."""
        arrays, kept = self._read(self._path(key, number), ("lines", "line_ends"))
        letters, ends = arrays["lines"].data, arrays["line_ends"].tolist()
        return [letters[i:j] for i, j in zip([0, *ends], ends, strict=False)], kept["replaced"]

    def save_part(self, key: str, number: int, part: Part) -> None:
        """Write the new names of a part, and then the part."""
        names = self._known_names()
        if (fresh := names.new()) is not None:
            hashes, kept = fresh
            self._write(self._path("names", len(names.chain) - 2), kept, {"hashes": hashes})
        arrays = {name: getattr(part.profiles, name) for name in _PROFILES}
        arrays |= {"places": part.places, "flags": part.flags}
        if part.lines is not None:
            ends = np.cumsum([len(line) for line in part.lines], dtype=np.int64)
            arrays |= {"lines": _letters(b"".join(part.lines)), "line_ends": ends}
        about = {
            "ids": part.ids, "replaced": part.replaced, "part": [key, number],
            "names": names.chain[-1],
        }  # fmt: skip
        self._write(self._path(key, number), about, arrays)

    def reading(self, key: str) -> dict[str, Any] | None:
        """Return the note that was written after a file had been read to its end, or None.

        Raises
        ------
        FileError
            If the note is damaged.
        """
        path = os.path.join(self.folder, f"{key}.json")
        try:
            with open(path, "rb") as file:
                text, _, check = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return None
        if _digest(text).encode() != check:
            raise self._damaged(path, "its digest is different")
        found: dict[str, Any] = json.loads(text)
        return found

    def save_reading(self, key: str, found: dict[str, Any]) -> None:
        """Record that a file was read to its end."""
        text = json.dumps(found).encode()
        with replacing(os.path.join(self.folder, f"{key}.json")) as (file, _):
            file.write(text + b"\n" + _digest(text).encode())

    def load_pairs(
        self, names: Collection[str]
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Return the pairs that were saved last; None if there are none for these names of terms.

        Parameters
        ----------
        names : collection of str
            Names of the arrays.

        Raises
        ------
        FileError
            If they are damaged.
        """
        path = os.path.join(self.folder, _PAIRS)
        if not os.path.exists(path):
            return None
        arrays, kept = self._read(path, names)
        return (arrays, kept["about"]) if kept.get("names") in self._known() else None

    def save_pairs(self, arrays: dict[str, NDArray[Any]], about: dict[str, Any]) -> None:
        """Save pairs in the place of those that are there."""
        kept = {"about": about, "names": self._known_names().chain[-1]}
        self._write(os.path.join(self.folder, _PAIRS), kept, arrays)

    def forget(self, key: str) -> None:
        """Remove everything about a file."""
        for name in os.listdir(self.folder):
            if name.startswith(f"{key}-") or name == f"{key}.json":
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(self.folder, name))

    def keep_only(self, keys: Collection[str]) -> None:
        """Remove everything about files other than these."""
        for name in os.listdir(self.folder):
            key = name.partition("-" if name.endswith(".npz") else ".json")[0]
            if name != _HEADER and len(key) == _KEY and key not in keys:
                self.forget(key)

    def _check(self, path: str, header: dict[str, Any]) -> None:
        try:
            with open(path, "rb") as file:
                found = json.load(file)
        except ValueError:
            raise FileError(f"{self.folder!r} is damaged: {_HEADER} cannot be read") from None
        for name, value in header.items():
            if found.get(name) != value:
                raise FileError(
                    f"{self.folder!r} is a checkpoint with other {name} ({found.get(name)}, now "
                    f"{value}): name another folder, or remove this one"
                )

    def _path(self, key: str, number: int) -> str:
        return os.path.join(self.folder, f"{key}-{number:05}.npz")

    def _known_names(self) -> _Names:
        if self._names is None:
            raise RuntimeError("a checkpoint is started before it is used")
        return self._names

    def _known(self) -> set[str]:
        return set(self._known_names().chain)

    def _write(self, path: str, kept: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        named: dict[str, Any] = {"kept": _letters(json.dumps(kept).encode()), **arrays}
        with replacing(path) as (file, _):
            write_arrays(file, named)

    def _read(
        self, path: str, names: Collection[str]
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        try:
            arrays = map_arrays(path, ("kept", *names))
            kept = json.loads(arrays["kept"].tobytes())
        except ValueError as error:
            raise self._damaged(path, error) from error
        return arrays, kept

    def damaged(self, key: str, why: str) -> FileError:
        """Return the error for a damaged part or note of a file."""
        return self._damaged(os.path.join(self.folder, key), why)

    def _damaged(self, path: str, why: object) -> FileError:
        return FileError(f"{path!r} is damaged: {why}; remove the folder {self.folder!r}")


class _Names:
    """The names behind the numbers in profiles, in the order of their first occurrence.

    Numbers never change, so each note needs only the new names, and all parts of a checkpoint use
    the same numbers. Each note is named after a digest of itself and its predecessors, which the
    parts contain, so no part can be read with the wrong names.
    """

    def __init__(self, sketcher: Sketcher) -> None:
        self._sketcher = sketcher
        self._known = dict.fromkeys(("words", "sources", "langs"), 0)
        self.chain = [""]

    def new(self) -> tuple[NDArray[np.uint64], dict[str, Any]] | None:
        """Return what is new since the last call, or None if nothing is.

        That is hashes of words, and names by kind.
        """
        sketcher = self._sketcher
        kinds = (sketcher.vocabulary.words, sketcher.sources.names, sketcher.langs.names)
        first = self._known["words"]
        kept: dict[str, Any] = {}
        for kind, names in zip(self._known, kinds, strict=True):
            kept[kind] = names[self._known[kind] :]
            self._known[kind] += len(kept[kind])
        if not any(kept.values()):
            return None
        hashes = sketcher.vocabulary.hashes[first : self._known["words"]]
        self._extend(hashes, kept)
        kept["chain"] = self.chain[-1]
        return hashes, kept

    def learn(self, path: str, hashes: NDArray[np.uint64], kept: dict[str, Any]) -> None:
        """Restore the numbers of names."""
        sketcher = self._sketcher
        chain = kept.pop("chain", None)
        self._extend(hashes, kept)
        if chain != self.chain[-1]:
            raise FileError(f"{path!r} is damaged: it belongs to another checkpoint")
        sketcher.vocabulary.enter(hashes, kept["words"])
        for numbers, kind in ((sketcher.sources, "sources"), (sketcher.langs, "langs")):
            for name in kept[kind]:
                numbers[name] = len(numbers)
        for kind in self._known:
            self._known[kind] += len(kept[kind])

    def _extend(self, hashes: NDArray[np.uint64], kept: dict[str, Any]) -> None:
        text = json.dumps([self.chain[-1], kept]).encode()
        self.chain.append(_digest(text + hashes.tobytes()))


_KEY = 32


def file_key(path: InputPath) -> str:
    """Name a file after its format and content, with 32 letters."""
    digest = hashlib.sha256(format_of(path).encode())
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:_KEY]


def concatenated(parts: Iterable[Part]) -> Part:
    """Concatenate one or more parts."""
    given = list(parts)
    replaced: dict[str, list[int]] = {}
    start = 0
    for part in given:
        for name, rows in part.replaced.items():
            replaced.setdefault(name, []).extend(start + row for row in rows)
        start += len(part)
    lines: Sequence[list[bytes]] = [part.lines for part in given if part.lines is not None]
    return Part(
        [name for part in given for name in part.ids],
        Profiles.concatenate(part.profiles for part in given),
        np.concatenate([part.places for part in given]),
        np.concatenate([part.flags for part in given]),
        replaced,
        [line for some in lines for line in some] if len(lines) == len(given) else None,
    )


def _letters(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, dtype=np.uint8)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_KEY]
