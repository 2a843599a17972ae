"""Writing files: what comes back is what went in, and a failure leaves no trace."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import columns
from sahel_dedup.errors import SahelError
from sahel_dedup.rows import read_rows
from sahel_dedup.writing import check_output, write_rows

ENDINGS = ["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet"]


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("writing")
    before = Path.cwd()
    os.chdir(path)
    yield path
    os.chdir(before)


def back(ending: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write rows and read them again."""
    name = f"out.{ending}"
    assert write_rows(name, iter(rows)) == len(rows)
    return [dict(row) for _, row in read_rows(name)]


ROW = {
    "id": "a",
    "text": 'two\nlines, "quoted" \u2028 \0',
    "score": 0.25,
    "size": 3,
    "lead": True,
    "none": None,
    "tags": ["x", None, "y"],
    "place": {"name": "Kayes", "at": [14.45, -11.44]},
}


def test_json_lines_keep_everything() -> None:
    assert back("jsonl", [ROW]) == back("jsonl.gz", [ROW]) == [ROW]


def test_parquet_keeps_everything() -> None:
    moment, day = datetime(2025, 7, 1, 12, tzinfo=UTC), date(2025, 7, 1)
    row = ROW | {"published": moment, "naive": moment.replace(tzinfo=None), "day": day}
    assert back("parquet", [row]) == [row]


def test_csv_tells_in_json_what_is_no_string() -> None:
    assert back("csv", [ROW | {"day": date(2025, 7, 1)}]) == [
        {
            "id": "a",
            "text": ROW["text"],
            "score": "0.25",
            "size": "3",
            "lead": "true",
            "none": "",
            "tags": '["x", null, "y"]',
            "place": '{"name": "Kayes", "at": [14.45, -11.44]}',
            "day": "2025-07-01",
        }
    ]


KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=5))
def test_any_json_survives_json_lines(rows: list[dict[str, Any]]) -> None:
    assert back("jsonl", rows) == rows


def told(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else ""
        if value is None
        else json.dumps(value, ensure_ascii=False)
    )


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=5))
def test_any_json_survives_csv_as_text(rows: list[dict[str, Any]]) -> None:
    # With a first column that is never empty no row is blank.
    rows = [{"id": "x"} | row | {"id": "x"} for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    expected = [{name: told(row.get(name)) for name in names} for row in rows]
    assert back("csv", rows) == expected


def same(got: Any, sent: Any) -> bool:
    """Whether a value came through Parquet: as itself, or as the string that tells it."""
    if isinstance(sent, list) and isinstance(got, list):
        return len(got) == len(sent) and all(map(same, got, sent))
    if isinstance(sent, dict) and isinstance(got, dict):
        return got.keys() == sent.keys() and all(same(got[key], sent[key]) for key in sent)
    if isinstance(got, str) and not isinstance(sent, str):
        return bool(json.loads(got) == sent)
    if isinstance(got, float):
        return got == float(sent)
    return type(got) is type(sent) and bool(got == sent)


@given(st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), min_size=1, max_size=5))
def test_any_json_survives_parquet(rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    got = back("parquet", rows)
    assert len(got) == len(rows)
    for row, sent in zip(got, rows, strict=True):
        assert list(row) == names
        assert all(same(row[name], sent.get(name)) for name in names)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2.5, None], pl.Float64, [1.0, 2.5, None]),
        ([1, "a"], pl.String, ["1", "a"]),
        ([True, 1], pl.String, ["true", "1"]),
        ([1, 2**63], pl.String, ["1", "9223372036854775808"]),
        ([None, None], pl.String, [None, None]),
        ([[1], [], None, [2.5]], pl.List(pl.Float64), [[1.0], [], None, [2.5]]),
        ([[1], "a"], pl.String, ["[1]", "a"]),
        ([{"a": 1}, {"a": None}], pl.Struct({"a": pl.Int64}), [{"a": 1}, {"a": None}]),
        ([{"a": 1}, {"b": 2}], pl.String, ['{"a": 1}', '{"b": 2}']),
        ([{}, {}], pl.String, ["{}", "{}"]),
        ([date(2025, 7, 1), "soon"], pl.String, ["2025-07-01", "soon"]),
        ([0.5, float("inf"), "a"], pl.String, ["0.5", "inf", "a"]),
    ],
)
@pytest.mark.parametrize("chunk", [1, 5000])
def test_columns_of_several_types(
    values: list[Any],
    dtype: Any,
    expected: list[Any],
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(columns, "CHUNK_ROWS", chunk)
    write_rows("mixed.parquet", [{"id": 0, "value": value} for value in values])
    frame = pl.read_parquet("mixed.parquet")
    assert frame.schema["value"] == dtype
    assert frame["value"].to_list() == expected


@pytest.mark.parametrize("ending", ENDINGS)
def test_rows_in_many_chunks_keep_their_order(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "CHUNK_ROWS", 7)
    monkeypatch.setattr(columns, "_CHUNK_CHARACTERS", 50)
    rows = [{"id": str(n), "text": "t" * (n % 60), f"key{n % 2}": "x"} for n in range(100)]
    got = back(ending, rows)
    assert [(row["id"], row["text"]) for row in got] == [(row["id"], row["text"]) for row in rows]
    assert all(row["key1"] == "x" for row in got[1::2])
    assert not any(row.get("key1") for row in got[::2])


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_rows(ending: str) -> None:
    assert back(ending, []) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_lone_surrogates(ending: str) -> None:
    row = {"id": "a", "text": "x\ud800y é", "\udfff": ["\ud800"]}
    (got,) = back(ending, [row])
    if "jsonl" in ending:
        assert got == row
    else:
        assert got["text"] == "x\ufffdy é"
        assert list(got) == ["id", "text", "\ufffd"]


class Odd:
    def __str__(self) -> str:
        return "odd"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2025, 7, 1, 12, tzinfo=UTC), "2025-07-01T12:00:00+00:00"),
        (datetime(2025, 7, 1, 12), "2025-07-01T12:00:00"),
        (date(2025, 7, 1), "2025-07-01"),
        (float("nan"), None),
        (np.float64("nan"), None),
        ([1.0, float("inf")], [1.0, None]),
        ({"a": {"b": float("nan")}}, {"a": {"b": None}}),
        (pd.NaT, None),
        (pd.NA, None),
        (np.int64(3), 3),
        (np.arange(3), [0, 1, 2]),
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (b"caf\xe9", "caf\\xe9"),
        (Odd(), "odd"),
    ],
)
def test_what_json_has_no_word_for(value: object, expected: object) -> None:
    assert back("jsonl", [{"value": value}]) == [{"value": expected}]


