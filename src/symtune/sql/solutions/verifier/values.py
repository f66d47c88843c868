"""Values: how numbers are written, what functions return, what a pattern matches. NULL is None."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from symtune.sql.solutions.wordings import MISSING

_PLACES = Decimal("0.0001")


class Cell(NamedTuple):
    """A value and how it is shown."""

    value: Any
    text: str


def number(value: int | float) -> str:
    """A number as answers write it: at most four decimals, rounded half to even, without trailing zeros."""
    if isinstance(value, int):
        return str(value)
    exact = Decimal(value)
    text = f"{exact.quantize(_PLACES, ROUND_HALF_EVEN):f}" if abs(exact) < 10**20 else f"{exact:f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    return "0" if not decimals and whole == "-0" else f"{whole}.{decimals}" if decimals else whole


def computed(value: Any) -> Cell:
    """A value that is not a cell of a table."""
    return Cell(value, MISSING if value is None else value if isinstance(value, str) else number(value))


def total(values: Sequence[Any]) -> Any:
    """The sum of numbers."""
    return math.fsum(values) if float in map(type, values) else sum(values)


COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def call(name: str, args: Sequence[Any]) -> Any:
    """The value of a function."""
    if name == "COALESCE":
        return next(filter(lambda arg: arg is not None, args), None)
    if name == "NULLIF":
        return None if args[0] is not None and args[0] == args[1] else args[0]
    return None if None in args else _STRICT[name](*args)


def _rounded(value: int | float, places: int = 0) -> int | float:
    if isinstance(value, int):
        return value
    exact = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return float(exact) if places else int(exact)


_STRICT: Mapping[str, Callable[..., Any]] = {
    "LENGTH": len,
    "UPPER": str.upper,
    "LOWER": str.lower,
    "SUBSTR": lambda text, start, length: text[start - 1 :][:length],
    "ABS": abs,
    "ROUND": _rounded,
    "YEAR": lambda day: date.fromisoformat(day).year,
    "MONTH": lambda day: date.fromisoformat(day).month,
    "DAY": lambda day: date.fromisoformat(day).day,
    "DAYS": lambda one, other: (date.fromisoformat(one) - date.fromisoformat(other)).days,
}


def like(text: str, pattern: str) -> bool:
    """Whether the pattern matches the whole text. The number of steps is at most the product of both lengths: only the
    last `%` gives back what it took, one letter at a time.
    """
    at, here, star, mark = 0, 0, -1, 0
    while at < len(text):
        if here < len(pattern) and pattern[here] == "%":
            star, mark, here = here, at, here + 1
        elif here < len(pattern) and pattern[here] in ("_", text[at]):
            at, here = at + 1, here + 1
        elif star >= 0:
            mark += 1
            at, here = mark, star + 1
        else:
            return False
    return not pattern[here:].strip("%")
