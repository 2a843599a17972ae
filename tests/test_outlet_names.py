"""Names of outlets: hosts have one form, and names that may mean one are reported."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import Article, SahelWarning, Settings, StoryIndex, cluster
from sahel_dedup.clustering.canonical import canonical
from sahel_dedup.util.outlet_names import alike_outlets, outlet_name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("bbc.com", "bbc.com"),
        ("www.bbc.com", "bbc.com"),
        ("WWW.BBC.COM", "bbc.com"),
        (" https://www.bbc.com/ ", "bbc.com"),
        ("http://bbc.com:8080", "bbc.com"),
        ("bbc.com.", "bbc.com"),
        ("news.bbc.co.uk", "news.bbc.co.uk"),
        ("https://www.bbc.com/Afrique/", "bbc.com/Afrique"),
        ("münchen.de", "münchen.de"),
        ("BBC", "BBC"),
        ("BBC News", "BBC News"),
        ("A.F.P.", "A.F.P."),
        ("U.S. News", "U.S. News"),
        ("AllAfrica.com (Dakar)", "AllAfrica.com (Dakar)"),
        ("www", "www"),
        ("3.14", "3.14"),
    ],
)
def test_hosts_have_one_form_and_other_names_stay(written: str, name: str) -> None:
    assert outlet_name(written) == name
    assert Article("a", "t", source=written).source == name
    assert Article.from_mapping({"id": "a", "text": "t", "source": written}).source == name
    assert Settings(preferred_sources=(written,)).preferred_sources == (name,)


@given(st.text(max_size=30))
def test_a_name_in_its_form_stays(source: str) -> None:
    assert outlet_name(outlet_name(source)) == outlet_name(source)


@pytest.mark.parametrize(
    "alike",
    [
        ["BBC", "BBC News", "bbc.co.uk", "bbc.com"],
        ["FOX", "Fox News", "Fox Online News", "fox", "foxnews.com"],
        ["Le Monde", "lemonde.fr"],
        ["The Guardian", "guardian", "theguardian.com"],
        ["ACAN - EFE", "ACAN EFE", "ACAN-EFE"],
        ["RADIO SANDINO", "Radio Sandino"],
        ["الجزيرة", "الجزيرة News"],
        ["Go", "go.com"],
        ["Le Soir", "www.le-soir.be"],
        # The last name has a form in common with each of the others.
        ["FOX", "FoxNews", "fox news"],
    ],
)
def test_names_that_may_mean_one_outlet(alike: list[str]) -> None:
    others = ["Sahel Wire", "a.blogspot.com", "b.blogspot.com", "News", "The", "-", "x"]
    others += ["bbc.com/afrique", "lemonde.fr/afrique"]
    given = [*others, *alike]
    random.Random(len(alike)).shuffle(given)
    assert alike_outlets(given) == [alike]


@given(st.lists(st.text(alphabet="ab. -:/n", max_size=8)))
def test_the_order_of_outlets_does_not_matter(names: list[str]) -> None:
    groups = alike_outlets(names)
    assert groups == alike_outlets(reversed(names))
    members = [name for group in groups for name in group]
    assert len(members) == len(set(members))
    assert set(members) <= set(names)


def rows(*sources: str) -> list[dict[str, str]]:
    return [
        {"id": str(n), "text": f"Rain fell on {n} villages.", "source": source}
        for n, source in enumerate(sources)
    ]


def test_outlets_alike_are_reported_and_stay_two() -> None:
    given = rows("BBC", "www.bbc.com", "AFP")
    told = "several names: 1, for example 'BBC', 'bbc.com'; each name counts as a separate"
    with pytest.warns(SahelWarning, match=told):
        found = cluster(given).read_summary
    assert (found.outlets, found.alike) == (3, 1)
    with StoryIndex() as index, pytest.warns(SahelWarning, match=told):
        index.add_many(given)


def test_the_outlets_of_an_index_are_compared_with_those_that_arrive() -> None:
    with StoryIndex() as index:
        index.add_many(rows("BBC", "AFP"))
        with pytest.warns(SahelWarning, match="several names: 1, for example 'BBC', 'bbc.com'"):
            index.add_many([{**row, "id": "new"} for row in rows("https://bbc.com")])
        # They have been reported.
        index.add_many([{**row, "id": "newer"} for row in rows("AFP")])


def test_a_host_is_one_outlet_however_it_is_written() -> None:
    given = rows("bbc.com", "www.bbc.com", "https://BBC.com/", "afp.com")
    assert cluster(given).read_summary.outlets == 2
    articles = [Article.from_mapping(row) for row in given]
    assert canonical(articles, preferred_sources=["www.afp.com"]).id == "3"
