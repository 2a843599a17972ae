"""Options that several commands share, and their conversion to settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Literal

import typer

from sahel_dedup.errors import SettingsError
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.io.lines import InputPath, comes_once
from sahel_dedup.io.paths import expand_paths, open_repeatable
from sahel_dedup.settings import CanonicalPolicy, Granularity, Settings
from sahel_dedup.util.field_names import check_columns

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Files of articles (.jsonl, .csv, .parquet, with or without .gz), folders, glob "
        "patterns, or - for JSON lines on standard input.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="STORIES",
        help="File to write; its extension names the format, as for INPUT. By default, JSON "
        "lines on standard output.",
        show_default=False,
    ),
]
OnErrorOption = Annotated[
    Literal["raise", "skip"],
    typer.Option(help="Stop at the first faulty row, or skip faulty rows and count them."),
]
OnBadDateOption = Annotated[
    Literal["drop", "raise"],
    typer.Option(
        help="If a date cannot be read: use the article as undated and count it (drop), or treat "
        "it as a faulty row (raise)."
    ),
]
GranularityOption = Annotated[
    Granularity,
    typer.Option(
        "--granularity",
        help="What a story is: near-verbatim copies, reports of one event, or one topic.",
    ),
]
Probability = Annotated[
    float | None,
    typer.Option(
        "--min-probability",
        metavar="P",
        help="Average probability, between 0 and 1, at which two stories become one. Higher means "
        "fewer wrong pairs and more missed ones. The default depends on the granularity.",
        show_default=False,
    ),
]
Window = Annotated[
    str,
    typer.Option(
        metavar="DAYS|none",
        help="Longest time between two articles of one story, unless a correction joins them. "
        "Topics have no window.",
    ),
]
Canonical = Annotated[
    CanonicalPolicy, typer.Option("--canonical", help="The article that represents its story.")
]
Prefer = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SOURCE",
        help="Outlet whose article represents a story if the story has one; may be repeated, "
        "best first.",
        show_default=False,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="FIELD=NAME",
        help="Column from which to read a field (id, text, title, published, source, lang), such "
        "as text=body; may be repeated.",
        show_default=False,
    ),
]
CorrectionsFile = Annotated[
    str | None,
    typer.Option(
        "--corrections",
        metavar="FILE",
        help="Pairs of articles that belong to one story or do not, regardless of the evidence: "
        "rows with a, b and same (1 or 0), and optionally who, when and why. The command "
        "review writes such a file.",
        show_default=False,
    ),
]
ModelFile = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="Evidence model that sahel-dedup teach fitted to this archive.",
        show_default=False,
    ),
]
Workers = Annotated[int, typer.Option(help="Number of threads; 0 means one per processor.")]


def make_settings(
    granularity: Granularity,
    window: str,
    workers: int,
    canonical: CanonicalPolicy = "earliest",
    prefer: list[str] | None = None,
    min_probability: float | None = None,
    model: str | None = None,
) -> Settings:
    """Convert options to settings.

    Raises
    ------
    SettingsError
        If a value is out of its range.
    """
    return Settings(
        granularity=granularity,
        min_probability=min_probability,
        window=parse_days("window", window),
        canonical=canonical,
        preferred_sources=tuple(prefer or ()),
        model=None if model is None else EvidenceModel.read(model),
        workers=workers,
    )


def parse_columns(pairs: list[str] | None) -> dict[str, str]:
    """Read the values of ``--column``.

    Returns
    -------
    dict of str to str
        The name of the column, by field.

    Raises
    ------
    SettingsError
        If a value is not ``FIELD=NAME``, or names a field twice or an unknown field.
    """
    columns: dict[str, str] = {}
    for pair in pairs or ():
        field, equals, name = pair.partition("=")
        if not (field and equals and name):
            raise SettingsError(f"--column: {pair!r} is not FIELD=NAME, such as text=body")
        if field in columns:
            raise SettingsError(f"--column: {field!r} is named twice")
        columns[field] = name
    return check_columns(columns)


def parse_days(option: str, days: str) -> float | None:
    """Read a number of days, or ``none``.

    Raises
    ------
    SettingsError
        If it is neither.
    """
    if days.lower() == "none":
        return None
    try:
        return float(days)
    except ValueError:
        raise SettingsError(f"{option}: {days!r} is neither a number of days nor 'none'") from None


@contextmanager
def open_inputs(names: list[str], lasting: str | None = None) -> Iterator[list[InputPath]]:
    """Find the files that arguments name, and make each readable more than once.

    Parameters
    ----------
    names
    lasting : str, optional
        The option that needs files which a later run can read again.

    Yields
    ------
    list of path
        Standard input and named pipes are copied to temporary files, which are removed at the
        end of the block.

    Raises
    ------
    SettingsError
        If there is such an option, and standard input or a pipe is named.
    """
    paths = expand_paths(names)
    if lasting is not None and any(map(comes_once, paths)):
        raise SettingsError(
            f"{lasting}: standard input and pipes cannot be read again; name a file"
        )
    with ExitStack() as stack:
        yield [stack.enter_context(open_repeatable(path)) for path in paths]
