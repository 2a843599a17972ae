"""Summary of reading: how many articles, which fields they had, and what was left out.

The reader counts; the command line and the log report.
"""

from __future__ import annotations

import logging
import operator
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sahel_dedup.errors import ArticleError, SahelWarning
from sahel_dedup.io.archive_counts import ArchiveCounts
from sahel_dedup.io.lacking import elsewhere_notes, found_elsewhere, lacking, partly_lacking
from sahel_dedup.io.probable_mistakes import unknown_ids, unknown_languages
from sahel_dedup.util.languages import is_language
from sahel_dedup.util.values import counted, show

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sahel_dedup.articles import Article

_LOGGER = logging.getLogger("sahel_dedup")
# Without a handler, Python would print what a library logs.
_LOGGER.addHandler(logging.NullHandler())

_MOST_COLUMNS = 1000
_MAY_BE_PLACEHOLDERS = ("text", "title", "source", "lang")


@dataclass(slots=True)
class ReadSummary(ArchiveCounts):
    """Counts of one reading; those of outlets are in `ArchiveCounts`.

    Attributes
    ----------
    read : int
        Number of articles that were read and used.
    skipped : Counter of str
        Number of rows that were left out, by kind of fault (`ArticleError.kind`).
    titled, dated, sourced, tagged : int
        Number of articles with a title, a usable date, a source, and a language.
    placeholders : Counter of str
        Number of strings such as ``"nan"`` that were taken as missing, by field.
    first_placeholder : str or None
        The first of these strings.
    elsewhere : Counter of str
        Number of articles that lack a field but have a value in a column with another usual name of
        it, by field and column: ``source=outlet``.
    numbered : int
        Number of articles whose id was an integer of at most 64 bits.
    dates_unusable : int
        Number of articles whose date was dropped because it could not be read or cannot be right.
    bad_dates : Counter of str
        Number of dates that could not be read, by kind of fault.
    first_fault : str or None
        The first fault of a row or a date, in full.
    unknown_languages : int
        Number of articles whose `lang` names no language, so that it is detected.
    first_unknown_language : str or None
        One of these values.
    corrections : int
        Number of corrections.
    unknown_ids : int
        Number of ids in corrections that no article has.
    first_unknown_id : str or None
        One of these.
    columns : set of str
        Names of the first thousand columns of the input.
    mapped : mapping of str to str
        The columns that are read as fields of another name, by field.
    strangers : int
        Number of articles in the stories of an earlier run, if none of them was read.
    """

    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    titled: int = 0
    dated: int = 0
    sourced: int = 0
    tagged: int = 0
    placeholders: Counter[str] = field(default_factory=Counter)
    first_placeholder: str | None = None
    elsewhere: Counter[str] = field(default_factory=Counter)
    numbered: int = 0
    dates_unusable: int = 0
    bad_dates: Counter[str] = field(default_factory=Counter)
    first_fault: str | None = None
    unknown_languages: int = 0
    first_unknown_language: str | None = None
    corrections: int = 0
    unknown_ids: int = 0
    first_unknown_id: str | None = None
    columns: set[str] = field(default_factory=set)
    mapped: Mapping[str, str] = field(default_factory=dict)
    strangers: int = 0

    def add(self, article: Article, row_id: object = None) -> None:
        """Count one article, whose id may have been a number in the row."""
        self.read += 1
        self.numbered += _is_number(row_id)
        self.titled += article.title is not None
        self.dated += article.published is not None
        self.sourced += article.source is not None
        self.empty += not article.text.strip()
        if article.lang is not None:
            if is_language(article.lang):
                self.tagged += 1
            else:
                self.unknown_languages += 1
                self.first_unknown_language = self.first_unknown_language or article.lang

    def add_placeholders(self, row: Mapping[str, Any], article: Article) -> None:
        """Count the strings of a row that its article does not have, because they say nothing."""
        for name in _MAY_BE_PLACEHOLDERS:
            value = row.get(name)
            if isinstance(value, str) and not getattr(article, name) and value.strip():
                self.placeholders[name] += 1
                self.first_placeholder = self.first_placeholder or value

    def add_elsewhere(self, row: Mapping[str, Any], article: Article) -> None:
        """Count the fields that an article lacks and its row has under another usual name."""
        self.elsewhere.update(found_elsewhere(row, article, self.mapped))

    @staticmethod
    def flags(article: Article, row_id: object = None) -> int:
        """Return what `add` would count of an article, one bit each, for `add_flags`."""
        known = article.lang is not None and is_language(article.lang)
        return (
            (article.title is not None)
            | (article.published is not None) << 1
            | (article.source is not None) << 2
            | known << 3
            | _is_number(row_id) << 4
            | (article.lang is not None and not known) << 5
            | (not article.text.strip()) << 6
        )

    def add_flags(self, flags: NDArray[np.uint8], each: int = 1) -> None:
        """Count articles by their `flags`, of which each stands for a number of articles."""
        self.read += each * len(flags)
        names = "titled", "dated", "sourced", "tagged", "numbered", "unknown_languages", "empty"
        for bit, name in enumerate(names):
            found = int((flags & (1 << bit) != 0).sum())
            setattr(self, name, getattr(self, name) + each * found)

    def notes(self) -> dict[str, Any]:
        """Return what was noted besides the articles, fit for JSON; for `add_notes`."""
        return {
            "skipped": dict(self.skipped),
            "placeholders": dict(self.placeholders),
            "first_placeholder": self.first_placeholder,
            "elsewhere": dict(self.elsewhere),
            "bad_dates": dict(self.bad_dates),
            "dates_unusable": self.dates_unusable,
            "first_fault": self.first_fault,
            "first_unknown_language": self.first_unknown_language,
            "columns": sorted(self.columns),
        }

    def add_notes(self, notes: Mapping[str, Any]) -> None:
        """Add the `notes` of another reading."""
        self.skipped.update(notes["skipped"])
        self.placeholders.update(notes["placeholders"])
        self.first_placeholder = self.first_placeholder or notes["first_placeholder"]
        self.elsewhere.update(notes["elsewhere"])
        self.bad_dates.update(notes["bad_dates"])
        self.dates_unusable += notes["dates_unusable"]
        self.first_fault = self.first_fault or notes["first_fault"]
        self.first_unknown_language = self.first_unknown_language or notes["first_unknown_language"]
        self.add_columns(notes["columns"])

    @property
    def is_numbered(self) -> bool:
        """Whether the ids of all articles were integers."""
        return 0 < self.read == self.numbered

    def add_columns(self, names: Collection[object]) -> None:
        """Record the columns of a row."""
        # If keys are data, such as dates, they are not worth recording as columns.
        if len(self.columns) < _MOST_COLUMNS and not self.columns.issuperset(names):
            self.columns.update(map(str, names))

    def add_fault(self, error: ArticleError) -> None:
        """Count a row that is left out."""
        self.skipped[error.kind] += 1
        self.first_fault = self.first_fault or str(error)

    def add_bad_date(self, error: ArticleError) -> None:
        """Count a date that is dropped because it cannot be read."""
        self.bad_dates[error.reason.partition(": ")[0]] += 1
        self.dates_unusable += 1
        self.first_fault = self.first_fault or str(error)

    def add_corrections(self, number: int, unknown: Sequence[str]) -> None:
        """Count corrections, and the ids in them that no article has."""
        self.corrections += number
        self.unknown_ids += len(unknown)
        if unknown and self.first_unknown_id is None:
            self.first_unknown_id = unknown[0]

    def add_previous(self, previous: Collection[str], ids: Collection[str]) -> None:
        """Note, and log, that an earlier run had none of the articles."""
        if previous and self.read and set(ids).isdisjoint(previous):
            self.strangers = len(previous)
            _LOGGER.warning("%s", self._of_another_archive())

    def drop_dates(self, number: int) -> None:
        """Count dates that could be read but cannot be right."""
        self.dates_unusable += number
        self.dated -= number

    def log(self) -> None:
        """Log the counts, and warnings about fields that articles lack and dates dropped."""
        _LOGGER.info("%s", self)
        for warning in self.warnings():
            _LOGGER.warning("%s", warning)

    def warnings(self) -> list[str]:
        """Return a warning for each field that all or many articles lack, with the cost."""
        # A single article is not compared with anything.
        found = []
        if self.read > 1:
            found = lacking(self.read, self._having, self.columns, costs=True)
            found += partly_lacking(self.read, self._having)
        found += self._elsewhere()
        if self.wordless:
            found.append(f"articles with nothing but markup or boilerplate: {self.wordless:,}")
        if self.bad_dates:
            found.append(f"{self._unreadable_dates()}; for example {self.first_fault}")
        found += self._impossible_dates()
        return found + self._unknown()

    def warn(self, stacklevel: int = 2, *, rows: bool = False) -> None:
        """Warn a caller in Python, once, about probable mistakes.

        These are dropped dates; a column that probably contains a field that articles lack; outlets
        that may be one, or repeat their words; and names that are unknown.

        Parameters
        ----------
        stacklevel
            Level as for `warnings.warn`, counted from the caller of this method.
        rows
            Whether to warn about rows left out, too.
        """
        lack = lacking(self.read, self._having, self.columns, costs=False)
        found = [warning for warning in lack if "columns=" in warning] + self._elsewhere()
        if self.bad_dates:
            found.append(self._unreadable_dates())
        found += self._impossible_dates()
        found += self._unknown()
        if self.strangers:
            found.append(self._of_another_archive())
        if rows and self.skipped:
            found.append(f"rows left out: {_listed(self.skipped)}")
        if self.first_fault and (self.bad_dates or (rows and self.skipped)):
            found.append(f"for example {self.first_fault}")
        if found:
            warnings.warn("; ".join(found), SahelWarning, stacklevel=stacklevel + 1)

    @property
    def _having(self) -> dict[str, int]:
        """Number of articles that have a field, by field."""
        return {
            "title": self.titled,
            "published": self.dated,
            "source": self.sourced,
            "lang": self.tagged + self.unknown_languages,
        }

    def _elsewhere(self) -> list[str]:
        return elsewhere_notes(self.read, self._having, self.columns, self.elsewhere)

    def _unknown(self) -> list[str]:
        found = []
        taken = self.mapped.values()
        if hidden := sorted(self.mapped.keys() & self.columns - set(taken)):
            names = ", ".join(hidden)
            found.append(
                f"columns that are not read, because another column is read for the field: {names}"
            )
        found += self._doubts()
        if self.unknown_languages:
            found.append(unknown_languages(self.unknown_languages, self.first_unknown_language))
        if self.unknown_ids:
            found.append(unknown_ids(self.unknown_ids, self.first_unknown_id))
        return found

    def _of_another_archive(self) -> str:
        return (
            f"none of the {counted(self.strangers, 'article')} of the previous stories is in this "
            "archive, so no story keeps its id"
        )

    def _impossible_dates(self) -> list[str]:
        number = self.dates_unusable - self.bad_dates.total()
        which = "before 1400, 1970-01-01 or -02, in the future"
        return [f"{counted(number, 'impossible date')} ({which}), taken as missing"] * (number > 0)

    def _unreadable_dates(self) -> str:
        return f"dates that cannot be read and are dropped: {_listed(self.bad_dates)}"

    def __str__(self) -> str:
        """Describe the reading in one line."""
        parts = [
            f"{counted(self.read, 'article')} read",
            f"{self.titled:,} with a title",
            f"{self.dated:,} with a date",
            f"{self.sourced:,} with a source",
            f"{self.tagged:,} with a language",
        ]
        if self.empty:
            parts.append(f"{self.empty:,} without text")
        if self.placeholders:
            parts.append(
                f"{counted(self.placeholders.total(), 'value')} such as "
                f"{show(self.first_placeholder)} taken as missing ({_listed(self.placeholders)})"
            )
        if self.dates_unusable:
            parts.append(f"{counted(self.dates_unusable, 'date')} unusable")
        if self.unknown_languages:
            parts.append(f"{counted(self.unknown_languages, 'language')} unknown")
        if self.corrections:
            parts.append(counted(self.corrections, "correction"))
        if self.unknown_ids:
            parts.append(f"{counted(self.unknown_ids, 'id')} in them unknown")
        if self.skipped:
            parts.append(f"{self.skipped.total():,} left out ({_listed(self.skipped)})")
        return ", ".join(parts)


def _is_number(value: object) -> bool:
    # NumPy's integers are not Python's.
    try:
        return not isinstance(value, str) and -(2**63) <= operator.index(value) < 2**63  # type: ignore[arg-type]
    except TypeError:
        return False


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} x {kind}" for kind, count in counts.most_common())
