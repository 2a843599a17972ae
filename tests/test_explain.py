"""Explanations: why two articles are one story, and where they differ."""

from __future__ import annotations

import gzip
import html
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sahel_dedup import Stories, StoryIndex, cluster
from sahel_dedup.articles import Article
from sahel_dedup.cli import app
from sahel_dedup.explain import Explanation, explain, view
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.scoring.breakdown import ScoreBreakdown

ROOT = Path(__file__).parents[1]
KAYES = Path(os.environ.get("SAHEL_DATA", ROOT.parent / "shared" / "data")) / "kayes.jsonl.gz"
NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)

BODY = (
    "At least 14 soldiers were killed and nine wounded on Monday when gunmen ambushed a supply "
    "convoy near the village of Dourgama in the Mopti region. The convoy was taking food to the "
    "garrison when a roadside bomb destroyed the lead truck. Men on motorcycles then opened fire."
)
OTHER = "The central bank left its main rate unchanged, citing calm prices for grain and fuel."


@pytest.fixture(scope="module")
def wire() -> dict[str, Article]:
    sample = ROOT / "sahel_dedup" / "sample" / "wire.jsonl"
    return {article.id: article for article in read_articles(str(sample))}


def shown(explanation: Explanation) -> str:
    out = StringIO()
    Console(file=out, width=100).print(explanation)
    return out.getvalue()


def test_exact_copies() -> None:
    copy = BODY.upper().replace(". ", ".\n\n")
    explanation = explain(Article("a", BODY), Article("b", copy))
    assert explanation.relation == "exact"
    assert explanation.contains == "both"
    assert explanation.similarity == pytest.approx(1)
    assert sum(term.share for term in explanation.terms) <= 1
    assert explanation.only_a == explanation.only_b == ()


def test_a_trimmed_copy_lies_in_its_original() -> None:
    trimmed = BODY[: BODY.index(" Men on")]
    explanation = explain(Article("a", trimmed), Article("b", BODY))
    assert (explanation.relation, explanation.contains) == ("near", "a in b")
    assert explanation.overlap.a_in_b == 1
    assert explain(Article("b", BODY), Article("a", trimmed)).contains == "b in a"
    assert "b contains a: 100%" in shown(explanation)


def test_reworded(wire: dict[str, Article]) -> None:
    explanation = explain(wire["wire-003"], wire["wire-007"])
    assert explanation.relation == "reworded"
    assert explanation.contains is None
    assert explanation.hours == pytest.approx(7.3)
    assert {"dourgama", "sanda", "kouri"} & {term.term for term in explanation.terms}


@pytest.mark.parametrize(
    ("published", "why"),
    [
        (None, "undated"),
        ("  ", "undated"),
        ("soon", "undated (not a date: 'soon')"),
        ("03/04/2025", "undated (ambiguous date: '03/04/2025', day and month in either order)"),
        (10**16, "undated (not a date: 10000000000000000)"),
        ("2925-01-02", "undated (impossible date: 2925-01-02)"),
        ("1970-01-01", "undated (impossible date: 1970-01-01)"),
        ("2025-03-04", None),
    ],
)
@pytest.mark.filterwarnings("ignore::sahel_dedup.SahelWarning")
def test_an_explanation_says_that_an_article_was_taken_as_undated_and_why(
    published: object, why: str | None, tmp_path: Path
) -> None:
    rows = [
        {"id": "a", "text": BODY, "published": published},
        {"id": "b", "text": BODY, "published": "2025-03-05"},
    ]
    stories = cluster(rows)
    stories.save(tmp_path / "saved.npz")
    for known in (stories, Stories.load(tmp_path / "saved.npz")):
        found = known.explain("a", "b")
        assert found.to_dict()["undated"] == {"a": why, "b": None}
        assert found.hours == (24 if why is None else None)
        for text in (shown(found), html.unescape(found._repr_html_())):
            assert (why or "2025-03-04 00:00 UTC") in " ".join(text.split())
    with StoryIndex.open(tmp_path / "news.index") as index:
        index.add_many(rows)
        # It keeps only dates that can be used.
        kept = index.explain("a", "b").to_dict()["undated"]["a"]
        assert kept == (None if why is None else "undated")
    archive = tmp_path / "rows.jsonl"
    archive.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = CliRunner().invoke(app, ["explain", str(archive), "a", "b"], catch_exceptions=False)
    assert (why or "2025-03-04 00:00 UTC") in " ".join(result.stdout.split())


def test_figures_of_the_titles_are_shown() -> None:
    a = Article("a", BODY, "Attack kills 23 in Mopti")
    b = Article("b", BODY, "Toll of Mopti attack at 31 after 2 days")
    explanation = explain(a, b)
    assert explanation.title_numbers == (("23",), ("2", "31"))
    assert explanation.to_dict()["title_numbers"] == {"a": ["23"], "b": ["2", "31"]}
    for text in (shown(explanation), explanation._repr_html_()):
        assert "Numbers in the titles" in text
    assert "Numbers in the titles" not in shown(explain(a, Article("c", BODY, "An attack")))


