"""Checkpoints: each file is read once, and the result is that of a fresh run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.cli import app
from sahel_dedup.errors import SahelError
from sahel_dedup.io import kept_reading
from sahel_dedup.io.arrays import map_arrays, write_arrays
from sahel_dedup.io.checkpoint import Checkpoint
from sahel_dedup.io.kept_reading import KeptReading
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.sketch import sketcher as sketching
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher

A_PART = 300

# Runs the command and kills its own process, as the power does, behind the second part.
KILLED = f"""
import os, sys
from sahel_dedup.io import checkpoint, kept_reading
from sahel_dedup.cli import app
kept_reading.PART_ARTICLES = {A_PART}
signum = int(sys.argv.pop(1))
save = checkpoint.Checkpoint.save_part
def killed(self, key, number, part):
    save(self, key, number, part)
    if number == 1:
        os.kill(os.getpid(), signum)
checkpoint.Checkpoint.save_part = killed
app()
"""


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Write 1,500 short articles, each fifth a copy, in two languages, some with faulty dates."""
    draw = np.random.default_rng(0)
    words = [f"word{number}" for number in range(3000)]
    path = tmp_path / "news.jsonl"
    with path.open("w") as file:
        for number in range(1500):
            if number % 5 != 1:
                text = " ".join(draw.choice(words, 40))
            row = {
                "id": f"a{number} \ud800",
                "text": text,
                "published": f"20{24 + 40 * (number % 50 == 0)}-01-{1 + number // 60:02}",
                "source": f"outlet {number // 100}",
                "lang": "en" if number % 3 else "fr",
            }
            file.write(json.dumps(row) + "\n")
    return path


