"""An invented archive of about 2,000 articles, of all kinds that make stories hard to separate.

Nothing in it was ever published. Reports are composed of propositions: who did what, where. Two
reports of one event state most of the same propositions in other words and another order. The name
of an event decides all its random draws, so that a case can be added without changing the others.

Each row has ``story``, the event that it reports, and ``case``, the function that made it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

Row = dict[str, Any]

START = datetime(2024, 1, 8, 6, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
# The documented defaults, around which the boundary cases are built.
WINDOW, GAP = 7 * DAY, 1.5 * DAY
OUTLETS = (
    "Courier", "Le Relais", "Morning Post", "The Ledger", "Radio Delta", "Kontinent", "A Voz",
    "Harbour Times", "Plateau Weekly", "An-Nahr", "The Beacon", "Northern Star",
)  # fmt: skip
_SYLLABLES = (
    "ba", "ko", "ri", "ten", "lo", "mar", "di", "sou", "ga", "zin", "ker", "ta", "wo", "nel", "fa",
    "ru", "mo", "shi", "da", "pol", "ve", "ni", "hal",
)  # fmt: skip


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(";"))


@dataclass(frozen=True)
class Language:
    """The words of reports in one language.

    A frame states a proposition of an agent, a verb, an object and a place; verbs have two forms
    where frames need both, and two words that say the same.
    """

    code: str
    agents: tuple[str, ...]
    verbs: tuple[tuple[str, str], ...]
    objects: tuple[str, ...]
    frames: tuple[str, ...]
    counts: tuple[tuple[str, str], ...]
    headlines: tuple[str, ...]


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    both = (item.split("/") for item in _list(text))
    return tuple((one.strip(), two.strip()) for one, two in both)


ENGLISH = Language(
    "en",
    _list("""the provincial governor; the port authority; a panel of judges; the dockers'
    union; the ministry of water; an army engineer; the health inspectorate; the
    cotton board; villagers; the electricity company; a parliamentary committee; the
    teachers' federation; the coast guard; an independent auditor; the railway
    operator; customs officers; the mayor's office; herders; the central bank; a
    mining consortium; the archbishop; firefighters; the film board; a court of
    appeal; the fisheries department; the airport manager; relief workers; the
    agronomy institute; a police commander; the football league; the postal service;
    a group of widows; the statistics office; the museum director; veterinary
    surgeons; the forestry corps; a broadcaster; the bakers' guild; the road fund;
    astronomers"""),
    _pairs("""approved/endorsed; rejected/turned down; inspected/examined; reopened/opened
    again; closed/shut; repaired/mended; seized/confiscated; financed/paid for;
    measured/surveyed; abandoned/gave up; doubled/raised twofold; delayed/put off;
    praised/commended; questioned/challenged; evacuated/cleared; auctioned/sold by
    auction; rebuilt/built anew; suspended/halted; donated/gave away;
    recovered/found again; insured/covered; fenced/enclosed; registered/recorded;
    defended/stood up for; poisoned/contaminated; renamed/gave a new name to"""),
    _list("""the eastern breakwater; a contested grain subsidy; forty fishing permits; the
    old observatory; a copper smelter; two suspension bridges; the regional archive;
    a vaccine depot; the irrigation canal; a shipment of timber; the night bus
    service; an unfinished stadium; the salt works; a collection of masks; the
    border crossing; three diesel generators; the pension reserve; a stretch of
    mangrove; the tram depot; a disputed pasture; the harbour crane; an orphanage
    roof; the land register; a satellite station; the cashew crop; a landslide
    slope; the juvenile prison; a cholera ward; the ferry timetable; a wind farm;
    the opera house; an arsenal of rifles; the quarry road; a school for the blind;
    the cattle market; a reservoir; the lighthouse; a library van; the textile mill;
    an underground cistern; the bell tower"""),
    (
        "{Agent} {verb} {object} in {place}.",
        "In {place}, {agent} {verb} {object}, {name} said.",
        "According to {name}, {agent} {verb} {object} near {place}.",
        "{name} confirmed that {agent} {verb} {object} at {place}.",
    ),
    _pairs("""about {n} people were affected/some {n} residents felt the effects; the cost
    came to {n} million/{n} million had to be spent; {n} families signed a
    petition/a petition was signed by {n} households; it took {n} days/the work
    lasted {n} days; {n} tonnes were lost/the loss was put at {n} tonnes; {n}
    vehicles stood in line/a queue of {n} vehicles formed"""),
    ("{Agent} {verb} {object}", "{place}: {object}, {n} counted", "{name} on {object} in {place}"),
)
FRENCH = Language(
    "fr",
    _list("""le gouverneur de la province; la direction du port; le syndicat des dockers; des
    éleveurs; le ministère de l'eau; une commission d'enquête; la compagnie
    d'électricité; des pompiers; le tribunal de commerce; la chambre d'agriculture;
    un cabinet d'audit; la banque centrale; le conseil municipal; la fédération des
    enseignants; un consortium minier; la douane"""),
    _pairs("""a approuvé/a validé; a rejeté/a repoussé; a inspecté/a examiné; a rouvert/a
    remis en service; a fermé/a condamné; a réparé/a remis en état; a saisi/a
    confisqué; a financé/a payé; a abandonné/a délaissé; a retardé/a reporté; a
    évacué/a vidé; a suspendu/a interrompu"""),
    _list("""la digue orientale; une subvention contestée; quarante permis de pêche; l'ancien
    observatoire; une fonderie de cuivre; deux ponts suspendus; les archives
    régionales; un dépôt de vaccins; le canal d'irrigation; une cargaison de bois;
    le stade inachevé; les salines; le poste frontière; trois groupes électrogènes;
    la caisse de retraite; une parcelle de mangrove; le marché au bétail; la grue du
    port; le cadastre; une station de pompage; la récolte d'anacarde; la maison des
    jeunes"""),
    (
        "{Agent} {verb} {object} à {place}.",
        "À {place}, {agent} {verb} {object}, selon {name}.",
        "Selon {name}, {agent} {verb} {object} près de {place}.",
        "{name} a indiqué que {agent} {verb} {object} à {place}.",
    ),
    _pairs("""environ {n} personnes sont touchées/quelque {n} habitants en souffrent; le coût
    atteint {n} millions/{n} millions ont été dépensés; {n} familles ont signé une
    pétition/une pétition porte la signature de {n} foyers; il a fallu {n} jours/les
    travaux ont duré {n} jours"""),
    (
        "{Agent} {verb} {object}",
        "{place} : {object}, {n} recensés",
        "{name} et {object} de {place}",
    ),
)
PORTUGUESE = Language(
    "pt",
    _list("""o governador da província; a autoridade do porto; o sindicato dos estivadores;
    criadores de gado; o ministério das águas; uma comissão de inquérito; a
    companhia de eletricidade; os bombeiros; o tribunal do comércio; a câmara
    agrícola; um auditor independente; o banco central; o conselho municipal; a
    federação dos professores; um consórcio mineiro; a alfândega"""),
    _pairs("""aprovou/deu luz verde a; rejeitou/recusou; inspecionou/examinou; reabriu/voltou
    a abrir; fechou/encerrou; reparou/consertou; apreendeu/confiscou;
    financiou/pagou; abandonou/deixou; adiou/remarcou; evacuou/esvaziou;
    suspendeu/interrompeu"""),
    _list("""o quebra-mar oriental; um subsídio contestado; quarenta licenças de pesca; o
    antigo observatório; uma fundição de cobre; duas pontes suspensas; o arquivo
    regional; um depósito de vacinas; o canal de rega; um carregamento de madeira; o
    estádio inacabado; as salinas; o posto fronteiriço; três geradores; o fundo de
    pensões; uma faixa de mangal; a feira do gado; a grua do porto; o registo
    predial; uma estação de bombagem; a colheita de caju; a casa da juventude"""),
    (
        "{Agent} {verb} {object} em {place}.",
        "Em {place}, {agent} {verb} {object}, disse {name}.",
        "Segundo {name}, {agent} {verb} {object} perto de {place}.",
        "{name} confirmou que {agent} {verb} {object} em {place}.",
    ),
    _pairs("""cerca de {n} pessoas foram afetadas/uns {n} moradores sentiram os efeitos; o
    custo chegou a {n} milhões/{n} milhões foram gastos; {n} famílias assinaram uma
    petição/uma petição tem a assinatura de {n} lares; foram precisos {n} dias/as
    obras duraram {n} dias"""),
    ("{Agent} {verb} {object}", "{place}: {object}, {n} contados", "{name} e {object} de {place}"),
)
ARABIC = Language(
    "ar",
    _list("""محافظ الإقليم; سلطة الميناء; نقابة العمال; رعاة الماشية; وزارة المياه; لجنة
    التحقيق; شركة الكهرباء; رجال الإطفاء; المحكمة التجارية; غرفة الزراعة; مكتب
    التدقيق; البنك المركزي; المجلس البلدي; اتحاد المعلمين; شركة التعدين; إدارة
    الجمارك"""),
    _pairs("""وافق على/صادق على; رفض/لم يقبل; فحص/عاين; أعاد فتح/فتح من جديد; أغلق/أقفل;
    أصلح/رمم; صادر/حجز; مول/دفع ثمن; ترك/تخلى عن; أجل/أرجأ; أخلى/أفرغ; علق/أوقف"""),
    _list("""حاجز الأمواج الشرقي; دعم الحبوب; تصاريح الصيد; المرصد القديم; مصهر النحاس;
    الجسور المعلقة; الأرشيف الإقليمي; مخزن اللقاحات; قناة الري; شحنة الأخشاب; الملعب
    الجديد; أحواض الملح; المعبر الحدودي; مولدات الديزل; صندوق التقاعد; غابة الساحل;
    سوق الماشية; رافعة الميناء; السجل العقاري; محطة الضخ; محصول القطن; دار الشباب"""),
    (
        "{Agent} {verb} {object} في {place}.",
        "وفي {place} {verb} {agent} {object} بحسب {name}.",
        "وقال {name} إن {agent} {verb} {object} قرب {place}.",
        "وأكد {name} أن {agent} {verb} {object} في {place}.",
    ),
    _pairs("""تضرر نحو {n} شخص/شعر {n} من السكان بالأثر; بلغت التكلفة {n} مليون/أنفق {n}
    مليون; وقعت {n} أسرة عريضة/حملت العريضة توقيع {n} بيت; استغرق العمل {n}
    يوما/دامت الأشغال {n} يوما"""),
    ("{Agent} {verb} {object}", "{place}: {object}", "{name} و{object} في {place}"),
)
_ARABIC_NAMES = _list("""سالم; وادي النخيل; كمال; عين الحجر; رابح; تل الزيتون; منصور; بئر الشرق;
    هيثم; واحة السدر; نبيل; رأس الجبل; فريد; مرسى الصدف; يونس; قصر الرمان; طارق; جسر
    الغدير; أنور; ضفة الحور""")


class Event:
    """What happened: propositions, numbers, places and names, all drawn from its name."""

    def __init__(self, name: str, language: Language = ENGLISH, size: int = 7) -> None:
        draw = random.Random(name)
        self.name = name
        self.language = language
        self.places = [_name(draw, language) for _ in range(2)]
        self.people = [_name(draw, language) for _ in range(3)]
        agents, objects = _some(draw, language.agents, size), _some(draw, language.objects, size)
        verbs = _some(draw, language.verbs, size)
        self.claims = list(zip(agents, verbs, objects, strict=True))
        self.counts = [(count, draw.randrange(2, 999)) for count in _some(draw, language.counts, 2)]

    def report(self, version: int, left_out: int = 2, added: int = 0) -> tuple[str, str]:
        """Return title and text of one report; the versions differ in their words.

        Each leaves out some of the propositions, and adds some that no other version has. If it
        adds many it has also asked other people, and been elsewhere.
        """
        draw = random.Random(f"{self.name}/{version}")
        aside = Event(f"{self.name}/{version} aside", self.language, added)
        people = self.people if added < 4 else aside.people
        places = self.places if added < 8 else [*self.places, *aside.places]

        def fill(frame: str, claim: tuple[str, tuple[str, str], str]) -> str:
            agent, verbs, thing = claim
            return frame.format(
                agent=agent, Agent=agent[0].upper() + agent[1:], verb=draw.choice(verbs),
                object=thing, place=draw.choice(places), name=draw.choice(people),
                n=self.counts[0][1],
            )  # fmt: skip

        # Such a report does not begin with what the others begin with.
        first = version % len(self.claims) if added >= 6 else 0
        others = [*self.claims[:first], *self.claims[first + 1 :]]
        told = _some(draw, others, len(others) - left_out)
        claims = [
            self.claims[first],
            *_some(draw, [*told, *aside.claims], len(self.claims) + added),
        ]
        sentences = [fill(draw.choice(self.language.frames), claim) for claim in claims]
        for forms, n in self.counts if added < 10 else aside.counts:
            said = draw.choice(forms).format(n=n)
            at = 1 + draw.randrange(len(sentences))
            sentences.insert(at, f"{said[0].upper()}{said[1:]}.")
        title = fill(draw.choice(self.language.headlines), claims[0])
        return title, " ".join(sentences)


def _some(draw: random.Random, items: Sequence[Any], size: int) -> list[Any]:
    """Draw some items in a random order; unlike `sample`, the same in all versions of Python."""
    return sorted(items, key=lambda _: draw.random())[:size]


def _name(draw: random.Random, language: Language) -> str:
    if language is ARABIC:
        return " ".join(_some(draw, _ARABIC_NAMES, 2))
    return "".join(draw.choice(_SYLLABLES) for _ in range(draw.randrange(2, 5))).capitalize()


def _row(
    event: str,
    number: int,
    report: tuple[str | None, str],
    moment: datetime | None,
    source: str | None,
    lang: str | None = "en",
) -> Row:
    return {
        "id": f"{event}.{number}", "title": report[0], "text": report[1],
        "published": None if moment is None else moment.isoformat(), "source": source,
        "lang": lang, "story": event,
    }  # fmt: skip


def reports() -> Iterator[Row]:
    """Events that one to six outlets report in their own words, within four days.

    From event to event reports have less in common.
    """
    for number in range(170):
        event = Event(f"news-{number}")
        draw = random.Random(f"dates of {event.name}")
        begin = START + draw.random() * 170 * DAY
        for version in range(1 + number % 6):
            moment = begin + version * draw.random() * 18 * HOUR
            outlet = OUTLETS[(number + 5 * version) % 12]
            report = event.report(version, left_out=number % 7, added=number % 8 * 2)
            yield _row(event.name, version, report, moment, outlet)


def sagas() -> Iterator[Row]:
    """Events of one place and its people, days apart: sequels, each with news of its own."""
    for saga in range(24):
        past = Event(f"saga-{saga}", size=8)
        for part in range(3):
            event = Event(f"saga-{saga}-{part}", size=8)
            event.places, event.people = past.places, past.people
            # Background that every part repeats.
            event.claims[-1 - saga % 5 :] = past.claims[: 1 + saga % 5]
            for version in range(1 + (saga + part) % 2):
                moment = START + (saga * 7 + part * 1.3 + version * 0.2) * DAY
                outlet = OUTLETS[(saga + 5 * version) % 12]
                yield _row(event.name, version, event.report(version), moment, outlet)


def languages() -> Iterator[Row]:
    """The same in French, Portuguese and Arabic."""
    for language in (FRENCH, PORTUGUESE, ARABIC):
        for number in range(28):
            event = Event(f"{language.code}-{number}", language)
            begin = START + number * 6 * DAY
            for version in range(1 + number % 4):
                moment = begin + version * 7 * HOUR
                outlet = OUTLETS[(number + 7 * version) % 12]
                report = event.report(version, left_out=number % 6, added=number % 7 * 2)
                yield _row(event.name, version, report, moment, outlet, language.code)


def syndicated() -> Iterator[Row]:
    """Agency texts that outlets carry as they are, cut, or with a dateline and a credit."""
    for number in range(36):
        event = Event(f"agency-{number}", size=9)
        title, text = event.report(0, left_out=0)
        begin = START + number * 4.5 * DAY
        for copy, outlet in enumerate(OUTLETS[number % 7 : number % 7 + 5]):
            body = text
            if copy % 3 == 1:
                body = f"{event.places[0].upper()} (Agency) - {text} (With agency reports.)"
            elif copy % 3 == 2:
                body = text[: text.rindex(". ", 0, len(text) * 2 // 3) + 1]
            headline = title if copy % 2 else event.report(copy)[0]
            yield _row(event.name, copy, (headline, body), begin + copy * 3 * HOUR, outlet)


def copies() -> Iterator[Row]:
    """Exact copies, with and without titles and dates, and copies of one text weeks later."""
    for number in range(24):
        event = Event(f"copy-{number}")
        title, text = event.report(0)
        for copy in range(3):
            moment = START + (number * 5 + 0.4 * copy) * DAY
            dated = None if number % 4 == 3 and copy == 2 else moment
            headline = title if number % 3 else None
            yield _row(event.name, copy, (headline, text), dated, OUTLETS[(number + copy) % 12])
        again = START + (number * 5 + 21) * DAY
        yield _row(event.name, 3, (title, text), again, OUTLETS[(number + 4) % 12])


_BULLETIN = (
    "The crown traded at {} to the dollar on the interbank market at noon, against {} the day "
    "before, dealers said. Treasury bills of three months yielded {} percent and those of a year "
    "{} percent. Turnover came to {} million crowns. Gold closed at {} dollars an ounce, and crude "
    "at {} dollars a barrel. Rice sold at {} crowns a bag at the wholesale market, traders said."
)
_WEATHER = (
    "Tomorrow will be {} over the coast with winds of {} kilometres an hour from the {}. Inland "
    "temperatures reach {} degrees in the afternoon and fall to {} at night. The sea is {}; waves "
    "of {} metres are expected off the cape. Sunrise is at six, high tide at {}. The office "
    "advises small boats to check the harbour notices before they leave."
)


def bulletins() -> Iterator[Row]:
    """Daily rates in two outlets and daily weather in one: each issue is an event of its own."""
    for day in range(110):
        draw = random.Random(f"rates of day {day}")
        text = _BULLETIN.format(*(round(draw.uniform(2, 999), 2) for _ in range(8)))
        for issue, outlet in enumerate(("Courier", "The Ledger")):
            moment = START + day * DAY + issue * HOUR
            yield _row(f"rates-{day}", issue, ("Crown and markets at noon", text), moment, outlet)
    for day in range(110):
        draw = random.Random(f"weather of day {day}")
        text = _WEATHER.format(
            draw.choice(("fair", "cloudy", "hazy", "wet")), draw.randrange(5, 70),
            draw.choice(("north", "south", "east", "west")), draw.randrange(24, 44),
            draw.randrange(9, 23), draw.choice(("calm", "moderate", "rough")),
            draw.randrange(1, 6), draw.randrange(1, 12),
        )  # fmt: skip
        dated = None if day % 11 == 10 else START + day * DAY + 9 * HOUR
        yield _row(f"weather-{day}", 0, ("Tomorrow's weather", text), dated, "Radio Delta")


_RAID = (
    ("{n} killed in raid on {place}", "{place} raid leaves {n} dead"),
    (
        "Armed men attacked the village of {place} on {day}, killing {n} people and burning {m} "
        "houses, {name}, an official, said. The attackers came on motorcycles and took {k} head "
        "of cattle. Survivors fled to {other}.",
        "{n} people died and {m} houses burned on {day} when gunmen on motorcycles raided {place}, "
        "according to {name}, an official. {k} head of cattle were taken. Those who survived have "
        "reached {other}.",
    ),
)


def look_alikes() -> Iterator[Row]:
    """Raids in one region, four in a week, reported in one form; some are reported twice."""
    for family in range(22):
        for raid in range(4):
            name = f"raid-{family}-{raid}"
            draw = random.Random(name)
            slots = {
                "n": draw.randrange(3, 90), "m": draw.randrange(3, 90),
                "k": draw.randrange(90, 900),
                "place": _name(draw, ENGLISH), "other": _name(draw, ENGLISH),
                "name": f"{_name(draw, ENGLISH)} {_name(draw, ENGLISH)}",
                "day": ("Monday", "Tuesday", "Thursday", "Friday")[raid],
            }  # fmt: skip
            moment = START + (family * 7 + 1.4 * raid) * DAY
            for version in range(1 + raid % 2):
                report = (_RAID[0][version].format(**slots), _RAID[1][version].format(**slots))
                outlet = OUTLETS[(family + 6 * version) % 12]
                yield _row(name, version, report, moment + version * 5 * HOUR, outlet)


def updates() -> Iterator[Row]:
    """An accident whose toll rises from report to report."""
    for number in range(26):
        event = Event(f"toll-{number}", size=4)
        draw = random.Random(f"toll of {event.name}")
        toll, place = draw.randrange(2, 9), event.places[0]
        for update in range(4):
            _, background = event.report(update, left_out=1)
            text = (
                f"A bus that left {place} at dawn fell from the {event.people[0]} bridge; {toll} "
                f"passengers died and {toll * 2 + 1} were injured, {event.people[1]} of the rescue "
                f"service said. {background}"
            )
            title = f"{toll} dead as bus falls from bridge at {place}"
            moment = START + (number * 6 + 0.3 * update) * DAY
            yield _row(event.name, update, (title, text), moment, OUTLETS[(number + update) % 3])
            toll += draw.randrange(1, 7)


_COURT = (
    "The district court at {0} heard {3} cases in this session. {4} were adjourned, {5} ended in a "
    "fine and {6} in prison. {1} presided; the clerk was {2}. The next session is in {7} days."
)


def _court(name: str) -> str:
    draw = random.Random(name)
    names = (_name(draw, ENGLISH) for _ in range(3))
    return _COURT.format(*names, *(draw.randrange(2, 90) for _ in range(5)))


def undated() -> Iterator[Row]:
    """Reports without dates, alone, in twos, and next to a report that has one."""
    for number in range(110):
        # From event to event reports have less in common.
        event = Event(f"undated-{number}", size=4 + number % 4)
        for version in range(1 + (number % 5 > 0)):
            dated = START + number * DAY if number % 5 == 1 and version else None
            report = event.report(version, left_out=number % 4, added=number % 8 * 2)
            outlet = None if number % 3 == 0 else OUTLETS[(number + version) % 12]
            yield _row(event.name, version, report, dated, outlet)
    # Forms without dates, which only their numbers distinguish.
    for issue in range(30):
        source = None if issue % 2 else "Kontinent"
        report = ("From the district court", _court(f"undated form {issue}"))
        yield _row(f"undated-court-{issue}", 0, report, None, source)


_PAGE = (
    "You have read all the free articles of this month. Subscribers read every report, the weekend "
    "supplement and the archive. Choose a monthly or a yearly subscription and cancel whenever you "
    "like. Already a subscriber? Enter your address and password to go on reading."
)


def pages() -> Iterator[Row]:
    """One page of an outlet under many headlines, and one without an outlet."""
    for number in range(60):
        title, _ = Event(f"page-{number}").report(0)
        moment = START + number * 2.3 * DAY
        if number % 2:
            text, source = _PAGE, "Morning Post"
        else:
            text, source = f"This page cannot be shown. {_PAGE[64:]}", None
        yield _row(f"page-{number}", 0, (title, text), moment, source)


def boundaries() -> Iterator[Row]:
    """Pairs as far apart as the window or the gap, to the minute, and a minute to either side."""
    apart = (
        WINDOW - MINUTE, WINDOW, WINDOW + MINUTE, GAP - MINUTE, GAP, GAP + MINUTE
    )  # fmt: skip
    for number in range(72):
        event = Event(f"boundary-{number}")
        begin = START + number * 2.4 * DAY
        same_words = number // 6 % 2 == 0
        for version, moment in enumerate((begin, begin + apart[number % 6])):
            report = event.report(0 if same_words else version)
            yield _row(event.name, version, report, moment, OUTLETS[(number + 3 * version) % 12])
    # A form that comes again at such distances.
    moment = START
    for issue in range(48):
        text = _court(f"form {issue}")
        yield _row(f"court-{issue}", 0, ("From the district court", text), moment, "The Beacon")
        moment += apart[3 + issue % 3] * (1 + issue % 2)


CASES: tuple[Callable[[], Iterator[Row]], ...] = (
    reports, sagas, languages, syndicated, copies, bulletins, look_alikes, updates, undated, pages,
    boundaries,
)  # fmt: skip


@cache
def archive() -> list[Row]:
    """All articles, case by case."""
    return [{**row, "case": case.__name__} for case in CASES for row in case()]


def in_order_of_arrival() -> list[Row]:
    """Return them as a stream gets them: by date, with undated ones in between."""
    rows = archive()
    spread = {row["id"]: number / len(rows) for number, row in enumerate(rows)}
    last = max(row["published"] for row in rows if row["published"])
    span = datetime.fromisoformat(last) - START

    def arrival(row: Row) -> datetime:
        if row["published"]:
            return datetime.fromisoformat(row["published"])
        return START + spread[row["id"]] * span

    return sorted(rows, key=lambda row: (arrival(row), row["id"]))
