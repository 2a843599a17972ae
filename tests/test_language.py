from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from sahel_dedup.articles import Article
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.language import KNOWN, detect
from sahel_dedup.text.tokenizer import tokenize

DATA = Path(__file__).with_name("data") / "scripts.jsonl"
FIXTURES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]

# One report of twelve killed in a village in the north, in the languages that
# tests/data/scripts.jsonl has not.
REPORTS = {
    "af": (
        "Die president het Maandag gesê dat minstens twaalf mense dood is en meer as "
        "twintig gewond is in 'n aanval op 'n dorp in die noorde van die land. Die polisie "
        "soek nog na die aanvallers, en geen groep het gesê dat hulle daaragter sit nie."
    ),
    "bg": (
        "Президентът заяви в понеделник, че най-малко дванадесет души са били убити и "
        "повече от двадесет са ранени при нападение срещу село в северната част на "
        "страната. Полицията все още търси нападателите и никоя група не е поела "
        "отговорност за него."
    ),
    "ca": (
        "El president va dir dilluns que almenys dotze persones van morir i més de vint van "
        "resultar ferides en un atac contra un poble del nord del país. La policia encara "
        "busca els atacants i cap grup no ha dit que en fos el responsable."
    ),
    "cs": (
        "Prezident v pondělí řekl, že při útoku na vesnici na severu země zahynulo nejméně "
        "dvanáct lidí a více než dvacet jich bylo zraněno. Policie po útočnících stále "
        "pátrá a žádná skupina se k němu zatím nepřihlásila."
    ),
    "da": (
        "Præsidenten sagde mandag, at mindst tolv mennesker er blevet dræbt og flere end "
        "tyve såret i et angreb på en landsby i den nordlige del af landet. Politiet leder "
        "stadig efter gerningsmændene, og ingen gruppe har endnu sagt, at den stod bag."
    ),
    "de": (
        "Der Präsident sagte am Montag, dass bei einem Angriff auf ein Dorf im Norden des "
        "Landes mindestens zwölf Menschen getötet und mehr als zwanzig verletzt worden "
        "seien. Die Polizei sucht noch nach den Tätern, und keine Gruppe hat sich zu der "
        "Tat bekannt."
    ),
    "el": (
        "Ο πρόεδρος δήλωσε τη Δευτέρα ότι τουλάχιστον δώδεκα άνθρωποι σκοτώθηκαν σε επίθεση "
        "σε χωριό."
    ),
    "es": (
        "El presidente dijo el lunes que al menos doce personas murieron y más de veinte "
        "resultaron heridas en un ataque contra un pueblo del norte del país. La policía "
        "sigue buscando a los atacantes y ningún grupo ha dicho que fuera el responsable."
    ),
    "fi": (
        "Presidentti sanoi maanantaina, että ainakin kaksitoista ihmistä on kuollut ja yli "
        "kaksikymmentä haavoittunut iskussa kylään maan pohjoisosassa. Poliisi etsii "
        "tekijöitä vielä, eikä mikään ryhmä ole toistaiseksi sanonut, että se olisi ollut "
        "iskun takana. Hän sanoi myös, että kylä oli ollut jo pitkään ilman suojaa."
    ),
    "fil": (
        "Sinabi ng pangulo noong Lunes na hindi bababa sa labindalawang tao ang namatay at "
        "mahigit dalawampu ang nasugatan sa isang pag-atake sa isang nayon sa hilaga ng "
        "bansa. Hinahanap pa rin ng mga pulis ang mga may gawa nito at wala pang grupo na "
        "umako sa pag-atake."
    ),
    "he": ("הנשיא אמר ביום שני כי לפחות שנים עשר בני אדם נהרגו בהתקפה על כפר בצפון המדינה."),
    "hu": (
        "Az elnök hétfőn azt mondta, hogy legalább tizenkét ember meghalt és több mint "
        "húszan megsebesültek egy falu elleni támadásban az ország északi részén. A "
        "rendőrség még keresi a támadókat, és egy csoport sem mondta, hogy ő volt az."
    ),
    "id": (
        "Presiden mengatakan pada hari Senin bahwa sedikitnya dua belas orang tewas dan "
        "lebih dari dua puluh lainnya terluka dalam serangan di sebuah desa di bagian utara "
        "negara itu. Polisi masih mencari para pelaku dan belum ada kelompok yang mengaku "
        "bertanggung jawab atas serangan tersebut karena situasi belum aman."
    ),
    "ig": (
        "Onye isi ala kwuru na Mọnde na ọ dịkarịa ala mmadụ iri na abụọ nwụrụ ma ihe karịrị "
        "iri abụọ merụrụ ahụ na mwakpo e mere n'otu obodo dị n'ugwu nke ala ahụ. Ndị uwe "
        "ojii ka na-achọ ndị mere ya, ma ọ dịghị otu kwuru na ọ bụ ha mere ihe a."
    ),
    "is": (
        "Forsetinn sagði á mánudag að minnst tólf manns hefðu verið drepnir og meira en "
        "tuttugu særðir í árás á þorp í norðurhluta landsins. Lögreglan leitar enn að "
        "árásarmönnunum og enginn hópur hefur sagt að hann hafi staðið á bak við hana."
    ),
    "it": (
        "Il presidente ha detto lunedì che almeno dodici persone sono morte e più di venti "
        "sono rimaste ferite in un attacco contro un villaggio nel nord del paese. La "
        "polizia sta ancora cercando gli autori e nessun gruppo ha detto di essere il "
        "responsabile."
    ),
    "lt": (
        "Prezidentas pirmadienį pasakė, kad per išpuolį prieš kaimą šalies šiaurėje žuvo "
        "mažiausiai dvylika žmonių ir daugiau kaip dvidešimt buvo sužeista. Policija vis "
        "dar ieško užpuolikų, ir nė viena grupė nepranešė, kad ji tai padarė."
    ),
    "lv": (
        "Prezidents pirmdien sacīja, ka uzbrukumā ciemam valsts ziemeļos ir nogalināti "
        "vismaz divpadsmit cilvēki un vairāk nekā divdesmit ir ievainoti. Policija vēl "
        "meklē uzbrucējus, un neviena grupa nav teikusi, ka tā to būtu izdarījusi."
    ),
    "mg": (
        "Nilaza ny filoha ny alatsinainy fa olona roa ambin'ny folo no maty ary maherin'ny "
        "roapolo no naratra tamin'ny fanafihana ny tanàna iray any avaratry ny firenena. "
        "Mbola mikaroka ireo nanao izany ny polisy, ary tsy misy vondrona izay nilaza fa "
        "izy no nanao izany."
    ),
    "mk": (
        "Претседателот во понеделникот рече дека најмалку дванаесет лица се убиени и повеќе "
        "од дваесет се повредени во напад врз село на северот од земјата. Полицијата сè "
        "уште ги бара напаѓачите и ниту една група не рече дека таа е одговорна за него."
    ),
    "ms": (
        "Presiden berkata pada hari Isnin bahawa sekurang-kurangnya dua belas orang "
        "terbunuh dan lebih dua puluh lagi cedera dalam serangan ke atas sebuah kampung di "
        "utara negara itu. Polis masih mencari mereka yang terlibat dan tiada kumpulan yang "
        "mengaku berada di belakang kejadian ini kerana keadaan tidak selamat."
    ),
    "nb": (
        "Presidenten sa mandag at minst tolv mennesker er drept og mer enn tjue såret i et "
        "angrep mot en landsby nord i landet. Politiet leter fortsatt etter "
        "gjerningsmennene, og ingen gruppe har sagt at den sto bak. Han sa også at de ikke "
        "visste hvor mange som hadde vært der."
    ),
    "nl": (
        "De president zei maandag dat bij een aanval op een dorp in het noorden van het "
        "land zeker twaalf mensen zijn gedood en meer dan twintig gewond geraakt. De "
        "politie zoekt nog naar de daders, en geen enkele groep heeft gezegd dat zij "
        "erachter zat."
    ),
    "pcm": (
        "Di president don tok on Monday say at least twelve pipo don die and more dan "
        "twenty don wound for attack wey happen for one village for di north of di kontri. "
        "Police still dey find di attackers, and no group don come out to say na dem do am."
    ),
    "pl": (
        "Prezydent powiedział w poniedziałek, że co najmniej dwanaście osób zginęło, a "
        "ponad dwadzieścia zostało rannych w ataku na wieś na północy kraju. Policja wciąż "
        "szuka sprawców i żadna grupa nie powiedziała, że to ona za nim stoi."
    ),
    "ro": (
        "Președintele a spus luni că cel puțin doisprezece oameni au fost uciși și peste "
        "douăzeci au fost răniți într-un atac asupra unui sat din nordul țării. Poliția îi "
        "caută încă pe atacatori și niciun grup nu a spus că este responsabil."
    ),
    "rw": (
        "Perezida yavuze ku wa mbere ko abantu cumi na babiri bishwe kandi abandi barenga "
        "makumyabiri barakomereka mu gitero cyagabwe ku mudugudu uri mu majyaruguru "
        "y'igihugu. Polisi iracyashaka abagize uruhare muri icyo gitero, kandi nta mutwe "
        "wavuze ko ari wo wabikoze ubwo bari mu nama."
    ),
    "sh": (
        "Predsjednik je u ponedjeljak rekao da je najmanje dvanaest ljudi ubijeno, a više "
        "od dvadeset ranjeno u napadu na selo na sjeveru zemlje. Policija još traži "
        "napadače i nijedna grupa nije rekla da je ona iza toga."
    ),
    "sk": (
        "Prezident v pondelok povedal, že pri útoku na dedinu na severe krajiny zahynulo "
        "najmenej dvanásť ľudí a viac ako dvadsať bolo zranených. Polícia po útočníkoch "
        "stále pátra a žiadna skupina sa k nemu zatiaľ neprihlásila, ale je to len otázka "
        "času."
    ),
    "sl": (
        "Predsednik je v ponedeljek povedal, da je bilo v napadu na vas na severu države "
        "ubitih najmanj dvanajst ljudi, več kot dvajset pa je bilo ranjenih. Policija še "
        "vedno išče napadalce in nobena skupina ni povedala, da je za njim."
    ),
    "so": (
        "Madaxweynaha ayaa Isniintii sheegay in ugu yaraan laba iyo toban qof la dilay, in "
        "ka badan labaatanna la dhaawacay weerar lagu qaaday tuulo ku taal waqooyiga dalka. "
        "Booliisku wali waxay raadinayaan kuwa weerarka soo qaaday, mana jirto koox "
        "sheegatay in ay iyagu ahaayeen."
    ),
    "sv": (
        "Presidenten sade på måndagen att minst tolv människor har dödats och fler än tjugo "
        "skadats i en attack mot en by i norra delen av landet. Polisen letar fortfarande "
        "efter gärningsmännen, och ingen grupp har sagt att den låg bakom."
    ),
    "ti": (
        "ፕረዚደንት ኣብ ሰኑይ ከም ዝበሎ ኣብ ሰሜን ናይታ ሃገር ኣብ ሓደ ዓዲ ኣብ ዘጋጠመ መጥቃዕቲ ብውሑዱ ዓሰርተው ክልተ ሰባት ሞይቶም "
        "ካብ ዕስራ ንላዕሊ ድማ ቆሲሎም። ፖሊስ እቶም መጥቃዕቲ ዝፈጸሙ ገና ይደልዮም ኣሎ እዩ፡ ግን ሓደ እኳ ንሱ ከም ዝፈጸሞ "
        "ኣይተኣመነን።"
    ),
    "tr": (
        "Cumhurbaşkanı pazartesi günü yaptığı açıklamada, ülkenin kuzeyinde bir köye "
        "yapılan saldırıda en az on iki kişinin öldüğünü ve yirmiden fazla kişinin "
        "yaralandığını söyledi. Polis saldırganları hâlâ arıyor ve bu saldırı için henüz "
        "bir grup ortaya çıkmadı."
    ),
    "uk": (
        "Президент заявив у понеділок, що щонайменше дванадцять людей загинули і понад "
        "двадцять були поранені під час нападу на село на півночі країни. Поліція досі "
        "шукає нападників, але жодна група не сказала, що це вона."
    ),
    "ur": (
        "صدر نے پیر کو کہا کہ ملک کے شمال میں ایک گاؤں پر حملے میں کم از کم بارہ افراد ہلاک "
        "اور بیس سے زیادہ زخمی ہوئے ہیں۔ پولیس اب بھی حملہ آوروں کی تلاش میں ہے اور کسی "
        "گروہ نے یہ نہیں کہا کہ اس کے پیچھے وہ تھا۔"
    ),
    "wo": (
        "Njiit réew mi wax na ci altine ji ne fukki nit ak ñaar dee nañu te lu ëpp ñaar "
        "fukk gaañu nañu ci benn dëkk bu nekk ci bëj-gànnaaru réew mi. Takk-der yi ñu ngi "
        "wër ba tey ñi def loolu, waaye kenn waxul ne moom la woon."
    ),
    "yo": (
        "Ààrẹ sọ ní ọjọ́ Ajé pé ó kéré tán ènìyàn méjìlá ni wọ́n pa, tí àwọn tó lé ní ogún "
        "sì fara gbọgbẹ́ nínú ìkọlù kan ní abúlé kan ní àríwá orílẹ̀-èdè náà. Àwọn ọlọ́pàá "
        "ṣì ń wá àwọn tó ṣe é, kò sì sí ẹgbẹ́ kankan tó sọ pé òun ni."
    ),
}

