"""The report: one file, whole, with everything in it as data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sahel_dedup.cli import app
from sahel_dedup.errors import ArticleError, CorrectionError, SahelWarning
from sahel_dedup.io.readers import Place, read_rows
from sahel_dedup.report import write_report
from sahel_dedup.report.charts import plots
from sahel_dedup.report.grouping import collect
from sahel_dedup.report.story_data import SHOWN_ARTICLES, SHOWN_CHARACTERS
from tests.test_corrections import ARTICLES

SAMPLE = Path(__file__).parents[1] / "sahel_dedup" / "sample" / "wire.jsonl"
HOSTILE = (
    "</script><script>alert(1)</script><!--<script> </textarea> <img src=x onerror=alert(2)> "
    "\u202edesrever\u202c \u2066\u2028\u2029 {{ 7 * 7 }} ${1} &amp; \U0001f600 \ud800 \0"
)

Rows = list[dict[str, Any]]


class Page(HTMLParser):
    """The elements of a page, and the contents of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.contents: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append(("/" + tag, {}))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style"):
            self.contents.append((*self.elements[-1], data))

    def content(self, name: str) -> str:
        return "".join(data for _, attrs, data in self.contents if attrs.get("id") == name)


def placed(rows: Rows) -> list[tuple[Place, dict[str, Any]]]:
    return [(Place(None, number), row) for number, row in enumerate(rows, start=1)]


def demo() -> Rows:
    rows = [dict(row) for _, row in read_rows(str(SAMPLE))]
    seen: set[object] = set()
    for row in rows:
        row["story_id"] = row.pop("story")
        row["canonical"] = row["story_id"] not in seen
        seen.add(row["story_id"])
        row["relation"], row["similarity"] = "reworded", 0.5
    return rows


def page_of(folder: Path, rows: Rows, **arguments: Any) -> Page:
    path = folder / "report.html"
    write_report(rows, path, **arguments)
    return Page(path.read_text("utf-8"))


def details(page: Page) -> list[dict[str, Any]]:
    index = json.loads(page.content("index"))
    chunks: dict[int, Any] = {}
    for entry in index:
        if entry["c"] not in chunks:
            packed = base64.b64decode(page.content(f"chunk-{entry['c']}"))
            chunks[entry["c"]] = json.loads(zlib.decompress(packed))
    return [chunks[entry["c"]][entry["p"]] for entry in index]


def test_the_demo_archive(tmp_path: Path) -> None:
    page = page_of(tmp_path, demo(), title="Demo")
    index = json.loads(page.content("index"))
    sizes = [entry["n"] for entry in index]
    assert (len(index), sizes[0], min(sizes)) == (26, 5, 2)
    assert sizes == sorted(sizes, reverse=True)
    story = details(page)[0]
    first = story["articles"][story["canonical"]]
    assert story["id"] == index[0]["id"] == "dourgama-convoy-ambush"
    assert first["compared"] is None
    trimmed = story["articles"][2]
    assert story["articles"][trimmed["from"]]["id"] == "wire-003"
    assert trimmed["compared"]["inFirst"] > 0.9
    for article in story["articles"]:
        if article["compared"]:
            for passage in article["compared"]["passages"]:
                a, b, c, d = passage["at"]
                if not passage["parts"]:
                    ours = re.findall(r"\w+", first["text"][a:b].lower())
                    assert ours == re.findall(r"\w+", article["text"][c:d].lower())


def test_tolls_are_shown_over_time(tmp_path: Path) -> None:
    rows = [
        {"id": name, "story_id": "s", "text": text, "lang": "en", "published": f"2025-03-0{day}"}
        for name, text, day in (
            ("b", "The toll rose to 31, up from 23.", 2),
            ("a", "The attack killed 23 people.", 1),
            ("c", "The attack killed 23 people, others said.", 3),
        )
    ]
    page = page_of(tmp_path, rows)
    (entry,) = json.loads(page.content("index"))
    assert entry["q"] == {"killed": ["23", "31", "23"]}
    told = [(q["id"], q["value"]) for q in details(page)[0]["quantities"]]
    assert told == [("a", "23"), ("b", "31"), ("b", "23 (former)"), ("c", "23")]


