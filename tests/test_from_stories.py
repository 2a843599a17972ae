"""From an archive to a stream and back: grouped articles become an index, and an index a table."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sahel_dedup import SahelError, SahelWarning, SettingsError, Stories, StoryIndex, cluster
from sahel_dedup.cli import app
from sahel_dedup.cli.loading import load
from sahel_dedup.clustering.stories import parts_of
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.index.maintenance import check, export, rebuild
from sahel_dedup.scoring.recurrence import RANK, nearest_background, recurrence_scores
from sahel_dedup.text.tokenizer import hash_word, hash_words, tokenize

Row = dict[str, Any]
ODD = {"id": "odd", "text": "Rain in Kidal", "tags": ["a", {"b": 1}], "when": datetime(2025, 1, 1)}


def partition(index: StoryIndex | Stories) -> dict[str, str]:
    return {article: story.id for story in index for article in story.articles}


def in_time(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (str(row.get("published") or ""), str(row["id"])))


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    return result.exit_code, result.stdout + result.stderr


def test_stories_and_ids_are_taken_over(wire: list[Row], tmp_path: Path) -> None:
    stories = cluster(wire)
    expected = partition(stories)
    assert partition(StoryIndex.from_stories(stories)) == expected
    path = tmp_path / "news.index"
    with StoryIndex.from_stories(stories, path) as index:
        assert partition(index) == expected
        assert index.stats().articles == len(wire)
        assert index.events() == ()
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert partition(index) == expected
        assert index.article(wire[7]["id"]).text == wire[7]["text"]
        answers = index.add_many(wire)
        assert {answer.id: answer.story_id for answer in answers} == expected
        assert partition(index) == expected


def test_later_articles_are_added_as_if_the_archive_had_been(wire: list[Row]) -> None:
    rows = in_time(wire)
    archive, later = rows[:60], rows[60:]
    streamed, taken = StoryIndex(), StoryIndex.from_stories(cluster(archive))
    streamed.add_many(archive)
    # What only the batch knows of the archive is in the stories and the recurrence scores.
    for row in later:
        one, other = streamed.query(row), taken.query(row)
        assert (other.id, other.relation is None) == (one.id, one.relation is None)
        both = {match.id: match.similarity for match in one.matches}
        for match in other.matches:
            if match.id in both:
                assert match.similarity == pytest.approx(both[match.id], abs=1e-5)
    for index in (streamed, taken):
        index.add_many(later)
    batch = partition(cluster(wire))
    scores = [evaluate(partition(index), batch).bcubed.f1 for index in (streamed, taken)]
    assert scores[1] >= scores[0] - 0.005


def test_an_archive_in_a_file_goes_on_like_one_in_memory(wire: list[Row], tmp_path: Path) -> None:
    rows, path = in_time(wire), tmp_path / "news.index"
    stories = cluster(rows[:60])
    StoryIndex.from_stories(stories, path).close()
    memory = StoryIndex.from_stories(stories)
    with StoryIndex.open(path) as file:
        assert file.add_many(rows[60:]) == memory.add_many(rows[60:])
        assert file.remove(rows[3]["id"]) == memory.remove(rows[3]["id"])
        assert partition(file) == partition(memory)
    assert check(path) == []


def test_a_saved_result_and_its_articles(wire: list[Row], tmp_path: Path) -> None:
    cluster(iter(wire)).save(tmp_path / "all.npz")
    stories = Stories.load(tmp_path / "all.npz")
    with StoryIndex.from_stories(stories, tmp_path / "i", articles=wire) as index:
        assert partition(index) == partition(stories)
    with pytest.raises(SahelError, match=f"no article '{wire[-1]['id']}'"):
        StoryIndex.from_stories(stories, tmp_path / "j", articles=wire[:-1])
    assert not (tmp_path / "j").exists()


def test_ids_of_a_grown_archive_and_corrections_are_taken_over(
    wire: list[Row], tmp_path: Path
) -> None:
    rows, path = in_time(wire), tmp_path / "news.index"
    one, other = rows[2]["id"], rows[-3]["id"]
    said = [{"a": one, "b": other, "same": 1}, {"a": one, "b": "to come", "same": 0}]
    former = {row["id"]: "s" + "ab" * 8 for row in rows[5:6]}
    with pytest.warns(SahelWarning, match="ids in corrections that no article has"):
        stories = cluster(rows, corrections=said, previous=former)
    expected = partition(stories)
    assert expected[rows[5]["id"]] == "s" + "ab" * 8
    assert expected[one] == expected[other]
    StoryIndex.from_stories(stories, path).close()
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert partition(index) == expected
        assert len(index.corrections) == 2
        assert index.corrections.unknown == ("to come",)


def test_an_index_with_articles_is_not_overwritten(wire: list[Row], tmp_path: Path) -> None:
    path, stories = tmp_path / "news.index", cluster(wire[:30])
    StoryIndex.open(path).close()
    StoryIndex.from_stories(stories, path).close()
    with pytest.raises(SahelError, match="already has articles"):
        StoryIndex.from_stories(stories, path)
    with StoryIndex.open(path) as index:
        assert index.stats().articles == 30


def test_what_is_too_old_expires_at_once(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"id": f"n{day}", "text": f"event{day} took place", "published": f"2025-03-{day:02}"}
        for day in range(1, 31)
    ]
    rows.append({"id": "undated", "text": "no word of when it happened"})
    index = StoryIndex.from_stories(cluster(rows), retention=9)
    assert index.stats().articles < 13
    assert "undated" in index
    assert {event.kind for event in index.events()} == {"expired"}
    assert not index.add({"id": "late", "text": "late", "published": "2025-03-02"}).kept


@given(text=st.text())
def test_words_are_hashed_as_texts_are(text: str) -> None:
    tokens = tokenize([text, "l'armée 1,200 3.5 Straße"])
    words = tokens.words(np.arange(len(tokens.hashes)))
    assert hash_words(words).tolist() == tokens.hashes.tolist() == list(map(hash_word, words))


def test_the_last_of_the_nearest_is_the_recurrence(wire: list[Row]) -> None:
    parts = parts_of(cluster(wire))
    similarity, layout = parts.compared.similarity, parts.grouped.settings.layout
    nearest = nearest_background(parts.profiles, np.arange(len(wire)), similarity, layout)
    score = recurrence_scores(parts.profiles, np.arange(len(wire)), similarity, layout)
    assert (np.diff(nearest, axis=1) <= 0).all()
    raised = nearest[:, RANK - 1] > 0
    assert raised.any()
    assert np.allclose(score[raised], np.maximum(nearest[raised, RANK - 1], score.min()))


def put(path: Path, rows: list[Row]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_the_command_line(wire: list[Row], tmp_path: Path) -> None:
    archive, out, path = (tmp_path / name for name in ("in.jsonl", "out.parquet", "news.index"))
    put(archive, wire)
    assert run("cluster", archive, "-o", out)[0] == 0
    assert run("index", "load", out, archive, "--index", path) == (0, f"{len(wire)} articles\n")
    expected = partition(cluster(wire))
    with StoryIndex.open(path) as index:
        assert partition(index) == expected
    assert run("index", "load", out, archive, "--index", path)[0] == 2
    # The output of cluster has the texts.
    assert run("index", "load", out, "--index", tmp_path / "own.index")[0] == 0
    assert (
        run("index", "export", tmp_path / "own.index", "--texts", "-o", tmp_path / "t.jsonl")[0]
        == 0
    )
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    texts = {row["id"]: (row["title"], row["text"]) for row in wire}
    assert {row["id"]: (row["title"], row["text"]) for row in rows} == texts
    assert {row["id"]: row["story_id"] for row in rows} == expected
    for name in ("news.index", "own.index"):
        assert run("index", "check", tmp_path / name)[0] == 0


def test_a_saved_result_and_corrections_are_loaded(wire: list[Row], tmp_path: Path) -> None:
    rows = in_time(wire)
    archive, out, saved = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "all.npz"))
    said, more = tmp_path / "said.csv", tmp_path / "more.csv"
    put(archive, rows)
    said.write_text(f"a,b,same\n{rows[2]['id']},{rows[-3]['id']},1\n")
    more.write_text(f"a,b,same\n{rows[4]['id']},to come,0\n")
    options = ("--corrections", said, "--window", "3", "--save", saved)
    assert run("cluster", archive, "-o", out, *options)[0] == 0
    expected = partition(Stories.load(saved))
    for number, (stories, more_options, known) in enumerate(
        (
            (saved, (), 1),
            (saved, ("--corrections", more), 2),
            (out, ("--corrections", said, "--window", "3"), 1),
        )
    ):
        path = tmp_path / f"{number}.index"
        assert run("index", "load", stories, archive, "--index", path, *more_options)[0] == 0
        with StoryIndex.open(path) as index:
            assert partition(index) == expected
            assert index.settings.window_days == 3
            assert len(index.corrections) == known
        assert check(path) == []
    for wrong in ((saved, "--window", "3", archive), (saved,)):
        assert run("index", "load", *wrong, "--index", tmp_path / "no.index")[0] == 2
        assert not (tmp_path / "no.index").exists()


def test_tables_that_do_not_fit(wire: list[Row], tmp_path: Path) -> None:
    rows = [{"id": row["id"], "story_id": "s" + "0" * 15 + "a"} for row in wire[:4]]
    path = tmp_path / "news.index"
    for told, archive, message in (
        (rows[:3], wire[:4], f"article '{wire[3]['id']}' has no story in"),
        (rows, wire[:3], f"article '{wire[3]['id']}' is in .* but not in the archive"),
        ([rows[0], rows[0]], wire[:1], "line 2, field 'id': duplicate id"),
        (
            [{**rows[0], "story_id": "7"}],
            wire[:1],
            "line 1, field 'story_id': not the id of a story",
        ),
        ([{"id": "x"}], wire[:1], "field 'story_id': missing"),
    ):
        with pytest.raises(SahelError, match=message):
            load(put(tmp_path / "s.jsonl", told), [put(tmp_path / "a.jsonl", archive)], str(path))
        assert not path.exists()


def test_stories_that_were_edited_by_hand(tmp_path: Path) -> None:
    """Copies may be in different stories, and unrelated articles in one; nothing changes."""
    texts = ["Gunmen attacked the camp at Tessarit.", "Millet prices rose in Maradi."]
    rows = [{"id": f"a{i}", "text": texts[i % 2], "published": "2025-03-01"} for i in range(6)]
    told = {"a0": 1, "a2": 2, "a4": 2, "a1": 1, "a3": 3, "a5": 1}
    stories = [{"id": name, "story_id": f"s{number:016x}"} for name, number in told.items()]
    path = tmp_path / "news.index"
    assert (
        load(put(tmp_path / "s.jsonl", stories), [put(tmp_path / "a.jsonl", rows)], str(path)) == 6
    )
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert partition(index) == {row["id"]: str(row["story_id"]) for row in stories}
        assert index.add({**rows[0], "id": "b"}).relation == "exact"


def test_further_fields_are_kept_on_request(tmp_path: Path) -> None:
    path, new = tmp_path / "news.index", tmp_path / "new.index"
    with StoryIndex.open(path, keep_fields=True) as index:
        index.add(ODD)
        index.add({"id": "plain", "text": "Nothing else"})
    with StoryIndex.open(path, readonly=True) as index:
        extra = {"tags": ["a", {"b": 1}], "when": "2025-01-01T00:00:00"}
        assert index.article("odd").extra == extra
        assert index.article("plain").extra == {}
        frame = index.to_frame(texts=True)
        assert frame.columns[:8] == [*index.to_frame().columns, "title", "text"]
        assert frame.filter(pl.col("id") == "odd")["tags"].to_list() != [None]
    assert check(path) == []
    assert rebuild(path, new) == 2
    assert {str(row["id"]): row.get("when") for row in export(new, texts=True)} == {
        "odd": extra["when"],
        "plain": None,
    }
    with pytest.raises(SettingsError, match="keep_fields"):
        StoryIndex.open(tmp_path / "none", keep_fields=True, keep_texts=False)


def test_what_no_json_can_hold_is_left_out_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with StoryIndex.open(tmp_path / "i", keep_fields=True) as index:
        index.add({"id": "a", "text": "Rain", "deep": deep, "odd": "\ud800", "nan": float("nan")})
        assert index.article("a").extra == {"odd": "\ud800", "nan": None}
        assert "field 'deep' of 'a' is not kept" in caplog.text
        index.add({"id": "b", "text": "More rain"})


def test_texts_that_are_not_kept_cannot_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "i"
    with StoryIndex.open(path, keep_texts=False) as index:
        index.add(ODD)
        with pytest.raises(SahelError, match="no texts"):
            index.to_frame(texts=True)
    with pytest.raises(SahelError, match="no texts"):
        list(export(path, texts=True))


@pytest.mark.filterwarnings("ignore:outlets whose texts repeat the same words")
def test_stats_tell_what_the_process_did() -> None:
    index = StoryIndex()
    assert index.stats().median_seconds is None
    empty = index.stats().memory_bytes
    index.add_many({"id": str(n), "text": f"event{n} town{n}"} for n in range(300))
    stats = index.stats()
    assert stats.memory_bytes > empty
    assert stats.articles_per_second == pytest.approx(300 / 60)
    assert stats.median_seconds is not None
    assert stats.p99_seconds is not None
    assert 0 < stats.median_seconds <= stats.p99_seconds
