"""Revisions: titles that say that an outlet reports an event again.

Agencies number the takes of a report and mark corrections, and live pages say that they are live.
A mark has its place: *lead* outside brackets is a metal, and *live* before another word may belong
to cattle. What is *urgent* or *breaking* is new, so these words are no marks.
"""

from __future__ import annotations

import re


def _phrases(text: str) -> str:
    phrases = sorted((" ".join(phrase.split()) for phrase in text.split(";")), key=len)
    return "|".join(map(re.escape, reversed(phrases)))


# What stands before a report, and a colon, a dash or a bar after it.
_BEFORE = _phrases("""
    update; updated; updates; corrected; correction; corr; clarification; refile; refiled; repeat;
    rpt; recasts; wrapup; latest; the latest; live; live blog; liveblog; live coverage;
    live update; live updates; direct; en direct; mise à jour; màj; actualisation; rectificatif;
    correctif; directo; en directo; en vivo; actualización; actualizado; ampliación; corrección;
    minuto a minuto; ao vivo; em direto; ao minuto; atualização; atualizado; atualizada; correção;
    korrektur; berichtigung; aktualisiert; aktualisierung; zusammenfassung; liveticker;
    live-ticker; newsblog; diretta; in diretta; aggiornamento; direkt; direkte; oppdatert; canlı;
    обновлено; онлайн; مباشر; بث مباشر; تغطية مباشرة; لحظة بلحظة; تحديث; محدث; تصحيح; 更新; 直播
""")
# What stands after one.
_AFTER = _phrases("""
    live; live blog; liveblog; live coverage; live updates; updates; update; as it happened;
    en direct; en directo; en vivo; minuto a minuto; ao vivo; em direto; ao minuto; liveticker;
    live-ticker; newsblog; diretta; direkte; canlı; онлайн; مباشر; لحظة بلحظة; 直播
""")
# What stands in brackets, by itself or with the number of the take.
_TAKES = _phrases("""
    lead; ld; writethru; write-thru; first lead; second lead; third lead; papier général;
    papier general; synthèse; synthese; resumen
""")
# What stands in brackets before what is new.
_ADDING = _phrases("""
    update; updates; adds; recasts; corrects; actualise; actualiza; amplía; corrige; atualiza;
    aktualisiert
""")
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th|er|e|\.)"
_NUMBER = rf"(?:{_ORDINAL}|\d{{1,2}})"
_BAR = r"[:|\u2013\u2014\uff1a]"
# A hyphen parts a mark from the report only after a blank, a number or a bracket: live-streamed.
_FIRST = re.compile(
    rf"\W{{0,3}}(?:{_ORDINAL}\s(?:{_TAKES}|{_BEFORE})|(?:{_BEFORE})(?: ?{_NUMBER})?)[)\]】]?"
    rf"(?:\s?{_BAR}|\s-|(?<=[\d)\]】])\s?-)"
    r"|(?:rpt|refile|corrected|recasts)-|(?:(?:en )?direct|mise à jour|màj)\.\s",
    re.IGNORECASE,
)
_LATER = re.compile(
    rf"[(\[【:|,\u2013\u2014\uff1a-]\s?(?:(?:{_AFTER})(?:\W{{0,5}}$|\s?{_BAR})"
    rf"|(?:{_NUMBER}[\s,-]{{1,2}})?(?:{_BEFORE}|{_TAKES})"
    rf"(?:[\s,/-]{{1,3}}(?:[\d:.]{{1,6}}|{_BEFORE}|{_TAKES})){{0,2}}\s?[)\]】]"
    rf"|(?:{_ADDING})\s[^()\[\]]{{2,60}}[)\]】])",
    re.IGNORECASE,
)
# Each of these has at least one such character; many titles have none.
_PUNCTUATED = re.compile(r"[(\[【:|.,\u2013\u2014\uff1a-]")
# What needs no such character before it, but a colon behind it, ...
_LIVE = re.compile(
    r"\s(?:live(?: blog| coverage| updates?)?|en directo?|en vivo|ao vivo|live-?ticker)\s?:"
    r"|-ticker\s?:",
    re.IGNORECASE,
)
# ... or the end of the title, apart from punctuation.
_LAST = (
    " as it happened", " minuto a minuto", " im liveticker", " im live-ticker", " im newsblog",
    " لحظة بلحظة",
)  # fmt: skip
_AT_END = " .!?:)]\u00bb\u201d\"'"


def marks_revision(title: str) -> bool:
    """Whether a title says that its article is one of several reports of one event.

    Parameters
    ----------
    title : str

    Returns
    -------
    bool
        Whether it is marked as a take, an update, a correction or a live page.

    Examples
    --------
    >>> marks_revision("Train-Derailment (2nd Lead, Writethru)")
    True
    >>> marks_revision("UPDATE 1-Millers welcome halt to grain exports")
    True
    >>> marks_revision("Live cattle futures seen steady")
    False
    """
    if title.rstrip(_AT_END).lower().endswith(_LAST):
        return True
    if not _PUNCTUATED.search(title):
        return False
    if _FIRST.match(title) or _LATER.search(title):
        return True
    return ":" in title and bool(_LIVE.search(title))
