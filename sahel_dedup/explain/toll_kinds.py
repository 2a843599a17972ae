"""Kinds of tolls: words for people killed, wounded and so on in reports of violence and disaster.

Phrases are written with underscores. The tables are folded when they are read.
"""

from __future__ import annotations

# What is counted. `after` words follow the number (12 dead), `before` words precede it (killing
# 12).
KINDS = ("killed", "wounded", "missing", "displaced", "arrested", "hostages")

AFTER: dict[str, dict[str, str]] = {
    "en": {
        "killed": """dead deaths death killed died dies die dying fatalities slain perished bodies
            murdered executed massacred fatally lost_their_lives lost_their_life corpses drowned
            beheaded succumbed""",
        "wounded": "wounded injured injuries injury hurt maimed hospitalised hospitalized",
        "missing": "missing unaccounted",
        "displaced": """displaced fled flee evacuated uprooted homeless refugees evacuees
            fleeing""",
        "arrested": "arrested detained detainees arrests apprehended jailed",
        "hostages": "hostages hostage abducted kidnapped captives captive abductees seized",
    },
    "fr": {
        "killed": """mort morts morte mortes tué tués tuée tuées décès décédé décédés décédées
            cadavres corps péri périssent assassinés exécutés abattus massacrés noyés égorgés
            perdu_la_vie perdent_la_vie perdaient_la_vie perdre_la_vie trouvé_la_mort
            succombé meurent""",
        "wounded": "blessé blessés blessée blessées hospitalisés hospitalisées",
        "missing": "disparu disparus disparues disparue introuvables",
        "displaced": "déplacé déplacés déplacées fui évacués évacuées réfugiés sinistrés",
        "arrested": "arrêté arrêtés arrêtées interpellés interpellées arrestations détenus",
        "hostages": "otages otage enlevés enlevées kidnappés kidnappées captifs ravis",
    },
    "es": {
        "killed": """muertos muertas muerto muerta fallecidos fallecidas fallecido murieron mueren
            murió asesinados asesinadas asesinado cadáveres cuerpos perdieron_la_vida
            fallecieron""",
        "wounded": "heridos heridas herido herida lesionados lesionadas",
        "missing": "desaparecidos desaparecidas desaparecido",
        "displaced": "desplazados desplazadas evacuados evacuadas damnificados huyeron",
        "arrested": "detenidos detenidas detenido arrestados arrestadas capturados",
        "hostages": "rehenes secuestrados secuestradas rehén",
    },
    "pt": {
        "killed": """mortos mortas morto morta morreram morrem mortes óbitos assassinados
            cadáveres corpos perderam_a_vida falecidos""",
        "wounded": "feridos feridas ferido ferida",
        "missing": "desaparecidos desaparecidas desaparecido",
        "displaced": "deslocados deslocadas desalojados desabrigados evacuados fugiram",
        "arrested": "detidos detidas presos presas detido",
        "hostages": "reféns sequestrados sequestradas raptados raptadas refém",
    },
    "de": {
        "killed": """tote toten toter todesopfer todesopfern getötet starben sterben gestorben
            ums_leben umgekommen ermordet leichen tot getötete""",
        "wounded": "verletzt verletzte verletzten verwundet verwundete verwundeten",
        "missing": "vermisst vermisste vermissten",
        "displaced": "vertrieben vertriebene geflohen flüchteten evakuiert",
        "arrested": "festgenommen verhaftet festnahmen festgenommene",
        "hostages": "geiseln entführt entführte verschleppt",
    },
    "ar": {
        "killed": """قتيل قتيلا قتيلة قتلى قتلوا وفاة وفيات شهيد شهيدا شهداء مصرعهم حتفهم جثة جثث
            جثمان ماتوا توفوا قضوا""",
        "wounded": "جريح جريحا جرحى مصاب مصابا مصابين مصابون أصيبوا إصابات جرحوا",
        "missing": "مفقود مفقودا مفقودين مفقودون في_عداد_مفقودين",
        "displaced": """نازح نازحا نازحين نازحون نزحوا مشرد مشردا مهجر مهجرين لاجئ لاجئا لاجئين
            فروا هربوا تشردوا""",
        "arrested": "معتقل معتقلا معتقلين موقوف موقوفا موقوفين محتجزا اعتقلوا",
        "hostages": "رهينة رهائن مخطوف مخطوفا مخطوفين مختطف مختطفا مختطفين خطفوا",
    },
}
BEFORE: dict[str, dict[str, str]] = {
    "en": {
        "killed": """kill kills killed killing slay slaying slew murdered murdering massacred
            executed claimed_the_lives_of claims_the_lives_of claiming_the_lives_of
            cost_the_lives_of deaths_of death_of dead""",
        "wounded": "wound wounds wounded wounding injure injures injured injuring hurting hurt",
        "missing": "missing",
        "displaced": "displace displaces displaced displacing uprooted evacuated evacuating",
        "arrested": "arrest arrests arrested arresting detain detains detained detaining nabbed",
        "hostages": """abduct abducts abducted abducting kidnap kidnaps kidnapped kidnapping
            seized captured hostage""",
    },
    "fr": {
        "killed": """tue tuent tuer tuant tué tués tuaient massacré assassiné exécuté abattu
            la_vie_à la_vie_de mort_de morts_de décès_de mort_d décès_d""",
        "wounded": "blesse blessent blesser blessant blessé blessés",
        "missing": "disparition_de disparition_d",
        "displaced": "déplacé déplaçant déplacement_de fuite_de déplacer évacué",
        "arrested": "arrêté arrêtent arrêter arrêtant interpellé arrestation_de arrestation_d",
        "hostages": "enlevé enlèvent enlever enlevant kidnappé enlèvement_de enlèvement_d",
    },
    "es": {
        "killed": """mata matan mató mataron matar matando asesina asesinan asesinó asesinaron
            muertos murieron mueren fallecieron muerte_de la_vida_a la_vida_de""",
        "wounded": "hiere hieren hirió hirieron herir hiriendo heridos",
        "missing": "desaparición_de",
        "displaced": "desplazó desplazaron desplaza desplazando",
        "arrested": "detiene detienen detuvo detuvieron arrestó arrestaron detención_de",
        "hostages": "secuestra secuestran secuestró secuestraron secuestro_de",
    },
    "pt": {
        "killed": """mata matam matou mataram matar matando morreram morrem morte_de a_vida_a
            a_vida_de assassinou assassinaram""",
        "wounded": "fere ferem feriu feriram ferir ferindo",
        "missing": "desaparecimento_de",
        "displaced": "desalojou desalojaram deslocou deslocaram",
        "arrested": "detém detêm deteve detiveram prendeu prenderam prende prendem",
        "hostages": "sequestra sequestram sequestrou sequestraram raptaram raptou",
    },
    "de": {
        "killed": "tötet töten tötete töteten starben sterben",
        "wounded": "verletzt verletzen verletzte verletzten verwundet verwundete verwundeten",
        "missing": "",
        "displaced": "vertrieb vertrieben",
        "arrested": "verhaftet verhaftete verhafteten",
        "hostages": "entführt entführten entführen verschleppten",
    },
    "ar": {
        "killed": """مقتل قتل قتلت يقتل تقتل قتلوا مصرع وفاة استشهاد استشهد بحياة اغتيال إعدام
            أرواح موت""",
        "wounded": "إصابة أصيب أصابت جرح جرحت يصيب",
        "missing": "فقدان اختفاء",
        "displaced": "نزوح تشريد نزح تهجير شرد شردت",
        "arrested": "اعتقال اعتقل اعتقلت توقيف احتجاز أوقفت",
        "hostages": "خطف اختطاف خطفت خطفوا اختطف اختطفت",
    },
}
# Lives are a toll if they are lost.
LIVES = {"en": "lives", "es": "vidas", "pt": "vidas", "fr": "vies"}
LOSING = {
    "en": "claim claims claimed claiming cost costs costing took takes taking taken lost",
    "es": "cobró cobra costó perdieron", "pt": "custou ceifou tirou", "fr": "coûté fauché emporté",
}  # fmt: skip
