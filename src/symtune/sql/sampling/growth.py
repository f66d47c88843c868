"""Harder programs: a drawn program with more conditions, each true of its witness row, until it is hard enough.

query = grown(draw, query, lambda q: difficulty(…), low)
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.sampling.draws import Draw, no_draw

STEPS = 16  # conditions that are added before a draw is given up


def grown(d: Draw, query: t.Query, measure: Callable[[t.Query], float], low: float) -> t.Query:
    """The query, with conditions added until `measure` says `low` or more. Raises Rejected if it cannot."""
    steps = 0
    while measure(query) < low:
        if steps == STEPS:
            no_draw("conditions that make the program hard enough")
        query, steps = _harder(d, query), steps + 1
    return query


def _harder(d: Draw, query: t.Query) -> t.Query:
    """The query with one more condition, on the rows that it reads from a table."""
    if isinstance(query, t.SetQuery):
        left, right = query.left, query.right
        if d.chance(0.5):
            return t.SetQuery(query.op, _select(d, left), right)
        return t.SetQuery(query.op, left, _select(d, right))
    return _select(d, query)


def _select(d: Draw, query: t.Select) -> t.Select:
    if query.ctes:
        (name, body), *more = query.ctes
        return msgspec.structs.replace(query, ctes=((name, _harder(d, body)), *more))
    if isinstance(query.source, t.Derived):
        derived = t.Derived(_harder(d, query.source.query), query.source.alias)
        return msgspec.structs.replace(query, source=derived)
    if query.source is None:
        return _inside(d, query)
    return msgspec.structs.replace(query, where=_both(query.where, _condition(d)))


def _inside(d: Draw, query: t.Select) -> t.Select:
    """The same for a SELECT without FROM: `(SELECT …) - (SELECT …)`."""
    expr = query.items[0].expr
    if not isinstance(expr, t.Arithmetic) or not isinstance(expr.left, t.ScalarQuery):
        no_draw("a query to add a condition to")
    left = t.ScalarQuery(_harder(d, expr.left.query))
    return t.Select((t.Item(t.Arithmetic(expr.op, left, expr.right)),), None)


def _both(where: t.Expr | None, more: t.Expr) -> t.Expr:
    if where is None or where == more:
        return more
    parts = [p for e in (where, more) for p in (e.parts if isinstance(e, t.Logic) and e.op == "AND" else (e,))]
    return t.Logic("AND", tuple(dict.fromkeys(parts)))


def _condition(d: Draw) -> t.Expr:
    """A condition that is true of the witness row: plain, or with a query of its own."""
    u = d.rng.random()
    groups = [f for f in d.material.groups if f.values[d.row] is not None]
    if u < 0.25 and groups and not d.material.joined:
        group = d.pick(groups)
        inner = t.Select((t.Item(group.expr),), d.material.source, where=d.condition(group))
        return t.InQuery(group.expr, inner)
    numbers = [f for f in d.material.quantities if f.values[d.row] is not None]
    if u < 0.5 and numbers:
        column = d.pick(numbers)
        mean = fmean([column.values[i] for i in column.known])
        source = t.TableRef(column.expr.table) if d.material.joined else d.material.source
        inner = t.Select((t.Item(t.Aggregate("AVG", column.expr)),), source)
        op = ">" if column.values[d.row] > mean else "<"
        return t.Compare(op, column.expr, t.ScalarQuery(inner))
    return d.condition()
