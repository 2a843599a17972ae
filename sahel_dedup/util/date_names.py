"""Names in dates: months and weekdays in some languages, and zones that mean one offset only."""

from __future__ import annotations

from collections.abc import Iterator

# A language a line, a month a column, its spellings between bars; abbreviations have no full stop.
_MONTHS = """
    january|jan february|feb march|mar april|apr may june|jun july|jul august|aug
    september|sep|sept october|oct november|nov december|dec

    janvier|janv|jan février|févr|fév mars avril|avr mai juin|jun juillet|juil|jul août|aoû
    septembre|sept|sep octobre|oct novembre|nov décembre|déc

    enero|ene febrero|feb marzo|mar abril|abr mayo|may junio|jun julio|jul agosto|ago
    septiembre|setiembre|sept|sep|set octubre|oct noviembre|nov diciembre|dic

    janeiro|jan fevereiro|fev março|mar abril|abr maio|mai junho|jun julho|jul agosto|ago
    setembro|set outubro|out novembro|nov dezembro|dez

    januar|jänner|jan|jän februar|feber|feb märz|mär|mrz april|apr mai juni|jun juli|jul august|aug
    september|sept|sep oktober|okt november|nov dezember|dez

    يناير فبراير مارس أبريل|ابريل|إبريل مايو يونيو|يونية يوليو|يوليوز أغسطس|اغسطس|غشت
    سبتمبر|شتنبر أكتوبر|اكتوبر نوفمبر|نونبر ديسمبر|دجنبر

    جانفي فيفري مارس أفريل|افريل ماي جوان جويلية أوت|اوت سبتمبر أكتوبر نوفمبر ديسمبر

    كانون_الثاني شباط آذار|اذار نيسان أيار|ايار حزيران تموز آب أيلول|ايلول تشرين_الأول|تشرين_الاول
    تشرين_الثاني كانون_الأول|كانون_الاول
"""
_WEEKDAYS = """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun
    lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim
    lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom
    segunda-feira terça-feira quarta-feira quinta-feira sexta-feira segunda terça quarta quinta
    sexta seg ter qua qui sex
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
    الاثنين الإثنين الثلاثاء الأربعاء الاربعاء الخميس الجمعة السبت الأحد الاحد
"""
# Offset in hours. CST is the one of RFC 822. BST and IST are not here: several countries use them.
ZONES = {
    "": 0, "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "cest": 2, "met": 1,
    "mest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "wat": 1, "cat": 2, "sast": 2,
    "eat": 3, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "awst": 8, "aest": 10, "aedt": 11, "nzst": 12,
    "nzdt": 13, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7,
    "pst": -8, "akdt": -8, "akst": -9, "hst": -10,
}  # fmt: skip


def _numbered() -> Iterator[tuple[str, int]]:
    for months in _MONTHS.split("\n\n"):
        for number, names in enumerate(months.split(), start=1):
            for name in names.split("|"):
                yield name.replace("_", " "), number


MONTHS = dict(_numbered())
# None for a date without one.
WEEKDAYS = frozenset({*_WEEKDAYS.split(), None})
