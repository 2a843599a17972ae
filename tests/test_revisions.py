"""Titles that mark a revision, and what an outlet reports again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import Article
from sahel_dedup.batch import Archive
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.scoring.updates import marked_updates, reprints, updates
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import REVISED
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.revisions import marks_revision

MARKED = (
    "Train-Derailment (1st Lead)",
    "Train-Derailment (2nd Ld-Writethru)",
    "(LEAD) Parliament passes budget",
    "Correction: Train-Derailment story",
    "CORRECTED - Mill to reopen",
    "(CORRECTED) - Mill to reopen",
    "UPDATE 3-Mill to reopen",
    "UPDATE: Mill to reopen",
    "RPT-Mill to reopen",
    "Mill to reopen (updated 14:00)",
    "Mill to reopen [UPDATED]",
    "LIVE: Storm hits the coast",
    "Live updates | Storm hits the coast",
    "Storm live: ferries cancelled",
    "Storm hits the coast – live",
    "Storm hits the coast – as it happened",
    "EN DIRECT - Tempête sur la côte",
    "Tempête sur la côte : en direct",
    "EN VIVO: Tormenta en la costa",
    "مباشر: عاصفة تضرب الساحل",
    "تغطية مباشرة: عاصفة تضرب الساحل",
    "عاصفة تضرب الساحل لحظة بلحظة",
    "Storm of the year, as it happened",
    "The day of the storm as it happened",
    "EN DIRECT. Tempête sur la côte",
    "Tempête sur la côte, en direct : les écoles ferment",
    "Tormenta en la costa, en directo",
    "Tormenta, minuto a minuto: cierran las escuelas",
    "Tempestade na costa: ao minuto",
    "Sturm an der Küste im Liveticker",
    "Sturm-Ticker: Schulen schließen",
    "Sturm an der Küste (2. Zusammenfassung)",
    "1. Zusammenfassung - Sturm an der Küste",
    "2ND LEAD: Storm hits the coast",
    "Tempête sur la côte (PAPIER GENERAL)",
    "Tormenta en la costa (Actualiza con balance)",
    "Tormenta en la costa (Resumen)",
    "Storm hits the coast (adds details)",
    "【更新】风暴袭击海岸",
)
PLAIN = (
    "",
    "Live cattle futures seen steady",
    "Live-streamed killing shocks town",
    "Miners strike at lead-zinc plant",
    "City take the lead",
    "Update on wildfires",
    "Correction in the bond market",
    "Repeat-offender jailed",
    "Direct-flight deal signed",
    "BREAKING: Bridge falls",
    "URGENT - Bridge falls",
    "Latest poll gives Rovers chance",
    "They live, work and die on the coast",
    "A match that will be shown live",
    "Le match sera diffusé en direct",
    "Zusammenfassung der Woche",
    "Resumen: los mercados",
    "Town adds 40 homes (and a school)",
    "Bank (BNK) to sell branches",
)
DAY = datetime(2025, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize("title", MARKED)
def test_a_title_marks_a_revision(title: str) -> None:
    assert marks_revision(title)


@pytest.mark.parametrize("title", PLAIN)
def test_a_title_marks_none(title: str) -> None:
    assert not marks_revision(title)


@given(st.lists(st.sampled_from(MARKED + PLAIN) | st.text(max_size=20), max_size=6))
def test_the_lowest_bit_of_a_headline_is_its_mark(titles: list[str]) -> None:
    articles = [Article(str(n), "Rain in Kidal", title=title) for n, title in enumerate(titles)]
    for title, headline in zip(titles, Sketcher().sketch(articles).headline.tolist(), strict=True):
        if headline:
            assert headline & int(REVISED) == marks_revision(title)
        else:
            assert not any(char.isalnum() for char in title)


def pair_of(*articles: Article) -> tuple[bool, bool]:
    """Whether two articles may be updates, and whether they are."""
    archive = Archive.read(articles, Settings(), lambda *_: None)
    profiles = archive.profiles
    similarity = Similarity(profiles, archive.sketcher)
    first, second = np.array([0]), np.array([1])
    cosine = similarity.cosines(first, second)
    (may_be,) = marked_updates(first, second, profiles).tolist()
    (found,) = updates(first, second, cosine, profiles, similarity).tolist()
    return may_be, found


def report(name: str, title: str | None, hours: float | None, source: str | None) -> Article:
    text = "A dam burst near Tolme on Monday and flooded the road to Arvik, the mayor said."
    when = None if hours is None else DAY + timedelta(hours=hours)
    return Article(name, text, title=title, published=when, source=source)


@pytest.mark.parametrize(
    ("title", "hours", "source", "expected"),
    [
        ("UPDATE 1-Dam bursts near Tolme", 18.0, "Wire", True),
        ("UPDATE 1-Dam bursts near Tolme", 18.1, "Wire", False),
        ("UPDATE 1-Dam bursts near Tolme", None, "Wire", False),
        ("UPDATE 1-Dam bursts near Tolme", 2.0, "Daily", False),
        ("UPDATE 1-Dam bursts near Tolme", 2.0, None, True),
        ("Dam that burst near Tolme was old", 2.0, "Wire", False),
        (None, 2.0, "Wire", False),
    ],
)
def test_an_outlet_reports_again_within_hours(
    title: str | None, hours: float | None, source: str | None, expected: bool
) -> None:
    first = report("a", "Dam bursts near Tolme", 0.0, "Wire")
    again = report("b", title, hours, source)
    assert pair_of(first, again) == (expected, expected)


def test_an_unknown_outlet_may_report_again() -> None:
    first = report("a", "Dam bursts near Tolme", 0.0, None)
    assert pair_of(first, report("b", "UPDATE 1-Dam bursts near Tolme", 2.0, None))[0] is True


def test_two_forms_with_names_of_their_own_are_no_updates() -> None:
    form = "{0} reported a rise in quarterly profit on Monday and kept its forecast for the year."
    first, second = (
        Article(
            name,
            form.format(name),
            title=f"UPDATE 1-{name} profit rises",
            published=DAY,
            source="Wire",
        )
        for name in ("Dornwald", "Isella")
    )
    assert pair_of(first, second) == (True, False)


def test_a_word_that_nearly_every_text_has_is_no_name() -> None:
    pages = [
        Article(name, text, title=title, published=DAY, source="Wire", lang="en")
        for name, title, text in (
            (
                "a",
                "LIVE: Dyke in Unterrode bursts",
                "Soldiers are on their way to Unterrode in the Werra valley. A dyke bursts there.",
            ),
            (
                "b",
                "LIVE: Missing farmers saved",
                "Two missing farmers waved from the roof of a barn and were saved by helicopter at "
                "noon. A nurse who treated them said that both had been drinking rainwater. When a "
                "dyke bursts, as near Unterrode, cattle drown first. Neighbours had lit fires and "
                "rung the chapel bell through the night, hoping for answers.",
            ),
        )
    ]
    assert pair_of(*pages) == (True, True)


def test_updates_with_new_names_but_similar_wording_are() -> None:
    first = Article(
        "a",
        "A dam burst near Tolme on Monday. Water flooded the road to Arvik, mayor Jon Sund said.",
        title="UPDATE 1-Dam bursts near Tolme, water on road",
        published=DAY,
        source="Wire",
    )
    second = Article(
        "b",
        "Helicopters took forty people off roofs in Arvik after a dam near Tolme had burst. "
        "Mayor Jon Sund said on Monday that the flooded road was closed.",
        title="UPDATE 2-Helicopters take people off roofs in Arvik",
        published=DAY + timedelta(hours=3),
        source="Wire",
    )
    assert pair_of(first, second) == (True, True)


INQUIRY = (
    "The bishop of Corvale resigned on Sunday after an inquiry had found that he knew for years of "
    "abuse at a boarding school. He asked the victims for forgiveness in a letter that was read "
    "out in all churches, and said that he would withdraw to a monastery."
)


@pytest.mark.parametrize(
    ("title", "hours", "source", "more", "expected"),
    [
        ("Bishop of Corvale goes", 18.0, "Wire", "", True),
        ("What we know so far", 18.0, "Wire", "", True),
        ("Bishop of Corvale goes", 18.1, "Wire", "", False),
        ("Bishop of Corvale goes", None, "Wire", "", False),
        ("Bishop of Corvale goes", 2.0, "Daily", "", False),
        ("Bishop of Corvale goes", 2.0, None, "", False),
        ("Bishop of Corvale goes", 2.0, "Wire", " The police reopen old files.", False),
        (None, 2.0, "Wire", "", False),
    ],
)
def test_an_outlet_prints_a_report_again_with_another_title(
    title: str | None, hours: float | None, source: str | None, more: str, expected: bool
) -> None:
    when = None if hours is None else DAY + timedelta(hours=hours)
    first = Article("a", INQUIRY, title="Inquiry: bishop resigns", published=DAY, source="Wire")
    again = Article("b", INQUIRY + more, title=title, published=when, source=source)
    assert is_reprint(first, again) is expected


def test_a_page_in_the_place_of_reports_is_no_report_that_is_printed_again() -> None:
    page = "You have reached your limit of free articles. To go on, log in or subscribe, please."
    titles = "Bishop of Corvale resigns", "Locusts reach Fadara"
    assert not is_reprint(
        *(Article(title, page, title=title, published=DAY, source="Wire") for title in titles)
    )


def is_reprint(*articles: Article) -> bool:
    archive = Archive.read(articles, Settings(), lambda *_: None)
    similarity = Similarity(archive.profiles, archive.sketcher)
    first, second, copy = np.array([0]), np.array([1]), np.array([True])
    (found,) = reprints(first, second, copy, archive.profiles, similarity).tolist()
    return bool(found)
