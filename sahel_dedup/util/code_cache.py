"""The cache of machine code between runs, and which of it may be trusted.

The folder is named after a digest of the package's sources, so machine code can never be older than
any line or constant from which it was compiled. Machine code is executed without further checks, so
a folder that others can write to is refused, and a file that is truncated or damaged is not used.

This module knows nothing about Numba: it stores named pieces of bytes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from sahel_dedup.util.notices import warn

logger = logging.getLogger(__name__)

_PREFIX = "sahel_dedup-"
_NAMED = re.compile(re.escape(_PREFIX) + "[0-9a-f]{16}")
# Packages from which no compiled loop takes a function or a constant, as a test checks. A change
# there need not cause everything to be compiled again.
WITHOUT_LOOPS = frozenset(
    {
        "cli",
        "evaluation",
        "explain",
        "remote",
        "report",
        "review",
        "serve",
        "spark",
    }
)
# How many folders of earlier versions stay when a new one is made, because two versions may be in
# use.
_KEPT = 2
_CHECKSUM_BYTES = 16
_GROUP_OR_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_REMEDY = "Set NUMBA_CACHE_DIR to a folder of your own that is writable."


def sources() -> Iterator[tuple[str, Traversable]]:
    """List the sources from which loops are compiled, in a fixed order.

    The package may be in a zip file.

    Yields
    ------
    name : str
        Path in the package.
    file : Traversable
    """
    waiting = [("", resources.files("sahel_dedup"))]
    while waiting:
        folder, place = waiting.pop()
        for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name not in WITHOUT_LOOPS | {"__pycache__"}:
                    waiting.append((f"{folder}{entry.name}/", entry))
            elif entry.name.endswith((".py", ".pyc")):
                yield folder + entry.name, entry


def digest_of_sources(also: Iterable[str] = ()) -> str:
    """Digest the package's sources.

    Parameters
    ----------
    also : iterable of str
        Whatever else machine code depends on, such as versions.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name, file in sources():
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    digest.update("\0".join(also).encode())
    return digest.hexdigest()


def _stamp() -> tuple[tuple[str, int, int], ...]:
    """Return times and sizes of the sources, except those in a zip file."""
    files = [(name, file) for name, file in sources() if isinstance(file, Path)]
    stats = [(name, file.stat()) for name, file in files]
    return tuple((name, found.st_mtime_ns, found.st_size) for name, found in stats)


# Sources that change while a process runs differ from those that it has imported.
_STAMP_AT_IMPORT = _stamp()


class CodeCache:
    """Pieces of machine code in a folder, or in none.

    Parameters
    ----------
    folder : Path or None
        Folder that `open_folder` returned.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._writes = folder is not None

    def read(self, name: str) -> bytes | None:
        """Return a piece, or None if it is missing or incomplete.

        Parameters
        ----------
        name : str
            Name of the piece.
        """
        if self.folder is None:
            return None
        try:
            content = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            warn(logger, "Cannot read machine code in '%s': %s", self.folder, error.strerror)
            return None
        payload = content[_CHECKSUM_BYTES:]
        if content[:_CHECKSUM_BYTES] != _checksum(payload):
            warn(
                logger,
                "Machine code in '%s' is damaged ('%s'); it is compiled again.",
                self.folder,
                name,
            )
            return None
        return payload

    def write(self, name: str, payload: bytes) -> None:
        """Store a piece; if that is impossible, warn once and continue without.

        Parameters
        ----------
        name : str
            Name of the piece.
        payload : bytes
        """
        if self.folder is None or not self._writes or _stamp() != _STAMP_AT_IMPORT:
            return
        part = self.folder / f"{name}.{secrets.token_hex(8)}"
        try:
            # Readable by all, because an image is often built by one user and run by another.
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            with open(handle, "wb") as file:
                file.write(_checksum(payload) + payload)
            part.replace(self.folder / name)
        except OSError as error:
            self._writes = False
            with contextlib.suppress(OSError):
                part.unlink()
            warn(
                logger, "Machine code cannot be stored in '%s': %s. The run continues without "
                        "it. %s",
                self.folder, error.strerror, _REMEDY,
            )  # fmt: skip


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_BYTES).digest()


def open_folder(digest: str, chosen: str = "") -> Path | None:
    """Find or create the folder for the machine code of some sources.

    Parameters
    ----------
    digest : str
        The result of `digest_of_sources`.
    chosen : str
        Folder that the user chose (NUMBA_CACHE_DIR); no other is then tried. Otherwise the folder
        is created next to the package, or in the user's cache if the package is read-only.

    Returns
    -------
    Path or None
        None, after a warning, if no folder can be used.
    """
    bases = [Path(chosen)] if chosen else [*_beside_package(), *_in_users_cache()]
    refusals: list[str] = []
    for base in bases:
        folder = base / (_PREFIX + digest)
        try:
            if chosen and base.exists():
                _check_owner(base)
            if not folder.is_dir():
                folder.mkdir(mode=0o755, parents=True)
                _remove_old(base, folder)
            _check_owner(folder)
        except PermissionError as error:
            refusals.append(str(error) if error.errno is None else f"'{base}': {error.strerror}")
        except OSError as error:
            refusals.append(f"'{base}': {error.strerror}")
        else:
            return folder
    warn(
        logger, "Machine code is not stored (%s), so it is compiled in every run. %s",
        "; ".join(refusals) or "there is no folder for it", _REMEDY,
    )  # fmt: skip
    return None


def _package() -> Path | None:
    """Return the folder of the package, unless it is in a zip file."""
    package = resources.files("sahel_dedup")
    return package if isinstance(package, Path) else None


def _beside_package() -> Iterator[Path]:
    package = _package()
    if package is not None:
        yield package / "__pycache__"


def _in_users_cache() -> Iterator[Path]:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        if local:
            yield Path(local) / "sahel_dedup" / "Cache"
        return
    # There may be no home folder.
    with contextlib.suppress(RuntimeError):
        library = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path(library).expanduser()) / "sahel_dedup"


def _check_owner(folder: Path) -> None:
    """Raise PermissionError if anybody but this user and the package's owner may write."""
    if sys.platform == "win32":
        return
    found = folder.stat()
    if found.st_mode & _GROUP_OR_OTHERS:
        raise PermissionError(
            f"'{folder}' is writable by others, who could make programs run any code: chmod go-w"
        )
    package = _package()
    trusted = {0, os.geteuid()} | (set() if package is None else {package.stat().st_uid})
    if found.st_uid not in trusted:
        raise PermissionError(
            f"'{folder}' belongs to another user, who could make programs run any code"
        )


def _remove_old(base: Path, made: Path) -> None:
    """Remove the folders of other sources, except the latest."""

    @functools.cache
    def age(folder: Path) -> float:
        with contextlib.suppress(OSError):
            return folder.stat().st_mtime
        return 0.0

    others = [p for p in base.iterdir() if _NAMED.fullmatch(p.name) and p != made]
    for folder in sorted(others, key=age, reverse=True)[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
