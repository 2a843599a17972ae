"""Reading files: every format, every fault, and where it was."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, FileError, SahelError, SettingsError
from sahel_dedup.io.article_reader import iter_articles, read_articles, read_records
from sahel_dedup.io.lines import spool
from sahel_dedup.io.paths import expand_paths, open_repeatable
from sahel_dedup.io.readers import SkipReport, count_rows, read_rows
from sahel_dedup.io.summary import ReadSummary

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
    b'{"id": "x", "text": 5}': "field 'text': not a string: 5",
    b'{"id": "x", "text": "t", "text": "u"}': "field named twice: 'text'",
    b'{"id": "x", "text": "t", "tags": {"a": 1, "a": 2}}': "field named twice: 'a'",
    b'{"id": "a", "text": "t"}': "field 'id': duplicate id: 'a', first seen at a.jsonl, line 1",
}


@pytest.mark.parametrize(
    "content", [b'[{"id": 1, "text": "t"}]', b'[\n{"id": 1}\n]', b'{\n "id": 1,\n "text": "t"\n}']
)
def test_json_that_is_not_in_lines(content: bytes) -> None:
    for name in ("a.jsonl", "a.json"):
        Path(name).write_bytes(content)
        with pytest.raises(SahelError, match=r"write one (JSON )?object per line$"):
            list(iter_articles(name))


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
    # Cells without anything are a row all the same.
    b",": "field 'id': empty",
}


@pytest.mark.parametrize(("line", "reason"), CSV_FAULTS.items())
def test_faults_in_csv(line: bytes, reason: str) -> None:
    Path("a.csv").write_bytes(b'id,text\na,"one\nor two"\n' + line + b"\nb,t\n")
    with pytest.raises(ArticleError) as caught:
        ids("a.csv")
    assert (caught.value.file, caught.value.line) == ("a.csv", 4)
    assert reason in str(caught.value)
    assert "lines" not in str(caught.value)
    assert faults("a.csv") == (["a", "b"], [str(caught.value)])


def test_a_table_whose_lines_end_in_a_carriage_return() -> None:
    Path("a.csv").write_bytes(b"id,text\ra,one\r")
    with pytest.raises(ArticleError, match="line 1: broken CSV: a carriage return ends a line"):
        ids("a.csv")


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


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("skipped", [None, SkipReport()])
def test_a_table_with_other_separators_is_refused(mark: str, skipped: SkipReport | None) -> None:
    for cells in ("a,b", "a, b; c", '"a; b"'):
        Path("a.csv").write_text(f"\ufeffid{mark}text\n{cells}{mark}t\n", "utf-8")
        with pytest.raises(ArticleError) as caught:
            ids("a.csv", skipped=skipped)
        assert str(caught.value) == (
            f"a.csv, line 1: columns separated by {mark!r}: write the table with commas"
        )


def test_a_column_may_have_such_a_mark_in_its_name() -> None:
    Path("a.csv").write_text("tag|topic;x,id,text\n,a,t\n")
    assert ids("a.csv") == ["a"]


def test_what_is_not_utf8_is_named_by_its_first_line() -> None:
    Path("a.csv").write_bytes(b'id,text\na,"one\n\xff\n\xff"\nb,t\n')
    assert faults("a.csv") == (
        ["b"],
        ["a.csv, line 3: not UTF-8: write the table as UTF-8"],
    )


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_table_in_another_encoding_is_named_so(encoding: str) -> None:
    Path("a.csv").write_bytes('id,text\r\n1,"Fête à Gao"\r\n'.encode(encoding))
    with pytest.raises(ArticleError, match=r"a.csv, line \d: not UTF-8: write the table as UTF-8$"):
        ids("a.csv")


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
    lines = [*(f'{{"id": {n}, "text": {n}}}' for n in range(20)), "{", "7"]
    Path("a.jsonl").write_text("\n".join(lines))
    report = SkipReport()
    assert ids("a.jsonl", skipped=report) == []
    assert report.counts == {
        "text: not a string": 20,
        "broken JSON": 1,
        "not a JSON object": 1,
    }
    assert report.total == 22
    assert len(report.examples) == 5
    summary = report.summary().splitlines()
    assert summary[:2] == ["22 rows skipped", "  20 x text: not a string"]
    assert summary[-5:] == [f"  {example}" for example in report.examples]
    assert SkipReport().summary() == "0 rows skipped"
    other = SkipReport()
    other.add_all(report.counts, report.examples[:3])
    other.add_all(report.counts, report.examples)
    assert other.total == 44
    assert other.examples == [*report.examples[:3], *report.examples[:2]]


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
    "names",
    [
        ["sub/a.jsonl", "sub/a.jsonl"],
        ["sub/a.jsonl", "*b/a.jsonl"],
        ["sub/a.jsonl", "sub"],
        ["sub", Path("sub") / "a.jsonl"],
        ["sub/a.jsonl", "./sub/a.jsonl"],
        ["sub/a.jsonl", "sub/../sub/a.jsonl"],
        ["sub/a.jsonl", "link.jsonl"],
        ["link.jsonl", "sub"],
        ["sub/a.jsonl", "hard.jsonl"],
        ["folder", "sub"],
    ],
)
def test_a_file_named_twice_is_read_once_and_reported(
    names: list[str], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Path("sub").mkdir()
    Path("sub/a.jsonl").write_bytes(GOOD)
    Path("link.jsonl").symlink_to("sub/a.jsonl")
    Path("hard.jsonl").hardlink_to("sub/a.jsonl")
    Path("folder").symlink_to("sub")
    assert [article.id for article in read_articles(names)] == ["a", "b"]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("1 file given more than once, but read once: ")
    assert "a.jsonl" in told


def test_files_of_a_folder_that_are_not_read_are_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Path("sub/in").mkdir(parents=True)
    for name in ("a.jsonl", "b.jsonl.zst", "in/c.json", "_SUCCESS", ".d.crc"):
        Path("sub", name).write_bytes(b"")
    assert expand_paths("sub") == ["sub/a.jsonl"]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == "2 files with unknown extensions left out, for example sub/b.jsonl.zst"


def test_files_of_equal_content_are_two(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        Path(name).write_bytes(b"")
    assert expand_paths(["a.jsonl", "b.jsonl", "-"]) == ["a.jsonl", "b.jsonl", "-"]
    assert not caplog.records


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none*.jsonl", r"no file matches 'none\*\.jsonl'"),
        ("none.jsonl", r"no file matches 'none\.jsonl'"),
        ("a.xlsx", r"unknown file extension: 'a\.xlsx'; known .* \.jsonl, .*\.csv, .*\.parquet"),
    ],
)
def test_names_are_checked_before_anything_is_read(path: str, message: str) -> None:
    Path("a.xlsx").write_bytes(b"")
    with pytest.raises(SahelError, match=message):
        read_articles(path)
    with pytest.raises(SahelError, match=message):
        iter_articles(path)


def test_a_file_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.jsonl").write_bytes(GOOD)

    def refuse(path: object, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(FileError, match=r"^cannot read a\.jsonl: Permission denied$"):
        ids("a.jsonl", skipped=SkipReport())


@pytest.mark.parametrize("data", [GOOD, gzip.compress(GOOD)], ids=["plain", "gzip"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    pretend_stdin(monkeypatch, data)
    assert ids("-") == ["a", "b"]


def test_standard_input_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_stdin(monkeypatch, GOOD + b"7\n")
    with spool("-") as path:
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


@pytest.fixture
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound lines at a kilobyte, so that a test need not write 64 MB."""
    monkeypatch.setattr("sahel_dedup.io.lines.MAX_LINE", 1024)
    monkeypatch.setattr("sahel_dedup.io.readers.MAX_LINE", 1024)


