"""Expressions over a frame of rows: the value of each node of the tree.

`eval_expr` returns a `Vector`, with one value for each row (or group). A query inside an expression (IN, EXISTS, a
scalar subquery) is run by the frame's database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.functions import AGGREGATES, FUNCTIONS, WINDOWS
from symtune.sql.language.operations import ARITHMETIC, compared, conjunction, disjunction, either, like
from symtune.sql.language.products import product
from symtune.sql.language.records import Aggregate, Window
from symtune.sql.language.type_rules import type_of
from symtune.sql.language.vectors import ROUNDED, SEVERAL, SUMMED, Frame, Relation, Vector, sort_index
from symtune.types import Rejected

KEPT = 1 << 20  # truth values of conditions, of the rows of one FROM clause; those of a block are some 20,000


def eval_expr(expr: t.Expr, frame: Frame) -> Vector:
    """The value of an expression on every row (or group) of the frame."""
    if frame.groups is not None and expr in frame.keys:
        return _key(expr, frame, frame.groups)
    return EVALUATE[type(expr)](expr, frame)


def truths_of(condition: t.Expr, frame: Frame) -> list[bool | None]:
    """What a condition is on every row, kept where the frame keeps it."""
    if frame.truths is None:
        return eval_expr(condition, frame).values
    found = frame.truths.get(condition)
    if found is None:
        found = eval_expr(condition, frame).values
        if len(frame.truths) * frame.size > KEPT:
            frame.truths.clear()
        frame.truths[condition] = found
    return found


def eval_item(expr: t.Expr, frame: Frame) -> Vector:
    """The value of an expression in a projection: MIN and MAX of a column show the cell that they choose."""
    found = eval_expr(expr, frame)
    if type(expr) is not t.Aggregate or not AGGREGATES[expr.name].cells:
        return found
    arg = eval_expr(expr.arg, frame.rows()) if expr.arg is not None else found
    if arg.texts is None or frame.groups is None:
        return found
    texts = [_written(arg.texts, arg.values, *chosen) for chosen in zip(frame.groups, found.values, strict=True)]
    return Vector(found.values, found.type, texts, found.computed)


def _written(texts: list[str], values: list[Any], group: list[int], chosen: Any) -> str:
    """How the value chosen from a group is written; SEVERAL if it is written in more than one way."""
    if chosen is None:
        return ""
    ways = {texts[i] for i in group if values[i] == chosen}
    return ways.pop() if len(ways) == 1 else SEVERAL


def _column(expr: t.Column, frame: Frame) -> Vector:
    if frame.groups is None:
        return frame.column(expr.table, expr.name)
    if frame.find(expr.table, expr.name) is None:
        return frame.from_outside(expr.table, expr.name)
    raise Rejected("bare column", expr.name)


def _key(expr: t.Expr, frame: Frame, groups: list[list[int]]) -> Vector:
    """A grouping key, which is the same on all rows of a group."""
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
    record = FUNCTIONS[expr.name]
    return Vector(record.evaluate(*args), record.gives or args[0].type, None, max([arg.computed for arg in args]))


def _aggregate(expr: t.Aggregate, frame: Frame) -> Vector:
    if frame.groups is None:
        raise Rejected("misplaced aggregate", expr.name)
    if expr.arg is None:
        return Vector([len(group) for group in frame.groups], "number")
    arg = eval_expr(expr.arg, frame.rows())
    record, out = AGGREGATES[expr.name], []
    if expr.distinct and arg.computed:
        raise Rejected("near numbers", "DISTINCT over a computed decimal")
    for group in frame.groups:
        values = [v for v in (arg.values[i] for i in group) if v is not None]
        out.append(record.evaluate(list(dict.fromkeys(values)) if expr.distinct else values))
    return Vector(out, record.gives or arg.type, None, _computed(record, arg, out))


def _computed(record: Aggregate | Window, arg: Vector, out: list[Any]) -> int:
    """How the result of SUM or AVG was computed: SUMMED from decimals; from integers at most a quotient, so ROUNDED."""
    if not record.sums:
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
    record = WINDOWS[expr.name]
    texts = [""] * frame.size if record.cells and arg is not None and arg.texts is not None else None
    for members in parts.values():
        local = [key.take(members) for key in keys]
        order = [members[i] for i in sort_index(local, directions, len(members))]
        record.evaluate(order, keys, arg, values, texts)
    if arg is None:
        return Vector(values, "number", texts)
    return Vector(values, record.gives or arg.type, texts, _computed(record, arg, values))


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
    """Refuse to test computed decimals for equality."""
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
    # SQLite's LIKE ignores ASCII case, DuckDB's does not: only a pattern that matches the same in both has one answer.
    if hits != like(texts, expr.pattern, fold=True):
        raise Rejected("letter case", "LIKE")
    return Vector([None if hit is None else not hit for hit in hits] if expr.negated else hits, "bool")


def _is_null(expr: t.IsNull, frame: Frame) -> Vector:
    return Vector([(v is None) is not expr.negated for v in eval_expr(expr.expr, frame).values], "bool")


def _logic(expr: t.Logic, frame: Frame) -> Vector:
    join = conjunction if expr.op == "AND" else disjunction
    parts = [truths_of(part, frame) for part in expr.parts]
    out = parts[0]
    for part in parts[1:]:
        out = join(out, part)
    return Vector(out, "bool")


def _not(expr: t.Not, frame: Frame) -> Vector:
    return Vector([None if v is None else not v for v in truths_of(expr.part, frame)], "bool")


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
    return Vector(values, default.type, texts if shown else None, max([v.computed for v in vectors]))


# ------------------------------------------------------------------------------- expressions with a query


def _rows_of(query: t.Query, frame: Frame) -> list[Relation]:
    """The subquery's relation for each row of the frame, evaluated only once if it does not look outside."""
    if not _correlated(query, frame):
        return [frame.database.run(query, frame.database, None)] * frame.size
    if frame.groups is not None:
        raise Rejected("correlated subquery under GROUP BY")
    return [frame.database.run(query, frame.database, (frame, i)) for i in range(frame.size)]


