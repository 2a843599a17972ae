"""An explanation for people: rich text for a terminal, HTML for a notebook.

Article text is untrusted. In a terminal its control characters could move the cursor or
rename the window, so none is let through; HTML is escaped by the template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sahel_dedup.templating import templates
from sahel_dedup.wording import Span

if TYPE_CHECKING:
    from sahel_dedup.articles import Article
    from sahel_dedup.explain import Explanation

CUT = "A text is too long: only its beginning was compared."

_SHOWN = 400
_LISTED = 40
_SHOWN_EVIDENCE = 0.005
# Controls of the terminal, and of the direction of text.
_UNSAFE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Section(NamedTuple):
    """Findings of one kind: where they stand in either article."""

    title: str
    pairs: list[tuple[str, str]]
    style: str


class Alone(NamedTuple):
    """What one article alone says."""

    article: str
    figures: list[str]
    sentences: list[str]


def for_terminal(explanation: Explanation) -> RenderableType:
    """Lay an explanation out for a terminal.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    RenderableType
    """
    e = explanation
    terms = ", ".join(f"{plain(t.term)} {t.share:.0%}" for t in e.terms)
    parts: list[RenderableType] = [_heads(e), Text(f"{relation_of(e)}: {e.why}.")]
    parts += [Text(line) for line in (containment_of(e), decision_of(e)) if line]
    parts.append(Text(f"What carries the similarity: {terms or 'nothing'}", style="dim"))
    for section in sections(e):
        parts += _two_columns(section)
    for alone in alones(e):
        parts += _list(f"Only {alone.article} has the figures", alone.figures)
        parts += _list(f"Only {alone.article} says", alone.sentences)
    if e.cut:
        parts.append(Text(CUT, style="yellow"))
    return Group(*parts)


def for_notebook(explanation: Explanation) -> str:
    """Lay an explanation out as a piece of HTML, everything in it escaped.

    Parameters
    ----------
    explanation : Explanation

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


def sections(e: Explanation) -> list[Section]:
    """Collect what both articles say, alike or not; kinds without findings left out."""

    def told(title: str, pairs: Iterable[tuple[Span, Span]], style: str = "") -> Section:
        shown = [(_shorten(a.of(e.a.text)), _shorten(b.of(e.b.text))) for a, b in pairs]
        return Section(title, shown, style)

    found = (
        told("Figures in conflict", ((f.a.told, f.b.told) for f in e.figures.conflicts), "red"),
        told("Names that look alike", ((n.a, n.b) for n in e.names), "red"),
        told("One says no", ((d.a, d.b) for d in e.denials), "red"),
        told("Shared quotations", ((q.a_context, q.b_context) for q in e.quotations)),
        told("Shared passages", ((p.a, p.b) for p in e.passages), "green"),
        told("Figures in common", ((f.a.told, f.b.told) for f in e.figures.common)),
    )
    return [section for section in found if section.pairs]


def alones(e: Explanation) -> list[Alone]:
    """Collect what each article alone says."""
    sides = ((e.a, e.figures.only_a, e.only_a), (e.b, e.figures.only_b, e.only_b))
    return [
        Alone(
            plain(article.id),
            [_shorten(figure.told.of(article.text)) for figure in figures],
            [_shorten(span.of(article.text)) for span in spans],
        )
        for article, figures, spans in sides
        if figures or spans
    ]


def relation_of(explanation: Explanation) -> str:
    """Name the relation, as the beginning of a sentence."""
    names = {
        "exact": "Exact copies",
        "near": "Near copies",
        "reworded": "Reworded, or two reports on one subject",
        None: "Not related",
    }
    return names[explanation.relation]


def containment_of(explanation: Explanation) -> str:
    """Say which article holds the other, or nothing."""
    a, b = plain(explanation.a.id), plain(explanation.b.id)
    shared = explanation.overlap
    if explanation.contains == "a in b":
        return f"{b} holds {a}: {shared.a_in_b:.0%} of its three-word shingles."
    if explanation.contains == "b in a":
        return f"{a} holds {b}: {shared.b_in_a:.0%} of its three-word shingles."
    return ""


def decision_of(explanation: Explanation) -> str:
    """Say what clustering made of the two articles and by what, or nothing."""
    parts = []
    if explanation.one_story is not None:
        parts.append("One story." if explanation.one_story else "Two stories.")
    if (weighing := explanation.weighing) is not None:
        parts.append(
            f"By the words of the archive, similarity {weighing.similarity:.2f}. Log-odds that "
            f"they report one event {weighing.score:+.2f}; {weighing.needed:+.2f} are needed, "
            "in the mean of a story."
        )
        if weighing.in_window:
            strongest = sorted(weighing.pieces.items(), key=lambda piece: -abs(piece[1]))
            told = ", ".join(
                f"{name.replace('_', ' ')} {value:+.2f}"
                for name, value in strongest
                if abs(value) >= _SHOWN_EVIDENCE
            )
            parts.append(f"What speaks for (+) and against (-): {told}.")
        else:
            parts.append("They are further apart in time than one event may be.")
    return " ".join(parts)


def hours_apart(hours: float | None) -> str:
    """Tell in words how long after the first article the second was published."""
    if hours is None:
        return "time between them unknown"
    if hours == 0:
        return "published at the same time"
    size = abs(hours)
    if size < 1:
        told = f"{60 * size:.0f} minutes"
    else:
        told = f"{size:.1f} hours" if size < 48 else f"{size / 24:.1f} days"
    return f"the second {told} {'after' if hours > 0 else 'before'} the first"


def plain(text: str) -> str:
    """Put text on one line, without characters that steer a terminal."""
    return " ".join(_UNSAFE.sub("\ufffd", text).split())


def _shorten(text: str) -> str:
    flat = plain(text)
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"


def _heads(e: Explanation) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, article in (("a", e.a), ("b", e.b)):
        table.add_row(Text(name, style="bold"), Text(_shorten(_headline(article))))
    summary = f"similarity {e.similarity:.2f} · {hours_apart(e.hours)}"
    return Group(table, Text(summary, style="bold"))


def _headline(article: Article) -> str:
    told = [article.id, article.title or "no headline", article.source or "no outlet"]
    if article.published is not None:
        told.append(f"{article.published:%Y-%m-%d %H:%M} UTC")
    return " · ".join(told)


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
