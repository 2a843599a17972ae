"""Rows of data frames: polars, pandas, anything that supports Arrow, and Parquet files.

Python's calendar ends in the year 9999, and polars does not know time zones such as ``+05:30``,
which pandas writes. Both are read nevertheless.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from sahel_dedup.errors import ArticleError
from sahel_dedup.util.days import SECONDS_A_DAY
from sahel_dedup.util.lazy import LazyModule

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")

Row: TypeAlias = Mapping[str, object]

# Read a slice of the file at a time, because polars' `collect_batches` reads ahead: it took 454 MB
# instead of 77 MB on a file with 400 MB of text, and was no faster.
_PARQUET_BATCH = 2000
_UNIT = {"ms": 10**3, "us": 10**6, "ns": 10**9}
# The first and the last day of Python's calendar, counted from 1970.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_NO_TIME_ZONES = "POLARS_IGNORE_TIMEZONE_PARSE_ERROR"


@runtime_checkable
class PandasFrame(Protocol):
    """How a pandas data frame is recognised; importing pandas would make it a dependency."""

    @property
    def columns(self) -> Iterable[Any]:
        """Names of the columns."""

    @property
    def index(self) -> Any:
        """Names of the rows."""

    def itertuples(self, *, index: bool, name: str | None) -> Iterable[tuple[Any, ...]]:
        """Rows as tuples."""

    def reset_index(self) -> Any:
        """Return a frame with the index among its columns."""


def pandas_rows(frame: PandasFrame, wanted: Iterable[str] = ()) -> tuple[list[str], Iterator[Row]]:
    """Read a pandas data frame.

    Parameters
    ----------
    frame
        The frame.
    wanted
        Requested columns. If one is the name of the index, or ``"index"``, and no column has that
        name, the index is read as that column.

    Returns
    -------
    columns : list of str
    rows : iterator of mapping

    Raises
    ------
    ArticleError
        If two columns have the same name.
    """
    names = _columns_of(frame)
    if not set(wanted) <= set(names):
        frame, names = _with_index(frame, names, set(wanted))
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ArticleError(f"column named twice: {twice[0]!r}; rename one of them")
    tuples = frame.itertuples(index=False, name=None)
    return names, (dict(zip(names, row, strict=True)) for row in tuples)


def polars_frame(source: Any) -> pl.DataFrame:
    """Convert a lazy frame, or any object with an Arrow C stream or array, to a frame.

    Raises
    ------
    ArticleError
        If polars cannot read it.
    """
    with lenient_time_zones(), polars_faults("table that cannot be read"):
        frame = source.collect() if isinstance(source, pl.LazyFrame) else pl.DataFrame(source)
        return frame.with_columns(_known_zones(frame.schema))


def polars_rows(frame: pl.DataFrame) -> Iterator[Row | ArticleError]:
    """Yield the rows of a frame, with an error for each row that Python cannot represent."""
    odd = _beyond_calendar(frame)
    if odd:
        frame = frame.with_columns(
            pl.when(pl.int_range(pl.len()).is_in(list(places))).then(None).otherwise(pl.col(name))
            .alias(name)
            for name, places in odd.items()
        )  # fmt: skip
    safe = all(_is_safe(dtype) for dtype in frame.dtypes)
    rows = frame.iter_rows(named=True) if safe else _one_by_one(frame)
    for number, row in enumerate(rows):
        if isinstance(row, dict):
            row.update({name: places[number] for name, places in odd.items() if number in places})
        yield row


def parquet_rows(path: str) -> Iterator[tuple[int, Row | ArticleError]]:
    """Yield the rows of a Parquet file with their numbers from 1.

    The last item is an error if the rest cannot be read.
    """
    done = 0
    while True:
        try:
            with lenient_time_zones(), polars_faults("broken Parquet"):
                lazy = pl.scan_parquet(path, glob=False)
                batch = lazy.slice(done, _PARQUET_BATCH).collect()
                batch = batch.with_columns(_known_zones(batch.schema))
        except ArticleError as error:
            yield done + 1, error
            return
        if batch.is_empty():
            return
        yield from enumerate(polars_rows(batch), start=done + 1)
        done += batch.height


def parquet_height(path: str) -> int:
    """Count the rows of a Parquet file.

    Raises
    ------
    ArticleError
        If it cannot be read.
    """
    with lenient_time_zones(), polars_faults("broken Parquet"):
        lazy = pl.scan_parquet(path, glob=False)
        return int(lazy.select(pl.len()).collect().item())


@contextmanager
def lenient_time_zones() -> Iterator[None]:
    """Make polars accept unknown time zones, at which it panics in Parquet files."""
    before = os.environ.get(_NO_TIME_ZONES)
    os.environ[_NO_TIME_ZONES] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_NO_TIME_ZONES]
        else:
            os.environ[_NO_TIME_ZONES] = before


@contextmanager
def polars_faults(kind: str) -> Iterator[None]:
    """Convert what polars raises on data that it cannot handle to an `ArticleError`."""
    try:
        yield
    except BaseException as error:
        if not _is_polars_fault(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise ArticleError(f"{kind}: {reason}") from error


def _is_polars_fault(error: BaseException) -> bool:
    # A panic in Rust is deliberately not an Exception, so that it does not pass for an ordinary
    # error.
    return (
        isinstance(error, pl.exceptions.PolarsError | ValueError | OverflowError | TypeError)
        or type(error).__name__ == "PanicException"
    )


def _columns_of(frame: PandasFrame) -> list[str]:
    return [str(name) for name in frame.columns]


def _with_index(
    frame: PandasFrame, names: list[str], wanted: set[str]
) -> tuple[PandasFrame, list[str]]:
    index_names = [name for name in frame.index.names if name is not None]
    if not (wanted - set(names)) & {"index", *map(str, index_names)}:
        return frame, names
    with_index: PandasFrame = frame.reset_index()
    columns = _columns_of(with_index)
    # pandas calls a nameless index "index", and a named one by its name.
    if "index" in wanted and "index" not in columns and len(index_names) == 1:
        columns[0] = "index"
    return with_index, columns


def _known_zones(schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Convert the columns with a time zone to UTC, in which they are stored anyway."""
    zoned = {name: _in_utc(dtype) for name, dtype in schema.items()}
    return [pl.col(name).cast(dtype) for name, dtype in zoned.items() if dtype != schema[name]]


