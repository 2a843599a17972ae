"""A served index: answers, load, faults of clients and of the server."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from sahel_dedup import (
    Article,
    ArticleError,
    CorrectionError,
    IndexBusyError,
    NotFoundError,
    SahelError,
    SettingsError,
    StoryIndex,
)
from sahel_dedup.cli import app
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.index import Assignment, AsyncStoryIndex, RemoteIndex
from sahel_dedup.index.index_corrections import IndexCorrections
from sahel_dedup.index.maintenance import check, settings_of
from sahel_dedup.index.remote.corrections import RemoteCorrections
from sahel_dedup.serve.writing import Overloaded, Stopping, Writer
from tests.served import Served, impatient, serving
from tests.test_teaching import never

Row = dict[str, Any]
Index = StoryIndex | RemoteIndex
TOKEN = "a-token-of-letters"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served") / "news.index", "--max-body", "1") as running:
        yield running


def partition(index: Index) -> dict[str, str]:
    return {article: story.id for story in index for article in story.articles}


def test_the_client_has_the_methods_of_an_index() -> None:
    ours = dict(inspect.getmembers(RemoteIndex, inspect.isfunction))
    for name, method in inspect.getmembers(StoryIndex, inspect.isfunction):
        if name in ("connect", "__init__") or (name.startswith("_") and not name.endswith("__")):
            continue
        assert inspect.signature(ours[name]) == inspect.signature(method), name
    # What both show besides their methods.
    with StoryIndex() as index:
        shown = {name for name in vars(index) if not name.startswith("_")}
    assert shown == {"settings", "corrections"}
    far, near = (
        {
            name: inspect.signature(method) if callable(method) else type(method)
            for name, method in vars(kind).items()
            if name in ("__len__", "__iter__", "__bool__", "__repr__") or name[0] != "_"
        }
        for kind in (RemoteCorrections, IndexCorrections)
    )
    assert far == near


@pytest.mark.parametrize("size", [1, 16])
def test_answers_are_those_of_an_index_here(wire: list[Row], tmp_path: Path, size: int) -> None:
    path = tmp_path / "news.index"
    with (
        serving(path, "--fields") as running,
        StoryIndex.connect(running.url) as far,
        StoryIndex.open(tmp_path / "here.index", keep_fields=True) as near,
    ):
        both: tuple[Index, Index] = (near, far)
        answers = [list(index.follow(wire[:150], batch_size=size)) for index in both]
        assert answers[0] == answers[1]
        dice = random.Random(size)
        for _ in range(60):
            act = dice.choice(ACTS)
            seed = dice.random()
            one, other = (outcome(act, index, wire, random.Random(seed)) for index in both)
            assert one == other, act.__name__
        assert evaluate(partition(far), partition(near)).bcubed.f1 == 1.0
        assert partition(far) == partition(near)
        # Rows that are no articles do not reach a server.
        figures = [replace(index.stats(), file_bytes=0, refused=0) for index in both]
        assert figures[0] == figures[1]
        assert far.to_frame(texts=True).equals(near.to_frame(texts=True))
        assert far.settings == near.settings
        assert far
        assert len(far) == len(near)
    assert check(path) == []


def outcome(act: Callable[..., object], *arguments: object) -> object:
    try:
        return act(*arguments)
    except SahelError as error:
        # The two are corrected at different seconds.
        return type(error), re.sub(r"\bon \d{4}-\d\d-\d\dT[\d:]+\+00:00", "on a day", str(error))


def _add(index: Index, rows: list[Row], dice: random.Random) -> object:
    return index.add(dice.choice(rows))


def _add_many(index: Index, rows: list[Row], dice: random.Random) -> object:
    return index.add_many(dice.sample(rows, 9))


def _add_changed(index: Index, rows: list[Row], dice: random.Random) -> object:
    one, other = dice.sample(rows, 2)
    return index.add_many([one, {**other, "id": one["id"]}, other])


def _skip_changed(index: Index, rows: list[Row], dice: random.Random) -> object:
    left: list[str] = []
    one, other = dice.sample(rows, 2)
    given = [one, {**other, "id": one["id"]}, {"id": "x"}, other]
    found = index.add_many(given, on_error=lambda error, row: left.append(str(error)))
    return found, left


def _upsert(index: Index, rows: list[Row], dice: random.Random) -> object:
    one, other = dice.sample(rows, 2)
    return index.upsert({**other, "id": one["id"], "more": [1, {"a": None}]})


def _update(index: Index, rows: list[Row], dice: random.Random) -> object:
    one, other = dice.sample(rows, 2)
    return index.update({**other, "id": one["id"]})


def _query(index: Index, rows: list[Row], dice: random.Random) -> object:
    return index.query({**dice.choice(rows), "id": "asked"})


def _remove(index: Index, rows: list[Row], dice: random.Random) -> object:
    return index.remove(dice.choice(rows)["id"])


def _ask(index: Index, rows: list[Row], dice: random.Random) -> object:
    one, other = (row["id"] for row in dice.sample(rows, 2))
    story = index.story_of(one)
    return (
        index.story(story.id), one in index, "none" in index, 5 in index, index.article(one),
        index.explain(one, other).to_json(), index[one], index.events(2), index.events(),
    )  # fmt: skip


def _ask_in_vain(index: Index, rows: list[Row], dice: random.Random) -> object:
    return index.story("s" + "0" * 16), index.story(None)


def _list(index: Index, rows: list[Row], dice: random.Random) -> object:
    since = datetime.fromisoformat(dice.choice(rows)["published"])
    return list(index.stories(since)), index.to_frame().rows()


def _expire(index: Index, rows: list[Row], dice: random.Random) -> object:
    days = sorted(row["published"] for row in rows)
    return index.expire(datetime.fromisoformat(days[len(days) // 20]))


def _compact(index: Index, rows: list[Row], dice: random.Random) -> object:
    return index.compact()


def _correct(index: Index, rows: list[Row], dice: random.Random) -> object:
    one, other = (row["id"] for row in dice.sample(rows, 2))
    say = dice.choice([index.join, index.part])
    return say(one, other), say(one, "to come", who="an editor", why="read")


def _say_much(index: Index, rows: list[Row], dice: random.Random) -> object:
    names = [row["id"] for row in dice.sample(rows, 3)]
    said = [(names[0], names[1], True), (names[1], f"to come {dice.random()}", False)]
    added = index.corrections.add(said), len(index.corrections), bool(index.corrections)
    known = [item.to_row() | {"when": None} for item in index.corrections]
    kept = index.corrections.unknown, index.corrections.withdraw(names[1], names[0])
    return added, known, kept, index.corrections.withdraw("no one", "nobody")


def _contradict(index: Index, rows: list[Row], dice: random.Random) -> object:
    one, other = (row["id"] for row in dice.sample(rows, 2))
    return index.part(one, other), index.join(one, other)


def _odd_ids(index: Index, rows: list[Row], dice: random.Random) -> object:
    name = "a/b?c=d&e#\ud800 é\n"
    added = index.add({"id": name, "text": f"\udfff rain {dice.random()}", "lang": "fr"})
    return added, name in index, index[name], index.article(name), index.remove(name)


ACTS = [
    _add, _add_many, _add_changed, _skip_changed, _upsert, _update, _query, _remove, _ask,
    _ask_in_vain, _list, _expire, _compact, _odd_ids, _correct,
    _contradict, _say_much,
]  # fmt: skip


def test_concurrent_adds_are_put_in_together(tmp_path: Path) -> None:
    path = tmp_path / "news.index"
    rows = [{"id": f"n{n}", "text": f"event{n} took place at town{n}"} for n in range(400)]
    answers: list[Assignment] = []
    with serving(path) as running, StoryIndex.connect(running.url) as index:

        def add(part: list[Row]) -> None:
            for row in part:
                answers.append(index.add(row))

        workers = [threading.Thread(target=add, args=(rows[n::16],)) for n in range(16)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert {answer.id for answer in answers} == {row["id"] for row in rows}
        assert {answer.id: answer.story_id for answer in answers} == partition(index)
        text = httpx.get(f"{running.url}/metrics").text
        told = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        assert float(told["sahel_batch_articles_sum"]) == 400
        assert float(told["sahel_batch_articles_count"]) < 400
        assert float(told["sahel_index_articles"]) == 400
        assert float(told['sahel_requests_total{path="/add",status="200"}']) == 400
        assert running.end(signal.SIGTERM) == 128 + signal.SIGTERM
    assert check(path) == []


def test_tasks_of_one_program_add_together(tmp_path: Path) -> None:
    rows = [{"id": f"n{n}", "text": f"event{n} took place at town{n}"} for n in range(300)]
    changed = {**rows[3], "text": "Something else."}

    async def main(url: str) -> tuple[list[Any], dict[str, float]]:
        async with AsyncStoryIndex(url) as index:
            found = await asyncio.gather(
                *(index.add(row) for row in rows), index.upsert(rows[7]), index.add(changed),
                index.add({"id": "", "text": "x"}), return_exceptions=True,
            )  # fmt: skip
            found.append(await index.add({"id": "alone", "text": "Rain fell."}))
        text = httpx.get(f"{url}/metrics").text
        told = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        return found, {name: float(value) for name, value in told.items()}

    with serving(tmp_path / "news.index") as running:
        found, told = asyncio.run(main(running.url))
        with StoryIndex.connect(running.url) as index:
            there = partition(index)
    assert [answer.story_id for answer in found[:300]] == [there[row["id"]] for row in rows]
    assert found[300].id == "n7"
    assert [type(error) for error in found[301:303]] == [ArticleError, ArticleError]
    assert found[303].id == "alone"
    assert told['sahel_requests_total{path="/add_many",status="200"}'] < 10
    assert 'sahel_requests_total{path="/add",status="200"}' not in told


def test_tasks_are_told_that_nobody_answers() -> None:
    async def main() -> list[Any]:
        async with AsyncStoryIndex("http://127.0.0.1:9", timeout=1) as index:
            adds = [index.add({"id": name, "text": "Rain."}) for name in "abc"]
            return await asyncio.gather(*adds, return_exceptions=True)

    assert all("no answer" in str(error) for error in asyncio.run(main()))


def test_a_task_that_stops_takes_nothing_from_others(tmp_path: Path) -> None:
    async def main(url: str) -> str:
        async with AsyncStoryIndex(url) as index:
            gone, stays = (
                asyncio.create_task(index.add({"id": name, "text": "Rain fell."})) for name in "ab"
            )
            await asyncio.sleep(0)
            gone.cancel()
            return (await stays).id

    with serving(tmp_path / "news.index") as running:
        assert asyncio.run(main(running.url)) == "b"


def test_events_are_followed(tmp_path: Path) -> None:
    async def follow(url: str) -> list[object]:
        async with AsyncStoryIndex(url) as index:
            rows = [{"id": f"n{n}", "text": f"event{n} at town{n}"} for n in range(6)]
            added = await asyncio.gather(*(index.add(row) for row in rows[:4]))
            assert [found.id for found in added] == ["n0", "n1", "n2", "n3"]
            assert [found.id for found in await index.add_many(rows)] == [row["id"] for row in rows]
            with pytest.raises(ArticleError, match="other words"):
                await index.add_many([{"id": "new", "text": "x y"}, {"id": "n0", "text": "no"}])
            assert not await index.contains("new")
            await index.remove("n0")
            seen: list[object] = []
            async for event in index.follow_events():
                seen.append(event)
                if len(seen) < 3:
                    await index.remove(f"n{len(seen)}")
                else:
                    break
            assert await index.events(1) == tuple(seen[1:])
            assert (await index.stats()).articles == 3
            assert [story.canonical async for story in index.stories()] == ["n3", "n4", "n5"]
            assert (await index.upsert({**rows[3], "title": "Town"})).updated
            assert (await index.query(rows[4])).relation == "exact"
            story = await index.story_of("n4")
            assert story == await index.story(story.id)
            assert (await index.article("n5")).text == rows[5]["text"]
            return seen

    with serving(tmp_path / "news.index") as running:
        seen = asyncio.run(follow(running.url))
        last = asyncio.run(follow_to_the_end(running))
        assert last == seen[1:]
        with pytest.raises(SahelError, match="no answer from the index"):
            StoryIndex.connect(running.url)


def test_tasks_correct_and_explain(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        async with AsyncStoryIndex(url) as index:
            rows = [{"id": f"n{n}", "text": f"event{n} at town{n}"} for n in range(3)]
            await index.add_many(rows)
            assert (await index.update({**rows[0], "text": "event0 at another town"})).updated
            assert not (await index.explain("n0", "n1")).one_story
            assert [event.kind for event in await index.join("n0", "n1", who="ana")] == ["merged"]
            assert set((await index.story_of("n0")).articles) == {"n0", "n1"}
            assert await index.part("n0", "n2") == ()
            with pytest.raises(CorrectionError, match="'n0' and 'n1' are one story"):
                await index.part("n0", "n1")

    with serving(tmp_path / "news.index") as running:
        asyncio.run(main(running.url))


async def follow_to_the_end(running: Served) -> list[object]:
    seen: list[object] = []
    async with AsyncStoryIndex(running.url) as index:
        with pytest.raises(SahelError, match="the server has stopped; the last event was 3"):
            await follow_and_end(index, running, seen)
    return seen


async def follow_and_end(index: AsyncStoryIndex, running: Served, seen: list[object]) -> None:
    async for event in index.follow_events(cursor=1):
        seen.append(event)
        if len(seen) == 2:
            running.process.send_signal(signal.SIGTERM)


def send(running: Served, data: bytes) -> tuple[int, Row]:
    """Send bytes as they are; return status and body of the answer."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=60) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    found = json.loads(body) if body.startswith(b"{") else {}
    return int(head.split()[1]), found


def post(body: bytes, path: str = "/add", headers: str = "", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {size}\r\n{headers}\r\n"
    )
    return head.encode() + body


GOOD = b'{"article": {"id": "good", "text": "Rain fell in Kidal"}}'


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "body: not JSON"),
        (b"\xff\xfe", 400, "body: not JSON"),
        (b"[" * 100_000, 400, "body: not JSON: nested too deeply"),
        (b'{"article":' * 50_000, 400, "body: not JSON: nested too deeply"),
        (b'{"article": 1' + b"0" * 5000 + b"}", 400, "body: not JSON"),
        (b'{"article": {}, "article": {}}', 400, "names a field twice"),
        (b"[]", 400, "body: not a JSON object"),
        (b"{}", 400, "article: not a JSON object"),
        (b'{"article": 5}', 400, "article: not a JSON object"),
        (b'{"article": {"id": "a", "text": "b"}, "more": 1}', 400, "more: unknown field"),
        (b'{"article": {"text": "b"}}', 422, "field 'id': missing"),
        (b'{"article": {"id": "", "text": "b"}}', 422, "field 'id': empty"),
        (b'{"article": {"id": "a", "text": ["b"]}}', 422, "field 'text': not a string"),
        (b'{"article": {"id": "a", "text": "b", "published": "soon"}}', 422, "'published'"),
        (b'{"article": {"id": true, "text": "b"}}', 422, "field 'id'"),
    ],
)
def test_bodies_that_are_no_article(served: Served, body: bytes, status: int, said: str) -> None:
    found, answer = send(served, post(body))
    assert found == status
    assert said in answer["error"]["message"]
    assert send(served, post(GOOD))[0] == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET / FTP/9\r\n\r\n", 400),
        (post(GOOD, "/nothing"), 404),
        (post(GOOD, "/stats"), 405),
        (post(b"", length=2 << 20), 413),
        (post(b'{"article": {"id": "a", "text": "' + b"a" * (1 << 20) + b'"}}'), 413),
        (post(GOOD).replace(b"Host: localhost", b"Host: evil.example"), 421),
        (post(GOOD).replace(b"Host: localhost", b"Host: localhost.evil.example"), 421),
        (post(GOOD).replace(b"Host: localhost", b"Host: localhost@evil.example"), 421),
        (post(GOOD).replace(b"Host: localhost", b"Host: ["), 421),
        (post(GOOD, headers="Origin: http://evil.example\r\n"), 403),
        (post(GOOD, headers="Origin: null\r\n"), 403),
        (post(GOOD, headers="Origin: http://localhost\r\n"), 200),
        (post(GOOD).replace(b"application/json", b"text/plain"), 415),
        (post(b'{"articles": 5}', "/add_many"), 400),
        (post(b'{"articles": [], "whole": 1}', "/add_many"), 400),
        (post(b'{"articles": [], "on_changed": "x"}', "/add_many"), 400),
        (post(b'{"articles": []}', "/add_many"), 200),
        (post(b'{"id": 5}', "/remove"), 400),
        (post(b'{"id": "none"}', "/remove"), 404),
        (post(b"{}", "/expire"), 400),
        (post(b'{"before": "soon"}', "/expire"), 400),
        (b"GET /events?cursor=-1 HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n", 400),
        (b"GET /events?cursor=1&cursor=2 HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /story HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /explain?first=a HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /article HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /table?texts=yes HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /story?id=a&article=b HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /story?" + b"a&" * 900 + b" HTTP/1.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 421),
    ],
)
def test_requests_that_are_refused(served: Served, data: bytes, status: int) -> None:
    assert send(served, data)[0] == status
    assert send(served, post(GOOD))[0] == 200


