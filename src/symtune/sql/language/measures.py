"""Measures of a program: its operators, its difficulty, and the score of guessing its answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.functions import AGGREGATES, FUNCTIONS, WINDOWS
from symtune.sql.language.vectors import Database, shown

_ARITHMETIC: dict[tuple[type, type], str] = {
    (t.Column, t.Column): "arithmetic between columns",
    (t.ScalarQuery, t.ScalarQuery): "difference of two queries",
}
_NAMES: dict[type, str | Callable[[Any], str]] = {  # class of node -> the name of its construct
    t.Between: "BETWEEN",
    t.InList: "IN",
    t.Like: "LIKE",
    t.IsNull: "IS NULL",
    t.Not: "NOT",
    t.Case: "CASE",
    t.Join: "join",
    t.InQuery: "IN (SELECT)",
    t.Exists: "EXISTS",
    t.ScalarQuery: "scalar subquery",
    t.Concat: "string function",
    t.Derived: "subquery in FROM",
    t.Compare: attrgetter("op"),
    t.Logic: attrgetter("op"),
    t.SetQuery: attrgetter("op"),
    t.Aggregate: lambda node: AGGREGATES[node.name].label,
    t.Arithmetic: lambda node: _ARITHMETIC.get((type(node.left), type(node.right)), "arithmetic"),
    t.Function: lambda node: FUNCTIONS[node.name].label,
    t.Window: lambda node: WINDOWS[node.name].label,
}
_PLAIN = frozenset([t.Column, t.Constant, t.Item, t.TableRef, t.Order])
# What an operator adds to the difficulty of a program, where that is not 1.
_HARDNESS = {
    **dict.fromkeys(("scalar subquery", "IN (SELECT)", "EXISTS", "subquery in FROM"), 3),
    **dict.fromkeys(("ASC", "DESC"), 0),  # part of ORDER BY
}


_CLAUSES = (
    *("DISTINCT", "several columns", "ORDER BY", "ORDER BY two keys", "ASC", "DESC"),
    *("LIMIT", "OFFSET", "GROUP BY", "HAVING", "WITH"),
)


def constructs() -> list[str]:
    """The names of all constructs, sorted: all that `operators` can find."""
    named = {*_CLAUSES, *_ARITHMETIC.values(), "arithmetic", *t.COMPARISONS, *t.SET_OPERATIONS}
    named |= {"AND", "OR", "UNION ALL"}
    named |= {name for name in _NAMES.values() if isinstance(name, str)}
    return sorted(named | {known.label for known in (*AGGREGATES.values(), *FUNCTIONS.values(), *WINDOWS.values())})


def operators(nodes: Sequence[Any]) -> dict[str, int]:
    """How often each construct occurs among a program's nodes (`tree.walk`), by the names used in docs/sql.md."""
    found: dict[str, int] = {}
    for node in nodes:
        kind = type(node)
        if kind in _PLAIN:
            continue
        if kind is t.Select:
            for name in _clauses(node):
                found[name] = found.get(name, 0) + 1
        else:
            name_or_rule = _NAMES[kind]
            name = name_or_rule if isinstance(name_or_rule, str) else name_or_rule(node)
            found[name] = found.get(name, 0) + 1
            if kind is t.Aggregate and node.distinct:
                found["DISTINCT"] = found.get("DISTINCT", 0) + 1
    return found


def _clauses(node: t.Select) -> list[str]:
    found = []
    if node.distinct:
        found.append("DISTINCT")
    if len(node.items) > 1:
        found.append("several columns")
    if node.order:
        found.append("ORDER BY" if len(node.order) == 1 else "ORDER BY two keys")
        found += [order.direction for order in node.order]
    if node.limit is not None:
        found.append("LIMIT")
    if node.offset:
        found.append("OFFSET")
    if node.group:
        found.append("GROUP BY")
    if node.having is not None:
        found.append("HAVING")
    if node.ctes:
        found.append("WITH")
    return found


def difficulty(nodes: Sequence[Any], used: Mapping[str, int], database: Database) -> float:
    """Operators + 2 for each nested query + log2 of the rows that the program reads, to two decimals.

    A lookup in four rows has difficulty 3; a correlated subquery over 30 rows about 15.
    """
    found, rows = 0, 0
    for name, times in used.items():
        found += times * _HARDNESS.get(name, 1)
    if "WITH" in used:
        found += 2 * sum([len(node.ctes) for node in nodes if type(node) is t.Select])
    for node in nodes:
        if type(node) is t.TableRef and (relation := database.get(node.name)) is not None:
            rows += relation.size
    return round(found + math.log2(max(rows, 1)), 2)


def guess(query: t.Query, answer: Sequence[Sequence[str]], database: Database) -> tuple[float, str]:
    """The expected score of guessing when the kind of program and the right column are known, but neither the
    conditions nor the rows: a random cell of the projected column (also for MIN and MAX), a random number from 0 to
    the number of rows for COUNT, a random label for CASE; 0 for sums, arithmetic and answers of several values.

    Also the shortcut that would have given the answer: "0", "1", "yes or no", "first row", "last row", or "".
    """
    text = answer[0][0] if len(answer) == 1 and len(answer[0]) == 1 else ""
    chance, cells = _chance(query, text, database)
    if text in ("0", "1"):
        return chance, text
    if text.lower() in ("yes", "no"):
        return chance, "yes or no"
    if cells and text in (cells[0], cells[-1]) and len(set(cells)) > 1:
        return chance, "first row" if text == cells[0] else "last row"
    return chance, ""


def _chance(query: t.Query, text: str, database: Database) -> tuple[float, list[str]]:
    """The chance, and the cells of the column from which the answer is guessed."""
    if not text or not isinstance(query, t.Select) or len(query.items) != 1:
        return 0.0, []
    expr: Any = query.items[0].expr
    aggregate = expr.name if isinstance(expr, t.Aggregate) else ""
    if aggregate == "COUNT":
        return 1 / (1 + max((relation.size for relation in database.values()), default=0)), []
    if aggregate in ("MIN", "MAX"):
        expr = expr.arg
    if isinstance(expr, t.Case):
        return 1 / len({value for _, value in expr.whens} | {expr.default}), []
    if not isinstance(expr, t.Column) or aggregate in ("SUM", "AVG"):
        return 0.0, []
    for name, relation in database.items():
        if expr.name in relation.names and expr.table in ("", name):
            column = relation.column(expr.name)
            cells = column.texts if column.texts is not None else shown(column.values)
            return cells.count(text) / max(len(cells), 1), cells
    return 0.0, []
