r"""The final number of a worked answer, for GSM8K and SVAMP.

    read_number("She earns 3 * $5 = $15.\n#### 15")         ->  "15"
    read_number("The answer is $1,234.50.")                 ->  "1234.50"
    read_number(r"\boxed{\frac{3}{4}}")                     ->  "0.75"

GSM8K's own extraction takes the digits, points and commas after the first "#### " and drops the commas. Whatever it
finds, `read_number` finds too. The number is returned as it is written, without currency, percent sign, unit and
thousands commas; compare it by value ("5.0" is 5).
"""

from __future__ import annotations

import re
from decimal import Decimal

from symtune.denotation import number_text
from symtune.reading.amounts import WORDS
from symtune.reading.announcements import announced
from symtune.reading.layout import lines_of
from symtune.reading.marks import boxed, hashed, plain_latex, tagged
from symtune.reading.sentences import sentences
from symtune.reading.structured import keyed
from symtune.reading.turns import reply

_ANNOTATION = re.compile(r"<<[^<>\n]{0,200}>>")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SPELLED = {**WORDS, **{word: 10 * ten for ten, word in enumerate(_TENS, start=2)}}
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_LONGEST = 400  # digits of a number that is scaled or divided; longer ones are returned as they are
_NUMBER = re.compile(
    r"(?<![\w.,/])(?:(?P<sign>[-−–])\s?)?(?:US)?\\?[$€£¥₹]?\s?(?P<inner>[-−])?"
    r"(?P<digits>(?:\d{1,3}(?:[,_]\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    rf"(?:\s?/\s?(?P<under>[1-9]\d*)(?![\d/]|\.\d))?(?:[\s-](?P<scale>{'|'.join(_SCALES)})\b)?"
    r"(?!(?:st|nd|rd|th)\b)",
    re.IGNORECASE | re.ASCII,
)
_WORD = re.compile(
    rf"\b(?:(?:{'|'.join(_TENS)})-(?:{'|'.join(list(WORDS)[1:10])})|{'|'.join(_SPELLED)})\b", re.IGNORECASE
)


def unannotated(text: str) -> str:
    """`text` without GSM8K's calculator annotations: "48/2 = <<48/2=24>>24" becomes "48/2 = 24"."""
    return _ANNOTATION.sub("", text)


def read_number(text: str) -> str | None:
    r"""The final number of what a model wrote, or None. Never raises.

    A marked answer (\boxed{…}, "####") takes precedence over an announced one ("The answer is 5"), and that over the
    last sentence with a number in it. The first number after the last "=" counts; without an "=", the first number of
    what is marked or announced, or the last of a sentence.
    """
    text = unannotated(reply(text))
    return next((number for rule in (_marked, _announced, _last) if (number := rule(text)) is not None), None)


def _marked(text: str) -> str | None:
    r"""<answer>…</answer>, \boxed{…}, ####, {"answer": …}."""
    for content in (tagged(text), *boxed(text)[-1:], hashed(text), *(keyed(text) or ())[:1]):
        if content and (number := _first(content)) is not None:
            return number
    return None


def _announced(text: str) -> str | None:
    """ "The answer is …", on the same line or just below."""
    found = announced(lines_of(text))
    if found is None:
        return None
    for part in (*sentences(found.tail), *found.following[:3]):
        if (number := _first(part)) is not None:
            return number
    return None


def _last(text: str) -> str | None:
    """The number of the last sentence that has one."""
    for line in reversed(lines_of(text)):
        for one in reversed(sentences(line)):
            if (number := _final(one)) is not None:
                return number
    return None


def _first(text: str) -> str | None:
    """The number of a value: the first after its last "=", else its first, else one in words."""
    text = plain_latex(text)
    right = text.rpartition("=")[2]
    found = _NUMBER.search(right) or _NUMBER.search(text)
    if found:
        return _written(found)
    word = _WORD.search(text)
    return str(sum(_SPELLED[part] for part in word[0].lower().split("-"))) if word else None


def _final(sentence: str) -> str | None:
    """The number of a sentence: the first after its last "=", else its last."""
    text = plain_latex(sentence)
    left, equals, right = text.rpartition("=")
    if equals and (found := _NUMBER.search(right)):
        return _written(found)
    last = max(_NUMBER.finditer(left if equals else text), key=re.Match.start, default=None)
    return _written(last) if last else None


def _written(found: re.Match[str]) -> str:
    """A number in digits, with its decimal point and sign if it has them."""
    digits = found["digits"].replace(",", "").replace("_", "")
    digits = f"0{digits}" if digits.startswith(".") else digits
    sign = "-" if found["sign"] or found["inner"] else ""
    if len(digits) <= _LONGEST and found["under"] and len(found["under"]) <= _LONGEST:
        divided = Decimal(digits) / Decimal(found["under"])
        digits = number_text(float(divided)) if divided < 10**15 else f"{divided:f}"
    if len(digits) <= _LONGEST and found["scale"]:
        digits = f"{Decimal(digits).scaleb(_SCALES[found['scale'].lower()]):f}"
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return sign + digits if digits.strip("0.") else digits
