"""Query types that compute what they show: aggregates, groups, arithmetic, functions."""

from __future__ import annotations

from symtune.sql.language import tree as t
from symtune.sql.sampling.draws import SUMS, Draw, best, direction_of, either_way, holding, no_draw, select
from symtune.sql.sampling.material import Field


def aggregate(d: Draw) -> t.Query:
    """SELECT SUM|AVG|MIN|MAX(n) FROM w [WHERE condition]"""
    name, column = d.aggregate("SUM", "AVG", "MIN", "MAX")
    if name not in SUMS and d.material.dates and d.chance(0.2):
        column = d.pick(d.material.dates)
    where = None if d.chance(0.35) and not d.material.joined else _changing(d, name, column)
    return select(d, [t.Aggregate(name, column.expr)], where=where)


def _changing(d: Draw, name: str, column: Field) -> t.Expr:
    """A condition that an aggregate of a column hangs on: MIN and MAX are of other rows than without it."""
    if name not in ("MIN", "MAX"):
        return d.condition(column)
    return d.without(holding(column, best(column, "DESC" if name == "MAX" else "ASC")), column)


def arithmetic(d: Draw) -> t.Query:
    """SELECT a - b FROM w WHERE key = v, or SELECT SUM(a * b) FROM w WHERE condition"""
    first = d.quantity()
    expr: t.Expr
    if d.chance(0.3):
        by = t.Constant(d.pick((1, 2, 5, 10, 100)), "number")
        expr = t.Arithmetic(d.pick(("+", "-", "*")), first.expr, by)
    else:
        op = d.pick(("+", "-", "-", "*", "/"))
        second = d.twin(first) if op in ("+", "-") else d.quantity(first)
        expr = t.Arithmetic(op, first.expr, second.expr)
    if d.chance(0.25):
        name = d.pick(("SUM", "MAX", "MIN", "AVG"))
        return select(d, [t.Aggregate(name, expr)], where=None if d.chance(0.5) else d.condition())
    return select(d, [expr], where=d.is_row(d.key()))


def _aggregate_of(d: Draw, *avoid: Field) -> t.Aggregate:
    if d.chance(0.55) or not [f for f in d.material.numbers if f not in avoid]:
        return t.Aggregate("COUNT")
    name, column = d.aggregate("SUM", "AVG", "MIN", "MAX", avoid=avoid)
    return t.Aggregate(name, column.expr)


def group_by(d: Draw) -> t.Query:
    """SELECT g, COUNT(*) FROM w GROUP BY g, or the group with the most: ORDER BY COUNT(*) DESC LIMIT 1"""
    group = d.pick(d.material.groups, "a column to group by")
    value = _aggregate_of(d, group)
    alone = d.chance(0.7) and group.complete and not (d.material.joined and value.arg is None)
    where = None if alone else d.condition(group)
    if d.chance(0.55):
        direction = d.pick(("DESC", "DESC", "ASC"))
        if where is None and value.arg is None and _first_has(group, direction):
            direction = "ASC" if direction == "DESC" else "DESC"
        order = (t.Order(value, direction),)
        items: list[t.Expr] = [group.expr] if d.chance(0.7) else [group.expr, value]
        return select(d, items, where=where, group=(group.expr,), order=order, limit=1)
    return select(d, [group.expr, value], where=where, group=(group.expr,))


def _first_has(group: Field, direction: t.Direction) -> bool:
    """Whether the least value of a column, which is the first group that engines show, comes up most or least often."""
    counts = group.variety
    return counts[min(counts)] == (max if direction == "DESC" else min)(counts.values())