def test_parquet_takes_the_same_values() -> None:
    zone = timezone(timedelta(hours=2))
    row = {"id": np.int64(3), "at": datetime(2025, 7, 1, 14, tzinfo=zone), "v": np.arange(2)}
    assert back("parquet", [row, {"id": 4, "at": pd.NaT}]) == [
        {"id": 3, "at": datetime(2025, 7, 1, 12, tzinfo=UTC), "v": [0, 1]},
        {"id": 4, "at": None, "v": None},
    ]


def failing(error: BaseException) -> Iterator[dict[str, Any]]:
    for number in range(10_000):
        yield {"id": number, "text": "t" * 100}
    raise error


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_a_failure_leaves_no_trace(ending: str, error: BaseException, tmp_path: Path) -> None:
    out = tmp_path / f"out.{ending}"
    out.write_bytes(b"before")
    with pytest.raises(type(error)):
        write_rows(str(out), failing(error))
    assert out.read_bytes() == b"before"
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_success_replaces_what_was_there(ending: str, tmp_path: Path) -> None:
    out, link = tmp_path / f"out.{ending}", tmp_path / f"link.{ending}"
    out.write_bytes(b"before")
    link.symlink_to(out)
    write_rows(str(link), [{"id": "a"}])
    assert [dict(row) for _, row in read_rows(out)] == [{"id": "a"}]
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == sorted([out.name, link.name])


def test_a_file_may_be_written_over_the_one_it_is_read_from() -> None:
    rows = [{"id": str(n), "text": "t" * 500} for n in range(1000)]
    write_rows("self.jsonl", rows)
    write_rows("self.jsonl", ({**row, "story": "s"} for _, row in read_rows("self.jsonl")))
    assert [row for _, row in read_rows("self.jsonl")] == [{**row, "story": "s"} for row in rows]


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv.gz"])
def test_the_same_rows_give_the_same_bytes(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(f"one.{ending}", [ROW])
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_rows(f"two.{ending}", [ROW])
    data = Path(f"one.{ending}").read_bytes()
    assert Path(f"two.{ending}").read_bytes() == data
    assert gzip.decompress(data)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("out.xlsx", r"unknown ending: 'out\.xlsx'; known are \.jsonl, .*\.parquet"),
        ("out", "unknown ending"),
        ("none/out.csv", "there is no folder '.*none'"),
        ("folder.csv", "it is there and not a file"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(path: str, message: str) -> None:
    Path("folder.csv").mkdir(exist_ok=True)
    rows = iter([{"id": "a"}])
    with pytest.raises(SahelError, match=message):
        check_output(path)
    with pytest.raises(SahelError, match=message):
        write_rows(path, rows)
    assert next(rows) == {"id": "a"}


def test_a_folder_that_is_not_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions do not stop an administrator, who may well run the tests.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SahelError, match="is not writable"):
        check_output("out.csv")


@pytest.mark.parametrize("path", [None, "-"])
def test_standard_output(path: str | None, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    check_output(path)
    assert write_rows(path, [{"id": "é"}, {"id": "b"}]) == 2
    assert capfdbinary.readouterr().out == '{"id": "é"}\n{"id": "b"}\n'.encode()


def test_a_reader_that_stops_early_is_no_error() -> None:
    program = (
        "from sahel_dedup.writing import write_rows\n"
        "write_rows(None, ({'id': n} for n in range(10**7)))\n"
    )
    root = Path(columns.__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b'{"id": 0}\n'
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
