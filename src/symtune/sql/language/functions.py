"""Functions, aggregates and window functions: one record for each, which is all that the rest of sql/ knows about it.

`RECORDS` is the table. A line added there serves the bounds, the parser, the types, the evaluator, the SQL of both
engines, the measures and the templates; what remains is to draw it (`sql/sampling/programs.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlglot import exp

from symtune.sql.language.operations import compared, sum_of
from symtune.sql.language.records import (
    ANY,
    DATE,
    NUMBER,
    ORDERED,
    SAME,
    TEXT,
    Aggregate,
    Argument,
    Function,
    Record,
    Window,
)
from symtune.sql.language.vectors import Vector
from symtune.sql.language.windows import dense_rank, over, rank, row_number, shift
from symtune.types import Rejected

# ------------------------------------------------------------------------------------------------- functions


def each(apply: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Apply row by row; NULL if an argument is NULL."""

    def evaluate(*args: Vector) -> list[Any]:
        if len(args) == 1:
            return [None if value is None else apply(value) for value in args[0].values]
        return [None if None in row else apply(*row) for row in zip(*[arg.values for arg in args], strict=True)]

    return evaluate


def _ascii(text: str) -> str:
    if not text.isascii():
        raise Rejected("letter case", "letters beyond ASCII")
    return text


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Rejected("bad date", text) from None


def _substr(text: str, start: int, length: int) -> str:
    if start < 1 or length < 0:
        raise Rejected("out of range", "SUBSTR")
    return text[start - 1 : start - 1 + length]


def _coalesced(*args: Vector) -> list[Any]:
    rows = zip(*[arg.values for arg in args], strict=True)
    return [next((value for value in row if value is not None), None) for row in rows]


def _null_if(value: Vector, other: Vector) -> list[Any]:
    return [None if hit else x for hit, x in zip(compared("=", value, other), value.values, strict=True)]


def _rounded(numbers: Vector, places: Vector | None = None) -> list[Any]:
    digits = places.values[0] if places is not None and places.values else 0
    return [_round(x, digits) if isinstance(x, float) else x for x in numbers.values]


def _round(x: float, digits: int) -> int | float:
    """Engines differ on halves: as a double, 2.675 is below the half; as printed, it is one. On all other numbers they
    agree, and return the double nearest to the decimal.
    """
    scaled = abs(x) * 10.0**digits
    if abs(scaled % 1 - 0.5) <= max(1e-9, 1e-12 * scaled):
        raise Rejected("near numbers", "ROUND of a half")
    return round(x, digits) if digits else round(x)


def _rounding(node: Any) -> list[Any]:
    places = node.args.get("decimals")
    return [node.this] if places is None else [node.this, places]


def _several(node: Any) -> list[Any] | None:
    return [node.this, *node.expressions] if node.expressions else None


def _pair(node: Any) -> list[Any]:
    return [node.this, node.expression]


def _substring(node: Any) -> list[Any] | None:
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    return None if None in parts else parts


DATE_PARTS = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d"}  # and the strftime format that reads it


def _date_part(name: str, read: Callable[[date], int]) -> Function:
    form = DATE_PARTS[name]

    def arguments(node: Any) -> list[Any] | None:
        """CAST(strftime(form, date) AS INTEGER)"""
        inner = node.this
        if node.to.this != exp.DataType.Type.INT or not isinstance(inner, exp.TimeToStr):
            return None
        read_as_date = isinstance(inner.this, exp.TsOrDsToTimestamp) and inner.args["format"].this == form
        return [inner.this.this] if read_as_date else None

    return Function(
        name=name,
        nodes=(exp.Cast,),
        takes=(DATE,),
        gives="number",
        construct="date function",
        arguments=arguments,
        calls=("cast", "strftime"),
        evaluate=each(lambda text: read(_date(text))),
        sqlite=f"CAST(strftime('{form}', {{0}}) AS INTEGER)",
        duckdb=f"{name.lower()}(CAST({{0}} AS DATE))",
    )


def _days(node: Any) -> list[Any] | None:
    """julianday(a) - julianday(b), with or without the CAST to a whole number."""
    if isinstance(node, exp.Cast):
        return _days(node.this) if node.to.this == exp.DataType.Type.INT and isinstance(node.this, exp.Sub) else None
    sides = [node.this, node.expression]
    whole = all(isinstance(s, exp.Anonymous) and s.name.lower() == "julianday" for s in sides)
    return [side.expressions[0] for side in sides] if whole and all(len(s.expressions) == 1 for s in sides) else None


# ------------------------------------------------------------------------------------ aggregates and windows


def _counted(node: Any) -> list[Any]:
    return [] if isinstance(node.this, exp.Star) else [node.this]


def _without(node: Any) -> list[Any]:
    return []


def _neighbour(node: Any) -> list[Any] | None:
    return None if node.args.get("offset") or node.args.get("default") else [node.this]


# ------------------------------------------------------------------------------------------------- the table

_STRING, _WINDOW = "string function", "window function"