def test_what_people_decided_is_shown(tmp_path: Path) -> None:
    rows = [
        {"id": name, "story_id": story, "text": "It rained in Gao."}
        for name, story in (("a", "s"), ("b", "s"), ("c", "t"), ("d", "t"), ("e", "u"))
    ]
    said = [
        {"a": "a", "b": "b", "same": 1, "who": "Awa", "when": "2025-03-01", "why": "one dispatch"},
        ("b", "c", 0),
        ("d", "e", 1),
        ("a", "gone", 1),
        ("far", "away", 0),
    ]
    with pytest.warns(SahelWarning, match="no article has: 3, for example 'away'"):
        page = page_of(tmp_path, rows, corrections=said)
    assert [entry["d"] for entry in json.loads(page.content("index"))] == [3, 2]
    first, second = (story["decisions"] for story in details(page))
    assert first[0] == {"a": "a", "b": "b", "same": True, "who": "Awa", "when": "2025-03-01",
                        "why": "one dispatch", "followed": True}  # fmt: skip
    assert [(d["a"], d["b"], d["followed"]) for d in (*first[1:], *second)] == [
        ("a", "gone", None), ("b", "c", True), ("d", "e", False), ("b", "c", True),
    ]  # fmt: skip
    with pytest.raises(CorrectionError, match="contradict"):
        page_of(tmp_path, rows, corrections=[("a", "b", 1), ("b", "a", 0)])
    assert {entry["d"] for entry in json.loads(page_of(tmp_path, rows).content("index"))} == {0}


def test_the_commands_show_what_people_decided(tmp_path: Path) -> None:
    news, said, out, report = (
        tmp_path / name for name in ("n.jsonl", "c.csv", "o.jsonl", "r.html")
    )
    news.write_text("".join(json.dumps(row) + "\n" for row in ARTICLES), "utf-8")
    said.write_text("a,b,same,who\na,d,1,Awa\n", "utf-8")
    run, given = CliRunner().invoke, ["--corrections", str(said)]
    done = run(app, ["cluster", str(news), "-o", str(out), "--report", str(report), *given])
    assert done.exit_code == 0, done.output
    made = details(Page(report.read_text("utf-8")))
    assert [d["who"] for story in made for d in story["decisions"]] == ["Awa"]
    assert run(app, ["report", str(out), "-o", str(report), *given]).exit_code == 0
    again = details(Page(report.read_text("utf-8")))
    assert [story["decisions"] for story in again] == [story["decisions"] for story in made]


def test_nothing_is_requested_and_only_its_own_script_runs(tmp_path: Path) -> None:
    page = page_of(tmp_path, demo())
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith(("#", "data:,")), tag
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    for kind in ("script", "style"):
        (content,) = [data for tag, attrs, data in page.contents if tag == kind and not attrs]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy is not None
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in str(policy)


def test_the_script_never_writes_markup() -> None:
    source = SAMPLE.parents[1] / "templates" / "report" / "report.js"
    code = re.sub(r"^\s*//.*$", "", source.read_text("utf-8"), flags=re.MULTILINE)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(", code
    )


def test_hostile_text_stays_data(tmp_path: Path) -> None:
    rows = [
        {"id": f"{HOSTILE}{i}", "story_id": HOSTILE, "title": HOSTILE, "text": HOSTILE * 3,
         "source": HOSTILE, "published": "2025-03-04", "similarity": 0.9}
        for i in range(3)
    ]  # fmt: skip
    link = {"story": HOSTILE, "first": HOSTILE, "second": "b", "similarity": 0.5, "score": 1.0}
    clean = page_of(tmp_path, demo()[:5])
    page = page_of(tmp_path, rows, title=HOSTILE, audit={"weakest": [link]})
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert len(scripts) == 3
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in clean.elements}
    index = page.content("index")
    assert not set("<>&\u2028\u2029") & set(index)
    assert "</script>" in json.loads(index)[0]["t"]
    assert details(page)[0]["articles"][0]["text"] == (HOSTILE * 3).replace("\ud800", "\ufffd")


def test_large_articles_and_stories_are_cut_and_say_so(tmp_path: Path) -> None:
    rows: Rows = [
        {"id": str(i), "story_id": "s", "text": f"Gunmen attacked the town of Nioro, {i} said.",
         "published": f"2025-03-{1 + i % 28:02}", "canonical": i == SHOWN_ARTICLES + 9}
        for i in range(SHOWN_ARTICLES + 10)
    ]  # fmt: skip
    rows[0] |= {"title": "x" * 1_000_000, "text": "word " * 200_000}
    page = page_of(tmp_path, rows)
    (story,) = details(page)
    assert story["more"] == 10
    assert len(story["articles"]) == SHOWN_ARTICLES
    assert story["articles"][story["canonical"]]["id"] == str(SHOWN_ARTICLES + 9)
    assert story["articles"][0]["cut"] == 1_000_000 - SHOWN_CHARACTERS
    assert (tmp_path / "report.html").stat().st_size < 200_000


