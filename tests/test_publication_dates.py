"""Dates: every way in which feeds, archives and frames write them, and what is refused."""

from __future__ import annotations

import email.utils
import time
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sahel_dedup.articles import parse_published
from sahel_dedup.errors import ArticleError

# Six o'clock and twelve minutes on the fourth of March.
MOMENT = datetime(2025, 3, 4, 6, 12, tzinfo=UTC)
DAY = datetime(2025, 3, 4, tzinfo=UTC)
SECONDS = int(MOMENT.timestamp())


@pytest.mark.parametrize(
    "value",
    [
        "2025-03-04T06:12:00Z",
        "2025-03-04t06:12:00z",
        "2025-03-04 06:12:00 UTC",
        "2025-03-04 06:12 GMT",
        "2025-03-04 07:12:00 +0100",
        "2025-03-04 07:12:00 GMT+01:00",
        "2025/03/04 06:12",
        "2025.3.4 06:12",
        "20250304T061200",
        "Tue, 04 Mar 2025 07:12:00 +0100",
        "Tue, 04 Mar 2025 06:12:00 GMT",
        "04 Mar 25 06:12:00 UT",
        "Tue, 4 Mar 2025 01:12:00 EST",
        "4 Mar 2025 06:12",
        "March 4th, 2025 at 6:12 AM",
        "Mar. 4, 2025, 6:12 a.m. UTC",
        "Tue Mar  4 06:12:00 2025",
        "Tue Mar  4 06:12:00 UTC 2025",
        "Tue Mar 04 2025 07:12:00 GMT+0100 (Central European Standard Time)",
        "Tue, 04 Mar 2025 07:12:00 CET",
        "2025-03-04 07:12:00 WAT",
        "2025-03-04 01:12:00 EST",
        "2025-03-04 07:12:00 +0100 CET",
        "2025-03-04T07:12:00+01:00[Europe/Paris]",
        "2025-03-04T06:12:00Z[UTC]",
        "2025-03-04T05:12\u221201:00",
        "Mar 4, 2025, 6:12\u202fAM",
        "4\xa0Mar 2025 06:12",
        "mardi 4 mars 2025 à 6h12",
        "mar., 04 mars 2025 07:12:00 +0100",
        "MARTES, 4 DE MARZO DE 2025, 06:12",
        "terça-feira, 4 de março de 2025 às 06:12",
        "Dienstag, 4. März 2025, 06:12 Uhr",
        "4. Ma\u0308rz 2025 um 06:12 Uhr",
        "الثلاثاء 4 مارس 2025 06:12",
        "4 آذار 2025 06:12",
        "202503040612",
        202503040612,
        f"{SECONDS / 1e9:.9f}e+09",
        "20250304061200",
        20250304061200,
        20250304061200.0,
        np.int64(20250304061200),
        SECONDS,
        float(SECONDS),
        str(SECONDS),
        f"{SECONDS}.0",
        SECONDS * 1000,
        float(SECONDS * 1000),
        SECONDS * 10**6,
        SECONDS * 10**9,
        np.int64(SECONDS),
        np.float64(SECONDS),
        Fraction(SECONDS),
        time.gmtime(SECONDS),
        time.localtime(SECONDS),
        np.datetime64("2025-03-04T06:12"),
        np.datetime64("2025-03-04T06:12:00.000000000"),
        pd.Timestamp("2025-03-04T07:12", tz="Africa/Lagos"),
        np.str_("2025-03-04T06:12"),
    ],
)
def test_one_moment_in_many_hands(value: Any) -> None:
    assert parse_published(value) == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        "2025-03-04",
        "20250304",
        20250304,
        20250304.0,
        "2025/3/4",
        "2025-03-04 UTC",
        "4 March 2025",
        "04-Mar-2025",
        "Tuesday, March 4, 2025",
        "Mar 4 2025",
        "2025-W10-2",
        "2025-03-04+00:00",
        np.datetime64("2025-03-04"),
    ],
)
def test_a_day_begins_at_midnight(value: Any) -> None:
    assert parse_published(value) == DAY


