"""A cell of a spreadsheet as a person sees it: its value in its number format.

Common formats are supported: decimals (`0.00`), groups of thousands (`#,##0`), per cent, a currency or a unit before or
after the number, dates and times (in ISO order). For any other format (fractions, scientific notation, conditions,
scaling by thousands) the value itself is given, which is never wrong. A negative number has a minus sign, even if the
format would put it in parentheses or in red.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from symtune.tables.clean import text_of

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[(?:Black|Blue|Cyan|Green|Magenta|'
    r"Red|White|Yellow|Color ?\d+)\]|(?P<number>[#0?][#0?,.]*|\.[#0?]+)|(?P<percent>%)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_SIGNS = frozenset("$€£¥ -+()")
_EXACT = 15  # significant digits of a number in a spreadsheet


def shown(value: Any, number_format: str | None) -> str:
    """The text of a value in a number format, in Excel's notation. Raises TypeError as `text_of` does."""
    if isinstance(value, bool) or not isinstance(value, int | float | datetime | date | time | timedelta):
        return text_of(value)
    if isinstance(value, int | float):
        return _number(value, number_format or "General")
    if isinstance(value, datetime) and value.time() == time():
        return _day(value.date(), number_format or "")
    if isinstance(value, datetime):
        return value.replace(microsecond=0).isoformat(" ")
    return text_of(value)


def _day(day: date, number_format: str) -> str:
    """A date, or only its month or year, if the format shows no more."""
    pattern = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", number_format).lower()
    if "d" in pattern or "y" not in pattern:
        return day.isoformat()
    return f"{day:%Y-%m}" if "m" in pattern else f"{day:%Y}"


def _number(value: int | float, number_format: str) -> str:
    parts = _parts(number_format.split(";")[0]) if '"' not in number_format else _parts(_first_section(number_format))
    if parts is None or abs(value) >= 10**_EXACT:
        return _general(value)
    before, decimals, grouped, percent, behind = parts
    number = abs(Decimal(repr(value))) * (100 if percent else 1)
    number = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{number:,f}" if grouped else f"{number:f}"
    sign = "-" if value < 0 and number else ""
    return f"{sign}{before}{text}{behind}"


def _general(value: int | float) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < 10**_EXACT):
        return str(int(value))
    return f"{value:.{_EXACT}g}"


def _first_section(number_format: str) -> str:
    return re.match(r'(?:"[^"]*"|\\.|[^;"])*', number_format)[0]  # type: ignore[index]  # it matches "" too


@lru_cache(maxsize=1 << 10)
def _parts(section: str) -> tuple[str, int, bool, bool, str] | None:
    """The text before the number, its decimals, whether thousands are grouped, whether it is in per cent, and the text
    after it; None for a format that is not supported.
    """
    before = behind = number = ""
    percent = False
    for token in _TOKEN.finditer(section):
        text = token["quoted"] or token["escaped"] or token["currency"] or ""
        if token["number"]:
            if number:
                return None
            number = token["number"]
        elif token["percent"]:
            percent, text = True, "%"
        elif token["other"]:
            if token["other"] not in _PLAIN_SIGNS:
                return None
            text = "" if token["other"] in "()" else token["other"]
        before, behind = (before, behind + text) if number else (before + text, behind)
    if not number or number.endswith(",") or number.count(".") > 1:
        return None
    whole, _, fraction = number.partition(".")
    if "," in fraction or any(mark in "#?" for mark in fraction):
        return None
    return before.lstrip(" -"), len(fraction), "," in whole, percent, behind.rstrip()
