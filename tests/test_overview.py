"""Presentation of results: frames, short reprs, and HTML in a notebook."""

from __future__ import annotations

import html
import math
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import Article, SahelError, Stories, StoryIndex, audit, cluster
from sahel_dedup.batch import Archive
from sahel_dedup.explain.overview import render
from sahel_dedup.explain.plots import binned, overview, pair_probabilities, timeline
from sahel_dedup.settings import Settings

DAY = datetime(2025, 3, 4, 6, tzinfo=UTC)
BRIDGE = (
    "The Karso bridge was closed on Monday morning after a lorry laden with cement struck a pier, "
    "police said. Engineers are checking the damage."
)
CLINIC = "Mayor Lucia Abeni on Monday opened a clinic with twelve beds in Old Tembe."
HOSTILE = "<script>alert(1)</script><img src=x onerror='alert(2)'>\u202e&amp;"
ROWS: list[dict[str, Any]] = [
    {"id": 7, "title": "Clinic", "text": CLINIC, "published": DAY, "source": "Herald", "n": 1.5},
    {"id": 9, "title": HOSTILE, "text": BRIDGE, "published": DAY + timedelta(hours=2),
     "source": HOSTILE},
    {"id": 3, "title": "Bridge", "text": BRIDGE, "published": DAY, "source": "Wire"},
    {"id": 5, "text": BRIDGE + " It is the third accident of the year."},
]  # fmt: skip


@pytest.fixture(scope="module")
def stories() -> Stories:
    return cluster(ROWS)


