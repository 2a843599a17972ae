"""Modules that are imported on first use, because they are slow to import and not always used."""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """A proxy of a module, which imports it when one of its names is first used.

    For type checkers, the module is imported as well, under ``if TYPE_CHECKING``.

    Parameters
    ----------
    name : str
        Full name of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        # Stored, so that the next access needs no call.
        setattr(self, attribute, value)
        return value
