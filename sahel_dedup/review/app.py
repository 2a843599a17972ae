"""The page of a review, served to one person on this machine.

Somebody who can reach the port but does not know the token can read and change nothing. Other host
names are refused, so that no other page in the browser can reach the server through a host name of
its own. The page loads only its own script and style sheet, and inserts texts as text nodes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import CorrectionError
from sahel_dedup.review.answers import AnswerRow, Answers
from sahel_dedup.review.questions import Questions, show_article, show_pair

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_FILES = {"": ("review.html", "text/html"), "review.js": ("review.js", "text/javascript"),
          "review.css": ("review.css", "text/css")}  # fmt: skip
_LONGEST_BODY = 1 << 20

Handler = Callable[[Request], Awaitable[Response]]


class _RefusedError(Exception):
    """A request for something that does not exist."""


class Review:
    """A review in progress.

    Parameters
    ----------
    questions : Questions
    answers : Answers
    who : str or None
        The person who answers.
    """

    def __init__(self, questions: Questions, answers: Answers, who: str | None = None) -> None:
        self.questions = questions
        self.answers = answers
        self.who = who

    def pair(self, number: int) -> dict[str, Any]:
        """Show a pair and its answer, if it has one."""
        question = _at(self.questions.pairs, number)
        given = self.answers.of(question.a.id, question.b.id)
        return {
            "number": number,
            "pairs": len(self.questions.pairs),
            "answered": self._answered(),
            "answer": None if given is None else _NAMES[given["same"]],
            **show_pair(question),
        }

    def story(self, number: int) -> dict[str, Any]:
        """Show a story."""
        name, articles = _at(self.questions.stories, number)
        said = Corrections.read(self.answers.rows)
        first = [said.group(articles[0].id) or ""]
        apart = [said.are_rivals([said.group(a.id) or ""], first) for a in articles]
        return {
            "number": number,
            "stories": len(self.questions.stories),
            "answered": self._answered(),
            "story": name,
            "articles": [
                show_article(article) | {"text": article.text, "apart": other}
                for article, other in zip(articles, apart, strict=True)
            ],
        }

    def start(self) -> dict[str, Any]:
        """Return the first pair without an answer."""
        unanswered = (
            i for i, q in enumerate(self.questions.pairs)
            if self.answers.of(q.a.id, q.b.id) is None
        )  # fmt: skip
        return {
            "number": next(unanswered, max(len(self.questions.pairs) - 1, 0)),
            "pairs": len(self.questions.pairs),
            "stories": len(self.questions.stories),
        }

    def answer(self, number: int, said: object) -> dict[str, Any]:
        """Record an answer on a pair: same, different or unsure."""
        question = _at(self.questions.pairs, number)
        if said not in _ANSWERS:
            raise _RefusedError("no such answer")
        self._add([self._row(question.a.id, question.b.id, _ANSWERS[said])])
        return {"answered": self._answered()}

    def split(self, number: int, ids: object) -> dict[str, Any]:
        """Record that some articles of a story form another story."""
        _, articles = _at(self.questions.stories, number)
        chosen = (
            set(ids) if isinstance(ids, list) and all(isinstance(i, str) for i in ids) else set()
        )
        out = [a.id for a in articles if a.id in chosen]
        rest = [a.id for a in articles if a.id not in chosen]
        if not out or not rest:
            raise _RefusedError("choose some articles of the story, but not all")
        rows = [self._row(out[0], rest[0], 0)]
        # Also record that each side stays together, because otherwise the evidence would decide
        # about the others.
        rows += [self._row(side[0], other, 1) for side in (out, rest) for other in side[1:]]
        self._add(rows)
        return {"answered": self._answered()}

    def undo(self) -> dict[str, Any]:
        """Undo the last step; return its pair and its story, if they are among these."""
        gone = self.answers.undo()
        ids = {row[end] for row in gone for end in ("a", "b")}
        pairs = ({q.a.id, q.b.id} == ids for q in self.questions.pairs)
        stories = (ids <= {a.id for a in articles} for _, articles in self.questions.stories)
        return {
            "pair": _first(pairs),
            "story": _first(stories) if gone else None,
            "undone": len(gone),
            "answered": self._answered(),
        }

    def _add(self, rows: list[AnswerRow]) -> None:
        try:
            Corrections.read([*self.answers.rows, *rows])
        except CorrectionError as error:
            # A file of corrections with a contradiction could not be used.
            raise _RefusedError(str(error)) from None
        self.answers.add(rows)

    def _answered(self) -> int:
        return len({row["step"] for row in self.answers.rows})

    def _row(self, a: str, b: str, same: int | None) -> AnswerRow:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        return {"a": a, "b": b, "same": same, "who": self.who, "when": when}


_ANSWERS: dict[object, int | None] = {"same": 1, "different": 0, "unsure": None}
_NAMES = {same: name for name, same in _ANSWERS.items()}


def make_app(review: Review, token: str, hosts: frozenset[str]) -> Starlette:
    """Return the application.

    Parameters
    ----------
    review : Review
    token : str
        Requests without it are refused.
    hosts : frozenset of str
        Host names, with port, that requests may use.

    Returns
    -------
    Starlette
    """

    def guarded(handle: Handler) -> Handler:
        async def check(request: Request) -> Response:
            response = await _checked(handle, request, token, hosts)
            response.headers.update(_HEADERS)
            return response

        return check

    return Starlette(routes=[
        *(Route(f"/{{token}}/{path}", guarded(_file(*file))) for path, file in _FILES.items()),
        Route("/{token}/look/{kind}", guarded(_look(review))),
        Route("/{token}/change/{kind}", guarded(_change(review)), methods=["POST"]),
    ])  # fmt: skip


async def _checked(
    handle: Handler, request: Request, token: str, hosts: frozenset[str]
) -> Response:
    """Answer a request, unless it uses another host name or lacks the token."""
    if request.headers.get("host") not in hosts:
        return PlainTextResponse("unknown host", 421)
    if not secrets.compare_digest(request.path_params["token"].encode(), token.encode()):
        return PlainTextResponse("not found", 404)
    try:
        return await handle(request)
    except (_RefusedError, TypeError, ValueError, RecursionError) as error:
        return PlainTextResponse(str(error), 400)


def _look(review: Review) -> Handler:
    async def look(request: Request) -> Response:
        number = int(request.query_params.get("number", "0"))
        shows = {"pair": review.pair, "story": review.story}
        found = shows.get(request.path_params["kind"])
        return JSONResponse(review.start() if found is None else found(number))

    return look


def _change(review: Review) -> Handler:
    async def change(request: Request) -> Response:
        body, kind = await _body(request), request.path_params["kind"]
        if kind == "undo":
            return JSONResponse(review.undo())
        number = body.get("number")
        if type(number) is not int:
            raise _RefusedError("number: not a whole number")
        if kind == "answer":
            return JSONResponse(review.answer(number, body.get("said")))
        if kind == "split":
            return JSONResponse(review.split(number, body.get("ids")))
        raise _RefusedError("no such change")

    return change


def _file(name: str, kind: str) -> Handler:
    async def give(_request: Request) -> Response:
        data = (resources.files("sahel_dedup") / "templates" / "review" / name).read_bytes()
        return Response(data, media_type=kind)

    return give


async def _body(request: Request) -> dict[str, Any]:
    """Read a JSON body, which a form on another page cannot send."""
    if request.headers.get("content-type") != "application/json":
        raise _RefusedError("not JSON")
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > _LONGEST_BODY:
            raise _RefusedError("too long")
    body = json.loads(data)
    if not isinstance(body, dict):
        raise _RefusedError("not a JSON object")
    return body


def _at(items: list[Any], number: int) -> Any:
    if not 0 <= number < len(items):
        raise _RefusedError("there is none with that number")
    return items[number]


def _first(found: Iterable[bool]) -> int | None:
    """Return the place of the first that is true, ``None`` if none is."""
    return next((place for place, true in enumerate(found) if true), None)
