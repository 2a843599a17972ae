"""The words for numbers in six languages.

The package has its own tables because `text2num` knows no Arabic, because CLDR can write numbers
but not read them, and because both leave out most of the work: finding numbers in a text, Arabic
prefixes, and words such as "dozens".
"""

from __future__ import annotations

import functools
import unicodedata
from enum import IntEnum
from typing import NamedTuple

_FROM_ONE = {
    "en": """one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen""",
    "fr": """un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze
        seize""",
    "es": """uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince
        dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés
        veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve""",
    "pt": """um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze
        dezesseis dezessete dezoito dezenove""",
    "de": """ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn
        fünfzehn sechzehn siebzehn achtzehn neunzehn""",
    "ar": "واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة",
}
_TENS = {
    "en": "twenty thirty forty fifty sixty seventy eighty ninety",
    "fr": "vingt trente quarante cinquante soixante septante huitante nonante",
    "es": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "pt": "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "de": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "ar": "عشرون ثلاثون أربعون خمسون ستون سبعون ثمانون تسعون",
}
_HUNDREDS = {
    "es": """cien doscientos trescientos cuatrocientos quinientos seiscientos setecientos
        ochocientos novecientos""",
    "pt": """cem duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos
        novecentos""",
    "ar": "مئة مئتان ثلاثمئة أربعمئة خمسمئة ستمئة سبعمئة ثمانمئة تسعمئة",
}
# Other forms of the same numbers, and duals.
_FORMS: dict[str, dict[str, int]] = {
    "fr": {"une": 1, "vingts": 20},
    "es": {"un": 1, "una": 1, "ciento": 100, "doscientas": 200, "trescientas": 300},
    "pt": {"uma": 1, "duas": 2, "cento": 100, "duzentas": 200, "dezasseis": 16, "dezassete": 17,
           "dezanove": 19},
    "de": {"eine": 1, "einen": 1, "einem": 1, "einer": 1, "eins": 1, "zwo": 2},
    "ar": {"واحدة": 1, "اثنين": 2, "اثنتين": 2, "اثني": 2, "اثنا": 2, "ثلاث": 3, "أربع": 4,
           "خمس": 5, "ست": 6, "سبع": 7, "ثماني": 8, "ثمان": 8, "تسع": 9, "أحد": 1, "إحدى": 1,
           "عشر": 10, "عشرين": 20, "ثلاثين": 30, "أربعين": 40, "خمسين": 50, "ستين": 60,
           "سبعين": 70, "ثمانين": 80, "تسعين": 90, "مائة": 100, "مئتين": 200, "مائتين": 200,
           "مائتان": 200, "ثلاثمائة": 300, "أربعمائة": 400, "خمسمائة": 500, "ستمائة": 600,
           "سبعمائة": 700, "ثمانمائة": 800, "تسعمائة": 900},
}  # fmt: skip
# Words that multiply the number before them. English needs one: "a hundred" alone is not exact.
_SCALES = {
    "en": {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9},
    "fr": {"cent": 100, "cents": 100, "mille": 1000, "million": 10**6, "millions": 10**6},
    "es": {"mil": 1000, "millón": 10**6, "millones": 10**6},
    "pt": {"mil": 1000, "milhão": 10**6, "milhões": 10**6},
    "de": {"hundert": 100, "tausend": 1000, "million": 10**6, "millionen": 10**6},
    "ar": {"ألف": 1000, "ألفا": 1000, "آلاف": 1000, "مليون": 10**6, "مليونا": 10**6,
           "ملايين": 10**6},
}  # fmt: skip
# Words for rough numbers, and their plurals: "a dozen" is about 12, "dozens" are at least 24.
_ROUND = {
    "en": {"dozen": 12, "hundred": 100, "thousand": 1000, "score": 20},
    "fr": {"dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30,
           "quarantaine": 40, "cinquantaine": 50, "soixantaine": 60, "centaine": 100,
           "millier": 1000},
    "es": {"decena": 10, "docena": 12, "quincena": 15, "veintena": 20, "treintena": 30,
           "centenar": 100, "millar": 1000},
    "pt": {"dezena": 10, "dúzia": 12, "vintena": 20, "centena": 100, "milhar": 1000},
    "de": {"dutzend": 12},
    "ar": {},
}  # fmt: skip
_PLURALS = {
    "en": {"dozens": 12, "scores": 20, "hundreds": 100, "thousands": 1000},
    "fr": {"dizaines": 10, "douzaines": 12, "vingtaines": 20, "centaines": 100, "milliers": 1000},
    "es": {"decenas": 10, "docenas": 12, "centenares": 100, "cientos": 100, "miles": 1000},
    "pt": {"dezenas": 10, "dúzias": 12, "centenas": 100, "milhares": 1000},
    "de": {"dutzende": 12, "dutzenden": 12, "hunderte": 100, "hunderten": 100, "tausende": 1000},
    "ar": {"عشرات": 10, "مئات": 100, "آلاف": 1000},
}
LANGUAGES = tuple(_FROM_ONE)
# What may occur between the parts of a number in words.
AND = {"en": "and", "fr": "et", "es": "y", "pt": "e", "de": "und", "ar": "و"}
ARABIC_PREFIXES = ("وال", "بال", "فال", "كال", "ولل", "ال", "لل", "و", "ب", "ل", "ف", "ك")
_WHOLE_TENS = range(20, 100, 10)


