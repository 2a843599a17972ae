"""Arguments of other kinds than expected: an answer, or an error that says what to give instead."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sahel_dedup import (
    Article,
    ArticleError,
    Correction,
    CorrectionError,
    Corrections,
    EvidenceModel,
    FileError,
    NotFoundError,
    SahelError,
    SahelWarning,
    Settings,
    SettingsError,
    Stories,
    StoryIndex,
    audit,
    cluster,
    find_boilerplate,
    find_conflicts,
    fingerprints,
    story_changes,
)
from sahel_dedup.clustering.canonical import canonical
from sahel_dedup.evaluation import (
    JudgedPair,
    evaluate_pairs,
    read_labels,
    read_pairs,
    read_stories,
    sample_pairs,
)
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.evaluation.teaching import ask, teach
from sahel_dedup.explain import explain, find_reported_quantities
from sahel_dedup.explain.propagation import spread
from sahel_dedup.index import AsyncStoryIndex
from sahel_dedup.index.maintenance import check, rebuild
from sahel_dedup.report import write_report

Row = dict[str, Any]
ROWS: list[Row] = [
    {
        "id": "a",
        "title": "Nine soldiers killed in attack on Tessarit camp",
        "text": "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, the "
        "governor said.",
        "published": "2025-03-04T06:12Z",
        "source": "Wire",
    },
    {
        "id": "b",
        "title": "Gunmen attack army camp at Tessarit",
        "text": "Nine soldiers were killed on Monday when gunmen attacked an army camp at "
        "Tessarit, according to the governor.",
        "published": "2025-03-04T08:40Z",
        "source": "Radio",
    },
    {
        "id": "c",
        "title": "Millet prices rise in Maradi",
        "text": "Millet prices rose in Maradi as the lean season began.",
        "published": "2025-03-04",
        "source": "Market Press",
    },
]


@pytest.fixture(scope="module")
def stories() -> Stories:
    return cluster(ROWS)


@pytest.mark.parametrize("wrong", [ROWS[0], "a text", None, 5])
@pytest.mark.parametrize(
    "call",
    [
        lambda wrong: explain(wrong, wrong),
        lambda wrong: find_conflicts(wrong, wrong),
        lambda wrong: find_reported_quantities(wrong),
        lambda wrong: spread([wrong]),
        lambda wrong: canonical([wrong]),
    ],
)
def test_functions_of_articles_take_articles(call: Callable[[Any], object], wrong: object) -> None:
    with pytest.raises(ArticleError, match=r"^not an Article: \w+; Article.from_mapping makes"):
        call(wrong)


@pytest.mark.parametrize("call", [spread, canonical])
def test_a_story_has_articles(call: Callable[[Any], object]) -> None:
    with pytest.raises(SettingsError, match="articles: empty"):
        call([])


@pytest.mark.parametrize("wrong", [5, None, "text", [("id", "a")]])
def test_an_article_is_read_from_a_mapping(wrong: Any) -> None:
    with pytest.raises(ArticleError, match="not a mapping"):
        Article.from_mapping(wrong)


@pytest.mark.parametrize("wrong", [None, b"text", 5, Article("a", "text")])
def test_boilerplate_is_in_texts(wrong: Any) -> None:
    with pytest.raises(SettingsError, match=r"^text: \w+ is not a string$"):
        find_boilerplate(wrong)


@pytest.mark.parametrize("wrong", [ROWS, "news.index", None, {"a": "s1"}])
@pytest.mark.parametrize(
    "call", [audit, StoryIndex.from_stories, lambda wrong: story_changes({}, wrong)]
)
def test_functions_of_results_take_results(call: Callable[[Any], object], wrong: object) -> None:
    with pytest.raises(
        SettingsError, match=r"^stories: \w+ is not a result of cluster; write .*cluster\("
    ):
        call(wrong)


@pytest.mark.parametrize(
    "several", [ROWS, pl.DataFrame(ROWS), iter(ROWS)], ids=["list", "frame", "iterator"]
)
def test_one_article_at_a_time(several: object) -> None:
    with StoryIndex() as index:
        for call in (index.add, index.upsert, index.query):
            with pytest.raises(
                ArticleError, match=r"instead of one article; give several to add_many"
            ):
                call(several)


def test_an_open_file_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text("{}\n")
    for mode in ("r", "rb"):
        with path.open(mode) as file, pytest.raises(ArticleError, match=r"^an open file; give its"):
            cluster(file)


def test_rows_of_other_kinds_are_described_for_their_use() -> None:
    with pytest.raises(ArticleError, match=r"tuple; write a mapping or a tuple \(a, b, same\)"):
        cluster(ROWS, corrections=[("a", "b")])
    with pytest.raises(ArticleError, match=r"'a'; write \{'id': ..., 'story_id': ...\} for each"):
        cluster(ROWS, previous=["a"])
    with pytest.raises(ArticleError, match="give the texts to StoryClusterer"):
        cluster(["a text"])


@pytest.mark.parametrize(
    ("a", "b", "same", "message"),
    [
        ("a", "a", True, "the same article twice"),
        ("a", "b", "no", "neither True nor False: 'no'"),
        ("a", "b", 1, "neither True nor False: 1"),
        ("a", "", True, "not a non-empty string: ''"),
        (1, "b", True, "not a non-empty string: 1"),
    ],
)
def test_a_correction_is_checked_when_it_is_made(a: Any, b: Any, same: Any, message: str) -> None:
    with pytest.raises(ArticleError, match=message):
        Correction(a, b, same)


def test_corrections_without_a_place_name_none() -> None:
    with StoryIndex() as index:
        index.join("a", "b", who="ana")
        with pytest.raises(CorrectionError, match=r"are one story \(by ana, on [^,]*\)\. Remove"):
            index.part("b", "a")
        assert [correction.place for correction in index.corrections] == [None]


def test_a_report_of_a_result(stories: Stories, tmp_path: Path) -> None:
    write_report(stories, tmp_path / "report.html", title="March")
    shown = (tmp_path / "report.html").read_text("utf-8")
    rows = ({**row, **found} for row, found in zip(ROWS, stories.rows(), strict=True))
    write_report(rows, tmp_path / "rows.html", title="March")
    assert (tmp_path / "rows.html").read_text("utf-8") == shown
    stories.save(tmp_path / "saved.npz")
    write_report(Stories.load(tmp_path / "saved.npz"), tmp_path / "again.html", title="March")
    assert (tmp_path / "again.html").read_text("utf-8") == shown


def test_results_can_be_evaluated(stories: Stories) -> None:
    known = {"a": "1", "b": "1", "c": "2", "d": "2"}
    found = evaluate(stories, known)
    assert (found.articles, found.only_predicted, found.only_gold) == (3, 0, 1)
    assert found == evaluate({row["id"]: row["story_id"] for row in stories.rows()}, known)
    assert evaluate(known, stories).only_predicted == 1
    assert evaluate(stories, stories.to_frame()).bcubed.f1 == 1
    with pytest.raises(ArticleError, match="'story_id'"):
        evaluate(["a", "b"], known)


def test_a_story_has_the_ids_of_its_articles(stories: Stories) -> None:
    story = stories["a"]
    assert list(story) == ["a", "b"]
    assert len(story) == 2
    assert "b" in story
    assert "c" not in story


def test_what_is_no_id_is_not_in_a_result(stories: Stories) -> None:
    for wrong in (ROWS[0], ["a"], 5, None, stories["a"], {"a"}):
        assert wrong not in stories
        with StoryIndex() as index:
            assert wrong not in index
    others: list[Any] = [ROWS[0], Article("a", "x" * 1000), ["a"]]
    for other in others:
        with pytest.raises(NotFoundError, match=r"^no such article: an id is text, not \w+$"):
            stories.relation(other)


@pytest.mark.parametrize("count", ["5", 2.5, -1, None])
def test_a_length_of_a_list_is_checked(stories: Stories, count: Any) -> None:
    with pytest.raises(SettingsError, match=r"^count: "):
        stories.weakest_links(count)


def test_settings_have_plain_values() -> None:
    given: dict[str, Any] = {
        "min_probability": np.float64(0.7),
        "recall": np.float32(0.5),
        "window": np.timedelta64(36, "h"),
    }
    settings = Settings(**given)
    assert type(settings.min_probability) is float
    assert type(settings.recall) is float
    assert settings.window == timedelta(hours=36)
    with pytest.raises(SettingsError, match=r"^window: "):
        Settings(**{**given, "window": np.timedelta64("NaT")})
    with pytest.raises(SettingsError, match=r"^settings: .{80} is not Settings; write"):
        cluster(Settings(), ROWS * 100)  # type: ignore[arg-type]


def test_articles_have_plain_strings() -> None:
    names = ("id", "text", "title", "source", "lang")
    given = {name: np.str_(f"{name}s") for name in names} | {"lang": np.str_("en")}
    article = Article.from_mapping(given)
    assert {type(getattr(article, name)) for name in names} == {str}
    assert Article("a", np.str_("x")) == Article("a", "x")
    assert {type(name) for name in cluster([article]).ids} == {str}


def test_lengths_of_time_are_in_days(stories: Stories, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^window: 30 days is longer than 7 days, "):
        stories.recut(window=30)
    with pytest.raises(SettingsError, match=r"^retention: 1.5 days is shorter than .* 7 days$"):
        StoryIndex(retention=1.5)
    path = tmp_path / "news.index"
    StoryIndex.open(path).close()
    with pytest.raises(SettingsError, match=r"made with window 7 days, not 3 days"):
        StoryIndex.open(path, Settings(window=3))
    with pytest.raises(SettingsError, match=r"made with window 7 days, not None"):
        StoryIndex.open(path, Settings(window=None))


@pytest.mark.parametrize("timeout", ["3", -1, float("nan"), None, True])
def test_times_to_wait_are_seconds(timeout: Any, tmp_path: Path) -> None:
    for call in (
        lambda: StoryIndex.open(tmp_path / "news.index", timeout=timeout),
        lambda: StoryIndex.connect("http://127.0.0.1:9", timeout=timeout),
        lambda: AsyncStoryIndex("http://127.0.0.1:9", timeout=timeout),
    ):
        with pytest.raises(SettingsError, match=r"^timeout: .* is not a number of seconds$"):
            call()


@pytest.mark.parametrize("token", [5, "é", "two\nlines", b"bytes"])
def test_a_token_that_no_header_can_hold_is_not_shown(token: Any) -> None:
    with pytest.raises(SettingsError, match=r"^token: not a text of printable ASCII characters$"):
        StoryIndex.connect("http://127.0.0.1:9", token=token)


def test_files_that_cannot_be_are_named(stories: Stories, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for write in (stories.save, lambda path: write_report(stories, path)):
        with pytest.raises(FileError, match=r"missing/out': there is no folder '.*missing'$"):
            write(missing / "out")
    with pytest.raises(FileError, match=r"^cannot read '.*model\.json': No such file"):
        EvidenceModel.read(tmp_path / "model.json")
    with pytest.raises(FileError, match=r"StoryIndex.. makes an index in memory"):
        StoryIndex.open(":memory:")
    assert "would be the name of a file" in check(":memory:")[0]


def test_an_open_index_is_not_copied() -> None:
    with StoryIndex() as index:
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="a StoryIndex cannot be copied or pickled: open"):
                make(index)


def test_values_can_be_copied(stories: Stories) -> None:
    (_, fingerprint), *_ = fingerprints(ROWS)
    said = Corrections.read([("a", "b", True)])
    article = Article("a", "x", published=datetime(2025, 3, 4, tzinfo=UTC), extra={"url": "u"})
    for value in (Settings(window=3), article, stories["a"], fingerprint, said):
        for copied in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert copied == value
            assert hash(copied) == hash(value)
    for copied in (copy.deepcopy(stories), pickle.loads(pickle.dumps(stories))):
        assert copied.to_frame().equals(stories.to_frame())
        assert str(copied.explain("a", "b")) == str(stories.explain("a", "b"))


def test_what_is_shown_is_short(stories: Stories) -> None:
    (_, fingerprint), *_ = fingerprints(ROWS)
    with StoryIndex() as index:
        shown = [stories, stories["a"], fingerprint, index, index.corrections, audit(stories)]
        shown.append(stories.explain("a", "b"))
        assert all(len(repr(value)) < 100 for value in shown)


def test_no_trap_warns(stories: Stories) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SahelError):
            StoryIndex.connect("http://127.0.0.1:9", timeout=1)


SETTING_CALLS: list[tuple[str, Callable[..., object]]] = [
    ("StoryIndex", StoryIndex),
    ("StoryIndex.open", lambda **given: StoryIndex.open("news.index", **given)),
    ("rebuild", lambda **given: rebuild("news.index", "new.index", **given)),
    ("cluster", lambda **given: cluster(ROWS, **given)),
    ("sample_pairs", lambda **given: sample_pairs({}, ROWS, **given)),
    ("teach", lambda **given: teach(ROWS, [], **given)),
    ("ask", lambda **given: ask(ROWS, **given)),
]


@pytest.mark.parametrize(
    ("name", "call"),
    SETTING_CALLS,
    ids=[f"{n}-{name}" for n, (name, _) in enumerate(SETTING_CALLS)],
)
def test_a_setting_is_given_within_settings(
    name: str, call: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for setting, value in (("window", 3), ("recall", 0.9), ("min_probability", 0.8)):
        advice = f"{name}(..., settings=Settings({setting}={value}))"
        with pytest.raises(
            SettingsError, match=rf"^{setting} is a setting; write {re.escape(advice)}$"
        ):
            call(**{setting: value})
    with pytest.raises(
        TypeError, match=rf"^{name}\(\) got an unexpected keyword argument 'windw'$"
    ):
        call(windw=3)
    with pytest.raises(
        SettingsError, match=r"^settings: 3 is not Settings; write Settings\(window="
    ):
        call(settings=3)
    assert not list(tmp_path.iterdir())


def test_what_takes_no_settings_says_why(stories: Stories) -> None:
    calls: list[tuple[Callable[..., object], str]] = [
        (
            lambda **given: StoryIndex.from_stories(stories, **given),
            "uses the settings of the stories",
        ),
        (lambda **given: fingerprints(ROWS, **given), "fingerprints do not depend on settings"),
        (
            lambda **given: StoryIndex.connect("http://127.0.0.1:9", **given),
            "served index keeps the",
        ),
        (
            lambda **given: AsyncStoryIndex("http://127.0.0.1:9", **given),
            "served index keeps the settings",
        ),
    ]
    for call, message in calls:
        with pytest.raises(SettingsError, match=rf"^recall is a setting; .*{message}"):
            call(recall=0.5)
        with pytest.raises(SettingsError, match=rf"^settings: .*{message}"):
            call(settings=Settings())
        with pytest.raises(TypeError, match="unexpected keyword argument 'windw'"):
            call(windw=3)
    with pytest.raises(SettingsError, match=r"^granularity is a setting; .*group the articles aga"):
        stories.recut(granularity="topic")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (0.5, r"0.5 is one number; write \[0.5\]"),
        (1, r"1 is one number; write \[1\]"),
        (None, "None is not a list of numbers"),
        ("0.5", "'0.5' is not a list of numbers"),
        (["0.5"], "'0.5' is not a number"),
        ([None], "None is not a number"),
    ],
)
def test_probabilities_are_several(stories: Stories, wrong: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=f"^probabilities: {message}"):
        stories.thresholds(wrong)
    assert len(stories.thresholds(np.array([0.5, 0.9])).rows) == 2


JUDGED = JudgedPair(first="a", second="b", same=True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (JUDGED, r"one JudgedPair; write \[pair\]"),
        ("pairs.csv", r"a path; write read_pairs\('pairs.csv'\)"),
        (Path("pairs.csv"), r"a path; write read_pairs\('pairs.csv'\)"),
        (5, "5 is not a list of JudgedPair"),
        (None, "None is not a list of JudgedPair"),
        ([("a", "b", True)], r"\('a', 'b', True\) is not a JudgedPair; write JudgedPair\(first="),
    ],
)
def test_pairs_are_judged_pairs(stories: Stories, wrong: Any, message: str) -> None:
    for call in (
        lambda: evaluate_pairs(stories, wrong),
        lambda: teach(ROWS, wrong),
        lambda: ask(ROWS, pairs=wrong),
    ):
        with pytest.raises(SettingsError, match=f"^pairs: {message}"):
            call()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Correction("a", "b", True), r"one Correction; write \[correction\]"),
        (
            [("a", "b", True)],
            r"\('a', 'b', True\) is not a Correction; Corrections.read also reads",
        ),
        (5, "5 is not a Correction"),
        (None, "None is not a Correction"),
    ],
)
def test_corrections_are_several(wrong: Any, message: str) -> None:
    articles = [Article.from_mapping(row) for row in ROWS]
    for call in (
        lambda: Corrections(wrong),
        lambda: explain(articles[0], articles[1], corrections=wrong),
    ):
        with pytest.raises(SettingsError, match=f"^corrections: {message}"):
            call()


@pytest.mark.parametrize("name", ["who", "when", "why"])
def test_who_corrected_is_text(name: str) -> None:
    given: dict[str, Any] = {name: ["ana"]}
    with pytest.raises(ArticleError, match=rf"^field '{name}': not a string: \['ana'\]$"):
        Correction("a", "b", True, **given)
    if name != "when":
        with StoryIndex() as index, pytest.raises(ArticleError, match="not a string"):
            index.join("a", "b", **given)


def test_a_story_is_a_list_of_articles() -> None:
    article = Article("a", "text")
    calls: list[Any] = [spread, canonical]
    for call in calls:
        with pytest.raises(
            ArticleError, match=r"^one Article; give a list of all articles of the story$"
        ):
            call(article)
        with pytest.raises(ArticleError, match=r"^not a list of articles: int$"):
            call(5)
    for wrong, message in (
        ({"policy": "erliest"}, "policy: 'erliest' is not one of earliest, longest, central"),
        ({"policy": Settings()}, "policy: Settings.* is not one of earliest, longest, central"),
        ({"preferred_sources": "AFP"}, r"preferred_sources: 'AFP' is one string; write \['AFP'\]"),
        ({"preferred_sources": 5}, "preferred_sources: 5 is not a list of outlets"),
        ({"policy": "central", "similarity": 5}, "similarity: not a matrix with a row"),
    ):
        with pytest.raises(SettingsError, match=f"^{message}"):
            canonical([article], **wrong)


@pytest.mark.parametrize("wrong", [5, None, ["a"], 2.5])
def test_a_path_is_a_path(stories: Stories, wrong: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: stories.save(wrong),
        lambda: Stories.load(wrong),
        lambda: write_report(stories, wrong),
        lambda: EvidenceModel.read(wrong),
    ]
    if not isinstance(wrong, list):
        calls += [
            lambda: read_labels(wrong),
            lambda: read_pairs(wrong),
            lambda: read_stories(wrong),
        ]
    for call in calls:
        with pytest.raises(FileError, match=r"^not a path: "):
            call()


@pytest.mark.parametrize("wrong", [[3], "3", 2.5, 0, None])
def test_a_number_of_pairs_is_checked(stories: Stories, wrong: Any) -> None:
    with pytest.raises(SettingsError, match=r"^pairs: "):
        stories.check_recall(pairs=wrong)
    with pytest.raises(SettingsError, match=r"^count: "):
        sample_pairs(stories, ROWS, wrong)


@pytest.mark.parametrize("wrong", [[0.3], "x", 3, -1, None])
def test_a_similarity_is_a_number(wrong: Any) -> None:
    with pytest.raises(SettingsError, match=r"^similarity: .* is not a number from 0 to 1$"):
        Settings().expected_recall(wrong)


def test_arguments_of_a_report_are_checked(stories: Stories, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: write_report(5, path), "rows: 5 is neither a result of cluster nor its rows"),  # type: ignore[arg-type]
        (lambda: write_report(stories, path, title=5), "title: 5 is not a string"),  # type: ignore[arg-type]
        (
            lambda: write_report(stories, path, audit=audit(stories)),  # type: ignore[arg-type]
            r"audit: .* is not a mapping; write audit\(stories\).to_dict\(\)",
        ),
    ]
    for call, message in calls:
        with pytest.raises(SettingsError, match=f"^{message}$"):
            call()
    assert not path.exists()


def test_a_story_is_asked_for_by_its_id(stories: Stories) -> None:
    wrong: Any = ["a"]
    with pytest.raises(NotFoundError, match=r"^no such story: an id is text, not list$"):
        stories.story(wrong)
    with pytest.raises(SettingsError, match=r"^url: .* is not an address"):
        StoryIndex.connect(wrong)


@pytest.mark.parametrize("window", [3, timedelta(hours=5)])
def test_topics_have_no_window(window: Any, tmp_path: Path) -> None:
    for call in (
        lambda: Settings(granularity="topic", window=window),
        lambda: cluster(ROWS, Settings(granularity="topic")).recut(window=window),
    ):
        with pytest.raises(SettingsError, match=r"^window: topics have no window; leave it out$"):
            call()
    path = tmp_path / "topics.index"
    # Nor does a retention have to be as long as one.
    StoryIndex.open(path, Settings(granularity="topic"), retention=1).close()
    StoryIndex.open(path, Settings(granularity="topic", window=None)).close()


def test_what_a_file_keeps_does_not_change(tmp_path: Path) -> None:
    path, bare = tmp_path / "news.index", tmp_path / "bare.index"
    StoryIndex.open(path, retention=30).close()
    StoryIndex.open(bare, keep_texts=False).close()
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: StoryIndex.open(path, keep_texts=False), "with texts, .* keep_texts=False"),
        (lambda: StoryIndex.open(path, keep_fields=True), "without fields, .* keep_fields=True"),
        (lambda: StoryIndex.open(path, readonly=True, keep_fields=True), "without fields"),
        (lambda: StoryIndex.open(path, readonly=True, retention=40), "^retention: .* read-only"),
    ]
    for call, message in calls:
        with pytest.raises(SettingsError, match=message):
            call()
    StoryIndex.open(bare, keep_texts=False).close()
    with StoryIndex.open(path) as index:
        assert index.stats().retention == timedelta(days=30)
    StoryIndex.open(bare).close()


@pytest.mark.parametrize("policy", ["earliest", "longest"])
def test_only_the_central_article_needs_similarities(policy: Any) -> None:
    with pytest.raises(
        SettingsError, match=r"^similarity: .* does not use it; only 'central' does$"
    ):
        canonical([Article("a", "x")], policy, similarity=np.eye(1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weight": 0}, "'weight': not positive"),
        ({"weight": -1.5}, "'weight': not positive"),
        ({"weight": float("nan")}, "'weight': not a finite number"),
        ({"weight": "2"}, "'weight': not a finite number"),
        ({"probability": 2}, "'probability': not between 0 and 1"),
        ({"probability": float("nan")}, "'probability': not a finite number"),
        ({"same": "yes"}, "'same': neither True nor False nor None"),
        ({"second": "a"}, "'second': the same article twice"),
        ({"first": 1}, "'first': not a non-empty string"),
    ],
)
def test_a_judged_pair_is_checked_when_it_is_made(wrong: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"first": "a", "second": "b", "same": True, **wrong}
    with pytest.raises(ArticleError, match=message):
        JudgedPair(**given)


def test_probabilities_that_are_given_are_used(stories: Stories) -> None:
    found = evaluate_pairs(stories, [JUDGED], probabilities={"a": 0.9, "b": 0.8})
    assert found.probabilities == "stories: probability"
    assert [score.stated for score in found.all_pairs.by_probability if score.stated] == [0.8]
    assert evaluate_pairs(stories, [JUDGED]).probabilities == "stories: similarity"
    with pytest.raises(SettingsError, match=r"^probabilities_name: 'p' is not one of"):
        evaluate_pairs(stories, [JUDGED], probabilities={}, probabilities_name="p")


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_no_story_is_no_name_of_one(missing: Any) -> None:
    stories = {"a": "s1", "b": missing, "c": missing}
    calls: list[Callable[[], object]] = [
        lambda: evaluate(stories, {"a": "1", "b": "2"}),
        lambda: evaluate({"a": "1", "b": "2"}, stories),
        lambda: evaluate_pairs(stories, [JUDGED]),
        lambda: sample_pairs(stories, ROWS, 20),
        lambda: cluster(ROWS, previous=stories),
    ]
    for call in calls:
        with pytest.raises(ArticleError, match=r"'story_id': article 'b' has none; leave it out$"):
            call()
    # The numbers of stories are names too.
    assert evaluate({"a": 1, "b": 1}, {"a": 7, "b": 7}).bcubed.f1 == 1
    with pytest.raises(ArticleError, match=r"'story_id': missing: the row has id, story$"):
        evaluate([{"id": "a", "story": "1"}], {"a": "1"})


def test_whether_two_are_one_story_is_a_fact() -> None:
    wrong: Any = "yes"
    with pytest.raises(SettingsError, match=r"^one_story: 'yes' is neither True nor False nor"):
        explain(Article("a", "x"), Article("b", "x"), one_story=wrong)


@pytest.mark.parametrize(
    ("field", "column"),
    [("published", "Published"), ("source", "SOURCE"), ("title", "Title"), ("lang", "language"),
     ("lang", "Lang")],
)  # fmt: skip
def test_a_field_under_another_name_is_suggested(field: str, column: str) -> None:
    rows = [{**row, "lang": "en"} for row in ROWS]
    rows = [{column if name == field else name: row[name] for name in row} for row in rows]
    wanted = re.escape(f"columns={{{field!r}: {column!r}}} (--column {field}={column}) reads it")
    with pytest.warns(SahelWarning, match=wanted):
        cluster(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cluster(rows, columns={field: column})


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0"])
def test_what_is_blank_is_missing(blank: str) -> None:
    fields = ("title", "source", "lang", "published")
    article = Article.from_mapping({"id": "a", "text": "x", **dict.fromkeys(fields, blank)})
    assert article == Article("a", "x")


def test_a_column_that_another_replaces_is_named() -> None:
    rows = [{**row, "body": row["text"], "text": "teaser"} for row in ROWS]
    with pytest.warns(SahelWarning, match="^columns that are not read, because another .*: text$"):
        cluster(rows, columns={"text": "body"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row in rows:
            del row["title"]
        cluster(rows, columns={"text": "body", "title": "text"})


@pytest.mark.parametrize(
    ("preferred", "message"),
    [
        (["Nowhere"], r"^preferred sources that no article has: 1, for example 'Nowhere'$"),
        (["radio ", "Wire", "x"], r"1, for example 'radio'; there is 'Radio'$"),
        (["x", "x", "y"], r"2, for example 'x'$"),
    ],
)
def test_an_outlet_that_is_preferred_is_there(preferred: list[str], message: str) -> None:
    with pytest.warns(SahelWarning, match=message):
        cluster(ROWS, Settings(preferred_sources=preferred))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A list for many archives.
        cluster(ROWS, Settings(preferred_sources=["AFP", "Wire"]))


def test_former_stories_are_of_the_archive() -> None:
    with pytest.warns(SahelWarning, match="^none of the 1 article of the previous stories is in"):
        cluster(ROWS, previous={"zz": "s1"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cluster(ROWS, previous={"zz": "s1", "a": "s2"})
        cluster(ROWS, previous={})


def test_dates_that_are_dropped_are_told_wherever_an_archive_is_read() -> None:
    many = [
        {**row, "id": f"{row['id']}{n}", "published": "soon", "text": f"{row['text']} Note {n}."}
        for n in range(12)
        for row in ROWS
    ]
    stories = {str(row["id"]): str(row["id"])[0] for row in many}
    pairs = [
        JudgedPair(first=f"a{n}", second=f"{other}{n}", same=other == "b")
        for n in range(12)
        for other in "bc"
    ]
    calls: list[Callable[..., Any]] = [
        lambda rows, **given: sample_pairs(stories, rows, 20, **given),
        lambda rows, **given: teach(rows, pairs, **given),
        lambda rows, **given: ask(rows, **given),
    ]
    for call in calls:
        with pytest.warns(SahelWarning, match="^dates that cannot be read .*: 36 x not a date; "):
            found = call(many)
        bodies = [{**row, "published": None, "body": row["text"]} for row in many]
        for row in bodies:
            del row["text"]
        assert call(bodies, columns={"text": "body"}) == found


def test_corrections_of_a_report_are_of_its_articles(stories: Stories, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with pytest.warns(SahelWarning, match="^ids in corrections that no article has: 1, .* 'x'$"):
        write_report(stories, path, corrections=[("a", "x", True)])
    write_report(stories, path, corrections=[("a", "b", True)])


def test_columns_that_results_replace_are_named(stories: Stories) -> None:
    again = cluster([{**row, **found} for row, found in zip(ROWS, stories.rows(), strict=True)])
    with pytest.warns(
        SahelWarning,
        match=r"^columns .* by results .*: canonical, relation, similarity, story_id$",
    ):
        frame = again.to_frame()
    assert frame["story_id"].to_list() == stories.to_frame()["story_id"].to_list()
