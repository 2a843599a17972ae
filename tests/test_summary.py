"""The summary of reading: every article is counted once under each field that it has."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import SahelWarning, cluster
from sahel_dedup.articles import Article
from sahel_dedup.io.summary import ReadSummary

PLACES = [("Nine", "a market in Maradi"), ("Two", "a camp at Tessarit"), ("Ten", "Kidal bridge")]
# Two reports of each event.
EVENTS = [
    [
        (
            f"{many} killed in attack on {place}",
            f"Gunmen attacked {place} on Monday, killing {many} people and wounding six, the "
            "governor said. Reinforcements arrived from the capital in the evening.",
        ),
        (
            f"Gunmen attack {place}, {many} dead",
            f"At least {many} people were killed and six wounded when gunmen attacked {place} on "
            "Monday, according to the governor. Reinforcements arrived in the evening.",
        ),
    ]
    for many, place in PLACES
]
ARTICLES = st.lists(
    st.builds(
        Article,
        st.just("a"),
        st.sampled_from(["t", "", " \n"]),
        st.none() | st.just("title"),
        st.none() | st.just(datetime(2025, 7, 1, tzinfo=UTC)),
        st.none() | st.just("source"),
        st.none() | st.just("en"),
    ),
    max_size=8,
)


@given(ARTICLES)
def test_counts_are_those_of_the_articles(articles: list[Article]) -> None:
    summary = ReadSummary()
    for article in articles:
        summary.add(article)
    assert summary == ReadSummary(
        read=len(articles),
        titled=len([article for article in articles if article.title]),
        dated=len([article for article in articles if article.published]),
        sourced=len([article for article in articles if article.source]),
        tagged=len([article for article in articles if article.lang]),
        empty=len([article for article in articles if article.text != "t"]),
    )
    flagged = ReadSummary()
    flagged.add_flags(np.array([summary.flags(article) for article in articles], dtype=np.uint8))
    assert flagged == summary
    missing = {
        name
        for name in ("title", "published", "source")
        if len(articles) > 1 and not all(getattr(article, name) for article in articles)
    }
    assert {warning.split("'")[1] for warning in summary.warnings()} == missing


@pytest.mark.parametrize("count", ["titled", "dated", "sourced"])
def test_a_field_that_many_articles_lack_is_told(count: str) -> None:
    field = {"titled": "title", "dated": "published", "sourced": "source"}[count]
    for there, warnings in ((1000, 0), (901, 0), (900, 1), (1, 1)):
        summary = ReadSummary(read=1000, titled=1000, dated=1000, sourced=1000)
        setattr(summary, count, there)
        told = summary.warnings()
        assert len(told) == warnings
        for warning in told:
            assert warning.startswith(f"{1000 - there} of 1,000 articles have no ")
            assert f"(field {field!r}): " in warning


def test_in_words() -> None:
    summary = ReadSummary(read=1200, titled=1000, dated=900, sourced=8, tagged=7, empty=6)
    summary.drop_dates(3)
    summary.skipped.update({"text: missing": 2, "broken JSON": 1})
    assert str(summary) == (
        "1,200 articles read, 1,000 with a title, 897 with a date, 8 with a source, 7 with a "
        "language, 6 without text, 3 dates unusable, 3 left out (2 x text: missing, 1 x broken "
        "JSON)"
    )


def test_the_library_logs_what_it_read_and_what_is_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [{"id": str(n), "text": "Rain fell.", "published": f"29{n}-01-01"} for n in (20, 21)]
    with (
        caplog.at_level(logging.INFO, "sahel_dedup"),
        pytest.warns(SahelWarning, match=r"^2 impossible dates \(before 1400, "),
    ):
        cluster(rows)
    # Loops may be compiled on the way, which other modules log.
    records = [record for record in caplog.records if record.name == "sahel_dedup"]
    infos = [record.getMessage() for record in records if record.levelno == logging.INFO]
    warnings = [record.getMessage() for record in records if record.levelno == logging.WARNING]
    assert infos[:2] == [
        "stage: reading",
        "2 articles read, 0 with a title, 0 with a date, 0 with a source, 0 with a language, "
        "2 dates unusable",
    ]
    assert "stage: linking" in infos
    assert len(infos) == len(set(infos))
    assert [warning.split(" (")[0] for warning in warnings] == [
        "no article has a title", "no article has a date", "no article has a source",
        "2 impossible dates",
    ]  # fmt: skip


def test_strings_that_stand_for_a_missing_value_are_counted() -> None:
    rows: list[dict[str, str | None]] = [
        {"id": "a", "text": "Rain fell.", "title": "nan", "source": "nan", "lang": "en"},
        {"id": "b", "text": "Snow fell.", "title": "Snow", "source": "N/A", "lang": "None"},
        {"id": "c", "text": "NULL", "title": "", "source": " ", "lang": None},
        {"id": "d", "text": "Hail fell.", "title": None, "source": "BBC", "lang": "en"},
    ]
    summary = cluster(rows).read_summary
    assert summary.placeholders == {"source": 2, "title": 1, "lang": 1, "text": 1}
    assert (summary.titled, summary.sourced, summary.tagged) == (1, 1, 2)
    assert "5 values such as 'nan' taken as missing (2 x source, 1 x " in str(summary)
    kept = ReadSummary()
    kept.add_notes(json.loads(json.dumps(summary.notes())))
    assert (kept.placeholders, kept.first_placeholder) == (summary.placeholders, "nan")


def test_articles_of_unknown_outlets_are_not_those_of_one() -> None:
    """Else hardly any two of them are one story, because an outlet rarely repeats itself."""
    rows = [
        {
            "id": f"{event}{n}",
            "text": text,
            "title": title,
            "published": f"2025-03-0{event}T0{n}:00Z",
        }
        for event, texts in enumerate(EVENTS, 1)
        for n, (title, text) in enumerate(texts)
    ]
    expected = cluster(rows).labels.tolist()
    assert cluster([{**row, "source": "BBC"} for row in rows]).labels.tolist() != expected
    for value in ("nan", "None", "N/A", "unknown", " ", "-"):
        assert cluster([{**row, "source": value} for row in rows]).labels.tolist() == expected


@pytest.mark.parametrize("field", ["title", "source", "published"])
def test_a_column_in_capitals_is_suggested(field: str) -> None:
    rows = [{"id": name, "text": "Rain fell.", field.upper(): "2025-03-01"} for name in "ab"]
    with pytest.warns(SahelWarning, match=rf"columns=\{{'{field}': '{field.upper()}'\}}"):
        cluster(rows)
