"""Write the stories of the invented archive to a file, for `tests/test_golden.py`.

    python -m tests.make_golden

Run it after a change that should change stories, and read the difference before committing: every
changed line is an article that moved to another story.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sahel_dedup import Story, StoryIndex, cluster
from tests.archive import Row, archive, in_order_of_arrival

GOLDEN = Path(__file__).parent / "data" / "golden_stories.tsv"
ENGINES = ("batch", "stream")
# Articles that a stream gets at a time.
_AT_ONCE = 40


def batch() -> dict[str, str]:
    """Group the archive at once; the first article of its story, by article."""
    return _firsts(cluster(map(_article, archive())))


def stream() -> dict[str, str]:
    """Group the archive as it arrives; the first article of its story, by article."""
    rows = [_article(row) for row in in_order_of_arrival()]
    with StoryIndex() as index:
        for start in range(0, len(rows), _AT_ONCE):
            index.add_many(rows[start : start + _AT_ONCE])
        return _firsts(index.stories())


def read_golden() -> dict[str, dict[str, str]]:
    """Read the file: for each engine, the first article of the story of each article."""
    lines = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines()[1:]]
    return {engine: {line[0]: line[1 + n] for line in lines} for n, engine in enumerate(ENGINES)}


def _article(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("story", "case")}


def _firsts(stories: Iterable[Story]) -> dict[str, str]:
    """Name each story after its first article in the order of the archive."""
    place = {row["id"]: number for number, row in enumerate(archive())}
    return {
        article: min(story.articles, key=place.__getitem__)
        for story in stories
        for article in story.articles
    }


def _write(found: Mapping[str, Mapping[str, str]]) -> None:
    lines = [("article", *ENGINES)]
    for row in archive():
        lines.append((row["id"], *(found[engine][row["id"]] for engine in ENGINES)))
    GOLDEN.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    _write({"batch": batch(), "stream": stream()})
