"""Quantities over time: numbers in words, tolls, and the table of a story."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sahel_dedup
from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive
from sahel_dedup.errors import SahelError
from sahel_dedup.explain import explain, find_reported_quantities, view
from sahel_dedup.explain.number_words import find_numbers, read_tokens
from sahel_dedup.explain.reported_quantities import in_time, progress, quantity_rows
from sahel_dedup.explain.tolls import MOST, find_tolls
from sahel_dedup.settings import Settings
from sahel_dedup.text.number_tables import LANGUAGES
from tests.spelled import arabic, english, french, split

DATA = Path(__file__).parent / "data"
# Invented reports of five events in three languages; `story` is event and language.
REPORTS = [json.loads(line) for line in (DATA / "tolls.jsonl").read_text("utf-8").splitlines()]


def numbers(text: str, lang: str) -> list[int | None]:
    return [number.count for number in find_numbers(text, read_tokens(text), lang)]


def tolls(text: str, lang: str = "en") -> list[tuple[str, str]]:
    article = Article("a", text, lang=lang)
    return [(found.kind, str(found)) for found in find_reported_quantities(article)]


# ------------------------------------------------------------------------------ numbers in words


@given(n=st.integers(1, 99_999))
@example(n=81)
@example(n=71)
def test_english_and_french_numbers_are_read(n: int) -> None:
    assert numbers(f"x {english(n)} x", "en") == [n]
    assert numbers(f"x {french(n)} x", "fr") == [n]


@given(n=st.integers(1, 999))
def test_arabic_numbers_are_read(n: int) -> None:
    assert numbers(f"في {arabic(n)} في", "ar") == [n]


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("treinta y uno, ciento veinte, dos mil trescientos", "es", [31, 120, 2300]),
        ("trinta e um, cento e vinte e três, dois mil", "pt", [31, 123, 2000]),
        ("einunddreißig, hundertzwanzig, zweitausend", "de", [31, 120, 2000]),
        ("12,000 and 2.5 million and 1.250.000", "en", [12_000, 2_500_000, 1_250_000]),
        ("12 000 et 2,5 millions", "fr", [12_000, 2_500_000]),
        ("٣١ و١٬٢٠٠ و۴۵", "ar", [31, 1200, 45]),
        ("at 7:30 on 2025-07-01, 3.5", "en", [None, None, None]),
        ("two three; twelve, three", "en", [2, 3, 12, 3]),
        ("A320, 2nd, 4x4, hundred, and", "en", []),
        ("vingt-trois", "sw", []),
        ("", "en", []),
    ],
)
def test_numbers(text: str, lang: str, expected: list[int | None]) -> None:
    assert numbers(text, lang) == expected


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("a dozen, half a dozen, two dozen", "en", [("about", 12), ("about", 6), ("about", 24)]),
        ("dozens, several dozen, a hundred", "en",
         [("at least", 24), ("at least", 24), ("about", 100)]),
        ("une vingtaine, deux dizaines, des centaines", "fr",
         [("about", 20), ("about", 20), ("at least", 200)]),
        ("عشرات، مئات، آلاف", "ar", [("at least", 20), ("at least", 200), ("at least", 2000)]),
    ],
)  # fmt: skip
def test_round_numbers(text: str, lang: str, expected: list[tuple[str, int]]) -> None:
    found = find_numbers(text, read_tokens(text), lang)
    assert [(number.bound, number.count) for number in found] == expected


# ---------------------------------------------------------------------------------------- tolls

# What eight reports make of 23 dead that have become 31.
RAISED = {
    "en": [
        "The death toll rose to 31 on Saturday.",
        "The number of dead climbed to 31.",
        "The attack left 31 dead, officials now say.",
        "The toll has risen to 31, up from the 23 first reported.",
        "At least thirty-one people are now known to have died.",
        "Officials raised the death toll to 31.",
        "Death toll from Tonka market attack jumps to 31",
        "Eight more bodies were found, bringing the toll to 31.",
    ],
    "fr": [
        "Le bilan passe à 31 morts.",
        "Le bilan s'alourdit : trente et un morts.",
        "Le nombre de morts est passé de 23 à 31.",
        "L'attaque a fait au moins 31 morts, selon un nouveau bilan.",
        "Trente et une personnes ont péri, contre 23 annoncées auparavant.",
        "Le bilan de l'attaque a été revu à la hausse à 31 morts.",
        "Le nouveau bilan fait état de 31 tués.",
        "Huit corps ont été retrouvés, portant le bilan à 31.",
    ],
    "ar": [
        "ارتفاع حصيلة القتلى إلى 31",
        "ارتفع عدد قتلى الهجوم إلى واحد وثلاثين قتيلا",
        "ارتفعت حصيلة الهجوم إلى ٣١ قتيلا بعد أن كانت 23",
        "أسفر الهجوم عن مقتل 31 شخصا على الأقل",
        "بلغ عدد القتلى 31 شخصا وفق حصيلة جديدة",
        "حصيلة جديدة: 31 قتيلا في هجوم تونكا",
        "وصلت حصيلة الضحايا إلى 31 بعد العثور على ثماني جثث",
        "مقتل 31 مدنيا مقابل 23 في حصيلة سابقة",
    ],
}


@pytest.mark.parametrize(("lang", "text"), [(k, text) for k, v in RAISED.items() for text in v])
def test_a_raised_toll_is_recognised(lang: str, text: str) -> None:
    found = [toll for toll in find_tolls(text, lang) if toll.role == "current"]
    assert ("killed", 31) in {(toll.kind, toll.value) for toll in found}
    assert 23 not in {toll.value for toll in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At least 12 soldiers and two gendarmes were killed.",
         [("killed", "at least 14"), ("killed", "at least 12 (part)"), ("killed", "2 (part)")]),
        ("The raid killed 12, wounded 30 and displaced 2,500.",
         [("killed", "12"), ("wounded", "30"), ("displaced", "2,500")]),
        ("Between 12 and 15 people died.", [("killed", "12-15")]),
        ("12 to 15 people are missing.", [("missing", "12-15")]),
        ("12-15 people were killed.", [("killed", "12-15")]),
        ("The toll rose from 12 to 15.", [("killed", "12 (former)"), ("killed", "15")]),
        ("An earlier toll of 23 was raised to 31.", [("killed", "23 (former)"), ("killed", "31")]),
        # The first toll of a text is no former one.
        ("An initial toll of 23 was given.", [("killed", "23")]),
        ("As many as 200 people fled.", [("displaced", "at most 200")]),
        ("Three gunmen killed 31 people.", [("killed", "31")]),
        ("Two explosions killed 31.", [("killed", "31")]),
        ("One soldier was killed.", [("killed", "1")]),
        ("A bomb, one of two, wounded 31.", [("wounded", "31")]),
        ("The attack claimed 31 lives.", [("killed", "31")]),
        ("The toll of the attack is known. It has since risen to 31.", [("killed", "31")]),
        ("The injury toll rose to 40.", [("wounded", "40")]),
        ("Police arrested 15 suspects and freed 20 hostages.",
         [("arrested", "15"), ("hostages", "20")]),
        # Parts and their sums.
        ("A mine killed three soldiers, two civilians and one gendarme.",
         [("killed", "6"), ("killed", "3 (part)"), ("killed", "2 (part)"), ("killed", "1 (part)")]),
        ("In all 14 people died. At least 12 soldiers and two gendarmes were killed.",
         [("killed", "14"), ("killed", "at least 12 (part)"), ("killed", "2 (part)")]),
        ("At least nine people, including four officers, were killed.", [("killed", "at least 9")]),
        ("The raid killed 31, among them 12 soldiers and three children killed in a hut.",
         [("killed", "31"), ("killed", "12 (part)"), ("killed", "3 (part)")]),
        ("45 were wounded, eight of them badly wounded.",
         [("wounded", "45"), ("wounded", "8 (part)")]),
        ("Two soldiers have died of their wounds, bringing to 10 the number of troops killed.",
         [("killed", "2 (part)"), ("killed", "10")]),
        ("Death toll rises to 64 as divers recover 11 bodies",
         [("killed", "64"), ("killed", "11 (part)")]),
        ("The raid killed 12 soldiers and wounded 30 civilians.",
         [("killed", "12"), ("wounded", "30")]),
        ("Six people died and at least 40 were hurt.",
         [("killed", "6"), ("wounded", "at least 40")]),
        # No tolls.
        ("Ali, 12, was killed in 2014 on 12 March at 7:30.", []),
        ("The 12-year-old was killed 3 km away.", []),
        ("Prices rose to 31 francs. The index rose to 31 points.", []),
        ("12 % of the dead; $12 killed the deal.", []),
        ("They burned 12 vehicles. The man was killed.", []),
        ("No one was killed.", []),
    ],
)  # fmt: skip
def test_tolls(text: str, expected: list[tuple[str, str]]) -> None:
    assert tolls(text) == expected


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("Un soldat a été tué et deux autres blessés", "fr", [("killed", "1"), ("wounded", "2")]),
        ("plus d'une dizaine de morts", "fr", [("killed", "at least 10")]),
        ("une bombe a explosé, tuant 3 personnes", "fr", [("killed", "3")]),
        ("Trois soldats et deux civils ont été tués", "fr",
         [("killed", "5"), ("killed", "3 (part)"), ("killed", "2 (part)")]),
        ("Neuf personnes, dont quatre policiers, sont mortes", "fr", [("killed", "9")]),
        ("Un précédent bilan était de 14 morts ; on compte 22 morts", "fr",
         [("killed", "14 (former)"), ("killed", "22")]),
        ("64 morts, ont dit les autorités, qui évoquaient jusque-là 53 morts", "fr",
         [("killed", "64"), ("killed", "53 (former)")]),
        ("murieron tres soldados y dos civiles", "es",
         [("killed", "5"), ("killed", "3 (part)"), ("killed", "2 (part)")]),
        ("morreram três soldados e dois civis", "pt",
         [("killed", "5"), ("killed", "3 (part)"), ("killed", "2 (part)")]),
        ("drei Soldaten und zwei Zivilisten wurden getötet", "de",
         [("killed", "5"), ("killed", "3 (part)"), ("killed", "2 (part)")]),
        ("mataron a 31 civiles e hirieron a 12", "es", [("killed", "31"), ("wounded", "12")]),
        ("o número de mortos subiu para 31", "pt", [("killed", "31")]),
        ("Zahl der Toten steigt auf 31, zwölf Verletzte", "de",
         [("killed", "31"), ("wounded", "12")]),
        ("مقتل جنديين وإصابة 30 آخرين", "ar", [("killed", "2"), ("wounded", "30")]),
        ("عشرات القتلى", "ar", [("killed", "at least 20")]),
        ("مقتل ثلاثة جنود وخمسة مدنيين", "ar",
         [("killed", "8"), ("killed", "3 (part)"), ("killed", "5 (part)")]),
        ("لا يزال 19 شخصا في عداد المفقودين", "ar", [("missing", "19")]),
        ("أكثر من 12 ألف شخص فروا من منازلهم", "ar", [("displaced", "at least 12,000")]),
        ("造成12人死亡", "zh", []),
    ],
)  # fmt: skip
def test_tolls_of_other_languages(text: str, lang: str, expected: list[tuple[str, str]]) -> None:
    assert tolls(text, lang) == expected


def test_a_language_that_is_not_given_is_detected() -> None:
    text = REPORTS[3]["text"]
    found = find_reported_quantities(Article("a", text))
    assert [quantity.value for quantity in found][:2] == [12, 14]


def calls(work: Callable[[], Any]) -> int:
    count = 0

    def note(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        "killed ", "12 ", "12 killed ", "12 and ", "toll rose to 12 from ", "earlier 12 ", "two ",
        "hundred ", "at least ", "between 12 and ", "one hundred and ", "1,000,000,", "a dozen. ",
        "more ", "a", "12. ", "claimed 12 lives ", "\u0301", "و",
    ],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_work_grows_with_the_text(unit: str, lang: str) -> None:
    find_tolls(unit, lang)
    few, many = (calls(partial(find_tolls, (unit * n)[:n], lang)) for n in (4_000, 8_000))
    assert many <= 2.2 * few + 2_000


PIECES = split("""killed 12 two and at least between toll rose to from earlier , . the و قتيل 1,000
    12-15 more""")


@given(text=st.text() | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_any_text(text: str) -> None:
    for lang in LANGUAGES:
        for toll in find_tolls(text, lang):
            assert toll.value > 0
            assert toll.high is None or toll.high > toll.value
            assert toll.sentence.start <= toll.span.start < toll.span.end <= toll.sentence.end


def test_no_more_than_some_numbers_are_read() -> None:
    text = " ".join(f"{n} people were killed." for n in range(2100, 2100 + 2 * MOST))
    assert len(find_tolls(text, "en")) == MOST


# Invented wire copy, with the numbers that a reader takes for the present ones. Half was written
# before the rules for parts and sums, half after them.
WIRE = [json.loads(line) for line in (DATA / "wire_tolls.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
@pytest.mark.parametrize(("written", "least"), [("before", 10), ("after", 8)])
def test_wire_copy(written: str, lang: str, least: int) -> None:
    reports = [r for r in WIRE if (r["written"], r["lang"]) == (written, lang)]
    read = 0
    for report in reports:
        found = [toll for toll in find_tolls(report["text"], lang) if toll.role == "current"]
        current = {toll.kind: toll.value for toll in found}
        read += current == report["current"] and len(found) == len(current)
    assert len(reports) == 10
    assert read >= least


# ------------------------------------------------------------------------------- over a story


def test_every_toll_is_in_the_table_of_its_story() -> None:
    stories = sahel_dedup.cluster(REPORTS)
    table = stories.quantities()
    known = {report["id"]: report for report in REPORTS}
    story_of = {report["id"]: report["story"] for report in REPORTS}
    assert all(
        stories[a].id == stories[b].id for a in known for b in known if story_of[a] == story_of[b]
    )
    found: dict[str, set[int]] = {}
    for row in table.iter_rows(named=True):
        assert row["story_id"] == stories[row["id"]].id
        assert row["source"] == known[row["id"]]["source"]
        assert row["published"].isoformat().startswith(known[row["id"]]["published"][:16])
        if row["kind"] == "killed" and row["role"] == "current":
            found.setdefault(story_of[row["id"]], set()).add(row["value"])
    assert found["camp-en"] == {12, 15}
    assert found["camp-fr"] >= {12, 14, 17}
    assert found["camp-ar"] == {12, 14}
    assert [found[f"market-{lang}"] for lang in ("en", "fr", "ar")] == [{23, 31}] * 3
    assert found["bus-en"] == found["bus-fr"] == {9}
    assert found["flood-fr"] == found["flood-ar"] == {6}


def test_without_texts_there_are_no_quantities() -> None:
    articles = [Article.from_mapping(report) for report in REPORTS]
    stories = Archive.read(articles, Settings(), lambda *_: None).stories()
    with pytest.raises(SahelError, match="not kept"):
        stories.quantities()


def test_a_story_tells_how_its_toll_changed() -> None:
    camp = [Article.from_mapping(r) for r in REPORTS if r["story"].startswith("camp")]
    told = in_time(q for article in reversed(camp) for q in find_reported_quantities(article))
    assert progress(told) == {"killed": ["12", "14", "15", "14", "17"], "wounded": ["20"]}
    (first, *_) = quantity_rows([("s", camp)])
    assert first["story_id"] == "s"
    assert first["sentence"] == "Gunmen kill 12 soldiers at Banfara camp"


def test_of_an_empty_archive_the_table_has_its_columns() -> None:
    frame = sahel_dedup.cluster([]).quantities()
    assert frame.columns[:4] == ["story_id", "kind", "value", "high"]


def test_an_update_that_quotes_the_old_toll_is_explained() -> None:
    a, b = (Article.from_mapping(report) for report in REPORTS[7:9])
    explanation = explain(a, b)
    (section,) = [s for s in view.sections(explanation) if s.title == "Reported as killed"]
    assert section.pairs == [("23", "31, 23 (former)")]
    assert section.style == "red"
    told = explanation.to_dict()["reported"]["b"]
    assert [(q["value"], q["role"]) for q in told] == [(31, "current"), (23, "former")]
    assert json.loads(explanation.to_json())["reported"]["b"] == told
