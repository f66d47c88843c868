"""Faults to plant in the evaluator, for tests/test_sql_faults.py: name -> what is replaced, by a mistake people make.

Each entry is (where, name or key, replacement). `where` is a module (an attribute is replaced) or a dict (an entry is).
A replacement may call the real thing.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

from symtune.sql.language import evaluator as e
from symtune.sql.language import expressions as x
from symtune.sql.language import functions as f
from symtune.sql.language import operations as o
from symtune.sql.language import tree as t
from symtune.sql.language import windows as w
from symtune.sql.language.type_rules import type_of
from symtune.sql.language.vectors import Frame, Vector

Fault = list[tuple[Any, Any, Any]]
_group = e._group
_eval, _windows, _arithmetic = dict(x.EVALUATE), dict(f.WINDOWS), dict(o.ARITHMETIC)
_functions = {name: record.evaluate for name, record in f.FUNCTIONS.items()}
_select_query = e._select


def _record(table: dict[str, Any], name: str, evaluate: Any) -> tuple[Any, Any, Any]:
    """A function, aggregate or window function that is evaluated differently."""
    return table, name, replace(table[name], evaluate=evaluate)


def _function(name: str, apply: Any) -> tuple[Any, Any, Any]:
    return _record(f.FUNCTIONS, name, f.each(apply))


def _taken_for(table: dict[str, Any], **names: str) -> Fault:
    """Functions that are evaluated like others."""
    return [_record(table, name, table[other].evaluate) for name, other in names.items()]


def _bools(kind: type, change: Any) -> Fault:
    """A condition whose outcomes are changed value by value."""

    def faulty(expr: Any, frame: Frame) -> Vector:
        return Vector([change(v) for v in _eval[kind](expr, frame).values], "bool")

    return [(x.EVALUATE, kind, faulty)]


def _rewritten(kind: type, **changes: Any) -> Fault:
    """A node that is read as another: a field is replaced by a function of the node."""

    def faulty(expr: Any, frame: Frame) -> Vector:
        values = {name: getattr(expr, name) for name in expr.__struct_fields__}
        values.update({name: change(expr) for name, change in changes.items()})
        return _eval[kind](kind(**values), frame)

    return [(x.EVALUATE, kind, faulty)]


def _clause(**changes: Any) -> Fault:
    """A query whose clause is read as another."""

    def faulty(q: t.Select, *rest: Any) -> Any:
        values = {name: getattr(q, name) for name in q.__struct_fields__}
        values.update({name: change(q) for name, change in changes.items()})
        return _select_query(t.Select(**values), *rest)

    return [(e, "_select", faulty)]


def _nulls_are(value: Any) -> Fault:
    """NULL counts as a value in comparisons."""

    def faulty(op: str, left: Vector, right: Vector) -> list[bool | None]:
        filled = [
            Vector([value(v.type) if x is None else x for x in v.values], v.type, None, v.computed)
            for v in (left, right)
        ]
        return o.compared(op, *filled)

    return [(x, "compared", faulty)]


def _not_is_python(expr: t.Not, frame: Frame) -> Vector:
    return Vector([not v for v in x.eval_expr(expr.part, frame).values], "bool")


def _zero(kind: str) -> Any:
    return 0 if kind == "number" else ""


def _counts_nulls(expr: Any, frame: Frame) -> Vector:
    if expr.name == "COUNT" and not expr.distinct:
        expr = t.Aggregate("COUNT")
    return _eval[t.Aggregate](expr, frame)


def _average_of_all(expr: Any, frame: Frame) -> Vector:
    found = _eval[t.Aggregate](expr, frame)
    if expr.name != "AVG" or frame.groups is None:
        return found
    known = _eval[t.Aggregate](t.Aggregate("COUNT", expr.arg), frame)
    out = [
        None if x is None else x * n / len(group)
        for x, n, group in zip(found.values, known.values, frame.groups, strict=True)
    ]
    return Vector(out, "number", None, 2)


def _rank_by_position(order: list[int], keys: Any, arg: Any, values: list[Any], texts: Any) -> None:
    for position, i in enumerate(order):
        values[i] = position + 1


def _whole_sum(order: list[int], keys: Any, arg: Vector, values: list[Any], texts: Any) -> None:
    _windows["SUM"].evaluate(order, (), arg, values, texts)


def _no_ties(q: t.Select, columns: Any, keys: Any, size: int) -> list[int]:
    start, stop = q.offset, size if q.limit is None else q.offset + q.limit
    directions = [order.direction for order in q.order]
    return (e.sort_index(keys, directions, size) if q.order else list(range(size)))[start:stop]


def _nulls_sort_last(keys: Any, directions: Any, size: int) -> list[int]:
    index = list(range(size))
    for key, direction in reversed(list(zip(keys, directions, strict=True))):
        down = direction == "DESC"
        known = [i for i in index if key.values[i] is not None]
        known.sort(key=key.values.__getitem__, reverse=down)
        index = known + [i for i in index if key.values[i] is None]
    return index


def _group_without_null(q: t.Select, frame: Frame) -> Frame:
    found = _group(q, frame)
    if not q.group:
        return found
    keys = [x.eval_expr(expr, frame).values for expr in q.group]
    kept = [group for group in found.groups or [] if all(key[group[0]] is not None for key in keys)]
    return frame.grouped(kept, q.group)


def _cross_join(join: t.Join, database: Any, outer: Any) -> Any:
    always = t.Compare("=", t.Constant(1, "number"), t.Constant(1, "number"))
    return _real_join(t.Join(join.left, join.right, always), database, outer)


_real_join = e._join


def _not_in_forgets_null(expr: Any, frame: Frame) -> Vector:
    plain = type(expr)(*[getattr(expr, n) if n != "negated" else False for n in expr.__struct_fields__])
    values = _eval[type(expr)](plain, frame).values
    return Vector([(v is not True) is expr.negated for v in values], "bool")


def _like(change: Any, flags: int = 0) -> Fault:
    """LIKE that reads its pattern differently, and does not check letter case."""

    def faulty(texts: Any, pattern: str, *, fold: bool = False) -> Any:
        found = re.compile(change(pattern), re.DOTALL | flags)
        return [None if text is None else found.fullmatch(text) is not None for text in texts]

    return [(x, "like", faulty)]


def _regex(pattern: str, one: str = ".", many: str = ".*") -> str:
    return "".join(many if c == "%" else one if c == "_" else re.escape(c) for c in pattern)


def _case_last(expr: t.Case, frame: Frame) -> Vector:
    return _eval[t.Case](t.Case(expr.whens[::-1], expr.default), frame)


def _null_if_unequal(value: Vector, other: Vector) -> list[Any]:
    return [v if v == x else None for v, x in zip(value.values, other.values, strict=True)]


def _scaled(value: float, places: Vector | None, change: Any) -> Any:
    power = 10 ** (places.values[0] if places is not None and places.values else 0)
    return change(value * power) / power


def _rounding(change: Any) -> Any:
    def faulty(numbers: Vector, places: Vector | None = None) -> list[Any]:
        return [None if v is None else _scaled(v, places, change) for v in numbers.values]

    return faulty


def _integer_division(x: Any, y: Any) -> Any:
    return x // y if isinstance(x, int) and isinstance(y, int) and y else _arithmetic["/"](x, y)


def _except_keeps_duplicates(q: t.SetQuery, database: Any, outer: Any) -> Any:
    if q.op != "EXCEPT":
        return _real_set(q, database, outer)
    left, right = e._query(q.left, database, outer), e._query(q.right, database, outer)
    gone = set(right.rows())
    index = [i for i, row in enumerate(left.rows()) if row not in gone]
    return e.Relation(left.names, tuple(v.take(index) for v in left.columns), len(index))


def _union_all(q: t.SetQuery, database: Any, outer: Any) -> Any:
    if q.op != "UNION" or len(q.left.items) != len(q.right.items):
        return _real_set(q, database, outer)
    left, right = e._query(q.left, database, outer), e._query(q.right, database, outer)
    columns = [
        Vector(a.values + b.values, a.type, a.texts + b.texts if a.texts and b.texts else None)
        for a, b in zip(left.columns, right.columns, strict=True)
    ]
    return e.Relation(left.names, tuple(columns), left.size + right.size)


_real_set = e._set_query


def _lenient_scalar(expr: t.ScalarQuery, frame: Frame) -> Vector:
    found = x._rows_of(expr.query, frame)
    return Vector([r.columns[0].values[0] if r.size else None for r in found], type_of(expr))


FAULTS: dict[str, Fault] = {
    "< is read as <=": [(o._COMPARE, "<", lambda x, y: x <= y)],
    "<= is read as <": [(o._COMPARE, "<=", lambda x, y: x < y)],
    "> is read as >=": [(o._COMPARE, ">", lambda x, y: x >= y)],
    ">= is read as >": [(o._COMPARE, ">=", lambda x, y: x > y)],
    "<> is read as =": [(o._COMPARE, "<>", lambda x, y: x == y)],
    "numbers compare as texts": [(o._COMPARE, "<", lambda x, y: str(x) < str(y))],
    "NULL compares as zero": _nulls_are(_zero),
    "NOT NULL is true": [(x.EVALUATE, t.Not, _not_is_python)],
    "NULL is true in WHERE": _bools(t.Compare, lambda v: v is not False),
    "NULL OR true is NULL": [(o, "either", lambda a, b: None if a is None or b is None else a or b)],
    "NULL AND false is NULL": [(o, "both", lambda a, b: None if a is None or b is None else a and b)],
    "AND is read as OR": _rewritten(t.Logic, op=lambda x: "OR"),
    "OR is read as AND": _rewritten(t.Logic, op=lambda x: "AND"),
    "IS NULL is negated": _rewritten(t.IsNull, negated=lambda x: not x.negated),
    "BETWEEN leaves out its upper bound": [
        (x.EVALUATE, t.Between, lambda node, frame: x._logic(
            t.Logic("AND", (t.Compare(">=", node.expr, node.low), t.Compare("<", node.expr, node.high))), frame))
    ],
    "BETWEEN leaves out its lower bound": [
        (x.EVALUATE, t.Between, lambda node, frame: x._logic(
            t.Logic("AND", (t.Compare(">", node.expr, node.low), t.Compare("<=", node.expr, node.high))), frame))
    ],
    "IN reads its first item only": _rewritten(t.InList, items=lambda x: x.items[:1]),
    "NOT IN forgets NULL in the value": [(x.EVALUATE, t.InList, _not_in_forgets_null)],
    "NOT IN forgets NULL in the subquery": [(x.EVALUATE, t.InQuery, _not_in_forgets_null)],
    "NOT EXISTS is read as EXISTS": _rewritten(t.Exists, negated=lambda x: False),
    "LIKE reads _ as %": _like(lambda p: _regex(p, one=".*")),
    "LIKE reads _ as itself": _like(lambda p: _regex(p, one="_")),
    "LIKE % needs a character": _like(lambda p: _regex(p, many=".+")),
    "LIKE folds letters beyond ASCII": _like(_regex, re.IGNORECASE),
    "LIKE never folds case": _like(_regex),
    "UPPER is LOWER": _taken_for(f.FUNCTIONS, UPPER="LOWER"),
    "UPPER folds letters beyond ASCII": [_function("UPPER", str.upper)],
    "SUBSTR counts from zero": [_function("SUBSTR", lambda s, start, n: s[start : start + n])],
    "SUBSTR takes an end": [_function("SUBSTR", lambda s, start, n: s[start - 1 : n])],
    "LENGTH in bytes": [_function("LENGTH", lambda s: len(s.encode()))],
    "ABS keeps the sign": [_function("ABS", lambda x: x)],
    "COALESCE takes the last": [_record(f.FUNCTIONS, "COALESCE", lambda *args: _functions["COALESCE"](*args[::-1]))],
    "COALESCE reads no further than its first": [_record(f.FUNCTIONS, "COALESCE", lambda *args: args[0].values)],
    "NULLIF is read as COALESCE": _taken_for(f.FUNCTIONS, NULLIF="COALESCE"),
    "NULLIF keeps what is equal": [_record(f.FUNCTIONS, "NULLIF", _null_if_unequal)],
    "NULLIF never finds NULL": [_record(f.FUNCTIONS, "NULLIF", lambda value, other: value.values)],
    "ROUND cuts off": [_record(f.FUNCTIONS, "ROUND", _rounding(math.trunc))],
    "ROUND rounds down": [_record(f.FUNCTIONS, "ROUND", _rounding(math.floor))],
    "ROUND ignores its places": [_record(f.FUNCTIONS, "ROUND", lambda numbers, *_: _functions["ROUND"](numbers))],
    "ROUND rounds a half to even": [_record(f.FUNCTIONS, "ROUND", _rounding(round))],
    "YEAR and MONTH are swapped": _taken_for(f.FUNCTIONS, YEAR="MONTH", MONTH="YEAR"),
    "DAY is MONTH": _taken_for(f.FUNCTIONS, DAY="MONTH"),
    "DAYS has the other sign": [_function("DAYS", lambda a, b: (f._date(b) - f._date(a)).days)],
    "DAYS counts both ends": [_function("DAYS", lambda a, b: (f._date(a) - f._date(b)).days + 1)],
    "- is read from the right": [(o.ARITHMETIC, "-", lambda x, y: y - x)],
    "division of integers drops the rest": [(o.ARITHMETIC, "/", _integer_division)],
    "division by zero is zero": [(o.ARITHMETIC, "/", lambda x, y: x / y if y else 0)],
    "concatenation in the other order": [
        (x.EVALUATE, t.Concat, lambda x, frame: _eval[t.Concat](t.Concat(x.right, x.left), frame))
    ],
    "COUNT(column) counts NULL": [(x.EVALUATE, t.Aggregate, _counts_nulls)],
    "COUNT(DISTINCT) ignores DISTINCT": _rewritten(t.Aggregate, distinct=lambda x: False),
    "every aggregate is DISTINCT": _rewritten(t.Aggregate, distinct=lambda x: x.arg is not None),
    "SUM of nothing is 0": [_record(f.AGGREGATES, "SUM", lambda values: sum(values))],
    "AVG divides by all rows": [(x.EVALUATE, t.Aggregate, _average_of_all)],
    "AVG is rounded down": [_record(f.AGGREGATES, "AVG", lambda v: sum(v) // len(v) if v else None)],
    "MIN and MAX are swapped": _taken_for(f.AGGREGATES, MIN="MAX", MAX="MIN"),
    "MIN is the first": [_record(f.AGGREGATES, "MIN", lambda v: v[0] if v else None)],
    "WHERE is ignored": _clause(where=lambda q: None),
    "DISTINCT is ignored": _clause(distinct=lambda q: False),
    "DESC is ignored": _clause(order=lambda q: tuple(t.Order(o.expr) for o in q.order)),
    "the second sort key is ignored": [(m, "sort_index", lambda k, d, n: f_sort(k[:1], d[:1], n)) for m in (e, x)],
    "ties are ignored": [(e, "_order", _no_ties)],
    "NULL sorts last": [(m, "sort_index", _nulls_sort_last) for m in (e, x)],
    "LIMIT is one too many": _clause(limit=lambda q: None if q.limit is None else q.limit + 1),
    "LIMIT is one too few": _clause(limit=lambda q: None if q.limit is None else max(q.limit - 1, 1)),
    "OFFSET is ignored": _clause(offset=lambda q: 0),
    "HAVING is ignored": _clause(having=lambda q: None),
    "GROUP BY leaves out NULL": [(e, "_group", _group_without_null)],
    "UNION keeps duplicates": [(e, "_set_query", _union_all)],
    "UNION ALL removes duplicates": [
        (e, "_set_query", lambda q, *rest: _real_set(t.SetQuery(q.op.split()[0], q.left, q.right), *rest))
    ],
    "UNION ALL forgets its right side": [
        (e, "_set_query", lambda q, *rest: e._query(q.left, *rest) if q.op == "UNION ALL" else _real_set(q, *rest))
    ],
    "EXCEPT keeps duplicates": [(e, "_set_query", _except_keeps_duplicates)],
    "INTERSECT is read as UNION": [
        (e, "_set_query", lambda q, *rest: _real_set(t.SetQuery("UNION", q.left, q.right), *rest))
    ],
    "EXCEPT is read from the right": [
        (e, "_set_query", lambda q, *rest: _real_set(
            t.SetQuery(q.op, q.right, q.left) if q.op == "EXCEPT" else q, *rest))
    ],
    "the join is a cross product": [(e, "_join", _cross_join)],
    "a subquery of several rows gives its first": [(x.EVALUATE, t.ScalarQuery, _lenient_scalar)],
    "CASE takes the last that holds": [(x.EVALUATE, t.Case, _case_last)],
    "LAG and LEAD are swapped": _taken_for(f.WINDOWS, LAG="LEAD", LEAD="LAG"),
    "RANK leaves no gaps": _taken_for(f.WINDOWS, RANK="DENSE_RANK"),
    "DENSE_RANK leaves gaps": _taken_for(f.WINDOWS, DENSE_RANK="RANK"),
    "DENSE_RANK ignores ties": [_record(f.WINDOWS, "DENSE_RANK", _rank_by_position)],
    "RANK ignores ties": [_record(f.WINDOWS, "RANK", _rank_by_position)],
    "a running sum is the whole sum": [_record(f.WINDOWS, "SUM", _whole_sum)],
    "PARTITION BY is ignored": _rewritten(t.Window, partition=lambda x: ()),
    "window functions ignore ties": [(w, "no_ties", lambda order, keys: None)],
    "decimals are rounded to one place": [
        (o.ARITHMETIC, "*", lambda x, y: round(_arithmetic["*"](x, y), 1)),
        (o.ARITHMETIC, "/", lambda x, y: round(_arithmetic["/"](x, y), 1)),
    ],
}  # fmt: skip

f_sort = e.sort_index
