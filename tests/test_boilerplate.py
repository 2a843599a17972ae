"""Boilerplate: what is cut, what is not, and what an archive teaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.text.boilerplate import BoilerplateSpan, find_boilerplate, strip_boilerplate

PROSE = "Two lorries of millet reached the camp on Monday, the prefect said."
# What reports news and looks like boilerplate. Each is a whole text and a last line.
NEWS = [
    PROSE,
    "OPEC — the cartel of oil exporters — will meet in Vienna.",
    "Mayor Awa Diallo - in her second term - opened the bridge.",
    "Colombo - Kandy trains were late on Monday.",
    "In Niamey, June 3 - a holiday - passed quietly.",
    "1984 - 1990: six dry years",
    "Police: two men held over the fire at Sokolo market",
    "EXCLUSIVE: The dam was never inspected, papers show.",
    "Kidal Prefecture Flood Relief Committee, 3 June – The stocks are empty.",
    "LONDON EURO DEPOSITS - YEN MORNING\none week 4.5",
    "By Friday the town was empty.",
    "By Friday the town was empty\nand the road was cut.",
    "Reporting by the national press found that half of the wells are dry.",
    "Source: the minister said that he would resign",
    "Copyright law was rewritten by parliament on Tuesday.",
    "Follow-up talks are due in Accra on Friday.",
    "Subscribers to the grid will pay more from May.",
    "Sign up for the harvest began on Monday.",
    "Share prices fell on Tuesday in Lagos.",
    "Related costs rose by 12 percent.",
    "Correction officers in Koutiala went on strike.",
    "He had said so to a reporter of Reuters.",
    "The general spoke to\nReuters.",
    "Click languages are spoken in the south.",
    "Several factors contributed to this report's delay, she said.",
    "The fund bought shares of Dig Corp <DIG> and <dig> at 3 < 5 & 7 > 6.",
    "“Clarification: I never said so,” the minister wrote.",
    "我每年都游泳，RACE CARD - 今年用海水",
    "قال الوزير - في كلمته - إن السد سيفتح غدا",
    "Jun --- --- 5507\nSep --- --- 4885",
    "R&eacute;gion de Kayes",
]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(cut.kind, text[cut.start : cut.end].strip()) for cut in find_boilerplate(text)]


@pytest.mark.parametrize("news", NEWS)
def test_news_is_never_cut(news: str) -> None:
    assert kinds(news) == []
    assert kinds(f"{PROSE}\n\n{news}") == []
    assert kinds(f"{news}\n{PROSE}") == []


@pytest.mark.parametrize(
    "dateline",
    [
        "BAMAKO, June 3 (AFP) – ",
        "OUAGADOUGOU (Reuters) - ",
        "GAO (Radio Wadey) - ",
        "NAIROBI, Kenya — ",
        "NIONO/SEGOU, Mali, June 3 - ",
        "NEW YORK--",
        "LONDON: ",
        "New Delhi: ",
        "Niamey — ",
        "Bamako, 3 juin (AFP) - ",
        "Maputo, 3 de junho (Lusa) – ",
        "SAN SALVADOR, 3 JAN 90 -- ",
        "MANAGUA (NICARAGUA), 1 DEC 89 (ACAN-EFE) -- ",
        "June 11 (Radio Jamana) - ",
        "(AFP) - ",
        "AFP – ",
        "(Reuters) -",
        "باماكو (أ ف ب) - ",
        "الرياض - واس: ",
        "آدم كوني – نواكشوط\n",
        "واس - ",
    ],
)
def test_datelines(dateline: str) -> None:
    for opening in ("", "\n ", "“"):
        text = f"{opening}{dateline}{PROSE}"
        assert kinds(text) == [("dateline", dateline.strip())]
        assert strip_boilerplate(text, find_boilerplate(text)).strip(" \n“") == PROSE
    assert kinds(f"{PROSE}\n{dateline}{PROSE}") == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("dateline", "date 2025-07-01"),
        ("dateline", "Published: June 3, 2013 10:22 PM"),
        ("dateline", "Mis à jour le 3 juin 2025 à 10:22"),
        ("byline", "By Awa Diallo and Jean Koné"),
        ("byline", "Par Awa Diallo à Mopti"),
        ("byline", "Por María de la Cruz"),
        ("byline", "Kati Mirror Correspondent"),
        ("byline", "【撰文：老張】"),
    ],
)
def test_lines_at_the_head(kind: str, line: str) -> None:
    assert kinds(f"{line}\n\nKAYES (AP) — {PROSE}") == [(kind, line), ("dateline", "KAYES (AP) —")]
    assert kinds(f"{PROSE}\n{line}\n{PROSE}") == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("credit", "(Reporting by Awa Diallo in Gao; Editing by Jean Koné)"),
        ("credit", "Additional reporting by Awa Diallo"),
        ("credit", "Associated Press writer Awa Diallo contributed to this report."),
        ("credit", "Awa Diallo and Jean Koné contributed."),
        ("credit", "(With AFP inputs)"),
        ("credit", "With inputs from agencies"),
        ("credit", "Avec AFP"),
        ("credit", "Source: Radio Jamana"),
        ("credit", "Reuter"),
        ("credit", "-- AFP"),
        ("credit", "(أ ف ب)"),
        ("copyright", "© 2024 AFP"),
        ("copyright", "Copyright 2024 The Kati Mirror. All rights reserved."),
        ("note", "Correction: An earlier version misspelt the name of the village."),
        ("note", "This story was updated at 4:15 p.m."),
    ],
)
def test_lines_at_the_tail(kind: str, line: str) -> None:
    assert kinds(f"{PROSE}\n{line}") == [(kind, line)]
    shared = f"{PROSE}\n{line}\n\nShare this:\nFollow us on X\n"
    assert kinds(shared)[0] == (kind, line)
    assert strip_boilerplate(shared, find_boilerplate(shared)).strip() == PROSE


@pytest.mark.parametrize("tail", ["© 2024 AFP", "Copyright 2024 Radio Jamana.", "-- AFP", "(AP)"])
def test_tails_behind_the_last_sentence(tail: str) -> None:
    assert [line for _, line in kinds(f"{PROSE} {tail}")] == [tail]


@pytest.mark.parametrize(
    "line",
    [
        "ADVERTISEMENT",
        "Already a subscriber? Log in",
        "CLICK HERE TO GET THE APP",
        "Download our free news app today",
        "Follow Radio Jamana on Facebook and Twitter",
        ">> Follow us on Telegram",
        "Get the day's news delivered to your inbox",
        "Join our WhatsApp channel",
        "Leave a Reply",
        "Please enable Javascript to watch this video",
        "READ MORE: Flood cuts the road to Gao",
        "Related:",
        "SEE ALSO: Flood cuts the road to Gao",
        "Share this article",
        "Sign up for our newsletter",
        "Story continues below",
        "Subscribe now for 2 euros a month",
        "To continue reading, log in",
        "This article is for subscribers only",
        "Abonnez-vous pour lire la suite",
        "Lire aussi : la crue coupe la route de Gao",
        "Facebook | Twitter | WhatsApp",
        "المزيد...",
    ],
)
def test_promotion_is_cut_anywhere(line: str) -> None:
    for text in (f"{line}\n{PROSE}", f"{PROSE}\r\n\r\n{line}\r\n\r\n{PROSE}", f"{PROSE}\n{line}"):
        assert kinds(text) == [("promotion", line)]
    assert kinds(f"{PROSE} {line}") == []
    assert kinds(f"{line}\nand so on, the mayor said.") == []


def test_markup() -> None:
    text = (
        "<div class='x'><p>KAYES (AP) - Rain&nbsp;fell.</p><script>if (a<b) '</p>'</script>\n"
        "<!-- <p>old</p> -->[caption id='3']{{ }} Write to [email protected]<p>Share this</p>"
    )
    assert [line for kind, line in kinds(text) if kind == "markup"] == [
        "<div class='x'><p>",
        "&nbsp;",
        "</p>",
        "<script>if (a<b) '</p>'</script>",
        "<!-- <p>old</p> -->",
        "[caption id='3']",
        "{{ }}",
        "[email protected]",
        "<p>",
        "</p>",
    ]
    assert strip_boilerplate(text, find_boilerplate(text)).split() == [
        "Rain",
        "fell.",
        "Write",
        "to",
    ]
    assert kinds("open <!-- <p>and <script> never</b> closed") == []


FRAGMENTS = [
    *(
        "\n",
        " ",
        "<",
        ">",
        "<p>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "&nbsp;",
        "[/a]",
        "{{x}}",
    ),
    *("BAMAKO", ", ", "June 3", "(AFP)", " - ", ": ", "By Awa", "Reuters", "Reporting by Awa", "©"),
    *("Advertisement", "Share this", "contributed.", "الرياض - واس:", "2024", PROSE, '"', "."),
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3)).map("".join))
def test_cuts_are_in_order_and_apart(text: str) -> None:
    cuts = find_boilerplate(text)
    edges = [edge for cut in cuts for edge in (cut.start, cut.end)]
    assert edges == sorted(edges)
    assert all(0 <= cut.start < cut.end <= len(text) for cut in cuts)
    left = strip_boilerplate(text, cuts)
    assert len(left) == len(text) - sum(cut.end - cut.start for cut in cuts) + len(cuts)
    assert strip_boilerplate(text, []) == text


def test_strip_keeps_words_apart() -> None:
    assert strip_boilerplate("one<br>two", [BoilerplateSpan(3, 7, "markup")]) == "one two"


@pytest.mark.parametrize(
    ("unit", "found"),
    [
        *(
            (unit, 0)
            for unit in ("<", " ", "\n", "By ", "<!--", "<a ", "<a b=", "(", "((x)", "[a b=")
        ),
        *(
            (unit, 0)
            for unit in ("{{", "&", "- ", "AFP, ", "2020 ", "1", "©", " contributed", "\nS")
        ),
        *((unit, 0) for unit in ("<script>", "واس", "Follow x on ", "\nSign up x", "\nShare x on")),
        *((unit, 1) for unit in ("<p>", "واس - ")),
        *((unit, 20_000) for unit in ("<p>x", "Advertisement\n", "\nClick here ", "&nbsp;")),
    ],
)
def test_hostile_texts_take_linear_time(unit: str, found: int) -> None:
    # Quadratic time would be minutes here.
    assert len(find_boilerplate(unit * 20_000)) == found


# Learnt boilerplate

Articles = list[tuple[int, int, tuple[int, ...]]]  # source, title, lines
