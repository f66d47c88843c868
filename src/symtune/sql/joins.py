"""Several tables: made by splitting one, or found in a database by a foreign key; and what joins offer to draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from symtune.sql import tree as t
from symtune.sql.draws import Field, Material, no_draw
from symtune.sql.evaluator import join_frame
from symtune.sql.vectors import Database
from symtune.tables import ForeignKey, make_view, typed_rows
from symtune.types import Table


@dataclass(frozen=True, slots=True)
class Link:
    """`left.left_column = right.right_column`: what two shown tables are joined on. All are SQL names."""

    left: str
    left_column: str
    right: str
    right_column: str


Linked = tuple[tuple[Table, Table], Link]


def split(view: Table, rng: Random) -> Linked:
    """Two tables that share a key column, cut from one view: joining them gives the view back.

    The key is a column of unique known values. Raises ExecutionError where there is none, or too few columns.
    The rows of the second table come in another order, so that a join is more than reading across.
    """
    columns = list(zip(*typed_rows(view), strict=True))
    keys = [c for c, values in enumerate(columns) if None not in values and len(set(values)) == len(values) > 1]
    if not keys or len(view.header) < 3:
        no_draw("a table to split")
    key = rng.choice(keys)
    rest = [c for c in range(len(view.header)) if c != key]
    rng.shuffle(rest)
    cut = 1 + int(rng.random() * (len(rest) - 1))
    order = list(range(len(view.rows)))
    rng.shuffle(order)
    left = make_view(view, range(len(view.rows)), [key, *sorted(rest[:cut])], id=f"{view.id}/t1", name="t1")
    right = make_view(view, order, [key, *sorted(rest[cut:])], id=f"{view.id}/t2", name="t2")
    return (left, right), Link("t1", view.header[key], "t2", view.header[key])


def follow(key: ForeignKey, view: Table, parent: Table, rng: Random, columns: int) -> Linked:
    """A view that holds a foreign key, and the rows of the other table that it refers to, with up to `columns`
    columns. Raises ExecutionError where the view shows no such row.
    """
    if view.name == parent.name or key.column not in view.header:
        no_draw("a foreign key between two tables")
    wanted = {row[view.header.index(key.column)] for row in view.rows}
    place = parent.header.index(key.references_column)
    rows = [r for r, row in enumerate(parent.rows) if row[place] in wanted]
    if len(rows) < 2 or len(parent.header) < 2:
        no_draw("rows that a foreign key refers to")
    rest = [c for c in range(len(parent.header)) if c != place]
    chosen = sorted([place, *rng.sample(rest, min(len(rest), max(1, columns - 1)))])
    rng.shuffle(rows)
    right = make_view(parent, rows, chosen, id=f"{view.id}/{parent.name}", name=parent.name)
    return (view, right), Link(view.name, key.column, parent.name, key.references_column)


def joined_material(database: Database, links: Sequence[Link]) -> Material:
    """The columns of the joined tables, each by its table's name; the columns that they are joined on once."""
    source: t.Source = t.TableRef(links[0].left)
    for link in links:
        source = t.Join(source, t.TableRef(link.right), _on(database, link))
    frame = join_frame(source, database)
    again = {(link.right, link.right_column) for link in links}
    fields = [
        Field(t.Column(name, vector.type, alias), vector)  # type: ignore[arg-type]
        for alias, columns in frame.columns.items()
        for name, vector in columns.items()
        if (alias, name) not in again
    ]
    return Material(fields, source, frame.size)


def _on(database: Database, link: Link) -> t.Compare:
    left, right = (
        t.Column(name, database[table].column(name).type, table)  # type: ignore[arg-type]
        for table, name in ((link.left, link.left_column), (link.right, link.right_column))
    )
    if left.type != right.type:
        no_draw("a key of one type")
    return t.Compare("=", left, right)


def uses_all(query: t.Query, database: Database) -> bool:
    """Whether a program over joined tables needs them all: it names columns of each outside ON."""
    if not isinstance(query, t.Select):
        return False
    body = (query.items, query.where, query.group, query.having, query.order)
    return {node.table for node in t.walk(body) if isinstance(node, t.Column)} >= set(database)
