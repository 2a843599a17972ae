"""Words next to the numbers with which reports count people, in six languages.

Phrases are written with underscores. Arabic words are recognised with and without the article and
prefixed particles. All words are folded when the tables are read (`number_tables.fold`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from sahel_dedup.explain.toll_kinds import AFTER, BEFORE, LIVES, LOSING
from sahel_dedup.text.number_tables import fold

# Words for a toll, which is of the dead unless the text says otherwise, and for a number of people
# of some kind.
_HEADS = {
    "en": "toll tolls victims",
    "fr": "bilan bilans victimes",
    "es": "balance saldo víctimas",
    "pt": "balanço saldo vítimas",
    "de": "opferzahl todeszahl bilanz totenzahl opfer",
    "ar": "حصيلة ضحايا",
}
_RISES = {
    "en": """rise rises rose risen rising climb climbs climbed climbing jump jumps jumped grow grows
        grew grown increase increases increased soar soars soared revised revise revises raised
        raises raise raising stand stands stood standing put puts bringing brings brought reach
        reaches reached reaching hit hits pass passes passed passing top tops topped exceed exceeds
        exceeded up mount mounts mounted updated now swells swelled swell pushed taking pushing
        remains remained unchanged""",
    "fr": """passe passent passé passer passait monte montent monté grimpe grimpé alourdit alourdi
        alourdir s'élève élève élevé élevait augmente augmenté atteint atteignait atteindre dépasse
        dépassé porté porte portant portent établit établi revu revoit désormais état faisait
        fait reste restait""",
    "es": """sube suben subió subido asciende ascienden ascendió aumenta aumentó eleva elevó elevan
        alcanza alcanzó llega llegó supera superó crece creció ya""",
    "pt": """sobe sobem subiu subido aumenta aumentou eleva elevou chega chegou alcança alcançou
        atinge atingiu supera ultrapassa passa passou já""",
    "de": """steigt steigen stieg gestiegen erhöht erhöhte wächst wuchs klettert kletterte liegt lag
        erreicht beträgt übersteigt angestiegen""",
    "ar": """ارتفاع ارتفع ارتفعت يرتفع ترتفع بلغ بلغت تبلغ يبلغ وصل وصلت تصل يصل تجاوز تجاوزت زاد
        زادت صعد صعود ازداد لترتفع ليرتفع رفع بقي بقيت""",
}
# Words between a toll and its number. Verbs of `_RISES` may also be there.
_LINKS = {
    "en": "to at of is was past above beyond reaches reached hits",
    "fr": "à de d est était",
    "es": "a en de es",
    "pt": "para a em de é",
    "de": "auf bei von",
    "ar": "إلى عند عن على",
}
# Words before a former toll alone, and words between it and the new one.
_FROM = {
    "en": "from against versus",
    "fr": "contre",
    "es": "frente desde contra",
    "pt": "contra",
    "de": "von gegenüber",
    "ar": "مقابل كانت كان",
}
_FROM_TO = {
    "en": ("from", "to"), "fr": ("de d", "à"), "es": ("de", "a"), "pt": ("de", "para a"),
    "de": ("von", "auf"), "ar": ("من", "إلى"),
}  # fmt: skip
_EARLIER = {
    "en": "earlier previous previously initial initially provisional preliminary former",
    "fr": """précédent précédente précédemment premier initial initialement auparavant provisoire
        jusque""",
    "es": "anterior anteriormente previo previamente inicial inicialmente primer preliminar",
    "pt": "anterior anteriormente prévio inicial inicialmente primeiro preliminar",
    "de": "zuvor bisher bisherigen früheren zunächst ursprünglich ersten",
    "ar": "سابقة سابقا سابق أولية أولي كانت",
}
# Words that make a number one to be added.
_FURTHER = {
    "en": "more further additional another",
    "fr": "supplémentaires nouveaux nouvelles",
    "es": "más adicionales otros otras",
    "pt": "mais adicionais outros outras",
    "de": "weitere weiteren weiterer",
    "ar": "إضافي إضافيا إضافيين أخرى",
}
# What makes a number a part of another one: before it, and after it.
_INCLUDING = {
    "en": "including includes among comprising",
    "fr": "dont parmi incluant notamment",
    "es": "incluidos incluidas incluyendo incluido",
    "pt": "incluindo incluídos",
    "de": "darunter davon",
    "ar": "بينهم بينها منهم منها ضمنهم",
}
_OF_THEM = {
    "en": "of_them of_whom of_these of_those",
    "fr": "d_entre_eux d_entre_elles parmi_eux parmi_elles",
    "es": "de_ellos de_ellas",
    "pt": "deles delas",
    "de": "von_ihnen davon",
    "ar": "منهم منها",
}
_BOUNDS: dict[str, dict[str, str]] = {
    "en": {
        "at least": """at_least no_fewer_than not_fewer_than no_less_than not_less_than more_than
            over upwards_of a_minimum_of well_over minimum_of""",
        "at most": "as_many_as up_to at_most no_more_than not_more_than fewer_than less_than",
        "about": """about around some roughly approximately an_estimated estimated nearly almost
            close_to approaching circa""",
    },
    "fr": {
        "at least": "au_moins plus_de plus_d pas_moins_de un_minimum_de au_minimum",
        "at most": "jusqu_a au_plus au_maximum moins_de moins_d",
        "about": "environ près_de quelque autour_de presque à_peu_près aux_alentours_de",
    },
    "es": {
        "at least": "al_menos por_lo_menos más_de no_menos_de como_mínimo",
        "at most": "hasta como_máximo menos_de",
        "about": "unos unas cerca_de alrededor_de casi aproximadamente en_torno_a",
    },
    "pt": {
        "at least": "pelo_menos ao_menos mais_de no_mínimo",
        "at most": "até no_máximo menos_de",
        "about": "cerca_de quase aproximadamente perto_de uns umas em_torno_de",
    },
    "de": {
        "at least": "mindestens wenigstens mehr_als über",
        "at most": "bis_zu höchstens weniger_als",
        "about": "rund etwa ungefähr fast knapp circa an_die",
    },
    "ar": {
        "at least": """ما_لا_يقل_عن لا_يقل_عن على_الأقل أكثر_من ما_يزيد_على ما_يزيد_عن
            يزيد_على""",
        "at most": "ما_يصل_إلى يصل_إلى على_الأكثر أقل_من",
        "about": "نحو حوالي قرابة زهاء ما_يقرب_من ما_يقارب يناهز",
    },
}
_BOUNDS_BEHIND: dict[str, dict[str, str]] = {
    "en": {"at least": "at_least or_more", "about": "or_so", "at most": "at_most"},
    "fr": {"at least": "au_moins ou_plus", "about": "environ", "at most": "au_plus"},
    "es": {"at least": "al_menos por_lo_menos"},
    "pt": {"at least": "pelo_menos"},
    "de": {},
    "ar": {"at least": "على_الأقل", "about": "تقريبا"},
}
_RANGES = {
    "en": ("between", "and", "to or"), "fr": ("entre", "et", "à ou"), "es": ("entre", "y", "a o"),
    "pt": ("entre", "e", "a ou"), "de": ("zwischen", "und", "bis oder"),
    "ar": ("بين", "و", "إلى أو"),
}  # fmt: skip
# Common words between a number and what it counts.
_LIGHT = {
    "en": """people persons were was are is been being be have has had of the others other their
        them who also now known confirmed reported reportedly believed feared left to so far others
        more further additional another thought said""",
    "fr": """personnes personne ont a été sont étaient est était de d des du les la le autres autre
        qui également ayant avaient au moins sur l portées portés""",
    "es": """personas persona fueron han sido están resultaron resultado quedaron de las los otras
        otros más que también""",
    "pt": """pessoas pessoa foram ficaram têm sido estão de as os outras outros mais que
        também""",
    "de": "menschen personen wurden sind seien worden weitere der die",
    "ar": """شخصا شخص أشخاص آخرين آخرون آخر من كانوا قد هم على الأقل عنصرا لقوا حالة مدنيا جنديا
        فردا""",
}
_PASSIVE = {
    "en": "were was are is been being be get got getting",
    "fr": "été sont étaient est était furent fut",
    "es": "fueron fue sido son", "pt": "foram foi sido são", "de": "wurden wurde worden", "ar": "",
}  # fmt: skip
# Words for people that may be counted one by one; "a bomb" is not a person.
_PEOPLE = {
    "en": """person people soldier soldiers man men woman women child children civilian civilians
        policeman policemen officer officers gendarme gendarmes militant militants fighter fighters
        peacekeeper peacekeepers journalist journalists driver drivers student students teacher
        teachers farmer farmers villager villagers worker workers boy boys girl girls suspect
        suspects passenger passengers troops other others migrant migrants resident residents
        terrorist terrorists rebel rebels gunman gunmen victim victims""",
    "fr": """personne personnes soldat soldats homme hommes femme femmes enfant enfants civil civils
        policier policiers gendarme gendarmes militaire militaires journaliste combattant
        combattants villageois terroriste terroristes jeune jeunes chauffeur passager passagers
        autre autres casque casques victime victimes assaillants jihadistes djihadistes""",
    "es": """persona personas soldado soldados hombre hombres mujer mujeres niño niños civil civiles
        policía policías agente agentes periodista militar militares""",
    "pt": """pessoa pessoas soldado soldados homem homens mulher mulheres criança crianças civil
        civis policial policiais agente agentes militar militares""",
    "de": """mensch menschen person personen soldat soldaten mann männer frau frauen kind kinder
        zivilist zivilisten polizist polizisten""",
    "ar": """شخص شخصا جندي جنديا مدني مدنيا رجل رجلا امرأة طفل طفلا شرطي شرطيا عنصر عنصرا مسلح
        مسلحا آخر""",
}
# Two of a kind, which Arabic expresses in one word.
_DUALS = "قتيلان قتيلين جريحان جريحين شخصان شخصين جنديان جنديين مدنيان طفلين طفلان"
# Words for things and not people: a number before them is not a toll.
_THINGS = {
    "en": """year years month months week weeks day days hour hours minute minutes second seconds km
        kilometre kilometres kilometer kilometers mile miles metre metres meter meters yard yards
        percent per pc times house houses home homes hut huts village villages vehicle vehicles
        truck trucks car cars bus buses motorcycles motorbikes bomb bombs rocket rockets shell
        shells missile missiles drone drones explosion explosions blast blasts attack attacks
        assault assaults strike strikes raid raids incident incidents camp camps position positions
        base bases weapon weapons rifle rifles cow cows cattle sheep goats camels animals livestock
        dollar dollars euro euros franc francs naira point points degrees province provinces region
        regions district districts country countries city cities town towns site sites place places
        a.m p.m am pm st nd rd th old acres hectares tonnes tons pounds round rounds bullets shots
        wounds injuries_to charges counts shops schools classrooms""",
    "fr": """an ans année années mois semaine semaines jour jours heure heures minute minutes h km
        kilomètre kilomètres mètres mètre pour pourcent fois maison maisons case cases village
        villages véhicule véhicules camion camions voiture voitures moto motos bombe bombes roquette
        roquettes obus explosion explosions attaque attaques attentat attentats frappe frappes raid
        incident incidents camp camps position positions base bases arme armes fusils boeufs vaches
        bétail moutons chèvres animaux têtes dollars euros euro franc francs points degrés province
        provinces région régions pays ville villes site sites localité localités hectares tonnes
        balles coups obus bilan nouveau premier""",
    "es": """año años mes meses semana semanas día días hora horas minutos km kilómetros metros por
        veces casa casas vehículo vehículos bomba bombas explosión explosiones ataque ataques
        atentado atentados euros dólares puntos grados ciudad ciudades aldeas""",
    "pt": """ano anos mês meses semana semanas dia dias hora horas minutos km quilómetros
        quilômetros metros por vezes casa casas veículo veículos bomba bombas explosão explosões
        ataque ataques atentado atentados euros dólares reais pontos graus cidade cidades
        aldeias""",
    "de": """jahr jahre jahren monat monate monaten woche wochen tag tage tagen stunde stunden uhr
        minuten km kilometer kilometern meter metern prozent mal häuser fahrzeuge autos bombe
        bomben explosion explosionen angriff angriffe anschlag anschläge euro dollar punkte
        grad""",
    "ar": """عام عاما أعوام سنة سنوات شهر شهرا أشهر أسبوع أسابيع يوم يوما أيام ساعة ساعات دقيقة كلم
        كيلومتر كيلومترا متر مترا بالمئة في_المئة بيت منزل منزلا منازل قرية قرى سيارة سيارات مركبة
        مركبات هجوم هجوما هجمات انفجار انفجارات صاروخ صاروخا صواريخ قذيفة دولار يورو درجة""",
}
# Words that end a count.
_STOPS = {
    "en": """in by on after when that but while with from for near at as during since amid following
        against because until before if although where which into during""",
    "fr": """dans par sur après quand que mais tandis alors avec depuis pour près lors pendant
        durant car selon dont""",
    "es": "en por tras cuando pero mientras con desde para cerca durante según donde a",
    "pt": "em por após quando mas enquanto com desde para perto durante segundo onde no na",
    "de": "nachdem als während aber durch nach laut gegen",
    "ar": "في بعد عندما لكن بينما فيما خلال منذ قرب جراء إثر",
}
_DETERMINERS = {
    "en": "the a an another other further additional total of_them all only just",
    "fr": "les des de d un une autres total l la",
    "es": "los las otros otras a",
    "pt": "os as outros outras",
    "de": "die weitere den",
    "ar": "ب عن",
}
_ANDS = {"en": "and", "fr": "et", "es": "y e", "pt": "e", "de": "und", "ar": "و"}
_MONTHS = {
    "en": """january february march april may june july august september october november december
        jan feb mar apr jun jul aug sep sept oct nov dec""",
    "fr": """janvier février mars avril mai juin juillet août septembre octobre novembre
        décembre""",
    "es": """enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
        diciembre""",
    "pt": """janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro
        dezembro""",
    "de": """januar februar märz april mai juni juli august september oktober november
        dezember""",
    "ar": """يناير فبراير مارس أبريل إبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر
        كانون شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين جانفي فيفري أفريل ماي جوان جويلية
        أوت""",
}

Phrases = Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one language, folded.

    Attributes
    ----------
    after, before : mapping of str to tuple of (tuple of str, str)
        Words that follow or precede a number, by first and by last word: the other words in order
        of reading, and the kind.
    bounds, bounds_behind : mapping
        The same for bounds, by last and by first word.
    from_to : tuple of (frozenset of str)
        Words before a former toll and before the new one: from, to.
    ranges : tuple of (frozenset of str)
        Words for between, and, to.
    verb_first : bool
        Whether a verb usually comes before its subject.
    known : frozenset of str
        All single words, for finding Arabic ones after their prefixes.
    """

    after: Phrases
    before: Phrases
    bounds: Phrases
    bounds_behind: Phrases
    lives: frozenset[str]
    losing: frozenset[str]
    heads: frozenset[str]
    rises: frozenset[str]
    links: frozenset[str]
    former: frozenset[str]
    from_to: tuple[frozenset[str], frozenset[str]]
    ranges: tuple[frozenset[str], frozenset[str], frozenset[str]]
    earlier: frozenset[str]
    further: frozenset[str]
    including: frozenset[str]
    of_them: Phrases
    light: frozenset[str]
    passive: frozenset[str]
    people: frozenset[str]
    duals: frozenset[str]
    things: frozenset[str]
    stops: frozenset[str]
    determiners: frozenset[str]
    ands: frozenset[str]
    months: frozenset[str]
    verb_first: bool
    known: frozenset[str]


