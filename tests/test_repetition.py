"""Words that an outlet repeats in all texts, and texts that have none, are reported."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sahel_dedup import SahelWarning, StoryIndex, cluster
from sahel_dedup.cli import app
from sahel_dedup.sketch import repetition
from sahel_dedup.sketch.repetition import LEAST_TEXTS

FIRST, LAST = ["ka", "mo", "ti", "du", "sen", "ra", "lo"], ["ba", "li", "gou", "ne"]
WORDS = [first + last for first in FIRST for last in LAST]
MENU = (
    "Home World Africa Sport Culture Opinion Newsletters My account Privacy policy Terms of use "
    "Contact us About this site Follow our correspondents on all channels every day"
)
TOLD = r"repeat the same words: 1, for example (\d\d)% of the words of 120 texts of 'Site'"


def archive(count: int, words: int, added: str = "", source: str | None = "Site") -> list[Any]:
    drawn = random.Random(count)
    return [
        {
            "id": f"{source}-{n}",
            "text": " ".join(drawn.choices(WORDS, k=words)) + f"\n{added}",
            "title": f"Report {n}",
            "published": f"2025-03-{n % 28 + 1:02}",
            "source": source,
        }
        for n in range(count)
    ]


def test_a_menu_in_every_short_text_is_reported(tmp_path: Path) -> None:
    rows = [*archive(120, 30, MENU), *archive(120, 30, source="Wire")]
    with pytest.warns(SahelWarning, match=TOLD) as warned:
        found = cluster(rows).read_summary
    assert found.repeating == 1
    # 26 of about 54 shingles.
    assert found.first_repeating is not None
    assert 40 <= int(found.first_repeating.partition("%")[0]) <= 55
    assert len(warned) == 1
    with StoryIndex() as index, pytest.warns(SahelWarning, match=TOLD):
        index.add_many(rows)
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    kept = ["--checkpoint", str(tmp_path / "kept")]
    for options in ([], kept, kept):
        command = ["cluster", str(file), "-o", str(tmp_path / "out.jsonl"), *options]
        assert "'Site', probably a menu" in CliRunner().invoke(app, command).stderr


def test_texts_without_a_menu_hide_none() -> None:
    """Neither texts of two words nor copies count among the texts of an outlet."""
    words = [f"{first} {last}" for first in WORDS[:18] for last in WORDS[18:]]
    short = [{"id": text, "text": text, "source": "Site"} for text in words]
    copies = [{"id": n, "text": " ".join(WORDS), "source": "Site"} for n in range(180)]
    with pytest.warns(SahelWarning, match=TOLD.replace("120", "121")):
        cluster([*archive(120, 30, MENU), *short, *copies])


def test_the_outlet_that_repeats_most_is_named() -> None:
    rows = [
        *archive(120, 60, MENU, source="First"),
        *archive(120, 30, MENU),
        *archive(120, 50, MENU, source="Last"),
    ]
    with pytest.warns(SahelWarning, match=TOLD.replace("1, ", "3, ")):
        cluster(rows)


@pytest.mark.parametrize(("count", "words"), [(LEAST_TEXTS, 30), (120, 100)])
def test_few_texts_and_a_short_menu_are_reported(count: int, words: int) -> None:
    with pytest.warns(SahelWarning, match=TOLD.replace("120", str(count))):
        cluster(archive(count, words, MENU))


def test_of_many_texts_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "MOST_TEXTS", 110)
    with pytest.warns(SahelWarning, match=TOLD.replace("120", "110")):
        cluster(archive(220, 30, MENU))


def test_a_stream_reports_a_menu_only_when_it_was_read() -> None:
    with StoryIndex() as index:
        with pytest.warns(SahelWarning, match=TOLD):
            index.add_many(archive(120, 30, MENU))
        index.add_many(archive(121, 30, source="Wire"))


SENT_DAILY = [
    {"id": f"daily-{n}", "text": f"{' '.join(words)}\n{MENU}", "source": "Site"}
    for n, words in enumerate([WORDS[:14], WORDS[14:]] * 65)
]


@pytest.mark.parametrize(
    "rows",
    [
        archive(120, 30),
        archive(120, 200, MENU),
        archive(LEAST_TEXTS - 1, 30, MENU),
        # Variants of one text have no menu.
        archive(120, 2, MENU),
        # Copies of one text repeat nothing, nor do two texts that are sent every day, nor texts
        # without shingles.
        [*archive(120, 30), *SENT_DAILY],
        [{**row, "text": MENU} for row in archive(120, 30)],
        [{**row, "text": "rain", "title": None} for row in archive(120, 30)],
    ],
)
def test_other_texts_are_not_reported(rows: list[Any]) -> None:
    assert not cluster(rows).read_summary.repeating


def test_texts_of_unknown_outlets_are_compared_too() -> None:
    rows = archive(120, 30, MENU, source=None)
    with pytest.warns(SahelWarning, match="of 120 texts of unknown outlets, probably a menu"):
        cluster(rows)


BARE = ["<p><img src='x.png'/></p>", "Advertisement", "(AFP)", "***"]


def test_texts_with_nothing_but_boilerplate_are_counted(tmp_path: Path) -> None:
    texts = [*BARE, "", " ", "Rain fell in Kidal."]
    rows = [{"id": n, "text": text, "title": f"Rain {n}"} for n, text in enumerate(texts)]
    found = cluster(rows).read_summary
    assert (found.empty, found.wordless) == (2, len(BARE))
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    kept = ["--checkpoint", str(tmp_path / "kept")]
    told = f"articles with nothing but markup or boilerplate: {len(BARE)}\n"
    for options in ([], kept, kept):
        command = ["cluster", str(file), "-o", str(tmp_path / "out.jsonl"), *options]
        assert told in CliRunner().invoke(app, command).stderr
    for _ in range(2):
        command = ["ingest", str(file), "--index", str(tmp_path / "news.index")]
        assert told in CliRunner().invoke(app, command).stderr


def test_a_stream_reports_impossible_dates() -> None:
    rows = [
        {"id": n, "text": f"Rain fell in Kidal {n}.", "published": day}
        for n, day in enumerate(["2999-01-01", "1970-01-01", "2025-03-04"])
    ]
    told = r"impossible dates? \(before 1400, .*, taken as missing"
    with StoryIndex() as index:
        with pytest.warns(SahelWarning, match="^2 " + told):
            index.add_many(rows)
        with pytest.warns(SahelWarning, match="^1 " + told) as warned:
            index.add({**rows[0], "id": "other"})
        assert warned[0].filename == __file__
        index.add({**rows[2], "id": "third"})
