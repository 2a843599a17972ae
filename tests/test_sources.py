"""Sources of articles: one reader for all, and a remedy in every error."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import sahel_dedup
from sahel_dedup import (
    Article,
    ArticleError,
    SahelError,
    SahelWarning,
    SettingsError,
    Stories,
    StoryIndex,
)
from sahel_dedup.cli import app
from sahel_dedup.io.article_reader import ArticleReader, iter_articles

MOMENT = datetime(2025, 3, 4, 6, 12, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "text": "Rain in Kidal.", "published": MOMENT, "topic": "rain"},
    {"id": 2, "text": "Rain in Gao.", "published": None, "topic": None},
]
EXPECTED = [Article.from_mapping(row) for row in ROWS]


class Row(NamedTuple):
    id: int
    text: str
    published: datetime | None
    topic: str | None


@dataclasses.dataclass
class Record:
    id: int
    text: str
    published: datetime | None
    topic: str | None


class Stream:
    """Offers an Arrow C stream and nothing else."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pa.Table.from_pylist(ROWS).__arrow_c_stream__(requested_schema)


class LikeAMapping:
    """Has keys and items, and is no mapping to Python."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self._row = row

    def keys(self) -> Iterator[str]:
        return iter(self._row)

    def __getitem__(self, name: str) -> Any:
        return self._row[name]


def models(rows: list[dict[str, Any]]) -> list[Any]:
    pydantic = pytest.importorskip("pydantic", reason="pydantic is no dependency")
    types = {"id": int, "text": str, "published": datetime | None, "topic": str | None}
    model = pydantic.create_model("Model", **{name: (kind, ...) for name, kind in types.items()})
    return [model(**row) for row in rows]


def relation(rows: list[dict[str, Any]]) -> Any:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is no dependency")
    table = pa.Table.from_pylist(rows)
    return duckdb.from_arrow(table)


def json_file(rows: list[dict[str, Any]]) -> Path:
    path = Path("rows.jsonl")
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    return path


def parts(rows: list[dict[str, Any]]) -> list[Path]:
    """Write each row to a file of its own."""
    paths = [Path(f"part-{number}.parquet") for number in range(len(rows))]
    for path, row in zip(paths, rows, strict=True):
        pl.DataFrame([row], schema_overrides={"topic": pl.String}).write_parquet(path)
    return paths


def folder(rows: list[dict[str, Any]]) -> str:
    Path("out", "deeper").mkdir(parents=True)
    for number, path in enumerate(parts(rows)):
        path.rename(Path("out", *(["deeper"] if number else []), path.name))
    for name in ("_SUCCESS", ".part-0.parquet.crc", "notes.txt", "_old.jsonl"):
        Path("out", name).write_text("not an article")
    return "out"


SOURCES: list[Callable[[list[dict[str, Any]]], Any]] = [
    list,
    tuple,
    iter,
    lambda rows: map(Article.from_mapping, rows),
    lambda rows: [Row(**row) for row in rows],
    lambda rows: [Record(**row) for row in rows],
    lambda rows: [LikeAMapping(row) for row in rows],
    models,
    pl.DataFrame,
    pl.LazyFrame,
    pd.DataFrame,
    lambda rows: pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow"),
    lambda rows: pd.DataFrame(rows).convert_dtypes(dtype_backend="numpy_nullable"),
    pa.Table.from_pylist,
    pa.RecordBatch.from_pylist,
    lambda rows: pa.Table.from_pylist(rows).to_reader(),
    lambda rows: pa.Table.from_pylist(rows).to_batches(max_chunksize=1),
    lambda rows: iter([pl.DataFrame(rows[:1]), pl.DataFrame(rows[1:])]),
    lambda rows: Stream(),
    relation,
    lambda rows: pl.Series(rows),
    json_file,
    lambda rows: str(json_file(rows)),
    lambda rows: [json_file(rows)],
    parts,
    lambda rows: [str(path) for path in parts(rows)],
    folder,
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("make", SOURCES)
def test_every_source_gives_the_same_articles(
    make: Callable[[list[dict[str, Any]]], Any],
) -> None:
    assert list(iter_articles(make(ROWS))) == EXPECTED


def test_rows_of_sqlite() -> None:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    query = "select 1 as id, 'Rain in Kidal.' as text, '2025-03-04T06:12Z' as published"
    (article,) = iter_articles(connection.execute(query))
    assert (article.id, article.published) == ("1", MOMENT)
    with pytest.raises(ArticleError, match="row 1: column named twice: 'text'"):
        list(iter_articles(connection.execute(f"{query}, 'again' as text")))
    connection.close()


def by_cluster(source: Any, **options: Any) -> list[str]:
    return [str(row["id"]) for row in sahel_dedup.cluster(source, **options).rows()]


def by_fingerprints(source: Any, **options: Any) -> list[str]:
    return [name for name, _ in sahel_dedup.fingerprints(source, **options)]


def by_add_many(source: Any, **options: Any) -> list[str]:
    with StoryIndex() as index:
        return [found.id for found in index.add_many(source, **options)]


def by_follow(source: Any, **options: Any) -> list[str]:
    with StoryIndex() as index:
        return [found.id for found in index.follow(source, **options)]


def by_estimator(source: Any, **options: Any) -> list[str]:
    estimator = sahel_dedup.StoryClusterer(**options).fit(source)
    return [article.id for article in estimator.articles_]


DOORS = [by_cluster, by_fingerprints, by_add_many, by_follow, by_estimator]
doors = pytest.mark.parametrize("door", DOORS)


@doors
@pytest.mark.parametrize("make", [pl.LazyFrame, pa.Table.from_pylist, pd.DataFrame, parts])
def test_every_door_takes_every_source(door: Callable[..., list[str]], make: Any) -> None:
    assert door(make(ROWS)) == ["1", "2"]


@doors
def test_every_door_takes_columns_under_other_names(door: Callable[..., list[str]]) -> None:
    rows = [{"guid": f"g{row['id']}", "body": row["text"], "title": "Rain", "source": "A",
             "published": MOMENT} for row in ROWS]  # fmt: skip
    assert door(rows, columns={"id": "guid", "text": "body"}) == ["g1", "g2"]


@doors
def test_every_door_may_leave_faulty_rows_out(door: Callable[..., list[str]]) -> None:
    rows = [*ROWS, {"id": 3}, {"id": 4, "text": 4}]
    with pytest.raises(ArticleError, match="row 3, field 'text': missing"):
        door(rows)
    # A feed has its own account of them.
    warns = door not in (by_add_many, by_follow)
    warning = r"^rows left out: 1 x text: missing, 1 x text: not a string; for example row 3"
    with pytest.warns(SahelWarning, match=warning) if warns else nullcontext():
        assert door(rows, on_error="skip") == ["1", "2"]
    left_out: list[tuple[int | None, object]] = []
    found = door(rows, on_error=lambda error, row: left_out.append((error.line, row)))
    assert (found, left_out) == (["1", "2"], [(3, rows[2]), (4, rows[3])])


@doors
def test_every_door_drops_bad_dates_and_says_so(door: Callable[..., list[str]]) -> None:
    rows = [ROWS[0], {"id": 2, "text": "Rain in Gao.", "published": "03/04/2025"}]
    warning = r"^dates that .* dropped: 1 x ambiguous date; for example row 2, field 'published'"
    with pytest.warns(SahelWarning, match=warning):
        assert door(rows) == ["1", "2"]
    with pytest.raises(ArticleError, match="row 2, field 'published': ambiguous date"):
        door(rows, on_bad_date="raise")


@doors
def test_every_door_reports_languages_that_it_does_not_know(
    door: Callable[..., list[str]],
) -> None:
    rows = [{**ROWS[0], "lang": "Klingonish"}, {**ROWS[1], "lang": "xx"}, Article("3", "Rain.")]
    warning = (
        r"^languages that are not recognised, so they are detected: 2, for example "
        r"'Klingonish'; write a tag such as 'pt-BR' or an English name$"
    )
    with pytest.warns(SahelWarning, match=warning):
        assert door(rows) == ["1", "2", "3"]
    known = [{**ROWS[0], "lang": "english"}, {**ROWS[1], "lang": "en_US"}]
    assert door([*known, Article("3", "Rain.", lang="eng")]) == ["1", "2", "3"]


SLIPS: list[tuple[Any, str]] = [
    (None, "no articles: None; give a list of mappings, a frame or a path"),
    (5, "no articles: int; give a list of mappings, a frame or a path"),
    ("Rain in Kidal.", r"no file matches 'Rain in Kidal\.'"),
    ("", "no file matches ''"),
    ("x" * 5000, "no file matches 'xxx"),
    ("a\0b", r"no file matches 'a\\x00b'"),
    (["missing.jsonl"], r"no file matches 'missing\.jsonl'"),
    (b"rows.jsonl", "bytes; give a path as str"),
    (ROWS[0], "one mapping; give a list of mappings"),
    ({"id": [1, 2], "text": ["a", "b"]}, r"a mapping of columns; wrap it in polars\.DataFrame"),
    (EXPECTED[0], "one article; give a list of articles"),
    ([None], "row 1: neither a mapping nor an article: NoneType; write {'id': "),
    ([5], "row 1: neither a mapping nor an article: int; write {'id': "),
    ([Article], "row 1: neither a mapping nor an article: type; write {'id': "),
    ([[1, "Rain"]], "row 1: neither a mapping nor an article: list; write {'id': "),
    ([ROWS[0], Path("a.jsonl")], r"row 2: a path among articles: .*; give only paths"),
    (pl.DataFrame({"text": ["a"]}), "row 1, field 'id': missing: the row has text"),
    (
        pd.DataFrame({"text": ["a"]}),
        r"no column 'id'; the columns are text; columns={'id': 'index'} ",
    ),
    (
        pd.DataFrame({"url": ["a"], "text": ["a"]}),
        r"no column 'id'; .*columns={'id': 'url'} .* reads it",
    ),
    (pa.table({"id": [1]}).schema, "row 1: neither a mapping nor an article: Field"),
    (pa.table({"id": [1]}).column(0), "row 1: neither a mapping nor an article: Int64Scalar"),
]


@pytest.mark.parametrize(("source", "message"), SLIPS, ids=lambda value: repr(value)[:20])
def test_every_slip_is_answered_with_the_remedy(source: Any, message: str) -> None:
    with pytest.raises(SahelError, match=f"^{message}"):
        sahel_dedup.cluster(source)
    with pytest.raises(SahelError, match=f"^{message}"), StoryIndex() as index:
        index.add_many(source)


@pytest.mark.parametrize(
    "texts", [["Rain in Kidal."], pd.Series(["Rain in Kidal."]), pl.Series(["Rain in Kidal."]),
              np.array(["Rain in Kidal."])], ids=lambda texts: type(texts).__name__,
)  # fmt: skip
def test_texts_need_ids_but_for_the_estimator(texts: Any) -> None:
    with pytest.raises(ArticleError, match=r"row 1: a text without an id: .*StoryClusterer"):
        sahel_dedup.cluster(texts)
    assert sahel_dedup.StoryClusterer().fit_predict(texts).tolist() == [0]


def test_asynchronous_sources_are_refused() -> None:
    async def stream() -> Any:
        yield ROWS[0]

    with pytest.raises(ArticleError, match="an asynchronous iterable: async_generator; await"):
        sahel_dedup.cluster(stream())


@pytest.mark.parametrize("item", [None, "a text", 5, [1], Path("a.jsonl")])
def test_one_article_is_checked_as_many_are(item: Any) -> None:
    with StoryIndex() as index:
        for method in (index.add, index.query, index.update):
            with pytest.raises(ArticleError, match=r"; (write|give) "):
                method(item)


def test_one_article_may_be_any_record() -> None:
    with StoryIndex() as index:
        assert index.add(Row(**ROWS[0])).id == "1"
        assert index.query({"id": 7, "body": "Rain."}, columns={"text": "body"}).id == "7"
        with pytest.warns(SahelWarning, match="columns={'published': 'date'}"):
            index.add({"id": 8, "text": "Rain.", "date": "2025-03-04"})
        with pytest.warns(
            SahelWarning,
            match="^dates that cannot be read and are dropped: 1 x not a date; for example",
        ):
            index.add({"id": 9, "text": "Rain.", "published": "soon"})
        for call in (index.add, index.update, index.query):
            for lang in ("klingonish", "xx"):
                with pytest.warns(SahelWarning, match=f"recognised.*: 1, for example '{lang}';"):
                    call(Article("10", "Rain.", lang=lang))
                with pytest.warns(SahelWarning, match=f"recognised.*: 1, for example '{lang}';"):
                    call({"id": 10, "text": "Rain.", "lang": lang})
            call(Article("10", "Rain.", lang="English"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["body"], r"\['body'\] is not a mapping; write {'text': 'body'}"),
        (
            {"body": "text"},
            "'body' is not one of id, .*; columns={'text': 'body'} .--column text=body. reads it",
        ),
        ({"headline": "titre"}, "'headline' is not one of id, text, title, .*lang$"),
        ({"text": 5}, "5 is not the name of a column"),
    ],
)
def test_columns_are_checked(columns: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=f"^columns: {message}"):
        sahel_dedup.cluster(ROWS, columns=columns)


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, pa.Table.from_pylist])
def test_a_column_that_is_not_there_is_refused_before_anything_is_read(make: Any) -> None:
    with pytest.raises(
        SettingsError, match="no column 'titel' for 'title'; the columns are id, text"
    ):
        ArticleReader({"title": "titel"}).articles(make(ROWS))


def test_a_column_that_no_row_has_is_refused() -> None:
    with pytest.raises(SettingsError, match="no row has a column 'titel'; the columns are id, "):
        sahel_dedup.cluster(ROWS, columns={"title": "titel"})
    with pytest.raises(ArticleError, match="row 1, field 'text': no column 'body': the row has id"):
        sahel_dedup.cluster(ROWS, columns={"text": "body"})
    # One that some rows have is fine, and of no rows nothing can be said.
    rows = [*ROWS, {"id": 3, "text": "Rain.", "headline": "Rain"}]
    assert [a.title for a in iter_articles(rows, {"title": "headline"})] == [None, None, "Rain"]
    assert list(iter_articles([], {"title": "headline"})) == []


def test_columns_may_change_places() -> None:
    (article,) = iter_articles(
        [{"id": 1, "text": "short", "title": "long", "x": 1}], {"text": "title", "title": "text"}
    )
    assert (article.text, article.title, article.extra) == ("long", "short", {"x": 1})


def test_the_index_of_a_frame_on_request() -> None:
    frame = pd.DataFrame(ROWS)
    named = frame.set_index("id")
    for given, column in ((frame.drop(columns="id"), "index"), (named, "index"), (named, "id")):
        read = list(iter_articles(given, {"id": column}))
        assert [article.text for article in read] == ["Rain in Kidal.", "Rain in Gao."]
        assert "index" not in read[0].extra
    assert [a.id for a in iter_articles(named, {"id": "id"})] == ["1", "2"]
    # A column of that name is meant first.
    other = frame.rename(columns={"id": "index"}).set_index("text", drop=False)
    assert [a.id for a in iter_articles(other, {"id": "index"})] == ["1", "2"]


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("published", "date"),
        ("published", "pubDate"),
        ("published", "Published_At"),
        ("source", "outlet"),
        ("source", "publisher"),
        ("title", "headline"),
        ("title", "Headline"),
    ],
)
def test_a_likely_column_is_offered_and_never_taken(field: str, column: str) -> None:
    rows = [{"id": n, "text": "Rain.", column: "2025-03-04"} for n in range(3)]
    with pytest.warns(SahelWarning, match=rf"columns={{'{field}': '{column}'}}") as warned:
        stories = sahel_dedup.cluster(rows)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert getattr(stories.to_frame(), "columns")[-1] == column  # noqa: B009
    assert stories.to_frame()[field].null_count() == 3
    # Where the field is there, if only once, that column would hide it.
    rows[0][field] = "2025-03-04"
    told = rf"^2 of 3 articles: no value in the field '{field}', but one in the column '{column}'"
    with pytest.warns(SahelWarning, match=told) as warned:
        stories = sahel_dedup.cluster(rows)
    assert len(warned) == 1
    assert "columns=" not in str(warned[0].message)
    assert stories.read_summary.elsewhere == {f"{field}={column}": 2}


def test_a_field_under_another_name_in_some_rows_is_counted_wherever_it_is_read(
    tmp_path: Path,
) -> None:
    """As archives of several sources are, and frames that pd.concat made of them."""
    ours = [
        {"id": f"a{n}", "text": f"Rain in Kidal {n}.", "source": "BBC", "published": "2025-03-04",
         "title": "Rain", "lang": "en"} for n in range(3)
    ]  # fmt: skip
    theirs = [
        {"id": f"b{n}", "text": f"Snow in Kidal {n}.", "outlet": "BBC", "date": "2025-03-04",
         "created_at": "2025-03-05", "headline": "Snow", "language": "en"} for n in range(2)
    ]  # fmt: skip
    wanted = {"source=outlet": 2, "published=date": 2, "title=headline": 2, "lang=language": 2}
    rows = [*ours, *theirs]
    archive = tmp_path / "rows.jsonl"
    archive.write_text("".join(json.dumps(row) + "\n" for row in rows))
    joined = pd.concat([pd.DataFrame(ours), pd.DataFrame(theirs)])
    for given in (rows, joined, archive, pl.from_pandas(joined)):
        with pytest.warns(SahelWarning, match="field 'source', but one in the column 'outlet'"):
            stories = sahel_dedup.cluster(given)
        assert stories.read_summary.elsewhere == wanted
    stories.save(tmp_path / "saved.npz")
    assert Stories.load(tmp_path / "saved.npz").read_summary.elsewhere == wanted
    with (
        StoryIndex() as index,
        pytest.warns(SahelWarning, match=r"2 of 5 articles: .* 'published', .* 'date'"),
    ):
        list(index.follow(rows))
    # Twice with a checkpoint: when it reads, and from what it keeps.
    kept = ["--checkpoint", str(tmp_path / "kept")]
    for options in ([], kept, kept):
        command = ["cluster", str(archive), "-o", str(tmp_path / "out.jsonl"), *options]
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        for field, column in (pair.split("=") for pair in wanted):
            told = f"no value in the field {field!r}, but one in the column {column!r}"
            assert f"2 of 5 articles: {told}" in result.stderr


def test_a_column_that_hides_a_field_of_some_rows_is_counted() -> None:
    rows = [
        {"id": 1, "text": "Rain.", "outlet": "BBC"},
        {"id": 2, "text": "Hail.", "source": "BBC"},
    ]
    with pytest.warns(SahelWarning, match="1 of 2 articles: .* 'source', .* the column 'source'"):
        sahel_dedup.cluster(rows, columns={"source": "outlet"})


@pytest.mark.parametrize("nothing", [None, "", "nan", float("nan")])
def test_a_column_without_values_is_not_reported(nothing: object) -> None:
    rows = [
        {"id": 1, "text": "Rain.", "source": "BBC", "outlet": nothing},
        {"id": 2, "text": "Hail.", "outlet": nothing},
    ]
    assert not sahel_dedup.cluster(rows).read_summary.elsewhere


def test_required_fields_are_offered_in_the_error() -> None:
    with pytest.raises(ArticleError, match=r"the row has id, body; columns={'text': 'body'} \("):
        sahel_dedup.cluster([{"id": 1, "body": "Rain."}])


def test_the_summary_of_a_reading(caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"id": 1, "text": "Rain in Kidal.", "title": "Rain", "published": "2025-03-04",
         "lang": "en"},
        {"id": 2, "text": "Rain in Gao.", "published": "soon"},
        {"id": 3, "text": "Rain in Gao.", "published": "2999-01-01"},
        {"id": 3, "text": "Rain."},
    ]  # fmt: skip
    with pytest.warns(
        SahelWarning, match=r"read .* 1 x not a date; 1 impossible date .*; rows left out: 1 x id"
    ):
        found = sahel_dedup.cluster(rows, on_error="skip").read_summary
    assert (found.read, found.titled, found.dated, found.sourced, found.tagged) == (3, 1, 1, 0, 1)
    assert found.dates_unusable == 2
    assert found.skipped == {"id: duplicate id": 1}
    assert found.bad_dates == {"not a date": 1}
    assert "no article has a source" in caplog.text
    assert "dropped: 1 x not a date; for example row 2" in caplog.text
    assert "no article has a title" not in caplog.text


def test_missing_values_stay_missing_in_every_column() -> None:
    frame = pd.DataFrame({
        "id": [1, 2, 3],
        "text": ["a", "b", "c"],
        "title": pd.array(["x", pd.NA, None], dtype="string"),
        "source": ["AFP", np.nan, None],
        "lang": pd.array(["en", pd.NA, pd.NA], dtype="string[pyarrow]"),
        "split": ["train", np.nan, None],
        "score": [1.5, np.nan, None],
        "mixed": ["x", float("nan"), None],
        "seen": [pd.Timestamp("2025-03-04"), pd.NaT, pd.NaT],
        "count": pd.array([1, None, None], dtype="Int64"),
    })  # fmt: skip
    for source in (frame, frame.to_dict("records")):
        result = sahel_dedup.cluster(source).to_frame()
        carried = result.select(
            "title", "source", "lang", "split", "score", "mixed", "seen", "count"
        )
        assert carried.null_count().row(0) == (2,) * 8
        assert result["split"].to_list() == ["train", None, None]


def test_columns_named_twice_are_refused() -> None:
    frame = pd.concat([pd.DataFrame(ROWS), pd.DataFrame({"text": ["x", "y"]})], axis=1)
    with pytest.raises(ArticleError, match="column named twice: 'text'; rename one of them"):
        sahel_dedup.cluster(frame)
    with pytest.raises(ArticleError, match="column named twice: '1'"):
        sahel_dedup.cluster(pd.DataFrame([[1, "a", 2]], columns=["id", 1, "1"]))
    table = pa.Table.from_arrays([pa.array([1]), pa.array(["a"]), pa.array(["b"])],
                                 names=["id", "text", "text"])  # fmt: skip
    with pytest.raises(ArticleError, match=r"table that cannot be read: .*text"):
        sahel_dedup.cluster(table)


ZONES = ["+05:30", "-03:30", "+05:45", "Mars/Phobos", "Asia/Kathmandu", "UTC"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("where", ["table", "file"])
def test_any_time_zone_is_read(zone: str, where: str) -> None:
    moments = pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("us", tz=zone))
    table = pa.table({"id": [1], "text": ["Rain."], "published": moments, "seen": moments,
                      "all": pa.array([[MOMENT]], pa.list_(moments.type))})  # fmt: skip
    source: Any = table
    if where == "file":
        import pyarrow.parquet as pq

        pq.write_table(table, "a.parquet")
        source = "a.parquet"
    (article,) = iter_articles(source)
    assert article.published == article.extra["seen"] == MOMENT
    assert article.extra["all"] == [MOMENT]


@pytest.mark.parametrize("where", ["table", "file"])
def test_dates_beyond_the_calendar_are_text(where: str) -> None:
    table = pa.table({
        "id": [1, 2, 3],
        "text": ["a", "b", "c"],
        "published": pa.array([2**62, 0, None], pa.timestamp("us")),
        "day": pa.array([2**30, -(2**30), 20151], pa.date32()),
    })  # fmt: skip
    source: Any = table
    if where == "file":
        import pyarrow.parquet as pq

        pq.write_table(table, "a.parquet")
        source = "a.parquet"
    reader = ArticleReader()
    articles = list(reader.articles(source))
    assert [a.published for a in articles] == [None, datetime(1970, 1, 1, tzinfo=UTC), None]
    assert reader.summary.dates_unusable == 1
    assert [a.extra["day"] for a in articles] == [
        "1073741824 days from 1970",
        "-1073741824 days from 1970",
        date(2025, 3, 4),
    ]


def test_a_row_that_python_cannot_hold_is_a_fault_of_that_row() -> None:
    table = pa.table({
        "id": [1, 2],
        "text": ["a", "b"],
        "all": pa.array([[2**62], [0]], pa.list_(pa.timestamp("us"))),
    })  # fmt: skip
    with pytest.raises(ArticleError, match="row 1: value that Python cannot represent"):
        list(iter_articles(table))
    assert [a.id for a in iter_articles(table, on_error="skip")] == ["2"]


@pytest.mark.parametrize(("name", "value"), [("on_error", "ignore"), ("on_bad_date", None)])
def test_what_to_do_with_faults_is_one_of_two(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(SettingsError, match=f"^{name}: {value!r} is neither "):
        sahel_dedup.cluster(ROWS, **options)


def test_arguments_are_checked_by_the_call() -> None:
    with pytest.raises(SettingsError, match="progress: True is not a function"):
        sahel_dedup.cluster(ROWS, progress=True)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="settings: 7 is not Settings"):
        sahel_dedup.cluster(ROWS, 7)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"workers: 1\.5 is not a whole number"):
        sahel_dedup.fingerprints(ROWS, workers=1.5)  # type: ignore[arg-type]
    with pytest.raises(
        SettingsError, match=r"list is not a result of cluster; write audit\(cluster\(articles"
    ):
        sahel_dedup.audit(ROWS)  # type: ignore[arg-type]
    with StoryIndex() as index:
        for size in (0, -1):
            with pytest.raises(SettingsError, match=f"batch_size: {size} is less than 1"):
                index.follow(ROWS, batch_size=size)


def test_a_stream_without_end_is_warned_of_in_time() -> None:
    def endless() -> Iterator[dict[str, Any]]:
        number = 0
        while True:
            number += 1
            yield {"id": number, "text": "", "date": "2025-03-04"}

    with StoryIndex() as index:
        found = index.follow(endless(), batch_size=500)
        assert len(list(itertools.islice(found, 1000))) == 1000
        with pytest.warns(SahelWarning, match="'published': 'date'"):
            next(found)