def json_line(name: str, size: int) -> bytes:
    line = b'{"id": "%s", "text": ""}\n' % name.encode()
    return line.replace(b'""', b'"' + b"x" * (size - len(line)) + b'"')


@pytest.mark.usefixtures("short_lines")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_line_beyond_all_bounds_is_a_fault(pack: Callable[[bytes], bytes]) -> None:
    lines = [json_line("a", 1024), json_line("b", 1025), json_line("c", 9999), json_line("d", 100)]
    Path("a.jsonl").write_bytes(pack(b"".join(lines) + json_line("e", 5000).strip()))
    with pytest.raises(ArticleError, match=r"^a\.jsonl, line 2: line too long: more than 0 MB$"):
        ids("a.jsonl")
    read, found = faults("a.jsonl")
    assert read == ["a", "d"]
    assert [fault.partition(":")[0] for fault in found] == [
        f"a.jsonl, line {number}" for number in (2, 3, 5)
    ]


@pytest.mark.usefixtures("short_lines")
def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    read = gzip.GzipFile.readline

    def counted(file: gzip.GzipFile, size: int = -1) -> bytes:
        nonlocal taken
        line = read(file, size)
        taken += len(line)
        return line

    monkeypatch.setattr(gzip.GzipFile, "readline", counted)
    Path("a.jsonl.gz").write_bytes(gzip.compress(b"0" * 10_000_000))
    with pytest.raises(ArticleError, match="line 1: line too long"):
        ids("a.jsonl.gz")
    assert taken <= 1025


