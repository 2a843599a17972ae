"""Answers in a file of JSON lines, each written to disk before it is acknowledged.

The rows are those that `sahel_dedup.evaluation.judged_pairs.read_pairs` and
`sahel_dedup.corrections.corrections.Corrections.read` read. Rows of one step are written together
and undone together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from sahel_dedup.errors import FileError

AnswerRow = dict[str, Any]


class Answers:
    """The answers of a file, in the order in which they were given.

    Parameters
    ----------
    path : str
        The file, which is created if it does not exist.

    Raises
    ------
    FileError
        If it cannot be read or written, or contains something else.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.rows: list[AnswerRow] = []
        # Offset of each row in the file.
        self._starts: list[int] = []
        try:
            # Not opened for appending, because undoing truncates the file.
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        except OSError as error:
            raise FileError(f"cannot write {path!r}: {error.strerror or error}") from error
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def of(self, a: str, b: str) -> AnswerRow | None:
        """Return the latest answer on a pair of articles."""
        return next((row for row in reversed(self.rows) if {row["a"], row["b"]} == {a, b}), None)

    def add(self, rows: Sequence[AnswerRow]) -> None:
        """Write the rows of one step."""
        step = self.rows[-1]["step"] + 1 if self.rows else 1
        end = self._file.seek(0, os.SEEK_END)
        lines = [json.dumps({**row, "step": step}).encode() + b"\n" for row in rows]
        self._file.write(b"".join(lines))
        self._sync()
        for row, line in zip(rows, lines, strict=True):
            self.rows.append({**row, "step": step})
            self._starts.append(end)
            end += len(line)

    def undo(self) -> list[AnswerRow]:
        """Undo the last step; return its rows, or none if there is no step."""
        if not self.rows:
            return []
        step = self.rows[-1]["step"]
        first = next(i for i, row in enumerate(self.rows) if row["step"] == step)
        self._file.truncate(self._starts[first])
        self._sync()
        gone = self.rows[first:]
        del self.rows[first:], self._starts[first:]
        return gone

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        start = 0
        for number, line in enumerate(self._file.read().splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                # Writing this row was interrupted, so it was never acknowledged.
                self._file.truncate(start)
                break
            try:
                row = json.loads(line)
                known = isinstance(row["a"], str) and isinstance(row["b"], str)
                if not known or row["same"] not in (0, 1, None) or type(row["step"]) is not int:
                    raise ValueError("other values")
            except (ValueError, LookupError, TypeError) as error:
                raise FileError(
                    f"{self.path!r}, line {number}: not an answer of a review; name another file"
                ) from error
            self.rows.append(row)
            self._starts.append(start)
            start += len(line)
