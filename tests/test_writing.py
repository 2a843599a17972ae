"""Writing files: reading gives back what was written, and a failure leaves no trace."""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
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

from sahel_dedup.errors import SahelError
from sahel_dedup.io import tabular
from sahel_dedup.io.readers import read_rows
from sahel_dedup.io.writers import check_output, json_line, json_lines, replacing, write_rows

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


PIECES = st.lists(st.sampled_from(["}, {", '"id": ', "{", '"', "\\", "é", "\ud800"])).map("".join)


@given(st.lists(st.tuples(PIECES, st.booleans(), st.none() | PIECES), min_size=1, max_size=5))
def test_lines_of_json_are_encoded_together(values: list[tuple[Any, ...]]) -> None:
    rows = [dict(zip(("id", "canonical", "relation"), row, strict=True)) for row in values]
    rest = [b"}\n" if row["canonical"] else b', "text": "a"}\n' for row in rows]
    lines = [json_line(row)[:-2] + more for row, more in zip(rows, rest, strict=True)]
    assert json_lines(rows, rest) == b"".join(lines)


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
    monkeypatch.setattr(tabular, "CHUNK_ROWS", chunk)
    write_rows("mixed.parquet", [{"id": 0, "value": value} for value in values])
    frame = pl.read_parquet("mixed.parquet")
    assert frame.schema["value"] == dtype
    assert frame["value"].to_list() == expected


@pytest.mark.parametrize("ending", ENDINGS)
def test_rows_in_many_chunks_keep_their_order(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "CHUNK_ROWS", 7)
    monkeypatch.setattr(tabular, "_CHUNK_CHARACTERS", 50)
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
        assert got["text"] == "x\\ud800y é"
        assert list(got) == ["id", "text", "\\udfff"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_names_that_differ_in_a_surrogate_stay_apart(ending: str) -> None:
    rows = [{"id": "a\ud800"} | dict.fromkeys(("x\ud800", "x\ud801"), "1"), {"id": "a\ud801"}]
    got = back(ending, rows)
    assert len(got[0]) == 3
    assert got[0]["id"] != got[1]["id"]


def nested(depth: int, in_lists: bool) -> object:
    value: object = "at the bottom"
    for _ in range(depth):
        value = [value] if in_lists else {"in": value}
    return value


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("in_lists", [True, False])
@pytest.mark.parametrize("depth", [49, 50, 51, 300, 700])
def test_nested_values(ending: str, in_lists: bool, depth: int) -> None:
    sent = nested(depth, in_lists)
    (row,) = back(ending, [{"value": sent}])
    if "jsonl" in ending:
        assert row["value"] == sent
    value, levels = row["value"], 0
    while value != "at the bottom":
        # Lower levels, or all of them, may be in a JSON string.
        value = json.loads(value) if isinstance(value, str) else value
        value = value[0] if in_lists else value["in"]
        levels += 1
    assert levels == depth


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_nested_too_deeply_is_an_error(ending: str, tmp_path: Path) -> None:
    out = tmp_path / f"out.{ending}"
    with pytest.raises(SahelError, match="nested too deeply"):
        write_rows(str(out), [{"value": nested(100_000, True)}])
    assert os.listdir(tmp_path) == []


def test_a_value_that_contains_itself_is_written() -> None:
    value: list[object] = []
    value.append(value)
    assert "[[...]]" in str(back("csv", [{"value": value}]))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_times_that_are_outside_the_calendar_in_utc(ending: str, moment: datetime) -> None:
    assert back(ending, [{"at": moment}]) == [{"at": moment.isoformat()}]


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


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("mode", [None, 0o600, 0o644, 0o664, 0o666, 0o755])
def test_permissions_are_kept(ending: str, mode: int | None, umask: int, tmp_path: Path) -> None:
    out = tmp_path / f"out.{ending}"
    if mode is not None:
        out.touch()
        out.chmod(mode)
    modes: set[int] = set()

    def watching() -> Iterator[dict[str, Any]]:
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob(".*.tmp"))
        yield {"id": "a"}

    write_rows(str(out), watching())
    expected = 0o666 & ~umask if mode is None else mode
    assert stat.S_IMODE(out.stat().st_mode) == expected
    # What is private is so from the first byte.
    assert modes == {expected}