def _in_query(expr: t.InQuery, frame: Frame) -> Vector:
    value = eval_expr(expr.expr, frame)
    out: list[bool | None] = []
    for x, found in zip(value.values, _rows_of(expr.query, frame), strict=True):
        if len(found.columns) != 1:
            raise Rejected("IN of several columns")
        column = found.columns[0]
        if value.computed or column.computed:
            raise Rejected("near numbers", "IN")
        options = column.values
        hit: bool | None = False if not options else None if x is None else x in options
        if hit is False and None in options:
            hit = None
        out.append(hit if hit is None or not expr.negated else not hit)
    return Vector(out, "bool")


def _exists(expr: t.Exists, frame: Frame) -> Vector:
    if frame.groups is None and _is_filter(expr.query):
        # A subquery that only filters is evaluated for all outer rows at once.
        query: Any = expr.query
        scope, size, _ = frame.database.stored(query.source)
        inner = Frame(scope, size, frame.database)
        pairs, outer_rows, _ = product(frame, inner, query.where)
        hits = {i for i, hit in zip(outer_rows, eval_expr(query.where, pairs).values, strict=True) if hit}
        return Vector([(i in hits) is not expr.negated for i in range(frame.size)], "bool")
    return Vector([(found.size > 0) is not expr.negated for found in _rows_of(expr.query, frame)], "bool")


def _is_filter(query: t.Query) -> bool:
    """Whether the query is `SELECT constants FROM table WHERE condition`, with every column qualified by its table: a
    mere test of rows."""
    if not isinstance(query, t.Select) or query.where is None or not isinstance(query.source, t.TableRef):
        return False
    if query.group or query.having or query.limit is not None or query.ctes:
        return False
    if not all(isinstance(item.expr, t.Constant) for item in query.items):
        return False
    return all(node.table for node in t.walk(query.where) if isinstance(node, t.Column))


def _scalar(expr: t.ScalarQuery, frame: Frame) -> Vector:
    values: list[Any] = []
    texts: list[str] | None = []
    computed = 0
    for found in _rows_of(expr.query, frame):
        if found.size > 1 or len(found.columns) != 1:
            raise Rejected("several rows")
        column = found.columns[0]
        computed = max(computed, column.computed)
        values.append(column.values[0] if found.size else None)
        if column.texts is None:
            texts = None
        elif texts is not None:
            texts.append(column.texts[0] if found.size else "")
    return Vector(values, type_of(expr), texts, computed)


def _correlated(query: t.Query, frame: Frame) -> bool:
    """Whether the subquery refers, by alias, to a table of the frame from which it does not itself read."""
    if query in frame.database.nested:  # evaluated before, by itself
        return False
    nodes = t.walk(query)
    named = {node.table for node in nodes if type(node) is t.Column and node.table in frame.columns}
    return bool(named) and not named <= {n.alias or n.name for n in nodes if type(n) is t.TableRef}


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
    t.InQuery: _in_query,
    t.Exists: _exists,
    t.ScalarQuery: _scalar,
}