# The same in languages without a list.
UNLISTED = {
    "eu": (
        "Presidenteak astelehenean esan zuen gutxienez hamabi lagun hil zirela eta hogei "
        "baino gehiago zauritu zirela herrialdearen iparraldeko herri baten aurkako eraso "
        "batean. Polizia oraindik erasotzaileen bila dabil, eta inork ez du esan bera izan "
        "denik."
    ),
    "kk": (
        "Президент дүйсенбі күні елдің солтүстігіндегі ауылға жасалған шабуыл кезінде "
        "кемінде он екі адам қаза тауып, жиырмадан астам адам жараланғанын айтты. Полиция "
        "шабуыл жасағандарды әлі іздеп жатыр, бірақ ешбір топ жауапкершілікті өз мойнына "
        "алған жоқ."
    ),
    "ln": (
        "Mokonzi ya ekolo alobaki na mokolo ya liboso ete bato koleka zomi na mibale "
        "bakufaki mpe koleka ntuku mibale bazokaki na etumba moko na mboka moko na nord ya "
        "ekolo. Bapolisi bazali kaka koluka bango, mpe moto moko te alobaki ete azali ye."
    ),
    "sq": (
        "Presidenti tha të hënën se të paktën dymbëdhjetë njerëz janë vrarë dhe më shumë se "
        "njëzet janë plagosur në një sulm ndaj një fshati në veri të vendit. Policia është "
        "ende duke kërkuar sulmuesit dhe asnjë grup nuk ka thënë se ishte pas tij."
    ),
    "uz": (
        "Prezident dushanba kuni mamlakat shimolidagi qishloqqa qilingan hujumda kamida oʻn "
        "ikki kishi halok boʻlgani va yigirmadan ortiq kishi yaralanganini aytdi. Politsiya "
        "hujumchilarni hali ham qidirmoqda va hech bir guruh bu ish uchun javobgarlikni oʻz "
        "zimmasiga olgani yoʻq."
    ),
    "zu": (
        "UMongameli uthe ngoMsombuluko abantu abangaba yishumi nambili babulewe kanti "
        "abangaphezu kwamashumi amabili balimele ekuhlaselweni komuzana osenyakatho yezwe. "
        "Amaphoyisa asafuna abahlaseli, futhi alikho iqembu elithe yilona elenzile."
    ),
}


