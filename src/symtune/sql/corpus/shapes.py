"""What an SQL template is: a program with slots, its typed tree, and the canonical form in which equal shapes have
equal texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symtune.sql.corpus.scopes import TABLE
from symtune.sql.corpus.slots import ColumnSlot, ValueSlot, check_types, check_values, slots_of, type_of_value
from symtune.sql.language import tree as t
from symtune.sql.language.evaluator import check_order_of_distinct
from symtune.sql.language.limits import check_work
from symtune.sql.language.parse import parse_statement, read
from symtune.sql.language.render import render
from symtune.types import Rejected

MAX_SLOTS = 12  # columns, and values, of a template
MAX_PARTS = 300  # nodes of a template's tree
USUAL_ROWS = 40  # a template that is too much work on so many rows is rejected


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement with slots for its columns and values. `tables` is 2 if FROM w stands for a join, else 1."""

    sql: str
    columns: Mapping[str, ColumnSlot]
    values: Mapping[str, ValueSlot]
    tables: int = 1


def shape_tree(shape: Shape) -> t.Query:
    """The typed tree of a shape, in which value slots are columns named v1, v2, …"""
    return shape_tree_of(parse_statement(shape.sql), shape.columns, shape.values)


def shape_tree_of(statement: Any, columns: Mapping[str, ColumnSlot], values: Mapping[str, ValueSlot]) -> t.Query:
    """The typed tree of a statement whose names are slots. Raises Rejected if no instance of it can have an answer,
    or if a slot does not fit its place.
    """
    if not len(columns) <= MAX_SLOTS >= len(values):
        raise Rejected("too many slots", f"more than {MAX_SLOTS}")
    for name, slot in values.items():
        if slot.column not in columns:
            raise Rejected("misplaced slot", f"{name} is of {slot.column}, which is no column slot")
    known: dict[str, Any] = {name: (name, slot.type) for name, slot in columns.items()}
    drawn: dict[str, Any] = {name: (name, type_of_value(slot, columns)) for name, slot in values.items()}
    tree = read(statement, {TABLE: known}, {TABLE: TABLE}, drawn)
    nodes = t.walk(tree)
    if not any(isinstance(node, t.TableRef) and node.name == TABLE for node in nodes):
        raise Rejected("no table")
    if len(nodes) > MAX_PARTS:
        raise Rejected("too long", f"more than {MAX_PARTS} parts")
    check_work(tree, {TABLE: _Usual()})
    for node in nodes:
        _check_answerable(node)
        check_types(node)
    check_values(tree, nodes, values)
    return tree


def _check_answerable(node: Any) -> None:
    """Refuse what has no answer on any table (docs/sql.md, Semantics), or the same answer on every table."""
    if isinstance(node, t.Select):
        if (node.limit is not None or node.offset) and not node.order:
            raise Rejected("no order", "LIMIT without ORDER BY")
        if node.distinct:
            check_order_of_distinct(node)
        over_rows = (node.where, node.group, node.source.on if isinstance(node.source, t.Join) else None)
        if _holds(over_rows, t.Aggregate) or (node.source is None and _holds(node.items, t.Aggregate)):
            raise Rejected("misplaced aggregate")
        if _holds((*over_rows, node.having), t.Window):
            raise Rejected("misplaced window")
    if isinstance(node, t.SetQuery):
        right = node.right
        everything = not (right.where or right.group or right.having or right.limit)
        if node.left == right or (node.op == "EXCEPT" and everything and node.left.items == right.items):
            raise Rejected("several tables", f"{node.op} of a table with itself")


def _holds(parts: Any, kind: type) -> bool:
    """Whether the parts of a SELECT contain such a node, not counting nested queries."""
    if isinstance(parts, tuple):
        return any(_holds(part, kind) for part in parts)
    if parts is None or isinstance(parts, (t.Select, t.SetQuery)):
        return False
    return isinstance(parts, kind) or any(_holds(part, kind) for part in t.children(parts))


class _Usual:
    size = USUAL_ROWS


def canonical(query: t.Query, columns: Mapping[str, ColumnSlot], values: Mapping[str, ValueSlot], tables: int) -> Shape:
    """The shape with its slots numbered in the order of the program's text, so that equal shapes have equal texts."""
    used = dict.fromkeys(name for node in _in_order(query) for name in slots_of(node))
    order = [name for name in used if name in columns or name in values]
    order += [slot.column for name in order if (slot := values.get(name)) and slot.column not in order]
    names: dict[str, str] = {}
    for letter in "cv":
        names |= {name: f"{letter}{i}" for i, name in enumerate((n for n in order if n[0] == letter), start=1)}
    rows: dict[int, int] = {}
    kept_values = {}
    for name in (n for n in order if n in values):
        slot = values[name]
        row = rows.setdefault(slot.row, len(rows))
        kept_values[names[name]] = replace(slot, column=names[slot.column], row=row)
    sides: dict[int, int] = {0: 0}
    kept_columns = {}
    for name in (n for n in order if n in columns):
        side = sides.setdefault(columns[name].table, len(sides))
        kept_columns[names[name]] = replace(columns[name], table=side if side <= 2 else 0)
    return Shape(render(renamed(query, names)), kept_columns, kept_values, tables)


def _in_order(node: Any) -> Iterator[Any]:
    yield node
    for child in t.children(node):
        yield from _in_order(child)


def renamed(node: Any, names: Mapping[str, str]) -> Any:
    """The tree with its slots renamed."""
    if isinstance(node, tuple):
        return tuple(renamed(part, names) for part in node)
    if not isinstance(node, t.Node):
        return node
    if isinstance(node, t.Column):
        return t.Column(names.get(node.name, node.name), node.type, node.table)
    new = type(node)(*(renamed(getattr(node, name), names) for name in node.__struct_fields__))
    if isinstance(new, t.Like):
        body = new.pattern.strip("%")
        return t.Like(new.expr, new.pattern.replace(body, names[body]), new.negated)
    return new
