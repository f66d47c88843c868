"""What the text of one cell can mean: missing, a number with its unit, or a date. One cell, no column.

Everything here is a pure function of the text: a cell means the same in a table and in any view cut from it.

| text | meaning |
|---|---|
| empty, `-` `–` `—` `--` `…` `...` `?` `n/a` `N/A` `n / a` `(N/A)` `n.a.` `n/d` `#N/A` | missing, everywhere |
| `null` `NULL` `nan` `NaN` (not `Null`, `Nan`: names) | missing, everywhere |
| `NA` `none` `unknown` `not available` `TBA` `TBC` `TBD` … (any case) | missing, but only in number and date columns |
| `*` `**` `†` `[1]` (nothing but footnote marks) | missing, but only in number and date columns |
| `1234` `1,234` `1,234.5` `.5` `+3` `-4` `- 4` `−4` `–4` | numbers; thousands in groups of three |
| `1 234` with a no-break or thin space | a number; with a plain space it is text (`555 123`) |
| `1.2e5` `3e-4` | numbers; `12E5` is text (a code) |
| `$5.00` `€3` `£1,000` `US$ 7` `EUR 7` `-$5` | a number with a unit in front |
| `12%` `5 km` `120kg` `3.2 million` | a number followed by a unit; 12% is 12 |
| `1,234[1]` `12 [note 2]` `1993[citation needed]` `12*` `12†` `12^` `12¤` | numbers; footnote marks are left out |
| `007` `01 234` `1,23` `1.234,5` `(5)` `5.` `~5` `<5` `1st` `3-2` `1:05` `5/6` `2000 BC` `3 pm` | text |
| numbers beyond 2^53 | text: not every engine holds them exactly |
| `2008-04-13` `2008/4/13` `2008-04-13 00:00:00` `2008-04-13T00:00` | dates |
| `April 13, 2008` `Apr. 13, 2008` `april 13 , 2008` `13 April 2008` `13-Apr-2008` | dates |
| `4/13/2008` | a date, month first, if a column proves the order (see `columns`) |
| `13.4.2008` | a date, day first, if a column proves the order |
| `2008` | a number |
| `April 2008` `13 April` `4/13/08` `2008-04-13 10:00` `2008-02-30` | text |
"""

from __future__ import annotations

import math
import re
from datetime import date

MISSING = frozenset({
    "", "-", "–", "—", "―", "−", "‒", "--", "---", "––", "——", "…", "...", "?",
    "‐", "n/a", "N/A", "N/a", "n / a", "N / A", "(n/a)", "(N/A)", "n.a.", "N.A.", "n.a", "N.A", "n/d", "N/D", "#N/A",
    "null", "NULL", "nan", "NaN",
})  # fmt: skip
MISSING_IF_TYPED = frozenset({
    "na", "none", "unknown", "not available", "unavailable", "data unavailable", "no data", "tba", "tbc", "tbd",
})  # fmt: skip

LARGEST_EXACT = 2**53
LONGEST = 80  # characters; no number or date is longer, and so a hostile cell costs nothing
_FOOTNOTES = re.compile(r"(?:\s*(?:\[[^\[\]]{1,24}\]|[*†‡§^¤]))+$")
_GROUP_MARKS = ",\u00a0\u2009\u202f"
_NUMBER = re.compile(
    r"(?P<sign>(?:[-+−–]\s?)?)"
    r"(?P<front>(?:[A-Z]{0,3}[$€£¥₹₩₽]\s?|(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR)\s?)?)"
    r"(?P<whole>(?:0|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,2}(?:[\u00a0\u2009\u202f][0-9]{3})+|[1-9][0-9]*)?)"
    r"(?P<fraction>(?:\.[0-9]+)?)"
    r"(?P<exponent>(?:[eE][-+]?[0-9]{1,3})?)"
    r"(?P<unit>(?:\s?(?:sq\.? |square )?[^\s\d]{1,12})?)"
)
_SIGNS_IN_UNITS = frozenset("%‰°€£$¥/.²³")
# After a number, these are not units: ordinals, eras, times of day, months.
_NOT_UNITS = frozenset(
    ["st", "nd", "rd", "th", "er", "e", "ème", "ª", "º", "bc", "bce", "ad", "ce", "am", "pm", "a.m.", "p.m."]
)

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_ISO = re.compile(
    r"(?P<y>[0-9]{4})(?P<s>[-/])(?P<m>[0-9]{1,2})(?P=s)(?P<d>[0-9]{1,2})(?:[T ]00:00(?::00(?:\.0{1,9})?)?)?"
)
_SLASHED = re.compile(r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})")
_DOTTED = re.compile(r"(?P<d>[0-9]{1,2})\.\s?(?P<m>[0-9]{1,2})\.\s?(?P<y>[0-9]{4})")
_MONTH_FIRST = re.compile(r"(?P<name>[A-Za-z]{3,9})\.?\s+(?P<d>[0-9]{1,2})\s?,?\s+(?P<y>[0-9]{4})")
_DAY_FIRST = re.compile(r"(?P<d>[0-9]{1,2})(?P<s>[-\s])\s*(?P<name>[A-Za-z]{3,9})\.?\s?,?(?P=s)\s*(?P<y>[0-9]{4})")