def language(text: str, given: str | None = None) -> str:
    return detect(tokenize([text]), [given])[0]


@pytest.mark.parametrize("row", FIXTURES, ids=lambda row: str(row["id"]))
def test_fixtures(row: dict[str, str]) -> None:
    assert language(f"{row['title']}\n{row['text']}") == row["lang"]


@pytest.mark.parametrize("lang", REPORTS)
def test_reports(lang: str) -> None:
    assert language(REPORTS[lang]) == lang


@pytest.mark.parametrize("lang", REPORTS)
def test_reports_in_capitals(lang: str) -> None:
    # Turkish has two letters i, which do not fold to each other.
    assert language(REPORTS[lang].upper()) in ({"tr", "und"} if lang == "tr" else {lang})


@pytest.mark.parametrize("lang", UNLISTED)
def test_languages_without_a_list_are_unknown(lang: str) -> None:
    assert language(UNLISTED[lang]) == "und"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Երևանում հրդեհ է բռնկվել", "hy"),
        ("ხანძარი თბილისში", "ka"),
        ("ආණ්ඩුව නිවේදනයක් නිකුත් කළේය", "si"),
        ("অগ্নিকাণ্ডে পাঁচজন নিহত", "bn"),
        ("國會選舉", "zh"),
        ("店名叫「一の茶」的餐廳昨日凌晨發生大火造成五人受傷送院治理", "zh"),
        ("東京で火事", "ja"),
        ("iPhone 17 将于 9 月 12 日在中国开卖，起售价与去年相同", "zh"),
        ("𞤨𞤵𞤤𞤢𞤪", "ff"),
        ("ߞߊ߲ߓߍ", "nqo"),
    ],
)
def test_own_scripts_need_no_words(text: str, lang: str) -> None:
    assert language(text) == lang


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "12 000 3.5 - 47",
        "Kayes",
        "Fire in Parakou",
        "The police said on Monday",
        "😀 😀 😀",
        "\ud800 \udfff",
    ],
)
def test_too_short_to_tell(text: str) -> None:
    assert language(text) == "und"


