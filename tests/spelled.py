"""Numbers in words, written by rules of their own, for tests of what reads them."""

from __future__ import annotations


def split(words: str) -> list[str]:
    return words.split()


def english(n: int) -> str:
    ones = split("""zero one two three four five six seven eight nine ten eleven twelve thirteen
        fourteen fifteen sixteen seventeen eighteen nineteen""")
    tens = split("twenty thirty forty fifty sixty seventy eighty ninety")
    if n < 20:
        return ones[n]
    if n < 100:
        return tens[n // 10 - 2] + (f"-{ones[n % 10]}" if n % 10 else "")
    size, word = (1000, "thousand") if n >= 1000 else (100, "hundred")
    rest = f" and {english(n % size)}" if 0 < n % size < 100 else ""
    rest = rest or (f" {english(n % size)}" if n % size else "")
    return f"{english(n // size)} {word}{rest}"


def french(n: int) -> str:
    ones = split("""zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze
        quinze seize dix-sept dix-huit dix-neuf""")
    tens = split("vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")
    if n < 20:
        return ones[n]
    if n < 100:
        rest = n % 20 if n >= 60 else n % 10
        joined = " et " if rest in (1, 11) and n < 80 else "-"
        return tens[n // 10 - 2] + (f"{joined}{ones[rest]}" if rest else "s" * (n == 80))
    size, word = (1000, "mille") if n >= 1000 else (100, "cent")
    times = f"{french(n // size)} " if n >= 2 * size else ""
    plural = "s" if size == 100 and n % 100 == 0 and times else ""
    return f"{times}{word}{plural}" + (f" {french(n % size)}" if n % size else "")


def arabic(n: int) -> str:
    ones = split("واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة")
    tens = split("عشرون ثلاثون أربعون خمسون ستون سبعون ثمانون تسعون")
    if n <= 10:
        return ones[n - 1]
    if n < 20:
        return f"{'أحد' if n == 11 else ones[n - 11]} عشر"
    if n < 100:
        return f"{ones[n % 10 - 1]} و{tens[n // 10 - 2]}" if n % 10 else tens[n // 10 - 2]
    hundreds = split("مئة مئتان ثلاثمئة أربعمئة خمسمئة ستمئة سبعمئة ثمانمئة تسعمئة")
    return hundreds[n // 100 - 1] + (f" و{arabic(n % 100)}" if n % 100 else "")


def german(n: int) -> str:
    ones = split("""null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn
        vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn""")
    tens = split("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
    if n < 20:
        return ones[n]
    if n < 100:
        return (f"{ones[n % 10]}und".replace("eins", "ein") if n % 10 else "") + tens[n // 10 - 2]
    return ones[n // 100].replace("eins", "ein") + "hundert" + (german(n % 100) if n % 100 else "")


def spanish(n: int) -> str:
    ones = split("""cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece
        catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós
        veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve""")
    tens = split("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
    hundreds = split("""ciento doscientos trescientos cuatrocientos quinientos seiscientos
        setecientos ochocientos novecientos""")
    if n < 30:
        return ones[n]
    if n < 100:
        return tens[n // 10 - 3] + (f" y {ones[n % 10]}" if n % 10 else "")
    return "cien" if n == 100 else hundreds[n // 100 - 1] + (f" {spanish(n % 100)}" * (n % 100 > 0))


def portuguese(n: int) -> str:
    ones = split("""zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze
        quinze dezesseis dezessete dezoito dezenove""")
    tens = split("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa")
    hundreds = split("""cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos
        oitocentos novecentos""")
    if n < 20:
        return ones[n]
    if n < 100:
        return tens[n // 10 - 2] + (f" e {ones[n % 10]}" if n % 10 else "")
    rest = f" e {portuguese(n % 100)}" if n % 100 else ""
    return "cem" if n == 100 else hundreds[n // 100 - 1] + rest
