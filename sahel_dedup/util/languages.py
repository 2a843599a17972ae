"""The tag of a language, from what sources write: ``EN``, ``en_US``, ``eng`` or ``English``."""

from __future__ import annotations

import functools
import re

UNKNOWN = "und"

# English names of the languages of ISO 639-1 and of those of which more is known, by tag.
_ENGLISH = """
aa Afar; ab Abkhazian, Abkhaz; ae Avestan; af Afrikaans; ak Akan; am Amharic; an Aragonese; ar
Arabic, Modern Standard Arabic; as Assamese; av Avaric; ay Aymara; az Azerbaijani, Azeri; ba
Bashkir; be Belarusian, Belorussian; bg Bulgarian; bi Bislama; bm Bambara, Bamanankan; bn Bengali,
Bangla; bo Tibetan; br Breton; bs Bosnian; ca Catalan, Valencian; ce Chechen; ch Chamorro; co
Corsican; cr Cree; cs Czech; cu Church Slavic; cv Chuvash; cy Welsh; da Danish; de German; dv
Dhivehi, Divehi, Maldivian; dz Dzongkha; el Greek, Modern Greek; en English; eo Esperanto; es
Spanish, Castilian; et Estonian; eu Basque; fa Persian, Farsi; ff Fula, Fulah, Fulani, Fulfulde,
Pular; fi Finnish; fil Filipino, Tagalog; fj Fijian; fo Faroese; fr French; fy Western Frisian; ga
Irish, Irish Gaelic; gd Scottish Gaelic; gl Galician; gn Guarani; gu Gujarati; gv Manx; ha Hausa;
he Hebrew, Modern Hebrew; hi Hindi; ho Hiri Motu; hr Croatian; ht Haitian, Haitian Creole; hu
Hungarian; hy Armenian; hz Herero; ia Interlingua; id Indonesian, Bahasa Indonesia; ie
Interlingue; ig Igbo; ii Nuosu, Sichuan Yi; ik Inupiaq; is Icelandic; it Italian; iu Inuktitut; ja
Japanese; jv Javanese; ka Georgian; kg Kongo, Kikongo; ki Kikuyu; kj Kuanyama; kk Kazakh; kl
Kalaallisut, Greenlandic; km Khmer, Central Khmer, Cambodian; kn Kannada; ko Korean; kr Kanuri; ks
Kashmiri; ku Kurdish; kv Komi; kw Cornish; ky Kyrgyz, Kirghiz; la Latin; lb Luxembourgish; lg
Ganda, Luganda; li Limburgish; ln Lingala; lo Laotian; lt Lithuanian; lu Luba-Katanga; lv Latvian;
mg Malagasy; mh Marshallese; mi Maori; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi; ms
Malay, Bahasa Melayu, Malaysian; mt Maltese; my Burmese; na Nauru; nb Norwegian Bokmål, Norwegian
Bokmal, Bokmål, Bokmal; nd North Ndebele; ne Nepali; ng Ndonga; nl Dutch, Flemish; nn Norwegian
Nynorsk, Nynorsk; no Norwegian; nqo N'Ko, N’Ko; nr South Ndebele; nv Navajo; ny Chichewa, Nyanja,
Chewa; oc Occitan; oj Ojibwa, Ojibwe; om Oromo; or Odia, Oriya; os Ossetian, Ossetic; pa Punjabi,
Panjabi; pcm Nigerian Pidgin; pi Pali; pl Polish; ps Pashto, Pushto; pt Portuguese, Brazilian
Portuguese; qu Quechua; rm Romansh; rn Rundi, Kirundi; ro Romanian, Moldovan, Moldavian; ru
Russian; rw Kinyarwanda; sa Sanskrit; sc Sardinian; sd Sindhi; se Northern Sami; sg Sango; sh
Serbo-Croatian, Serbocroatian; si Sinhala, Sinhalese; sk Slovak; sl Slovenian, Slovene; sm Samoan;
sn Shona; so Somali; sq Albanian; sr Serbian; ss Swati, Swazi; st Southern Sotho, Sesotho; su
Sundanese; sv Swedish; sw Swahili, Kiswahili; ta Tamil; te Telugu; tg Tajik; th Thai; ti Tigrinya;
tk Turkmen; tn Tswana, Setswana; to Tongan; tr Turkish; ts Tsonga; tt Tatar; ty Tahitian; ug
Uyghur, Uighur; uk Ukrainian; ur Urdu; uz Uzbek; ve Venda; vi Vietnamese; vo Volapük; wa Walloon;
wo Wolof; xh Xhosa; yi Yiddish; yo Yoruba; za Zhuang; zgh Standard Moroccan Tamazight; zh Chinese,
Mandarin, Mandarin Chinese, Simplified Chinese, Traditional Chinese; zu Zulu
"""
ENGLISH_NAMES = {
    " ".join(name.split()).casefold(): tag
    for tag, names in (entry.split(maxsplit=1) for entry in _ENGLISH.split(";"))
    for name in names.split(",")
}
# langcodes knows all others, but importing it takes 60 milliseconds.
_COMMON = frozenset({UNKNOWN, *ENGLISH_NAMES.values()})
# No tag is longer than 35 characters (RFC 5646, 4.4.1).
_LONGEST = 64
# "Portuguese (Brazil)"
_IN_BRACKETS = re.compile(r"\([^()]*\)\Z")
# "fr_FR.UTF-8", "sr_RS@latin"
_LOCALE = re.compile(r"([A-Za-z]{2,3}[_-][A-Za-z]{2})(?:\.[A-Za-z0-9-]+)?(?:@[a-z]+)?")
_REGION = re.compile(r"(?:-(?:[A-Za-z]{2}|[0-9]{3}))?\Z")


def language_tag(value: str) -> str | None:
    """Return the tag of a language.

    Parameters
    ----------
    value : str
        A tag in any case, with hyphens or underscores; a code of ISO 639-2 or 639-3; the locale of
        a program; or the English name of a language.

    Returns
    -------
    str or None
        The tag, with the shortest code of its language: ``en``, ``pt-BR``. The value itself
        without spaces around it if it names no language; ``None`` if nothing is left.
    """
    value = value.strip()
    return _tag(value) if len(value) <= _LONGEST else value


def is_language(tag: str) -> bool:
    """Whether a tag, as `language_tag` returns it, names a language."""
    return len(tag) <= _LONGEST and _is_language(tag)


def known_language(tag: str | None) -> str | None:
    """Return a tag, or ``None`` if it names no language."""
    return tag if tag is not None and is_language(tag) else None


@functools.lru_cache(maxsize=1024)
def _tag(value: str) -> str | None:
    name = " ".join(_IN_BRACKETS.sub("", value).casefold().split())
    if name in ENGLISH_NAMES:
        return ENGLISH_NAMES[name]
    locale = _LOCALE.fullmatch(value)
    primary, dash, rest = (locale[1] if locale else value).replace("_", "-").partition("-")
    tag = primary.lower() + dash + rest
    if not _is_language(tag):
        return value or None
    if len(primary) == 3 and primary.lower() not in _COMMON:
        import langcodes

        return langcodes.standardize_tag(tag, macro=True)
    return tag


@functools.lru_cache(maxsize=1024)
def _is_language(tag: str) -> bool:
    primary, dash, rest = tag.partition("-")
    if primary in _COMMON and _REGION.match(dash + rest):
        return True
    import langcodes

    return langcodes.tag_is_valid(tag)
