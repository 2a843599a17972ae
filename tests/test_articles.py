"""Articles: what is accepted, what it becomes and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.articles import Article, parse_published
from sahel_dedup.errors import ArticleError, SahelError
from sahel_dedup.io.article_reader import iter_articles

WRITE = "; write YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss+hh:mm"
NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)


def read(**fields: object) -> Article:
    return Article.from_mapping({"id": "a", "text": "t"} | fields)


def test_every_field_arrives() -> None:
    row = {
        "id": "a",
        "text": "Attack in Kayes.",
        "title": "Attack",
        "published": "2025-07-01T12:00:00Z",
        "source": "AFP",
        "lang": "fr",
        "story": "kayes",
        "tags": ["mali"],
    }
    assert Article.from_mapping(row) == Article(
        "a", "Attack in Kayes.", "Attack", NOON, "AFP", "fr", {"story": "kayes", "tags": ["mali"]}
    )


PLACEHOLDERS = [
    "nan", "NaN", "None", "NULL", "null", "NaT", "N/A", "n/a", "NA", "<NA>", "#N/A", "nil",
    "undefined", "Unknown", "(unknown)", "unknown ", "-", "--", "\N{EM DASH}", "?", "...",
    " ", "\t", "\xa0", "(no title)", "Untitled", "[Removed]", "(none)", " " * 99,
]  # fmt: skip


@pytest.mark.parametrize("value", PLACEHOLDERS)
@pytest.mark.parametrize("field", ["title", "source", "lang"])
def test_strings_that_stand_for_a_missing_value_are_missing(field: str, value: str) -> None:
    assert getattr(read(**{field: value}), field) is None
    assert read(text=value).text == ""


@pytest.mark.parametrize("value", ["BBC", " BBC", "BBC ", "\tBBC\n", "\xa0BBC", "BBC\u2009"])
def test_spaces_around_an_outlet_do_not_make_another(value: str) -> None:
    assert read(source=value).source == "BBC"


@pytest.mark.parametrize(
    "value",
    ["Nan Goldin", "None dead", "Nation", "The Unknown", "NAN 24", "-1", "N", "A", "0", "?!A"],
)
def test_words_that_only_resemble_a_placeholder_are_kept(value: str) -> None:
    assert read(title=value, source=value, text=value) == Article("a", value, value, source=value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, "7"), ("07", "07"), (np.int64(7), "7"), (10**30, "1" + "0" * 30), (" a ", " a ")],
)
def test_ids_become_strings(value: object, expected: str) -> None:
    assert read(id=value).id == expected


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("id", None, "missing"),
        ("id", "", "empty"),
        ("id", float("nan"), "missing"),
        ("id", 17.0, "neither a string nor an integer: 17.0"),
        ("id", True, "neither a string nor an integer: True"),
        ("id", ["a"], "neither a string nor an integer: ['a']"),
        ("text", None, "missing"),
        ("text", float("nan"), "missing"),
        ("text", pd.NA, "missing"),
        ("text", 5, "not a string: 5"),
        ("text", b"bytes", "not a string: b'bytes'"),
        ("title", 1984, "not a string: 1984"),
        ("source", ["AFP"], "not a string: ['AFP']"),
        ("lang", 5, "not a string: 5"),
        ("published", "yesterday-ish", f"not a date: 'yesterday-ish'{WRITE}"),
        ("published", "2025-02-30", f"not a date: '2025-02-30'{WRITE}"),
        ("published", "10000-01-01", f"not a date: '10000-01-01'{WRITE}"),
        ("published", 2025, f"not a date: 2025{WRITE}"),
        ("published", "0001-01-01T00:00+01:00", "outside the calendar: '0001-01-01T00:00+01:00'"),
        ("published", "9999-12-31T23:00-02:00", "outside the calendar: '9999-12-31T23:00-02:00'"),
    ],
)
def test_faults_name_their_field(field: str, value: object, reason: str) -> None:
    with pytest.raises(ArticleError) as caught:
        read(**{field: value})
    assert (caught.value.field, caught.value.reason) == (field, reason)


@pytest.mark.parametrize("column", ["TEXT", "Text", " text ", "article text", "BODY"])
def test_a_column_of_almost_the_same_name_is_suggested(column: str) -> None:
    option = f"'text={column}'" if " " in column else f"text={column}"
    remedy = f"columns={{'text': {column!r}}} (--column {option}) reads it"
    with pytest.raises(ArticleError) as caught:
        Article.from_mapping({"id": "a", column: "t"})
    assert str(caught.value).endswith(f"; {remedy}")


def test_a_missing_column_says_which_ones_there_are() -> None:
    with pytest.raises(
        ArticleError, match=r"field 'text': missing: the row has id, body; columns="
    ):
        Article.from_mapping({"id": 1, "body": "t"})


def test_a_message_does_not_repeat_megabytes() -> None:
    with pytest.raises(ArticleError) as caught:
        read(published="x" * 5_000_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2025-07-01", datetime(2025, 7, 1, tzinfo=UTC)),
        ("2025-07-01T12:00", NOON),
        ("2025-07-01 12:00:00", NOON),
        ("2025-07-01T12:00:00Z", NOON),
        (" 2025-07-01T12:00:00Z\n", NOON),
        ("2025-07-01T14:00:00+02:00", NOON),
        ("2025-07-01T06:30:00-0530", NOON),
        ("20250701T120000Z", NOON),
        ("2025-07-01T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        (date(2025, 7, 1), datetime(2025, 7, 1, tzinfo=UTC)),
        (datetime(2025, 7, 1, 12), NOON),
        (datetime(2025, 7, 1, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
        (pd.Timestamp("2025-07-01T12:00:00.000000001Z"), NOON),
        ("", None),
        (None, None),
        (float("nan"), None),
        (pd.NaT, None),
        (pd.NA, None),
    ],
)
def test_dates(value: object, expected: datetime | None) -> None:
    published = read(published=value).published
    assert published == expected
    if published is not None:
        assert type(published) is datetime
        assert published.tzinfo is UTC


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    st.datetimes(
        datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.one_of(st.none(), OFFSETS)
    ),
)
def test_iso_strings_and_datetimes_agree(moment: datetime) -> None:
    expected = moment.replace(tzinfo=moment.tzinfo or UTC)
    assert parse_published(moment) == parse_published(moment.isoformat()) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("EN", "en"),
        ("pt-BR", "pt-BR"),
        ("PT_BR", "pt-BR"),
        ("zh_Hant_TW", "zh-Hant-TW"),
        (" ", None),
        ("", None),
    ],
)
def test_language_tags(value: str, expected: str | None) -> None:
    assert read(lang=value).lang == expected


@pytest.mark.parametrize("text", ["", "\ud800", "a\0b", "x" * 5_000_000])
def test_odd_texts_pass(text: str) -> None:
    assert read(text=text, title=text).text == text


def test_an_article_made_by_hand_is_checked_too() -> None:
    assert Article("a", "t", published=datetime(2025, 7, 1, 12)).published == NOON
    with pytest.raises(ArticleError, match="'id'"):
        Article("", "t")
    with pytest.raises(ArticleError, match="'id'"):
        Article(5, "t")  # type: ignore[arg-type]
    with pytest.raises(ArticleError, match="'text'"):
        Article("a", None)  # type: ignore[arg-type]


def test_articles_can_be_keys() -> None:
    assert len({read(extra_field=[1]), read(extra_field=[1]), read(id="b")}) == 2


def test_errors_are_value_errors_and_survive_pickling() -> None:
    error = ArticleError("not a date: 'x'", "published", 17, "news.jsonl")
    assert isinstance(error, ValueError)
    assert isinstance(error, SahelError)
    assert str(error) == "news.jsonl, line 17, field 'published': not a date: 'x'"
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.line, copy.kind) == (str(error), 17, "published: not a date")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ArticleError("bad"), "bad"),
        (ArticleError("bad", line=3), "row 3: bad"),
        (ArticleError("bad", file="a.csv"), "a.csv: bad"),
        (ArticleError("bad", file="a.parquet", line=3), "a.parquet, row 3: bad"),
    ],
)
def test_messages_leave_out_what_is_not_known(error: ArticleError, message: str) -> None:
    assert str(error) == message


ROWS: list[dict[str, Any]] = [
    {"id": 1, "text": "a", "published": NOON, "title": None, "topic": "x"},
    {"id": 2, "text": "b", "published": None, "title": "B", "topic": "y"},
]


@pytest.mark.parametrize(
    "make", [list, iter, pl.DataFrame, pd.DataFrame, lambda rows: map(Article.from_mapping, rows)]
)
def test_iterables_and_frames_give_the_same_articles(
    make: Callable[[list[dict[str, Any]]], Any],
) -> None:
    assert list(iter_articles(make(ROWS))) == [Article.from_mapping(row) for row in ROWS]


def test_frames_without_rows_or_without_a_column() -> None:
    assert list(iter_articles(pd.DataFrame({"id": [], "text": []}))) == []
    with pytest.raises(ArticleError, match=r"row 1, field 'text': missing: the row has id$"):
        list(iter_articles(pl.DataFrame({"id": [1]})))


def test_iterables_stream() -> None:
    def endless() -> Any:
        number = 0
        while True:
            number += 1
            yield {"id": number, "text": ""}

    articles = iter_articles(endless())
    assert [next(articles).id for _ in range(3)] == ["1", "2", "3"]


def test_errors_name_the_row() -> None:
    rows = [{"id": n, "text": "t"} for n in range(16)]
    with pytest.raises(ArticleError, match=r"^row 17, field 'id': missing: the row has text$"):
        list(iter_articles([*rows, {"text": "t"}]))
    with pytest.raises(
        ArticleError, match=r"^row 17, field 'id': duplicate id: '3', first.* row 4$"
    ):
        list(iter_articles([*rows, Article("3", "t")]))
    with pytest.raises(ArticleError, match=r"^row 1: a text without an id: "):
        list(iter_articles(["text"]))