def test_planted_links_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim, planted = tmp_path / "victim", tmp_path / ".out.jsonl.abcd.tmp"
    victim.write_bytes(b"before")
    planted.symlink_to(victim)
    monkeypatch.setattr("secrets.token_hex", lambda _: "abcd")
    with pytest.raises(FileExistsError):
        write_rows(str(tmp_path / "out.jsonl"), [ROW])
    assert victim.read_bytes() == b"before"
    assert not (tmp_path / "out.jsonl").exists()


def test_names_of_temporary_files_cannot_be_guessed(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        with replacing(str(tmp_path / "out.jsonl")):
            names.update(os.listdir(tmp_path))
    names.discard("out.jsonl")
    assert len(names) == 3
    assert all(re.fullmatch(r"\.out\.jsonl\.[0-9a-f]{16}\.tmp", name) for name in names)


def test_writers_of_one_file_never_mix(tmp_path: Path) -> None:
    # As two containers do, in which every process has the same number.
    out = tmp_path / "out.jsonl"
    with replacing(str(out)) as (one, _), replacing(str(out)) as (other, _):
        for _ in range(3):
            one.write(b"one")
            other.write(b"other")
    assert out.read_bytes() == b"one" * 3
    assert os.listdir(tmp_path) == [out.name]


@pytest.mark.parametrize("name", ["x" * 250 + ".csv", "é" * 125 + ".csv"])
def test_names_as_long_as_the_system_allows(name: str, tmp_path: Path) -> None:
    write_rows(str(tmp_path / name), [ROW])
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_owner_and_group_are_kept(mode: int, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.touch()
    out.chmod(mode)
    os.chown(out, 1234, 2345)
    write_rows(str(out), [ROW])
    status = out.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 2345, mode)


def test_another_group_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.csv"
    out.touch()
    out.chmod(0o664)
    real = os.stat

    def of_another_group(path: Any, **options: Any) -> os.stat_result:
        status = real(path, **options)
        return os.stat_result((*status[:5], status.st_gid + 1, *status[6:]))

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "stat", of_another_group)
    monkeypatch.setattr(os, "fchown", refuse)
    write_rows(str(out), [ROW])
    monkeypatch.undo()
    assert stat.S_IMODE(out.stat().st_mode) == 0o604


def test_a_link_that_leads_to_no_file_yet_is_written_through(tmp_path: Path) -> None:
    link, target = tmp_path / "link.csv", tmp_path / "target.csv"
    link.symlink_to(target)
    write_rows(str(link), [ROW])
    assert link.is_symlink()
    assert target.is_file()


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(link)
    with pytest.raises(SahelError, match="symbolic link to itself"):
        write_rows(str(link), [ROW])
    assert link.is_symlink()


def test_a_file_that_is_write_protected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before")
    # Root may write everything.
    monkeypatch.setattr(os, "access", lambda path, _: path != str(out))
    with pytest.raises(SahelError, match="the file is write-protected"):
        check_output(str(out))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_write_names_the_file(ending: str, tmp_path: Path) -> None:
    script = (
        "import resource, sys\n"
        # Python would leave halves of compiled modules behind.
        "sys.dont_write_bytecode = True\n"
        "from sahel_dedup.io.writers import write_rows\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    write_rows(sys.argv[1], ({'id': str(n), 'n': hash(str(n))} for n in range(9999)))\n"
        "except OSError as error:\n"
        "    print(error.filename)\n"
    )
    out = str(tmp_path / f"out.{ending}")
    done = subprocess.run(
        [sys.executable, "-c", script, out], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == out
    assert os.listdir(tmp_path) == []


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
        (
            "out.xlsx",
            r"unknown file extension: 'out\.xlsx'; known extensions are \.jsonl, .*\.parquet",
        ),
        ("out", "unknown file extension"),
        ("none/out.csv", "there is no folder '.*none'"),
        ("folder.csv", "it exists and is not a file"),
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
        "from sahel_dedup.io.writers import write_rows\n"
        "write_rows(None, ({'id': n} for n in range(10**7)))\n"
    )
    root = Path(tabular.__file__).parent.parent
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
