"""What proofs run on: a set of two SQLite databases, and the pool that lends each set to one user at a time.

    with ENGINES.checked_out() as engines:
        context = Context(tables, engines)       # loads nothing if `engines` already hold these tables
        …                                        # prove, yield, prove again

A generator may keep a set for as long as it runs: the set is returned when the generator ends, is closed or is
collected. So any number of blocks may run at once, interleaved in one thread or in several, each on its own set. A set
that is returned keeps its tables loaded, and the set returned last is lent first: consecutive lines that share their
tables load them once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Generic, TypeVar

from symtune.executors import Sqlite
from symtune.sql.language.evaluator import database_of
from symtune.sql.language.vectors import Database, Relation, Vector
from symtune.tables import typed_rows
from symtune.types import Table, Value

Kept = TypeVar("Kept")


class Pool(Generic[Kept]):
    """Objects with one user at a time, made when none is free. Thread-safe."""

    def __init__(self, make: Callable[[], Kept]) -> None:
        self._make = make
        self._free: deque[Kept] = deque()  # append and pop are atomic

    @contextmanager
    def checked_out(self) -> Iterator[Kept]:
        """One of the objects, reserved until the end of the `with`."""
        try:
            lent = self._free.pop()
        except IndexError:
            lent = self._make()
        try:
            yield lent
        finally:
            self._free.append(lent)


class Loaded:
    """Tables as values: what the engines are loaded with, and what our own evaluator reads."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tuple(tables)
        self.typed: list[list[tuple[Value, ...]]] = [typed_rows(table) for table in tables]
        self.database = database_of(tables, self.typed)

    @cached_property
    def backwards(self) -> Database:
        """The tables with rows and columns in reverse order, for our own evaluator."""
        relations = {name: _reversed(relation) for name, relation in self.database.items()}
        return Database(relations, self.database.run)

    @cached_property
    def several_texts(self) -> bool:
        """Whether any value is written in several ways, such as "5" and "5.0": engines, which see only values, then
        cannot tell whether the right text was picked.
        """
        return _several_texts(self.database.values())


class Engines:
    """Two SQLite databases: one with the tables as shown, one with rows and columns in reverse order. Reversal moves
    every row past every other, so a tie between two rows always shows.
    """

    def __init__(self) -> None:
        self._shown, self._permuted = Sqlite(own=True), Sqlite(own=True)
        self._held: Loaded | None = None

    def loaded(self, tables: Sequence[Table]) -> Loaded:
        """The tables, loaded unless they already are. Raises Rejected("table cannot be loaded")."""
        held = self._held
        if held is None or held.tables != tables:
            held = Loaded(tables)
            self._load(held)
        return held

    def run(self, sql: str, loaded: Loaded) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """(name of the executor, its rows) for each of the two, on tables that `loaded` returned."""
        return [("SQLite", self.shown(sql, loaded)), ("SQLite on permuted rows", self._permuted.run(sql))]

    def shown(self, sql: str, loaded: Loaded) -> list[tuple[Any, ...]]:
        """The rows that SQLite yields on the tables as shown."""
        if loaded is not self._held:  # other tables have been loaded since
            self._load(loaded)
        return self._shown.run(sql)

    def _load(self, wanted: Loaded) -> None:
        self._held = None  # and stays None if they cannot be loaded
        self._shown.load(wanted.tables, wanted.typed)
        backwards = [Table(t.id, t.header[::-1], t.types[::-1], (), t.name) for t in wanted.tables]  # cells: `typed`
        self._permuted.load(backwards, [[row[::-1] for row in rows[::-1]] for rows in wanted.typed])
        self._held = wanted


def _several_texts(relations: Iterable[Relation]) -> bool:
    shown: dict[tuple[str, Any], str] = {}
    for found in relations:
        for column in found.columns:
            if column.type == "text" or column.texts is None:
                continue
            for value, text in zip(column.values, column.texts, strict=True):
                if value is not None and shown.setdefault((column.type, value), text) != text:
                    return True
    return False


def _reversed(relation: Relation) -> Relation:
    columns = [
        Vector(v.values[::-1], v.type, None if v.texts is None else v.texts[::-1], v.computed) for v in relation.columns
    ]
    return Relation(relation.names[::-1], tuple(columns[::-1]), relation.size)


ENGINES: Pool[Engines] = Pool(Engines)
