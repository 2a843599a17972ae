"""Untrusted text on a terminal: visible characters stay, control characters are removed."""

from __future__ import annotations

import io
import sys
import unicodedata
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, NotFoundError, SahelError
from sahel_dedup.explain import explain
from sahel_dedup.plain_text import UNSAFE, plain, plain_lines

_STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_MARKS = "\u061c\u200e\u200f"


def test_every_character_is_kept_or_replaced_by_what_it_is() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cc", "Cs") or character in _MARKS or 0xE0000 <= code < 0xE0080:
            assert character not in plain(f"a{character}b")
        elif unicodedata.bidirectional(character) in _STEERING:
            assert plain(f"a{character}b") == "a\ufffdb"
        elif category[0] in "LMNPS":
            assert plain(character) == character


@given(st.text())
def test_plain_text_is_one_line(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert len(once.splitlines()) <= 1
    once.encode()


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_lines_stay_lines(lines: list[str]) -> None:
    shown = plain_lines("\n".join(lines)).split("\n")
    assert [line.lstrip(" ") for line in shown] == [plain(line) for line in lines or [""]]


def test_errors_are_plain_whatever_they_name() -> None:
    odd = "\x1b[2J\u202e\n\ud800"
    for error in (
        SahelError(odd),
        NotFoundError(odd),
        ArticleError(odd, odd, 1, odd),
        ArticleError(odd).at(odd, None),
    ):
        assert not UNSAFE.search(str(error).replace("\ufffd", ""))
        assert len(str(error).splitlines()) == 1


def test_an_explanation_is_plain_whatever_the_articles_hold() -> None:
    odd = "\x1b]0;x\x07 \x9b1m \u202e \u061c \U000e0041 [b]x[/b] [/foo]"
    text = f"Nine soldiers {odd} were killed on Monday at the camp of {odd} Tessarit, he said. "
    when = datetime(2025, 7, 1, tzinfo=UTC)
    pair = [
        Article(f"{odd}{n}", text * 3 + f"{n} more {odd}.", odd, when, odd, odd) for n in (1, 2)
    ]
    out = io.StringIO()
    Console(file=out, width=200, force_terminal=False).print(explain(*pair))
    assert not UNSAFE.search(out.getvalue().replace("\ufffd", ""))
    assert "[b]x[/b] [/foo]" in out.getvalue()
