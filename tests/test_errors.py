"""The classes of errors: programs can tell the kinds of failures apart."""

from __future__ import annotations

import ast
import asyncio
import os
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sahel_dedup
from sahel_dedup import (
    Article,
    ArticleError,
    CorrectionError,
    FileError,
    Fingerprint,
    FingerprintError,
    IndexStateError,
    MissingTextsError,
    RequestError,
    SahelError,
    ServerError,
    Settings,
    SettingsError,
    Stories,
    StoryIndex,
    cluster,
    errors,
    fingerprints,
)
from sahel_dedup.batch import Archive
from sahel_dedup.evaluation.teaching.lesson import teach
from sahel_dedup.index import AsyncStoryIndex
from sahel_dedup.index.remote import wire
from sahel_dedup.io.writers import write_rows
from tests.served import serving

ROWS = [{"id": "a", "text": "Rain fell in Kidal"}, {"id": "b", "text": "Millet prices rose in Gao"}]
CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, SahelError)
]


def raised_bare(source: str) -> list[int]:
    """Return the lines that create an error of the base class."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "SahelError"
    ]


def test_no_module_raises_the_base_class() -> None:
    package = Path(sahel_dedup.__path__[0])
    found = {path.name: raised_bare(path.read_text("utf-8")) for path in package.rglob("*.py")}
    assert not {name: lines for name, lines in found.items() if lines}
    assert raised_bare("raise SahelError('x')\nf(errors.SahelError(y))\nFileError(z)") == [1, 2]


def test_every_class_is_exported() -> None:
    assert {kind.__name__ for kind in CLASSES} <= set(sahel_dedup.__all__)


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_survive_processes_and_connections(kind: type[SahelError]) -> None:
    """All are one line, also those that derive from errors of the system."""
    error = CorrectionError("no\nroom", ()) if kind is CorrectionError else kind("no\nroom")
    for copied in (
        pickle.loads(pickle.dumps(error)),
        wire.error_from_json(wire.error_to_json(error)),
    ):
        assert type(copied) is kind
        assert str(copied) == str(error)
        assert "\n" not in str(copied)


def streamed() -> Stories:
    """Return stories without texts."""
    read = iter(map(Article.from_mapping, ROWS))
    return Archive.read(read, Settings(), lambda *_: None).stories()


def closed() -> StoryIndex:
    index = StoryIndex()
    index.close()
    return index


def filled() -> StoryIndex:
    index = StoryIndex()
    index.add_many(ROWS)
    return index


def cut_short() -> Fingerprint:
    ((_, found),) = fingerprints(ROWS[:1])
    return Fingerprint.from_bytes(found.to_bytes()[:-1])


@pytest.mark.parametrize(
    ("call", "kind", "standard"),
    [
        (lambda: streamed().explain("a", "b"), MissingTextsError, LookupError),
        (lambda: streamed().quantities(), MissingTextsError, LookupError),
        (lambda: StoryIndex.from_stories(streamed()), MissingTextsError, LookupError),
        (lambda: filled().article("a"), MissingTextsError, LookupError),
        (lambda: filled().to_frame(texts=True), MissingTextsError, LookupError),
        (lambda: closed().add(ROWS[0]), IndexStateError, RuntimeError),
        (lambda: closed().story_of("a"), IndexStateError, RuntimeError),
        (lambda: Fingerprint.from_bytes(b"other bytes"), FingerprintError, ValueError),
        (cut_short, FingerprintError, ValueError),
        (lambda: teach(ROWS, []), SettingsError, ValueError),
    ],
)
def test_calls_that_fail(
    call: Callable[[], object], kind: type[SahelError], standard: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    assert isinstance(caught.value, standard)


def test_an_index_in_the_wrong_state(tmp_path: Path) -> None:
    path = tmp_path / "news.index"
    stories = cluster(ROWS)
    StoryIndex.from_stories(stories, path).close()
    with pytest.raises(IndexStateError, match="already has articles"):
        StoryIndex.from_stories(stories, path)
    with (
        StoryIndex.open(path, readonly=True) as index,
        pytest.raises(IndexStateError, match="read-only"),
    ):
        index.remove("a")


def test_an_id_that_no_index_can_keep() -> None:
    stories = cluster(ROWS, previous={"a": "flood"})
    with pytest.raises(SettingsError, match="cannot keep the id 'flood'"):
        StoryIndex.from_stories(stories)


def test_a_value_that_no_file_can_hold(tmp_path: Path) -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(FileError, match="nested too deeply"):
        write_rows(os.fspath(tmp_path / "out.jsonl"), [{"value": value}])


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ServerError, match="no answer from the index"):
        StoryIndex.connect(url)

    async def ask() -> None:
        async with AsyncStoryIndex(url) as index:
            with pytest.raises(ConnectionError, match="no answer from the index"):
                await index.add(ROWS[0])

    asyncio.run(ask())


WRONG: list[Callable[[Any], object]] = [
    lambda index: index.add(ROWS),
    lambda index: index.add({"text": "Rain"}),
    lambda index: index.add({**ROWS[0], "text": "Other words"}),
    lambda index: index.update({"id": "zz", "text": "Rain"}),
    lambda index: index.remove("zz"),
    lambda index: index.remove(["a"]),
    lambda index: index[0],
    lambda index: index.story_of(ROWS[0]),
    lambda index: index.story(None),
    lambda index: index.story("zz"),
    lambda index: index.article("zz"),
    lambda index: index.explain("a", "zz"),
    lambda index: index.join("a", "a"),
    lambda index: index.join(1, "b"),
    lambda index: index.part(ROWS[0], "b"),
    lambda index: index.corrections.add([("a", "b")]),
    lambda index: index.corrections.withdraw("a", 5),
    lambda index: index.events("0"),
    lambda index: index.events(-1),
    lambda index: index.expire("2025-01-01"),
    lambda index: list(index.stories(since=7)),
]


def test_wrong_calls_fail_alike_far_and_near(tmp_path: Path) -> None:
    def failure(call: Callable[[Any], object], index: object) -> SahelError:
        with pytest.raises(SahelError) as caught:
            call(index)
        return caught.value

    with (
        serving(tmp_path / "far.index") as running,
        StoryIndex.connect(running.url) as far,
        StoryIndex.open(tmp_path / "near.index") as near,
    ):
        for index in (far, near):
            index.add_many(ROWS)
        for call in WRONG:
            expected, found = failure(call, near), failure(call, far)
            assert (type(found), str(found)) == (type(expected), str(expected))


def test_a_client_for_tasks_stays_in_its_event_loop(tmp_path: Path) -> None:
    with serving(tmp_path / "news.index") as running:
        index = AsyncStoryIndex(running.url, timeout=float("inf"))

        async def use() -> None:
            await index.add_many(ROWS)
            await index.add(ROWS[0])
            assert (await index.stats()).articles == 2
            await index.aclose()
            await index.aclose()

        async def use_elsewhere() -> None:
            for call in (index.stats, index.aclose, lambda: index.add(ROWS[1])):
                with pytest.raises(IndexStateError, match="in one event loop only"):
                    await call()

        first = asyncio.new_event_loop()
        try:
            first.run_until_complete(index.stats())
            asyncio.run(use_elsewhere())
            first.run_until_complete(use())
        finally:
            first.close()


def test_a_served_index_raises_what_a_local_one_raises(tmp_path: Path) -> None:
    token = "a-token-of-letters"
    with serving(tmp_path / "news.index", "--no-texts", token=token) as running:
        with pytest.raises(RequestError, match="a token is needed"):
            StoryIndex.connect(running.url)
        with pytest.raises(RequestError, match=r"GET /elsewhere/settings: Not Found"):
            StoryIndex.connect(f"{running.url}/elsewhere", token=token)
        index = StoryIndex.connect(running.url, token=token)
        index.add_many(ROWS)
        with pytest.raises(MissingTextsError, match="made without them"):
            index.article("a")
        with pytest.raises(MissingTextsError):
            index.explain("a", "b")
        with pytest.raises(ArticleError, match="other words"):
            index.add({**ROWS[0], "text": "Other words"})
        index.close()
        for ask in (lambda: index.add(ROWS[0]), lambda: list(index.stories()), index.stats):
            with pytest.raises(IndexStateError, match="connection to the index is closed"):
                ask()

        async def ask_later() -> None:
            other = AsyncStoryIndex(running.url, token=token)
            await other.aclose()
            with pytest.raises(IndexStateError, match="closed"):
                await other.add(ROWS[0])
            with pytest.raises(IndexStateError, match="closed"):
                [story async for story in other.stories()]

        asyncio.run(ask_later())
