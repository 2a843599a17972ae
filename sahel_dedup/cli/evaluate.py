"""``evaluate`` and ``sample-pairs``: compares stories with the judgement of people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sahel_dedup.cli.options import (
    Columns,
    Inputs,
    ModelFile,
    Window,
    Workers,
    make_settings,
    open_inputs,
    parse_columns,
)
from sahel_dedup.cli.terminal import note, note_left_out, output_console, say, show_progress
from sahel_dedup.errors import SettingsError
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.io.collisions import check_apart
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_output, check_stdout, write_rows
from sahel_dedup.util.values import counted

if TYPE_CHECKING:
    from sahel_dedup.evaluation.pair_scores import (
        Interval,
        PairEvaluation,
        PairScore,
        PairScores,
    )

StoriesArgument = Annotated[
    str,
    typer.Argument(metavar="STORIES", help="Output of cluster.", show_default=False),
]


def evaluate(
    stories: StoriesArgument,
    gold: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Known stories: id and story of each article.", show_default=False
        ),
    ] = None,
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Judged pairs: a, b (ids of articles), same (1, 0 or empty), weight.",
            show_default=False,
        ),
    ] = None,
    chosen: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="NAME",
            help="Use only the pairs with this value in the column 'set'.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare stories with known ones, or with pairs of articles that a person has judged.

    With --gold: precision and recall of pairs and B-cubed, adjusted Rand index, sizes. With
    --pairs: weighted precision and recall of "in one story", each with a 95 % confidence
    interval, by size of the story and by probability.
    """
    from sahel_dedup.evaluation.judged_pairs import read_pairs, read_stories
    from sahel_dedup.evaluation.metrics import evaluate as score_stories
    from sahel_dedup.evaluation.metrics import read_labels
    from sahel_dedup.evaluation.pair_scores import evaluate_pairs

    check_apart([stories, gold, pairs], {})
    check_stdout()
    if (gold is None) == (pairs is None):
        raise SettingsError("evaluate: give either --gold FILE or --pairs FILE")
    if pairs is None and chosen is not None:
        raise SettingsError("--set: known stories have no sets; it goes with --pairs")
    if pairs is not None:
        labels, probabilities, name = read_stories(stories)
        note(f"{counted(len(labels), 'article')} read")
        found = evaluate_pairs(
            labels,
            read_pairs(pairs, chosen=chosen),
            probabilities=probabilities,
            probabilities_name=name,
        )
        _print_json(found.to_dict()) if as_json else _print_tables(found)
    elif gold is not None:
        known = read_labels(gold, fields=("story", "story_id"))
        labels = read_labels(stories)
        note(f"{counted(len(labels), 'article')} read, {len(known):,} in known stories")
        agreement = score_stories(labels, known)
        _print_json(agreement.to_dict()) if as_json else say(str(agreement))


def sample_pairs(
    stories: StoriesArgument,
    archive: Inputs,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PAIRS",
            help="File to write: .jsonl, or .csv for a spreadsheet.",
            show_default=False,
        ),
    ],
    count: Annotated[int, typer.Option("-n", "--count", help="Number of pairs.")] = 300,
    window: Window = "7",
    model: ModelFile = None,
    column: Columns = None,
    salt: Annotated[
        str, typer.Option(metavar="TEXT", help="A different text draws different pairs.")
    ] = "",
    workers: Workers = 0,
) -> None:
    """Draw pairs of articles for you to judge, to measure the stories of an archive.

    Fill in the column 'same': 1 if the two articles report one event, 0 if they do not. Then
    run sahel-dedup evaluate STORIES --pairs PAIRS. Half of the pairs are in one story. The others
    are not, but were published within the window. The weight of a pair is the number of pairs that
    it represents.
    """
    from sahel_dedup.evaluation.metrics import read_labels
    from sahel_dedup.evaluation.pair_sample import draw_pairs

    check_apart([stories, *archive, model], {"--output": output})
    check_output(output)
    settings, columns = make_settings("event", window, workers, model=model), parse_columns(column)
    labels, summary = read_labels(stories), ReadSummary()
    summaries = iter((summary, None))
    with open_inputs(archive) as paths, show_progress(paths) as on_progress:
        sample = draw_pairs(
            labels, lambda: read_articles(paths, columns=columns, summary=next(summaries)), count,
            settings, salt=salt, progress=on_progress, summary=summary,
        )  # fmt: skip
    write_rows(output, sample.rows)
    note_left_out(sample.without_story, sample.without_article)


def _print_json(found: object) -> None:
    say(json.dumps(found, indent=2))


def _print_tables(found: PairEvaluation) -> None:
    from sahel_dedup.evaluation.pair_scores import HEAVY

    console = output_console()
    console.print(
        f"{found.judged:,} judged pairs; left out: {found.not_judged:,} not yet judged, "
        f"{found.not_found:,} with articles that are not in the stories"
    )
    console.print(
        f"{found.heavy:,} pairs are heavy: their weight is more than {found.heaviest:g}, "
        f"{HEAVY:g} times the median"
    )
    everything, light = found.all_pairs, found.without_heavy
    console.print(_table("", [("all pairs", everything.total), ("without heavy", light.total)]))
    tables = {"all pairs": everything} | ({"without heavy pairs": light} if found.heavy else {})
    for title, scores in tables.items():
        console.print(_table(f"articles in the story, {title}", scores.by_size.items()))
        if found.probabilities != "none":
            console.print(_probability_table(f"{found.probabilities}, {title}", scores))


def _table(heading: str, scores: Iterable[tuple[str, PairScore]]) -> Table:
    table = Table(heading, "pairs", "in one story", "one event", "precision", "recall")
    for name, score in scores:
        if score.pairs:
            table.add_row(name, *_counts(score), _cell(score.precision), _cell(score.recall))
    return table


def _probability_table(heading: str, scores: PairScores) -> Table:
    names = ("pairs", "in one story", "one event", "mean", "share of one event", "precision")
    table = Table(heading, *names)
    for score in scores.by_probability:
        if score.stated is not None:
            table.add_row(
                f"{score.low:g} to {score.high:g}",
                *_counts(score),
                f"{score.stated:.2f}",
                _cell(score.observed),
                _cell(score.precision),
            )
    return table


def _counts(score: PairScore) -> tuple[str, str, str]:
    return f"{score.pairs:,}", f"{score.in_one_story:,}", f"{score.one_event:,}"


def _cell(share: Interval | None) -> str:
    return "-" if share is None else f"{share.value:.3f} ({share.low:.2f} to {share.high:.2f})"
