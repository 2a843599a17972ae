"""An explanation for people: rich text for a terminal, HTML for a notebook.

Article text is untrusted. In a terminal, control characters could move the cursor or rename the
window, so they are removed. The template escapes HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sahel_dedup.explain.document import Span
from sahel_dedup.explain.reported_quantities import progress
from sahel_dedup.explain.undated import why_undated
from sahel_dedup.plain_text import plain
from sahel_dedup.util.templating import templates

if TYPE_CHECKING:
    from sahel_dedup.articles import Article
    from sahel_dedup.explain.findings import Findings

CUT = "A text is too long: only its beginning was compared."

_SHOWN = 400
_LISTED = 40
_CORRECTIONS = 3
_SHOWN_EVIDENCE = 0.005


class Section(NamedTuple):
    """Findings of one kind: their positions in both articles."""

    title: str
    pairs: list[tuple[str, str]]
    style: str


class Alone(NamedTuple):
    """What only one article says."""

    article: str
    quantities: list[str]
    sentences: list[str]


def for_terminal(explanation: Findings) -> RenderableType:
    """Render an explanation for a terminal.

    Parameters
    ----------
    explanation : Findings

    Returns
    -------
    RenderableType
    """
    e = explanation
    terms = ", ".join(f"{plain(t.term)} {t.share:.0%}" for t in e.terms)
    parts: list[RenderableType] = [_heads(e), Text(f"{relation_of(e)}: {e.why}.")]
    parts += [Text(line) for line in (containment_of(e), decision_of(e)) if line]
    parts.append(
        Text(f"Terms that contribute most to the similarity: {terms or 'none'}", style="dim")
    )
    for section in sections(e):
        parts += _two_columns(section)
    for alone in alones(e):
        parts += _list(f"Only {alone.article} has the numbers", alone.quantities)
        parts += _list(f"Only {alone.article} says", alone.sentences)
    if e.cut:
        parts.append(Text(CUT, style="yellow"))
    return Group(*parts)


def for_notebook(explanation: Findings) -> str:
    """Render an explanation as an HTML fragment, with everything escaped.

    Parameters
    ----------
    explanation : Findings

    Returns
    -------
    str
    """
    return (
        templates()
        .get_template("explanation.html")
        .render(
            e=explanation,
            heads=[_shorten(_headline(article)) for article in (explanation.a, explanation.b)],
            relation=relation_of(explanation),
            containment=containment_of(explanation),
            decision=decision_of(explanation),
            apart=hours_apart(explanation.hours),
            sections=sections(explanation),
            alones=alones(explanation),
            cut=CUT if explanation.cut else "",
        )
    )


def sections(e: Findings) -> list[Section]:
    """Collect the findings that concern both articles; leave out kinds without findings."""

    def section(title: str, pairs: Iterable[tuple[Span, Span]], style: str = "") -> Section:
        shown = [(_shorten(a.of(e.a.text)), _shorten(b.of(e.b.text))) for a, b in pairs]
        return Section(title, shown, style)

    found = (
        section(
            "Numbers in conflict", ((f.a.phrase, f.b.phrase) for f in e.quantities.conflicts), "red"
        ),
        section("Confusable names", ((n.a, n.b) for n in e.confusable_names), "red"),
        section("One says no", ((d.a, d.b) for d in e.negations), "red"),
        section("Shared quotations", ((q.a_context, q.b_context) for q in e.quotations)),
        section("Shared passages", ((p.a, p.b) for p in e.passages), "green"),
        section("Numbers in common", ((f.a.phrase, f.b.phrase) for f in e.quantities.common)),
    )
    ours, theirs = e.title_numbers
    titles = [(plain(", ".join(ours)), plain(", ".join(theirs)))] if ours and theirs else []
    differ = "red" if set(ours).isdisjoint(theirs) else ""
    in_titles = Section("Numbers in the titles", titles, differ)
    return [section for section in (*_tolls(e), *found, in_titles) if section.pairs]


def _tolls(e: Findings) -> Iterator[Section]:
    """Show the tolls of both next to each other, kind by kind; red if the current ones differ."""
    first: dict[str, list[str]] = {}
    second: dict[str, list[str]] = {}
    for side, quantities in ((first, e.reported[0]), (second, e.reported[1])):
        for quantity in quantities:
            side.setdefault(quantity.kind, []).append(str(quantity))
    changes = [progress(side) for side in e.reported]
    for kind in first | second:
        pair = [", ".join(side.get(kind, [])) or "–" for side in (first, second)]
        one, other = (change.get(kind) for change in changes)
        differ = "red" if one and other and one != other else ""
        yield Section(f"Reported as {kind}", [(plain(pair[0]), plain(pair[1]))], differ)


def alones(e: Findings) -> list[Alone]:
    """Collect what only one article says."""
    sides = ((e.a, e.quantities.only_a, e.only_a), (e.b, e.quantities.only_b, e.only_b))
    return [
        Alone(
            plain(article.id),
            [_shorten(quantity.phrase.of(article.text)) for quantity in quantities],
            [_shorten(span.of(article.text)) for span in spans],
        )
        for article, quantities, spans in sides
        if quantities or spans
    ]


def relation_of(explanation: Findings) -> str:
    """Name the relation, to begin a sentence."""
    names = {
        "exact": "Exact copies",
        "near": "Near copies",
        "reworded": "Reworded, or two reports on one subject",
        None: "Not related",
    }
    return names[explanation.relation]


def containment_of(explanation: Findings) -> str:
    """Say which article contains the other; empty if neither does."""
    a, b = plain(explanation.a.id), plain(explanation.b.id)
    shared = explanation.overlap
    if explanation.contains == "a in b":
        return f"{b} contains {a}: {shared.a_in_b:.0%} of its three-word shingles."
    if explanation.contains == "b in a":
        return f"{a} contains {b}: {shared.b_in_a:.0%} of its three-word shingles."
    return ""


def decision_of(explanation: Findings) -> str:
    """Say what clustering decided about the two articles, and why; empty if unknown."""
    parts = []
    if explanation.one_story is not None:
        parts.append("One story." if explanation.one_story else "Two stories.")
    if said := explanation.corrections:
        effect = "Joined" if said[0].same else "Kept apart"
        named = "; ".join(str(correction) for correction in said[:_CORRECTIONS])
        more = f" (and {len(said) - _CORRECTIONS:,} more)" if len(said) > _CORRECTIONS else ""
        parts.append(plain(f"{effect} by a correction: {named}{more}."))
    if (breakdown := explanation.breakdown) is not None:
        parts.append(
            f"Similarity in the archive: {breakdown.similarity:.2f}. Log-odds that "
            f"they report one event: {breakdown.score:+.2f}; {breakdown.needed:+.2f} are needed "
            "on average over a story."
        )
        if breakdown.in_window:
            strongest = sorted(breakdown.pieces.items(), key=lambda piece: -abs(piece[1]))
            pieces = ", ".join(
                f"{name.replace('_', ' ')} {value:+.2f}"
                for name, value in strongest
                if abs(value) >= _SHOWN_EVIDENCE
            )
            parts.append(f"Evidence for (+) and against (-): {pieces}.")
        else:
            parts.append("They are further apart in time than the window allows.")
    return " ".join(parts)


def hours_apart(hours: float | None) -> str:
    """Say how long after the first article the second was published."""
    if hours is None:
        return "time between them unknown"
    if hours == 0:
        return "published at the same time"
    size = abs(hours)
    if size < 1:
        apart = f"{60 * size:.0f} minutes"
    else:
        apart = f"{size:.1f} hours" if size < 48 else f"{size / 24:.1f} days"
    return f"the second {apart} {'after' if hours > 0 else 'before'} the first"


def _shorten(text: str) -> str:
    flat = plain(text)
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"


def _heads(e: Findings) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, article in (("a", e.a), ("b", e.b)):
        table.add_row(Text(name, style="bold"), Text(_shorten(_headline(article))))
    summary = f"similarity {e.similarity:.2f} · {hours_apart(e.hours)}"
    return Group(table, Text(summary, style="bold"))


def _headline(article: Article) -> str:
    parts = [article.id, article.title or "no headline", article.source or "no outlet"]
    parts.append(why_undated(article) or f"{article.published:%Y-%m-%d %H:%M} UTC")
    return " · ".join(parts)


def _two_columns(section: Section) -> list[RenderableType]:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), expand=True)
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    for one, other in section.pairs[:_LISTED]:
        table.add_row(Text(one, style=section.style), Text(other, style=section.style))
    return _titled(section.title, len(section.pairs), table)


def _list(title: str, items: list[str]) -> list[RenderableType]:
    lines = Group(*(Text(f"• {item}") for item in items[:_LISTED]))
    return _titled(title, len(items), lines)


def _titled(title: str, count: int, body: RenderableType) -> list[RenderableType]:
    if not count:
        return []
    shown = f"{title} ({count})" if count <= _LISTED else f"{title} (first {_LISTED} of {count})"
    return [Text(), Text(shown, style="bold"), Padding(body, (0, 0, 0, 2))]