@pytest.mark.parametrize("name", ["Sep", "Sept", "Sept.", "September", "SEPTEMBER"])
def test_months_have_names_of_several_lengths(name: str) -> None:
    assert parse_published(f"{name} 23, 2024") == datetime(2024, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize("name", ["février", "FÉVR.", "fev", "febrero", "Feber", "شباط", "فيفري"])
def test_months_have_names_in_several_languages(name: str) -> None:
    assert parse_published(f"23 {name} 2024") == datetime(2024, 2, 23, tzinfo=UTC)


@pytest.mark.parametrize(("written", "year"), [("49", 2049), ("50", 1950), ("99", 1999)])
def test_a_year_of_two_digits_is_from_1950_to_2049(written: str, year: int) -> None:
    assert parse_published(f"4 Mar {written}") == datetime(year, 3, 4, tzinfo=UTC)


def test_a_day_may_have_an_offset() -> None:
    assert parse_published("2025-03-04+01:00") == DAY - timedelta(hours=1)


def test_noon_and_midnight() -> None:
    assert parse_published("Mar 4, 2025 12:30 AM") == DAY + timedelta(minutes=30)
    assert parse_published("Mar 4, 2025 12:30 PM") == DAY + timedelta(hours=12, minutes=30)


def test_times_before_1970_and_leap_seconds() -> None:
    assert parse_published(-1388534400) == datetime(1926, 1, 1, tzinfo=UTC)
    assert parse_published("Fri, 01 Jan 1926 00:00:00 GMT") == datetime(1926, 1, 1, tzinfo=UTC)
    for leap in ("31 Dec 2016 23:59:60 UTC", "2016-12-31T23:59:60Z"):
        assert parse_published(leap) == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["03/04/2025", "08/22/2025", "22.08.2025", "4-3-2025 06:12", "1/2/25", "12/11/10 at noon"],
)
def test_what_reads_in_two_ways_is_refused_with_the_remedy(value: str) -> None:
    with pytest.raises(ArticleError, match=r"ambiguous date: .*; write YYYY-MM-DD$") as caught:
        parse_published(value)
    assert caught.value.kind == "published: ambiguous date"


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2025",
        2025,
        0,
        -1,
        12345678901,
        10**19,
        True,
        False,
        "2025-03",
        "2025-02-30",
        "30 Feb 2025",
        "4 Foo 2025",
        "23 septembr 2024",
        "1.71e+09",
        "in 2 days",
        "Mar 4, 2025 13:00 PM",
        "Mar 4, 2025 0:30 AM",
        "Foo, 4 Mar 2025",
        "2025-03-04 12:60:00 UTC",
        "-20250304",
        "+20250304061200",
        "٢٠٢٥٠٣٠٤",
        "99999999999999",
        "10000-01-01",
        "x" * 5_000_000,
        " " * 90 + "4",
        1e300,
        float("inf"),
        Decimal(SECONDS),
        [2025, 3, 4],
        (2025, 3, 4),
        {"year": 2025},
        b"2025-03-04",
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_date_is_refused_with_the_remedy(value: object) -> None:
    with pytest.raises(ArticleError, match=r"not a date: .*; write YYYY-MM-DD") as caught:
        parse_published(value)
    assert caught.value.field == "published"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("zone", ["BST", "IST", "AST", "X"])
def test_a_zone_that_several_countries_name_alike_is_refused(zone: str) -> None:
    with pytest.raises(ArticleError, match=r"unknown time zone: .*; write an offset such as"):
        parse_published(f"Tue, 04 Mar 2025 06:12:00 {zone}")
    with pytest.raises(ArticleError, match=rf"'{zone}' in '2025-03-04T06:12 {zone}'"):
        parse_published(f"2025-03-04T06:12 {zone}")


def test_a_zone_and_an_offset_are_not_added() -> None:
    with pytest.raises(ArticleError, match="unknown time zone: 'EST'"):
        parse_published("Tue, 04 Mar 2025 06:12:00 EST +0100")


@pytest.mark.parametrize(
    "value",
    [
        np.datetime64(10**17, "s"),
        np.datetime64(-(10**6), "Y"),
        "0001-01-01T00:00+01:00",
        "31 Dec 9999 23:00 EST",
    ],
)
def test_what_has_no_place_on_the_calendar_is_refused(value: object) -> None:
    with pytest.raises(ArticleError, match="outside the calendar: "):
        parse_published(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        float("nan"),
        np.float32("nan"),
        pd.NaT,
        pd.NA,
        np.datetime64("NaT"),
        "NaT",
        "nan",
        "None",
        "null",
        "N/A",
        "-",
        "0000-00-00",
        "0000-00-00 00:00:00",
    ],
)
def test_what_is_missing_is_missing(value: object) -> None:
    assert parse_published(value) is None


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Some milliseconds of 1976 read as a day and a time.
MOMENTS = st.datetimes(datetime(1977, 1, 1), datetime(2286, 1, 1), timezones=OFFSETS)


@given(MOMENTS)
def test_the_mail_of_python_is_read_as_python_reads_it(moment: datetime) -> None:
    written = email.utils.format_datetime(moment)
    assert parse_published(written) == email.utils.parsedate_to_datetime(written)


@given(MOMENTS, st.sampled_from([1, 10**3, 10**6, 10**9]))
@example(datetime(1977, 1, 1, tzinfo=UTC), 10**9)
def test_unix_time_is_told_by_its_digits(moment: datetime, unit: int) -> None:
    second = moment.replace(microsecond=0)
    number = int(second.timestamp()) * unit
    assert parse_published(number) == parse_published(str(number)) == second


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2},? \d{1,2} [A-Z][a-z]{2} \d{2,4}.{0,20}")
)
def test_no_text_is_anything_but_a_date_or_refused(text: str) -> None:
    try:
        found = parse_published(text)
    except ArticleError:
        return
    assert found is None or found.tzinfo is UTC