@functools.lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """Return a word without case, accents, vowel signs and interchangeable Arabic letters."""
    if word.isascii():
        return word.lower()
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return plain.casefold().replace("ـ", "").replace("ة", "ه").replace("ى", "ي")


class NumberWords(NamedTuple):
    """Tables of one language, folded."""

    values: dict[str, int]
    scales: dict[str, int]
    rounds: dict[str, int]
    plurals: dict[str, int]
    all: dict[str, int]


@functools.cache
def words_of(lang: str) -> NumberWords:
    """Fold the tables of a language; those of an unknown language are empty."""
    values = {fold(word): value for word, value in _values(lang).items()}
    scales, rounds, plurals = (
        {fold(word): value for word, value in table.get(lang, {}).items()}
        for table in (_SCALES, _ROUND, _PLURALS)
    )
    return NumberWords(values, scales, rounds, plurals, values | scales | rounds | plurals)


class NumberPart(IntEnum):
    """What a word does in a number.

    Attributes
    ----------
    NUMBER
        It is a number, or goes on with one.
    SCALE
        It multiplies the number before it.
    AND
        It joins two parts.
    LATE
        It is added to the ones before it: Arabic writes "three and twenty".
    """

    NUMBER = 0
    SCALE = 1
    AND = 2
    LATE = 3


def number_parts(lang: str) -> dict[str, tuple[int, NumberPart]]:
    """Return the words of the numbers of a language, with and without accents, and their values.

    Parameters
    ----------
    lang : str
        One of `LANGUAGES`.

    Returns
    -------
    dict of str to (int, NumberPart)
        By the lower-case word. The value of an *and* is 0.
    """
    parts = {word: (value, NumberPart.NUMBER) for word, value in _values(lang).items()}
    parts |= {word: (value, NumberPart.SCALE) for word, value in _SCALES[lang].items()}
    parts |= {AND[lang]: (0, NumberPart.AND)}
    if lang == "ar":
        parts |= {
            prefix + word: (
                value,
                NumberPart.LATE if prefix == "و" and value in _WHOLE_TENS else part,
            )
            for prefix in ARABIC_PREFIXES
            for word, (value, part) in parts.items()
            if part is NumberPart.NUMBER
        }
        parts |= dict.fromkeys(["عشر", "عشرة"], (10, NumberPart.LATE))
    return {spelling: part for word, part in parts.items() for spelling in (fold(word), word)}


def _values(lang: str) -> dict[str, int]:
    """Return the words that are numbers; none for an unknown language."""
    values = {word: n for n, word in enumerate(_FROM_ONE.get(lang, "").split(), start=1)}
    values |= {word: 10 * n for n, word in enumerate(_TENS.get(lang, "").split(), start=2)}
    values |= {word: 100 * n for n, word in enumerate(_HUNDREDS.get(lang, "").split(), start=1)}
    values |= _FORMS.get(lang, {})
    return values | _german(values) if lang == "de" else values


def _german(values: dict[str, int]) -> dict[str, int]:
    """Return the numbers that German writes as one word: up to 999, and whole thousands."""
    below = dict(values)
    ones = {value: word for word, value in reversed(values.items())}
    tens = {value: word for word, value in values.items() if 20 <= value < 100}
    below |= {
        f"{ones[n]}und{word}": value + n for value, word in tens.items() for n in range(1, 10)
    }
    hundreds = {f"{ones[n]}hundert": 100 * n for n in range(1, 10)} | {"hundert": 100}
    with_rest = {
        f"{hundred}{word}": size + value
        for hundred, size in hundreds.items()
        for word, value in below.items()
    }
    del hundreds["hundert"]  # This word is a scale.
    thousands = {f"{word}tausend": 1000 * value for word, value in below.items()}
    return below | hundreds | with_rest | thousands