def run(*arguments: str | Path) -> int | None:
    """Run the command, and return the status that it ends with if it fails."""
    status: int | None = app([str(argument) for argument in arguments], standalone_mode=False)
    return status


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the articles that are sketched."""
    sketched: list[int] = []
    sketch = Sketcher.sketch

    def noted(self: Sketcher, articles: Any) -> Profiles:
        sketched.append(len(articles))
        return sketch(self, articles)

    with mock.patch.object(Sketcher, "sketch", noted):
        yield sketched


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on(signum: int, news: Path, tmp_path: Path) -> None:
    whole, resumed, folder = tmp_path / "whole.jsonl", tmp_path / "out.jsonl", tmp_path / "kept"
    run("cluster", news, "--output", whole)
    command: list[str | Path] = ["cluster", news, "-o", resumed, "--checkpoint", folder]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(int(signum)), *map(str, command)],
        check=False,
        capture_output=True,
    )
    # In a fresh checkout this may be the first run of all.
    assert [line for line in killed.stderr.splitlines() if b"compiling loops" not in line] == []
    assert killed.returncode == (130 if signum == signal.SIGINT else -signum)
    assert not resumed.exists()
    assert sorted(os.listdir(tmp_path)) == ["kept", "news.jsonl", "whole.jsonl"]
    parts = {path.name.partition("-")[2] for path in folder.glob("*.npz")}
    assert {"00000.npz", "00001.npz"} <= parts
    with counted() as sketched:
        run(*command)
    assert sum(sketched) <= 1500 - 2 * A_PART
    assert resumed.read_bytes() == whole.read_bytes()


def row(number: int, **more: Any) -> dict[str, Any]:
    """Invent an article; the next but three is a copy, reworded a little."""
    event = number // 4
    text = " ".join(f"word{(event * 31 + place * 7) % 400}" for place in range(40))
    return {
        "id": f"a{number}", "text": f"{text} again {number % 4}", "title": f"Event {event}",
        "published": f"2024-01-{1 + number // 40:02}T10:00:00Z", "source": f"s{number % 7}",
        "mark": [number, None],
    } | more  # fmt: skip


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(found) + "\n" for found in rows))
    return path


def sketched(folder: Path, paths: Sequence[Path]) -> tuple[list[str], Profiles, Sketcher]:
    sketcher = Sketcher()
    reading = KeptReading(Checkpoint(str(folder)), list(paths))
    chunks = list(reading.sketch_all(sketcher, 1))
    return (
        [name for ids, _ in chunks for name in ids],
        Profiles.concatenate(profiles for _, profiles in chunks), sketcher,
    )  # fmt: skip


def test_what_was_kept_is_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_reading, "PART_ARTICLES", 500)
    paths = [write(tmp_path / f"{n}.jsonl", [row(900 * n + i) for i in range(800)]) for n in (0, 1)]
    (ids, one, first), (again, two, second) = (
        sketched(tmp_path / "kept", paths) for _ in range(2)
    )  # fmt: skip
    assert ids == again
    for item in fields(Profiles):
        assert np.array_equal(
            getattr(one, item.name), getattr(two, item.name), equal_nan=item.name == "day"
        )
    assert list(first.vocabulary.words) == list(second.vocabulary.words)
    assert np.array_equal(first.vocabulary.hashes, second.vocabulary.hashes)
    assert (first.sources, first.langs) == (second.sources, second.langs)


@given(st.permutations(range(12)))
def test_profiles_are_put_in_order_where_they_are(rows: list[int]) -> None:
    articles = [Article.from_mapping(row(n) | {"lang": ["en", "fr"][n % 2]}) for n in range(12)]
    profiles, order = Sketcher().sketch(articles), np.array(rows)
    taken = profiles.take(order)
    profiles.reorder(order)
    for item in fields(Profiles):
        assert np.array_equal(getattr(profiles, item.name), getattr(taken, item.name))


def test_arrays_are_mapped_as_they_were_written(tmp_path: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "a": np.arange(7, dtype=np.uint8), "longer name": np.ones((3, 5), dtype=np.uint32),
        "none": np.zeros((0, 4)), "c": np.arange(9.0),
    }  # fmt: skip
    path = tmp_path / "arrays.npz"
    with path.open("wb") as file:
        write_arrays(file, arrays)
    for found in (map_arrays(str(path), arrays), dict(np.load(path))):
        for name, values in arrays.items():
            assert np.array_equal(found[name], values), name
            assert found[name].dtype == values.dtype
    found = map_arrays(str(path), ["c"])
    assert list(found) == ["c"]
    assert found["c"].ctypes.data % 64 == 0
    assert not found["c"].flags.writeable
    for written in (np.savez, np.savez_compressed):
        written(path, a=np.array([None]) if written is np.savez else arrays["a"])
        with pytest.raises(ValueError, match=r"layout|compressed"):
            map_arrays(str(path), ["a"])
    np.savez(path, odd=np.arange(3.0))
    assert map_arrays(str(path), ["odd"])["odd"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="other"):
        map_arrays(str(path), ["other"])


def test_a_new_file_costs_one_file(tmp_path: Path) -> None:
    old = [write(tmp_path / f"{n}.jsonl", [row(40 * n + i) for i in range(40)]) for n in range(3)]
    new = write(tmp_path / "new.jsonl", [row(300 + i) for i in range(7)])
    out, kept = tmp_path / "out.jsonl", tmp_path / "kept"
    run("cluster", *old, "-o", out, "--checkpoint", kept)
    for inputs, cost in (([*old, new], 7), ([new, old[2], old[0]], 0), ([*old[:1], new], 0),
                         ([*old, new], 80)):  # fmt: skip
        with counted() as sketched:
            run("cluster", *inputs, "-o", out, "--checkpoint", kept)
        # What is no input any more is forgotten.
        assert sum(sketched) == cost
    shutil.copy(old[0], tmp_path / "renamed.jsonl")
    with counted() as sketched:
        run("cluster", *old[1:], tmp_path / "renamed.jsonl", "-o", out, "--checkpoint", kept)
    assert sum(sketched) == 0


@given(st.data())
def test_a_run_with_a_checkpoint_is_a_fresh_run(data: st.DataObject) -> None:
    numbers = st.lists(st.integers(0, 60), max_size=25, unique=True)
    ending = st.sampled_from(["jsonl", "csv", "parquet"])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files: dict[str, list[int]] = {}
        for step in range(data.draw(st.integers(2, 4))):
            for _ in range(data.draw(st.integers(1, 3))):
                files[data.draw(st.sampled_from("abcd"))] = data.draw(numbers)
            names = data.draw(st.permutations(sorted(files)))
            paths = [write(folder / f"{name}.jsonl", [row(n) for n in files[name]])
                     for name in names]  # fmt: skip
            out = f"out.{data.draw(ending)}"
            runs = [
                run("cluster", *paths, "-o", folder / f"{way}-{out}", "--on-error", "skip", *more)
                for way, more in (("fresh", ()), ("kept", ("--checkpoint", folder / "kept")))
            ]
            assert runs[0] == runs[1]
            one, two = (folder / f"{way}-{out}" for way in ("fresh", "kept"))
            assert one.read_bytes() == two.read_bytes(), step


def test_faults_are_told_as_in_a_fresh_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row(1), {"id": "x"}, row(2, published="soon"), row(3, published="1970-01-01"), row(1)]
    paths = [write(tmp_path / "a.jsonl", rows), write(tmp_path / "b.jsonl", [row(2), row(9)])]
    command: list[str | Path] = [
        "cluster",
        *paths,
        "--on-error",
        "skip",
        "-o",
        tmp_path / "out.jsonl",
    ]
    run(*command)
    told, out = capsys.readouterr().err, (tmp_path / "out.jsonl").read_bytes()
    assert "3 rows skipped" in told
    for _ in range(3):
        run(*command, "--checkpoint", tmp_path / "kept")
        assert capsys.readouterr().err == told
        assert (tmp_path / "out.jsonl").read_bytes() == out
    # Faults name the file as it is called now.
    paths[0].rename(tmp_path / "c.jsonl")
    command[1] = tmp_path / "c.jsonl"
    run(*command, "--checkpoint", tmp_path / "kept")
    assert capsys.readouterr().err == told.replace("a.jsonl", "c.jsonl")


def test_an_id_in_two_files_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [write(tmp_path / "a.jsonl", [row(1), row(2)]), write(tmp_path / "b.jsonl", [row(2)])]
    for _ in range(2):
        assert run("cluster", *paths, "--checkpoint", tmp_path / "kept") == 2
        told = capsys.readouterr().err
        assert "b.jsonl, line 1" in told
        assert "first seen at" in told


def test_a_date_that_was_to_come_counts_when_it_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jsonl", [row(1, published="2040-01-05"), row(2)])
    monkeypatch.setattr(sketching, "today", lambda: 25_560.0)
    assert np.isnan(sketched(tmp_path / "kept", [path])[1].day).tolist() == [True, False]
    monkeypatch.setattr(sketching, "today", lambda: 25_600.0)
    assert not np.isnan(sketched(tmp_path / "kept", [path])[1].day).any()


def test_results_in_the_input_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path / "a.jsonl", [row(1, story_id="s1"), row(2, canonical=3), row(3, source="nan")]
    )
    told = []
    for more in ((), ("--checkpoint", tmp_path / "kept"), ("--checkpoint", tmp_path / "kept")):
        run("cluster", path, "-o", tmp_path / "out.jsonl", *more)
        told.append(capsys.readouterr().err)
    assert "story_id (1 row), canonical (1 row)" in told[0]
    assert ", 1 value such as 'nan' taken as missing (1 x source); " in told[0]
    assert told[1:] == told[:1] * 2


def test_columns_may_be_in_some_of_the_files(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", [row(1, outlet="x")])
    two = write(tmp_path / "b.jsonl", [row(2)])
    for paths, status in (([one, two], None), ([two], 2), ([one, two], None)):
        for more in ((), ("--checkpoint", tmp_path / "kept")):
            found = run("cluster", *paths, "--column", "source=outlet", "-o",
                        tmp_path / "out.jsonl", *more)  # fmt: skip
            assert found == status


def test_other_reading_and_other_folders_are_refused(news: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    Checkpoint(folder, "raise")
    Checkpoint(folder, "raise")
    with pytest.raises(SahelError, match="other reading"):
        Checkpoint(folder, "skip")
    with pytest.raises(SahelError, match="not empty"):
        Checkpoint(str(tmp_path))
    assert run("cluster", "-", "--checkpoint", folder) == 2
    with mock.patch("sahel_dedup.io.checkpoint.FINGERPRINT_VERSION", 99):
        assert run("cluster", news, "--checkpoint", folder) == 2


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [row(1), row(2)])
    sketch = Sketcher.sketch

    def touched(self: Sketcher, articles: Any) -> Profiles:
        write(path, [row(1), row(2), row(3)])
        return sketch(self, articles)

    with mock.patch.object(Sketcher, "sketch", touched), pytest.raises(SahelError, match="changed"):
        sketched(tmp_path / "kept", [path])


def test_damage_never_changes_an_answer(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    path = write(tmp_path / "a.jsonl", [row(n) for n in range(30)])
    folder, out = tmp_path / "kept", tmp_path / "out.jsonl"
    run("cluster", path, "-o", out, "--checkpoint", folder)
    expected, whole = out.read_bytes(), tmp_path / "whole"
    shutil.copytree(folder, whole)
    refused = 0
    for file in sorted(whole.iterdir()):
        good = file.read_bytes()
        places = draw.integers(0, len(good), 12).tolist()
        for bad in (good[:-1], good[: len(good) // 2], b"", *(
            good[:place] + bytes([good[place] ^ 8]) + good[place + 1 :] for place in places
        )):  # fmt: skip
            shutil.rmtree(folder)
            shutil.copytree(whole, folder)
            (folder / file.name).write_bytes(bad)
            out.unlink(missing_ok=True)
            status = run("cluster", path, "-o", out, "--checkpoint", folder)
            refused += status == 2
            assert status == 2 or out.read_bytes() == expected
    assert refused > 20


def test_parts_of_another_checkpoint_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", [row(n) for n in range(9)])
    two = write(tmp_path / "b.jsonl", [row(n) for n in range(50, 59)])
    sketched(tmp_path / "first", [one, two])
    sketched(tmp_path / "second", [two, one])
    for file in (tmp_path / "first").glob("*.npz"):
        if not file.name.startswith("names"):
            shutil.copy(file, tmp_path / "second")
    with pytest.raises(SahelError, match="another checkpoint"):
        sketched(tmp_path / "second", [two, one])


def test_parquet_is_kept_too(tmp_path: Path) -> None:
    path, out = tmp_path / "a.parquet", tmp_path / "out.jsonl"
    rows = [row(n) for n in range(20)]
    frame = pl.DataFrame(rows).with_columns(pl.col("published").str.to_datetime(time_zone="UTC"))
    frame.write_parquet(path)
    run("cluster", path, "-o", out)
    expected = out.read_bytes()
    for _ in range(2):
        run("cluster", path, "-o", out, "--checkpoint", tmp_path / "kept")
        assert out.read_bytes() == expected


def test_languages_that_are_not_known_are_reported_again(tmp_path: Path) -> None:
    langs = ["en", "English", "klingonish", None, "xx", "fr_FR.UTF-8"]
    paths = [
        write(tmp_path / f"{name}.jsonl", [row(n, lang=lang) for n, lang in enumerate(langs, at)])
        for name, at in (("a", 0), ("b", 100))
    ]
    summaries = []
    for _ in range(2):
        summary = ReadSummary()
        reading = KeptReading(Checkpoint(str(tmp_path / "kept")), paths, summary=summary)
        for _ in reading.sketch_all(Sketcher(), 1):
            pass
        summaries.append(summary)
    assert summaries[0] == summaries[1]
    assert (summary.tagged, summary.unknown_languages) == (6, 4)
    assert summary.first_unknown_language == "klingonish"
    assert "4 languages unknown" in str(summary)
    assert [warning for warning in summary.warnings() if "languages" in warning] == [
        "languages that are not recognised, so they are detected: 4, for example "
        "'klingonish'; write a tag such as 'pt-BR' or an English name"
    ]