@pytest.mark.usefixtures("short_lines")
def test_a_record_of_csv_beyond_all_bounds_is_a_fault() -> None:
    short, long = b'%s,"one\ntwo"\n', b'%s,"' + b"x" * 600 + b"\n" + b"y" * 600 + b'"\n'
    records = [b"id,text\n", short % b"a", long % b"b", short % b"c", b"d," + b"x" * 2000 + b"\n"]
    Path("a.csv").write_bytes(b"".join([*records, short % b"e"]))
    read, found = faults("a.csv")
    assert (read[0], read[-1]) == ("a", "e")
    assert "b" not in read
    assert "d" not in read
    assert found[0] == "a.csv, line 4: record too long: more than 0 MB"
    assert "a.csv, line 8: record too long: more than 0 MB" in found


def test_a_quote_that_never_closes_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sahel_dedup.io.readers.MAX_LINE", 1024)
    Path("a.csv").write_bytes(b'id,text\na,"' + b"line\n" * 10_000)
    with pytest.raises(ArticleError, match="line 2: record too long"):
        ids("a.csv")


def test_a_folder_is_the_files_in_it() -> None:
    Path("in/b").mkdir(parents=True)
    for number, name in enumerate(["in/a.jsonl", "in/b/a.jsonl", "in/c.csv"]):
        path = Path(name)
        path.write_text(f"id,text\n{number},t\n" if path.suffix == ".csv"
                        else f'{{"id": {number}, "text": "t"}}\n')  # fmt: skip
    for name in ("in/_SUCCESS", "in/.a.jsonl", "in/readme.txt"):
        Path(name).write_text("{")
    assert ids("in") == ["0", "2", "1"]
    assert ids("in", "in/a.jsonl") == ["0", "2", "1"]
    assert ids("in/b*") == ["1"]
    Path("empty").mkdir()
    with pytest.raises(SahelError, match=r"^no file in folder 'empty' ends in \.jsonl, "):
        read_articles("empty")


