"""What window functions read: the rows of each partition in order, with ranks, running values and neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.vectors import sort_index
from symtune.sql.solutions.writer.lines import Lines
from symtune.sql.solutions.writer.saying import Saying


def windows(lines: Lines, q: t.Select, saying: Saying, rows: Sequence[str]) -> None:
    """The steps of the window functions of a query."""
    done: set[t.Window] = set()
    for part in (*q.items, *q.order):
        for window in _windows(part):
            if window not in done:
                done.add(window)
                alias = next((item.alias for item in q.items if item.expr == window), "")
                lines.head("each", name=f"{window.name} AS {alias}" if alias else window.name)
                _walk(lines, window, saying, rows)


def _windows(node: Any) -> list[t.Window]:
    if isinstance(node, t.Window):
        return [node]
    if isinstance(node, t.ScalarQuery | t.InQuery | t.Exists):
        return []
    return [found for child in t.children(node) for found in _windows(child)]


def _walk(lines: Lines, window: t.Window, saying: Saying, rows: Sequence[str]) -> None:
    parts: dict[Any, list[int]] = {}
    for row in range(saying.frame.size):
        parts.setdefault(tuple([saying.vector(key).values[row] for key in window.partition]), []).append(row)
    read = [*window.partition, *[order.expr for order in window.order], *([window.arg] if window.arg else [])]
    read = list(dict.fromkeys(read))
    for members in parts.values():
        keys = [saying.vector(order.expr).take(members) for order in window.order]
        index = sort_index(keys, [order.direction for order in window.order], len(members))
        known: list[Any] = []
        for place, row in enumerate([members[i] for i in index], start=1):
            value = place if window.arg is None else saying.vector(window.arg).values[row]
            known += [] if value is None else [value]
            said = ", ".join([saying.term(expr, row) for expr in read])
            lines.add(rows[row], said, _end(lines, window, saying, row, known))
        if not window.order:
            whole = [saying.term(expr, members[0]) for expr in (*window.partition, window)]
            lines.add("", ", ".join(whole))


def _end(lines: Lines, window: t.Window, saying: Saying, row: int, known: Sequence[Any]) -> str:
    """The end of a row's line: a running sum or count, or what the function yields."""
    if window.name == "COUNT":
        return lines.count(len(known))
    if window.name == "SUM":
        whole = all(not isinstance(value, float) for value in known)
        return lines.total(sum(known) if whole else math.fsum(known))
    return f", {saying.term(window, row)}"
