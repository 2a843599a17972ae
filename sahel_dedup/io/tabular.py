"""From rows to columns: CSV and Parquet need every column before the first row.

`spooled` keeps rows on disk while it collects their columns. The type of a column is the narrowest
that fits all its values. If nothing narrower fits, it is string, and values that are not strings
are written as JSON. polars can infer types only from rows in memory, and converts values of mixed
types.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, reduce
from math import isfinite
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from sahel_dedup.errors import FileError
from sahel_dedup.util.lazy import LazyModule
from sahel_dedup.util.values import is_missing

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")

Row: TypeAlias = Mapping[str, object]
_PlainRow: TypeAlias = dict[str, Any]
_Schema: TypeAlias = "dict[str, pl.DataType]"

# Chunks of rows have at most about this many characters, because a thousand articles may be two
# megabytes or two gigabytes.
_CHUNK_CHARACTERS = 4_000_000
CHUNK_ROWS = 5000

_SCALARS = frozenset({type(None), str, bool, int, float, date})
SURROGATE = re.compile("[\ud800-\udfff]")
# Python and polars process nested values by recursion, and polars takes time quadratic in the depth
# of nested lists: 2 seconds at 300.
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Spool:
    """Rows on disk, and the type of each of their columns.

    Attributes
    ----------
    schema : dict of str to polars.DataType
        The columns, in the order in which they first occurred.
    """

    schema: _Schema
    _file: IO[bytes]
    _size: int

    def cells(self) -> Iterator[list[list[str]]]:
        """Yield chunks of rows with one string per column, empty if missing."""
        for chunk in self._chunks():
            yield [[_cell(row.get(name)) for name in self.schema] for row in chunk]

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield chunks of rows as data frames, all with the same schema."""
        for chunk in self._chunks():
            yield _frame(chunk, self.schema)

    def _chunks(self) -> Iterator[list[_PlainRow]]:
        self._file.seek(0)
        while self._file.tell() < self._size:
            yield pickle.load(self._file)


@contextmanager
def spooled(rows: Iterable[Row], folder: str) -> Iterator[Spool]:
    """Read all rows into a temporary file.

    Parameters
    ----------
    rows
        Mappings that need not agree on their keys.
    folder
        Folder for the temporary file.

    Yields
    ------
    Spool
        The file is removed at the end of the block.
    """
    # Pickle keeps dates, integers of any size and lone surrogates; no exchange format does. The
    # file has no name, so nobody else can have written to it.
    with TemporaryFile(dir=folder) as file:
        schema: _Schema = {}
        for chunk in _chunked(rows):
            _learn(schema, chunk)
            pickle.dump(chunk, file, protocol=pickle.HIGHEST_PROTOCOL)
        settled = {name: _settled(dtype) for name, dtype in schema.items()}
        yield Spool(settled, file, file.tell())


def to_frame(rows: Iterable[Row], columns: Iterable[str]) -> pl.DataFrame:
    """Put rows into one data frame.

    Parameters
    ----------
    rows
        Mappings that need not agree on their keys.
    columns
        Columns that are always there, even without rows. They are strings, except ``canonical``,
        ``similarity`` and ``published``.

    Returns
    -------
    polars.DataFrame
        These columns, then others in the order in which they first occurred.
    """
    plain_rows: list[_PlainRow] = [plain_value(row) for row in rows]
    types: dict[str, pl.DataType] = {
        "canonical": pl.Boolean(),
        "similarity": pl.Float64(),
        "published": pl.Datetime("us", "UTC"),
    }
    learnt = {name: types.get(name, pl.String()) for name in columns}
    _learn(learnt, plain_rows)
    return _frame(plain_rows, {name: _settled(dtype) for name, dtype in learnt.items()})


def plain_value(value: object, depth: int = 0) -> Any:
    """Reduce a value to the types of JSON, dates, and datetimes in UTC.

    Sets become lists, bytes become text, NumPy's scalars and arrays become Python's, and the
    missing values of pandas become ``None``. Other objects become their ``str``. Values nested more
    than 50 levels deep become JSON strings.
    """
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth == _DEEPEST:
            return _as_string(value)
        if isinstance(value, Mapping):
            items = value.items()
            return {
                escape_surrogates(str(key)): plain_value(item, depth + 1) for key, item in items
            }
        return [plain_value(item, depth + 1) for item in value]
    if is_missing(value):
        return None
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if hasattr(value, "tolist"):
        return plain_value(value.tolist(), depth)
    return str(value)


