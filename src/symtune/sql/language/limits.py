"""An upper bound on the work of a program, checked before it is evaluated: SQL from elsewhere may join a table with
itself five times.

The sampler's programs are small by construction; this is for programs that come from files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from symtune.sql.language import tree as t
from symtune.types import Rejected

MAX_WORK = 2_000_000  # values computed: about 0.5 s and 200 MB


class Sized(Protocol):
    """Anything with a number of rows."""

    @property
    def size(self) -> int: ...


def check_work(query: t.Query, database: Mapping[str, Sized]) -> None:
    """Raise Rejected("too many steps") if evaluation could compute more than MAX_WORK values."""
    _query(query, {name: relation.size for name, relation in database.items()})


def _query(query: t.Query, sizes: dict[str, int]) -> tuple[int, int]:
    """Upper bounds on the number of values that a query computes, and on the number of rows that it yields."""
    if isinstance(query, t.SetQuery):
        (left, a), (right, b) = _query(query.left, sizes), _query(query.right, sizes)
        return left + right, a + b
    work = 0
    for name, body in query.ctes:
        done, rows = _query(body, sizes)
        work += done
        sizes = {**sizes, name: rows}
    done, rows = _source(query.source, sizes)
    clauses = (query.items, query.where, query.group, query.having, query.order)
    work += done + _expressions(clauses, rows, sizes)
    if work > MAX_WORK:  # at every level, because numbers that are squared level by level would become enormous
        raise Rejected("too many steps", f"more than {MAX_WORK:,} values to compute")
    return work, rows if query.limit is None else min(rows, query.limit)


def _source(source: t.Source | None, sizes: dict[str, int]) -> tuple[int, int]:
    if source is None:
        return 0, 1
    if isinstance(source, t.Derived):
        return _query(source.query, sizes)
    if isinstance(source, t.Join):
        (left, a), (right, b) = _source(source.left, sizes), _source(source.right, sizes)
        # Every pair is built, with every column of both sides; six is taken as the usual number of columns.
        return left + right + 6 * a * b + _expressions(source.on, a * b, sizes), a * b
    return 0, sizes.get(source.name, 0)


def _expressions(parts: Any, rows: int, sizes: dict[str, int]) -> int:
    """The number of values that expressions compute over so many rows. A subquery counts once per row, since it may
    look outside."""
    work = 0
    waiting: list[Any] = [parts]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend(node)
        elif isinstance(node, t.Select | t.SetQuery):
            inner, found = _query(node, sizes)
            looks_outside = any(isinstance(n, t.Column) and n.table for n in t.walk(node))
            work += inner * (rows if looks_outside else 1) + found * rows
        elif isinstance(node, t.Node):
            # A window function with an order goes back over its rows.
            work += rows * rows if isinstance(node, t.Window) and node.order else rows
            waiting.extend(getattr(node, name) for name in node.__struct_fields__)
    return work
