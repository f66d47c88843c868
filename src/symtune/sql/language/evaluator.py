"""Our own evaluator of the typed tree, independent of any engine: the second opinion behind every answer.

It reads columns, not rows: an expression is evaluated over a `Frame` to a `Vector` (one value a row). It is stricter
than an engine on purpose. Where SQL leaves an answer open, or where engines disagree, it refuses the program with an
`Rejected` whose reason is counted (docs/sql.md has the table of rules):

    tie             ORDER BY leaves open which rows come first, or which are cut by LIMIT
    null order      a NULL stands in a sort key (engines put it first or last)
    no order        LIMIT or a window function without an order
    several rows    a scalar subquery yields more than one row
    bare column     a column under GROUP BY that is not a group key
    several texts   one value of a group or DISTINCT is written in several ways ("5" and "5.0")
    near numbers    the answer depends on which of two computed decimals is greater that differ by rounding alone, on
                    whether a computed decimal equals a number, or on a sum of decimals that equals what it is compared
                    or tied with
    letter case     LIKE, UPPER or LOWER where ASCII and Unicode rules for case differ, or LIKE depends on case
    division by zero, out of range, not finite, bad date
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.expressions import EVALUATE, eval_expr
from symtune.sql.language.vectors import Database, Frame, Relation, Scope, Vector, same_key, sort_index
from symtune.types import Rejected


def evaluate(query: t.Query, database: Database) -> Relation:
    """What the query yields on the tables, or Rejected with the reason why it has no one answer."""
    return _query(query, database, None)


# ---------------------------------------------------------------------------------------------- queries

Outer = tuple[Frame, int] | None  # the row of an enclosing query that a correlated subquery looks at


def _query(query: t.Query, database: Database, outer: Outer) -> Relation:
    if isinstance(query, t.SetQuery):
        return _set_query(query, database, outer)
    return _select(query, database, outer)


def _select(q: t.Select, database: Database, outer: Outer) -> Relation:
    for name, body in q.ctes:
        database = database.extended(name, _query(body, database, outer))
    frame = _source(q.source, database, outer)
    if q.where is not None:
        frame = frame.filtered(_true_of(q.where, frame))
    if q.group or q.having is not None or _aggregates(q.items):
        frame = _group(q, frame)
        if q.having is not None:
            groups = frame.groups or []
            frame = frame.grouped([groups[i] for i in _true_of(q.having, frame)], q.group)
    columns = [eval_expr(item.expr, frame) for item in q.items]
    keys = [eval_expr(order.expr, frame) for order in q.order]
    size = frame.size
    if q.distinct:
        index = _distinct(columns, size)
        columns = [column.take(index) for column in columns]
        if any(order.expr not in {item.expr for item in q.items} for order in q.order):
            raise Rejected("no order", "ORDER BY of DISTINCT names a column that is not shown")
        keys = [key.take(index) for key in keys]
        size = len(index)
    if q.order or q.limit is not None:
        index = _order(q, columns, keys, size)
        columns = [column.take(index) for column in columns]
        size = len(index)
    names = [item.alias or (item.expr.name if isinstance(item.expr, t.Column) else "") for item in q.items]
    return Relation(tuple(names), tuple(columns), size, bool(q.order) and size > 1)


def _true_of(condition: t.Expr, frame: Frame) -> list[int]:
    """The positions of the rows (or groups) that a condition is true of."""
    return list(compress(range(frame.size), eval_expr(condition, frame).values))


def join_frame(source: t.Source, database: Database) -> Frame:
    """The rows that a FROM clause yields."""
    return _source(source, database, None)


def _source(source: t.Source | None, database: Database, outer: Outer) -> Frame:
    if source is None:
        return Frame({}, 1, database, outer)
    if isinstance(source, t.Derived):
        found = _query(source.query, database, outer)
        return Frame({source.alias: found.by_name()}, found.size, database, outer)
    known = database.scopes.get(source)
    if known is None:
        known = _join(source, database, outer) if isinstance(source, t.Join) else _stored(source, database)
        if outer is None:  # else the condition of a join may hang on the outer row
            database.scopes[source] = known
    return Frame(*known, database, outer)


def _stored(source: t.TableRef, database: Database) -> tuple[Scope, int]:
    if source.name not in database:
        raise Rejected("unknown table", source.name)
    found = database[source.name]
    return {source.alias or source.name: found.by_name()}, found.size


def _join(join: t.Join, database: Database, outer: Outer) -> tuple[Scope, int]:
    left = _source(join.left, database, outer)
    right = _source(join.right, database, outer)
    product, lefts, rights = _product(left, right, join.on)
    kept = _true_of(join.on, product)
    lefts, rights = [lefts[i] for i in kept], [rights[i] for i in kept]
    scope = {alias: _taken(columns, lefts) for alias, columns in left.columns.items()}
    scope |= {alias: _taken(columns, rights) for alias, columns in right.columns.items()}
    return scope, len(kept)


def _taken(columns: dict[str, Vector], index: list[int]) -> dict[str, Vector]:
    return {name: vector.take(index) for name, vector in columns.items()}


def _product(left: Frame, right: Frame, condition: t.Expr) -> tuple[Frame, list[int], list[int]]:
    """Every row of `left` beside every row of `right` that the condition may be true of, with the columns that it names
    (all of them where it names one without its table), and the row of each side that a row of the product is made of.
    """
    lefts, rights = _pairs(left, right, condition)
    named = {(n.table, n.name) for n in t.walk(condition) if isinstance(n, t.Column)}
    every = any(not table for table, _ in named)
    scope: Scope = {}
    for side, index in ((left, lefts), (right, rights)):
        for alias, columns in side.columns.items():
            wanted = [name for name in columns if every or (alias, name) in named]
            scope[alias] = {name: side.column(alias, name).take(index) for name in wanted}
    return Frame(scope, len(lefts), left.database, left.outer), lefts, rights


def _pairs(left: Frame, right: Frame, condition: t.Expr) -> tuple[list[int], list[int]]:
    """The rows that stand side by side in a product: all, or, where the condition asks that a column of each side be
    equal, those that are.
    """
    parts = condition.parts if isinstance(condition, t.Logic) and condition.op == "AND" else (condition,)
    for part in parts:
        if not (isinstance(part, t.Compare) and part.op == "="):
            continue
        for a, b in ((part.left, part.right), (part.right, part.left)):
            if not (isinstance(a, t.Column) and isinstance(b, t.Column)):
                continue
            if a.table in left.columns and b.table in right.columns and a.table not in right.columns:
                return _matches(left.column(a.table, a.name), right.column(b.table, b.name))
    return [i for i in range(left.size) for _ in range(right.size)], list(range(right.size)) * left.size


def _matches(left: Vector, right: Vector) -> tuple[list[int], list[int]]:
    """The pairs of rows whose values are equal. A computed decimal is paired with all: whether it equals another is not
    asked here.
    """
    everywhere = list(range(len(right.values)))
    places: dict[Any, list[int]] = {}
    for j, value in enumerate(right.values):
        if value is not None:
            places.setdefault(value, []).append(j)
    lefts: list[int] = []
    rights: list[int] = []
    for i, value in enumerate(left.values):
        found = everywhere if left.computed or right.computed else places.get(value, ())
        lefts += [i] * len(found)
        rights += found
    return lefts, rights


def _group(q: t.Select, frame: Frame) -> Frame:
    if not q.group:
        return frame.grouped([list(range(frame.size))], ())
    keys = [eval_expr(expr, frame) for expr in q.group]
    if any(key.computed for key in keys):
        raise Rejected("near numbers", "GROUP BY a computed decimal")
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, key in enumerate(zip(*[k.values for k in keys], strict=True)):
        groups.setdefault(key, []).append(i)
    return frame.grouped(list(groups.values()), q.group)


def _distinct(columns: Sequence[Vector], size: int) -> list[int]:
    """Indexes of the first row of each distinct value; refuses values that are written in several ways."""
    if any(column.computed for column in columns):
        raise Rejected("near numbers", "DISTINCT over a computed decimal")
    first: dict[tuple[Any, ...], int] = {}
    shown = [column.texts or column.values for column in columns]
    for i, key in enumerate(zip(*(column.values for column in columns), strict=True)):
        seen = first.setdefault(key, i)
        if seen != i and any(text[seen] != text[i] for text in shown):
            raise Rejected("several texts")
    return list(first.values()) if size else []


def _order(q: t.Select, columns: Sequence[Vector], keys: Sequence[Vector], size: int) -> list[int]:
    start, stop = q.offset, size if q.limit is None else q.offset + q.limit
    if not q.order:
        if stop < size or start:
            raise Rejected("no order", "LIMIT without ORDER BY")
        return list(range(size))
    index = sort_index(keys, [order.direction for order in q.order], size)
    # Rows that compare equal may come in any order: that is harmless only where they all show the same. The
    # tied rows just before and just behind the part that is kept count too.
    shown = [column.texts or column.values for column in columns]
    low, high = min(start, size), min(stop, size)
    while 0 < low < size and same_key(keys, index[low - 1], index[low]):
        low -= 1
    while 0 < high < size and same_key(keys, index[high - 1], index[high]):
        high += 1
    for a, b in zip(index[low:high], index[low + 1 : high], strict=False):
        if any(text[a] != text[b] for text in shown) and same_key(keys, a, b):
            raise Rejected("tie")
    return index[start:stop]


def _set_query(q: t.SetQuery, database: Database, outer: Outer) -> Relation:
    left, right = _query(q.left, database, outer), _query(q.right, database, outer)
    if len(left.columns) != len(right.columns):
        raise Rejected("set operation of unequal width")
    both = []
    for a, b in zip(left.columns, right.columns, strict=True):
        texts = a.texts + b.texts if a.texts is not None and b.texts is not None else None
        if texts is None and (a.texts is not None or b.texts is not None):
            raise Rejected("several texts", "a cell and a computed value in one column")
        both.append(Vector(a.values + b.values, a.type, texts, max(a.computed, b.computed)))
    rows = list(zip(*(v.values for v in both), strict=True))
    lefts, rights = set(rows[: left.size]), set(rows[left.size :])
    keep = {"UNION": lefts | rights, "INTERSECT": lefts & rights, "EXCEPT": lefts - rights}[q.op]
    index = [i for i in _distinct(both, left.size + right.size) if rows[i] in keep]
    return Relation(left.names, tuple(v.take(index) for v in both), len(index))


# ------------------------------------------------------------------------------- expressions with a query


def _rows_of(query: t.Query, frame: Frame) -> list[Relation]:
    """The subquery's relation for each row of the frame: evaluated once where it does not look outside."""
    if not _correlated(query, frame):
        return [_query(query, frame.database, None)] * frame.size
    if frame.groups is not None:
        raise Rejected("correlated subquery under GROUP BY")
    return [_query(query, frame.database, (frame, i)) for i in range(frame.size)]


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
        inner = _source(query.source, frame.database, None)
        product, outer_rows, _ = _product(frame, inner, query.where)
        hits = {i for i, hit in zip(outer_rows, eval_expr(query.where, product).values, strict=True) if hit}
        return Vector([(i in hits) is not expr.negated for i in range(frame.size)], "bool")
    return Vector([(found.size > 0) is not expr.negated for found in _rows_of(expr.query, frame)], "bool")


