"""Corrections: each one is followed, in any order, and every contradiction is named."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sahel_dedup import (
    ArticleError,
    CorrectionError,
    SahelWarning,
    Settings,
    Stories,
    StoryIndex,
    audit,
    cluster,
)
from sahel_dedup.cli import app
from sahel_dedup.clustering import corrected, large_components
from sahel_dedup.corrections.corrections import Correction, Corrections
from sahel_dedup.corrections.placing import place_groups
from sahel_dedup.io.summary import ReadSummary

ATTACK = (
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, said the mayor"
)
MILLET = "Millet prices rose in Maradi as the lean season began, traders said at the grain market"
FLOOD = "Floods along the river Komadugu swept away forty houses in Diffa, the prefect announced"
# Two exact copies, three reports of one event, two of another, one three weeks later, one alone.
ARTICLES: list[dict[str, Any]] = [
    {"id": "a", "text": f"{ATTACK}.", "published": "2024-03-04"},
    {"id": "b", "text": f"{ATTACK}.", "published": "2024-03-05"},
    {"id": "c", "text": f"The mayor said: {ATTACK} after dark.", "published": "2024-03-05"},
    {"id": "d", "text": f"{MILLET}.", "published": "2024-03-05"},
    {"id": "e", "text": f"{MILLET} on Tuesday morning.", "published": "2024-03-06"},
    {"id": "f", "text": f"{MILLET} again.", "published": "2024-03-27"},
    {"id": "g", "text": f"{FLOOD}.", "published": "2024-03-08"},
    {"id": "h", "text": f"{FLOOD} to reporters.", "published": "2024-03-08"},
]
IDS = [str(article["id"]) for article in ARTICLES]
NATURAL = {frozenset("abc"), frozenset("de"), frozenset("f"), frozenset("gh")}

# What there is to find is alike, and threads take longer to start than eight articles.
QUICK = Settings(workers=1, recall=0.5, recall_similarity=0.9)

Said = list[tuple[str, str, int]]
PAIRS = st.tuples(st.sampled_from([*IDS, "x", "y"]), st.sampled_from([*IDS, "x", "y"]))
SAID: st.SearchStrategy[Said] = st.lists(
    st.tuples(PAIRS.filter(lambda pair: pair[0] != pair[1]), st.sampled_from([0, 1, 0, 1, 1])),
    max_size=7,
).map(lambda said: [(*pair, same) for pair, same in said])


def closed(said: Iterable[tuple[str, str, int]]) -> dict[str, set[str]]:
    """Return for each named article all that it must be one story with, the slow way."""
    said = list(said)
    reached = {name: {name} for a, b, _ in said for name in (a, b)}
    for _ in reached:
        for a, b, same in said:
            if same:
                reached[a] |= reached[b]
                reached[b] |= reached[a]
    return reached


def contradicted(said: Said) -> list[tuple[str, str]]:
    reached = closed(said)
    return sorted({(min(a, b), max(a, b)) for a, b, same in said if not same and b in reached[a]})


def partition(stories: Iterable[Any]) -> set[frozenset[str]]:
    return {frozenset(story.articles) for story in stories}


def assert_followed(said: Said, stories: set[frozenset[str]]) -> None:
    story = {name: number for number, names in enumerate(stories) for name in names}
    reached = closed(said)
    for a, b, same in said:
        for one, other in itertools.product(reached[a], reached[b]):
            if one in story and other in story:
                assert (story[one] == story[other]) == bool(same), (one, other, stories)


@settings(max_examples=250)
@given(said=SAID, seed=st.randoms(use_true_random=False))
def test_the_batch_follows_all_corrections_in_any_order(said: Said, seed: Any) -> None:
    if broken := contradicted(said):
        with pytest.raises(CorrectionError) as raised:
            cluster(ARTICLES, corrections=said)
        named = raised.value.contradictions
        assert sorted({tuple(sorted((c.a, c.b))) for c, _ in named}) == broken
        for c, chain in named:
            assert isinstance(c, Correction)
            assert chain
            assert all(step.same for step in chain)
            assert {c.a, c.b} <= {name for step in chain for name in (step.a, step.b)}
        return
    unknown = {name for a, b, _ in said for name in (a, b)} - set(IDS)
    stories = grouped(ARTICLES, said)
    found = partition(stories)
    assert_followed(said, found)
    assert stories.read_summary.unknown_ids == len(unknown)
    # Stories that hold no article which is named are as they were.
    touched = {name for a, b, _ in said for name in (a, b)}
    assert {s for s in NATURAL if not s & touched} <= found
    if not any(same for *_, same in said):
        assert all(any(story <= natural for natural in NATURAL) for story in found)
    others, turned = list(ARTICLES), [(b, a, same) for a, b, same in said]
    seed.shuffle(others)
    seed.shuffle(turned)
    again = grouped(others, turned)
    assert partition(again) == found
    # All pairs inside stories, each once and in order of time; a later copy has one pair.
    copies = {"b"} - touched
    inside = [
        pair
        for pair in itertools.combinations("abcdeghf", 2)
        if pair[1] in stories[pair[0]] and (pair == ("a", "b") or copies.isdisjoint(pair))
    ]
    assert [(link.first, link.second) for link in stories.pairs()] == inside
    assert {story.id for story in again} == {story.id for story in stories}


def grouped(articles: Sequence[dict[str, Any]], said: Any) -> Stories:
    """Group articles; names that nobody has are warned of."""
    named = Corrections.read(said)
    if set(named.names) <= {article["id"] for article in articles}:
        return cluster(articles, QUICK, corrections=named)
    with pytest.warns(SahelWarning, match="ids in corrections that no article has"):
        return cluster(articles, QUICK, corrections=named)


def test_the_articles_are_the_stories_they_are_meant_to_be() -> None:
    assert partition(cluster(ARTICLES)) == partition(cluster(ARTICLES, QUICK)) == NATURAL


@example([2, 4, 0, 0, 3, 3, 4, 4, 2], [(6, 8, 1), (4, 3, 1), (1, 3, 0), (5, 0, 1)])
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=9),
    said=st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from([0, 1])), max_size=8
    ),
)
def test_groups_are_placed_as_in_the_slow_twin(
    labels: list[int], said: list[tuple[int, int, int]]
) -> None:
    told = [(str(a), str(b), same) for a, b, same in said if a != b]
    if contradicted(told):
        return
    corrections = Corrections.read(told)
    groups = {
        row: group
        for row in reversed(range(len(labels)))
        if (group := corrections.group(str(row))) is not None
    }
    given_stories = np.array(labels)
    for row, other in itertools.combinations(groups, 2):
        if labels[row] == labels[other] and corrections.are_rivals([groups[row]], [groups[other]]):
            given_stories[row] = 10 + row
    found = place_groups(given_stories, groups, corrections)
    stories = [set(np.flatnonzero(found == label).tolist()) for label in np.unique(found)]
    expected = slowly_placed(given_stories.tolist(), groups, corrections)
    assert sorted(map(sorted, stories)) == sorted(map(sorted, expected))


def slowly_placed(
    labels: list[int], groups: dict[int, str], corrections: Corrections
) -> list[set[int]]:
    stories = [{r for r, given in enumerate(labels) if given == label} for label in set(labels)]

    def rivals(one: set[int], other: set[int]) -> bool:
        return any(
            groups[b] in corrections.rivals(groups[a])
            for a in one & groups.keys()
            for b in other & groups.keys()
        )

    for group in dict.fromkeys(groups[row] for row in sorted(groups)):
        ours = {row for row in groups if groups[row] == group}
        touched = sorted((s for s in stories if s & ours), key=lambda s: min(s & ours))
        for other in touched[1:]:
            if rivals(touched[0], other):
                touched[0] |= other & ours
                other -= ours
            else:
                touched[0] |= other
                other.clear()
    return [story for story in stories if story]


def test_third_parties_go_to_the_side_of_the_evidence() -> None:
    stories = cluster(ARTICLES, corrections=[("a", "c", 0)])
    assert partition(stories) >= {frozenset("ab"), frozenset("c")}
    # Stories are joined as a whole, over any time and without evidence.
    stories = cluster(ARTICLES, corrections=[("e", "f", 1), ("f", "g", 1)])
    assert partition(stories) == {frozenset("abc"), frozenset("defgh")}
    # What must be apart stays apart when stories are joined; the rest of the story stays.
    stories = cluster(ARTICLES, corrections=[("a", "d", 1), ("c", "e", 0)])
    assert partition(stories) >= {frozenset("abcd"), frozenset("e")}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("a", "g", 0)], {"abc", "g"}),
        ([("b", "g", 0)], {"abc", "g"}),
        ([("a", "g", 0), ("b", "g", 0), ("c", "g", 0)], {"abc", "g"}),
        ([("c", "g", 1)], {"abcg"}),
        ([("a", "b", 0)], {"ac", "b", "g"}),
        ([("b", "c", 0)], {"ab", "c", "g"}),
        ([("a", "g", 1), ("b", "g", 0)], {"acg", "b"}),
        ([("b", "g", 1), ("c", "g", 0)], {"abg", "c"}),
    ],
)
@pytest.mark.parametrize(
    ("outlet", "days", "chosen"),
    [
        ("one", ("2024-03-04", "2024-03-05", "2024-03-06"), QUICK),
        (None, (None, None, None), replace(QUICK, min_probability=0.9)),
    ],
    ids=["one outlet", "undated"],
)
def test_a_named_article_stays_with_its_exact_copies(
    outlet: str | None,
    days: tuple[str | None, ...],
    chosen: Settings,
    said: Said,
    expected: set[str],
) -> None:
    """Evidence alone would part them, as it parts what one outlet repeats and what has no date."""
    copies = [
        {"id": name, "text": f"{ATTACK}.", "source": outlet, "published": day}
        for name, day in zip("abc", days, strict=True)
    ]
    rows = [*copies, ARTICLES[IDS.index("g")]]
    wanted = {frozenset(names) for names in expected}
    stories = cluster(rows, chosen, corrections=said)
    assert partition(stories) == wanted
    assert partition(stories.recut(min_probability=0.95)) == wanted
    with StoryIndex(settings=chosen) as index:
        index.corrections.add(said)
        index.add_many(rows)
        assert partition(index) == wanted


def test_copies_that_are_weeks_apart_are_no_copies() -> None:
    """The later one is an issue of a series, or news of its own, whatever is said of it."""
    rows = [{**ARTICLES[0], "source": "one"}, {**ARTICLES[0], "id": "b", "source": "one"}]
    rows[1]["published"] = "2024-03-29"
    for named in "ab":
        stories = cluster([*rows, ARTICLES[IDS.index("g")]], QUICK, corrections=[(named, "g", 0)])
        assert partition(stories) == {frozenset("a"), frozenset("b"), frozenset("g")}


def test_a_group_that_evidence_puts_on_both_sides_goes_to_the_earlier_one() -> None:
    dawn, road = f"{ATTACK} at dawn near the river", f"{ATTACK} on the road to Gao"
    texts = {"a": f"{dawn}.", "b": f"{road}.", "c": f"{dawn} again.", "d": f"{road} again."}
    rows = [{"id": name, "text": text, "published": "2024-03-04"} for name, text in texts.items()]
    assert partition(cluster(rows, QUICK)) == {frozenset("abcd")}
    sides = cluster(rows, QUICK, corrections=[("a", "b", 0)])
    assert partition(sides) == {frozenset("ac"), frozenset("bd")}
    stories = cluster(rows, QUICK, corrections=[("a", "b", 0), ("c", "d", 1)])
    assert partition(stories) == {frozenset("acd"), frozenset("b")}
    pairs = [(link.first, link.second) for link in stories.pairs()]
    assert pairs == [("a", "c"), ("a", "d"), ("c", "d")]


def test_names_of_stories_are_those_of_their_first_articles() -> None:
    names = {story.articles: story.id for story in cluster(ARTICLES)}
    joined = cluster(ARTICLES, corrections=[("b", "g", 1)])
    assert joined["g"].id == names["a", "b", "c"]
    parted = cluster(ARTICLES, corrections=[("d", "e", 0)])
    assert parted["d"].id == names["d", "e"]
    assert parted["e"].id not in names.values()


def test_what_corrections_hold_together_is_known() -> None:
    said = [Correction("a", "d", True, "Awa", "2024-04-01", "one dispatch"), ("e", "g", 0)]
    stories = cluster(ARTICLES, corrections=said)
    assert stories.held_by_corrections == (stories["a"].id,)
    assert [stories.relation(name) for name in "abcdefgh"] == [
        "exact", "exact", "near", "near", "near", None, "near", "near",
    ]  # fmt: skip
    inside = {(link.first, link.second) for link in stories.pairs()}
    assert {("a", "d"), ("a", "e"), ("c", "d")} <= inside
    (why,) = stories.explain("b", "e").corrections
    assert str(why) == "'a' and 'd' are one story (by Awa, on 2024-04-01, row 1): one dispatch"
    assert [c.same for c in stories.explain("d", "h").corrections] == [False]
    assert stories.explain("a", "b").corrections == ()
    assert stories.explain("f", "h").corrections == ()
    assert stories.explain("b", "e").to_dict()["corrections"][0]["who"] == "Awa"
    found = audit(stories)
    assert found.corrections == 2
    assert [story.id for story in found.held_by_corrections] == [stories["a"].id]
    # Exact copies need no correction to be one story.
    assert cluster(ARTICLES, corrections=[("a", "b", 1)]).held_by_corrections == ()


def test_an_explanation_names_the_correction_in_the_terminal_and_in_a_notebook(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import rich

    said = [Correction("a", "d", True, "Awa", None, "one \x1b[31mdispatch <b>")]
    explanation = cluster(ARTICLES, corrections=said).explain("a", "e")
    rich.print(explanation)
    assert "Joined by a correction: 'a' and 'd' are one story" in " ".join(
        capsys.readouterr().out.split()
    )
    page = explanation._repr_html_()
    assert "dispatch &lt;b&gt;" in page
    assert "\x1b" not in page


def test_an_explanation_names_the_corrections_on_the_two_articles_themselves() -> None:
    said = [("a", "c", 0), ("b", "c", 0), ("d", "e", 1), ("g", "h", 0)]
    stories = cluster(ARTICLES, QUICK, corrections=said)

    def named(first: str, second: str) -> list[tuple[str, str]]:
        return [(why.a, why.b) for why in stories.explain(first, second).corrections]

    assert (named("a", "c"), named("c", "b"), named("g", "h")) == (
        [("a", "c")], [("b", "c")], [("g", "h")],
    )  # fmt: skip
    # Evidence alone would do, and people said so too.
    assert named("d", "e") == [("d", "e")]
    assert named("a", "b") == named("c", "d") == []


def test_the_fewest_corrections_are_a_chain() -> None:
    pairs = ["ab", "be", "az", "zy", "ye", "cd"]
    chain = Corrections.read([(*pair, 1) for pair in pairs]).chain("a", "e")
    assert [(step.a, step.b) for step in chain] == [("a", "b"), ("b", "e")]


def test_of_equal_statements_the_same_one_is_kept_in_any_order() -> None:
    said = [Correction("a", "b", True, who) for who in ("Zeinab", "Awa", "Moussa")]
    for order in itertools.permutations(said):
        (kept,) = Corrections(order)
        assert kept.who == "Awa"


def test_a_chain_may_lead_over_articles_that_are_not_there() -> None:
    stories = grouped(ARTICLES, [("a", "gone", 1), ("gone", "d", 1), ("gone", "g", 0)])
    assert partition(stories) >= {frozenset("abcde"), frozenset("gh")}
    assert [c.b for c in stories.explain("c", "e").corrections] == ["gone", "d"]
    assert len(stories.explain("c", "h").corrections) == 1


@pytest.mark.parametrize("days", [7.0, 2.0, 0.5])
def test_saved_stories_and_recuts_follow_them_too(tmp_path: Path, days: float) -> None:
    said: Said = [("a", "b", 0), ("c", "d", 1), ("b", "g", 1), ("f", "e", 0)]
    cluster(ARTICLES, corrections=said).save(tmp_path / "stories.npz")
    loaded = Stories.load(tmp_path / "stories.npz")
    assert loaded.corrections == Corrections.read(said)
    fresh = cluster(ARTICLES, Settings(min_probability=0.9, window=days), corrections=said)
    again = loaded.recut(min_probability=0.9, window=days)
    assert partition(again) == partition(fresh)
    assert again.held_by_corrections == fresh.held_by_corrections
    assert_followed(said, partition(again))


def test_a_story_too_large_to_link_lets_go_of_what_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(corrected, "MAX_COMPONENT", 2)
    copies = [{**ARTICLES[2], "id": f"c{i}", "text": f"{ARTICLES[2]['text']} {i}"} for i in "12345"]
    rows = [*ARTICLES, *copies]
    said: Said = [("c1", "c2", 0), ("c2", "c3", 1), ("c", "d", 1)]
    stories = cluster(rows, corrections=said)
    found = partition(stories)
    assert_followed(said, found)
    joined = frozenset(["a", "b", "c", "c1", "c4", "c5", "d", "e"])
    assert found >= {frozenset(["c2", "c3"]), joined}
    assert stories.held_by_corrections == (stories["a"].id,)
    # Of a large part, some articles are compared with those that join it, and all that are named.
    monkeypatch.setattr(large_components, "_SPEAKERS", 2)
    links = {(link.first, link.second) for link in cluster(rows, corrections=said).pairs()}
    assert {(name, "d") for name in ("a", "c", "c1", "c5")} <= links
    assert ("c4", "d") not in links


def test_corrections_are_read_from_whatever_holds_them(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"a": "a", "b": "d", "same": 1, "who": "Awa", "when": "2024-04-01", "why": "one dispatch"},
        {"a": "e", "b": "g", "same": 0, "who": None, "when": None, "why": None},
        {"a": "e", "b": "h", "same": None, "who": None, "when": None, "why": None},
    ]
    expected = Corrections([Correction("a", "d", True, "Awa", "2024-04-01", "one dispatch"),
                            Correction("g", "e", False)])  # fmt: skip
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "c.csv")
    frame.write_parquet(tmp_path / "c.parquet")
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    sources: list[Any] = [
        rows, iter(rows), (tuple(row.values()) for row in rows), frame,
        frame.to_arrow().to_reader(), frame.to_pandas(), expected, list(expected),
        [("a", "d", True, "Awa", "2024-04-01", "one dispatch"), ["g", "e", False]],
        tmp_path / "c.csv", str(tmp_path / "c.jsonl"), tmp_path / "c.parquet",
    ]  # fmt: skip
    for source in sources:
        first, second = Corrections.read(source)
        assert first.to_row() == rows[0]
        assert (second.same, {second.a, second.b}) == (False, {"e", "g"})
    (timed,) = Corrections.read([{**rows[0], "when": datetime(2024, 4, 1, 10)}])
    assert timed.when == "2024-04-01T10:00:00"
    assert Corrections.read(None) == Corrections()
    assert Corrections.read(expected) | Corrections.read(None) is expected
    assert len(expected.without("d", "a")) == 1
    assert hash(Corrections.read(list(expected))) == hash(expected)
    assert repr(expected) == "<Corrections: 1 that join, 1 that separate>"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"a": "a", "b": "b"}, "line 2, field 'same': missing"),
        ({"a": "a", "b": "a", "same": 1}, "line 2, field 'b': the same article twice"),
        ({"a": "a", "same": 1}, "line 2, field 'b': missing: the row has a, same"),
        ({"id_a": "a", "same": 1}, "line 2, field 'id_b': missing"),
        ({"a": "a", "b": "c", "same": "perhaps"}, "line 2, field 'same': not 1, 0"),
    ],
)
def test_a_row_that_is_no_correction_is_named(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"\n{json.dumps(row)}\n", "utf-8")
    with pytest.raises(ArticleError, match=re.escape(reason)) as raised:
        Corrections.read(path)
    assert raised.value.file == str(path)


def test_contradictions_are_told_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("a,b,same\na,b,1\nb,c,1\nd,e,0\na,c,0\nd,e,1\n", "utf-8")
    with pytest.raises(CorrectionError) as raised:
        cluster(ARTICLES, corrections=path)
    told = str(raised.value)
    assert re.search(r"'a' and 'c' are not one story \(\S+c\.csv, line 5\), but", told)
    assert "line 2" in told
    assert "line 3" in told
    assert "'d' and 'e' are not one story" in told
    assert len(raised.value.contradictions) == 2
    many = [(f"{i}", f"{j}", same) for i in range(7) for j in range(i) for same in (0, 1)]
    with pytest.raises(CorrectionError, match=r"and 16 more\)\. Remove one of them"):
        Corrections.read(many)


def test_names_that_no_article_has_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(SahelWarning, match=r"no article has: 2, for example 'x'"):
        stories = cluster(ARTICLES, corrections=[("a", "y", 1), ("x", "y", 0)])
    assert "2 corrections, 2 ids in them unknown" in str(stories.read_summary)
    assert "no article has: 2" in caplog.text
    assert ReadSummary().warnings() == []


def test_the_command_line_follows_a_file(tmp_path: Path) -> None:
    news, said, out = (tmp_path / name for name in ("news.jsonl", "said.csv", "out.jsonl"))
    news.write_text("".join(json.dumps(row) + "\n" for row in ARTICLES), "utf-8")
    said.write_text("a,b,same,who\na,d,1,Awa\nd,nobody,1,\n", "utf-8")
    command = ["cluster", str(news), "-o", str(out), "--corrections", str(said)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    rows = map(json.loads, out.read_text("utf-8").splitlines())
    story = {row["id"]: row["story_id"] for row in rows}
    assert story["a"] == story["d"]
    assert "2 corrections, 1 id in them unknown" in " ".join(result.stderr.split())
    result = CliRunner().invoke(app, ["audit", str(news), "--corrections", str(said)])
    assert "2 corrections; stories that only corrections hold together" in " ".join(
        result.output.split()
    )
    refused = CliRunner().invoke(app, [*command[:3], str(said), "--corrections", str(said)])
    assert refused.exit_code == 2
    assert said.read_text("utf-8").startswith("a,b,same,who")
