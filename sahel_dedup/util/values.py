"""Values of foreign data: which of them count as missing, which are paths, and how to show one."""

from __future__ import annotations

import math
import os

from sahel_dedup.errors import FileError

# pandas marks missing values with singletons of these types. They are recognised by name because
# pandas is not a dependency, and because NaT passes for a datetime.
_PANDAS_MISSING = frozenset({"NaTType", "NAType"})
# What spreadsheets, programs and content systems write for a missing value, without case and
# brackets.
_PLACEHOLDERS = frozenset({
    "", "n/a", "na", "nan", "nat", "nil", "no title", "none", "null", "removed", "undefined",
    "unknown", "untitled",
})  # fmt: skip
_AROUND_PLACEHOLDERS = " \t\r\n\xa0<>()[]#?.-\u2013\u2014"
_LONGEST_PLACEHOLDER = 20
_NUMPY_MAY_MISS = frozenset({"float16", "float32", "longdouble", "datetime64", "timedelta64"})


def is_missing(value: object) -> bool:
    """Whether a value stands for "no value": ``None``, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    name = type(value).__name__
    # Only NaN and NaT of NumPy differ from themselves.
    return name in _PANDAS_MISSING or (name in _NUMPY_MAY_MISS and bool(value != value))


def stands_for_missing(text: str) -> bool:
    """Whether a string stands for "no value", such as ``"nan"``, ``"N/A"``, ``"-"`` or ``" "``.

    Programs that write tables turn missing values into such strings. Taken literally, they would
    make one outlet of all articles without one.
    """
    # Most strings are titles, and longer.
    if len(text) > _LONGEST_PLACEHOLDER and not text.isspace():
        return False
    return text.strip(_AROUND_PLACEHOLDERS).casefold() in _PLACEHOLDERS


def path_text(path: object) -> str:
    """Return the path of a file as text.

    Raises
    ------
    FileError
        If it is not a path.
    """
    try:
        return os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        raise FileError(f"not a path: {show(path)}") from None


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> counted(1, "story", "stories"), counted(1200, "article")
    ('1 story', '1,200 articles')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def show(value: object) -> str:
    """Return a faulty value for a message, shortened, as it may have megabytes."""
    return shorten(repr(value))


def shorten(text: str) -> str:
    """Shorten a text that would fill a screen."""
    return text if len(text) <= 80 else text[:77] + "..."
