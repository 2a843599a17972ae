"""Group the entries of RSS and Atom feeds into stories, poll after poll.

pip install sahel-dedup feedparser
python rss.py news.index https://example.org/feed.xml https://example.com/atom.xml
"""

import sys
import time
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import feedparser

from sahel_dedup import ArticleError, StoryIndex

SECONDS_BETWEEN_POLLS = 300


def read_feed(url: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a feed as articles, with the dates and outlets that it names."""
    feed = feedparser.parse(url)
    if feed.bozo and not feed.entries:
        print(f"{url}: {feed.bozo_exception}", file=sys.stderr)
    for entry in feed.entries:
        # feedparser turns dates in any format into UTC.
        moment = entry.get("published_parsed") or entry.get("updated_parsed")
        yield {
            "id": entry.get("id") or entry.get("link"),
            "title": entry.get("title"),
            "text": entry.content[0].value if "content" in entry else entry.get("summary"),
            "published": datetime.fromtimestamp(timegm(moment), UTC) if moment else None,
            "source": feed.feed.get("title"),
            "lang": feed.feed.get("language"),
        }


def poll(index: StoryIndex, url: str) -> None:
    """Add what is new in a feed, update what was edited, and name what cannot be used."""

    def left_out(error: ArticleError, row: object) -> None:
        print(f"{url}: {error}", file=sys.stderr)

    entries = list(read_feed(url))
    known = {entry["id"] for entry in entries if entry["id"] in index}
    for found in index.follow(entries, on_error=left_out):
        if found.updated or found.id not in known:
            print(found.id, found.story_id, found.relation, flush=True)


def main() -> None:
    path, *urls = sys.argv[1:]
    # Feeds repeat their entries, so an index need not keep articles for longer than they do.
    with StoryIndex.open(path, retention=30) as index:
        while True:
            for url in urls:
                poll(index, url)
            time.sleep(SECONDS_BETWEEN_POLLS)


if __name__ == "__main__":
    main()