def _in_utc(dtype: Any) -> Any:
    if isinstance(dtype, pl.Datetime):
        return dtype if dtype.time_zone is None else pl.Datetime(dtype.time_unit, "UTC")
    if isinstance(dtype, pl.List):
        return pl.List(_in_utc(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _in_utc(field.dtype) for field in dtype.fields})
    return dtype


def _is_safe(dtype: Any) -> bool:
    """Whether Python can represent every value of a column."""
    if isinstance(dtype, pl.List | pl.Array):
        return _is_safe(dtype.inner) and not dtype.inner.is_temporal()
    if isinstance(dtype, pl.Struct):
        inner = [field.dtype for field in dtype.fields]
        return all(_is_safe(dtype) and not dtype.is_temporal() for dtype in inner)
    # Times outside the calendar have been replaced by now, except those inside lists.
    plain = pl.String | pl.Boolean | pl.Categorical | pl.Enum | pl.Binary | pl.Null
    return (
        dtype.is_integer() or dtype.is_float() or isinstance(dtype, plain | pl.Date | pl.Datetime)
    )


def _one_by_one(frame: pl.DataFrame) -> Iterator[Row | ArticleError]:
    for number in range(frame.height):
        try:
            with polars_faults("value that Python cannot represent"):
                yield frame.row(number, named=True)
        except ArticleError as error:
            yield error


def _beyond_calendar(frame: pl.DataFrame) -> dict[str, dict[int, str]]:
    """Find dates and times outside the years 1 to 9999, which become text."""
    found: dict[str, dict[int, str]] = {}
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Date):
            ticks_a_day, unit = 1, "days"
        elif isinstance(dtype, pl.Datetime):
            ticks_a_day, unit = int(SECONDS_A_DAY) * _UNIT[dtype.time_unit], dtype.time_unit
        else:
            continue
        ticks = frame[name].to_physical().cast(pl.Int64)
        first = max(_FIRST_DAY * ticks_a_day, -(2**63))
        last = min((_LAST_DAY + 1) * ticks_a_day - 1, 2**63 - 1)
        inside = ticks.is_between(first, last)
        if places := (~inside).fill_null(value=False).arg_true().to_list():
            found[name] = {place: f"{ticks[place]} {unit} from 1970" for place in places}
    return found