def test_mixed_text_is_unknown() -> None:
    spanish, italian = REPORTS["es"].split(), REPORTS["it"].split()
    words = [word for pair in zip(spanish, italian, strict=False) for word in pair]
    assert language(" ".join(words)) == "und"


@pytest.mark.parametrize(
    ("tag", "lang"),
    [
        ("en", "en"),
        ("pt-BR", "pt"),
        ("zh-Hant-HK", "zh"),
        ("HA", "ha"),
        ("hau", "ha"),
        ("fra", "fr"),
        ("pcm", "pcm"),
        ("iw", "he"),
        ("no", "nb"),
        ("nn", "nb"),
        ("sr-Latn", "sh"),
        ("hr", "sh"),
        ("bs", "sh"),
        ("tl", "fil"),
        ("swh", "sw"),
        ("yue", "zh"),
        ("hy", "hy"),
    ],
)
def test_a_given_language_is_taken(tag: str, lang: str) -> None:
    assert language(REPORTS["de"], tag) == lang


@pytest.mark.parametrize(
    "tag", [None, "und", "mul", "zxx", "deutsch?", "german language", "", "xx"]
)
def test_what_names_no_language_is_detected(tag: str | None) -> None:
    assert language(REPORTS["de"], tag) == "de"


@pytest.mark.parametrize("tag", ["et", "sn-ZW", "aaa", "hsb"])
def test_a_language_of_which_nothing_is_known_is_unknown(tag: str) -> None:
    assert language(REPORTS["de"], tag) == "und"


