"""The recipes for Scrapy, FastAPI and Airflow: edited articles, faulty ones, kills, restarts."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from sahel_dedup import StoryIndex
from sahel_dedup.index.maintenance import check
from tests.examples import EXAMPLES, ROOT, environment, load, needs

PAGE = ROOT / "docs" / "recipes.md"
PUBLISHED = "2025-03-03T09:00:00+01:00"
BRIDGE = (
    "The Karso bridge was closed on Monday morning after a lorry laden with cement struck a pier, "
    "police said. Engineers are checking the damage."
)
COPY = BRIDGE.replace("The Karso bridge", "The bridge at Karso")
CLINIC = "Mayor Lucia Abeni on Monday opened a clinic with twelve beds in Old Tembe."


@pytest.mark.parametrize(
    "path",
    ["feeds/spider.py", "feeds/service.py", "airflow/story_tasks.py", "airflow/story_dag.py"],
)
def test_the_page_shows_the_recipes(path: str) -> None:
    assert f"```python\n{(EXAMPLES / path).read_text()}```" in PAGE.read_text()


def wait_for(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until something holds; fail if a process ends before."""
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        assert process.poll() is None or done()
        time.sleep(0.05)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a file of JSON lines that may still be written."""
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def news_page(title: str, text: str) -> str:
    return (
        "<html lang=en><meta property='og:site_name' content='Karso Herald'><article>"
        f"<h1>{title}</h1><time datetime='{PUBLISHED}'></time><p>{text}</p></article></html>"
    )


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, str]]]:
    """A server of a news site, and its pages by their paths."""
    pages: dict[str, str] = {}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            links = "".join(f"<a href='{path}'>a</a>" for path in pages)
            page = pages.get(self.path, f"<html>{links}</html>" if self.path == "/" else None)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            # A crawl that is killed on its way closes the connection.
            with contextlib.suppress(OSError):
                self.wfile.write((page or "").encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", pages
        server.shutdown()
        thread.join()


def crawl(folder: Path, url: str, *more: str) -> subprocess.Popen[bytes]:
    arguments = ["-a", f"start={url}/", "-s", "STORY_INDEX=news.index", "-s", "LOG_LEVEL=ERROR"]
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", "runspider", str(EXAMPLES / "feeds" / "spider.py"),
         *arguments, "-o", "stories.jsonl", *more],
        cwd=folder, env=environment(),
    )  # fmt: skip


@needs("scrapy")
def test_scrapy(site: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    url, pages = site
    pages |= {
        "/news/1": news_page("Bridge closed after lorry hits pier", BRIDGE),
        "/news/2": news_page("Lorry closes Karso bridge", COPY),
        "/news/3": news_page("Nothing in it", ""),
        "/news/4": news_page("Clinic", CLINIC),
    }
    assert crawl(tmp_path, url).wait(120) == 0
    pages["/news/1"] = news_page("Bridge closed after truck hits pier", BRIDGE + " It is old.")
    assert crawl(tmp_path, url).wait(120) == 0
    items = lines_of(tmp_path / "stories.jsonl")
    assert len(items) == 6
    story_of = {item["id"]: item["story_id"] for item in items}
    assert story_of[f"{url}/news/1"] == story_of[f"{url}/news/2"] != story_of[f"{url}/news/4"]
    left_out = lines_of(tmp_path / "left-out.jsonl")
    assert [row["item"]["id"] for row in left_out] == [f"{url}/news/3"] * 2
    assert "field 'text': missing" in left_out[0]["reason"]
    with StoryIndex.open(tmp_path / "news.index") as index:
        assert index.article(f"{url}/news/1").title == "Bridge closed after truck hits pier"
        row = index.to_frame().row(0, named=True)
        assert (row["source"], row["lang"]) == ("Karso Herald", "en")
        assert str(row["published"]) == "2025-03-03 08:00:00+00:00"


@needs("scrapy")
def test_a_crawl_that_is_killed_is_run_again(
    site: tuple[str, dict[str, str]], tmp_path: Path, wire: list[dict[str, Any]]
) -> None:
    url, pages = site
    pages |= {f"/news/{n}": news_page(row["title"], row["text"]) for n, row in enumerate(wire)}
    output = tmp_path / "stories.jsonl"
    with crawl(tmp_path, url, "-s", "DOWNLOAD_DELAY=0.02") as process:
        wait_for(lambda: len(lines_of(output)) > 10, process)
        process.kill()
    begun = len(lines_of(output))
    assert begun < len(pages)
    output.unlink()
    assert crawl(tmp_path, url).wait(120) == 0
    assert {item["id"] for item in lines_of(output)} == {url + path for path in pages}
    assert check(tmp_path / "news.index") == []
    with StoryIndex.open(tmp_path / "news.index") as index:
        assert index.stats().articles == len(pages)


@contextlib.contextmanager
def service(index: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the service on a free port; it is killed at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--app-dir",
               str(EXAMPLES / "feeds"), "--port", str(port), "--log-level", "error"]  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    with subprocess.Popen(command, env=environment(STORY_INDEX=str(index))) as process:
        try:
            wait_for(answers, process)
            yield process, url
        finally:
            process.kill()


def post(url: str, rows: list[Any]) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{url}/articles", json.dumps(rows).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answers: list[dict[str, Any]] = json.load(response)
        return answers


@needs("fastapi", "uvicorn")
def test_the_service_loses_nothing_when_it_is_killed(
    tmp_path: Path, wire: list[dict[str, Any]]
) -> None:
    index = tmp_path / "news.index"
    faulty: list[Any] = [5, None, {"id": "x"}, {"id": "\ud800", "text": 3},
                         {"id": "d", "text": CLINIC, "published": "soon"}]  # fmt: skip
    acknowledged: list[str] = []
    with service(index) as (process, url):
        answers = post(url, [*wire[:3], *faulty, {"id": "\ud801", "text": CLINIC}])
        assert [set(answer) for answer in answers[3:8]] == [{"error"}] * 5
        assert "field 'published': " in answers[7]["error"]
        assert all(answer["story_id"] for answer in [*answers[:3], answers[8]])
        assert post(url, wire[:3]) == answers[:3]

        def send() -> None:
            with contextlib.suppress(OSError):
                for row in wire:
                    post(url, [row])
                    acknowledged.append(row["id"])

        sender = threading.Thread(target=send)
        sender.start()
        wait_for(lambda: len(acknowledged) > 20, process)
        process.kill()
        sender.join()
    with StoryIndex.open(index) as found:
        assert set(acknowledged) <= set(found.to_frame()["id"])
    with service(index) as (_, url):
        again = post(url, [*wire, {**wire[0], "title": "Another headline"}])
        assert [answer["updated"] for answer in again] == [False] * len(wire) + [True]
        with urllib.request.urlopen(f"{url}/story?article={wire[5]['id']}") as response:
            assert wire[5]["id"] in json.load(response)["articles"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}/story?article=nothing")
    assert check(index) == []
    with StoryIndex.open(index) as found:
        assert found.article(wire[0]["id"]).title == "Another headline"
        assert found.stats().articles == len(wire) + 1
        row = found.to_frame().filter(pl.col("id") == wire[0]["id"]).row(0, named=True)
        assert row["source"] == wire[0]["source"]
        assert row["published"] is not None


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLES / "airflow"))
    return load("airflow/story_tasks.py")


def write(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_airflow_tasks_lose_nothing_when_they_die(
    tasks: ModuleType, tmp_path: Path, wire: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming, done, index = tmp_path / "incoming", tmp_path / "done", tmp_path / "news.index"
    write(incoming / "a.jsonl", wire[:40])
    edited = {**wire[0], "title": "Another headline"}
    write(incoming / "b.jsonl", [*wire[40:], {"id": "no text"}, edited])
    with open(incoming / "b.jsonl", "a") as file:
        file.write("{broken\n")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    # Killed when everything is in the index and nothing is moved away yet.
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            tasks.ingest(str(incoming), str(done), str(index))
    assert tasks.ingest(str(incoming), str(done), str(index)) == len(wire) + 1
    assert tasks.ingest(str(incoming), str(done), str(index)) == 0
    assert list(incoming.iterdir()) == []
    (left_out,) = done.glob("*.left-out")
    reasons = [row["reason"] for row in lines_of(left_out)]
    assert len(reasons) == 2
    assert "b.jsonl" in reasons[0]
    # A file of the same name does not take the place of the former.
    write(incoming / "a.jsonl", wire[:1])
    tasks.ingest(str(incoming), str(done), str(index))
    assert len(list(done.glob("*-a.jsonl"))) == 2

    output = tmp_path / "stories.parquet"
    tasks.export(str(index), str(output))
    frame = pl.read_parquet(output)
    assert set(frame["id"]) == {row["id"] for row in wire}
    assert frame["source"].null_count() == 0
    assert frame["published"].null_count() == 0
    assert check(index) == []


def test_the_dag_runs_its_tasks(
    tasks: ModuleType, tmp_path: Path, wire: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the least of Airflow: a task is run when it is called."""
    sdk = ModuleType("airflow.sdk")
    vars(sdk).update(task=lambda function: function, dag=lambda **_: lambda function: function)
    monkeypatch.setitem(sys.modules, "airflow", ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    monkeypatch.setenv("STORIES", str(tmp_path))
    write(tmp_path / "incoming" / "a.jsonl", wire)
    load("airflow/story_dag.py")
    assert pl.read_parquet(tmp_path / "stories.parquet").height == len(wire)


@pytest.mark.skipif("SAHEL_AIRFLOW" not in os.environ, reason="SAHEL_AIRFLOW names no Python")
def test_airflow_runs_the_dag(tmp_path: Path, wire: list[dict[str, Any]]) -> None:
    """With a Python that has Airflow and this package's dependencies."""
    write(tmp_path / "incoming" / "a.jsonl", wire)
    variables = environment(
        STORIES=str(tmp_path), AIRFLOW_HOME=str(tmp_path / "home"),
        AIRFLOW__CORE__DAGS_FOLDER=str(EXAMPLES / "airflow"), AIRFLOW__CORE__LOAD_EXAMPLES="False",
    )  # fmt: skip
    python = os.environ["SAHEL_AIRFLOW"]
    for arguments in (["db", "migrate"], ["dags", "test", "stories"]):
        subprocess.run([python, "-m", "airflow", *arguments], env=variables, check=True)
    assert pl.read_parquet(tmp_path / "stories.parquet").height == len(wire)
