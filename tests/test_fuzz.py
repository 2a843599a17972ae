"""Fuzzing: any input, and any text of articles, gives a result or a SahelError.

The number of examples is bounded, so that this runs with all other tests; more of them with
HYPOTHESIS_PROFILE=full.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import shutil
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sahel_dedup
from sahel_dedup import Article, SahelError, Stories, StoryIndex
from sahel_dedup.evaluation.audit import audit
from sahel_dedup.explain.explanation import explain
from sahel_dedup.index.checking import check
from sahel_dedup.index.sqlite_file import TABLES
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.io.readers import SkipReport
from sahel_dedup.plain_text import UNSAFE
from sahel_dedup.report.html import write_report
from sahel_dedup.sketch.sketcher import Sketcher
from tests.forging import forge

Row = dict[str, Any]
Result = TypeVar("Result")

MORE = settings(max_examples=2 * settings().max_examples)
EDGES = [-1, 0, 1, 2**24 - 1, 2**24, 2**31 - 1, -(2**31)]


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    """Change bytes in a few places, take some out, put some in, or cut the end off."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(changed) - 1)))
        kind = draw(st.sampled_from(["byte", "word", "out", "in", "cut", "again"]))
        if kind == "byte":
            changed[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "word":
            changed[at : at + 4] = struct.pack("<i", draw(st.sampled_from(EDGES)))
        elif kind == "out":
            del changed[at : at + draw(st.integers(1, 40))]
        elif kind == "in":
            changed[at:at] = draw(st.binary(min_size=1, max_size=40))
        elif kind == "cut":
            del changed[at:]
        else:
            changed += changed[at : at + 4000]
    return bytes(changed)


def attempt(work: Callable[[], Result]) -> tuple[Result | None, str | None]:
    """Return a result, or the reason why there is none; any other error goes on."""
    try:
        return work(), None
    except SahelError as error:
        return None, str(error)


def sound_files() -> dict[str, bytes]:
    """Write three articles in every format."""
    moment = datetime(2025, 3, 2, tzinfo=UTC)
    rows: list[Row] = [
        {"id": f"a{n}", "text": f"The river rose {n} metres at Gao.", "published": moment,
         "source": "one", "lang": "en", "tags": ["flood", {"deep": [n]}]}
        for n in range(3)
    ]  # fmt: skip
    plain = [{**row, "published": moment.isoformat(), "tags": json.dumps(row["tags"])}
             for row in rows]  # fmt: skip
    table = io.StringIO()
    writer = csv.DictWriter(table, plain[0].keys())
    writer.writeheader()
    writer.writerows(plain)
    parquet = io.BytesIO()
    pl.DataFrame([{**row, "tags": [1]} for row in rows]).write_parquet(parquet)
    lines = "".join(json.dumps(row) + "\n" for row in plain).encode()
    return {
        "a.jsonl": lines,
        "a.jsonl.gz": gzip.compress(lines),
        "a.csv": table.getvalue().encode(),
        "a.csv.gz": gzip.compress(table.getvalue().encode()),
        "a.parquet": parquet.getvalue(),
    }


FILES = sound_files()


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@MORE
def test_damaged_files_of_articles(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("file") / name
    path.write_bytes(data.draw(damage(FILES[name])))
    report = SkipReport()
    strict, refusal = attempt(lambda: list(read_articles([path])))
    kept, whole = attempt(lambda: list(read_articles([path], skipped=report)))
    assert all(path.name in reason for reason in (refusal, whole) if reason)
    if whole:
        assert refusal
    else:
        # What is skipped is counted, and nothing is skipped where nothing is wrong.
        assert bool(refusal) == bool(report.total)
        assert refusal or strict == kept


@pytest.fixture(scope="module")
def sound_index(tmp_path_factory: pytest.TempPathFactory, wire: list[Row]) -> Path:
    path = tmp_path_factory.mktemp("sound") / "news.index"
    with StoryIndex.open(path, retention=400) as index:
        index.add_many(wire[:12])
        index.remove(wire[3]["id"])
    return path


def lie(draw: random.Random, old: Any) -> Any:
    """Return what may stand in the place of a cell."""
    if isinstance(old, bytes) and old and draw.random() < 0.6:
        changed = bytearray(old)
        at = draw.randrange(len(old))
        kind = draw.randrange(4)
        if kind == 0:
            changed[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            changed[at : at + 4] = struct.pack("<i", draw.choice(EDGES))
        elif kind == 2:
            del changed[at:]
        else:
            changed += changed[at:]
        return bytes(changed)
    numbers = [*EDGES, 2**63 - 1, -(2**63), 1e308, -1e308, 0.5]
    return draw.choice([None, *numbers, "", "x", "é\0", "zh", b"", b"\xff", bytes(128), old])


@given(seed=st.integers(0, 2**32 - 1))
@MORE
def test_an_index_whose_maker_lies(
    seed: int, sound_index: Path, wire: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any cell may have any value with the right checksum: it is refused, or everything works."""
    draw = random.Random(seed)
    path = tmp_path_factory.mktemp("forged") / "news.index"
    shutil.copy(sound_index, path)
    table = draw.choice([name for name in TABLES if name != "events"])
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names, rows = [column for column, *_ in cursor.description], cursor.fetchall()
    if not rows:
        return
    row = draw.choice(rows)
    column, old = draw.choice([cell for cell in zip(names, row, strict=True) if cell[0] != "seal"])
    new = lie(draw, old)
    key = TABLES[table][0]
    try:
        forge(path, f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (new, row[0]))
    except sqlite3.Error:
        return
    faults = check(path)
    try:
        with StoryIndex.open(path) as index:
            ids = [article for story in index.stories() for article in story.articles]
            index.explain(ids[0], ids[1])
            index.update({**wire[5], "text": "The river rose."})
            index.add_many(wire[12:15])
            index.remove(wire[6]["id"])
            index.compact()
            index.to_frame()
    except SahelError:
        return
    with StoryIndex.open(path) as index:
        assert sorted(a for s in index.stories() for a in s.articles) == sorted(index_ids(index))
    assert not faults or table == "texts"


def index_ids(index: StoryIndex) -> list[str]:
    return [str(article) for article in index.to_frame()["id"].to_list()]


def test_a_header_of_an_array_that_cannot_be_parsed(saved: Path) -> None:
    with zipfile.ZipFile(saved) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    broken = saved.with_name("broken.stories")
    with zipfile.ZipFile(broken, "w") as new:
        for name, part in parts.items():
            new.writestr(name, part.replace(b"'descr'", b"'descr(").replace(b"}", b"("))
    with pytest.raises(SahelError, match=r"broken\.stories.*damaged or not a file of stories"):
        Stories.load(broken)


@given(data=st.data())
@MORE
def test_damaged_saved_stories(
    data: st.DataObject, saved: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("saved") / "news.stories"
    path.write_bytes(data.draw(damage(saved.read_bytes())))
    stories, reason = attempt(lambda: Stories.load(path))
    if stories is None:
        assert reason
        assert path.name in reason
    else:
        list(stories.recut(min_probability=0.9).rows())
        audit(stories)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, wire: list[Row]) -> Path:
    path = tmp_path_factory.mktemp("sound") / "news.stories"
    sahel_dedup.cluster(wire[:12]).save(path)
    return path


PIECES = [
    "n't", "'", "’", '"', "“", "”", "«", "「", "」", "\n", "\n\n", "\t", " ", "-", "--", "...",
    "。", "a", "B", "é", "e\u0301", "\u0301\u0327", "国", "가", "\u1100\u1161", "م", "กา", "٣",
    "12",
    "1,000", "3.5", "%", "$", "killed ", "at least ", "Reuters", "(AP)", "By ", "Mr. ",
    "http://a.b/c", "a@b.c", "&amp;", "<p>", "</script>", "<!--", "{{", "\x1b[2J", "\x9b", "\u202e",
    "\U000e0041", "\0", "\ud800", "\udfff", "😀", "\u200d", "\ufeff", "\u2028", "Monday ",
    "2025-03-02 ",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=30).map("".join) | st.builds(
    str.__mul__, st.sampled_from(PIECES), st.integers(0, 3000)
)


@given(first=TEXTS, second=TEXTS, title=TEXTS | st.none(), lang=TEXTS | st.none())
def test_whatever_articles_say(
    first: str,
    second: str,
    title: str | None,
    lang: str | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    a = Article("a", first, title=title, source=title, lang=lang)
    b = Article("b", second, title=second, lang=lang)
    for piece in sahel_dedup.find_boilerplate(first):
        assert 0 <= piece.start < piece.end <= len(first)
    assert len(Sketcher().sketch([a, b])) == 2
    found = explain(a, b)
    assert not UNSAFE.search(str(found).replace("\ufffd", ""))
    json.loads(found.to_json())
    rows = [{"id": n, "story_id": "s", "text": t, "title": title, "source": lang, "lang": lang}
            for n, t in (("a", first), ("b", second))]  # fmt: skip
    path = tmp_path_factory.mktemp("report") / "out.html"
    write_report(rows, path)
    page = path.read_text("utf-8")
    # Nothing that an article says ends the element that it stands in.
    assert page.count("</script>") == page.count("<script")
