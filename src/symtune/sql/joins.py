"""Several tables: made by splitting one, or found in a database by its foreign keys; and what joins offer to draws."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from symtune.sql import tree as t
from symtune.sql.draws import Field, Material, no_draw
from symtune.sql.evaluator import join_frame
from symtune.sql.vectors import Database
from symtune.tables import make_view, typed_rows
from symtune.types import Table


def split(view: Table, rng: Random) -> tuple[Table, Table]:
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
    return (
        make_view(view, range(len(view.rows)), [key, *sorted(rest[:cut])], id=f"{view.id}/t1", name="t1"),
        make_view(view, order, [key, *sorted(rest[cut:])], id=f"{view.id}/t2", name="t2"),
    )


def joined_source(database: Database) -> t.Join:
    """The join of all tables of a context: each with the one before, by the first column name they share."""
    names = list(database)
    source: t.Source = t.TableRef(names[0])
    for left, right in pairwise(names):
        source = t.Join(source, t.TableRef(right), _on(database, left, right))
    if not isinstance(source, t.Join):
        no_draw("several tables")
    return source


def _on(database: Database, left: str, right: str) -> t.Compare:
    a, b = database[left], database[right]
    for name, vector in zip(a.names, a.columns, strict=True):
        if name in b.names:
            type_: t.ExprType = vector.type  # type: ignore[assignment]
            return t.Compare("=", t.Column(name, type_, left), t.Column(name, type_, right))
    no_draw("a column that two tables share")


def joined_material(database: Database) -> Material:
    """The columns of the joined tables, each by its table's name; a shared key column once."""
    source = joined_source(database)
    frame = join_frame(source, database)
    fields, seen = [], set[str]()
    for (alias, name), vector in frame.columns.items():
        if name not in seen:
            seen.add(name)
            fields.append(Field(t.Column(name, vector.type, alias), vector))  # type: ignore[arg-type]
    return Material(fields, source, frame.size)


def uses_all(query: t.Query, database: Database) -> bool:
    """Whether a program over joined tables needs them all: it names columns of each outside ON."""
    if not isinstance(query, t.Select):
        return False
    body = (query.items, query.where, query.group, query.having, query.order)
    return {node.table for node in t.walk(body) if isinstance(node, t.Column)} >= set(database)