def to_json(value: object) -> str:
    """Write a value as JSON; dates in ISO 8601, NaN and infinities as null.

    Raises
    ------
    FileError
        If it is nested too deeply for Python: about 900 levels in 3.11, more in later releases.
    """
    try:
        return _encoded(_encode, value)
    except (TypeError, ValueError):
        return _encode(_finite(plain_value(value)))


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot hold, by U+FFFD."""
    return SURROGATE.sub("\ufffd", text)


def escape_surrogates(text: str) -> str:
    r"""Write lone surrogates as ``\udXXX``, so that different names stay different."""
    return SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _in_utc(moment: datetime) -> datetime | str:
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # Within hours of the first or the last year.
        return moment.isoformat()


def _default(value: object) -> Any:
    # NaT of pandas passes for a date.
    if isinstance(value, date) and not is_missing(value):
        return value.isoformat()
    return plain_value(value)


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_default).encode
_encode_any = json.JSONEncoder(ensure_ascii=False, default=_default).encode


def _as_string(value: object) -> str:
    try:
        return _encoded(_encode_any, value)
    except (TypeError, ValueError):
        # A name that is not a string, or a value that contains itself.
        return str(value)


def _encoded(encode: Callable[[object], str], value: object) -> str:
    try:
        return encode(value)
    except RecursionError:
        raise FileError("a value is nested too deeply to be written") from None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def _chunked(rows: Iterable[Row]) -> Iterator[list[_PlainRow]]:
    chunk: list[_PlainRow] = []
    characters = 0
    for row in rows:
        chunk.append(plain_value(row))
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if characters >= _CHUNK_CHARACTERS or len(chunk) >= CHUNK_ROWS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _learn(schema: _Schema, rows: list[_PlainRow]) -> None:
    """Widen the types of columns, in place, until they fit the values of some rows."""
    for row in rows:
        for name, value in row.items():
            schema[name] = _merged(schema.get(name, pl.Null()), _type_of(value))


def _frame(rows: list[_PlainRow], schema: _Schema) -> pl.DataFrame:
    columns = {
        name: [_fitted(row.get(name), dtype) for row in rows] for name, dtype in schema.items()
    }
    return pl.DataFrame(columns, schema=schema)


@cache
def _scalar_types() -> dict[type, pl.DataType]:
    return {
        type(None): pl.Null(),
        str: pl.String(),
        bool: pl.Boolean(),
        int: pl.Int64(),
        float: pl.Float64(),
        date: pl.Date(),
    }


def _type_of(value: Any) -> pl.DataType:
    """Find the type of a column for one plain value."""
    scalar = _scalar_types().get(type(value))
    if scalar is not None:
        fits = type(value) is not int or -(2**63) <= value < 2**63
        return scalar if fits else pl.String()
    if isinstance(value, datetime):
        return pl.Datetime("us", None if value.tzinfo is None else "UTC")
    if isinstance(value, list):
        nothing: pl.DataType = pl.Null()
        return pl.List(reduce(_merged, map(_type_of, value), nothing))
    return pl.Struct({key: _type_of(item) for key, item in value.items()})


def _merged(one: pl.DataType, other: pl.DataType) -> pl.DataType:
    """Find the type that fits the values of both."""
    if one is other or isinstance(other, pl.Null):
        return one
    if isinstance(one, pl.Null):
        return other
    if isinstance(one, pl.Int64 | pl.Float64) and isinstance(other, pl.Int64 | pl.Float64):
        return pl.Float64()
    if isinstance(one, pl.List) and isinstance(other, pl.List):
        return pl.List(_merged(_inner(one), _inner(other)))
    if isinstance(one, pl.Struct) and isinstance(other, pl.Struct):
        ours, theirs = _fields(one), _fields(other)
        # Only structs with the same fields, because a mapping that lacks a key would come back with
        # a null that it never had.
        if ours.keys() == theirs.keys():
            return pl.Struct({key: _merged(ours[key], theirs[key]) for key in ours})
        return pl.String()
    return one if one == other else pl.String()


def _settled(dtype: pl.DataType) -> pl.DataType:
    """Replace types that Parquet lacks: types without values, and structs without fields."""
    if isinstance(dtype, pl.List):
        return pl.List(_settled(_inner(dtype)))
    if isinstance(dtype, pl.Struct) and (fields := _fields(dtype)):
        return pl.Struct({key: _settled(inner) for key, inner in fields.items()})
    return pl.String() if isinstance(dtype, pl.Null | pl.Struct) else dtype


def _fitted(value: Any, dtype: pl.DataType) -> Any:
    """Convert a plain value to one that fits a column of the type."""
    if value is None:
        return None
    if isinstance(dtype, pl.String):
        return escape_surrogates(_cell(value))
    if isinstance(dtype, pl.List):
        inner = _inner(dtype)
        return [_fitted(item, inner) for item in value]
    if isinstance(dtype, pl.Struct):
        return {key: _fitted(value[key], inner) for key, inner in _fields(dtype).items()}
    return float(value) if isinstance(dtype, pl.Float64) else value


def _cell(value: Any) -> str:
    """Write a plain value as a string, unchanged if it is one."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, date):
        return value.isoformat()
    # JSON has no NaN, but a cell may have one.
    return repr(value) if isinstance(value, float) else to_json(value)


def _inner(dtype: pl.List) -> pl.DataType:
    inner = dtype.inner
    return inner if isinstance(inner, pl.DataType) else inner()


def _fields(dtype: pl.Struct) -> _Schema:
    return {
        field.name: field.dtype if isinstance(field.dtype, pl.DataType) else field.dtype()
        for field in dtype.fields
    }
