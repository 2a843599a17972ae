"""The exceptions of the library.

Everything raised on purpose for a reason the caller can mend derives from
:class:`SahelError`, so one ``except`` clause is enough at the edge of a program.
"""

from __future__ import annotations


class SahelError(Exception):
    """Base class of every error the library raises on purpose."""


class ArticleError(SahelError, ValueError):
    """An input row that cannot be read as an article.

    Parameters
    ----------
    reason
        What is wrong. The part before the first ``": "`` names the kind of fault and
        is the same for all faults of that kind, so that they can be counted.
    field
        Name of the offending field.
    line
        Number of the line, or of the row where the source has no lines, from 1.
    file
        Name of the file, as the user gave it.

    Examples
    --------
    >>> print(ArticleError("not an ISO 8601 date: 'soon'", field="published", line=17))
    row 17, field 'published': not an ISO 8601 date: 'soon'
    """

    def __init__(
        self,
        reason: str,
        field: str | None = None,
        line: int | None = None,
        file: str | None = None,
    ) -> None:
        # The positional arguments are kept in `args`, which is what makes the error
        # travel between processes unharmed.
        super().__init__(reason, field, line, file)
        self.reason = reason
        self.field = field
        self.line = line
        self.file = file

    @property
    def kind(self) -> str:
        """The fault without its particulars, for counting."""
        kind = self.reason.partition(": ")[0]
        return kind if self.field is None else f"{self.field}: {kind}"

    def at(self, file: str | None, line: int | None) -> ArticleError:
        """Return the same error with the place where it happened filled in."""
        return ArticleError(self.reason, self.field, line, file)

    def __str__(self) -> str:
        where = [place_name(self.file, self.line)] if self.file or self.line else []
        if self.field is not None:
            where.append(f"field {self.field!r}")
        return f"{', '.join(where)}: {self.reason}" if where else self.reason


def place_name(file: str | None, line: int | None) -> str:
    """Name a place in the input: ``news.jsonl, line 17``, or ``row 17`` without lines."""
    if line is None:
        return file or ""
    if file is None:
        return f"row {line}"
    unit = "row" if file.lower().endswith(".parquet") else "line"
    return f"{file}, {unit} {line}"
