"""Products of rows, from which a join, or a subquery that looks outside, selects."""

from __future__ import annotations

from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.vectors import Frame, Scope, Vector


def product(left: Frame, right: Frame, condition: t.Expr) -> tuple[Frame, list[int], list[int]]:
    """Every pair of a row of `left` and a row of `right` for which the condition may be true, with the columns that it
    names (all columns, if it names one without its table), and for each pair the index of both rows.
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
    """The pairs of rows in a product: all of them, or, if the condition requires a column of each side to be equal,
    those where they are.
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
    """The pairs of rows whose values are equal. With computed decimals every pair is kept: whether they are equal is
    not decided here.
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
