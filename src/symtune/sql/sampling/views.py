"""What a block of programs runs on: one view of a table; or, for joins, a view split in two or three, or a view with
the tables that its foreign keys lead to.

    context = draw_view(rng, views, joins=None, key="…", how="csv", measure=estimate, budget=1024, rejects=Counter())
    context.tables, context.links, context.shown
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from symtune.prompts import linearize_all
from symtune.sql.sampling.joins import Linked, follow, split
from symtune.sql.sampling.material import Roles
from symtune.tables import ForeignKey, Link, Views, make_view, parse_cell
from symtune.types import Rejected, Table

ROWS_IN_ORDER = 0.5  # share of views whose rows stand as in their table; in the others they are shuffled
COLUMNS_IN_ORDER = 0.75  # the same of columns
VIEWS_PER_BLOCK = 4  # views tried before a block is left empty
JOINS = 0.08  # share of blocks over several tables where none is asked for
JOINS_OF_LINKED = 0.4  # the same for a table with a foreign key
THIRD_TABLE = 0.5  # share of blocks over several tables that show three, where there are three
SHRINKS = 4  # times a view that is over its budget is made smaller


class View(NamedTuple):
    """What a block shows: tables, what they are joined on, their text, and what their columns are."""

    tables: tuple[Table, ...]
    links: tuple[Link, ...]
    shown: str
    roles: Roles


def pick(rng: Random, options: Any) -> Any:
    """One of the options, each as likely as another, for one number of the generator."""
    return options[int(rng.random() * len(options))]


def draw_view(
    rng: Random,
    views: Views,
    *,
    joins: float | None,
    key: str,
    how: str,
    measure: Callable[[str], int],
    budget: int,
    rejects: Counter[str],
    meant: bool = False,
    longest_number: int | None = None,
) -> View | None:
    """Tables to show, with `key` as their id, and their text in the linearization `how`, within the budget in tokens;
    None (counted) where a few tries find none. `joins`: the share over several tables; `meant`: of views that a person
    might ask about; `longest_number`: the most characters of a number.
    """
    room = int(budget * 0.9) - 40  # what is left holds the program, the instruction and the answer
    for _ in range(VIEWS_PER_BLOCK):
        table = pick(rng, views.tables.tables)
        keys = [k for k in views.tables.foreign_keys if k.table == table.id]
        share = (JOINS_OF_LINKED if keys else JOINS) if joins is None else joins
        several = rng.random() < share
        foreign = pick(rng, keys) if several and keys else None
        rows = rng.sample(range(len(table.rows)), min(len(table.rows), rng.randint(*views.rows)))
        if rng.random() < ROWS_IN_ORDER:
            rows.sort()
        columns = _columns(rng, views, table, rows, longest_number)
        key_column = None if foreign is None else table.header.index(foreign.column)
        if key_column is not None and key_column not in columns:
            columns = [*columns[: views.columns[1] - 1], key_column]
        if len(columns) < max(2, views.columns[0]):
            rejects["table: too few columns of short cells"] += 1
            continue
        if len(rows) < views.rows[0]:
            rejects["table: too few rows"] += 1
            continue
        for _ in range(SHRINKS):
            view = make_view(table, rows, columns, id=key, name=table.name if foreign else "w")
            tables, links = _linked(rng, view, foreign, views, rejects) if several else ((view,), ())
            shown = linearize_all(tables, how)
            used = measure(shown)
            if used <= room and meant and _says_little(view):
                rejects["table: a column of one value beside one other"] += 1
                break
            if used <= room:
                return View(tables, links, shown, _roles(tables, table, views))
            rows, columns = _smaller(rng, rows, columns, key_column, 0.97 * room / used, views)
            if not columns:
                rejects["table: over the token budget"] += 1
                break
        else:
            rejects["table: over the token budget"] += 1
    return None


def _roles(tables: Sequence[Table], table: Table, views: Views) -> Roles:
    """The roles of the columns shown, of which most are of `table`: each is that of the whole table's."""
    found = {}
    for shown in tables:
        whole = table if shown.source == (table.source or table.id) else _by_id(views, shown.source)
        found[shown.name] = views.roles(whole, shown.header)
    return found


def _by_id(views: Views, id: str) -> Table:
    return next(table for table in views.tables.tables if (table.source or table.id) == id)


def _says_little(view: Table) -> bool:
    """Whether a view is one column that holds a single value, and one other: all that can be asked is a list of it."""
    if len(view.header) > 2 or not view.rows:
        return False
    columns = zip(view.types, zip(*view.rows, strict=True), strict=True)
    return any(len({parse_cell(cell, type) for cell in cells} - {None}) < 2 for type, cells in columns)


def _smaller(
    rng: Random, rows: list[int], columns: list[int], key: int | None, share: float, views: Views
) -> tuple[list[int], list[int]]:
    """The share of a view that fits: fewer rows, and where those may not be fewer, fewer columns (the `key` that joins
    it stays); no columns where nothing as small is allowed.
    """
    keep = min(int(len(rows) * share), len(rows) - 1)
    fewest = max(views.rows[0], 1)
    if keep >= fewest:
        return rows[:keep], columns
    fewer = min(int(len(columns) * share * len(rows) / fewest), len(columns) - 1)
    if fewer < max(2, views.columns[0]):
        return rows, []
    others = [column for column in columns if column != key]
    kept = {key, *rng.sample(others, fewer - (key is not None))}
    return rows[:fewest], [column for column in columns if column in kept]


def _linked(rng: Random, view: Table, key: ForeignKey | None, views: Views, rejects: Counter[str]) -> Linked:
    """The view with the tables that foreign keys lead to, or else split in two or three; the view alone (counted) where
    neither can be done.
    """
    third = rng.random() < THIRD_TABLE
    try:
        if key is None:
            return split(view, rng, 3 if third and len(view.header) > 3 else 2)
        linked = _followed(rng, key, ((view,), ()), views)
    except Rejected:
        rejects["table: nothing to join it with"] += 1
        return (replace(view, name="w"),), ()
    onward = [k for k in views.tables.foreign_keys if k.table == key.references_table]
    if not (third and onward):
        return linked
    try:
        return _followed(rng, pick(rng, onward), linked, views)
    except Rejected:
        return linked


def _followed(rng: Random, key: ForeignKey, linked: Linked, views: Views) -> Linked:
    parent = next((table for table in views.tables.tables if table.id == key.references_table), None)
    if parent is None:
        raise Rejected("no such material", "the table is of another split")
    return follow(key, linked, parent, rng, views.columns[1], views.max_cell)


def _columns(rng: Random, views: Views, table: Table, rows: list[int], longest_number: int | None) -> list[int]:
    """Columns to show, as a rule in table order: all of them half the time where they are few enough, else a choice."""
    cells = [table.header, *[table.rows[row] for row in rows]]
    limit = views.max_cell
    usable = [c for c, column in enumerate(zip(*cells, strict=True)) if max(map(len, column)) <= limit]
    if longest_number is not None:
        numbers = [c for c in usable if table.types[c] == "number"]
        long = {c for c in numbers if any(len(table.rows[row][c]) > longest_number for row in rows)}
        usable = [c for c in usable if c not in long]
    low, high = views.columns
    if not (low <= len(usable) <= high and rng.random() < 0.5):
        usable = sorted(rng.sample(usable, min(len(usable), rng.randint(low, high))))
    if rng.random() >= COLUMNS_IN_ORDER:
        rng.shuffle(usable)
    return usable