def having(d: Draw) -> t.Query:
    """SELECT g FROM w GROUP BY g HAVING COUNT(*) > n"""
    group = d.pick(d.material.groups, "a column to group by")
    value = _aggregate_of(d, group)
    condition: t.Expr
    if value.arg is None:
        sizes = group.variety.values()
        if len(set(sizes)) == 1:
            no_draw("groups of several sizes")
        bound: int | float | str = max(group.variety.get(group.values[d.row], 1) - d.below(2), 1)
        op = d.pick(("=", ">=", ">="))
        if op == ">=":
            bound = max(bound, min(sizes) + 1)  # else it holds for all groups
        condition = t.Compare(op, value, t.Constant(bound, "number"))
    else:
        bounds = [v for f in d.material.numbers if f.expr == value.arg for v in f.variety]
        condition = t.Compare(d.pick((">", "<", ">=", "<=")), value, t.Constant(d.pick(bounds), "number"))
    where = None if d.chance(0.8) and group.complete else d.condition(group)
    return select(d, [group.expr], where=where, group=(group.expr,), having=condition)


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
    test: t.Expr = t.Compare(d.pick((">", ">=", "<", "<=")), column.expr, bound)
    labels = d.pick(_LABELS)
    where: t.Expr = d.is_row(key)
    if d.chance(0.2) and len(d.material.fields) > 2:  # of one row, two conditions cannot both decide the label
        one = test
        test = d.joined(d.pick(("AND", "OR")), lambda: one, lambda: d.simple(column, key))
        where = d.condition(column)
    first, second = labels if d.chance(0.5) else labels[::-1]
    expr = t.Case(((test, t.Constant(first, "text")),), t.Constant(second, "text"))
    return select(d, [expr], where=where)


def dates(d: Draw) -> t.Query:
    """The year or month of a date, days between two dates, rows of a year or of each year, the newest of several."""
    column = d.pick([f for f in d.material.dates if f.values[d.row] is not None], "a date column")
    part = d.pick(("YEAR", "YEAR", "MONTH", "DAY"))
    year = t.Function(part, (column.expr,))
    u = d.rng.random()
    if u < 0.3 and d.material.names:
        return select(d, [year], where=d.is_row(d.key()))
    if u < 0.6:
        value = {"YEAR": slice(0, 4), "MONTH": slice(5, 7), "DAY": slice(8, 10)}[part]
        where: t.Expr | None = t.Compare("=", year, t.Constant(int(column.values[d.row][value]), "number"))
        shown: t.Expr = d.field(column).expr if d.chance(0.6) else t.Aggregate("COUNT")
        return select(d, [shown], where=where)
    if u < 0.8:
        low, high = (t.Aggregate(name, column.expr) for name in ("MIN", "MAX"))
        where = None if d.chance(0.6) else _changing(d, d.pick(("MIN", "MAX")), column)
        return select(d, [t.Function("DAYS", (high, low))], where=where)
    if u < 0.86:
        known = None if column.complete else t.IsNull(column.expr, negated=True)
        return select(d, [year, t.Aggregate("COUNT")], where=known, group=(year,))
    if not column.complete:
        no_draw("a date of each row")
    shown_too = d.field(column)
    order = (t.Order(column.expr, direction_of(d, column, shown_too, None, either_way(d))),)
    return select(d, [shown_too.expr], order=order, limit=1)


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
        return select(d, [shown], where=where)
    where = d.is_row(d.key())
    if u < 0.45:
        return select(d, [t.Function("LENGTH", (column.expr,))], where=where)
    if u < 0.65:
        return select(d, [t.Function(d.pick(("UPPER", "LOWER")), (column.expr,))], where=where)
    if u < 0.85:
        start, length = 1 + d.below(3), 1 + d.below(5)
        args = (column.expr, t.Constant(start, "number"), t.Constant(length, "number"))
        return select(d, [t.Function("SUBSTR", args)], where=where)
    other = d.pick([f for f in d.material.texts if f is not column], "a second text column")
    joined = t.Concat(t.Concat(column.expr, t.Constant(d.pick((" - ", ", ", "/", " ")), "text")), other.expr)
    return select(d, [joined], where=where)


