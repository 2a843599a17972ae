"""A web service with FastAPI that groups the articles sent to it.

pip install sahel-dedup fastapi uvicorn
STORY_INDEX=news.index uvicorn service:app

POST /articles takes a list of articles and answers for each with its story, or with what is wrong
with it. When the answer arrives, the articles are in the index. A sender that gets no answer sends
the list again: known articles get the same answer, and an edited article replaces its former
version.

Only one process can write an index, so run one worker; requests take turns in its threads.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from sahel_dedup import ArticleError, NotFoundError, StoryIndex


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # A new process may have to wait until the old one has ended.
    with StoryIndex.open(os.environ["STORY_INDEX"], timeout=60) as index:
        app.state.index = index
        yield


app = FastAPI(lifespan=lifespan)


# Not coroutines: FastAPI runs plain functions in threads, and answers other requests meanwhile.
@app.post("/articles")
def add(rows: list[Any], request: Request) -> list[dict[str, Any]]:
    """Add articles, and answer each in its place."""
    errors: dict[int, str] = {}

    def left_out(error: ArticleError, row: object) -> None:
        errors[id(row)] = str(error).encode("ascii", "backslashreplace").decode()

    # The sender can correct a date, so a bad one is an error here.
    index: StoryIndex = request.app.state.index
    added = index.follow(rows, batch_size=128, on_error=left_out, on_bad_date="raise")
    answers = iter([
        {"story_id": found.story_id, "relation": found.relation, "updated": found.updated}
        for found in added
    ])  # fmt: skip
    return [{"error": errors[id(row)]} if id(row) in errors else next(answers) for row in rows]


@app.get("/story")
def story(article: str, request: Request) -> dict[str, Any]:
    """Return the story of an article."""
    try:
        found = request.app.state.index[article]
    except NotFoundError:
        raise HTTPException(404, "no such article") from None
    return {"id": found.id, "canonical": found.canonical, "articles": found.articles}
