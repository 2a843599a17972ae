"""Parser of times of publication, as feeds, archives and data frames write them.

It accepts ISO 8601; RFC 822, as in RSS; dates with the name of the month in the languages of
`sahel_dedup.util.date_names`; GDELT's digits; Unix time; and the date types of Python, NumPy and
pandas. A time without a zone is UTC. Ambiguous dates are refused: ``03/04/2025`` is in March in
one country and in April in another.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from numbers import Real
from time import struct_time
from typing import Any, SupportsIndex

from sahel_dedup.errors import ArticleError
from sahel_dedup.util.date_names import MONTHS, WEEKDAYS, ZONES
from sahel_dedup.util.values import is_missing, show, stands_for_missing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The number of digits that Unix time has from 1973 to 2286, by the digits of its fraction of a
# second. Fewer digits are not a time of news, and 8 and 14 digits are calendar dates.
_UNIX_DIGITS = {9: 0, 10: 0, 12: 3, 13: 3, 15: 6, 16: 6, 18: 9, 19: 9}

# No date is longer, and a text of this length can be matched quickly.
_LONGEST = 100
# Programs write a blank that does not break a line, the minus sign, and marks of direction.
_PLAIN = {0xA0: " ", 0x2009: " ", 0x202F: " ", 0x2212: "-", 0x200E: None, 0x200F: None}

# The usual form, which needs none of the patterns below.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
# As Unix time in milliseconds, these are in 1976.
_TO_THE_MINUTE = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:\.0)?",
    re.ASCII,
)
_NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?", re.ASCII)
_SLASHED = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2,4}\b", re.ASCII)
_YEAR_FIRST = re.compile(r"^(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?!\d)", re.ASCII)
# A float in a table, with digits enough for a minute.
_FLOAT = re.compile(r"\d\.\d{7,17}e\+?\d\d?", re.I | re.ASCII)
# MySQL writes this for a missing date.
_ZERO = re.compile(r"0000-00-00(?:[T ]00:00:00(?:\.0+)?)?Z?", re.ASCII)
# Java writes [Europe/Paris] after the offset, and Go writes both +0100 and CET.
_PLACE = re.compile(r"(?<=[\dz])\[[\w/+-]{1,40}\]$", re.ASCII)
_ZONE_AT_END = re.compile(r"(?<=\d)(?:\s*([+-]\d\d:?\d\d))?\s*([a-z]{1,5})$", re.ASCII)
_BEFORE_OFFSET = re.compile(r"\s*(?:utc|gmt)?(?=[+-]\d\d:?\d\d$)", re.ASCII)
_LEAP_SECOND = re.compile(r"(?<=:\d\d):60(?!\d)", re.ASCII)
_DAY_AND_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d)([+-]\d\d:?\d\d)", re.ASCII)
_LETTER = r"[a-z\u00e0-\u00ff\u0620-\u064a]"
_WEEKDAY = rf"(?:(?P<weekday>(?:{_LETTER}|-){{2,13}})\.?,?\s+)?"
_MONTH = rf"(?P<month>{_LETTER}{{3,10}}(?: \u0627\u0644{_LETTER}{{3,5}})?)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|\u00ba)?"
_OF = r"(?:\s+del?\s+|,?[\s-]+)"
_TIME = (
    r"(?:(?:\s*,)?\s+(?:(?:at|\u00e0|\u00e0s|a las|um)\s+)?"
    r"(?P<hour>\d{1,2})[:h](?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"\s*(?:(?P<half>[ap]\.?m\.?)|uhr)?)?"
)
_ZONE = r"\s*(?P<zone>[a-z]{1,5})?\s*(?P<offset>[+-]\d\d:?\d\d)?(?:\s*\([^()]*\))?"
_NAMED = [
    re.compile(_WEEKDAY + order, re.ASCII)
    for order in (
        # Tue, 04 Mar 2025 06:12:00 +0100; 4-Mar-25; mardi 4 mars 2025 à 6h12; 4 de marzo de 2025
        rf"{_DAY}{_OF}{_MONTH}{_OF}(?P<year>\d{{4}}|\d\d){_TIME}{_ZONE}",
        # Sep 23, 2024 at 5:04 PM EDT
        rf"{_MONTH}\s+{_DAY}(?:,|\s)\s*(?P<year>\d{{4}}){_TIME}{_ZONE}",
        # Tue Mar  4 06:12:00 UTC 2025, of C's asctime and date(1)
        rf"{_MONTH}\s+(?P<day>\d{{1,2}}){_TIME}{_ZONE}\s+(?P<year>\d{{4}})",
    )
]


def parse_published(value: object) -> datetime | None:
    """Read a time of publication.

    Parameters
    ----------
    value
        A string, a number, a date, a datetime, a ``struct_time`` (in UTC unless it names
        its offset), a ``datetime64``, or a missing value. Numbers and strings of digits: 8 digits
        are a day, and 12 or 14 a day and a time (202503040612, 20250304061200); 9 or 10 are Unix
        time in seconds, other 12 or 13 in milliseconds, 15 or 16 in microseconds, 18 or 19 in
        nanoseconds. Times without an offset are UTC.

    Returns
    -------
    datetime or None
        Timezone-aware, in UTC, with a resolution of a microsecond; ``None`` if missing.

    Raises
    ------
    ArticleError
        If the value is not a date, is ambiguous, or is outside the calendar of `datetime`.

    Examples
    --------
    >>> parse_published("Tue, 04 Mar 2025 06:12:00 +0100").isoformat()
    '2025-03-04T05:12:00+00:00'
    >>> parse_published(1741068720).isoformat()
    '2025-03-04T06:12:00+00:00'
    """
    if is_missing(value):
        return None
    try:
        moment = _parse(value)
        return None if moment is None else _in_utc(moment)
    except OverflowError:
        raise ArticleError(f"outside the calendar: {show(value)}", "published") from None
    except ValueError as error:
        if isinstance(error, ArticleError):
            raise
        raise ArticleError(
            f"not a date: {show(value)}; write YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss+hh:mm",
            "published",
        ) from None


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parse(value: object) -> datetime | None:
    """Read a value that is not missing; raise ValueError if it is not a date."""
    if isinstance(value, str):
        text = value.strip()
        if stands_for_missing(text) or _ZERO.fullmatch(text):
            return None
        return _parse_text(text)
    if isinstance(value, datetime):
        # Return a plain datetime even for a subclass, because that of pandas has nanoseconds.
        return datetime.combine(value.date(), value.time(), tzinfo=value.tzinfo)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, struct_time):
        offset = timezone(timedelta(seconds=value.tm_gmtoff)) if value.tm_gmtoff else UTC
        # A leap second counts as the last second of its minute.
        return datetime(*value[:5], min(value.tm_sec, 59), tzinfo=offset)
    if type(value).__name__ == "datetime64":
        return _from_numpy(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        # NumPy's integers keep all their digits; other numbers must not be written with exponents.
        if isinstance(value, SupportsIndex):
            return _parse_number(str(operator.index(value)))
        return _parse_number(f"{float(value):f}")
    raise ValueError


def _from_numpy(value: Any) -> datetime:
    # A time outside the calendar becomes a number or, beyond 64 bits, a different time.
    if not 1 <= 1970 + int(value.astype("datetime64[Y]").astype(int)) <= 9999:
        raise OverflowError
    moment: datetime = value.astype("datetime64[us]").item()
    return moment


def _parse_text(text: str) -> datetime:
    if len(text) > _LONGEST:
        raise ValueError
    if _ISO.fullmatch(text):
        return datetime.fromisoformat(text)
    if _NUMBER.fullmatch(text):
        return _parse_number(text)
    if _FLOAT.fullmatch(text):
        return _parse_number(f"{float(text):f}")
    if _SLASHED.match(text):
        raise ArticleError(
            f"ambiguous date: {show(text)}, day and month in either order; write YYYY-MM-DD",
            "published",
        )
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_PLAIN)
    small = text.lower()
    if small[:4].isdecimal():
        return _from_digits(small, text)
    for pattern in _NAMED:
        if match := pattern.fullmatch(small):
            return _from_names(match, text)
    raise ValueError


def _from_digits(text: str, written: str) -> datetime:
    """Read what is nearly ISO 8601, in small letters."""
    text = _PLACE.sub("", _YEAR_FIRST.sub(_dashed, text, count=1))
    if match := _ZONE_AT_END.search(text):
        offset = match[1] or f"{_hours(match[2], written):+03}:00"
        text = text[: match.start()] + offset
    # A leap second counts as the last second of its minute.
    text = _LEAP_SECOND.sub(":59", _BEFORE_OFFSET.sub("", text))
    if match := _DAY_AND_OFFSET.fullmatch(text):
        # Python would mistake the offset for the time of day.
        text = f"{match[1]}T00:00{match[2]}"
    return datetime.fromisoformat(text.upper())


def _dashed(match: re.Match[str]) -> str:
    return f"{match[1]}-{int(match[3]):02}-{int(match[4]):02}"


def _parse_number(text: str) -> datetime:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError
    sign, whole, fraction = match[1], match[2], match[3] or ""
    digits = len(whole)
    if digits == 14 and not sign:
        return datetime.strptime(whole, "%Y%m%d%H%M%S")
    if _TO_THE_MINUTE.fullmatch(text):
        return datetime.strptime(whole, "%Y%m%d%H%M")
    if digits == 8 and not sign:
        return datetime.strptime(whole, "%Y%m%d")
    if digits not in _UNIX_DIGITS:
        raise ValueError
    shift = _UNIX_DIGITS[digits]
    ticks = int((whole + fraction + "0" * 9)[: digits - shift + 6])
    return _EPOCH + timedelta(microseconds=-ticks if sign == "-" else ticks)


def _from_names(match: re.Match[str], written: str) -> datetime:
    part = match.groupdict()
    month = MONTHS.get(part["month"])
    if month is None or part["weekday"] not in WEEKDAYS:
        raise ValueError
    year = int(part["year"])
    if len(part["year"]) == 2:
        # As RFC 2822 defines.
        year += 2000 if year < 50 else 1900
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    if part["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + 12 * (part["half"][0] == "p")
    zone = _zone(written, part["zone"] or "", part["offset"])
    return datetime(
        year, MONTHS[part["month"]], int(part["day"]), hour, minute, min(second, 59), tzinfo=zone
    )


def _zone(written: str, name: str, offset: str | None) -> tzinfo:
    hours = _hours(name, written)
    if not offset:
        return timezone(timedelta(hours=hours))
    if hours:
        raise _unknown(name, written)
    sign = -1 if offset[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])))


def _hours(name: str, written: str) -> int:
    """Return the offset of a zone in hours."""
    if name not in ZONES:
        raise _unknown(name, written)
    return ZONES[name]


def _unknown(name: str, written: str) -> ArticleError:
    message = (
        f"unknown time zone: {name.upper()!r} in {show(written)}; write an offset such as +01:00"
    )
    return ArticleError(message, "published")
