"""The exceptions of the library.

Every error that is raised on purpose, for a reason that the caller can fix, derives from
:class:`SahelError`, so one ``except`` clause is enough.
"""

from __future__ import annotations

from typing import Any

from sahel_dedup.plain_text import plain


class SahelError(Exception):
    """Base class of every error that the library raises on purpose.

    Its text is one line without control characters, even if names of files or columns contain some,
    because errors go to terminals and logs.
    """

    def __str__(self) -> str:
        return plain(super().__str__())


class SettingsError(SahelError, ValueError):
    """A setting or an argument that cannot be used. The message names it."""


class NotFoundError(SahelError, KeyError):
    """An article or a story that does not exist."""

    def __str__(self) -> str:
        # KeyError would show the repr of its message.
        return plain(Exception.__str__(self))


def no_article(article: object) -> NotFoundError:
    """Return the error for an id that no article has."""
    if isinstance(article, str):
        return NotFoundError(f"no article {article!r}")
    if isinstance(article, int | slice):
        return NotFoundError(
            f"no article {article!r}: ids are text; iterate to get the stories one by one"
        )
    return NotFoundError(f"no such article: an id is text, not {type(article).__name__}")


def no_result(value: object, call: str) -> SettingsError:
    """Return the error for an argument that should be the result of `sahel_dedup.cluster`."""
    return SettingsError(
        f"stories: {type(value).__name__} is not a result of cluster; write {call}"
    )


class MissingPackageError(SahelError, ImportError):
    """A missing package that an optional part needs. The message says how to install it."""


def missing_package(part: str, error: ImportError, extra: str) -> MissingPackageError:
    """Return the error for an optional part whose package cannot be imported.

    Parameters
    ----------
    part
        What needs it.
    error
        Of the import.
    extra
        The extra of this package that installs it.
    """
    return MissingPackageError(f"{part} needs {error.name}: pip install 'sahel-dedup[{extra}]'")


class FileError(SahelError):
    """A file, folder or stream that cannot be read or written, or has the wrong content."""


class IndexFileError(FileError):
    """A file that is not an index of this version, or is damaged."""


class IndexBusyError(FileError):
    """An index that another process writes."""


class IndexStateError(SahelError, RuntimeError):
    """An index that cannot do what was asked in its present state.

    It is closed, was opened read-only or by another process, has failed, is full, or has articles
    where it must be empty.
    """


class MissingTextsError(SahelError, LookupError):
    """Texts of articles that are needed, but were not kept."""


class FingerprintError(SahelError, ValueError):
    """Bytes that are not a fingerprint of this version."""


class ServerError(SahelError, ConnectionError):
    """A server that cannot be reached, has failed, or does not answer like an index."""


class RequestError(SahelError):
    """A request that a server refuses: it lacks the token, for instance."""


class SparkError(SahelError, RuntimeError):
    """Spark does not start, or fails."""


class CorrectionError(SahelError, ValueError):
    """Corrections that contradict each other: two articles must be one story and must be apart.

    Parameters
    ----------
    reason : str
        The contradictions in sentences.
    contradictions : tuple of (Correction, tuple of Correction)
        For each contradiction, the correction that separates two articles, and those that join
        them.
    """

    def __init__(
        self, reason: str, contradictions: tuple[tuple[Any, tuple[Any, ...]], ...]
    ) -> None:
        super().__init__(reason, contradictions)
        self.reason = reason
        self.contradictions = contradictions

    def __str__(self) -> str:
        return plain(self.reason)


class SahelWarning(UserWarning):
    """A problem of the input that reduces quality but does not stop the run."""


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
    >>> print(ArticleError("not a string: 5", field="title", line=17))
    row 17, field 'title': not a string: 5
    """

    def __init__(
        self,
        reason: str,
        field: str | None = None,
        line: int | None = None,
        file: str | None = None,
    ) -> None:
        # The positional arguments are kept in `args`, so that the error can be pickled between
        # processes.
        super().__init__(reason, field, line, file)
        self.reason = reason
        self.field = field
        self.line = line
        self.file = file

    @property
    def kind(self) -> str:
        """The kind of the fault without details, for counting."""
        kind = self.reason.partition(": ")[0]
        return kind if self.field is None else f"{self.field}: {kind}"

    def at(self, file: str | None, line: int | None) -> ArticleError:
        """Return the same error with the place where it occurred."""
        return ArticleError(self.reason, self.field, line, file)

    def __str__(self) -> str:
        where = [place_name(self.file, self.line)] if self.file or self.line else []
        if self.field is not None:
            where.append(f"field {self.field!r}")
        return plain(f"{', '.join(where)}: {self.reason}" if where else self.reason)


def place_name(file: str | None, line: int | None) -> str:
    """Name a place in the input: ``news.jsonl, line 17``, or ``row 17`` without lines."""
    if line is None:
        return file or ""
    if file is None:
        return f"row {line}"
    unit = "row" if file.lower().endswith(".parquet") else "line"
    return f"{file}, {unit} {line}"