def test_a_body_in_chunks_has_a_limit_too(served: Served) -> None:
    head = post(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    assert send(served, head + 17 * chunk)[0] == 413


def test_of_many_articles_each_has_an_answer(served: Served) -> None:
    rows = [{"id": "good", "text": "Rain fell in Kidal"}, {"id": 5}, 7, {"id": "m", "text": "M"}]
    for whole, answers in ((True, [None, 1, 1, None]), (False, [0, 1, 1, 0])):
        body = json.dumps({"articles": rows, "whole": whole}).encode()
        status, found = send(served, post(body, "/add_many"))
        assert status == 200
        told = [answer and int("error" in answer) for answer in found["answers"]]
        assert told == answers


def test_slow_and_broken_clients_hold_nobody_up(tmp_path: Path) -> None:
    halves = [
        post(GOOD)[:30], post(GOOD)[:-9], post(b"", length=1000), b"", b"\x00" * 40, b"GET / HT",
        post(GOOD, headers="X-Long: " + "a" * 4000 + "\r\n")[:2000],
    ]  # fmt: skip
    with impatient(tmp_path / "news.index", 2.0, 2.0) as running:
        waiting = []
        for n in range(50):
            connection = socket.create_connection(("127.0.0.1", running.port))
            connection.sendall(halves[n % len(halves)])
            waiting.append(connection)
            if n % 5 == 0:
                # Gone before anything is answered.
                waiting.pop().close()
        with StoryIndex.connect(running.url) as index:
            for n in range(40):
                assert index.add({"id": f"n{n}", "text": f"event{n} at town{n}"}).is_new_story
            assert len(index) == 40
        # They are told to go, or told nothing and left.
        for connection in waiting:
            connection.settimeout(60)
            told = b""
            try:
                while part := connection.recv(1 << 16):
                    told += part
            except ConnectionResetError:
                pass
            assert not told or told.split()[1] in (b"400", b"408")
            connection.close()
        with StoryIndex.connect(running.url) as index:
            assert len(index) == 40


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_acknowledged_is_lost(tmp_path: Path, how: signal.Signals) -> None:
    path, told = tmp_path / "news.index", set[str]()
    dice = random.Random(how)
    for turn in range(3):
        with serving(path) as running, StoryIndex.connect(running.url, timeout=20) as index:

            def add(worker: int, turn: int = turn, index: RemoteIndex = index) -> None:
                for n in range(100_000):
                    rows = [
                        {"id": f"{turn}/{worker}/{n}/{i}", "text": f"event{n} {turn} at town{i}"}
                        for i in range(1 + n % 3)
                    ]
                    try:
                        found = index.add_many(rows)
                    except SahelError:
                        return
                    told.update(answer.id for answer in found)

            workers = [threading.Thread(target=add, args=(n,)) for n in range(4)]
            for worker in workers:
                worker.start()
            time.sleep(dice.uniform(0.2, 1.0))
            assert running.end(how) == (-how if how == signal.SIGKILL else 128 + how)
            for worker in workers:
                worker.join()
        assert check(path) == []
        with StoryIndex.open(path) as opened:
            articles = [article for story in opened for article in story.articles]
        assert len(articles) == len(set(articles))
        assert told <= set(articles)
    assert told


def test_who_may_ask(tmp_path: Path) -> None:
    letters = tmp_path / "token"
    letters.write_text(TOKEN + "\n")
    options = ("--host", "0.0.0.0", "--token-file", str(letters))
    with serving(tmp_path / "news.index", *options) as running:
        url = f"http://127.0.0.1:{running.port}"
        with StoryIndex.connect(url, token=TOKEN) as index:
            assert index.add({"id": "a", "text": "Rain"}).is_new_story
        for wrong in (None, "another-token-of-letters", TOKEN[:-1]):
            with pytest.raises(SahelError, match="a token is needed"):
                StoryIndex.connect(url, token=wrong)
        assert httpx.get(f"{url}/health").status_code == 200
        told = httpx.get(f"{url}/stats", headers={"Authorization": f"Basic {TOKEN}"})
        assert (told.status_code, told.headers["WWW-Authenticate"]) == (401, "Bearer")
        # With a token any name will do, but no page of another site.
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        named = httpx.get(f"{url}/stats", headers={**bearer, "Host": "news.example"})
        assert named.status_code == 200
        page = httpx.get(f"{url}/stats", headers={**bearer, "Origin": "http://evil.example"})
        assert page.status_code == 403


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    return result.exit_code, result.stdout + result.stderr


def test_what_cannot_be_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAHEL_DEDUP_TOKEN", raising=False)
    path, letters = tmp_path / "news.index", tmp_path / "token"
    status, told = run("serve", "--index", path, "--host", "0.0.0.0", "--port", 0)
    assert status == 2
    assert "'0.0.0.0' needs a token" in told
    letters.write_text("short\n")
    status, told = run("serve", "--index", path, "--token-file", letters)
    assert (status, "16 ASCII characters" in told) == (2, True)
    assert run("serve", "--index", path, "--token-file", tmp_path / "none")[0] == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, told = run("serve", "--index", path, "--port", taken.getsockname()[1])
    assert (status, "cannot listen" in told) == (2, True)
    assert run("serve", "--index", path, "--host", "no.such.host.invalid")[0] == 2
    with StoryIndex.open(path):
        status, told = run("serve", "--index", path, "--port", 0)
    assert (status, "one writes at a time" in told) == (2, True)


def test_an_index_is_made_with_a_model_that_was_taught(tmp_path: Path) -> None:
    path, given = tmp_path / "news.index", tmp_path / "model.json"
    never().write(given)
    with serving(path, "--model", str(given)) as served:
        served.end(signal.SIGTERM)
    assert settings_of(path).model == never()


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sahel_dedup.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setitem(sys.modules, "httpx", None)
    status, told = run("serve", "--index", tmp_path / "news.index")
    assert status == 2
    assert "serve needs uvicorn: pip install 'sahel-dedup[serve]'" in told
    with pytest.raises(
        SahelError, match=r"served index needs httpx: pip install 'sahel-dedup\[serve\]'$"
    ):
        StoryIndex.connect("http://127.0.0.1:9")


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://x", "http://", "http://[", "http://a:0", 5])
def test_what_is_no_address(url: Any) -> None:
    with pytest.raises(SettingsError, match="url: "):
        StoryIndex.connect(url)


def test_an_answer_that_no_index_gives() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            for status in (b"200 OK", b"500 Oops", b"503 Busy"):
                connection, _ = other.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(b"HTTP/1.0 " + status + b"\r\n\r\n[]")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(SahelError, match="did not answer like an index"):
            StoryIndex.connect(url)
        with pytest.raises(SahelError, match="answered 500, so it is not an index"):
            StoryIndex.connect(url)
        with pytest.raises(IndexBusyError, match="answered 503"):
            StoryIndex.connect(url, timeout=0.1)
        thread.join()


def articles(*names: str) -> list[Article]:
    return [Article(name, f"event {name} at town {name}") for name in names]


def writer(index: StoryIndex, room: int = 100) -> tuple[Writer, list[int], list[Exception]]:
    batches, failures = list[int](), list[Exception]()
    return Writer(index, room, batches.append, failures.append), batches, failures


def test_a_refusal_keeps_nobody_else_out() -> None:
    async def main() -> None:
        index = StoryIndex()
        writes, batches, _ = writer(index)
        other = Article("a", "other words")
        await writes.add(articles("a"), update=False)
        held = threading.Event()
        blocked = asyncio.create_task(writes.run(held.wait))
        adds = [
            writes.add(articles("b"), update=False),
            writes.add([*articles("c"), other, *articles("d")], update=False, whole=True),
            writes.add([*articles("e"), other], update=False),
            writes.add([other], update=False, whole=True),
            writes.add([other], update=True),
            writes.add(articles("f"), update=False),
        ]
        waiting = [asyncio.create_task(add) for add in adds]
        await asyncio.sleep(0)
        held.set()
        found = await asyncio.gather(*waiting)
        (b,), (c, refused, d), (e, left), (whole,), (changed,), (f,) = found
        await blocked
        for added in (b, e, changed, f):
            assert isinstance(added, Assignment)
        assert isinstance(changed, Assignment)
        assert changed.updated
        assert (c, d) == (None, None)
        for error in (refused, left, whole):
            assert isinstance(error, ArticleError)
            assert error.field == "id"
        assert sorted(partition(index)) == ["a", "b", "e", "f"]
        assert sum(batches) == 10
        assert len(batches) <= 5
        await writes.close()

    asyncio.run(main())


def test_there_is_room_for_so_many() -> None:
    async def main() -> None:
        index = StoryIndex()
        writes, _, _ = writer(index, room=3)
        held = threading.Event()
        blocked = asyncio.create_task(writes.run(held.wait))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(writes.add(articles("a", "b"), update=False))
        await asyncio.sleep(0)
        assert writes.waiting == 2
        with pytest.raises(Overloaded, match="2 articles are already waiting"):
            await writes.add(articles("c", "d"), update=False)
        held.set()
        await asyncio.gather(blocked, waiting)
        assert writes.waiting == 0
        # More than there is ever room for come alone.
        assert len(await writes.add(articles("c", "d", "e", "f"), update=False)) == 4
        assert await writes.add([], update=False) == []
        last = asyncio.create_task(writes.add(articles("g"), update=False))
        await asyncio.sleep(0)
        await writes.close()
        assert len(await last) == 1
        for late in (writes.add(articles("h"), update=False), writes.run(index.stats)):
            with pytest.raises(Stopping):
                await late

    asyncio.run(main())


def test_who_stops_waiting_takes_nothing_from_others() -> None:
    async def main() -> None:
        index = StoryIndex()
        writes, _, _ = writer(index)
        held = threading.Event()
        blocked = asyncio.create_task(writes.run(held.wait))
        await asyncio.sleep(0)
        gone, stays = (
            asyncio.create_task(writes.add(articles(name), update=False)) for name in "ab"
        )
        await asyncio.sleep(0)
        gone.cancel()
        held.set()
        assert len(await stays) == 1
        await blocked
        assert sorted(partition(index)) == ["a", "b"]
        await writes.close()

    asyncio.run(main())


def test_an_index_that_fails_is_told_of() -> None:
    async def main() -> None:
        index = StoryIndex()
        writes, _, failures = writer(index)
        index.close()
        with pytest.raises(SahelError, match="closed"):
            await writes.add(articles("a"), update=False)
        assert len(failures) == 1
        await writes.close()

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of a process")
def test_a_full_disk_ends_the_server(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "news.index"
    with serving(path) as running, StoryIndex.connect(running.url, timeout=5) as index:
        index.add({"id": "a", "text": "Rain fell in Kidal"})
        size = path.stat().st_size + (1 << 20)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, size))
        rows = [{"id": f"n{n}", "text": f"event{n} " + "rain " * 20_000} for n in range(200)]
        with pytest.raises(SahelError):
            index.add_many(rows)
        assert running.process.wait(60) == 2
    assert check(path) == []
    with StoryIndex.open(path) as opened:
        assert "a" in opened


def test_times_travel(tmp_path: Path) -> None:
    moment = datetime(2025, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
    options = ("--retention", "30", "--window", "3")
    with serving(tmp_path / "i", *options) as running, StoryIndex.connect(running.url) as index:
        index.add({"id": "a", "text": "Rain", "published": moment})
        assert index.stats().newest == moment
        assert index.stats().retention == timedelta(days=30)
        assert index.settings.window == timedelta(days=3)
        assert index.article("a").published == moment
        assert not index.add({"id": "b", "text": "Old", "published": "2001-01-01"}).kept
        with pytest.raises(SettingsError, match="since"):
            index.stories("soon")  # type: ignore[arg-type]
        with pytest.raises(NotFoundError):
            index.remove("nobody")