@pytest.mark.parametrize("name", ["in", "in/a.jsonl", "in/*.jsonl"])
def test_what_may_not_be_looked_at_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()

    def refuse(path: Any = ".", *_: object, **__: object) -> Any:
        if str(path).startswith("in"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return []

    # Whoever runs the tests may be allowed everything.
    for function in ("listdir", "scandir"):
        monkeypatch.setattr(f"os.{function}", refuse)
    if name == "in/a.jsonl":
        monkeypatch.setattr("os.stat", refuse)
    with pytest.raises(SahelError, match=r"^cannot read in(/a\.jsonl)?: Permission denied$"):
        read_articles(name)


def feed(path: str, data: bytes) -> threading.Thread:
    """Write into a pipe while somebody reads it."""
    os.mkfifo(path)
    thread = threading.Thread(target=lambda: Path(path).write_bytes(data))
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.jsonl", GOOD), ("a.csv", b"id,text\na,one\nb,two\n"), ("63", GOOD),
     ("a.jsonl.gz", gzip.compress(GOOD))],
    ids=["lines", "table", "a descriptor", "gzip"],
)  # fmt: skip
def test_a_pipe_is_read_once_and_copied_where_it_is_needed_twice(name: str, data: bytes) -> None:
    thread = feed(name, data)
    assert ids(name) == ["a", "b"]
    thread.join()
    Path(name).unlink()
    thread = feed(name, data)
    (path,) = expand_paths(name)
    with open_repeatable(path) as copy:
        for _ in range(2):
            assert [article.id for article in read_articles(copy)] == ["a", "b"]
        assert str(copy) == name
    thread.join()


def test_a_file_is_not_copied() -> None:
    Path("a.jsonl").write_bytes(GOOD)
    with open_repeatable("a.jsonl") as path:
        assert path == "a.jsonl"


@pytest.mark.parametrize("closed", [None, io.TextIOWrapper(io.BytesIO())])
def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch, closed: Any) -> None:
    if closed is not None:
        closed.close()
    monkeypatch.setattr(sys, "stdin", closed)
    with pytest.raises(SahelError, match=r"^cannot read standard input: it is closed$"):
        ids("-")


def test_dates_that_cannot_be_read_are_dropped_and_counted() -> None:
    dates = ["2025-03-04", "03/04/2025", "soon", "", "Tue, 04 Mar 2025 06:12:00 BST"]
    rows = [{"id": n, "text": "t", "published": date} for n, date in enumerate(dates)]
    Path("a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    summary = ReadSummary()
    records = list(read_records("a.jsonl", summary=summary))
    assert [article.published is None for _, article in records] == [False, True, True, True, True]
    assert [row for row, _ in records] == rows
    assert (summary.read, summary.dated, summary.dates_unusable) == (5, 1, 3)
    assert summary.bad_dates == {"ambiguous date": 1, "not a date": 1, "unknown time zone": 1}
    assert summary.first_fault is not None
    assert summary.first_fault.startswith("a.jsonl, line 2, field 'published': ambiguous date")
    with pytest.raises(ArticleError, match=r"a\.jsonl, line 2, field 'published': ambiguous"):
        list(read_articles("a.jsonl", on_bad_date="raise"))
    report = SkipReport()
    read = list(read_articles("a.jsonl", skipped=report, on_bad_date="raise"))
    assert [article.id for article in read] == ["0", "3"]
    assert report.total == 3


def test_columns_of_files_under_other_names() -> None:
    Path("a.csv").write_text("guid,body,date,tag\n1,one,2025-03-04,x\n")
    Path("b.jsonl").write_text('{"guid": 2, "body": "two"}\n')
    columns = {"id": "guid", "text": "body", "published": "date"}
    records = list(read_records(["a.csv", "b.jsonl"], columns=columns))
    assert [row for row, _ in records] == [
        {"tag": "x", "id": "1", "text": "one", "published": "2025-03-04"},
        {"id": 2, "text": "two"},
    ]
    assert records[0][1] == Article(
        "1", "one", published=datetime(2025, 3, 4, tzinfo=UTC), extra={"tag": "x"}
    )
    with pytest.raises(
        SettingsError, match="no row has a column 'titel'; the columns are body, date, "
    ):
        list(read_articles(["a.csv", "b.jsonl"], columns=columns | {"title": "titel"}))
    with pytest.raises(ArticleError, match=r"a\.csv, line 2, field 'text': no column 'bdoy'"):
        list(read_articles("a.csv", columns={"id": "guid", "text": "bdoy"}))
