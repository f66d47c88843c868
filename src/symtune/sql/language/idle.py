"""Idle parts: what can be dropped from a program without changing its answer, so that nobody needs to read it.

    list(idle_parts(query, answered, context))      # ["conjunct"]: one part of an AND says nothing
    needless(query, answered, context)              # all parts by kind and the idle ones of them; swaps, and idle ones

The parts of a program are the WHERE, HAVING and ON of each SELECT in it, each part of an AND or OR, DISTINCT (also
within an aggregate) and each sort key, those of window functions too. Dropping one gives a mutant. A mutant without an
answer has another than the program. Where SQL leaves the mutant's answer open (ORDER BY dropped behind a LIMIT, a tie),
it is the one that SQLite gives on the table as shown, which is the one that a reader would take: the first rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.language.evaluator import counts_rows, evaluate, rows_from, rows_of
from symtune.sql.language.expressions import truths_of
from symtune.sql.language.limits import check_work
from symtune.sql.language.proof import Answered, Context, same_rows
from symtune.sql.language.render import render
from symtune.sql.language.vectors import Relation
from symtune.types import Needless, Rejected

ALWAYS = t.Compare("=", t.Constant(1, "number"), t.Constant(1, "number"))  # in the place of an ON that is dropped


class Mutant(NamedTuple):
    """A program that is changed in one place, and what was changed there."""

    kind: str
    query: t.Query


_PARTS = {"AND": "conjunct", "OR": "disjunct"}
_Variants = Callable[[Any], Iterator[tuple[str, Any]]]  # a node -> (kind, the node with one part changed)


# ------------------------------------------------------------------------------------------------- mutants


def mutants(query: t.Query, nodes: Sequence[Any] = ()) -> Iterator[Mutant]:
    """The program without each of its parts. `nodes` are its own (`tree.walk`), where they are known already."""
    if type(query) is t.Select and nodes and not _has_parts_below(query, nodes):
        return _of_clauses(query)
    return _changed(query, _DROPPED)


def _of_clauses(q: t.Select) -> Iterator[Mutant]:
    """The same for a query that has nothing to drop but clauses and the parts of its WHERE."""
    for kind, changed in _of_select(q):
        yield Mutant(kind, changed)
    if type(q.where) is t.Logic:
        for kind, where in _of_logic(q.where):
            yield Mutant(kind, msgspec.structs.replace(q, where=where))


def swapped(query: t.Query) -> Iterator[Mutant]:
    """The program with each comparison, sort direction, aggregate and set operation swapped for its neighbour."""
    return _changed(query, _SWAPPED)


def _has_parts_below(query: t.Select, nodes: Sequence[Any]) -> bool:
    """Whether a SELECT of these nodes has anything to drop but clauses of its own, and the parts of its WHERE."""
    kinds = list(map(type, nodes))
    if kinds.count(t.Select) > 1 or t.Join in kinds or t.Window in kinds:
        return True
    if kinds.count(t.Logic) > (type(query.where) is t.Logic):
        return True
    return t.Aggregate in kinds and any(type(node) is t.Aggregate and node.distinct for node in nodes)


def _changed(query: t.Query, changes: Mapping[type, _Variants]) -> Iterator[Mutant]:
    """The query with one node changed, for each change of each of its nodes."""
    placed = _places(query)
    for place in placed:
        own = changes.get(type(place.node))
        if own is not None:
            for kind, found in own(place.node):
                yield Mutant(kind, _rebuilt(placed, place, found))


class _Place(NamedTuple):
    """A node of a query, and where it stands: in a field of one above (its number), and there in tuples, by places."""

    node: Any
    above: int
    name: str
    path: tuple[int, ...]


_LEAVES = frozenset([t.Column, t.Constant, t.TableRef])


def _places(query: t.Query) -> list[_Place]:
    """The nodes of a query but for leaves, those above before those below."""
    found = [_Place(query, 0, "", ())]
    for number, place in enumerate(found):  # which grows
        for name in t.HOLDS_NODES[type(place.node)]:
            if value := getattr(place.node, name):
                _place(value, number, name, (), found)
    return found


def _place(value: Any, above: int, name: str, path: tuple[int, ...], found: list[_Place]) -> None:
    kind = type(value)
    if kind is tuple:
        for i, part in enumerate(value):
            _place(part, above, name, (*path, i), found)
    elif kind in t.HOLDS_NODES and kind not in _LEAVES:
        found.append(_Place(value, above, name, path))


def _rebuilt(placed: Sequence[_Place], place: _Place, node: Any) -> Any:
    """The query with another node in a place."""
    while place.name:
        above = placed[place.above]
        value = node if not place.path else _put(getattr(above.node, place.name), place.path, node)
        node, place = msgspec.structs.replace(above.node, **{place.name: value}), above
    return node


def _put(values: tuple[Any, ...], path: tuple[int, ...], node: Any) -> tuple[Any, ...]:
    """Tuples with another node in a place."""
    first, *rest = path
    return (*values[:first], _put(values[first], tuple(rest), node) if rest else node, *values[first + 1 :])


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
    kind = _PARTS[node.op]
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


_DROPPED: Mapping[type, _Variants] = {
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


_SWAPPED: Mapping[type, _Variants] = {
    t.Compare: _swap("comparison", "op"),
    t.Order: _swap("sort direction", "direction"),
    t.Aggregate: _swap("aggregate", "name"),
    t.SetQuery: _swap("set operation", "op"),
}


# ------------------------------------------------------------------------------------------------- answers


def idle_parts(query: t.Query, answered: Answered, context: Context, nodes: Sequence[Any] = ()) -> Iterator[str]:
    """The kind of each part that can be dropped without changing the answer. Lazy: the first may be all that is asked
    for. `nodes` are the query's (`tree.walk`), where they are known already.
    """
    if type(query) is t.Select and nodes and _only_filters(query, nodes):
        yield from _idle_filters(query, answered, context)
        return
    for mutant in mutants(query, nodes):
        if _is_idle(query, mutant, answered, context):
            yield mutant.kind


def needless(query: t.Query, answered: Answered, context: Context) -> Needless:
    """All parts of a query and all swaps in it, and which of them leave the answer as it is."""
    parts, idle, swaps, same = (Counter[str]() for _ in range(4))
    untried = 0
    for found, alike, changed in ((parts, idle, mutants(query)), (swaps, same, swapped(query))):
        for mutant in changed:
            try:
                check_work(mutant.query, context.database)
            except Rejected:
                untried += 1
                continue
            found[mutant.kind] += 1
            alike[mutant.kind] += _is_idle(query, mutant, answered, context)
    return Needless(parts, +idle, swaps, +same, untried)


def _is_idle(query: t.Query, mutant: Mutant, answered: Answered, context: Context) -> bool:
    """Whether a mutant of a query has its answer."""
    changed = mutant.query
    # Without the order of a window function, nothing but an engine says what it yields.
    lost = mutant.kind == "sort key" and type(changed) is type(query) is t.Select and changed.order is query.order
    return (shown_alike if lost else answers_alike)(changed, answered, context)


def _only_filters(query: t.Select, nodes: Sequence[Any]) -> bool:
    """Whether the WHERE of a query and its parts are all that can be dropped, and each row kept adds to the answer."""
    if not _reads_down(query) or query.order or query.limit is not None:
        return False
    kinds = list(map(type, nodes))
    if kinds.count(t.Select) > 1 or t.Window in kinds or (t.Aggregate in kinds and not counts_rows(query)):
        return False
    return kinds.count(t.Logic) == (type(query.where) is t.Logic)


def _idle_filters(query: Any, answered: Answered, context: Context) -> Iterator[str]:
    """The same for a query that only filters: a mutant whose rows are more or fewer has another answer, and one that
    has as many has the same, since one of the two conditions implies the other.
    """
    found, where = answered[2], query.where
    if where is None:
        return
    kept = found.columns[0].values[0] if counts_rows(query) else found.size
    if context.database[query.source.name].size == kept:
        yield "WHERE"
    if type(where) is t.Logic:
        frame = rows_from(query.source, context.database)
        truths = [truths_of(part, frame) for part in where.parts]
        together = all if where.op == "AND" else any
        for place in range(len(truths)):
            others = truths[:place] + truths[place + 1 :]
            if sum(map(together, zip(*others, strict=True))) == kept:
                yield _PARTS[where.op]


def answers_alike(mutant: t.Query, answered: Answered, context: Context) -> bool:
    """Whether a mutant of a query has the same answer."""
    denotation, _, found = answered
    try:
        rows = rows_of(mutant, context.database)
        if rows is not None and rows != (found.columns[0].values[0] if counts_rows(mutant) else found.size):
            return False
        other = _first_rows(mutant, context)
        if other is None and _takes_any(mutant):
            return shown_alike(mutant, answered, context)
        other = other or evaluate(mutant, context.database)
    except Rejected:
        return shown_alike(mutant, answered, context)
    if other.size != found.size or len(other.columns) != len(found.columns):
        return False
    try:
        texts = other.texts()
    except Rejected:
        return False
    if not found.ordered:
        return sorted(texts) == sorted(denotation.rows)
    if tuple(texts) == denotation.rows:
        return True
    return not other.ordered and not _reads_down(mutant) and shown_alike(mutant, answered, context)


def _first_rows(mutant: t.Query, context: Context) -> Relation | None:
    """What a reader takes where LIMIT is left without ORDER BY: the first rows of a table; None for other mutants."""
    if not (type(mutant) is t.Select and _takes_any(mutant) and _reads_down(mutant)):
        return None
    found = evaluate(msgspec.structs.replace(mutant, limit=None, offset=0), context.database)
    index = range(found.size)[mutant.offset : mutant.offset + (mutant.limit or 0)]
    return Relation(found.names, tuple([column.take(index) for column in found.columns]), len(index))


def _reads_down(query: t.Query) -> bool:
    """Whether a query yields rows of a table as it goes down it: then our evaluator has them in the reader's order."""
    if type(query) is not t.Select or type(query.source) is not t.TableRef:
        return False
    return not (query.distinct or query.group or query.having is not None or query.ctes)


def _takes_any(mutant: t.Query) -> bool:
    """Whether LIMIT is left without ORDER BY."""
    return type(mutant) is t.Select and mutant.limit is not None and not mutant.order


def shown_alike(mutant: t.Query, answered: Answered, context: Context) -> bool:
    """The same of a mutant whose answer SQL leaves open: whether SQLite gives the answer on the table as shown."""
    found = answered[2]
    try:
        rows = context.shown(render(mutant))
    except Rejected:
        return False
    return same_rows(found.rows(), rows, found.ordered)
