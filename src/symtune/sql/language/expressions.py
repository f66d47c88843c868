"""Expressions over a frame of rows: what each node of the tree without a query of its own is worth.

`eval_expr` gives a `Vector`, one value a row (or group). Nodes that hold a query (IN, EXISTS, a scalar subquery) are
evaluated in `sql/language/evaluator.py`, which adds them to the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.functions import (
    AGGREGATES,
    ARITHMETIC,
    FUNCTIONS,
    WINDOWS,
    compared,
    conjunction,
    disjunction,
    either,
    like,
)
from symtune.sql.language.vectors import ROUNDED, SUMMED, Frame, Vector, sort_index
from symtune.types import Rejected


def eval_expr(expr: t.Expr, frame: Frame) -> Vector:
    """The value of an expression on every row (or group) of the frame."""
    if frame.groups is not None and expr in frame.keys:
        return _key(expr, frame, frame.groups)
    return EVALUATE[type(expr)](expr, frame)


def _column(expr: t.Column, frame: Frame) -> Vector:
    if frame.groups is None:
        return frame.column(expr.table, expr.name)
    if frame.find(expr.table, expr.name) is None:
        return frame.from_outside(expr.table, expr.name)
    raise Rejected("bare column", expr.name)


def _key(expr: t.Expr, frame: Frame, groups: list[list[int]]) -> Vector:
    """What is grouped by: the same on all rows of a group."""
    whole = eval_expr(expr, frame.rows())
    if whole.texts is not None and any(len({whole.texts[i] for i in group}) > 1 for group in groups if len(group) > 1):
        raise Rejected("several texts")
    return whole.take([group[0] for group in groups])


def _constant(expr: t.Constant, frame: Frame) -> Vector:
    return Vector([expr.value] * frame.size, expr.type)


def _arithmetic(expr: t.Arithmetic, frame: Frame) -> Vector:
    left, right = eval_expr(expr.left, frame), eval_expr(expr.right, frame)
    apply = ARITHMETIC[expr.op]
    values = [None if x is None or y is None else apply(x, y) for x, y in zip(left.values, right.values, strict=True)]
    rounded = ROUNDED if any(isinstance(v, float) for v in values) else 0
    return Vector(values, "number", None, max(left.computed, right.computed, rounded))


def _concat(expr: t.Concat, frame: Frame) -> Vector:
    left, right = eval_expr(expr.left, frame), eval_expr(expr.right, frame)
    pairs = zip(left.values, right.values, strict=True)
    return Vector([None if x is None or y is None else x + y for x, y in pairs], "text")


def _function(expr: t.Function, frame: Frame) -> Vector:
    args = [eval_expr(arg, frame) for arg in expr.args]
    apply = FUNCTIONS[expr.name]
    rows = zip(*(arg.values for arg in args), strict=True)
    values = [None if None in row else apply(*row) for row in rows]
    return Vector(values, expr.type, None, max([arg.computed for arg in args]))


def _aggregate(expr: t.Aggregate, frame: Frame) -> Vector:
    if frame.groups is None:
        raise Rejected("misplaced aggregate", expr.name)
    if expr.arg is None:
        return Vector([len(group) for group in frame.groups], "number")
    arg = eval_expr(expr.arg, frame.rows())
    apply, out = AGGREGATES[expr.name], []
    if expr.distinct and arg.computed:
        raise Rejected("near numbers", "DISTINCT over a computed decimal")
    for group in frame.groups:
        values = [v for v in (arg.values[i] for i in group) if v is not None]
        out.append(apply(list(dict.fromkeys(values)) if expr.distinct else values))
    return Vector(out, expr.type, None, _summed(expr, arg, out))


def _summed(expr: t.Aggregate | t.Window, arg: Vector, out: list[Any]) -> int:
    """How what SUM or AVG yields was computed: of decimals it is a sum of these, of integers a quotient at most."""
    if expr.name not in ("SUM", "AVG"):
        return arg.computed
    if any(isinstance(v, float) for v in arg.values):
        return SUMMED
    return max(arg.computed, ROUNDED if any(isinstance(v, float) for v in out) else 0)


def _window(expr: t.Window, frame: Frame) -> Vector:
    if frame.groups is not None:
        raise Rejected("misplaced window")
    parts: dict[tuple[Any, ...], list[int]] = {}
    partition = [eval_expr(e, frame) for e in expr.partition]
    if any(key.computed for key in partition):
        raise Rejected("near numbers", "PARTITION BY a computed decimal")
    for i in range(frame.size):
        parts.setdefault(tuple([p.values[i] for p in partition]), []).append(i)
    arg = None if expr.arg is None else eval_expr(expr.arg, frame)
    keys = [eval_expr(order.expr, frame) for order in expr.order]
    directions = [order.direction for order in expr.order]
    values: list[Any] = [None] * frame.size
    texts: list[str] | None = None
    if arg is not None and arg.texts is not None and expr.name in ("LAG", "LEAD"):
        texts = [""] * frame.size
    for members in parts.values():
        local = [key.take(members) for key in keys]
        order = [members[i] for i in sort_index(local, directions, len(members))]
        WINDOWS[expr.name](order, keys, arg, values, texts)
    return Vector(values, expr.type, texts, 0 if arg is None else _summed(expr, arg, values))


def _compare(expr: t.Compare, frame: Frame) -> Vector:
    return Vector(compared(expr.op, eval_expr(expr.left, frame), eval_expr(expr.right, frame)), "bool")


def _between(expr: t.Between, frame: Frame) -> Vector:
    value = eval_expr(expr.expr, frame)
    low = compared(">=", value, eval_expr(expr.low, frame))
    high = compared("<=", value, eval_expr(expr.high, frame))
    return Vector(conjunction(low, high), "bool")


def _member(value: Vector, options: list[Vector], row: int, negated: bool) -> bool | None:
    found: bool | None = False
    x = value.values[row]
    for option in options:
        y = option.values[row]
        found = either(found, None if x is None or y is None else x == y)
    return found if found is None or not negated else not found


def _check_exact(vector: Vector) -> None:
    """Refuse to ask whether computed decimals equal anything."""
    if vector.computed and any(isinstance(v, float) for v in vector.values):
        raise Rejected("near numbers", "IN")


def _in_list(expr: t.InList, frame: Frame) -> Vector:
    value = eval_expr(expr.expr, frame)
    _check_exact(value)
    if all(isinstance(item, t.Constant) for item in expr.items):
        known = {item.value for item in expr.items if isinstance(item, t.Constant)}
        return Vector([None if x is None else (x in known) is not expr.negated for x in value.values], "bool")
    options = [eval_expr(item, frame) for item in expr.items]
    for option in options:
        _check_exact(option)
    return Vector([_member(value, options, i, expr.negated) for i in range(frame.size)], "bool")


def _like(expr: t.Like, frame: Frame) -> Vector:
    texts = eval_expr(expr.expr, frame).values
    hits = like(texts, expr.pattern)
    # SQLite's LIKE folds ASCII case, DuckDB's folds none: only patterns that match alike have one answer.
    if hits != like(texts, expr.pattern, fold=True):
        raise Rejected("letter case", "LIKE")
    return Vector([None if hit is None else not hit for hit in hits] if expr.negated else hits, "bool")


def _is_null(expr: t.IsNull, frame: Frame) -> Vector:
    return Vector([(v is None) is not expr.negated for v in eval_expr(expr.expr, frame).values], "bool")


def _logic(expr: t.Logic, frame: Frame) -> Vector:
    join = conjunction if expr.op == "AND" else disjunction
    parts = [eval_expr(part, frame).values for part in expr.parts]
    out = parts[0]
    for part in parts[1:]:
        out = join(out, part)
    return Vector(out, "bool")


def _not(expr: t.Not, frame: Frame) -> Vector:
    return Vector([None if v is None else not v for v in eval_expr(expr.part, frame).values], "bool")


def _case(expr: t.Case, frame: Frame) -> Vector:
    whens = [(eval_expr(c, frame).values, eval_expr(v, frame)) for c, v in expr.whens]
    default = eval_expr(expr.default, frame)
    vectors = [vector for _, vector in whens] + [default]
    shown = all(vector.texts is not None for vector in vectors)
    if not shown and any(vector.texts is not None and vector.type != "text" for vector in vectors):
        raise Rejected("several texts", "a cell and a computed value in one column")
    values: list[Any] = []
    texts: list[str] = []
    for i in range(frame.size):
        chosen = next((vector for hits, vector in whens if hits[i]), default)
        values.append(chosen.values[i])
        if shown and chosen.texts is not None:
            texts.append(chosen.texts[i])
    return Vector(values, expr.type, texts if shown else None, max([v.computed for v in vectors]))


EVALUATE: dict[type[t.Node], Callable[[Any, Frame], Vector]] = {
    t.Column: _column,
    t.Constant: _constant,
    t.Arithmetic: _arithmetic,
    t.Concat: _concat,
    t.Function: _function,
    t.Aggregate: _aggregate,
    t.Window: _window,
    t.Compare: _compare,
    t.Between: _between,
    t.InList: _in_list,
    t.Like: _like,
    t.IsNull: _is_null,
    t.Logic: _logic,
    t.Not: _not,
    t.Case: _case,
}
