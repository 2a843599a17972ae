"""``demo``: groups the sample archive that comes with the package, and shows its stories."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sahel_dedup.articles import Article
from sahel_dedup.cli.terminal import output_console
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.io.collisions import check_apart

if TYPE_CHECKING:
    from sahel_dedup.clustering.stories import Stories
    from sahel_dedup.clustering.story import Story


def demo() -> None:
    """Group the sample archive of wire reports and show its stories."""
    from sahel_dedup.batch import cluster
    from sahel_dedup.evaluation.metrics import evaluate

    with resources.as_file(resources.files("sahel_dedup") / "sample" / "wire.jsonl") as path:
        check_apart([path], {})
        articles = {article.id: article for article in read_articles(path)}
    stories = cluster(articles.values())
    console = output_console()
    several = [story for story in stories if len(story) > 1]
    for story in several:
        _show(console, story, stories, articles)
    console.print(
        f"\n{len(articles)} articles, {len(stories)} stories: {len(several)} with copies, "
        f"{len(stories) - len(several)} of a single article."
    )
    console.print("Compared with the stories that its authors intended:\n")
    predicted = {article: story.id for story in stories for article in story.articles}
    gold = {article.id: str(article.extra["story"]) for article in articles.values()}
    console.print(str(evaluate(predicted, gold)))


def _show(console: Console, story: Story, stories: Stories, articles: dict[str, Article]) -> None:
    canonical = articles[story.canonical]
    outlets = {articles[article].source for article in story.articles} - {None}
    mixed = len({articles[article].extra["story"] for article in story.articles})
    console.print()
    console.print(Text(canonical.title or canonical.id, style="bold"), end="  ")
    console.print(f"{len(story)} reports, {len(outlets)} outlets", style="dim", end="  ")
    console.print(f"mixes {mixed} stories" if mixed > 1 else "", style="red")
    console.print(
        Text(" ".join(canonical.text.split()), style="italic"), no_wrap=True, overflow="ellipsis"
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=12, no_wrap=True)
    table.add_column(min_width=20, max_width=30, no_wrap=True, overflow="ellipsis")
    table.add_column(min_width=8, no_wrap=True)
    table.add_column(min_width=4, no_wrap=True, justify="right")
    table.add_column(no_wrap=True, overflow="ellipsis")
    for name in story.articles:
        article, similarity = articles[name], stories.similarity(name)
        table.add_row(
            f"{article.published:%d %b %H:%M}" if article.published else "no date",
            Text(article.source or "no outlet"),
            stories.relation(name),
            "" if similarity is None else f"{similarity:.2f}",
            Text(article.title or "no headline"),
        )
    console.print(table)
