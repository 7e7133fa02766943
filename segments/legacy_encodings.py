"""Tells in which of the encodings before Unicode a text is written, by the words that it makes.

Names and streets have few letters beyond ASCII, too few for a detector that counts them: what
tells is whether a letter is usual where one encoding would put it.
"""

import re
from collections.abc import Iterable

from charset_normalizer import from_bytes

# As a person may choose them, those to try first first.
CHOICES = {
    "utf-8": "UTF-8",
    "cp1252": "Western European (Windows)",
    "iso8859_15": "Western European (ISO)",
    "mac_roman": "Western European (Macintosh)",
    "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows)",
    "iso8859_2": "Central European (ISO)",
    "cp1254": "Turkish (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp1253": "Greek (Windows)",
    "cp1255": "Hebrew (Windows)",
    "cp1256": "Arabic (Windows)",
    "cp932": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)",
    "gb18030": "Simplified Chinese (GB 18030)",
    "big5": "Traditional Chinese (Big5)",
    "cp949": "Korean (Windows)",
    "utf-16-le": "UTF-16, little end first",
    "utf-16-be": "UTF-16, big end first",
}
WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
MOST_WORDS = 2_000
WESTERN = "áàâäãåæçéèêëíìîïñóòôöõøœúùûüýÿß"
LATIN = {
    "cp1252": f"{WESTERN}šž",
    "cp1254": "çğıöşüâîû",
    "mac_roman": WESTERN,
    "cp850": WESTERN,
    "cp1250": "áäąăâćčçďéęëěíîłĺľńňóôöőŕřśšşťţúůüűýźžżß",
}
# The letters that most of a text is made of.
ALPHABETS = {
    "cp1251": "оеаинтсрвлкм",
    "koi8_r": "оеаинтсрвлкм",
    "cp1253": "αοιετσνηυρπκλςάέήίόώ",
    "cp1255": "אבגדהוחילמנערשת",
    "cp1256": "اليمنوتربحدعسفك",
}
MOST_OF_A_TEXT = 0.55
EAST_ASIAN = ["cp932", "euc_jp", "gb18030", "big5", "cp949"]
# Signs that stand beside words: of money, quotations, ordinals, and between the l of “Marcel·lí”.
BESIDE = set("€£’‘“”„–—…ºª°·¿¡«»®™&")
ALIEN, UNUSUAL, ODD_CAPITAL = 4, 1, 2


def guess(lines: Iterable[bytes]) -> str:
    """The encoding of lines that are no UTF-8; empty when none of those known fits."""
    text = b"\n".join(lines)
    words = list(dict.fromkeys(WORD.findall(text)))[:MOST_WORDS]
    long = [word for word in words if len(word) > 2]
    beyond = sum(byte > 127 for word in long for byte in word)
    if beyond > 0.6 * sum(map(len, long)):
        # Whole words beyond ASCII: another alphabet, or none.
        shares = {encoding: _usual_share(words, encoding) for encoding in ALPHABETS}
        likeliest = max(shares, key=lambda encoding: shares[encoding])
        if shares[likeliest] > MOST_OF_A_TEXT:
            return likeliest
        best = from_bytes(text, cp_isolation=EAST_ASIAN).best()
        if best is not None:
            return best.encoding
    costs = {encoding: _cost(words, encoding) for encoding in LATIN}
    fitting = {encoding: cost for encoding, cost in costs.items() if cost is not None}
    return min(fitting, key=lambda encoding: fitting[encoding], default="")


def _usual_share(words: Iterable[bytes], encoding: str) -> float:
    """How many of the letters beyond ASCII are those that an alphabet uses most."""
    usual = ALPHABETS[encoding]
    try:
        found = [letter for word in words for letter in word.decode(encoding) if letter > "\x7f"]
    except UnicodeDecodeError:
        return 0.0
    return sum(letter.lower() in usual for letter in found) / max(1, len(found))


def _cost(words: Iterable[bytes], encoding: str) -> int | None:
    """How odd the words would be; None when they can't be that encoding's."""
    usual = set(LATIN[encoding] + LATIN[encoding].upper())
    cost = 0
    for word in words:
        try:
            text = word.decode(encoding)
        except UnicodeDecodeError:
            return None
        for place, character in enumerate(text):
            if character.isascii():
                continue
            if character in usual:
                around = text[max(0, place - 1) : place + 2]
                cost += ODD_CAPITAL * (place > 0 and character.isupper() and not around.isupper())
            elif character.isalpha():
                cost += UNUSUAL
            elif character not in BESIDE or (0 < place < len(text) - 1 and character not in "’·"):
                cost += ALIEN
    return cost
