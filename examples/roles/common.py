"""What the scripts in this folder share: invented articles, and three ways to show a snippet."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

BRIDGE = (
    "The Karso bridge was closed on Monday morning after a lorry laden with cement struck a pier, "
    "police said. Engineers are checking the damage."
)
ROWS: list[dict[str, Any]] = [
    {"id": "herald-1", "title": "Bridge closed after lorry hits pier", "text": BRIDGE,
     "published": "2025-03-03T09:00+01:00", "source": "Karso Herald"},
    {"id": "radio-4", "title": "Lorry closes Karso bridge",
     "text": "A lorry laden with cement struck a pier of the Karso bridge on Monday morning. "
     "Police closed the bridge, and engineers are checking the damage.",
     "published": "2025-03-03T10:30+01:00", "source": "Radio Tembe"},
    {"id": "wire-7", "title": "Bridge closed after lorry hits pier", "text": BRIDGE,
     "published": "2025-03-03T11:00+01:00", "source": "Wire"},
    {"id": "herald-2", "title": "Clinic opened in Old Tembe",
     "text": "Mayor Lucia Abeni on Monday opened a clinic with twelve beds in Old Tembe.",
     "published": "2025-03-03T12:00+01:00", "source": "Karso Herald"},
]  # fmt: skip


def works(name: str, value: object) -> None:
    """Show what a snippet gives; it must give something."""
    print(f"{name}: {value}")
    assert value, name


def refused(name: str, snippet: Callable[[], object], remedy: str) -> None:
    """Show the error that a snippet raises; it must name the remedy."""
    told = "no error"
    try:
        snippet()
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
    print(f"{name}: {told}")
    assert remedy in told, name


def warned(name: str, snippet: Callable[[], _T], remedy: str) -> _T:
    """Show the warning of a snippet, which must name the remedy, and return what it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = snippet()
    told = "; ".join(str(warning.message) for warning in caught)
    print(f"{name}: warning: {told}")
    assert remedy in told, name
    return value