def is_missing(text: str, *, typed: bool = False) -> bool:
    """Whether a cell means "nothing here"; `typed`: in a number or date column, where some words mean that too."""
    if text[:1].isdigit():  # most cells that are not text
        return False
    text = text.strip()
    if not typed or text in MISSING:
        return text in MISSING
    text = without_footnotes(text)
    return text in MISSING or text.casefold() in MISSING_IF_TYPED


def without_footnotes(text: str) -> str:
    """The text without the footnote marks after it (`1,234[1]`, `12*`, `12†`)."""
    text = text.strip()
    return text if text[-1:].isalnum() else _FOOTNOTES.sub("", text)


def parse_number(text: str) -> tuple[int | float, str] | None:
    """The number in a cell and its unit ("$", "%", "km", ""), or None if the cell is not a number.

    The number is finite; the magnitude of an integer is at most 2^53. A unit is not part of the number: 12% is 12.
    """
    if text.isdigit() and text.isascii() and len(text) < 16 and (text[0] != "0" or len(text) == 1):
        return int(text), ""  # most numbers
    found = _NUMBER.fullmatch(without_footnotes(text)) if len(text) <= LONGEST else None
    if found is None:
        return None
    sign, front, whole, fraction, exponent, unit = found.groups()
    unit = unit.strip()
    if not (whole or fraction) or (unit and not _is_unit(unit)):
        return None
    if exponent and not (fraction or exponent[1] in "-+"):
        return None
    digits = whole if whole.isdigit() else "".join([mark for mark in whole if mark not in _GROUP_MARKS])
    number: int | float
    if fraction or exponent:
        number = float(f"{digits or '0'}{fraction}{exponent}")
    else:
        number = int(digits) if len(digits) <= 16 else LARGEST_EXACT + 1
    if number > LARGEST_EXACT or not math.isfinite(number):
        return None
    if sign[:1] in ("-", "−", "–") and number:  # never -0.0, which equals 0.0 but prints differently
        number = -number
    return number, f"{front.strip()}{unit}"


def _is_unit(text: str) -> bool:
    word = text.casefold()
    return (
        word not in _NOT_UNITS
        and word.rstrip(".") not in _MONTHS
        and all(mark.isalpha() or mark in _SIGNS_IN_UNITS for mark in text.replace(" ", ""))
        and text[0] not in "/."
    )


def parse_date(text: str) -> str | None:
    """The ISO text of the date in a cell, or None. Numeric dates with slashes are read month first, those with dots day
    first; `date_order` tells whether a cell could be read the other way round.
    """
    if len(text) > LONGEST:
        return None
    text = without_footnotes(text)
    if text[-4:].isdigit() or text[:4].isdigit():
        for form in (_ISO, _SLASHED, _DOTTED, _MONTH_FIRST, _DAY_FIRST):
            if found := form.fullmatch(text):
                parts = found.groupdict()
                month = _MONTHS.get(parts["name"].lower()) if "name" in parts else int(parts["m"])
                return _iso(int(parts["y"]), month or 0, int(parts["d"]))
    return None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:  # no such day in the calendar
        return None


def date_order(text: str) -> tuple[str, bool]:
    """How a cell orders a numeric day and month: ("/", "." or "" if it does not contain them, and whether the day is
    over 12, so that no other order is possible).
    """
    text = without_footnotes(text)
    for mark, form in (("/", _SLASHED), (".", _DOTTED)):
        if found := form.fullmatch(text):
            return mark, int(found["d"]) > 12
    return "", True
