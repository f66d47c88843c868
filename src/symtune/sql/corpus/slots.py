"""The slots of SQL templates: their types, and where they may occur.

Statements of a corpus and template files, which may have been edited by hand, pass the same checks: a value slot occurs
once, in a comparison with its column, of the kind that its `use` names; and every function is given the type it reads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from symtune.sql.language import tree as t
from symtune.sql.language.functions import FUNCTIONS
from symtune.sql.language.records import DATE, TEXT
from symtune.sql.language.type_rules import arguments, type_of
from symtune.types import Rejected

SlotType = Literal["number", "date", "text", "ordered", "any"]
SLOT_TYPES: tuple[SlotType, ...] = ("number", "date", "text", "ordered", "any")
# Functions that may stand between a column and the value it is compared with -> the type that they read.
READINGS: dict[str, SlotType] = {
    record.name.lower(): "text" if record.takes == (TEXT,) else "date"
    for record in FUNCTIONS.values()
    if record.takes in ((TEXT,), (DATE,))
}
NEGATED = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}  # comparisons under NOT

_PATTERN = re.compile(r"%?v\d+%?\Z")


@dataclass(frozen=True, slots=True)
class ColumnSlot:
    """A place for a column. `table` is 1 or 2 for a column of only that table of a join, 0 for any column."""

    type: SlotType
    table: int = 0


@dataclass(frozen=True, slots=True)
class ValueSlot:
    """A place for a value. `column` names the slot it is compared with, `use` says how, `row` is the witness row.

    A use is a comparison, `in`, `not in`, `low` or `high` (of BETWEEN), after the name of a reading if the column is
    compared through one (`year =`); `like` or `not like`; or a comparison with the size of a group (`count >=`).
    """

    column: str
    use: str
    row: int = 0


def type_of_value(slot: ValueSlot, columns: Mapping[str, ColumnSlot]) -> str:
    """The type of a value, which follows from what is compared with it."""
    reading = slot.use.partition(" ")[0]
    if reading in READINGS:
        return FUNCTIONS[reading.upper()].gives or ""
    return "number" if reading == "count" else columns[slot.column].type


def check_types(node: Any) -> None:
    """Refuse an argument of a type that its function does not read: the evaluator itself would read any."""
    for arg, wanted in arguments(node):
        if wanted.types and type_of(arg) != wanted.types[0]:
            raise Rejected("type mismatch", f"{getattr(node, 'name', type(node).__name__)} of {type_of(arg)}")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value occurs: `use` is the comparison, `of` what the value is compared with, in a SELECT whose first
    grouping key is `group`."""

    use: str
    of: t.Expr
    group: t.Expr | None


# What subqueries compute, by name, with the first grouping key of their SELECT.
_Named = Mapping[str, tuple[t.Expr, t.Expr | None]]


def check_values(tree: t.Query, nodes: list[Any], values: Mapping[str, ValueSlot]) -> None:
    """Refuse a value that does not occur exactly once, in a comparison with its column that its `use` names."""
    named = {
        item.alias: (item.expr, _first_key(node))
        for node in nodes
        if isinstance(node, t.Select)
        for item in node.items
        if item.alias
    }
    met = Counter(name for node in nodes for name in slots_of(node))
    places = dict(_places(tree, False, None))
    for name, slot in values.items():
        if name not in places or met[name] != 1:
            raise Rejected("misplaced slot", f"{name} is not what one column is compared with")
        found = _meaning(places[name], named)
        if found != (slot.column, slot.use):
            wanted = "no column" if found is None else f"{found[0]} by {found[1]!r}"
            asked = f"{slot.column} by {slot.use!r}"
            raise Rejected("misplaced slot", f"{name} is compared with {wanted}, not {asked}")


def _places(node: t.Node, negated: bool, group: t.Expr | None) -> Iterator[tuple[str, _Place]]:
    """Values below a node, by name. `negated`: whether the node is under NOT."""
    negated ^= isinstance(node, t.Not) or getattr(node, "negated", False)
    if isinstance(node, t.Compare) and isinstance(node.right, t.Column):
        yield node.right.name, _Place(NEGATED[node.op] if negated else node.op, node.left, group)
    elif isinstance(node, t.Between):
        for use, side in (("low", node.low), ("high", node.high)):
            if isinstance(side, t.Column):
                yield side.name, _Place(use, node.expr, group)
    elif isinstance(node, t.InList):
        for item in node.items:
            if isinstance(item, t.Column):
                yield item.name, _Place("not in" if negated else "in", node.expr, group)
    elif isinstance(node, t.Like):
        yield from ((name, _Place("not like" if negated else "like", node.expr, group)) for name in slots_of(node))
    elif isinstance(node, t.Select):
        group = _first_key(node)
    inside = negated and isinstance(node, (t.Not, t.Logic, t.IsNull))
    for child in t.children(node):
        yield from _places(child, inside, group)


def _meaning(place: _Place, named: _Named) -> tuple[str, str] | None:
    """The column and the use of a value in this place; None if there is no column."""
    use = place.use
    of: Any
    of, group = _named(place.of, place.group, named)
    if isinstance(of, t.Aggregate) and of.name == "COUNT":
        of, use = group, f"count {use}" if use in t.COMPARISONS else ""
    elif isinstance(of, t.Aggregate):
        of = of.arg
    elif isinstance(of, t.Function) and of.name.lower() in READINGS:
        of, use = of.args[0], f"{of.name.lower()} {use}"
    of = _named(of, group, named)[0]
    return (of.name, use) if isinstance(of, t.Column) and use else None


def _named(expr: Any, group: t.Expr | None, named: _Named) -> tuple[Any, t.Expr | None]:
    """The expression and the first grouping key around it. A name of something that a subquery computes is replaced by
    the computation."""
    for _ in named:  # a chain of names is no longer than the number of names
        if isinstance(expr, t.Column) and expr.name in named:
            expr, group = named[expr.name]
    return expr, group


def _first_key(select: t.Select) -> t.Expr | None:
    return select.group[0] if select.group else None


def slots_of(node: Any) -> tuple[str, ...]:
    """The names in a node that may be slots."""
    if isinstance(node, t.Column):
        return (node.name,)
    if isinstance(node, t.Like) and _PATTERN.match(node.pattern):
        return (node.pattern.strip("%"),)
    return ()