def test_offsets_count_what_a_browser_counts(tmp_path: Path) -> None:
    text = "\U0001f600\U0001f600 Gunmen attacked the town of Nioro"
    rows: Rows = [
        {"id": "a", "story_id": "s", "text": f"{text}. It rained."},
        {"id": "b", "story_id": "s", "text": f"Police: {text[3:]} again."},
    ]
    (story,) = details(page_of(tmp_path, rows))
    passage = story["articles"][1]["compared"]["passages"][0]
    assert passage["at"] == [5, 5 + len(text) - 3, 8, 8 + len(text) - 3]


def test_rows_from_csv_and_without_texts(tmp_path: Path) -> None:
    rows: Rows = [
        {"id": "a", "story_id": "s", "canonical": "False", "similarity": "0.5", "text": ""},
        {"id": "b", "story_id": "s", "canonical": "True", "similarity": "", "relation": ""},
        {"id": "c", "story_id": "t", "canonical": "True"},
    ]
    (story,) = details(page_of(tmp_path, rows))
    assert story["articles"][story["canonical"]]["id"] == "b"
    assert len(details(page_of(tmp_path, rows, singletons=True))) == 2


def test_an_empty_archive(tmp_path: Path) -> None:
    assert json.loads(page_of(tmp_path, []).content("index")) == []


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write_report(demo(), tmp_path / "one.html")
    write_report(demo(), tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "b"}, "row 2, field 'story_id': missing"),
        ({"story_id": "s"}, "row 2, field 'id': missing"),
        ({"id": "a", "story_id": "t"}, "row 2, field 'id': duplicate id: 'a', first seen at row 1"),
    ],
)
def test_faulty_rows_leave_what_was_there(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")
    with pytest.raises(ArticleError, match=message):
        write_report([{"id": "a", "story_id": "s"}, row], path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "value", ["0,5", "abc", "nan", "Infinity", float("inf"), 1e308, -0.1, 1.1, [], True, "\x1b["]
)
def test_similarities_that_are_none(tmp_path: Path, value: object) -> None:
    row = {"id": "a", "story_id": "s", "similarity": value}
    with pytest.raises(ArticleError, match="row 1, field 'similarity': not a number from 0 to 1"):
        write_report([row], tmp_path / "report.html")


def test_similarities_from_any_format(tmp_path: Path) -> None:
    values = (None, "", float("nan"), "0.5", 0, 1, 1 + 1e-9, "-1e-9")
    rows = [{"id": str(i), "story_id": "s", "similarity": value} for i, value in enumerate(values)]
    (index,) = json.loads(page_of(tmp_path, rows).content("index"))
    assert index["n"] == len(values)


@pytest.mark.parametrize("name", ["id", "story_id", "lang", "relation", "title", "source", "text"])
def test_lone_surrogates_anywhere(tmp_path: Path, name: str) -> None:
    rows = [
        {"id": str(i), "story_id": "s", "text": "Rain fell.", name: f"e\udc80{i}"} for i in range(2)
    ]
    page_of(tmp_path, [row | {"story_id": f"{rows[0]['story_id']}"} for row in rows])


def test_plots_count_everything_once() -> None:
    collected = collect(placed(demo()), singletons=False)
    sizes, relations, times, similarities = plots(collected)
    assert sum(count for _, count in sizes.bars) == 59
    assert dict(sizes.bars)["1"] == 33
    assert dict(relations.bars) == {"exact": 0, "near": 0, "reworded": 65}
    assert sum(count for _, count in times.bars) == 26
    assert dict(similarities.bars)[".5–.6"] == 65


@pytest.mark.parametrize(("years", "told"), [((25, 25), "100.0 %"), ((70, 25), "unknown: too")])
def test_precision_is_estimated_from_dates(
    tmp_path: Path, years: tuple[int, int], told: str
) -> None:
    # In 2070 no article was published yet: that date is none.
    days = [f"20{years[0]}-01-01", f"20{years[1]}-01-02", "2025-02-01", "2025-03-01"]
    rows = [
        {"id": str(i), "story_id": str(max(i, 1)), "published": day} for i, day in enumerate(days)
    ]
    write_report(rows, tmp_path / "report.html")
    assert told in (tmp_path / "report.html").read_text("utf-8")


def test_weakest_links_and_precision(tmp_path: Path) -> None:
    link = {"story": "a&b", "first": "x", "second": "y", "similarity": 0.125, "score": -1.5}
    audit = {"estimated_precision": 0.962, "template_share": 0.037, "weakest": [link]}
    write_report(demo(), tmp_path / "report.html", audit=audit)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "96.2 %" in text
    assert "#story=a%26b" in text
    assert "-1.50" in text
    assert "3.7 %" in text
