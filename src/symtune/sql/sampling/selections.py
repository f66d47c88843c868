"""Query types that choose rows, and show cells of them or count them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.sampling.draws import (
    CONDITIONS,
    RETRIES,
    Draw,
    best,
    cell,
    direction_of,
    either_way,
    holding,
    keys_matter,
    no_draw,
    select,
)
from symtune.sql.sampling.material import Field


def lookup(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE key = v"""
    key = d.key()
    return cell(d, d.field(key), key)


def lookup_by_name(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE key = 'text', the key to the left of a: the step that a small model learns first"""
    places = {id(field): place for place, field in enumerate(d.material.fields)}
    keys = [f for f in d.material.names if f.type == "text" and any(map(str.isalpha, f.values[d.row]))]
    key = d.pick(keys, "a key column of names")
    right = [f for f in d.material.fields_at(d.row) if places[id(f)] > places[id(key)]]
    shown = d.pick(right, "a column to the right of the key")
    if shown.variety[shown.values[d.row]] * 3 > d.material.size:
        no_draw("a cell that is hard to guess")
    return cell(d, shown, key)


def filtered(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition"""
    shown = d.field()
    return select(d, [shown.expr], where=d.showable(shown))


def several_columns(d: Draw) -> t.Query:
    """SELECT a, b FROM w WHERE condition"""
    first, second = d.two(d.material.fields_at(d.row))
    where = d.is_row(d.key()) if d.chance(0.5) and d.material.names else d.showable(first, second)
    return select(d, [first.expr, second.expr], where=where)


def distinct(d: Draw) -> t.Query:
    """SELECT DISTINCT a FROM w [WHERE condition]"""
    group = d.pick(d.material.groups, "a column that repeats")
    where = None if d.chance(0.4) and group.complete else _repeating(d, group)
    return select(d, [group.expr], where=where, distinct=True)


def _repeating(d: Draw, group: Field) -> t.Expr:
    """A condition on rows of which some are alike in a column, and no more different than an answer may have rows."""

    def tells(where: t.Expr) -> bool:
        values = [group.values[row] for row in d.material.rows(where)]
        return len(set(values)) < len(values) and len(set(values)) <= d.material.most

    return d.apart(lambda: d.simple(group, wide=True) if d.chance(0.8) else d.condition(group), tells)


def count(d: Draw) -> t.Query:
    """SELECT COUNT(*) | COUNT(a) | COUNT(DISTINCT a) FROM w WHERE condition"""
    u = d.rng.random()
    if u < 0.75 and d.material.joined:  # one condition names one table
        where: t.Expr | None = d.joined("AND", lambda: d.simple(wide=True))
        return select(d, [t.Aggregate("COUNT")], where=where)
    if u < 0.75:
        return select(d, [t.Aggregate("COUNT")], where=d.several())
    if u < 0.85 and d.material.missing and not d.material.joined:
        column = d.pick(d.material.missing)
        return select(d, [t.Aggregate("COUNT", column.expr)])
    group = d.pick(d.material.groups, "a column that repeats")
    where = None if d.chance(0.4) and not d.material.joined else _repeating(d, group)
    return select(d, [t.Aggregate("COUNT", group.expr, distinct=True)], where=where)


def missing_cells(d: Draw) -> t.Query:
    """SELECT a | COUNT(*) FROM w WHERE b IS [NOT] NULL [AND condition]"""
    column = d.column(d.material.missing, "a column with missing cells")
    if d.chance(0.6):
        d = d.at(d.pick([row for row, value in enumerate(column.values) if value is None]))
    known = column.values[d.row] is not None
    where: t.Expr = t.IsNull(column.expr, negated=known)
    counted = d.chance(0.4)
    if d.chance(0.3) or (known and not counted):
        null = where
        where = d.joined("AND", lambda: null, lambda: d.simple(column))
    return select(d, [t.Aggregate("COUNT") if counted else d.field(column).expr], where=where)


def superlative(d: Draw) -> t.Query:
    """SELECT a FROM w [WHERE condition] ORDER BY n DESC LIMIT 1"""
    by = d.measure()
    shown = d.field(by)
    directions: Sequence[t.Direction] = either_way(d)
    where = None
    if d.chance(0.25):
        directions = directions[:1]
        where = d.without(holding(by, best(by, directions[0])), by, shown)
    offset = 1 + d.below(3) if d.chance(0.12) else 0
    order = (t.Order(by.expr, direction_of(d, by, shown, where, directions, offset)),)
    return select(d, [shown.expr], where=where, order=order, limit=1, offset=offset)


def ranked(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition ORDER BY n [, b] [LIMIT k [OFFSET i]]"""
    by = d.measure()
    shown = d.field(by)
    fields = [by]
    if d.chance(0.85):
        second = d.pick([f for f in d.material.fields if f is not by and f.complete], "a second key")
        if by.unique and d.chance(0.9):  # a second key says nothing behind a unique first one
            fields = [f for f in d.material.groups if f.complete and f is not second]
            fields = [d.pick(fields), second] if fields else [by]
        else:
            fields.append(second)
    limit = 1 + d.below(4) if d.chance(0.7) else None
    offset = 1 + d.below(3) if limit is not None and d.chance(0.4) else 0
    where = d.condition(by, shown) if limit is None or d.chance(0.3) else None
    rows = d.material.rows(where)
    for _ in range(RETRIES):
        keys = [(field, d.pick(("ASC", "DESC"))) for field in fields]
        if limit is not None:
            limit = 1 + d.below(4)
        if keys_matter(rows, keys, shown, limit, offset):
            order = tuple([t.Order(field.expr, direction) for field, direction in keys])
            return select(d, [shown.expr], where=where, order=order, limit=limit, offset=offset)
    no_draw("an order of which each key matters")


def compare_columns(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE n > m"""
    first = d.column([f for f in d.material.comparable if f.values[d.row] is not None], "two columns")
    second = d.twin(first)
    x, y = first.values[d.row], second.values[d.row]
    if y is None:
        no_draw("a known cell")
    op = d.pick((">", ">=", "<>")) if x > y else d.pick(("<", "<=", "<>")) if x < y else "="
    where: t.Expr = t.Compare(op, first.expr, second.expr)
    if d.material.mask(where) == d.material.everything:
        no_draw("a comparison that leaves a row out")
    shown: t.Expr = d.field().expr
    if d.chance(0.4):
        shown = t.Aggregate("COUNT")
    elif d.chance(0.4):
        compared = where
        where = d.joined("AND", lambda: compared, d.simple)
    return select(d, [shown], where=where)


def set_operation(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition UNION|INTERSECT|EXCEPT SELECT a FROM w WHERE condition"""
    fields = [f for f in d.material.fields_at(d.row) if f.consistent and len(f.variety) > 2]
    shown = d.pick(fields, "a column of three values")
    op = d.pick(t.SET_OPERATIONS)
    drawn: tuple[list[tuple[t.Expr, set[Any]]], list[tuple[t.Expr, set[Any]]]] = [], []
    for _ in range(CONDITIONS // 2 + 1):
        first = d.simple(shown, wide=op != "UNION")
        there = d.elsewhere() if op == "UNION" else d.at(d.pick(d.material.rows(first)))
        second = there.simple(shown, wide=op == "INTERSECT")
        for conditions, condition in zip(drawn, (first, second), strict=True):
            conditions.append((condition, {shown.values[row] for row in d.material.rows(condition)}))
        for one, other in [*product(drawn[0], drawn[1][-1:]), *product(drawn[0][-1:], drawn[1][:-1])]:
            if _both_sides_matter(op, one[1], other[1], shown.variety):
                return t.SetQuery(op, *[select(d, [shown.expr], where=condition) for condition, _ in (one, other)])
    no_draw("two conditions that both matter")


def _both_sides_matter(op: str, a: set[Any], b: set[Any], whole: Collection[Any]) -> bool:
    """Whether each side has a say in a set operation, and neither says all."""
    if a <= b or (not a & b if op == "EXCEPT" else b <= a):
        return False
    return op == "INTERSECT" or len(a | b) < len(whole)


def union_all(d: Draw) -> t.Query:
    """SELECT a FROM w WHERE condition UNION ALL SELECT a | b FROM w WHERE condition"""
    shown, there = d.field(), d.elsewhere()
    twins = [f for f in d.material.fields if f.type == shown.type and f.values[there.row] is not None]
    other = d.pick(twins, "a second column") if d.chance(0.5) else shown
    first, second = d.simple(shown), there.simple(other)
    if (first, shown) == (second, other):
        no_draw("two different conditions")
    if sum(d.material.mask(where).bit_count() for where in (first, second)) > d.material.most:
        no_draw("two conditions that few rows satisfy")
    return t.SetQuery("UNION ALL", select(d, [shown.expr], where=first), select(d, [other.expr], where=second))
