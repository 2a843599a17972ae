"""Modules that are imported when they are first used: what is slow to import is not always used."""

from __future__ import annotations

import importlib
from typing import Any


class LazyModule:
    """Stands for a module, and imports it when one of its names is asked for.

    For type checkers the module is imported beside it, under ``if TYPE_CHECKING``.

    Parameters
    ----------
    name : str
        Full name of the module.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        # Found there the next time, without a call.
        setattr(self, attribute, value)
        return value
