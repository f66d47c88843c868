"""Amounts in prose: a number with its sign, currency, percent sign, scale and unit of measure.

amount("72 clips, altogether")   ->  "72": what was counted is not part of the answer …
amount("5 km from here")         ->  "5 km": … a unit of measure is
amount("3-2")                    ->  "3-2": not an amount, so it is kept whole
"""

from __future__ import annotations

import re

NUMBER = r"[-+−]?(?:[$€£¥₹]\s?)?[-−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:(?<=\d)\.\d+|(?<![\w.])\.\d+|(?<=\d))(?:\s?%)?"
SCALE = r"(?:hundred|thousand|million|billion|trillion)"
_UNIT = (
    r"(?:(?:milli|micro|nano)?seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|decades?"
    r"|(?:kilo|centi|milli)?met(?:er|re)s?|(?:kilo|milli)?grams?|(?:milli)?lit(?:er|re)s?|km|cm|mm|m|kg|mg|g|ml|l"
    r"|miles?|mi|t|[ap]\.m\.?|feet|foot|ft|inch(?:es)?|yards?|acres?|hectares?|pounds?|lbs?|ounces?|oz|gallons?|tons?|tonnes?"
    r"|degrees?(?: (?:celsius|fahrenheit|c|f)\b)?|percent(?:age points?)?|per cent|dollars?|cents?|euros?|yen|rupees?"
    r"|km/h|mph|m/s|°\s?[cf]?|[kmg]b|k?wh?|mw|hz|[km]hz|knots|[kmg]?bits?/s"
    r"|square \w+|cubic \w+)(?:\s?[²³]|\^[23])?(?: per \w+|/\w{1,5})?"
)
_MEASURED = rf"{NUMBER}(?:[- ]{SCALE}\b)?(?:[- ]?{_UNIT}(?![\w/]))"
_MEASURE = re.compile(rf"{_MEASURED}(?:,? (?:and )?{_MEASURED}){{0,4}}", re.IGNORECASE)
_NUMBER = re.compile(rf"{NUMBER}(?:[- ]{SCALE}\b)?(?: per \w{{1,20}}\b)?")
_RELATES = re.compile(
    r"\s*(?:$|[,;.]\s|[,;.]$)|\s+(?:tall|long|wide|high|deep|old|away|in|to|of|for|from|per|more|less|longer|shorter|taller|older"
    r"|younger|each|at|on|by|with|that|which|after|before|later|earlier|ago|altogether|every|a|an|if|when|than|left)\b"
)
_COUNTED = re.compile(
    r"\s+(?!(?:to|and|or|by|through|x|with) [-+$€£]?[\dA-Z])[a-z]|\s*[,;]\s|\s*$"
)  # what may follow an amount: the thing that was counted, a clause
_STANDS = re.compile(rf"(?<![\w.,/:$€£¥₹^-]){NUMBER}(?![\w/:]|[.,-]\d|-[A-Za-z]|'s\b)", re.ASCII)
_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
WORDS = {word: number for number, word in enumerate(_WORDS)}


def amount(text: str) -> str:
    """The amount at the beginning of `text`, if `text` begins with one and is about it; otherwise all of `text`."""
    measured = _MEASURE.match(text)
    if measured:
        return measured[0] if _RELATES.match(text, measured.end()) else text
    number = _NUMBER.match(text)
    return number[0] if number and _COUNTED.match(text, number.end()) else text


def amounts(text: str) -> list[tuple[int, str]]:
    """Every number in a text that is not part of a date, a score or a name: its position, and the number as `amount`
    gives it.
    """
    return [(found.start(), amount(text[found.start() : found.end() + 60])) for found in _STANDS.finditer(text)]
