"""What operators do to values: arithmetic, comparisons, SQL's three truth values, LIKE."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from symtune.sql.language.vectors import Vector, near, undecided
from symtune.types import Rejected

LARGEST = 2**53  # beyond it a double no longer holds every integer


def checked(value: Any) -> Any:
    """The number, if a double holds it exactly or closely; else Rejected("out of range" or "not finite")."""
    if isinstance(value, int):
        if -LARGEST <= value <= LARGEST:
            return value
        raise Rejected("out of range")
    if not math.isfinite(value):
        raise Rejected("not finite")
    if abs(value) > LARGEST:
        raise Rejected("out of range")
    return value


def sum_of(values: list[Any]) -> Any:
    """The sum of numbers; None if there are none."""
    if not values:
        return None
    return checked(math.fsum(values) if any(isinstance(v, float) for v in values) else sum(values))


def _divide(x: Any, y: Any) -> Any:
    if y == 0:
        raise Rejected("division by zero")
    return x * 1.0 / y


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda x, y: checked(x + y),
    "-": lambda x, y: checked(x - y),
    "*": lambda x, y: checked(x * y),
    "/": lambda x, y: checked(_divide(x, y)),
}


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compared(op: str, left: Vector, right: Vector) -> list[bool | None]:
    """`left op right` row by row, None if a side is NULL. Refuses comparisons that rounding decides."""
    compare, xs, ys = _COMPARE[op], left.values, right.values
    if left.computed or right.computed:
        pairs = list(zip(xs, ys, strict=True))
        computed = max(left.computed, right.computed)
        for x, y in pairs:
            if x is not None and y is not None and near(x, y) and (x != y or undecided(x, y, computed)):
                raise Rejected("near numbers", op)
        if op in ("=", "<>") and any(isinstance(v, float) for pair in pairs for v in pair):
            raise Rejected("near numbers", "equality of computed decimals")
    try:
        if None in xs or None in ys:
            return [None if x is None or y is None else compare(x, y) for x, y in zip(xs, ys, strict=True)]
        return list(map(compare, xs, ys))
    except TypeError:
        raise Rejected("type mismatch", op) from None


Truths = list[bool | None]  # SQL's three truth values, one for each row


def conjunction(a: Truths, b: Truths) -> Truths:
    """AND, row by row."""
    if None in a or None in b:
        return list(map(both, a, b))
    return list(map(operator.and_, a, b))


def disjunction(a: Truths, b: Truths) -> Truths:
    """OR, row by row."""
    if None in a or None in b:
        return list(map(either, a, b))
    return list(map(operator.or_, a, b))


def both(a: bool | None, b: bool | None) -> bool | None:
    """AND of SQL's three truth values."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a: bool | None, b: bool | None) -> bool | None:
    """OR of SQL's three truth values."""
    if a or b:
        return True
    return None if a is None or b is None else False


def like(texts: Sequence[str | None], pattern: str, *, fold: bool = False) -> Truths:
    """`text LIKE pattern` for each text (None for NULL), letter by letter, or (`fold`) without regard to case."""
    if "_" in pattern:
        found = _pattern(pattern, fold).fullmatch
        return [None if text is None else found(text) is not None for text in texts]
    if fold:
        pattern = pattern.casefold()
        texts = [None if text is None else text.casefold() for text in texts]
    first, *rest = pattern.split("%")
    if not rest:
        return [None if text is None else text == first for text in texts]
    if len(rest) == 1 and not (first and rest[0]):
        last = rest[0]
        return [None if text is None else text.startswith(first) and text.endswith(last) for text in texts]
    if len(rest) == 2 and not first and not rest[1]:
        return [None if text is None else rest[0] in text for text in texts]
    return [None if text is None else _runs(text, first, rest) for text in texts]


def _runs(text: str, first: str, rest: Sequence[str]) -> bool:
    """Whether the runs of a pattern between its `%` occur in the text, in order. Linear: each run is taken at its first
    match and never reconsidered, which suffices to find a match if there is one.
    """
    start, stop = len(first), len(text) - len(rest[-1])
    if start > stop or not text.startswith(first) or not text.endswith(rest[-1]):
        return False
    for part in rest[:-1]:
        start = text.find(part, start, stop)
        if start < 0:
            return False
        start += len(part)
    return True


@lru_cache(maxsize=1024)
def _pattern(pattern: str, fold: bool) -> re.Pattern[str]:
    """A LIKE pattern with `_` as a regular expression; atomic groups keep it linear."""
    first, *middle = ["".join(["." if c == "_" else re.escape(c) for c in part]) for part in pattern.split("%")]
    body = first + "".join([f"(?>.*?{part})" for part in middle[:-1] if part])
    if middle:
        body += ".*" + middle[-1]
    return re.compile(body, re.DOTALL | (re.IGNORECASE if fold else 0))