def test_what_clustering_made_of_them(wire: dict[str, Article]) -> None:
    a, b = list(wire.values())[:2]
    assert "stor" not in view.decision_of(explain(a, b))
    assert view.decision_of(explain(a, b, one_story=True)) == "One story."
    pieces = {"base": 0.2, "same_outlet": -1.5, "hours": 0.0}
    breakdown = ScoreBreakdown(0.31, -1.3, 0.5, True, pieces)
    explanation = explain(a, b, one_story=False, breakdown=breakdown)
    for text in (" ".join(shown(explanation).split()), explanation._repr_html_()):
        assert "Two stories." in text
        assert "similarity 0.31" in text
        assert "-1.30; +0.50 are needed" in text
        assert "same outlet -1.50, base +0.20." in text
    assert explanation.to_dict()["breakdown"]["pieces"] == pieces
    outside = explain(a, b, breakdown=replace(breakdown, in_window=False))
    assert "further apart in time" in shown(outside)
    assert "same outlet" not in shown(outside)


def test_strangers_and_empty_texts() -> None:
    stranger = explain(Article("a", BODY), Article("b", OTHER))
    assert stranger.relation is None
    assert "below 0.20" in stranger.why
    empty = explain(Article("a", ""), Article("b", ""))
    assert (empty.relation, empty.similarity, empty.terms) == (None, 0.0, ())
    assert "to the similarity: none" in shown(empty)


def test_time_between() -> None:
    early, late = (
        Article(n, BODY, published=NOON + timedelta(hours=h)) for n, h in (("a", 0), ("b", 3))
    )
    assert explain(early, late).hours == 3
    assert explain(late, early).hours == -3
    assert explain(early, Article("c", BODY)).hours is None
    assert "3.0 hours after the first" in shown(explain(early, late))


def test_weights_may_be_given() -> None:
    def only_dourgama(words: object) -> list[float]:
        assert isinstance(words, list)
        return [1.0 if word == "dourgama" else 0.0 for word in words]

    explanation = explain(Article("a", BODY), Article("b", "Dourgama"), weights=only_dourgama)
    assert explanation.similarity == pytest.approx(1)
    assert [(term.term, term.share) for term in explanation.terms] == [("dourgama", 1.0)]


def test_offsets_in_the_dictionary_point_at_the_texts(wire: dict[str, Article]) -> None:
    a, b = wire["wire-003"], wire["wire-009"]
    told = json.loads(explain(a, b).to_json())
    assert told["passages"]
    for side, article in (("a", a), ("b", b)):
        places = [passage[side] for passage in told["passages"]]
        places += told[f"only_{side}"] + told["quantities"][f"only_{side}"]
        assert all(article.text[p["start"] : p["end"]] == p["text"] for p in places)


def test_hostile_text_is_shown_as_text() -> None:
    hostile = (
        "<script>alert(1)</script> \x1b]0;owned\x07 \u202edesrever [bold]markup[/bold] "
        "{{ 7 * 7 }} & the lone \ud800 surrogate says \x1b[2Jthat 12 people were killed."
    )
    explanation = explain(
        Article(hostile, hostile + " Elephants.", title=hostile), Article("b", hostile)
    )
    terminal, html = shown(explanation), explanation._repr_html_()
    assert not set("\x1b\x07\u202e") & set(terminal)
    assert "[bold]markup[/bold]" in terminal
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "{{ 7 * 7 }}" in html
    html.encode()
    json.loads(explanation.to_json())


def test_long_texts_say_that_they_were_cut() -> None:
    long = Article("a", (BODY + " ") * 2000)
    explanation = explain(long, Article("b", long.text))
    assert explanation.cut
    assert explanation.relation == "exact"
    assert "only its beginning" in shown(explanation)
    assert explain(long, Article("b", long.text + " End")).relation == "near"


@pytest.mark.skipif(not KAYES.exists(), reason="the evaluation data is not here (SAHEL_DATA)")
def test_kayes() -> None:
    with gzip.open(KAYES) as lines:
        a, b = (Article.from_mapping(json.loads(line)) for line in lines)
    explanation = explain(a, b)
    told = explanation.to_dict()
    assert explanation.relation == "reworded"
    assert explanation.similarity > 0.5
    assert any(
        q["a"]["text"] == q["b"]["text"] == "intense"
        and "gunfire" in q["a"]["context"]
        and "gunfire" in q["b"]["context"]
        for q in told["quotations"]
    )
    assert any("seven of its positions" in p["a"]["text"] for p in told["passages"])
    assert any(
        pair["a"]["text"] == pair["b"]["text"] == "seven of its positions"
        for pair in told["quantities"]["common"]
    )
    assert [quantity["value"] for quantity in told["quantities"]["only_a"]] == ["80"]
    assert any("No death toll was given." in only["text"] for only in told["only_b"])
    # The copy that adds a claim of responsibility is the one that matters.
    assert any(
        negation["by"] == "b" and "no group has so far claimed" in negation["b"]["text"]
        for negation in told["negations"]
    )
    assert "80 terrorists" in shown(explanation)
    assert "80 terrorists" in explanation._repr_html_()
