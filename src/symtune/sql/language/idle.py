"""Idle parts: what can be dropped from a program without changing its answer, so that nobody needs to read it.

    [kind for kind in idle_parts(query, answered, context)]     # ["conjunct"]: one part of an AND says nothing
    same_swaps(query, answered, context)                        # Counter of swaps that leave the answer as it is

The parts of a program are the WHERE, HAVING and ON of each SELECT in it, each part of an AND or OR, DISTINCT (also
within an aggregate) and each sort key, those of window functions too. Dropping one gives a mutant. A mutant without an
answer has another than the program. Where SQL leaves the mutant's answer open (ORDER BY dropped behind a LIMIT, a tie),
it is the one that SQLite gives on the table as shown, which is the one that a reader would take: the first rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.language.evaluator import evaluate, rows_kept
from symtune.sql.language.proof import Answered, Context, same_rows
from symtune.sql.language.render import render
from symtune.sql.language.vectors import Relation
from symtune.types import Rejected

ALWAYS = t.Compare("=", t.Constant(1, "number"), t.Constant(1, "number"))  # in the place of an ON that is dropped


class Mutant(NamedTuple):
    """A program that is changed in one place, and what was changed there."""

    kind: str
    query: t.Query


_Variants = Callable[[Any], Iterator[tuple[str, Any]]]  # a node -> (kind, the node with one part changed)


# ------------------------------------------------------------------------------------------------- mutants


def mutants(query: t.Query) -> Iterator[Mutant]:
    """The program without each of its parts."""
    return (Mutant(kind, found) for kind, found in _variants(query, _DROPPED))


def swapped(query: t.Query) -> Iterator[Mutant]:
    """The program with each comparison, sort direction, aggregate and set operation swapped for its neighbour."""
    return (Mutant(kind, found) for kind, found in _variants(query, _SWAPPED))


def _variants(node: Any, changes: dict[type, _Variants]) -> Iterator[tuple[str, Any]]:
    """The node with one change in it, or in a node below."""
    own = changes.get(type(node))
    if own is not None:
        yield from own(node)
    for name in t.HOLDS_NODES[type(node)]:
        value = getattr(node, name)
        if value:
            for kind, found in _within(value, changes):
                yield kind, msgspec.structs.replace(node, **{name: found})


def _within(value: Any, changes: dict[type, _Variants]) -> Iterator[tuple[str, Any]]:
    """The same of what a field holds: a node, or nodes and names in a tuple."""
    if type(value) is tuple:
        for place, part in enumerate(value):
            for kind, found in _within(part, changes):
                yield kind, (*value[:place], found, *value[place + 1 :])
    elif type(value) in t.HOLDS_NODES and type(value) not in _LEAVES:
        yield from _variants(value, changes)


_LEAVES = frozenset([t.Column, t.Constant, t.TableRef])


def _of_select(q: t.Select) -> Iterator[tuple[str, t.Select]]:
    if q.distinct:
        yield "DISTINCT", msgspec.structs.replace(q, distinct=False)
    if q.where is not None:
        yield "WHERE", msgspec.structs.replace(q, where=None)
    if q.having is not None:
        yield "HAVING", msgspec.structs.replace(q, having=None)
    for place in range(len(q.order)):
        yield "sort key", msgspec.structs.replace(q, order=q.order[:place] + q.order[place + 1 :])


def _of_logic(node: t.Logic) -> Iterator[tuple[str, t.Expr]]:
    kind = "conjunct" if node.op == "AND" else "disjunct"
    for place in range(len(node.parts)):
        rest = node.parts[:place] + node.parts[place + 1 :]
        yield kind, t.Logic(node.op, rest) if len(rest) > 1 else rest[0]


def _of_join(node: t.Join) -> Iterator[tuple[str, t.Join]]:
    yield "ON", t.Join(node.left, node.right, ALWAYS)


def _of_aggregate(node: t.Aggregate) -> Iterator[tuple[str, t.Aggregate]]:
    if node.distinct:
        yield "DISTINCT", t.Aggregate(node.name, node.arg)


def _of_window(node: t.Window) -> Iterator[tuple[str, t.Window]]:
    for place in range(len(node.order)):
        yield "sort key", msgspec.structs.replace(node, order=node.order[:place] + node.order[place + 1 :])


_DROPPED: dict[type, _Variants] = {
    t.Select: _of_select,
    t.Logic: _of_logic,
    t.Join: _of_join,
    t.Aggregate: _of_aggregate,
    t.Window: _of_window,
}

_PAIRS = "= <>,< <=,> >=,ASC DESC,MIN MAX,SUM AVG,UNION UNION_ALL,INTERSECT EXCEPT".split(",")
_NEIGHBOURS = {
    name.replace("_", " "): other.replace("_", " ")
    for one, two in map(str.split, _PAIRS)
    for name, other in ((one, two), (two, one))
}


def _swap(kind: str, name: str) -> _Variants:
    def variants(node: Any) -> Iterator[tuple[str, Any]]:
        neighbour = _NEIGHBOURS.get(getattr(node, name))
        if neighbour:
            yield kind, msgspec.structs.replace(node, **{name: neighbour})

    return variants


_SWAPPED: dict[type, _Variants] = {
    t.Compare: _swap("comparison", "op"),
    t.Order: _swap("sort direction", "direction"),
    t.Aggregate: _swap("aggregate", "name"),
    t.SetQuery: _swap("set operation", "op"),
}


# ------------------------------------------------------------------------------------------------- answers


def idle_parts(query: t.Query, answered: Answered, context: Context) -> Iterator[str]:
    """The kind of each part that can be dropped without changing the answer. Lazy: the first may be all that is asked
    for.
    """
    for kind, mutant in mutants(query):
        if answers_alike(mutant, answered, context):
            yield kind


def answers_alike(mutant: t.Query, answered: Answered, context: Context) -> bool:
    """Whether a mutant of a query has the same answer."""
    denotation, _, found = answered
    try:
        size = rows_kept(mutant, context.database)
        if size is not None and size != found.size:
            return False
        other = _first_rows(mutant, context) or evaluate(mutant, context.database)
    except Rejected:
        return _shown_alike(mutant, answered, context)
    if other.size != found.size or len(other.columns) != len(found.columns):
        return False
    try:
        rows = other.texts()
    except Rejected:
        return False
    if not found.ordered:
        return sorted(rows) == sorted(denotation.rows)
    if tuple(rows) == denotation.rows:
        return True
    return not other.ordered and _shown_alike(mutant, answered, context)


def _first_rows(mutant: t.Query, context: Context) -> Relation | None:
    """What a reader takes where LIMIT is left without ORDER BY: the first rows of a table; None for other mutants."""
    if type(mutant) is not t.Select or mutant.order or mutant.limit is None or type(mutant.source) is not t.TableRef:
        return None
    if mutant.distinct or mutant.group or mutant.having is not None:
        return None
    found = evaluate(msgspec.structs.replace(mutant, limit=None, offset=0), context.database)
    index = range(found.size)[mutant.offset : mutant.offset + mutant.limit]
    return Relation(found.names, tuple([column.take(index) for column in found.columns]), len(index))


def _shown_alike(mutant: t.Query, answered: Answered, context: Context) -> bool:
    """The same of a mutant whose answer SQL leaves open: whether SQLite gives the answer on the table as shown."""
    found = answered[2]
    try:
        rows = context.shown(render(mutant))
    except Rejected:
        return False
    return same_rows(found.rows(), rows, found.ordered)
