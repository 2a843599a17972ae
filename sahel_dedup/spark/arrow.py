"""Conversion between Arrow columns and NumPy arrays.

The many values of an article (slots, terms) are stored in one binary cell. Spark moves it as one
value, and NumPy sees a batch of such cells as one array, without a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

# Whole groups are processed together, about this many rows at a time.
_ROWS_AT_ONCE = 4096


def whole(batches: Iterable[pa.RecordBatch]) -> pa.Table | None:
    """Combine the batches of a task; return ``None`` if there are none."""
    held = list(batches)
    return pa.Table.from_batches(held) if held else None


def whole_groups(chunks: Iterable[pa.RecordBatch], names: tuple[str, ...]) -> Iterator[pa.Table]:
    """Cut sorted rows into tables of some thousand rows, without splitting a group.

    Parameters
    ----------
    chunks
    names : tuple of str
        Columns of numbers, equal within a group.
    """
    held: list[pa.RecordBatch] = []
    for chunk in chunks:
        held.append(chunk)
        if sum(batch.num_rows for batch in held) < _ROWS_AT_ONCE:
            continue
        table = pa.Table.from_batches(held)
        starts = beginnings(table, names)
        if len(starts) > 1:
            yield table.slice(0, starts[-1])
            held = table.slice(starts[-1]).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def beginnings(table: pa.Table, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the positions where groups of sorted rows begin; see `whole_groups`."""
    changes = [np.diff(numbers(table, name), prepend=-1) != 0 for name in names]
    return np.flatnonzero(np.logical_or.reduce(changes))


def numbers(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[Any]:
    """Return a column of numbers; missing ones are NaN."""
    return np.asarray(table.column(name).to_numpy(**_zero_copy(table)))


def hashes(table: pa.Table | pa.RecordBatch, name: str) -> NDArray[np.uint64]:
    """Return a column of hashes, which Spark stores as signed numbers."""
    return numbers(table, name).view(np.uint64)


def ragged(
    table: pa.Table | pa.RecordBatch, name: str, dtype: DTypeLike
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the contents of a column of binary cells.

    Parameters
    ----------
    table : pyarrow.Table or pyarrow.RecordBatch
        With n rows.
    name : str
        The column. A missing cell counts as empty, and so do all cells of a missing column.
    dtype
        Type of the values in the cells.

    Returns
    -------
    values : ndarray
        The contents of all cells.
    indptr : ndarray of int64, shape (n + 1,)
        Row ``i`` owns ``indptr[i]:indptr[i + 1]``.
    """
    size = np.dtype(dtype).itemsize
    if name not in table.column_names:
        return np.zeros(0, dtype=dtype), np.zeros(table.num_rows + 1, dtype=np.int64)
    values, indptr = [np.zeros(0, dtype=dtype)], [np.zeros(1, dtype=np.int64)]
    column = table.column(name)
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        _, offsets, data = chunk.buffers()
        if not len(chunk):
            continue
        bounds = np.frombuffer(offsets, dtype=np.int32)[
            chunk.offset : chunk.offset + len(chunk) + 1
        ]
        if data is not None and bounds[-1] > bounds[0]:
            count = int(bounds[-1] - bounds[0]) // size
            # Spark may place cells at any byte offset.
            content = np.frombuffer(data, np.uint8, count * size, int(bounds[0]))
            values.append(np.frombuffer(content.tobytes(), dtype=dtype))
        indptr.append((bounds[1:] - bounds[0]).astype(np.int64) // size + indptr[-1][-1])
    return np.concatenate(values), np.concatenate(indptr)


def matrix(table: pa.Table | pa.RecordBatch, name: str, dtype: DTypeLike) -> NDArray[Any]:
    """Return a column of binary cells with equal numbers of values, as an array of shape (n, m)."""
    # Without any cells the width is unknown.
    return ragged(table, name, dtype)[0].reshape(table.num_rows, -1 if table.num_rows else 0)


def cells(values: NDArray[Any], indptr: NDArray[np.int64]) -> pa.Array:
    """Make a column of binary cells: the inverse of `ragged`."""
    values = np.ascontiguousarray(values)
    offsets = (indptr * values.itemsize).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(values.tobytes())]
    return pa.BinaryArray.from_buffers(pa.binary(), len(indptr) - 1, buffers)


def matrix_cells(values: NDArray[Any]) -> pa.Array:
    """Make a column of binary cells, one for each row of a matrix."""
    return cells(values.ravel(), np.arange(len(values) + 1) * values.shape[1])


def cell(values: NDArray[Any]) -> pa.Array:
    """Make a column of one binary cell."""
    return cells(values.ravel(), np.array([0, values.size]))


def maybe(values: NDArray[np.float64]) -> pa.Array:
    """Make a column of numbers, with NaN as missing."""
    return pa.array(values, mask=np.isnan(values))


_ROWS_A_BATCH = 1 << 16


def batches(columns: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    """Yield columns as batches that Spark takes one at a time."""
    yield from pa.table(columns).to_batches(max_chunksize=_ROWS_A_BATCH)


def _zero_copy(table: pa.Table | pa.RecordBatch) -> dict[str, bool]:
    # Only plain arrays need permission to copy.
    return {} if isinstance(table, pa.Table) else {"zero_copy_only": False}
