"""The tag of a language, from a code, a locale or an English name."""

from __future__ import annotations

import subprocess
import sys

import langcodes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import Article, cluster, find_conflicts
from sahel_dedup.explain import explain
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.language import KNOWN
from sahel_dedup.util.languages import ENGLISH_NAMES, is_language, known_language, language_tag

FRENCH = "Neuf soldats ont été tués lundi dans une attaque contre le camp, a dit le gouverneur."


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("en", "en"), ("EN", "en"), (" en ", "en"), ("english", "en"), ("ENGLISH", "en"),
        ("eng", "en"), ("ENG", "en"), ("eng-GB", "en-GB"), ("en_US", "en-US"), ("en-us", "en-us"),
        ("en_US.UTF-8", "en-US"), ("fr-FR.utf8", "fr-FR"), ("sr_RS@latin", "sr-RS"),
        ("ger", "de"), ("deu", "de"), ("German", "de"), ("fre", "fr"), ("fra", "fr"),
        ("chi", "zh"), ("cmn", "zh"), ("zh_Hans_CN", "zh-Hans-CN"), ("Simplified Chinese", "zh"),
        ("Chinese (Simplified)", "zh"), ("Portuguese (Brazil)", "pt"),
        ("Brazilian  Portuguese", "pt"),
        ("Norwegian Bokmål", "nb"), ("hausa", "ha"), ("Fulani", "ff"), ("pcm", "pcm"),
        ("Nigerian Pidgin", "pcm"), ("estonian", "et"), ("sr-Latn", "sr-Latn"), ("hsb", "hsb"),
        ("und", "und"), ("mul", "mul"),
    ],
)  # fmt: skip
def test_what_names_a_language_becomes_its_tag(value: str, tag: str) -> None:
    assert language_tag(value) == tag
    assert is_language(tag)
    assert Article("a", "", lang=value).lang == tag
    assert Article.from_mapping({"id": "a", "text": "", "lang": value}).lang == tag


@pytest.mark.parametrize(
    "value",
    ["xx", "C", "klingonish", "en,fr", "en;q=0.8", "N/A", "none", "EN-", "x" * 99, "5", "–"],
)
def test_anything_else_is_kept_and_not_used(value: str) -> None:
    article = Article("a", FRENCH, lang=f" {value} ")
    assert article.lang == value
    assert not is_language(value)
    assert known_language(value) is None
    detected = Sketcher()
    detected.sketch([article])
    assert detected.langs.names == ["fr"]


def test_spaces_are_no_language() -> None:
    assert Article("a", "", lang=" \t").lang is None
    assert known_language(None) is None


@pytest.mark.parametrize("lang", sorted(KNOWN))
def test_languages_of_which_something_is_known_have_english_names(lang: str) -> None:
    """Those that langcodes is not asked about are languages for it, too."""
    assert lang in ENGLISH_NAMES.values()


def test_names_have_tags_of_languages() -> None:
    assert all(map(langcodes.tag_is_valid, ENGLISH_NAMES.values()))
    # A name that was also the code of another language would hide it.
    assert not [name for name in ENGLISH_NAMES if langcodes.tag_is_valid(name)]


@given(st.text(max_size=70))
def test_a_tag_is_its_own_tag(value: str) -> None:
    tag = language_tag(value)
    assert tag is None or language_tag(tag) == tag


def test_usual_languages_load_no_tables() -> None:
    code = "import sys; from sahel_dedup import Article; "
    code += "[Article('a', '', lang=lang) for lang in sys.argv[1:]]"
    code += "; assert 'langcodes' not in sys.modules"
    given = ["en", "EN", "en_US", "English", "pt-BR", "fr_FR.UTF-8", "pcm", "es-419"]
    subprocess.run([sys.executable, "-c", code, *given], check=True)


def test_an_explanation_uses_the_language_however_it_is_named() -> None:
    one = "Neuf soldats ont été tués lundi dans une attaque contre le camp, a dit le gouverneur."
    other = "Douze soldats ont été tués lundi dans une attaque contre le camp, a dit le gouverneur."
    texts = {"a": one, "b": other}

    def found(lang: str) -> tuple[str, str]:
        a, b = (Article(name, text, lang=lang) for name, text in texts.items())
        return str(explain(a, b)), str(find_conflicts(a, b))

    assert found("fr")[1] != "[]"
    assert found("French") == found("FRA") == found("fr_FR.UTF-8") == found("fr")
    assert found("klingonish") == found("")


def test_names_make_the_same_stories_as_tags() -> None:
    rows = [{"id": str(n), "text": FRENCH} for n in range(3)]
    for lang in ("fr", "French", "fra", "FR_fr"):
        stories = cluster([row | {"lang": lang} for row in rows])
        assert stories.labels.tolist() == [0, 0, 0]
