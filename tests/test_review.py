"""The review: questions, the file of answers, and access to the server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sahel_dedup import Corrections, SahelError, Settings, cluster
from sahel_dedup.cli import app
from sahel_dedup.evaluation.judged_pairs import read_pairs
from sahel_dedup.explain.document import Span
from sahel_dedup.io.article_reader import iter_articles
from sahel_dedup.review.answers import Answers
from sahel_dedup.review.questions import Questions, pieces
from tests.test_corrections import ARTICLES, partition

pytest.importorskip("starlette", reason="sahel-dedup[serve] is not installed")
pytest.importorskip("httpx", reason="sahel-dedup[serve] is not installed")

import httpx

from sahel_dedup.review.app import Review, make_app
from sahel_dedup.review.server import serve_review

HOST = "127.0.0.1:8000"
REVIEWED: list[dict[str, Any]] = [
    *ARTICLES,
    *({**ARTICLES[2], "id": f"c{i}", "text": f"{ARTICLES[2]['text']} {i} dead."} for i in range(2)),
]


@pytest.fixture(scope="module")
def questions() -> Questions:
    stories = {str(row["id"]): str(row["story_id"]) for row in cluster(REVIEWED).rows()}
    return Questions.of(list(iter_articles(REVIEWED)), stories, Settings(), 50)


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    found = Answers(str(tmp_path / "answers.jsonl"))
    yield found
    found.close()


class Client:
    """Sends requests to the application, without a server."""

    def __init__(self, review: Review) -> None:
        self._app = make_app(review, "secret", frozenset({HOST}))

    def get(self, path: str, **rest: Any) -> httpx.Response:
        return self._send("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        return self._send("POST", path, **rest)

    def _send(self, method: str, path: str, **rest: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            base = f"http://{HOST}/secret/"
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, **rest)

        return asyncio.run(send())


@pytest.fixture
def client(questions: Questions, answers: Answers) -> Client:
    return Client(Review(questions, answers, "Awa"))


def test_uncertain_pairs_come_first(questions: Questions) -> None:
    doubt = [abs(q.probability - Settings().probability) for q in questions.pairs]
    assert len(doubt) >= 6
    assert doubt[0] == min(doubt)
    assert {len(articles) for _, articles in questions.stories} == {2, 5}


@given(
    text=st.text(max_size=12),
    spans=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4),
)
def test_pieces_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    shared = [
        Span(min(i, j), min(max(i, j), len(text))) for i, j in spans if min(i, j) <= len(text)
    ]
    found = pieces(text, shared)
    assert "".join(piece for piece, _ in found) == text
    marked = [both for piece, both in found for _ in piece]
    assert marked == [any(s.start <= i < s.end for s in shared) for i in range(len(text))]


def test_answers_are_pairs_and_corrections(client: Client, answers: Answers) -> None:
    first = client.get("look/pair?number=0").json()
    assert first["answer"] is None
    for number, said in enumerate(("same", "different", "unsure")):
        assert (
            client.post("change/answer", json={"number": number, "said": said}).status_code == 200
        )
    assert client.get("look/start").json()["number"] == 3
    assert client.get("look/pair?number=1").json()["answer"] == "different"
    assert [pair.same for pair in read_pairs(answers.path)] == [True, False, None]
    assert {c.who for c in Corrections.read(answers.path)} == {"Awa"}
    again = Answers(answers.path)
    assert again.rows == answers.rows
    again.close()
    assert client.post("change/undo", json={}).json()["pair"] == 2
    assert client.post("change/undo", json={}).json()["pair"] == 1
    assert [pair.same for pair in read_pairs(answers.path)] == [True]


def test_a_story_is_split_as_a_whole(client: Client, answers: Answers) -> None:
    start = client.get("look/start").json()
    numbers = range(start["stories"])
    shown = [client.get(f"look/story?number={n}").json() for n in numbers]
    number = next(n for n, s in enumerate(shown) if len(s["articles"]) == 5)
    assert client.post("change/split", json={"number": number, "ids": ["c"]}).status_code == 200
    found = partition(cluster(REVIEWED, corrections=answers.path))
    assert found >= {frozenset(["a", "b", "c0", "c1"]), frozenset("c")}
    for ids in ([], ["a", "b", "c", "c0", "c1"], ["nobody"], "c", [1]):
        refused = client.post("change/split", json={"number": number, "ids": ids})
        assert refused.status_code == 400
    apart = {a["id"] for a in client.get(f"look/story?number={number}").json()["articles"]
             if a["apart"]}  # fmt: skip
    assert apart == {"c"}
    undone = client.post("change/undo", json={}).json()
    assert (undone["undone"], undone["pair"], undone["story"]) == (4, None, number)
    assert Path(answers.path).read_bytes() == b""
    assert client.post("change/undo", json={}).json()["undone"] == 0


def test_the_port_is_guarded(client: Client, answers: Answers) -> None:
    good = client.get("")
    assert good.status_code == 200
    assert "default-src 'none'" in good.headers["content-security-policy"]
    assert client.get(f"http://{HOST}/other/look/start").status_code == 404
    assert client.get(f"http://{HOST}/").status_code == 404
    rebound = client.get("look/start", headers={"host": "evil.example"})
    assert rebound.status_code == 421
    body = json.dumps({"number": 0, "said": "same"})
    form = client.post("change/answer", content=body, headers={"content-type": "text/plain"})
    assert form.status_code == 400
    for path, sent in (
        ("change/answer", {"number": 99, "said": "same"}), ("change/answer", {"number": 0}),
        ("change/answer", {"number": True, "said": "same"}), ("change/answer", []),
        ("change/answer", {"said": "same"}), ("change/nothing", {"number": 0}),
        ("change/answer", {"number": 0, "said": "x" * (1 << 21)}),
        ("change/answer", {"number": 0, "said": []}),
    ):  # fmt: skip
        assert client.post(path, json=sent).status_code == 400
    assert client.get("look/pair?number=-1").status_code == 400
    assert client.get("look/pair?number=x").status_code == 400
    assert client.get("change/undo").status_code == 405
    assert answers.rows == []


def test_the_address_can_be_opened_as_soon_as_it_is_stated(
    questions: Questions, answers: Answers
) -> None:
    def connect(address: str) -> None:
        with socket.create_connection((httpx.URL(address).host, httpx.URL(address).port)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve_review(Review(questions, answers), 0, connect)


def test_a_contradiction_is_refused_at_once(client: Client, answers: Answers) -> None:
    def answer(number: int, said: str) -> httpx.Response:
        return client.post("change/answer", json={"number": number, "said": said})

    assert answer(0, "same").status_code == 200
    refused = answer(0, "different")
    assert refused.status_code == 400
    assert "corrections contradict each other" in refused.text
    assert answer(0, "unsure").status_code == 200
    assert len(answers.rows) == 2


def test_a_line_that_was_cut_short_is_none(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    answers = Answers(str(path))
    answers.add([{"a": "a", "b": "b", "same": 1}])
    answers.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:9])
    answers = Answers(str(path))
    answers.add([{"a": "a", "b": "c", "same": 0}])
    answers.close()
    assert [pair.same for pair in read_pairs(path)] == [True, False]
    path.write_text('{"id": "a"}\n', "utf-8")
    with pytest.raises(SahelError, match="line 1: not an answer of a review"):
        Answers(str(path))
    with pytest.raises(SahelError, match="cannot write"):
        Answers(str(tmp_path))


def test_a_sheet_instead_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    news, out, sheet = (tmp_path / name for name in ("news.jsonl", "out.jsonl", "sheet.csv"))
    news.write_text("".join(json.dumps(row) + "\n" for row in ARTICLES), "utf-8")
    run = CliRunner()
    assert run.invoke(app, ["cluster", str(news), "-o", str(out)]).exit_code == 0
    result = run.invoke(app, ["review", str(out), str(news), "--sheet", str(sheet), "--count", "3"])
    assert result.exit_code == 0, result.output
    pairs: list[Any] = list(read_pairs(sheet))
    assert [pair.same for pair in pairs] == [None] * 3
    assert len(Corrections.read(sheet)) == 0
    assert not (tmp_path / "answers.jsonl").exists()
