"""A line chart as SVG, without a plotting library: enough to see whether values level off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 760, 320, 50, 40, 460, 230
# Distinguishable without colours too: colours of Okabe and Ito, each with its own dashes.
_STYLES = (("#0072b2", ""), ("#d55e00", "6 3"), ("#009e73", "2 3"), ("#cc79a7", "9 3 2 3"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Attributes
    ----------
    label : str
    values : sequence of float
        Shares of the height, 0 to 1.
    """

    label: str
    values: Sequence[float]


def chart(title: str, axis: str, places: Sequence[float], lines: Sequence[Line]) -> str:
    """Draw lines over a common axis that starts at 0.

    Parameters
    ----------
    title, axis : str
        Texts above and below the chart.
    places : sequence of float
        Positions of the values on the axis, ascending.
    lines : sequence of Line
        At most four lines.

    Returns
    -------
    str
        An SVG document.
    """
    bottom = _TOP + _PLOT_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="12"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
    ]
    for share in (0, 0.5, 1):
        y = bottom - share * _PLOT_HEIGHT
        parts.append(f'<path d="M{_LEFT} {y:.0f}h{_PLOT_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{share:.0%}</text>')
    for share in (0, 0.5, 1):
        x = _LEFT + share * _PLOT_WIDTH
        label = f"{share * places[-1]:,.0f}"
        parts.append(f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{label}</text>')
    middle = _LEFT + _PLOT_WIDTH / 2
    parts.append(f'<text x="{middle:.0f}" y="{bottom + 38}" text-anchor="middle">')
    parts.append(f"{escape(axis)}</text>")
    for number, (line, (colour, dash)) in enumerate(zip(lines, _STYLES, strict=False)):
        points = " ".join(
            f"{_LEFT + x / places[-1] * _PLOT_WIDTH:.1f},{bottom - y * _PLOT_HEIGHT:.1f}"
            for x, y in zip(places, line.values, strict=True)
        )
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        x, y = _LEFT + _PLOT_WIDTH + 20, _TOP + 24 + 26 * number
        parts += [
            f'<polyline points="{points}" {style}/><path d="M{x} {y - 4}h30" {style}/>',
            f'<text x="{x + 38}" y="{y}">{escape(line.label)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
