"""Boilerplate: the parts of an article that report nothing.

Datelines, bylines, agency credits, copyright tails, offers to share or to subscribe and
leftover HTML are recognised by their form and position. The rules prefer to miss a line rather than
cut a sentence, and cover some languages better than others. Lists of words are part of the patterns
and are tested with them, so they are not in a data file. A page that appears under many headlines
is recognised from the archive (`sahel_dedup.candidates.exact_copies`).
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, cast

from sahel_dedup.errors import SettingsError

Kind = Literal["dateline", "byline", "credit", "copyright", "promotion", "note", "markup"]


def _phrases(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split(";")]


_AGENCIES = frozenset(_phrases("""
    AAP; ABr; ACAN-EFE; AFP; AIB; AMAP; ANI; ANP; ANSA; AP; APA; APS; Agence France-Presse; Anadolu;
    Associated Press; Bernama; Bloomberg; CNN; DPA; EFE; IANS; IRNA; KUNA; Kyodo; Lusa; MENA; NAN;
    PANA; PTI; Reuter; Reuters; SANA; SPA; TASS; UPI; WAM; Xinhua; Yonhap; agencies; dpa; أ ف ب;
    أ.ف.ب; الأناضول; د ب أ; د.ب.أ; رويترز; قنا; كونا; متابعات; واس; وام; وكالات"""))  # fmt: skip
# Cities that stand alone in datelines, also before a colon or without capitals.
_CITIES = frozenset(_phrases("""
    abidjan; abuja; accra; addis ababa; algiers; amman; ankara; athens; baghdad; bamako; bangkok;
    beijing; beirut; berlin; brussels; bruxelles; cairo; colombo; conakry; dakar; damascus; dhaka;
    doha; dubai; gao; geneva; genève; hong kong; islamabad; istanbul; jakarta; jerusalem; juba;
    kabul; kampala; karachi; khartoum; kinshasa; kyiv; lagos; lomé; london; luanda; madrid; manila;
    maputo; moscow; mumbai; n'djamena; nairobi; new delhi; new york; niamey; nouakchott;
    ouagadougou; paris; phnom penh; pretoria; rabat; riyadh; rome; seoul; singapore; sydney; tehran;
    tel aviv; timbuktu; tokyo; tripoli; tunis; washington; yaoundé; أبها; أنقرة; الجزائر; الخرطوم;
    الدمام; الدوحة; الرباط; الرياض; الطائف; القاهرة; القدس; الكويت; المنامة; باريس; باماكو; بغداد;
    بيروت; تبوك; تونس; جازان; جدة; دبي; دمشق; صنعاء; طرابلس; طهران; عدن; عمان; غزة; لندن; مسقط;
    مكة المكرمة; موسكو; نجران; نواكشوط; نيامي; نيويورك; واشنطن"""))  # fmt: skip
_STAND_ALONE = _AGENCIES | _CITIES
# Lower-case words that occur inside names and credits.
_SMALL = frozenset(_phrases("""
    additional; agencies; al; and; at; by; compiled; da; de; del; der; des; di; do; dos; du; e;
    editing; el; en; et; files; for; from; in; inputs; la; of; on; reporter; reporters; reporting;
    reports; staff; the; und; van; von; with; writer; writers; writing; y; à"""))  # fmt: skip
_NOT_PLACES = frozenset(["after", "as", "at", "by", "for", "from", "in", "on", "since", "when"])

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|f[ée]v|avr|mai|juin|juil|ao[uû]|d[ée]c|"
    r"ene|abr|ago|set|out|dez|dic)[^\W\d_]{0,7}\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?)"
_DATE = re.compile(
    rf"(?:{_WEEKDAY}\s)?(?:\d{{1,2}}(?:st|nd|rd|th|er)?\s(?:de\s)?{_MONTH}(?:\s(?:de\s)?\d{{2,4}})?"
    rf"|{_MONTH}\s\d{{1,2}}(?:\s\d{{4}})?|\d{{4}}-\d\d-\d\d)",
    re.IGNORECASE,
)
# "(?=(x))\1" stands for "(?>x)", which Python before 3.11.5 matches wrongly if x contains groups.
_STAMP = re.compile(
    r"(?:(?:last |first )?(?:updated|published|posted|modified|date|publié|mis à jour|publicado)\b"
    r"(?: on| at| le| el| em)?:?\s?)?(?=.*\d[-/:. ]\w|.*\s\d)(?!.*--)"
    rf"(?:(?=([\d:/.,|+()-]++|[ap]\.?m\b\.?|[a-z]{{1,3}}t\b|{_MONTH}|{_WEEKDAY}"
    r"|(?:at|on|le|à|de|utc|updated|published)\b:?|\s++))\1)+",
    re.IGNORECASE,
)
# Everything before the first dash or colon that is not inside a word or brackets.
_DATELINE = re.compile(
    r"(?=((?:[^\n()\u2013\u2014:-]++|(?<=\w)-(?=\w)|\([^()\n]{1,40}\))+))\1"
    r"([\u2013\u2014-]++|:(?=\s))\s*+"
)
_ARABIC = r"[\u0620-\u064a.]++(?: [\u0620-\u064a.]++){0,2}"
_ARABIC_DATELINE = re.compile(
    rf"{_ARABIC}(?: ?[\u2013-] ?{_ARABIC}){{1,3}} ?(?:[:\n]|[\u2013-] )\s*+"
)
# What may stand before the first word of a text or line.
_OPENERS = ' \t\r\n"\u201c'
_BRACKETS = re.compile(r"\(([^()]*)\)")
_WORD = re.compile(r"[^\W\d_][\w.'\u2019-]*")
_BYLINE = re.compile(
    r"(?:By|BY|Par|Por|Written by):?\s([^\n.:?!]{3,70})"
    r"|((?:[^\n.:?!]{0,40}\s)?(?:Correspondent|Staff (?:Writer|Reporter)|(?:News|Web) Desk))"
    r"|\u3010(?:撰文|作者|文|記者|记者)[\uff1a:][^\u3011\n]{1,20}\u3011|بقلم ?:? ?[^\n.:]{3,40}"
)
_CONTRIBUTED = re.compile(
    r"\n([^\n]{3,250}?) contributed"
    r"(?: (?:to th(?:is|e) (?:report|article|story)|reporting)[^\n.]{0,60})?\.?[^\w\n]{0,4}(?=\n)"
)
_COPYRIGHT_TAIL = re.compile(
    r"(?<=[.!?\u201d\"»)])\s{1,3}(?:©|\(c\) ?\d{4}|Copyright (?:©|\(c\)|\d{4}))[^\n]{0,200}$"
)
_AGENCY = "(?:" + "|".join(map(re.escape, sorted(_AGENCIES, key=len, reverse=True))) + ")"
_AGENCY = rf"{_AGENCY}(?:\s?[/,&+-]\s?{_AGENCY})*"
# No full stop on a line of its own: "he told Reuters." may be wrapped before its last word.
_SIGNATURE = re.compile(
    rf"(?:(?<=[.!?\u201d\"»)])\s+(?:[\u2013\u2014/-]+\s?)?{_AGENCY}\.?"
    rf"|(?<=\n)(?:[\u2013\u2014/-]+\s?)?{_AGENCY}|\ (?:--|\u2014)\ ?{_AGENCY}"
    rf"|\s*[(\[](?:[Ww]ith |[Aa]vec )?{_AGENCY}[)\]]\.?)$"
)
_SIGNED = frozenset(agency.split()[-1] for agency in _AGENCIES)

# Whole lines, and how they may open: with a capital letter, because a line of hard-wrapped prose
# can begin with any word. Most lines of an article already fail at the opening.
_OPENINGS = (
    "A(?i:bo|d[dv]|l[rs]|rt|ve)|C(?i:l[ai]|o[mnpr])|D(?i:ow)|E(?i:di)|F(?i:ac|ol)|G(?i:et)|I(?i:ma)"
    "|J(?i:oi)|L(?i:ea|i[knr])|M(?i:or|os)|P(?i:ar|in|le|ub)|R(?i:e[aclp])|V(?i:ie)|Y(?i:ou)"
    "|S(?i:av|cr|ee|ha|ig|ou|to|u[bips])|T(?i:hi|o |w[ei])|W(?i:an|ha|it|ri)|À|©|الم"
)
_SITE = (
    r"(?:facebook|twitter|x|whatsapp|telegram|instagram|linkedin|youtube|google(?: news)?|pinterest"
    r"|reddit|e-?mail|print|tweet|flipboard|threads|tiktok)\b"
)
_LINES: dict[Kind, list[str]] = {
    "promotion": [
        *_phrases(r"""
            Advertisement; Continue reading(?: the main story)?; More on this;
            Publicité; Read (?:more|next); Related(?: \w+)?; Story contin\w+ below.{0,30};
            View (?:comments|gallery); المزيد; Follow \S.{0,60} on $SITE.{0,120};
            Join (?:us|our|the) .{0,40}\b(?:channel\b|$SITE).{0,60};
            (?:Facebook|Linkedin|Pinterest|Tweet|Twitter|Whatsapp)(?:[^\w\n]{1,3}$SITE){0,6};
            (?:Sign up|Want more)\b.{0,120}\b(?:alerts|e-?mail|inbox|newsletters?)\b.{0,120}"""),
        *(opening + r"(?!\w).{0,160}" for opening in _phrases(r"""
            Abonnez-vous; Already a (?:subscriber|member); Article continues (?:after|below);
            Click here; Click to (?:read|share|subscribe|view|watch); Follow (?:us|@\w+);
            (?:Download|Get) (?:our|the) .{0,40}\bapp; Get .{0,80}\b(?:in|to) your inbox;
            Leave a (?:comment|reply); Like us on facebook; Lire (?:aussi|également) ?[:|];
            À lire aussi ?[:|]; Partager (?:sur|cet article); Read more (?:about|from|here|on);
            Please (?:enable javascript|log in|sign in|subscribe); (?:Also read|See also) ?[:|];
            Read (?:also|more|next) ?[:|]; Read or share this story; Re(?:commended|lated) ?[:|];
            Related \w+ ?[:|]; Save my name, email; Scroll down for (?:more|video); Share this;
            Subscribe (?:for|here|now|to|today); Suivez-nous; To (?:continue|keep) reading;
            This (?:article|content|story) is (?:only )?(?:available to|for) subscribers;
            Your email address will not be published""")),
    ],
    "credit": [
        r"(?:Additional reporting|Compiled|Editing|Reporting|Writing) by .{3,300}",
        r"With (?:\w+ inputs|(?:additional reporting|files|inputs|reports) (?:by|from) .{2,80})",
        r"Avec (?:AFP|Reuters|AP|agences)(?: et (?:AFP|Reuters|AP))?|(?:Source|المصدر) ?: ?.{2,80}",
    ],
    "copyright": [r"©.{1,200}|Copyright (?:©|\(c\)|\d{4}|by ).{0,250}|Image copyright .{2,40}"],
    "note": [
        r"(?:Clarification|Corrections?)(?: \([^()\n]{3,30}\))? ?:.{3,300}",
        r"This (?:article|post|report|story) (?:has been|was) (?:amended|corrected|first published|"
        r"originally published|refiled|updated)\b.{0,250}",
    ],
}  # fmt: skip
_KINDS = "|".join(f"(?P<{kind}>{'|'.join(rules)})" for kind, rules in _LINES.items())
_LINE = re.compile(
    rf"\n[^\w\n\"\u201c«]{{0,8}}(?={_OPENINGS})(?i:{_KINDS.replace('$SITE', _SITE)})"
    r"[^\w\n]{0,12}(?=\n)"
)

# Bare tags are matched by name, because wire reports write ticker symbols as <IBM> or <dig>.
_TAG = re.compile(
    r"<!(--)|<(script|style)(?=[\s>])[^<>]*+>|-->|</(?:script|style)>"
    r"|<(?:/(?!script|style)[a-z][a-z0-9]{0,11}|(?!script|style)[a-z][a-z0-9]{0,11}\s[^<>=]*+="
    r"[^<>]*+|(?:a|article|aside|b|blockquote|body|br|center|div|em|figcaption|figure|h[1-6]|head|hr"
    r"|html|i|li|ol|p|section|small|span|strong|su[bp]|table|tbody|td|th|tr|u|ul)\s*+)/?>"
)
_CLOSERS = {"--": "-->", "script": "</script>", "style": "</style>"}
_OTHER_MARKUP = {
    "&": re.compile(r"&(?:[a-z]{2,6}|#\d{2,5}|#x[0-9a-f]{2,5});"),
    "[": re.compile(
        r"\[(?:email\sprotected|pullquote|/[a-z_]++|[a-z_]++\s[a-z_-]++=[^\[\]\n]*+)\]"
    ),
    "{": re.compile(r"\{\{[^{}\n]{0,80}\}\}"),
}
_INLINE = re.compile(r"</?(?:a|abbr|b|em|font|i|small|span|strong|su[bp]|time|u)\b|[&[]")


@dataclass(frozen=True, slots=True)
class BoilerplateSpan:
    """A stretch of a text that is boilerplate.

    Attributes
    ----------
    start, end : int
        Its position in the original text, in code points; ``end`` is exclusive.
    kind : str
        ``dateline`` (also a time stamp), ``byline``, ``credit``, ``copyright``,
        ``promotion``, ``note`` (a correction and the like) or ``markup``.
    """

    start: int
    end: int
    kind: Kind


def find_boilerplate(text: str) -> list[BoilerplateSpan]:
    """Find the boilerplate of one article.

    Parameters
    ----------
    text : str
        The body. Datelines and bylines are searched for at its beginning, credits at its end, and
        promotional lines everywhere.

    Returns
    -------
    list of BoilerplateSpan
        In order and without overlaps, with positions in ``text`` itself.

    Raises
    ------
    SettingsError
        If it is not a string.

    Examples
    --------
    >>> find_boilerplate("NIORO, Mali (AFP) - Rain fell on Tuesday.")
    [BoilerplateSpan(start=0, end=20, kind='dateline')]
    """
    if not isinstance(text, str):
        raise SettingsError(f"text: {type(text).__name__} is not a string")
    cuts = _markup(text)
    plain = _blank(text, cuts) if cuts else text
    lines = _lines(plain)
    cuts = [*cuts, *lines, *_head(plain), *_tail(plain, lines)]
    if len(cuts) < 2:
        return cuts
    cuts.sort(key=lambda cut: cut.start)
    apart = cuts[:1]
    for cut in cuts[1:]:
        if cut.start >= apart[-1].end:
            apart.append(cut)
        elif cut.end > apart[-1].end:
            apart[-1] = replace(apart[-1], end=cut.end)
    return apart


def strip_boilerplate(text: str, cuts: Iterable[BoilerplateSpan]) -> str:
    """Return a text with a space in place of each cut.

    Parameters
    ----------
    text : str
        The text that the cuts were found in.
    cuts : iterable of BoilerplateSpan
        In order and without overlaps, as `find_boilerplate` returns them.

    Returns
    -------
    str
        What is left.
    """
    kept, place = [], 0
    for cut in cuts:
        kept.append(text[place : cut.start])
        place = cut.end
    return " ".join([*kept, text[place:]])


def _markup(text: str) -> list[BoilerplateSpan]:
    cuts = _tags(text) if "<" in text else []
    for opener, pattern in _OTHER_MARKUP.items():
        if opener in text:
            for match in pattern.finditer(text):
                if opener != "&" or not html.unescape(match[0]).isalpha():  # caf&eacute;
                    cuts.append(BoilerplateSpan(*match.span(), "markup"))
    return cuts


def _tags(text: str) -> list[BoilerplateSpan]:
    cuts = []
    start, closer = 0, ""
    end_of_tag = -1
    for match in _TAG.finditer(text):
        if closer:
            if match[0] == closer:
                cuts.append(BoilerplateSpan(start, match.end(), "markup"))
                closer = ""
        elif opener := match[1] or match[2]:
            start, closer = match.start(), _CLOSERS[opener]
        elif match[0] != "-->":
            # Tags without anything between them are one cut.
            first = cuts.pop().start if match.start() == end_of_tag else match.start()
            end_of_tag = match.end()
            cuts.append(BoilerplateSpan(first, end_of_tag, "markup"))
    return cuts


def _blank(text: str, cuts: list[BoilerplateSpan]) -> str:
    """Overwrite markup with line breaks, or with spaces where it is inside a line."""
    pieces, place = [], 0
    for cut in sorted(cuts, key=lambda cut: cut.start):
        if cut.start >= place:
            blank = " " if _INLINE.match(text, cut.start) else "\n"
            pieces += [text[place : cut.start], blank * (cut.end - cut.start)]
            place = cut.end
    return "".join([*pieces, text[place:]])


def _lines(text: str) -> list[BoilerplateSpan]:
    cuts = []
    padded = f"\n{text}\n"
    for match in _LINE.finditer(padded):
        start, end = match.start(), match.end() - 1
        kind = cast(Kind, match.lastgroup)
        if padded[end + 2 : end + 3].islower():
            continue  # wrapped: the sentence goes on
        if kind in ("credit", "note") and 300 < start < len(text) - 1200:
            continue
        if kind == "credit" and not (_is_names(match[0]) or "://" in match[0]):
            continue
        cuts.append(BoilerplateSpan(start, end, kind))
    return cuts


def _head(text: str) -> list[BoilerplateSpan]:
    cuts: list[BoilerplateSpan] = []
    place = _skip_opening(text, 0)
    while (line_end := text.find("\n", place, place + 90)) > 0 and len(cuts) < 3:
        line = text[place:line_end].rstrip()
        byline = _BYLINE.fullmatch(line)
        if byline and (byline.lastindex is None or _is_names(byline[byline.lastindex])):
            cuts.append(BoilerplateSpan(place, line_end, "byline"))
        elif _STAMP.fullmatch(line):
            cuts.append(BoilerplateSpan(place, line_end, "dateline"))
        else:
            break
        place = _skip_opening(text, line_end)
    if "\u0620" <= text[place : place + 1] <= "\u064a":
        match = _ARABIC_DATELINE.match(text, place, place + 90)
        if match and not _STAND_ALONE.isdisjoint(re.split(r" ?[\n\u2013:-] ?", match[0])):
            return [*cuts, BoilerplateSpan(place, match.end(), "dateline")]
    match = _DATELINE.match(text, place, place + 130)
    if match:
        after = text[match.end() : match.end() + 8]
        # "OPEC - the cartel - said"
        if not after[:1].islower() and _is_dateline(match[1], match[2], after.isupper()):
            cuts.append(BoilerplateSpan(place, match.end(), "dateline"))
    return cuts


def _skip_opening(text: str, place: int) -> int:
    if text[place : place + 1] not in _OPENERS:
        return place
    opening = text[place : place + 300]
    return place + len(opening) - len(opening.lstrip(_OPENERS))


@functools.lru_cache(maxsize=4096)
def _is_dateline(where: str, mark: str, capitals_follow: bool) -> bool:
    """Judge whether the words before the first dash or colon of a text are a dateline."""
    signed = not _AGENCIES.isdisjoint(_BRACKETS.findall(where))
    parts = [part.strip() for part in _BRACKETS.sub("", where).split(",")]
    parts = [part for part in parts if part and not part.isdigit()]
    places = [part for part in parts if not _DATE.fullmatch(part)]
    dated = len(places) < len(parts)
    if not places:
        return signed or (dated and "(" in where)
    name, names = places[0], " ".join(places)
    signed = signed or name in _AGENCIES
    if name.upper() == name.lower():  # a script without capitals
        return len(places) == 1 and (signed or name in _CITIES)
    first, *others = name.split()
    if not _is_names(names) or first.lower() in _NOT_PLACES or len(names.split()) > 6:
        return False
    if signed or (dated and len(others) < 3):
        return first[0].isalpha()
    known = name.casefold() in _CITIES
    if known and mark in (":", "--", "\u2014"):
        return True
    in_capitals = (known or len(name) > 3) and all(map(str.isupper, re.findall(r"\w", name)))
    return in_capitals and len(others) < 3 and mark != ":" and not capitals_follow


def _tail(text: str, lines: list[BoilerplateSpan]) -> list[BoilerplateSpan]:
    end = len(text)
    for cut in reversed(lines):
        if not text[cut.end : end].isspace() and cut.end < end:
            break
        end = cut.start
    start = max(0, end - 600)
    tail = text[start:end].rstrip()
    end = start + len(tail)
    cuts: list[BoilerplateSpan] = []
    if " contributed" in tail:
        for match in _CONTRIBUTED.finditer(f"\n{tail}\n"):
            if _is_names(match[1]):
                cuts.append(
                    BoilerplateSpan(start + match.start(), start + match.end() - 1, "credit")
                )
    last_word = tail[-24:].replace("/", " ").split()[-1:]
    if last_word and last_word[0].strip("()[].-\u2013\u2014") in _SIGNED:
        found = _SIGNATURE.search(text, max(0, end - 40), end)
        cuts += [BoilerplateSpan(*found.span(), "credit")] if found else []
    if "©" in tail or "opyright" in tail:
        found = _COPYRIGHT_TAIL.search(text, max(0, end - 300), end)
        cuts += [BoilerplateSpan(*found.span(), "copyright")] if found else []
    return cuts


def _is_names(phrase: str) -> bool:
    words = _WORD.findall(phrase)
    return bool(words) and all(word in _SMALL or not word[0].islower() for word in words)
