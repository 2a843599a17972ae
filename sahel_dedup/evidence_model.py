"""An evidence model: the constants with which pairs are scored, learnt for one archive.

`sahel_dedup.evaluation.teaching` makes one from answers about an archive, and
`sahel_dedup.Settings` passes it on. The file is human-readable JSON.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sahel_dedup.errors import FileError, SettingsError
from sahel_dedup.util.values import path_text

# Increased whenever the file changes in a way that an earlier release could not read.
FORMAT_VERSION = 1
_FORMAT = "sahel_dedup evidence model"
# The largest constant of a sensible model.
_LARGEST = 1000.0
_ROWS = ("dated", "undated")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceModel:
    """Constants with which pairs of articles are scored, for one archive.

    Attributes
    ----------
    features : tuple of str
        Names of the pieces of evidence (`sahel_dedup.scoring.features.FEATURES`).
    dated, undated : tuple of float
        The constant of each piece, for pairs whose distance in time is known and for others.
    shipped_dated, shipped_undated : tuple of float
        The constants of the release, from which learning started.
    same, different : int
        Number of answers it was learnt from: pairs of one event, and others.

    Raises
    ------
    SettingsError
        If the numbers of constants differ, or one is not a finite number of sensible size.
    """

    features: tuple[str, ...]
    dated: tuple[float, ...]
    undated: tuple[float, ...]
    shipped_dated: tuple[float, ...]
    shipped_undated: tuple[float, ...]
    same: int
    different: int

    def __post_init__(self) -> None:
        for name in ("dated", "undated", "shipped_dated", "shipped_undated"):
            values = getattr(self, name)
            if len(values) != len(self.features):
                raise SettingsError(f"model: {name} has {len(values)} constants, not "
                                    f"{len(self.features)}")  # fmt: skip
            if not all(math.isfinite(value) and abs(value) <= _LARGEST for value in values):
                raise SettingsError(
                    f"model: a constant of {name} is not a finite number up to 1000"
                )

    @property
    def checksum(self) -> str:
        """Digest of the constants, which distinguishes models."""
        values = [list(self.features), *(list(getattr(self, row)) for row in _ROWS)]
        return hashlib.blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, strings and numbers that JSON can hold."""
        rows = {
            row: {
                name: {"shipped": shipped, "learnt": learnt}
                for name, shipped, learnt in zip(
                    self.features, getattr(self, f"shipped_{row}"), getattr(self, row), strict=True
                )
            }
            for row in _ROWS
        }
        return {
            "format": _FORMAT,
            "version": FORMAT_VERSION,
            "answers": {"same": self.same, "different": self.different},
            "checksum": self.checksum,
            **rows,
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """Make a model from the result of `to_dict`.

        Raises
        ------
        SettingsError
            If it is something else, has a later version, or was changed.
        """
        if not isinstance(found, Mapping) or found.get("format") != _FORMAT:
            raise SettingsError("model: not an evidence model; `sahel-dedup teach` writes one")
        if found.get("version") != FORMAT_VERSION:
            raise SettingsError(
                f"model: version {found.get('version')!r}, but this release reads version "
                f"{FORMAT_VERSION}: teach it again"
            )
        try:
            names = tuple(map(str, found["dated"]))
            dated, undated, shipped_dated, shipped_undated = (
                tuple(float(found[row][name][key]) for name in names)
                for key in ("learnt", "shipped")
                for row in _ROWS
            )
            same, different = (int(found["answers"][name]) for name in ("same", "different"))
        except (LookupError, TypeError, ValueError) as error:
            raise SettingsError(f"model: {error!r} is missing or not a number") from error
        model = cls(
            features=names, dated=dated, undated=undated, shipped_dated=shipped_dated,
            shipped_undated=shipped_undated, same=same, different=different,
        )  # fmt: skip
        if found.get("checksum") != model.checksum:
            raise SettingsError("model: its constants do not match its checksum: teach it again")
        return model

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a JSON file.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with open(path_text(path), "w", encoding="utf-8") as file:
            file.write(json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read the file that `write` or ``sahel-dedup teach`` wrote.

        Raises
        ------
        FileError
            If it cannot be read.
        SettingsError
            If it is something else.
        """
        name = path_text(path)
        try:
            with open(name, encoding="utf-8") as file:
                found = json.load(file)
        except OSError as error:
            raise FileError(f"cannot read {name!r}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise SettingsError(f"{name!r} is not JSON: {error}") from error
        try:
            return cls.from_dict(found)
        except SettingsError as error:
            raise SettingsError(f"{name!r}: {error}") from None
