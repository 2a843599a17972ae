"""Which version of the package this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """Return the version of the installation; that of sources without one is ``0+unknown``."""
    try:
        return version("sahel-dedup")
    except PackageNotFoundError:
        return "0+unknown"