def rounded(d: Draw) -> t.Query:
    """ROUND of a mean, of a ratio of one row, of its share of the whole in percent, or of the means of groups"""
    places = d.pick((0, 1, 1, 2, 2))
    column = d.quantity()
    mean = t.Aggregate("AVG", column.expr)
    u = d.rng.random()
    if u < 0.4:
        return select(d, [_round(mean, places)], where=None if d.chance(0.5) else d.condition(column))
    if u < 0.6:
        group = d.pick([f for f in d.material.groups if f is not column], "a column to group by")
        known = None if group.complete else t.IsNull(group.expr, negated=True)
        return select(d, [group.expr, _round(mean, places)], where=known, group=(group.expr,))
    key = d.key(column)
    if u < 0.8:
        whole: t.Expr = d.quantity(column).expr
        part: t.Expr = column.expr
    else:
        whole = t.ScalarQuery(select(d, [t.Aggregate("SUM", column.expr)]))
        part = t.Arithmetic("*", column.expr, t.Constant(100, "number"))
    return select(d, [_round(t.Arithmetic("/", part, whole), places)], where=d.is_row(key))


def _round(value: t.Expr, places: int) -> t.Function:
    return t.Function("ROUND", (value, t.Constant(places, "number")) if places else (value,))


_NOTHING = ("unknown", "none", "missing", "not given")  # what people show in the place of a missing text


def coalesce(d: Draw) -> t.Query:
    """COALESCE(a, b | 'unknown' | 0) of a column with missing cells: shown, in a condition, under AVG or ORDER BY; or
    COALESCE(SUM(n), 0). A number stands in only for one of its own kind: no year for missing points.
    """
    missing = [f for f in d.material.missing if f.type != "date"]
    if not missing or (d.material.quantities and d.chance(0.3)):
        column = d.quantity()
        where = d.condition(column)
        if d.chance(0.3):  # two conditions that no row may satisfy: then the sum is NULL
            where = t.Logic("AND", (d.simple(column), d.elsewhere().simple(column)))
        total = t.Aggregate("SUM", column.expr)
        return select(d, [t.Function("COALESCE", (total, t.Constant(0, "number")))], where=where)
    column = d.pick(missing)
    text = column.type == "text"
    twins = [f for f in d.material.fields if f.type == column.type and (text or f.role == column.role)]
    twins.remove(column)
    instead: t.Expr = t.Constant(d.pick(_NOTHING), "text") if text else t.Constant(0, "number")
    if twins and d.chance(0.3):
        instead = d.pick(twins).expr
    value = t.Function("COALESCE", (column.expr, instead))
    u = d.rng.random()
    if u < 0.3 and not text and column.adds_up:
        return select(d, [t.Aggregate("AVG", value)], where=None if d.chance(0.6) else d.condition(column))
    if u < 0.5 and not text:
        order = (t.Order(value, d.pick(("ASC", "DESC"))),)
        return select(d, [d.field(column).expr], order=order, limit=1)
    if u < 0.65:
        where = t.Compare("=" if text else d.pick((">", "<")), value, d.constant(column))
        return select(d, [d.field(column).expr], where=where)
    gaps = [row for row in range(d.material.size) if column.values[row] is None]
    there = d.at(d.pick(gaps)) if d.chance(0.5) else d
    return select(d, [value], where=there.condition(column) if d.chance(0.4) else there.is_row(there.key(column)))


def nullif(d: Draw) -> t.Query:
    """a / NULLIF(b, 0), an aggregate of NULLIF(n, v), or COUNT(NULLIF(g, 'x')): a value that is no value"""
    u = d.rng.random()
    if u < 0.4 and len(d.material.quantities) > 1:
        first, second = d.two(d.material.quantities)
        guarded = t.Function("NULLIF", (second.expr, t.Constant(0, "number")))
        ratio = t.Arithmetic("/", first.expr, guarded)
        if d.chance(0.7):
            return select(d, [ratio], where=d.is_row(d.key()))
        return select(d, [t.Aggregate(d.pick(("AVG", "MAX", "MIN")), ratio)])
    counted = u >= 0.7 or not d.material.numbers
    if counted:
        name, column = "COUNT", d.pick(d.material.groups, "a column that repeats")
    else:
        name, column = d.aggregate("AVG", "SUM", "MIN", "MAX")
    ignored = 0 if 0 in column.variety else d.pick(list(column.variety))
    value = t.Function("NULLIF", (column.expr, t.Constant(ignored, column.expr.type)))
    where = None if d.chance(0.6) else _changing(d, name, column)
    return select(d, [t.Aggregate(name, value, distinct=counted and d.chance(0.3))], where=where)
