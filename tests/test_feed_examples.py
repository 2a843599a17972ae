"""The examples of feeds: an RSS server that edits its entries, a Kafka consumer that is killed."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sahel_dedup import StoryIndex
from sahel_dedup.index.maintenance import check
from tests.examples import EXAMPLES, ROOT, command, environment, load, needs

FEEDS = EXAMPLES / "feeds"


def test_the_page_shows_the_examples() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text()
    for name in ("rss", "kafka"):
        assert f"```python\n{(FEEDS / f'{name}.py').read_text()}```" in page


def item(guid: str, title: str, text: str, hour: int) -> str:
    return (
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>"
        f"<description>{text}</description>"
        f"<pubDate>Mon, 03 Mar 2025 {hour:02}:00:00 +0100</pubDate></item>"
    )


BRIDGE = (
    "The Karso bridge was closed on Monday morning after a lorry laden with cement struck a pier, "
    "police said. Engineers are checking the damage."
)
COPY = (
    "The bridge at Karso was closed on Monday after a lorry laden with cement struck a pier, "
    "police said. Engineers are checking the damage to the pier."
)
CLINIC = "Mayor Lucia Abeni on Monday opened a clinic with twelve beds in Old Tembe."
POLLS = [
    [item("1", "Bridge closed after lorry hits pier", BRIDGE, 9), item("2", "Clinic", CLINIC, 10)],
    # One headline is edited, one entry has no text, one is new.
    [
        item("1", "Bridge closed after truck hits pier", BRIDGE, 9),
        "<item><guid isPermaLink='false'>9</guid><title>No text</title></item>",
        item("3", "Lorry closes Karso bridge", COPY, 11),
    ],
    [item("2", "Clinic", CLINIC, 10), item("3", "Lorry closes Karso bridge", COPY, 11)],
]


@pytest.fixture
def feed() -> Iterator[tuple[str, list[str]]]:
    """A server of a feed, and what is in it at the moment."""
    items: list[str] = []

    class Feed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            channel = f"<title>Karso Herald</title><language>en</language>{''.join(items)}"
            page = f'<rss version="2.0"><channel>{channel}</channel></rss>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Feed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/feed.xml", items
        server.shutdown()
        thread.join()


@needs("feedparser")
def test_rss(
    feed: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rss, (url, items) = load("feeds/rss.py"), feed
    answered: list[list[str]] = []
    path = tmp_path / "news.index"
    for poll in POLLS:
        items[:] = poll
        # Every poll is by another run.
        with StoryIndex.open(path, retention=30) as index:
            rss.poll(index, url)
        shown = capsys.readouterr()
        answered.append([line.split()[0] for line in shown.out.splitlines()])
        assert ("field 'text': missing" in shown.err) == (poll is POLLS[1])
    assert answered == [["1", "2"], ["1", "3"], []]
    with StoryIndex.open(path) as index:
        assert index.article("1").title == "Bridge closed after truck hits pier"
        assert index["1"] == index["3"]
        row = next(row for row in index.to_frame().rows(named=True) if row["id"] == "3")
        assert (row["source"], row["lang"]) == ("Karso Herald", "en")
        assert str(row["published"]) == "2025-03-03 10:00:00+00:00"
        rss.poll(index, "http://127.0.0.1:9/nothing")
    assert "127.0.0.1:9" in capsys.readouterr().err


Messages = dict[str, list[Any]]


def run_kafka(path: Path, address: str, enough: Callable[[Messages], bool]) -> Messages:
    """Run the consumer, kill it when there are enough answers, and return them."""
    import confluent_kafka as kafka

    found: Messages = {"stories": [], "articles-dead": []}
    group = f"reader {time.monotonic()}"
    reader = kafka.Consumer(
        {"bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest"}
    )
    reader.subscribe(list(found))
    end = time.monotonic() + 120
    with subprocess.Popen(
        command("feeds/kafka.py", str(path), address), env=environment()
    ) as process:
        try:
            while not enough(found) and time.monotonic() < end:
                assert process.poll() is None
                for message in reader.consume(100, timeout=0.5):
                    if message.error() is None:
                        found[message.topic()].append(message)
        finally:
            process.kill()
            reader.close()
    return found


@needs("confluent_kafka")
def test_kafka_loses_nothing_when_it_is_killed(tmp_path: Path, wire: list[dict[str, Any]]) -> None:
    import confluent_kafka as kafka

    cluster = kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
    (broker,) = cluster.list_topics(timeout=30).brokers.values()
    address = f"{broker.host}:{broker.port}"
    path = tmp_path / "news.index"
    faulty = [b"{broken", b'{"id": "no text"}', b"[]", b"\xff", b"[" * 100_000]
    ids, withdrawn = {row["id"] for row in wire}, wire[1]["id"]

    def send(topic: str, messages: list[tuple[str, bytes | None]]) -> None:
        for key, value in messages:
            cluster.produce(topic, value, key)
        assert cluster.flush(30) == 0

    def articles(rows: list[dict[str, Any]]) -> list[tuple[str, bytes | None]]:
        return [(row["id"], json.dumps(row).encode()) for row in rows]

    def answered(found: Messages) -> set[str]:
        return {message.key().decode() for message in found["stories"]} - {"start"}

    def is_done(found: Messages) -> bool:
        if not ids <= answered(found) or len(found["articles-dead"]) <= len(faulty):
            return False
        with StoryIndex.open(path, readonly=True) as index:
            title = index.article(wire[0]["id"]).title
            return withdrawn not in index and title == "Another headline"

    # The topics are there before anybody asks for them.
    for topic in ("stories", "articles-dead"):
        send(topic, [("start", b"{}")])
    send("articles", articles(wire[:40]) + [("", value) for value in faulty[:3]])
    run_kafka(path, address, lambda found: len(answered(found)) > 20)
    send("articles", articles([*wire[40:], {**wire[0], "title": "Another headline"}]))
    send("articles", [*(("", value) for value in faulty[3:]), (withdrawn, None)])
    found = run_kafka(path, address, is_done)
    assert is_done(found)
    dead = {message.value(): message for message in found["articles-dead"]}
    assert dead.keys() == {*faulty, b"{}"}
    assert dict(dead[faulty[1]].headers())["reason"].endswith(b"missing: the row has id")
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert {row["id"] for row in index.to_frame().rows(named=True)} == ids - {withdrawn}
