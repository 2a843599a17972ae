"""Options of the commands that make an index or add to one."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from sahel_dedup.settings import Granularity

File = Annotated[str, typer.Argument(metavar="FILE", help="File of an index.", show_default=False)]
IndexGranularity = Annotated[
    Granularity | None,
    typer.Option(
        "--granularity",
        help="What a story is, as for cluster. An index keeps the value it was made with, "
        "event by default.",
        show_default=False,
    ),
]
IndexWindow = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="DAYS|none",
        help="Longest time between two articles of one story, unless a correction joins them. "
        "An index keeps the value it "
        "was made with, 7 days by default.",
        show_default=False,
    ),
]
Retention = Annotated[
    float | None,
    typer.Option(
        metavar="DAYS",
        help="Stories expire when their latest article is older than the latest article of the "
        "index by more than this. The index stores this value; without one, no story "
        "expires.",
        show_default=False,
    ),
]
DeadLetters = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="File to which rejected rows are appended as JSON lines, each with its place and "
        "the reason. Implies --on-error skip.",
        show_default=False,
    ),
]
OnChangedOption = Annotated[
    Literal["raise", "update"],
    typer.Option(
        help="How to treat an article with a known id but different words: as a faulty row "
        "(raise) or as an edited version (update)."
    ),
]
Texts = Annotated[
    bool,
    typer.Option(
        "--texts/--no-texts",
        help="Whether a new index keeps the texts, which explain needs. The index stores this.",
    ),
]
Fields = Annotated[
    bool,
    typer.Option(
        "--fields/--no-fields",
        help="Whether a new index keeps all other fields of articles, for export. The index "
        "stores this.",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="Seconds to wait for another process that is writing."
    ),
]
