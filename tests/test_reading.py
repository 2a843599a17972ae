"""Reading files: every format, every fault, and where it was."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, SahelError
from sahel_dedup.reading import iter_articles, read_articles, read_records
from sahel_dedup.rows import SkipReport, count_rows, expand_paths, read_rows, spool_stdin

GOOD = b'{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that file names in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(*paths: str, skipped: SkipReport | None = None) -> list[str]:
    return [article.id for article in read_articles(paths, skipped=skipped)]


def faults(path: str) -> tuple[list[str], list[str]]:
    """Read past all faults; return the ids of what was read, and the faults."""
    report = SkipReport()
    read = ids(path, skipped=report)
    assert report.total == len(report.examples)
    return read, report.examples


def pretend_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonl.gz", "a.JSONL", "a.ndjson.gz"])
@pytest.mark.parametrize("compressed", [False, True])
def test_json_lines(name: str, compressed: bool) -> None:
    Path(name).write_bytes(gzip.compress(GOOD) if compressed else GOOD)
    assert list(read_articles(name)) == [Article("a", "one"), Article("b", "two")]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv(name: str) -> None:
    table = b'id,text,published,tag\r\n1,"two\r\nlines, ""quoted""",2025-07-01,\r\n2,,,x\r\n'
    Path(name).write_bytes(gzip.compress(table) if name.endswith("gz") else table)
    assert list(read_articles(name)) == [
        Article(
            "1",
            'two\r\nlines, "quoted"',
            published=datetime(2025, 7, 1, tzinfo=UTC),
            extra={"tag": ""},
        ),
        Article("2", "", extra={"tag": "x"}),
    ]


def test_parquet_in_batches() -> None:
    count = 4001
    frame = pl.DataFrame(
        {
            "id": range(count),
            "text": ["t"] * count,
            "published": [datetime(2025, 7, 1)] * count,
            "tags": [["x", "y"]] * count,
        }
    )
    frame.write_parquet("a.parquet")
    articles = list(read_articles("a.parquet"))
    assert [article.id for article in articles] == [str(number) for number in range(count)]
    assert articles[-1].published == datetime(2025, 7, 1, tzinfo=UTC)
    assert articles[-1].extra == {"tags": ["x", "y"]}


def test_line_feeds_alone_end_lines() -> None:
    texts = ["a\u2028b", "a\x85b", "a\rb", "a\x0bb", "a\nb"]
    lines = [json.dumps({"id": n, "text": t}, ensure_ascii=False) for n, t in enumerate(texts)]
    # A carriage return is blank space to JSON when it stands between the values.
    lines.append('{"id": 5,\r "text": "five"}\r')
    Path("a.jsonl").write_text("\n".join([*lines, "[]"]), encoding="utf-8", newline="")
    report = SkipReport()
    assert [article.text for article in read_articles("a.jsonl", skipped=report)] == [
        *texts,
        "five",
    ]
    assert report.examples == ["a.jsonl, line 7: not a JSON object: list"]