class Page(HTMLParser):
    """Collects the tags of a page and what it shows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.shown = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.shown += data


def check_harmless(page: str) -> Page:
    """Assert that nothing in a page runs or loads anything."""
    found = Page(page)
    assert not found.tags & {"script", "img", "a", "link", "iframe", "object", "foreignobject"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert not found.attributes & {"href", "src", "xlink:href"}
    assert "\u202e" not in page
    return found


def test_frames_are_in_input_order_and_join_with_the_input(stories: Stories) -> None:
    assert stories.articles is not None
    assert [article.id for article in stories.articles] == ["7", "9", "3", "5"]
    frame = stories.to_frame()
    assert frame["id"].to_list() == [7, 9, 3, 5]
    joined = pl.DataFrame([{"id": row["id"]} for row in ROWS]).join(frame, on="id")
    assert joined["story_id"].to_list() == frame["story_id"].to_list()


def test_pandas_merges(stories: Stories) -> None:
    pd = pytest.importorskip("pandas")
    frame = stories.to_pandas()
    merged = pd.DataFrame(ROWS)[["id", "text"]].merge(frame, on="id")
    assert merged["story_id"].tolist() == stories.to_frame()["story_id"].to_list()
    assert str(frame["published"].dtype) == "datetime64[us, UTC]"
    assert frame["published"].isna().tolist() == [False, False, False, True]
    undated = cluster([{"id": "a", "text": BRIDGE}]).to_pandas()
    assert str(undated["published"].dtype) == "datetime64[us, UTC]"
    assert undated["id"].tolist() == ["a"]


def test_without_pandas_the_error_names_the_remedy(
    stories: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SahelError, match="pip install pandas"):
        stories.to_pandas()


@pytest.mark.parametrize("name", ["07", 2**63, "7"])
def test_ids_that_are_no_numbers_stay_text(name: str | int) -> None:
    found = cluster([{"id": 1, "text": BRIDGE}, {"id": name, "text": CLINIC}]).to_frame()
    assert found["id"].to_list() == ["1", str(name)]


def test_frame_of_stories(stories: Stories) -> None:
    frame = stories.stories_frame()
    assert frame.columns == [
        "story_id", "size", "first", "last", "outlets", "canonical", "title"
    ]  # fmt: skip
    assert frame["story_id"].to_list() == [story.id for story in stories]
    assert frame.row(0, named=True) == {
        "story_id": stories["3"].id,
        "size": 3,
        "first": DAY,
        "last": DAY + timedelta(hours=2),
        "outlets": ["Wire", HOSTILE],
        "canonical": int(stories["3"].canonical),
        "title": next(row for row in ROWS if str(row["id"]) == stories["3"].canonical)["title"],
    }
    assert frame["size"].sum() == len(ROWS)
    assert cluster([]).stories_frame().height == 0


def test_frame_of_stories_without_texts(stories: Stories) -> None:
    streamed = Archive.read(
        iter(map(Article.from_mapping, ROWS)), Settings(), lambda *_: None
    ).stories()
    frame = streamed.stories_frame()
    assert frame["title"].to_list() == [None, None]
    numbers = pl.col("canonical").cast(pl.String)
    assert frame.drop("title").equals(stories.stories_frame().with_columns(numbers).drop("title"))
    assert streamed["3"].details == ()
    assert "7" in check_harmless(streamed["7"]._repr_html_()).shown
    with pytest.raises(SahelError, match="texts were not kept"):
        streamed.without_copies()


def test_one_article_for_each_story_is_kept(wire: list[dict[str, Any]]) -> None:
    found = cluster(wire)
    kept = found.without_copies()
    canonical = found.to_frame().filter(pl.col("canonical"))["id"].to_list()
    assert [article.id for article in kept] == canonical
    assert len({found[article.id].id for article in kept}) == len(found) == len(kept)
    assert found.duplicate_ratio() == 1 - len(kept) / len(wire)
    nothing = cluster([])
    assert (nothing.without_copies(), nothing.duplicate_ratio()) == ([], 0.0)


def test_a_story_holds_its_articles(stories: Stories) -> None:
    story = stories["3"]
    assert tuple(article.id for article in story.details) == story.articles
    with StoryIndex() as index:
        index.add_many(ROWS)
        assert index["3"].details == ()
        assert index["3"].articles == story.articles


def test_reprs_are_short(stories: Stories, wire: list[dict[str, Any]]) -> None:
    assert repr(stories["3"]) == (
        f"<Story {stories['3'].id}: 3 articles, canonical {stories['3'].canonical!r}>"
    )
    found = cluster(wire)
    explanation = stories.explain("9", "3")
    for value in (found, next(iter(found)), audit(found), explanation, found.weakest_links()[0]):
        assert len(repr(value)) < 300
    assert repr(audit(cluster([]))).endswith("estimated precision unknown>")
    assert repr(explanation).startswith("<Explanation: '9' and '3', exact, similarity 0.72, one s")


def test_printing_an_explanation_shows_it_without_control_characters(stories: Stories) -> None:
    shown = str(stories.explain("9", "5"))
    assert "Engineers are checking the damage" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_notebooks_show_results_and_run_nothing(stories: Stories) -> None:
    for value in (stories, stories["3"], audit(stories), stories["7"]):
        page = check_harmless(value._repr_html_())
        assert "svg" in page.tags
    shown = check_harmless(stories._repr_html_()).shown
    assert "duplicate ratio: 50.0%" in " ".join(shown.split())
    assert "alert(1)" in check_harmless(stories["3"]._repr_html_()).shown
    assert "Weakest links" in check_harmless(audit(stories)._repr_html_()).shown
    check_harmless(cluster([])._repr_html_())
    check_harmless(audit(cluster([]))._repr_html_())


@given(texts=st.lists(st.text(), min_size=4, max_size=4))
def test_everything_from_outside_is_escaped(texts: list[str]) -> None:
    heading, name, outlet, title = (f"<b onclick='x'>{text}" for text in texts)
    rows = [{"id": name, "text": BRIDGE, "title": title, "source": outlet}]
    for page in (render(heading, [("a", name)]), cluster(rows)[name]._repr_html_()):
        assert "b" not in check_harmless(page).tags
        assert html.escape("<b onclick='x'>")[:6] in page


def test_the_audit_as_plain_values_holds_no_texts(stories: Stories) -> None:
    found = audit(stories).to_dict()
    assert BRIDGE not in repr(found)
    assert found["plots"]


def test_a_long_story_is_cut() -> None:
    copies = [{"id": f"{number}", "text": BRIDGE, "published": DAY} for number in range(60)]
    page = cluster(copies)["0"]._repr_html_()
    assert "10 more" in page
    assert page.count("<tr>") < 60


@given(
    days=st.lists(st.floats(-200_000, 30_000) | st.just(math.nan), max_size=30),
    span=st.sampled_from([0.1, 3.0, 20.0, 3e3, 4e5]),
)
def test_timelines_count_every_article_once(days: list[float], span: float) -> None:
    times = np.array([20_000 + (day % span) for day in days])
    plot = timeline(times)
    dated = int((~np.isnan(times)).sum())
    assert sum(count for _, count in plot.bars) == dated
    assert len(plot.bars) <= 20
    assert len({label for label, _ in plot.bars}) == len(plot.bars)
    if len(plot.bars) > 1:
        assert plot.bars[0][1] > 0
        assert plot.bars[-1][1] > 0


@given(values=st.lists(st.integers(1, 300)))
def test_values_are_counted_by_the_last_bound_that_they_reach(values: list[int]) -> None:
    bounds = (1, 3, 10, 100)
    slowly = [sum(sum(b <= v for b in bounds) - 1 == i for v in values) for i in range(4)]
    assert binned(values, bounds, "abcd") == list(zip("abcd", slowly, strict=True))


def test_probabilities_fall_into_tenths() -> None:
    plot = pair_probabilities(np.array([0.0, 0.09, 0.5, 1.0]))
    assert [count for _, count in plot.bars] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert plot.bars[9][0] == ".9–1"
    sizes, times, _ = overview([1, 1, 400], np.array([]), np.array([]))
    assert dict(sizes.bars)["over 100"] == 1
    assert times.bars == []
