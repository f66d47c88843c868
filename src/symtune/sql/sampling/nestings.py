"""Query types with a query in another one, or a window function, which stands in one."""

from __future__ import annotations

from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.sampling.draws import (
    SUMS,
    Draw,
    best,
    cell,
    direction_of,
    either_way,
    holding,
    no_draw,
    not_meant,
    select,
)
from symtune.sql.sampling.material import Field


def _other(d: Draw, size: int) -> int:
    """A row that is not the witness."""
    if size < 2:
        no_draw("two rows")
    return (d.row + 1 + d.below(size - 1)) % size


def scalar_subquery(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE n > (SELECT AVG(n) FROM w), or as the row named by a key"""
    name, column = d.aggregate("AVG", "MIN", "MAX")
    shown: t.Expr = t.Aggregate("COUNT") if d.chance(0.3) else d.field(column).expr
    if d.chance(0.5) or not d.material.names:
        inner: t.Select = select(d, [t.Aggregate(name, column.expr)])
        op = {"AVG": d.pick((">", "<")), "MIN": d.pick((">", "=")), "MAX": d.pick(("<", "="))}[name]
    else:
        inner, op = cell(d, column, d.key()), d.pick((">", "<", "="))
    where: t.Expr = t.Compare(op, column.expr, t.ScalarQuery(inner))
    if d.chance(0.2):
        compared = where
        where = d.joined("AND", lambda: compared, lambda: d.simple(column))
    return select(d, [shown], where=where)


def in_subquery(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE g IN (SELECT g FROM w WHERE condition)"""
    group = d.pick(d.material.groups, "a column that repeats")

    def tells(condition: t.Expr) -> bool:
        return len({group.values[row] for row in d.material.rows(condition)}) < len(group.variety)

    inner = select(d, [group.expr], where=d.apart(lambda: d.condition(group), tells))
    where = t.InQuery(group.expr, inner, negated=group.complete and d.chance(0.25))
    if d.chance(0.35):
        return select(d, [t.Aggregate("COUNT")], where=where)
    return select(d, [d.field(group).expr], where=where)


def _aliased(field: Field, alias: str) -> t.Column:
    return t.Column(field.expr.name, field.expr.type, alias)


def _table(d: Draw) -> str:
    if not isinstance(d.material.source, t.TableRef):
        no_draw("one table")
    return d.material.source.name


def exists(d: Draw) -> t.Query:
    """SELECT a FROM w AS x WHERE [NOT] EXISTS (SELECT 1 FROM w AS y WHERE y.g = x.g AND y.n > x.n)"""
    table = _table(d)
    group = d.pick(d.material.groups, "a column that repeats")
    by = d.measure(group)
    shown = d.field(group, by)
    linked = t.Compare("=", _aliased(group, "y"), _aliased(group, "x"))
    more = t.Compare(d.pick((">", "<")), _aliased(by, "y"), _aliased(by, "x"))
    inner = t.Select((t.Item(t.Constant(1, "number")),), t.TableRef(table, "y"), where=t.Logic("AND", (linked, more)))
    return t.Select(
        (t.Item(_aliased(shown, "x")),), t.TableRef(table, "x"), where=t.Exists(inner, negated=d.chance(0.6))
    )


def difference(d: Draw) -> t.Query:
    """SELECT (SELECT n FROM w WHERE key = u) - (SELECT n FROM w WHERE key = v)"""
    op = d.pick(("-", "-", "-", "+"))
    if d.chance(0.3):
        column = _counting(d, op)
        sides = [select(d, [t.Aggregate(name, column.expr)]) for name in ("MAX", "MIN")]
    elif d.chance(0.3):
        sides = [
            select(d, [t.Aggregate("COUNT")], where=condition) for condition in (d.simple(), d.elsewhere().simple())
        ]
    else:
        key = d.key()
        column = _counting(d, op, key)
        sides = [cell(d, column, key), cell(d, column, key, _other(d, d.material.size))]
    left, right = (t.ScalarQuery(side) for side in sides)
    return t.Select((t.Item(t.Arithmetic(op, left, right)),), None)


def _counting(d: Draw, op: str, *avoid: Field) -> Field:
    """A number column of whose values the sum, or the difference, means something."""
    if op == "+":
        return d.quantity(*avoid)
    column = d.number(*avoid)
    if not column.counts:
        not_meant("no difference of what names things")
    return column


def adjacent(d: Draw) -> t.Query:
    """The row before or after a named row, by a rank column."""
    key = d.key()
    by = d.rank(key)
    shown = d.field(by)
    after = d.chance(0.5)
    anchor = t.ScalarQuery(cell(d, by, key))
    values = sorted(by.variety)
    consecutive = (
        by.type == "number" and all(isinstance(v, int) for v in values) and values[-1] - values[0] == len(values) - 1
    )
    if consecutive and d.chance(0.5):
        target = t.Arithmetic("+" if after else "-", anchor, t.Constant(1, "number"))
        return select(d, [shown.expr], where=t.Compare("=", by.expr, target))
    if not _is_beyond_others(d, by, after):
        after = not after
        if not _is_beyond_others(d, by, after):
            no_draw("a neighbour that is not the first row")
    where = t.Compare(">" if after else "<", by.expr, anchor)
    order = (t.Order(by.expr, "ASC" if after else "DESC"),)
    return select(d, [shown.expr], where=where, order=order, limit=1)


def _is_beyond_others(d: Draw, by: Field, after: bool) -> bool:
    """Whether the neighbour of the witness in an order is not the first row of the table on that side."""
    here = by.values[d.row]
    side = [value for value in by.values if value is not None and (value > here if after else value < here)]
    return bool(side) and side[0] != (min if after else max)(side)


def with_clause(d: Draw) -> t.Query:
    """WITH t AS (SELECT a, n FROM w WHERE condition) SELECT … FROM t"""
    table = _table(d)
    name = "t" if table.lower() != "t" else "part"
    by = d.measure()
    shown = d.field(by)
    outer: dict[str, Any] = {"source": t.TableRef(name)}
    u = d.rng.random()
    if u < 0.6:  # what is computed of all rows hangs on the condition most of the time
        sums = u < 0.35 and by.type == "number" and by.adds_up
        function = t.Aggregate(d.pick(SUMS), by.expr) if sums else t.Aggregate("COUNT")
        return t.Select((t.Item(function),), ctes=((name, _body(d, d.condition(shown, by), shown, by)),), **outer)
    direction = either_way(d)[0]
    where = d.without(holding(by, best(by, direction)), shown, by)
    outer["ctes"] = ((name, _body(d, where, shown, by)),)
    if u < 0.75 and by.type == "number":
        return t.Select((t.Item(t.Aggregate("MAX" if direction == "DESC" else "MIN", by.expr)),), **outer)
    order = (t.Order(by.expr, direction_of(d, by, shown, where, (direction,))),)
    return t.Select((t.Item(shown.expr),), order=order, limit=1, **outer)


def _body(d: Draw, where: t.Expr, *shown: Field) -> t.Select:
    return select(d, [field.expr for field in shown], where=where)


def _ranked(d: Draw, name: str, by: Field, key: Field, order: tuple[t.Order, ...]) -> t.Query:
    """The place of a named row in an order, or the rows in a place."""
    inner = t.Select((t.Item(key.expr), t.Item(t.Window(name, None, (), order), "r")), d.material.source)
    place = t.Column("r", "number")
    if d.chance(0.4):
        return _from(key, inner, place, d.is_row(key))
    position = 1 + d.below(min(len(by.variety), 6))
    return _from(key, inner, key.expr, t.Compare("=", place, t.Constant(position, "number")))


def _from(key: Field, inner: t.Select, shown: t.Expr, where: t.Expr) -> t.Select:
    """SELECT shown FROM (inner) AS t WHERE …"""
    if key.expr.name.lower() in ("r", "v"):
        no_draw("a free name")
    return t.Select((t.Item(shown),), t.Derived(inner, "t"), where=where)


def dense_rank(d: Draw) -> t.Query:
    """SELECT a FROM (SELECT a, DENSE_RANK() OVER (ORDER BY n) AS r FROM w) AS t WHERE r = k, or the rank of a row"""
    tied = [f for f in d.material.measures if not f.unique]
    by = d.pick(tied) if tied and d.chance(0.8) else d.measure()
    return _ranked(d, "DENSE_RANK", by, d.key(by), (t.Order(by.expr, d.pick(("DESC", "DESC", "ASC"))),))


def window(d: Draw) -> t.Query:
    """A rank, a running sum, or the row before or after, by a window function in FROM."""
    by = d.rank() if d.material.ranks else d.measure()
    key = d.key(by)
    order: tuple[t.Order, ...] = (t.Order(by.expr, d.pick(("ASC", "DESC"))),)
    u = d.rng.random()
    if u < 0.45:
        return _ranked(d, d.pick(("RANK", "ROW_NUMBER")), by, key, order)
    if u < 0.75:
        target = d.field(key)
        function = t.Window(d.pick(("LAG", "LEAD")), target.expr, (), order)
    else:
        target = d.quantity()
        partition: tuple[t.Expr, ...] = ()
        if d.chance(0.5):
            partition = (d.pick([f for f in d.material.groups if f is not target], "a partition").expr,)
            order = ()
        function = t.Window("SUM", target.expr, partition, order)
    inner = t.Select((t.Item(key.expr), t.Item(function, "v")), d.material.source)
    return _from(key, inner, t.Column("v", target.expr.type), d.is_row(key))