def test_byte_order_marks_and_blank_lines_are_passed_over() -> None:
    Path("a.jsonl").write_bytes(b"\xef\xbb\xbf\n\n" + GOOD + b"  \n\r\n")
    Path("b.csv").write_bytes(b"\xef\xbb\xbfid,text\n\n1,x\n\n")
    assert ids("a.jsonl", "b.csv") == ["a", "b", "1"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz"])
def test_an_empty_file_has_no_articles(name: str) -> None:
    Path(name).write_bytes(b"")
    assert ids(name) == []


def test_a_large_article() -> None:
    text = "word " * 1_000_000
    Path("a.jsonl").write_text(json.dumps({"id": 1, "text": text}))
    Path("b.csv").write_text(f"id,text\n2,{text}\n")
    assert [len(article.text) for article in read_articles(["a.jsonl", "b.csv"])] == [5_000_000] * 2


JSON_FAULTS = {
    b'{"id": "x", "text"': "broken JSON: Expecting ':' delimiter at character 19",
    b"[" * 100_000: "broken JSON: ",
    b"7": "not a JSON object: int",
    b'{"id": "x", "text": "\xff"}': "not UTF-8: invalid start byte",
    b'{"id": "x"}': "field 'text': missing: the row has id",
    b'{"id": "x", "text": null}': "field 'text': missing",
    b'{"text": "t"}': "field 'id': missing: the row has text",
    b'{"id": "x", "text": "t", "published": "soon"}': "field 'published': not an ISO 8601 date",
    b'{"id": "a", "text": "t"}': "field 'id': duplicate id: 'a', first seen at a.jsonl, line 1",
}


@pytest.mark.parametrize(("line", "reason"), JSON_FAULTS.items())
def test_faults_in_json_lines(line: bytes, reason: str) -> None:
    Path("a.jsonl").write_bytes(GOOD + line + b'\n{"id": "c", "text": "three"}\n')
    with pytest.raises(ArticleError) as caught:
        ids("a.jsonl")
    assert (caught.value.file, caught.value.line) == ("a.jsonl", 3)
    assert reason in str(caught.value)
    assert faults("a.jsonl") == (["a", "b", "c"], [str(caught.value)])


CSV_FAULTS = {
    b'x,"t"t': "broken CSV: ',' expected after '\"'",
    b"x": "wrong number of cells: 1 in a table of 2 columns",
    b"x,t,u": "wrong number of cells: 3 in a table of 2 columns",
    b"x,\xff": "not UTF-8",
    b",t": "field 'id': empty",
}


@pytest.mark.parametrize(("line", "reason"), CSV_FAULTS.items())
def test_faults_in_csv(line: bytes, reason: str) -> None:
    Path("a.csv").write_bytes(b'id,text\na,"one\nor two"\n' + line + b"\nb,t\n")
    with pytest.raises(ArticleError) as caught:
        ids("a.csv")
    assert (caught.value.file, caught.value.line) == ("a.csv", 4)
    assert reason in str(caught.value)
    assert faults("a.csv") == (["a", "b"], [str(caught.value)])


def test_a_quote_that_never_closes_says_what_it_swallowed() -> None:
    Path("a.csv").write_bytes(b'id,text\na,t\nb,"t\nc,t\nd,t\n')
    assert faults("a.csv") == (
        ["a"],
        ["a.csv, line 3: broken CSV: unexpected end of data, lines 3 to 5"],
    )


@pytest.mark.parametrize(
    ("header", "reason"),
    [(b"id,text,id", "column named twice: 'id'"), (b"id,\xff", "not UTF-8"), (b'"a"b', "broken")],
)
def test_a_table_without_a_header_is_refused_even_when_skipping(header: bytes, reason: str) -> None:
    Path("a.csv").write_bytes(header + b"\na,t,b\n")
    with pytest.raises(ArticleError, match=f"a.csv, line 1: {reason}"):
        ids("a.csv", skipped=SkipReport())


@pytest.mark.parametrize("column", ["id", "text"])
def test_a_missing_column_is_named_in_every_format(column: str) -> None:
    row = {"id": "a", "text": "t", "tag": "x"}
    del row[column]
    Path("a.jsonl").write_text(json.dumps(row))
    Path("a.csv").write_text("\n".join(",".join(cells) for cells in (row.keys(), row.values())))
    pl.DataFrame([row]).write_parquet("a.parquet")
    for name in ("a.jsonl, line 1", "a.csv, line 2", "a.parquet, row 1"):
        with pytest.raises(ArticleError) as caught:
            ids(name.partition(",")[0])
        assert str(caught.value) == f"{name}, field {column!r}: missing: the row has " + ", ".join(
            row
        )


def long_table() -> bytes:
    return b"".join(b'{"id": "%d", "text": "%x"}\n' % (n, n**9) for n in range(3000))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_gzip_file_keeps_its_whole_lines(share: float) -> None:
    whole = gzip.compress(long_table())
    Path("a.jsonl.gz").write_bytes(whole[: int(len(whole) * share)])
    read, (fault,) = faults("a.jsonl.gz")
    assert read == [str(n) for n in range(len(read))]
    assert abs(len(read) - 3000 * share) < 300
    assert fault == (
        f"a.jsonl.gz, line {len(read) + 1}: broken gzip: "
        "Compressed file ended before the end-of-stream marker was reached"
    )
    with pytest.raises(ArticleError, match="broken gzip"):
        ids("a.jsonl.gz")


def test_damaged_gzip_files() -> None:
    whole = bytearray(gzip.compress(long_table()))
    whole[-6] ^= 1
    Path("checksum.jsonl.gz").write_bytes(whole)
    whole[len(whole) // 2 :] = b"\xff" * (len(whole) // 2)
    Path("middle.csv.gz").write_bytes(whole)
    for name in ("checksum.jsonl.gz", "middle.csv.gz"):
        with pytest.raises(ArticleError, match=rf"^{name}, line \d+: broken gzip"):
            list(read_rows(name))


def test_a_broken_parquet_file() -> None:
    Path("a.parquet").write_bytes(b"PAR1 not really")
    read, (fault,) = faults("a.parquet")
    assert read == []
    assert fault.startswith("a.parquet, row 1: broken Parquet: ")


def test_duplicates_across_files_name_both_places() -> None:
    Path("a.jsonl").write_bytes(GOOD)
    Path("b.csv").write_bytes(b"id,text\nc,t\nb,t\n")
    Path("c.jsonl").write_bytes(b'\n{"id": "c", "text": "t"}')
    report = SkipReport()
    assert ids("a.jsonl", "b.csv", "c.jsonl", skipped=report) == ["a", "b", "c"]
    assert report.examples == [
        "b.csv, line 3, field 'id': duplicate id: 'b', first seen at a.jsonl, line 2",
        "c.jsonl, line 2, field 'id': duplicate id: 'c', first seen at b.csv, line 2",
    ]


def test_the_report_counts_kinds_and_keeps_few_examples() -> None:
    lines = [*(f'{{"id": {n}, "text": "t", "published": "day {n}"}}' for n in range(20)), "{", "7"]
    Path("a.jsonl").write_text("\n".join(lines))
    report = SkipReport()
    assert ids("a.jsonl", skipped=report) == []
    assert report.counts == {
        "published: not an ISO 8601 date": 20,
        "broken JSON": 1,
        "not a JSON object": 1,
    }
    assert report.total == 22
    assert len(report.examples) == 5
    summary = report.summary().splitlines()
    assert summary[:2] == ["22 rows skipped", "  20 x published: not an ISO 8601 date"]
    assert summary[-5:] == [f"  {example}" for example in report.examples]
    assert SkipReport().summary() == "0 rows skipped"


def test_records_pair_articles_with_their_rows() -> None:
    Path("a.jsonl").write_bytes(b'{"id": 7, "text": "t", "lang": "EN", "tags": []}\n7\n')
    records = list(read_records("a.jsonl", skipped=SkipReport()))
    assert records == [
        (
            {"id": 7, "text": "t", "lang": "EN", "tags": []},
            Article("7", "t", lang="en", extra={"tags": []}),
        ),
    ]
    assert isinstance(records[0][0]["id"], int)


def test_globs_are_sorted_and_names_come_before_patterns(folder: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c[1].jsonl", "sub/d.jsonl"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"")
    assert expand_paths(["*.jsonl"]) == ["a.jsonl", "b.jsonl", "c[1].jsonl"]
    assert expand_paths(["c[1].jsonl", "**/*.jsonl"])[0] == "c[1].jsonl"
    assert expand_paths("**/d.*") == ["sub/d.jsonl"]
    assert expand_paths(["b.jsonl", "*.jsonl"]) == ["b.jsonl", "a.jsonl", "c[1].jsonl"]
    assert expand_paths(folder / "a.jsonl") == [folder / "a.jsonl"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none*.jsonl", r"no file matches 'none\*\.jsonl'"),
        ("none.jsonl", r"no file matches 'none\.jsonl'"),
        ("a.xlsx", r"unknown ending: 'a\.xlsx'; known are \.jsonl, .*\.csv, .*\.parquet"),
    ],
)
def test_names_are_checked_before_anything_is_read(path: str, message: str) -> None:
    Path("a.xlsx").write_bytes(b"")
    with pytest.raises(SahelError, match=message):
        read_articles(path)
    with pytest.raises(SahelError, match=message):
        iter_articles(path)


def test_a_file_that_cannot_be_opened() -> None:
    Path("a.jsonl").mkdir()
    with pytest.raises(SahelError, match=r"cannot read a\.jsonl: Is a directory"):
        ids("a.jsonl", skipped=SkipReport())


@pytest.mark.parametrize("data", [GOOD, gzip.compress(GOOD)])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    pretend_stdin(monkeypatch, data)
    assert ids("-") == ["a", "b"]


def test_standard_input_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_stdin(monkeypatch, GOOD + b"7\n")
    with spool_stdin() as path:
        for _ in range(2):
            report = SkipReport()
            assert [a.id for a in read_articles([path], skipped=report)] == ["a", "b"]
            assert report.examples == ["standard input, line 3: not a JSON object: int"]
    with pytest.raises(SahelError, match="no file matches"):
        read_articles([path])


def shown(data: bytes) -> Iterator[tuple[int, int]]:
    """Read whatever bytes as JSON lines and as CSV; yield how many rows were read and not."""
    for name in ("fuzz.jsonl", "fuzz.csv"):
        Path(name).write_bytes(data)
        report = SkipReport()
        try:
            yield len(list(read_rows(name, skipped=report))), report.total
        except ArticleError:
            assert name == "fuzz.csv"
            yield 0, 1


PIECES = st.sampled_from([*b'{}[]":,\n\r\t \\a1', 0xFF, 0x00, 0xC3]).map(lambda n: bytes([n]))


@given(st.lists(PIECES, max_size=40).map(b"".join))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    (rows, skipped), _ = shown(data)
    lines = [line for line in data.split(b"\n") if line.strip()]
    assert rows + skipped == len(lines)


def test_rows_are_counted_without_reading_them(tmp_path: Path) -> None:
    plain, packed, table = (tmp_path / f"a.{kind}" for kind in ("jsonl", "jsonl.gz", "parquet"))
    plain.write_text('{"id": "a", "text": "Rain."}\n' * 7)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    pl.DataFrame({"id": ["a", "b"], "text": ["x", "y"]}).write_parquet(table)
    assert count_rows([plain, table]) == 9
    assert count_rows([plain, packed]) is None
    assert count_rows([plain, tmp_path / "missing.jsonl"]) is None
