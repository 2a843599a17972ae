"""Similar texts that are not one event: paywalls, bulletins, look-alike attacks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import sahel_dedup

SUBJECTS = tuple(
    """cotton harvest; river ferry; teachers' strike; solar plant; cattle market; mango exports;
    water tower; railway bridge; mobile money; school canteens; measles campaign; gold refinery;
    border post; fish stocks; press law; bus fares; football final; customs reform; salt caravan;
    film festival""".replace("\n   ", "").split("; ")
)
PLACES = (
    "Segou", "Mopti", "Sikasso", "Zinder", "Tahoua", "Dori", "Kaya", "Banfora", "Kidal", "Gao",
    "Nioro", "Kita", "Agadez", "Diffa", "Fada",
)  # fmt: skip
PAYWALL = (
    "You have reached the limit of free articles this month. Subscribers of the Courier read "
    "every report, the weekend supplement and the archive back to 1961. Choose a monthly or a "
    "yearly subscription and cancel whenever you like. Already a subscriber? Enter your address "
    "and password to go on reading. Our journalists in nine towns work for you day and night."
)
BULLETIN = (
    "The franc traded at {a} to the dollar on the Niamey interbank market at noon, against {b} "
    "the day before, dealers said. Treasury bills of three months yielded {c} percent and those "
    "of a year {d} percent. Turnover came to {e} million francs. Gold closed at {f} dollars an "
    "ounce in London, and Brent crude at {g} dollars a barrel. Millet sold at {h} francs a bag "
    "at the Katako market and rice at {i} francs, traders said."
)
START = datetime(2025, 3, 3, 12, tzinfo=UTC)


def bulletin(day: int) -> str:
    """One issue of a daily bulletin, with numbers of its own."""
    return BULLETIN.format(
        a=f"{601 + day * 7 % 19}.{day * 37 % 100:02}",
        b=f"{601 + (day - 1) * 7 % 19}.{(day - 1) * 37 % 100:02}",
        c=f"{4 + day % 3}.{day * 13 % 100:02}",
        d=f"{6 + day % 2}.{day * 29 % 100:02}",
        e=1000 + day * 173 % 800,
        f=f"2,{900 + day * 11 % 99}",
        g=f"{68 + day % 9}.{day * 41 % 100:02}",
        h=f"2{day * 7 % 10},{day * 53 % 900 + 100}",
        i=f"1{day * 3 % 10},{day * 61 % 900 + 100}",
    )


def count(articles: list[dict[str, Any]]) -> int:
    return len(sahel_dedup.cluster(articles))


@pytest.mark.parametrize("source", ["Courier", None])
@pytest.mark.parametrize("dated", [True, False])
def test_one_paywall_under_many_headlines_is_no_event(source: str | None, dated: bool) -> None:
    pages = [
        {
            "id": f"{subject}-{place}",
            "title": f"{subject.capitalize()} in {place}: what the council decided",
            "text": PAYWALL,
            "source": source,
            "published": START + timedelta(hours=3 * i) if dated else None,
        }
        for i, (subject, place) in enumerate((s, p) for s in SUBJECTS for p in PLACES)
    ]
    assert len(pages) == 300
    assert count(pages) == 300


@pytest.mark.parametrize("dated", [True, False])
def test_daily_bulletins_are_a_story_each(dated: bool) -> None:
    issues = [
        {
            "id": f"day-{day}",
            "title": "Franc, bills and markets at noon",
            "text": bulletin(day),
            "source": "Niamey Markets",
            "published": START + timedelta(days=day) if dated else None,
        }
        for day in range(60)
    ]
    assert count(issues) == 60


def test_a_bulletin_carried_by_three_outlets_is_one_story() -> None:
    issues = [
        {
            "id": f"{outlet}-{day}",
            "title": "Franc, bills and markets at noon",
            "text": bulletin(day),
            "source": outlet,
            "published": START + timedelta(days=day, hours=hour),
        }
        for day in range(20)
        for hour, outlet in enumerate(["Niamey Markets", "Courier", "Le Relais"])
    ]
    stories = sahel_dedup.cluster(issues)
    assert sorted(len(story) for story in stories) == [3] * 20
