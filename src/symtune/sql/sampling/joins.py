"""Several tables: made by splitting one, or found in a database by a foreign key; and what joins offer to draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import msgspec

from symtune.sql.language import tree as t
from symtune.sql.language.evaluator import rows_from
from symtune.sql.language.vectors import Database
from symtune.sql.sampling.draws import no_draw
from symtune.sql.sampling.material import Field, Material, Roles
from symtune.tables import ForeignKey, Link, make_view, typed_rows
from symtune.types import Rejected, Table

# Tables to show together. Each link joins one more table to those before it.
Linked = tuple[tuple[Table, ...], tuple[Link, ...]]


def split(view: Table, rng: Random, parts: int = 2) -> Linked:
    """Two or more tables that share a key column, cut from one view: joining them gives the view back.

    The key is a column of unique known values. Raises Rejected if there is none, or too few columns.
    The rows of all but the first table come in another order, so that a join is more than reading across.
    """
    columns = list(zip(*typed_rows(view), strict=True))
    keys = [c for c, values in enumerate(columns) if None not in values and len(set(values)) == len(values) > 1]
    if not keys or len(view.header) <= parts:
        no_draw("a table to split")
    key = rng.choice(keys)
    rest = [c for c in range(len(view.header)) if c != key]
    rng.shuffle(rest)
    cuts = [0, *sorted(rng.sample(range(1, len(rest)), parts - 1)), len(rest)]
    rows = list(range(len(view.rows)))
    tables: list[Table] = []
    for number, (start, stop) in enumerate(pairwise(cuts), start=1):
        name = f"t{number}"
        tables.append(make_view(view, rows, [key, *sorted(rest[start:stop])], id=f"{view.id}/{name}", name=name))
        rows = list(rows)
        rng.shuffle(rows)
    on = view.header[key]
    return tuple(tables), tuple([Link("t1", on, table.name, on) for table in tables[1:]])


def follow(key: ForeignKey, linked: Linked, parent: Table, rng: Random, columns: int, max_cell: int) -> Linked:
    """The tables, of which the last holds a foreign key, and the rows of one more table that it refers to, with up to
    `columns` columns whose cells have up to `max_cell` characters. Raises Rejected if the last table shows no
    such row.
    """
    tables, links = linked
    child = tables[-1]
    if parent.name in {table.name for table in tables} or key.column not in child.header:
        no_draw("a foreign key between two tables")
    wanted = {row[child.header.index(key.column)] for row in child.rows}
    place = parent.header.index(key.references_column)
    rows = [r for r, row in enumerate(parent.rows) if row[place] in wanted]
    usable = [
        c
        for c, name in enumerate(parent.header)
        if max(map(len, (name, *(parent.rows[r][c] for r in rows)))) <= max_cell
    ]
    if len(rows) < 2 or len(usable) < 2 or place not in usable:
        no_draw("rows that a foreign key refers to")
    rest = [c for c in usable if c != place]
    chosen = sorted([place, *rng.sample(rest, min(len(rest), max(1, columns - 1)))])
    rng.shuffle(rows)
    found = make_view(parent, rows, chosen, id=f"{tables[0].id}/{parent.name}", name=parent.name)
    return (*tables, found), (*links, Link(child.name, key.column, parent.name, key.references_column))


def joined_material(database: Database, links: Sequence[Link], roles: Roles, most: int) -> Material:
    """The columns of the joined tables, each by its table's name; the columns that they are joined on once."""
    source = _source(database, links)
    frame = rows_from(source, database)
    again = {(link.right, link.right_column) for link in links}
    fields = [
        Field(t.Column(name, vector.type, alias), vector, roles.get(alias, {}).get(name))  # type: ignore[arg-type]
        for alias, columns in frame.columns.items()
        for name, vector in columns.items()
        if (alias, name) not in again
    ]
    return Material(fields, source, frame, most)


def _on(database: Database, link: Link) -> t.Compare:
    left, right = (
        t.Column(name, database[table].column(name).type, table)  # type: ignore[arg-type]
        for table, name in ((link.left, link.left_column), (link.right, link.right_column))
    )
    if left.type != right.type:
        no_draw("a key of one type")
    return t.Compare("=", left, right)


def _source(database: Database, links: Sequence[Link]) -> t.Source:
    source: t.Source = t.TableRef(links[0].left)
    for link in links:
        source = t.Join(source, t.TableRef(link.right), _on(database, link))
    return source


def narrowed(query: t.Query, database: Database, links: Sequence[Link]) -> t.Query:
    """The program over only the tables whose columns it names, and those that link them. Raises Rejected("join
    not used") where that is one table.
    """
    if not isinstance(query, t.Select):
        raise Rejected("join not used")
    body = (query.items, query.where, query.group, query.having, query.order)
    used = {node.table for node in t.walk(body) if isinstance(node, t.Column)}
    if len(used) < 2:
        raise Rejected("join not used")
    kept = list(links)
    while len(used) <= len(kept):  # n links hold n + 1 tables together
        ends = Counter([name for link in kept for name in (link.left, link.right)])
        idle = [link for link in kept if any(ends[name] == 1 and name not in used for name in (link.left, link.right))]
        if not idle:
            break
        kept.remove(idle[-1])
    if len(kept) == len(links):
        return query
    return msgspec.structs.replace(query, source=_source(database, kept))
