"""The version of the package."""

from __future__ import annotations

import unicodedata
from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """Return the installed version; ``0+unknown`` for sources that are not installed."""
    try:
        return version("sahel-dedup")
    except PackageNotFoundError:
        return "0+unknown"


def data_versions() -> dict[str, str]:
    """Return the versions of the data from elsewhere that fingerprints depend on."""
    return {"wordfreq": version("wordfreq"), "Unicode": unicodedata.unidata_version}