def _is_filter(query: t.Query) -> bool:
    """`SELECT constants FROM table WHERE condition`, every column with its table: nothing but a test of rows."""
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
    return Vector(values, expr.type, texts, computed)


EVALUATE.update({t.InQuery: _in_query, t.Exists: _exists, t.ScalarQuery: _scalar})


# --------------------------------------------------------------------------------------- looking at trees

# Below these no aggregate is one of this query.
_LEAVES = frozenset([t.Column, t.Constant, t.ScalarQuery, t.InQuery, t.Exists, t.Window])


def _aggregates(items: Sequence[t.Item]) -> bool:
    """Whether an aggregate stands in the projection: then all rows are one group."""
    for item in items:
        kind = type(item.expr)
        if kind is t.Aggregate or (kind not in _LEAVES and any(map(_has_aggregate, t.children(item.expr)))):
            return True
    return False


def _has_aggregate(node: Any) -> bool:
    return isinstance(node, t.Aggregate) or (type(node) not in _LEAVES and any(map(_has_aggregate, t.children(node))))


def _correlated(query: t.Query, frame: Frame) -> bool:
    """Whether the subquery names, by alias, a table of the frame that it does not itself read from."""
    nodes = t.walk(query)
    named = {node.table for node in nodes if type(node) is t.Column and node.table in frame.columns}
    return bool(named) and not named <= {n.alias or n.name for n in nodes if type(n) is t.TableRef}
