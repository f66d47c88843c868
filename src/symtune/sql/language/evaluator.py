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
    near numbers    the answer depends on which of two computed decimals is greater that differ only by rounding, on
                    whether a computed decimal equals a number, or on a sum of decimals that equals what it is compared
                    or tied with
    letter case     LIKE, UPPER or LOWER where ASCII and Unicode rules for case differ, or LIKE depends on case
    division by zero, out of range, not finite, bad date
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.expressions import eval_expr, eval_item, truths_of
from symtune.sql.language.products import product
from symtune.sql.language.vectors import (
    Database,
    Frame,
    Outer,
    Relation,
    Rows,
    Vector,
    relation,
    same_key,
    sort_index,
)
from symtune.types import Rejected, Table, Value


def database_of(tables: Sequence[Table], typed: Sequence[Sequence[Sequence[Value]]]) -> Database:
    """Stored tables by their names; `typed[i]` are the rows of values of `tables[i]`."""
    relations = {table.name: relation(table, rows) for table, rows in zip(tables, typed, strict=True)}
    return Database(relations, _nested)


def evaluate(query: t.Query, database: Database) -> Relation:
    """What the query yields on the tables, or Rejected with the reason why it has no one answer."""
    return _query(query, database, None)


# ---------------------------------------------------------------------------------------------- queries


KEPT = 1 << 16  # values of nested queries that are kept


def _nested(query: t.Query, database: Database, outer: Outer) -> Relation:
    """What a query in another one yields, kept where it does not look outside."""
    if outer is not None:
        return _query(query, database, outer)
    found = database.nested.get(query)
    if found is None:
        found = _query(query, database, None)
        if len(database.nested) * found.size > KEPT:
            database.nested.clear()
        database.nested[query] = found
    return found


def _query(query: t.Query, database: Database, outer: Outer) -> Relation:
    if isinstance(query, t.SetQuery):
        return _set_query(query, database, outer)
    return _select(query, database, outer)


def _select(q: t.Select, database: Database, outer: Outer) -> Relation:
    for name, body in q.ctes:
        database = database.extended(name, _nested(body, database, outer))
    frame = _source(q.source, database, outer)
    if q.where is not None:
        frame = frame.filtered(_true_of(q.where, frame))
    if q.group or q.having is not None or _aggregates(q.items):
        frame = _group(q, frame)
        if q.having is not None:
            groups = frame.groups or []
            frame = frame.grouped([groups[i] for i in _true_of(q.having, frame)], q.group)
    columns = [eval_item(item.expr, frame) for item in q.items]
    keys = [eval_expr(order.expr, frame) for order in q.order]
    size = frame.size
    if q.distinct:
        index = _distinct(columns, size)
        columns = [column.take(index) for column in columns]
        check_order_of_distinct(q)
        keys = [key.take(index) for key in keys]
        size = len(index)
    if q.order or q.limit is not None:
        index = _order(q, columns, keys, size)
        columns = [column.take(index) for column in columns]
        size = len(index)
    names = [item.alias or (item.expr.name if isinstance(item.expr, t.Column) else "") for item in q.items]
    return Relation(tuple(names), tuple(columns), size, bool(q.order) and size > 1)


def rows_of(query: t.Query, database: Database) -> int | None:
    """How many rows a query yields, where that can be said without what it shows; None for other queries. For
    SELECT COUNT(*), which yields one, the number that it shows.
    """
    if isinstance(query, t.SetQuery):
        return _rows_of_set(query, database)
    if query.distinct or query.limit is not None or query.ctes or isinstance(query.source, t.Derived):
        return None
    frame = _source(query.source, database, None)
    if not query.group and query.having is None and (not _aggregates(query.items) or counts_rows(query)):
        return frame.size if query.where is None else len(_true_of(query.where, frame))
    if query.group and query.having is None and all(type(key) is t.Column for key in query.group):
        kept = frame if query.where is None else frame.filtered(_true_of(query.where, frame))
        return len(set(zip(*[eval_expr(key, kept).values for key in query.group], strict=True)))
    return None


