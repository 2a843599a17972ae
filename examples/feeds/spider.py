"""Crawl a news site with Scrapy, and label each article with its story.

pip install sahel-dedup scrapy
scrapy runspider spider.py -a start=https://example.org/ -s STORY_INDEX=news.index -o stories.jsonl

Change the selectors to those of the site. If a crawl dies, run it again: known articles get the
same answer, and an edited page replaces its former version. Do not use JOBDIR for that, because
Scrapy marks a page as done before its article is in the index. Pages without an article are listed
in left-out.jsonl, with the reason.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, Self

import scrapy
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from sahel_dedup import ArticleError, StoryIndex


class StoryPipeline:
    """Adds each item to an index."""

    def __init__(self, index: str, left_out: str) -> None:
        self.path, self.left_out = index, left_out

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        return cls(settings["STORY_INDEX"], settings.get("LEFT_OUT", "left-out.jsonl"))

    def open_spider(self) -> None:
        # One process writes an index: another spider waits for its turn.
        self.index = StoryIndex.open(self.path, timeout=600)

    def close_spider(self) -> None:
        self.index.close()

    async def process_item(self, item: Any) -> Any:
        try:
            # In a thread, so that Scrapy continues to download.
            found = await asyncio.to_thread(self.index.upsert, item)
        except ArticleError as error:
            with open(self.left_out, "a", encoding="utf-8") as file:
                file.write(json.dumps({"reason": str(error), "item": dict(item)}) + "\n")
            raise DropItem(str(error)) from error
        return {**item, "story_id": found.story_id, "relation": found.relation}


class NewsSpider(scrapy.Spider):
    """Follows the links of one page to articles."""

    name = "news"
    custom_settings = {"ITEM_PIPELINES": {StoryPipeline: 300}}  # noqa: RUF012

    def __init__(self, start: str, **arguments: Any) -> None:
        super().__init__(start_urls=[start], **arguments)

    def parse(self, response: Any) -> Iterator[Any]:
        yield from response.follow_all(css="a[href*='/news/']", callback=self.parse_article)

    def parse_article(self, response: Any) -> Iterator[dict[str, Any]]:
        # Dates and outlets are evidence, so leave neither out.
        yield {
            "id": response.url,
            "title": response.css("article h1::text").get(),
            "text": "\n".join(response.css("article p ::text").getall()) or None,
            "published": response.css("article time::attr(datetime)").get(),
            "source": response.css("meta[property='og:site_name']::attr(content)").get(),
            "lang": response.css("html::attr(lang)").get(),
        }