@functools.cache
def lexicon(lang: str) -> Lexicon | None:
    """Return the words of a language, by its primary tag; ``None`` if there are none."""
    if lang not in AFTER:
        return None

    def of(table: Mapping[str, str]) -> frozenset[str]:
        return frozenset(map(fold, table.get(lang, "").split()))

    after, before = _phrases(AFTER[lang], first=True), _phrases(BEFORE[lang], first=False)
    first, second = _FROM_TO[lang]
    plain = {
        "heads": of(_HEADS), "rises": of(_RISES), "links": of(_LINKS), "former": of(_FROM),
        "earlier": of(_EARLIER), "further": of(_FURTHER),
        "including": of(_INCLUDING), "light": of(_LIGHT),
        "passive": of(_PASSIVE), "people": of(_PEOPLE), "things": of(_THINGS),
        "stops": of(_STOPS), "determiners": of(_DETERMINERS), "ands": of(_ANDS),
        "months": of(_MONTHS), "lives": of(LIVES), "losing": of(LOSING),
        "duals": frozenset(map(fold, _DUALS.split())) if lang == "ar" else frozenset(),
    }  # fmt: skip
    bounds = _phrases(_BOUNDS[lang], first=False)
    known = frozenset().union(after, before, bounds, *plain.values())
    low, middle, to = _RANGES[lang]
    return Lexicon(
        after=after,
        before=before,
        bounds=bounds,
        bounds_behind=_phrases(_BOUNDS_BEHIND[lang], first=True),
        of_them=_phrases({"part": _OF_THEM[lang]}, first=True),
        from_to=(frozenset(map(fold, first.split())), frozenset(map(fold, second.split()))),
        ranges=(
            frozenset([fold(low)]),
            frozenset([fold(middle)]),
            frozenset(map(fold, to.split())),
        ),
        verb_first=lang == "ar",
        known=known,
        **plain,
    )


def _phrases(table: Mapping[str, str], *, first: bool) -> Phrases:
    """Sort words and phrases by their first or last word; the longest phrase comes first."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for kind, words in table.items():
        for phrase in words.split():
            parts = tuple(map(fold, phrase.split("_")))
            key, rest = (parts[0], parts[1:]) if first else (parts[-1], parts[:-1])
            found.setdefault(key, []).append((rest, kind))
    return {key: tuple(sorted(rests, key=lambda r: -len(r[0]))) for key, rests in found.items()}