def counts_rows(query: t.Query) -> bool:
    """Whether a query shows COUNT(*) alone."""
    if type(query) is not t.Select or len(query.items) > 1 or query.group or query.having is not None:
        return False
    expr = query.items[0].expr
    return type(expr) is t.Aggregate and expr.name == "COUNT" and expr.arg is None


def _rows_of_set(query: t.SetQuery, database: Database) -> int | None:
    if query.op == "UNION ALL":
        left, right = rows_of(query.left, database), rows_of(query.right, database)
        counted = counts_rows(query.left) or counts_rows(query.right)
        return None if left is None or right is None or counted else left + right
    sides = [set(_nested(side, database, None).rows()) for side in (query.left, query.right)]
    return len(_SET_OPERATIONS[query.op](*sides))


_SET_OPERATIONS: dict[str, Callable[[set[Any], set[Any]], set[Any]]] = {
    "UNION": operator.or_,
    "INTERSECT": operator.and_,
    "EXCEPT": operator.sub,
}


def check_order_of_distinct(q: t.Select) -> None:
    """Raise Rejected where distinct rows are sorted by what they do not show."""
    if any(order.expr not in {item.expr for item in q.items} for order in q.order):
        raise Rejected("no order", "ORDER BY of DISTINCT names a column that is not shown")


def _true_of(condition: t.Expr, frame: Frame) -> list[int]:
    """The positions of the rows (or groups) that a condition is true of."""
    return list(compress(range(frame.size), truths_of(condition, frame)))


def rows_from(source: t.Source | None, database: Database) -> Frame:
    """The rows that a FROM clause yields."""
    return _source(source, database, None)


def _source(source: t.Source | None, database: Database, outer: Outer) -> Frame:
    if source is None:
        return Frame({}, 1, database, outer)
    if isinstance(source, t.Derived):
        found = _nested(source.query, database, outer)
        return Frame({source.alias: found.by_name()}, found.size, database, outer)
    if isinstance(source, t.TableRef):
        scope, size, truths = database.stored(source)
    else:
        scope, size, truths = database.scopes.get(source) or _join(source, database, outer)
        if outer is None:  # else the condition of the join may depend on the outer row
            database.scopes[source] = scope, size, truths
    return Frame(scope, size, database, outer, truths=None if outer else truths)


def _join(join: t.Join, database: Database, outer: Outer) -> Rows:
    left = _source(join.left, database, outer)
    right = _source(join.right, database, outer)
    pairs, lefts, rights = product(left, right, join.on)
    kept = _true_of(join.on, pairs)
    lefts, rights = [lefts[i] for i in kept], [rights[i] for i in kept]
    scope = {alias: _taken(columns, lefts) for alias, columns in left.columns.items()}
    scope |= {alias: _taken(columns, rights) for alias, columns in right.columns.items()}
    return scope, len(kept), {}


def _taken(columns: dict[str, Vector], index: list[int]) -> dict[str, Vector]:
    return {name: vector.take(index) for name, vector in columns.items()}


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
    left, right = _nested(q.left, database, outer), _nested(q.right, database, outer)
    if len(left.columns) != len(right.columns):
        raise Rejected("set operation of unequal width")
    both = []
    for a, b in zip(left.columns, right.columns, strict=True):
        texts = a.texts + b.texts if a.texts is not None and b.texts is not None else None
        if texts is None and (a.texts is not None or b.texts is not None):
            raise Rejected("several texts", "a cell and a computed value in one column")
        both.append(Vector(a.values + b.values, a.type, texts, max(a.computed, b.computed)))
    if q.op == "UNION ALL":
        return Relation(left.names, tuple(both), left.size + right.size)
    rows = list(zip(*(v.values for v in both), strict=True))
    lefts, rights = set(rows[: left.size]), set(rows[left.size :])
    keep = _SET_OPERATIONS[q.op](lefts, rights)
    index = [i for i in _distinct(both, left.size + right.size) if rows[i] in keep]
    return Relation(left.names, tuple(v.take(index) for v in both), len(index))


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
