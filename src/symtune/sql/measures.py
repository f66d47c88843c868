"""What a program is made of: its operators, its difficulty, and what a guesser would score on it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from symtune.sql import tree as t
from symtune.sql.vectors import Database, shown

_BY_CLASS: dict[type, str] = {
    t.Between: "BETWEEN",
    t.InList: "IN",
    t.Like: "LIKE",
    t.IsNull: "IS NULL",
    t.Not: "NOT",
    t.Case: "CASE",
    t.Window: "window function",
    t.Join: "join",
    t.InQuery: "IN (SELECT)",
    t.Exists: "EXISTS",
    t.ScalarQuery: "scalar subquery",
    t.Concat: "string function",
    t.Derived: "subquery in FROM",
}
_ARITHMETIC = {
    (t.Column, t.Column): "arithmetic between columns",
    (t.ScalarQuery, t.ScalarQuery): "difference of two queries",
}
_DATE_FUNCTIONS = {"YEAR", "MONTH", "DAY", "DAYS"}
_NESTED = (t.ScalarQuery, t.InQuery, t.Exists, t.Derived)
_PLAIN = (t.Column, t.Constant, t.Item, t.TableRef, t.Order)


def operators(nodes: Sequence[Any]) -> Counter[str]:
    """How often each construct stands among a program's nodes (`tree.walk`), by the names of docs/sql.md."""
    found: Counter[str] = Counter()
    for node in nodes:
        kind = type(node)
        if kind in _PLAIN:
            continue
        if kind in _BY_CLASS:
            found[_BY_CLASS[kind]] += 1
        if kind is t.Compare or kind is t.Logic or kind is t.SetQuery:
            found[node.op] += 1
        elif kind is t.Aggregate:
            found[node.name] += 1
        elif kind is t.Arithmetic:
            found[_ARITHMETIC.get((type(node.left), type(node.right)), "arithmetic")] += 1
        elif kind is t.Function:
            found["date function" if node.name in _DATE_FUNCTIONS else "string function"] += 1
        elif kind is t.Select:
            _select(node, found)
    return found


def _select(node: t.Select, found: Counter[str]) -> None:
    if node.distinct:
        found["DISTINCT"] += 1
    if len(node.items) > 1:
        found["several columns"] += 1
    if node.order:
        found["ORDER BY" if len(node.order) == 1 else "ORDER BY two keys"] += 1
        for order in node.order:
            found[order.direction] += 1
    if node.limit is not None:
        found["LIMIT"] += 1
    if node.group:
        found["GROUP BY"] += 1
    if node.having is not None:
        found["HAVING"] += 1
    if node.ctes:
        found["WITH"] += 1


_NOT_COUNTED = {"ASC", "DESC"}  # part of ORDER BY


def difficulty(nodes: Sequence[Any], used: Counter[str], database: Database) -> float:
    """Operators + 2 for each nested query + log2 of the rows that the program reads, to two decimals.

    A lookup in four rows has difficulty 3; a correlated subquery over 30 rows some 15.
    """
    count = sum(n for name, n in used.items() if name not in _NOT_COUNTED)
    nested, rows = 0, 0
    for node in nodes:
        if type(node) in _NESTED:
            nested += 1
        elif type(node) is t.TableRef:
            rows += database[node.name].size if node.name in database else 0
        elif type(node) is t.Select and node.ctes:
            nested += len(node.ctes)
    return round(count + 2 * nested + math.log2(max(rows, 1)), 2)


def guess(query: t.Query, answer: Sequence[Sequence[str]], database: Database) -> tuple[float, str]:
    """What a guesser scores who knows the kind of the program and the right column, but reads neither the
    conditions nor the rows: a random cell of the projected column (also for MIN and MAX), a random number from 0 to
    the number of rows for COUNT, a random label for CASE; 0 for sums, arithmetic and answers of several values.

    Also the shortcut that would have answered: "0", "1", "yes or no", "first row", "last row", or "".
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
    """The chance, and the cells of the column that is guessed from."""
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
            cells = column.texts if column.texts is not None and not aggregate else shown(column.values)
            return cells.count(text) / max(len(cells), 1), cells
    return 0.0, []
