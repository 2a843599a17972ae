"""A coder of conflict data: one story per event and language, tolls that differ, how news spread.

python conflict_coder.py
"""

from __future__ import annotations

from typing import Any

from common import refused, warned, works

from sahel_dedup import Settings, cluster, find_conflicts
from sahel_dedup.explain.propagation import spread

REPORTS: list[dict[str, Any]] = [
    {"id": "en-1", "lang": "en", "source": "Wire", "published": "2025-03-03T08:00Z",
     "title": "Twelve soldiers killed at Tessarit",
     "text": "Gunmen on motorcycles attacked the army camp at Tessarit before dawn on Monday, "
     "killing 12 soldiers and burning four vehicles, the governor said."},
    {"id": "en-2", "lang": "en", "source": "Radio", "published": "2025-03-03T15:00Z",
     "title": "Fifteen soldiers killed at Tessarit",
     "text": "Gunmen on motorcycles attacked the army camp at Tessarit before dawn on Monday, "
     "killing 15 soldiers and burning four vehicles, the army said."},
    {"id": "fr-1", "lang": "fr", "source": "Agence", "published": "2025-03-03T09:00Z",
     "title": "Douze soldats tués à Tessarit",
     "text": "Des hommes armés à moto ont attaqué lundi avant l'aube le camp militaire de "
     "Tessarit, tuant 12 soldats et brûlant quatre véhicules, selon le gouverneur.",
     "translation": "Gunmen on motorcycles attacked the army camp at Tessarit before dawn on "
     "Monday, killing 12 soldiers and burning four vehicles, according to the governor."},
    {"id": "en-9", "lang": "en", "source": "Wire", "published": "2025-03-12T08:00Z",
     "title": "Gunmen attack Tessarit camp again",
     "text": "Gunmen attacked the army camp at Tessarit again on Wednesday night and wounded three "
     "guards before they fled towards the border, residents said."},
]  # fmt: skip


def main() -> None:
    stories = cluster(REPORTS, Settings(canonical="longest"))
    works("one story per event", stories["en-1"] == stories["en-2"] != stories["en-9"])
    for story in stories:
        works("story", story)

    # Texts in other languages have other words. Where there are translations, they are the text.
    translated = [{**row, "text": row.get("translation", row["text"]), "lang": "en", "title": None}
                  for row in REPORTS]  # fmt: skip
    works("with translations", cluster(translated)["fr-1"] == cluster(translated)["en-1"])
    found = warned(
        "those alone that have one",
        lambda: cluster(REPORTS, columns={"text": "translation"}, on_error="skip"),
        "left out: 3",
    )
    works("their column is the text", list(found))

    by_id = {article.id: article for article in stories["en-1"].details}
    first, second = by_id["en-1"], by_id["en-2"]
    works("tolls in conflict", [(c.first, c.second) for c in find_conflicts(first, second)])
    explanation = stories.explain("en-1", "en-2")
    works("all tolls of a story", stories.quantities()["id"].to_list())
    works("in the explanation", explanation.quantities.conflicts)
    works("printed", str(explanation))

    way = spread(stories["en-1"].details)
    works("how it spread", [(step.article.id, step.hours) for step in way.steps])
    rows: Any = REPORTS
    refused("spread of rows", lambda: spread(rows), "Article.from_mapping")

    works("to review first", stories.weakest_links())
    works("for a spreadsheet", stories.to_frame().write_csv())


if __name__ == "__main__":
    main()
