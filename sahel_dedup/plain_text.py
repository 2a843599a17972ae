"""Untrusted text on a terminal: names, ids and texts may contain anything."""

from __future__ import annotations

import re

# Control characters control the terminal, marks of direction and deprecated format characters
# reorder text, and tag characters are invisible. A lone surrogate cannot be printed at all. Joiners
# and variation selectors stay, because scripts and emoji need them.
UNSAFE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    r"""Put text on one line, without characters that control a terminal.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Unsafe characters become U+FFFD; white space becomes single spaces.

    Examples
    --------
    >>> plain("two\nlines, \x1b[31mred")
    'two lines, �[31mred'
    """
    return " ".join(UNSAFE.sub("\ufffd", text).split())


def plain_lines(text: str) -> str:
    """Do the same with each line of a text, and keep its indentation."""
    return "\n".join(
        line[: len(line) - len(line.lstrip(" "))] + plain(line) for line in text.split("\n")
    )