def test_tags_are_no_way_to_fill_the_memory() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    tags = ["".join(parts) for parts in itertools.product(letters, repeat=3)]
    tags += [f"{tag}-{'x' * 100_000}" for tag in tags[:4]]
    sketcher = Sketcher()
    sketcher.sketch([Article(tag, "Rain fell", lang=tag) for tag in tags])
    assert len(sketcher.langs) <= 73
    # What is known of terms is the same as that of the one row they share.
    alone = Sketcher().sketch([Article("a", "Rain fell", lang="und")])
    made_up = Sketcher().sketch([Article("a", "Rain fell", lang="qzq")])
    assert np.array_equal(alone.salience, made_up.salience)


def test_a_language_does_not_depend_on_the_chunk() -> None:
    texts = [*REPORTS.values(), "", *(row["text"] for row in FIXTURES), "Kayes", "国会"]
    given = [None if i % 7 else "ff" for i in range(len(texts))]
    together = detect(tokenize(texts), given)
    assert together == [language(t, g) for t, g in zip(texts, given, strict=True)]
    order = np.random.default_rng(3).permutation(len(texts))
    shuffled = detect(tokenize([texts[i] for i in order]), [given[i] for i in order])
    assert shuffled == [together[i] for i in order]


def test_no_articles() -> None:
    assert detect(tokenize([]), []) == []


def test_a_tag_is_read_the_same_with_and_without_a_region() -> None:
    """Without one langcodes is not asked."""
    tokens = tokenize(["nothing"])
    for lang in KNOWN:
        assert detect(tokens, [lang]) == detect(tokens, [f"{lang}-001"]) == [lang]
