"""The whole way of a few articles; CI runs this with ``NUMBA_DISABLE_JIT=1`` too.

Loops then run as Python, as they do under a debugger.
"""

from __future__ import annotations

import sahel_dedup

ARTICLES = [
    {
        "id": "a",
        "source": "Wire",
        "published": "2025-03-04T06:12Z",
        "title": "Army camp attacked at Tessarit",
        "text": "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, "
        "the governor said. Another 1,200 people fled to Kidal.",
    },
    {
        "id": "b",
        "source": "Radio",
        "published": "2025-03-04T09:40+01:00",
        "text": "Nine soldiers were killed on Monday when gunmen attacked an army camp at "
        "Tessarit, according to the governor. 1,200 people have fled to Kidal.",
    },
    {
        "id": "c",
        "source": "Market Press",
        "published": "2025-03-04",
        "text": "Millet prices rose in Maradi as the lean season began, traders said.",
    },
    {"id": "d", "text": "محافظ كيدال: مقتل تسعة جنود في هجوم على معسكر للجيش"},
    {"id": "e", "text": "尼日尔马拉迪的小米价格上涨"},
]


def test_batch_and_stream_group_the_articles() -> None:
    stories = sahel_dedup.cluster(ARTICLES)
    with sahel_dedup.StoryIndex() as index:
        assert len(list(index.add_many(ARTICLES))) == len(ARTICLES)
        streamed = index.story_of("a")
    assert set(streamed.articles) == set(stories.story_of("a").articles) == {"a", "b"}
    assert len(stories) == 4
    assert stories.relation("b") == "reworded"