RECORDS: tuple[Record, ...] = (
    Function(name="LENGTH", nodes=(exp.Length,), takes=(TEXT,), gives="number", construct=_STRING, evaluate=each(len)),
    Function(
        name="UPPER",
        nodes=(exp.Upper,),
        takes=(TEXT,),
        gives="text",
        construct=_STRING,
        evaluate=each(lambda text: _ascii(text).upper()),
    ),
    Function(
        name="LOWER",
        nodes=(exp.Lower,),
        takes=(TEXT,),
        gives="text",
        construct=_STRING,
        evaluate=each(lambda text: _ascii(text).lower()),
    ),
    Function(
        name="SUBSTR",
        nodes=(exp.Substring,),
        takes=(
            TEXT,
            Argument(whole=range(1, 10**9)),
            Argument(whole=range(10**9)),
        ),  # a start below 1 counts positions outside the text
        gives="text",
        construct=_STRING,
        arguments=_substring,
        calls=("substr", "substring"),
        evaluate=each(_substr),
    ),
    Function(name="ABS", nodes=(exp.Abs,), takes=(NUMBER,), gives="number", evaluate=each(abs)),
    Function(
        name="ROUND",
        nodes=(exp.Round,),
        takes=(NUMBER, Argument(whole=range(10))),  # beyond nine places, doubles are no longer what was meant
        gives="number",
        arguments=_rounding,
        evaluate=_rounded,
    ),
    Function(
        name="COALESCE",
        nodes=(exp.Coalesce,),
        takes=(ANY, SAME),
        arguments=_several,
        calls=("coalesce", "ifnull"),
        evaluate=_coalesced,
    ),
    Function(name="NULLIF", nodes=(exp.Nullif,), takes=(ANY, SAME), arguments=_pair, evaluate=_null_if),
    _date_part("YEAR", lambda day: day.year),
    _date_part("MONTH", lambda day: day.month),
    _date_part("DAY", lambda day: day.day),
    Function(
        name="DAYS",
        nodes=(exp.Cast, exp.Sub),
        takes=(DATE, DATE),
        gives="number",
        construct="date function",
        arguments=_days,
        calls=("cast", "julianday"),
        evaluate=each(lambda a, b: (_date(a) - _date(b)).days),
        sqlite="CAST(julianday({0}) - julianday({1}) AS INTEGER)",
        duckdb="date_diff('day', CAST({1} AS DATE), CAST({0} AS DATE))",
    ),
    Aggregate(name="COUNT", nodes=(exp.Count,), gives="number", arguments=_counted, evaluate=len),
    Aggregate(name="SUM", nodes=(exp.Sum,), takes=(NUMBER,), gives="number", evaluate=sum_of, sums=True),
    Aggregate(
        name="AVG",
        nodes=(exp.Avg,),
        takes=(NUMBER,),
        gives="number",
        evaluate=lambda values: sum_of(values) / len(values) if values else None,
        sums=True,
    ),
    Aggregate(
        name="MIN",
        nodes=(exp.Min,),
        takes=(ORDERED,),
        evaluate=lambda values: min(values, default=None),
        cells=True,
    ),
    Aggregate(
        name="MAX",
        nodes=(exp.Max,),
        takes=(ORDERED,),
        evaluate=lambda values: max(values, default=None),
        cells=True,
    ),
    Window(
        name="ROW_NUMBER",
        nodes=(exp.RowNumber,),
        takes=(),
        gives="number",
        construct=_WINDOW,
        arguments=_without,
        evaluate=row_number,
    ),
    Window(
        name="RANK", nodes=(exp.Rank,), takes=(), gives="number", construct=_WINDOW, arguments=_without, evaluate=rank
    ),
    Window(
        name="DENSE_RANK", nodes=(exp.DenseRank,), takes=(), gives="number", arguments=_without, evaluate=dense_rank
    ),
    Window(name="LAG", nodes=(exp.Lag,), construct=_WINDOW, arguments=_neighbour, evaluate=shift(-1), cells=True),
    Window(name="LEAD", nodes=(exp.Lead,), construct=_WINDOW, arguments=_neighbour, evaluate=shift(1), cells=True),
    Window(
        name="SUM",
        nodes=(exp.Sum,),
        takes=(NUMBER,),
        gives="number",
        construct=_WINDOW,
        evaluate=over(sum_of),
        sums=True,
    ),
    Window(name="COUNT", nodes=(exp.Count,), gives="number", construct=_WINDOW, arguments=_counted, evaluate=over(len)),
)

FUNCTIONS: dict[str, Function] = {record.name: record for record in RECORDS if isinstance(record, Function)}
AGGREGATES: dict[str, Aggregate] = {record.name: record for record in RECORDS if isinstance(record, Aggregate)}
WINDOWS: dict[str, Window] = {record.name: record for record in RECORDS if isinstance(record, Window)}
AGGREGATE_NODES: dict[type, Aggregate] = {node: record for record in AGGREGATES.values() for node in record.nodes}
WINDOW_NODES: dict[type, Window] = {node: record for record in WINDOWS.values() for node in record.nodes}
_FUNCTION_NODES = {node for record in FUNCTIONS.values() for node in record.nodes}


def function_of(node: Any) -> tuple[Function, list[Any]] | None:
    """The function that one of sqlglot's nodes calls, and its arguments; None if it is not one of our functions."""
    if type(node) not in _FUNCTION_NODES:
        return None
    for record in FUNCTIONS.values():
        if type(node) in record.nodes and (found := record.arguments(node)) is not None:
            return record, found
    return None


def call_of(node: Any) -> tuple[Record, list[Any]] | None:
    """The same for every call: of a function, an aggregate or a window function."""
    for nodes in (AGGREGATE_NODES, WINDOW_NODES):
        if (record := nodes.get(type(node))) and (found := record.arguments(node)) is not None:
            return record, found
    return function_of(node)
