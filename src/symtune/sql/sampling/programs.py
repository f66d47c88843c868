"""The kinds of program (query types) that the sampler draws, one function each, with their share in the default mix.

A function takes a `Draw` and returns a query, or gives up with `no_draw` where the context does not offer what it
needs. `QUERY_TYPES` is the whole list; shares are weights among the kinds that a context can serve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.sampling.draws import Draw, Field, Material, no_draw


def _select(d: Draw, items: list[t.Expr], **clauses: Any) -> t.Select:
    return t.Select(tuple([t.Item(expr) for expr in items]), d.material.source, **clauses)


def _cell(d: Draw, column: Field, key: Field, row: int | None = None) -> t.Select:
    """`SELECT column FROM … WHERE key = value`: one cell."""
    return _select(d, [column.expr], where=d.is_row(key, row))


def _other(d: Draw, size: int) -> int:
    """A row that is not the witness."""
    if size < 2:
        no_draw("two rows")
    return (d.row + 1 + d.below(size - 1)) % size


def lookup(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE key = v"""
    key = d.key()
    return _cell(d, d.field(key), key)


def lookup_by_name(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE key = 'text', the key to the left of a: the step that a small model learns first"""
    places = {id(field): place for place, field in enumerate(d.material.fields)}
    keys = [f for f in d.material.keys if f.type == "text" and any(map(str.isalpha, f.values[d.row]))]
    key = d.pick(keys, "a key column of names")
    right = [f for f in d.material.fields if places[id(f)] > places[id(key)] and f.values[d.row] is not None]
    shown = d.pick(right, "a column to the right of the key")
    if shown.variety[shown.values[d.row]] * 3 > d.material.size:
        no_draw("a cell that is hard to guess")
    return _cell(d, shown, key)


def filtered(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition"""
    shown = d.field()
    return _select(d, [shown.expr], where=d.condition(shown))


def several_columns(d: Draw) -> t.Query:
    """SELECT a, b FROM w WHERE condition"""
    known = [f for f in d.material.fields if f.values[d.row] is not None]
    first, second = d.two(known)
    where = d.is_row(d.key()) if d.chance(0.5) and d.material.keys else d.condition(first, second)
    return _select(d, [first.expr, second.expr], where=where)


def distinct(d: Draw) -> t.Query:
    """SELECT DISTINCT a FROM w [WHERE condition]"""
    group = d.pick(d.material.groups, "a column that repeats")
    where = None if d.chance(0.4) and group.complete else d.condition(group)
    return _select(d, [group.expr], where=where, distinct=True)


def count(d: Draw) -> t.Query:
    """SELECT COUNT(*) | COUNT(a) | COUNT(DISTINCT a) FROM w WHERE condition"""
    u = d.rng.random()
    if u < 0.75:
        return _select(d, [t.Aggregate("COUNT")], where=d.several())
    if u < 0.85 and d.material.missing:
        column = d.pick(d.material.missing)
        return _select(d, [t.Aggregate("COUNT", column.expr)])
    group = d.pick(d.material.groups, "a column that repeats")
    where = None if d.chance(0.4) else d.condition(group)
    return _select(d, [t.Aggregate("COUNT", group.expr, distinct=True)], where=where)


def missing_cells(d: Draw) -> t.Query:
    """SELECT a | COUNT(*) FROM w WHERE b IS [NOT] NULL [AND condition]"""
    column = d.column(d.material.missing, "a column with missing cells")
    known = column.values[d.row] is not None
    where: t.Expr = t.IsNull(column.expr, negated=known)
    counted = d.chance(0.4)
    if d.chance(0.3) or (known and not counted):
        where = t.Logic("AND", (where, d.simple(column)))
    return _select(d, [t.Aggregate("COUNT") if counted else d.field(column).expr], where=where)


def aggregate(d: Draw) -> t.Query:
    """SELECT SUM|AVG|MIN|MAX(n) FROM w [WHERE condition]"""
    name = d.pick(("SUM", "AVG", "MIN", "MAX"))
    column = d.number() if name in ("SUM", "AVG") or not d.material.dates or d.chance(0.8) else d.pick(d.material.dates)
    where = None if d.chance(0.35) else d.condition(column)
    return _select(d, [t.Aggregate(name, column.expr)], where=where)


def superlative(d: Draw) -> t.Query:
    """SELECT a FROM w [WHERE condition] ORDER BY n DESC LIMIT 1"""
    by = d.measure()
    shown = d.field(by)
    order = (t.Order(by.expr, d.pick(("ASC", "DESC"))),)
    where = None if d.chance(0.75) else d.condition(by, shown)
    offset = 1 + d.below(3) if d.chance(0.12) else 0
    return _select(d, [shown.expr], where=where, order=order, limit=1, offset=offset)


def ranked(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition ORDER BY n [, b] [LIMIT k]"""
    by = d.measure()
    shown = d.field(by)
    order = [t.Order(by.expr, d.pick(("ASC", "DESC")))]
    if d.chance(0.6):
        second = d.pick([f for f in d.material.fields if f is not by and f.complete], "a second key")
        order.append(t.Order(second.expr, d.pick(("ASC", "DESC"))))
        if by.unique and d.chance(0.9):  # a second key says nothing behind a unique first one
            first = d.pick([f for f in d.material.groups if f.complete and f is not second], "a first key that ties")
            order[0] = t.Order(first.expr, order[0].direction)
    limit = 1 + d.below(4) if d.chance(0.7) else None
    where = d.condition(by, shown) if limit is None or d.chance(0.3) else None
    return _select(d, [shown.expr], where=where, order=tuple(order), limit=limit)


def arithmetic(d: Draw) -> t.Query:
    """SELECT a - b FROM w WHERE key = v, or SELECT SUM(a * b) FROM w WHERE condition"""
    first, second = d.two(d.material.numbers)
    op = d.pick(("+", "-", "-", "*", "/"))
    expr: t.Expr = t.Arithmetic(op, first.expr, second.expr)
    if d.chance(0.2):
        expr = t.Arithmetic(d.pick(("+", "-", "*")), first.expr, t.Constant(d.pick((1, 2, 5, 10, 100)), "number"))
    if d.chance(0.25):
        name = d.pick(("SUM", "MAX", "MIN", "AVG"))
        return _select(d, [t.Aggregate(name, expr)], where=None if d.chance(0.5) else d.condition())
    return _select(d, [expr], where=d.is_row(d.key()))


def compare_columns(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE n > m"""
    first, second = d.two([f for f in d.material.numbers if f.values[d.row] is not None])
    x, y = first.values[d.row], second.values[d.row]
    op = d.pick((">", ">=", "<>")) if x > y else d.pick(("<", "<=", "<>")) if x < y else "="
    where: t.Expr = t.Compare(op, first.expr, second.expr)
    shown: t.Expr = d.field().expr
    if d.chance(0.4):
        shown = t.Aggregate("COUNT")
    elif d.chance(0.4):
        where = t.Logic("AND", (where, d.simple()))
    return _select(d, [shown], where=where)


def _aggregate_of(d: Draw, *avoid: Field) -> t.Aggregate:
    if d.chance(0.55) or not [f for f in d.material.numbers if f not in avoid]:
        return t.Aggregate("COUNT")
    column = d.number(*avoid)
    return t.Aggregate(d.pick(("SUM", "AVG", "MIN", "MAX")), column.expr)


def group_by(d: Draw) -> t.Query:
    """SELECT g, COUNT(*) FROM w GROUP BY g, or the group with the most: ORDER BY COUNT(*) DESC LIMIT 1"""
    group = d.pick(d.material.groups, "a column to group by")
    value = _aggregate_of(d, group)
    where = None if d.chance(0.7) and group.complete else d.condition(group)
    if d.chance(0.55):
        order = (t.Order(value, d.pick(("DESC", "DESC", "ASC"))),)
        items: list[t.Expr] = [group.expr] if d.chance(0.7) else [group.expr, value]
        return _select(d, items, where=where, group=(group.expr,), order=order, limit=1)
    return _select(d, [group.expr, value], where=where, group=(group.expr,))


def having(d: Draw) -> t.Query:
    """SELECT g FROM w GROUP BY g HAVING COUNT(*) > n"""
    group = d.pick(d.material.groups, "a column to group by")
    value = _aggregate_of(d, group)
    if value.arg is None:
        size = group.variety.get(group.values[d.row], 1)
        bound: int | float | str = max(size - d.below(2), 1)
        condition = t.Compare(d.pick(("=", ">=", ">=")), value, t.Constant(bound, "number"))
    else:
        bounds = [v for f in d.material.numbers if f.expr == value.arg for v in f.variety]
        condition = t.Compare(d.pick((">", "<", ">=", "<=")), value, t.Constant(d.pick(bounds), "number"))
    where = None if d.chance(0.8) and group.complete else d.condition(group)
    return _select(d, [group.expr], where=where, group=(group.expr,), having=condition)


def scalar_subquery(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE n > (SELECT AVG(n) FROM w), or as the row named by a key"""
    column = d.number()
    shown: t.Expr = t.Aggregate("COUNT") if d.chance(0.3) else d.field(column).expr
    if d.chance(0.5) or not d.material.keys:
        name = d.pick(("AVG", "MIN", "MAX"))
        inner: t.Select = _select(d, [t.Aggregate(name, column.expr)])
        op = {"AVG": d.pick((">", "<")), "MIN": d.pick((">", "=")), "MAX": d.pick(("<", "="))}[name]
    else:
        inner, op = _cell(d, column, d.key()), d.pick((">", "<", "="))
    where: t.Expr = t.Compare(op, column.expr, t.ScalarQuery(inner))
    if d.chance(0.2):
        where = t.Logic("AND", (where, d.simple(column)))
    return _select(d, [shown], where=where)


def in_subquery(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE g IN (SELECT g FROM w WHERE condition)"""
    group = d.pick(d.material.groups, "a column that repeats")
    inner = _select(d, [group.expr], where=d.condition(group))
    where = t.InQuery(group.expr, inner, negated=group.complete and d.chance(0.25))
    if d.chance(0.35):
        return _select(d, [t.Aggregate("COUNT")], where=where)
    return _select(d, [d.field(group).expr], where=where)


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
    if d.chance(0.3):
        column = d.number()
        sides = [_select(d, [t.Aggregate(name, column.expr)]) for name in ("MAX", "MIN")]
    elif d.chance(0.3):
        sides = [
            _select(d, [t.Aggregate("COUNT")], where=condition) for condition in (d.simple(), d.elsewhere().simple())
        ]
    else:
        key = d.key()
        column = d.number(key)
        sides = [_cell(d, column, key), _cell(d, column, key, _other(d, d.material.size))]
    left, right = (t.ScalarQuery(side) for side in sides)
    return t.Select((t.Item(t.Arithmetic(d.pick(("-", "-", "-", "+")), left, right)),), None)


def adjacent(d: Draw) -> t.Query:
    """The row before or after a named row, by a rank column."""
    by = d.rank()
    key = d.key(by)
    shown = d.field(by)
    after = d.chance(0.5)
    anchor = t.ScalarQuery(_cell(d, by, key))
    values = sorted(by.variety)
    consecutive = (
        by.type == "number" and all(isinstance(v, int) for v in values) and values[-1] - values[0] == len(values) - 1
    )
    if consecutive and d.chance(0.5):
        target = t.Arithmetic("+" if after else "-", anchor, t.Constant(1, "number"))
        return _select(d, [shown.expr], where=t.Compare("=", by.expr, target))
    where = t.Compare(">" if after else "<", by.expr, anchor)
    order = (t.Order(by.expr, "ASC" if after else "DESC"),)
    return _select(d, [shown.expr], where=where, order=order, limit=1)


_LABELS = (
    ("yes", "no"),
    ("high", "low"),
    ("true", "false"),
    ("above", "below"),
    ("A", "B"),
    ("pass", "fail"),
)


def case(d: Draw) -> t.Query:
    """SELECT CASE WHEN n > v THEN 'high' ELSE 'low' END FROM w WHERE key = u"""
    column = d.measure()
    key = d.key(column)
    bound = t.Constant(d.pick(list(column.variety)), column.expr.type)
    test = t.Compare(d.pick((">", ">=", "<", "<=")), column.expr, bound)
    labels = d.pick(_LABELS)
    if d.chance(0.2) and len(d.material.fields) > 2:
        test = t.Logic(d.pick(("AND", "OR")), (test, d.simple(column, key)))  # type: ignore[assignment]
    first, second = labels if d.chance(0.5) else labels[::-1]
    expr = t.Case(((test, t.Constant(first, "text")),), t.Constant(second, "text"))
    return _select(d, [expr], where=d.is_row(key))


def set_operation(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition UNION|INTERSECT|EXCEPT SELECT a FROM w WHERE condition"""
    shown = d.pick([f for f in d.material.fields if f.consistent and f.values[d.row] is not None], "a column")
    op = d.pick(t.SET_OPERATIONS)
    first = d.simple(shown)
    second = d.simple(shown) if op == "INTERSECT" else d.elsewhere().simple(shown)
    if first == second:
        no_draw("two different conditions")
    return t.SetQuery(op, _select(d, [shown.expr], where=first), _select(d, [shown.expr], where=second))


def with_clause(d: Draw) -> t.Query:
    """WITH t AS (SELECT a, n FROM w WHERE condition) SELECT … FROM t"""
    table = _table(d)
    name = "t" if table.lower() != "t" else "part"
    by = d.measure()
    shown = d.field(by)
    body = _select(d, [shown.expr, by.expr], where=d.condition(shown, by))
    outer: dict[str, Any] = {"source": t.TableRef(name), "ctes": ((name, body),)}
    if d.chance(0.45) and by.type == "number":
        return t.Select((t.Item(t.Aggregate(d.pick(("SUM", "MAX", "MIN", "AVG")), by.expr)),), **outer)
    if d.chance(0.25):
        return t.Select((t.Item(t.Aggregate("COUNT")),), **outer)
    order = (t.Order(by.expr, d.pick(("ASC", "DESC"))),)
    return t.Select((t.Item(shown.expr),), order=order, limit=1, **outer)


def window(d: Draw) -> t.Query:
    """A rank, a running sum, or the row before or after, by a window function in FROM."""
    by = d.rank() if d.material.ranks else d.measure()
    key = d.key(by)
    order: tuple[t.Order, ...] = (t.Order(by.expr, d.pick(("ASC", "DESC"))),)
    u = d.rng.random()
    if u < 0.45:
        function = t.Window(d.pick(("RANK", "ROW_NUMBER")), None, (), order)
        inner = _select(d, [key.expr])
        inner = t.Select((*inner.items, t.Item(function, "r")), inner.source)
        position = 1 + d.below(min(d.material.size, 6))
        where: t.Expr = t.Compare("=", t.Column("r", "number"), t.Constant(position, "number"))
        shown: t.Expr = key.expr
        if d.chance(0.4):
            shown, where = t.Column("r", "number"), d.is_row(key)
    elif u < 0.75:
        target = d.field(key)
        name = d.pick(("LAG", "LEAD"))
        function = t.Window(name, target.expr, (), order)
        inner = t.Select((t.Item(key.expr), t.Item(function, "v")), d.material.source)
        shown, where = t.Column("v", target.expr.type), d.is_row(key)
    else:
        column = d.number()
        partition: tuple[t.Expr, ...] = ()
        if d.chance(0.5):
            partition = (d.pick([f for f in d.material.groups if f is not column], "a partition").expr,)
            order = ()
        function = t.Window("SUM", column.expr, partition, order)
        inner = t.Select((t.Item(key.expr), t.Item(function, "v")), d.material.source)
        shown, where = t.Column("v", "number"), d.is_row(key)
    if key.expr.name.lower() in ("r", "v"):
        no_draw("a free name")
    return t.Select((t.Item(shown),), t.Derived(inner, "t"), where=where)


def dates(d: Draw) -> t.Query:
    """The year or month of a date, days between two dates, rows of a year or of each year, the newest of several."""
    column = d.pick([f for f in d.material.dates if f.values[d.row] is not None], "a date column")
    part = d.pick(("YEAR", "YEAR", "MONTH", "DAY"))
    year = t.Function(part, (column.expr,))
    u = d.rng.random()
    if u < 0.3 and d.material.keys:
        return _select(d, [year], where=d.is_row(d.key()))
    if u < 0.6:
        value = {"YEAR": slice(0, 4), "MONTH": slice(5, 7), "DAY": slice(8, 10)}[part]
        where = t.Compare("=", year, t.Constant(int(column.values[d.row][value]), "number"))
        shown: t.Expr = d.field(column).expr if d.chance(0.6) else t.Aggregate("COUNT")
        return _select(d, [shown], where=where)
    if u < 0.8:
        low, high = (t.Aggregate(name, column.expr) for name in ("MIN", "MAX"))
        return _select(
            d,
            [t.Function("DAYS", (high, low))],
            where=None if d.chance(0.6) else d.condition(column),
        )
    if u < 0.86:
        known = None if column.complete else t.IsNull(column.expr, negated=True)
        return _select(d, [year, t.Aggregate("COUNT")], where=known, group=(year,))
    order = (t.Order(column.expr, d.pick(("ASC", "DESC"))),)
    return _select(d, [d.field(column).expr], order=order, limit=1)


def strings(d: Draw) -> t.Query:
    """LENGTH, UPPER, LOWER, SUBSTR and || over texts"""
    column = d.pick([f for f in d.material.texts if f.values[d.row] is not None], "a text column")
    value = column.values[d.row]
    u = d.rng.random()
    if u < 0.25:
        where: t.Expr = t.Compare(
            d.pick((">", "<", "=")),
            t.Function("LENGTH", (column.expr,)),
            t.Constant(len(value), "number"),
        )
        shown: t.Expr = column.expr if d.chance(0.5) else t.Aggregate("COUNT")
        return _select(d, [shown], where=where)
    where = d.is_row(d.key())
    if u < 0.45:
        return _select(d, [t.Function("LENGTH", (column.expr,))], where=where)
    if u < 0.65:
        return _select(d, [t.Function(d.pick(("UPPER", "LOWER")), (column.expr,))], where=where)
    if u < 0.85:
        start, length = 1 + d.below(3), 1 + d.below(5)
        args = (column.expr, t.Constant(start, "number"), t.Constant(length, "number"))
        return _select(d, [t.Function("SUBSTR", args)], where=where)
    other = d.pick([f for f in d.material.texts if f is not column], "a second text column")
    joined = t.Concat(t.Concat(column.expr, t.Constant(d.pick((" - ", ", ", "/", " ")), "text")), other.expr)
    return _select(d, [joined], where=where)


@dataclass(frozen=True, slots=True)
class QueryType:
    """A kind of program: its name, its weight in the default mix, and what a context must have to serve it."""

    name: str
    weight: float
    draw: Callable[[Draw], t.Query]
    fits: Callable[[Material], object]


def _any(m: Material) -> bool:
    return True


# A weight of 0: not in the default mix, drawn where it is named.
QUERY_TYPES: tuple[QueryType, ...] = (
    QueryType("lookup", 8, lookup, lambda m: m.keys and len(m.fields) > 1),
    QueryType("filter", 8, filtered, lambda m: len(m.fields) > 1),
    QueryType("several columns", 3, several_columns, lambda m: len(m.fields) > 2),
    QueryType("distinct", 2, distinct, lambda m: m.groups and len(m.fields) > 1),
    QueryType("count", 5, count, _any),
    QueryType("missing cells", 3, missing_cells, lambda m: m.missing and len(m.fields) > 1),
    QueryType("aggregate", 5, aggregate, lambda m: m.numbers),
    QueryType("superlative", 4, superlative, lambda m: m.measures and len(m.fields) > 1),
    QueryType("ranked", 3.5, ranked, lambda m: m.measures and len(m.fields) > 1),
    QueryType("arithmetic", 6, arithmetic, lambda m: m.keys and len(m.numbers) > 1),
    QueryType("compare columns", 4.5, compare_columns, lambda m: len(m.numbers) > 1),
    QueryType("group by", 3, group_by, lambda m: m.groups),
    QueryType("having", 2.5, having, lambda m: m.groups),
    QueryType("scalar subquery", 2.5, scalar_subquery, lambda m: m.numbers and len(m.fields) > 1),
    QueryType("in subquery", 2, in_subquery, lambda m: m.groups and len(m.fields) > 1),
    QueryType("exists", 3, exists, lambda m: m.groups and m.measures and len(m.fields) > 2),
    QueryType("difference", 2.5, difference, lambda m: m.numbers),
    QueryType("adjacent", 3.5, adjacent, lambda m: m.ranks and len(m.keys) > 1),
    QueryType("case", 2.5, case, lambda m: m.keys and m.measures),
    QueryType("set operation", 4.5, set_operation, lambda m: len(m.fields) > 1),
    QueryType("with clause", 3, with_clause, lambda m: m.measures and len(m.fields) > 2),
    QueryType("window", 3, window, lambda m: m.keys and m.measures and len(m.fields) > 1),
    QueryType("dates", 22, dates, lambda m: m.dates and len(m.fields) > 1),
    QueryType("lookup by name", 0, lookup_by_name, lambda m: m.keys and m.texts and len(m.fields) > 1),
    QueryType("strings", 2.5, strings, lambda m: m.texts and m.keys),
)
# What a join context serves: these read several tables through the join; the others read one table by name.
JOINED = frozenset(
    {
        "lookup",
        "filter",
        "several columns",
        "count",
        "aggregate",
        "superlative",
        "ranked",
        "group by",
        "arithmetic",
        "dates",
    }
)
