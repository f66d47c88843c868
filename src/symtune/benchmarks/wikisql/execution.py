r"""What a structured query of WikiSQL yields on its table, and when a predicted list of items is the same.

Reimplements the conversion of WikiSQL that TAPAS documents (Herzig et al. 2020; `tapas/utils/wikisql_utils.py` and
`text_utils.py` of google-research/tapas) and that TAPEX took over.

    query = Query.read({"sel": 1, "agg": 4, "conds": [[0, 0, "Oslo"]]}, width=2)   # SUM(column 1), column 0 is "Oslo"
    execute(query, [["Oslo", "1,000"], ["oslo", "7"]], ["text", "real"])           ->  ["1007"]
    same(["1007.0"], ["1,007"])                                                    ->  True

- Cells of a column of type `real`, and values compared with them, are numbers (`to_float`); all others are texts. Texts
  are compared as sequences of words and signs, ignoring case and white space: so "a-b" is "a - b", and the carriage
  return that ends many cells is ignored.
- A query yields the cells of its column in the rows that satisfy all conditions. From several rows, MAX and MIN yield
  the cell with the largest or smallest value. COUNT yields the number of rows. SUM and AVG yield a number; for several
  cells that are not all numbers, the cells.
- A comparison of a number with a text, and SUM or AVG of a single cell that is not a number, yield nothing.
- Two answers are the same if they have the same values, each equally often, in any order. A value is a number if
  `to_float` accepts the text ("1,000" is "1000.0"), else the text, ignoring case and white space.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeGuard

NONE, MAX, MIN, COUNT, SUM, AVG = range(6)
AGGREGATIONS = ("no aggregation", "max", "min", "count", "sum", "avg")
EQUALS, GREATER, LESS = range(3)
LONGEST = 400  # characters; a longer text is not a number
_WORDS = re.compile(r"\w+|[^\w\s]+")

Value = float | str


class NoAnswer(Exception):  # noqa: N818 - says what the result is
    """A query that yields nothing, because it treats a text as a number."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a query: the value of a column, compared with a value as it is written."""

    column: int
    operator: int
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """A structured query: the cells of a column in the rows that satisfy all conditions, aggregated."""

    column: int
    aggregation: int
    conditions: tuple[Condition, ...]

    @classmethod
    def read(cls, sql: Any, width: int) -> Query:
        """The query in a line's `sql`, over a table with `width` columns. Raises ValueError."""
        wanted = f"wanted sel, agg (0 to 5) and conds (lists of column, operator 0 to 2, value) over {width} columns"
        if not isinstance(sql, Mapping) or not isinstance(sql.get("conds"), list):
            raise ValueError(wanted)
        column, aggregation = sql.get("sel"), sql.get("agg")
        if not _below(column, width) or not _below(aggregation, len(AGGREGATIONS)):
            raise ValueError(f"got sel {column!r} and agg {aggregation!r}, {wanted}")
        conditions = []
        for found in sql["conds"]:
            if not isinstance(found, list) or len(found) != 3 or not isinstance(found[2], str | int | float):
                raise ValueError(f"got the condition {str(found)[:60]}, {wanted}")
            if not _below(found[0], width) or not _below(found[1], LESS + 1):
                raise ValueError(f"got the condition {str(found)[:60]}, {wanted}")
            conditions.append(Condition(found[0], found[1], str(found[2])))
        return cls(column, aggregation, tuple(conditions))


def _below(number: object, limit: int) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < limit


def execute(query: Query, rows: Sequence[Sequence[str]], types: Sequence[str]) -> list[str]:
    """The items that a query yields on a table, if any."""
    try:
        return _answer(query, rows, types)
    except NoAnswer:
        return []


def _answer(query: Query, rows: Sequence[Sequence[str]], types: Sequence[str]) -> list[str]:
    real = types[query.column] == "real"
    cells = [row[query.column] for row in rows if all(_meets(row, one, types) for one in query.conditions)]
    if query.aggregation == COUNT:
        return [str(len(cells))]
    if query.aggregation in (MAX, MIN) and len(cells) > 1:
        extreme = max if query.aggregation == MAX else min
        values = _comparable([_value(cell, real) for cell in cells])
        return [cells[extreme(range(len(cells)), key=lambda place: values[place])]]
    if query.aggregation not in (SUM, AVG) or not cells:
        return cells
    if len(cells) == 1:
        if to_float(cells[0]) is None:
            raise NoAnswer
        return cells
    numbers = [value for cell in cells if isinstance(value := _value(cell, real), float)]
    if len(numbers) < len(cells):
        return cells
    total = sum(numbers)
    return [_written(total if query.aggregation == SUM else total / len(numbers))]


def _meets(row: Sequence[str], condition: Condition, types: Sequence[str]) -> bool:
    real = types[condition.column] == "real"
    value, other = _value(row[condition.column], real), _value(condition.value, real)
    if isinstance(value, float) and isinstance(other, float):
        return value == other if condition.operator == EQUALS else _ordered(value, other, condition.operator)
    if isinstance(value, str) and isinstance(other, str):
        words, others = _words(value), _words(other)
        return words == others if condition.operator == EQUALS else _ordered(words, others, condition.operator)
    raise NoAnswer


def _ordered(value: Any, other: Any, operator: int) -> bool:
    return bool(value > other if operator == GREATER else value < other)


def _comparable(values: list[Value]) -> Any:
    """Values that are all numbers or all texts."""
    if len({type(value) for value in values}) > 1:
        raise NoAnswer
    return values


def _value(cell: str, real: bool) -> Value:
    number = to_float(cell) if real else None
    return cell if number is None else number


@lru_cache(maxsize=1 << 14)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(text.casefold()))


def _written(number: float) -> str:
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)


def to_float(text: str) -> float | None:
    """The number in a text, or None. If there are both commas and points, or if commas separate groups one of which has
    three digits, commas separate thousands; otherwise a single comma is a decimal point, and several commas or several
    points separate thousands. The rest is a number if Python accepts it; "nan" is not.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    commas = text.count(",")
    if commas == 1 and "." not in text and all(len(part) != 3 for part in text.split(",")):
        text = text.replace(",", ".")
    elif commas:
        text = text.replace(",", "")
    elif text.count(".") > 1:
        text = text.replace(".", "")
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


@lru_cache(maxsize=1 << 14)
def meaning(item: str) -> Value:
    """An item, in the form in which it is compared with others."""
    number = to_float(item)
    return " ".join(item.casefold().split()) if number is None else number


def same(items: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two lists of items are the same answer."""
    return len(items) == len(others) and Counter(map(meaning, items)) == Counter(map(meaning, others))
