"""Groups, and what aggregates read: members, running sums and counts, the best so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from symtune.denotation import number_text
from symtune.sql.language import tree as t
from symtune.sql.language.vectors import Frame
from symtune.sql.solutions.writer.lines import Lines
from symtune.sql.solutions.writer.saying import Saying

_LEAVES = (t.ScalarQuery, t.InQuery, t.Exists, t.Window)


def aggregates_of(q: t.Select) -> list[t.Aggregate]:
    """The aggregates of a query, each once, in the order in which they occur."""
    found: list[t.Aggregate] = []

    def look(node: t.Node) -> None:
        if isinstance(node, t.Aggregate):
            if node not in found:
                found.append(node)
        elif not isinstance(node, _LEAVES):
            for child in t.children(node):
                look(child)

    for part in (*q.items, *((q.having,) if q.having is not None else ()), *q.order):
        look(part)
    return found


def is_grouped(q: t.Select) -> bool:
    """Whether the query yields a row for each group, or one row for all rows together."""
    only_items = t.Select(q.items, None)
    return bool(q.group) or q.having is not None or bool(aggregates_of(only_items))


def grouped(q: t.Select, saying: Saying) -> Frame:
    """A frame with a row for each group."""
    frame = saying.frame
    if not q.group:
        return frame.grouped([list(range(frame.size))], ())
    groups: dict[Any, list[int]] = {}
    for row, key in enumerate(zip(*[saying.vector(expr).values for expr in q.group], strict=True)):
        groups.setdefault(key, []).append(row)
    return frame.grouped(list(groups.values()), q.group)


def one_group(lines: Lines, found: Sequence[t.Aggregate], rows: Sequence[str], below: Saying, whole: Saying, *,
              counted: bool, walked: bool) -> None:  # fmt: skip
    """The steps of aggregates over all rows. An earlier step has `counted` the rows, or `walked` through what the
    aggregate reads.
    """
    for aggregate in found:
        if not walked and (aggregate.arg is not None or not counted):
            lines.head("each", name=whole.name(aggregate))
            if aggregate.arg is not None:
                _walk(lines, aggregate, rows, below)
            else:
                for number, row in enumerate(rows, start=1):
                    lines.add(row, "", lines.count(number))
        lines.add("", _result(aggregate, below, whole, 0, list(range(len(rows)))))


def each_group(lines: Lines, found: Sequence[t.Aggregate], rows: Sequence[str], groups: Sequence[str], below: Saying,
               whole: Saying) -> None:  # fmt: skip
    """The groups with their members, and what aggregates read from them."""
    members = whole.frame.groups or []
    if not found or any(aggregate.arg is None for aggregate in found):
        lines.head("group")
        for group, mine in zip(groups, members, strict=True):
            lines.add(group, ", ".join([rows[row] for row in mine]), lines.count(len(mine)))
    for aggregate in found:
        if aggregate.arg is not None:
            lines.head("each", name=whole.name(aggregate))
            for place, (group, mine) in enumerate(zip(groups, members, strict=True)):
                said = [*_members(lines, aggregate, rows, below, mine), _result(aggregate, below, whole, place, mine)]
                lines.add(group, "; ".join(said))


def walk(lines: Lines, aggregate: t.Aggregate, below: Saying, rows: Sequence[int]) -> dict[int, tuple[str, bool]]:
    """What a walk through rows says about each, and whether the row changes anything."""
    if aggregate.name in ("MIN", "MAX"):
        return _extreme(lines, aggregate, below, rows)
    arg: Any = aggregate.arg
    values, read, found = below.vector(arg).values, list[Any](), dict[int, tuple[str, bool]]()
    for row in rows:
        value = values[row]
        new = value is not None and not (aggregate.distinct and value in read)
        seen = value is not None and not new
        read += [value] if new else []
        found[row] = below.term(arg, row) + (lines.wording.seen if seen else _running(lines, aggregate, read)), new
    return found


def _extreme(lines: Lines, aggregate: t.Aggregate, below: Saying, rows: Sequence[int]) -> dict[int, tuple[str, bool]]:
    """The walk of MIN or MAX: each value beside the best so far."""
    arg: Any = aggregate.arg
    values, found = below.vector(arg).values, dict[int, tuple[str, bool]]()
    best: int | None = None
    for row in rows:
        value = values[row]
        if value is None:
            found[row] = below.term(arg, row) + lines.wording.worse, False
            continue
        leads = best is None or (value > values[best] if aggregate.name == "MAX" else value < values[best])
        said = below.beside(arg, row, ">" if aggregate.name == "MAX" else "<", best)
        found[row] = said + (lines.wording.best if leads else lines.wording.worse), leads
        best = row if leads else best
    return found


def _walk(lines: Lines, aggregate: t.Aggregate, rows: Sequence[str], below: Saying) -> None:
    """The step of an aggregate over all rows."""
    for row, (said, changes) in walk(lines, aggregate, below, range(len(rows))).items():
        if changes or lines.full:
            lines.add(rows[row], said)


def _running(lines: Lines, aggregate: t.Aggregate, read: Sequence[Any]) -> str:
    total = "" if aggregate.name == "COUNT" else lines.total(_sum(read))
    return total + ("" if aggregate.name == "SUM" else lines.count(len(read)))


def _sum(values: Sequence[Any]) -> Any:
    return math.fsum(values) if any(isinstance(value, float) for value in values) else sum(values)


def _members(
    lines: Lines, aggregate: t.Aggregate, rows: Sequence[str], below: Saying, mine: Sequence[int]
) -> list[str]:
    """The rows of a group, with what an aggregate reads from them."""
    arg: Any = aggregate.arg
    values, said, read = below.vector(arg).values, list[str](), list[Any]()
    for row in mine:
        text = f"{rows[row]} {below.term(arg, row)}"
        if values[row] is not None and not (aggregate.distinct and values[row] in read):
            read.append(values[row])
            text += lines.total(_sum(read)) if aggregate.name in ("SUM", "AVG") else ""
        said.append(text)
    return said


def _result(aggregate: t.Aggregate, below: Saying, whole: Saying, place: int, mine: Sequence[int]) -> str:
    """The result of an aggregate; for a mean, also the sum and the count."""
    said = f"{whole.name(aggregate)} = "
    if aggregate.name == "AVG" and aggregate.arg is not None:
        known = [value for row in mine if (value := below.vector(aggregate.arg).values[row]) is not None]
        read = list(dict.fromkeys(known)) if aggregate.distinct else known
        if read:
            said += f"{number_text(_sum(read))} / {len(read)} = "
    return said + whole.value(aggregate, place)
