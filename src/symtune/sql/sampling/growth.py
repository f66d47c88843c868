"""Harder programs: a drawn program with more conditions, each true of its witness row, until it is hard enough.

query = grown(draw, query, lambda q: difficulty(…), low)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.sampling.draws import Draw, cell, no_draw
from symtune.types import Rejected

CANDIDATES = 12  # for each condition that is added
FEW = 4  # rows
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
    if query.source != d.material.source:  # under another name, conditions on its columns would need that too
        no_draw("a query to add a condition to")
    return msgspec.structs.replace(query, where=_both(d, query.where))


def _inside(d: Draw, query: t.Select) -> t.Select:
    """The same for a SELECT without FROM: `(SELECT …) - (SELECT …)`."""
    expr = query.items[0].expr
    if not isinstance(expr, t.Arithmetic) or not isinstance(expr.left, t.ScalarQuery):
        no_draw("a query to add a condition to")
    left = t.ScalarQuery(_harder(d, expr.left.query))
    return t.Select((t.Item(t.Arithmetic(expr.op, left, expr.right)),), None)


def _both(d: Draw, where: t.Expr | None) -> t.Expr:
    """The condition AND one more, such that each part leaves out a row that no other part does. One that holds for very
    few rows leaves nothing to add, so it is replaced.
    """
    mask = d.material.mask
    parts = list(where.parts) if isinstance(where, t.Logic) and where.op == "AND" else [where] if where else []
    if len(parts) == 1 and mask(parts[0]).bit_count() < FEW:
        parts = []
    known = [mask(part) for part in parts]
    for _ in range(CANDIDATES):
        try:
            more = _condition(d)
        except Rejected:  # the witness does not offer this one
            continue
        if _each_matters([*known, mask(more)], d.material.everything):
            return t.Logic("AND", (*parts, more)) if parts else more
    no_draw("one more condition that matters")


def _each_matters(masks: Sequence[int], everything: int) -> bool:
    """Whether each of some conditions leaves out a row that all the others keep."""
    for place, mask in enumerate(masks):
        kept = everything
        for other, hits in enumerate(masks):
            if other != place:
                kept &= hits
        if not kept & ~mask:
            return False
    return True


def _condition(d: Draw) -> t.Expr:
    """A condition that is true of the witness row: plain, or with a query of its own."""
    u = d.rng.random()
    groups = [f for f in d.material.groups if f.values[d.row] is not None]
    if u < 0.2 and groups and not d.material.joined:
        group = d.pick(groups)
        inner = t.Select((t.Item(group.expr),), d.material.source, where=d.condition(group))
        return t.InQuery(group.expr, inner)
    numbers = [f for f in d.material.quantities if f.values[d.row] is not None]
    if u < 0.4 and numbers:
        column = d.pick(numbers)
        mean = fmean([column.values[i] for i in column.known])
        source = t.TableRef(column.expr.table) if d.material.joined else d.material.source
        inner = t.Select((t.Item(t.Aggregate("AVG", column.expr)),), source)
        op = ">" if column.values[d.row] > mean else "<"
        return t.Compare(op, column.expr, t.ScalarQuery(inner))
    if u < 0.8 and not d.material.joined:
        return _not_as(d)
    return d.condition()


def _not_as(d: Draw) -> t.Expr:
    """`n <> (SELECT n FROM w WHERE key = v)`: it leaves out one row, or few, so that many such can stand together."""
    key, other = d.key(), d.elsewhere()
    column = d.field(key)
    if other.row == d.row or column.values[other.row] in (None, column.values[d.row]):
        no_draw("a row that differs")
    return t.Compare("<>", column.expr, t.ScalarQuery(cell(d, column, key, other.row)))
