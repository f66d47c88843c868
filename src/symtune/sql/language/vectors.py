"""What the evaluator computes with: vectors (columns of values), relations (named columns) and frames (the rows that
an expression sees).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from symtune.denotation import number_text
from symtune.sql.language import tree as t
from symtune.types import Rejected, Table, Value

SEVERAL = "\0"  # stands for the text of a value that is written in several ways; no cell contains NUL
ROUNDED = 1  # decimals of single operations: rounded, and the same in every engine
SUMMED = 2  # sums and means of decimals: their last digits depend on the order of rows and on the engine's method


# Structs, since a dozen vectors and frames are made for every program, at a fifth of the cost of a plain class.


class Vector(msgspec.Struct, eq=False, gc=False):
    """One value per row. `texts` are the cells as written, if the values are cells; `computed` marks decimals that
    were computed: 0 (none), ROUNDED or SUMMED."""

    values: list[Any]
    type: str
    texts: list[str] | None = None
    computed: int = 0

    def take(self, index: Sequence[int]) -> Vector:
        values, texts = self.values, self.texts
        return Vector(
            [values[i] for i in index],
            self.type,
            None if texts is None else [texts[i] for i in index],
            self.computed,
        )


class Relation(msgspec.Struct, eq=False, gc=False):
    """Named columns of equal length. `ordered`: the order of the rows is total and meaningful."""

    names: tuple[str, ...]
    columns: tuple[Vector, ...]
    size: int
    ordered: bool = False

    def by_name(self) -> dict[str, Vector]:
        """Its columns by name."""
        return dict(zip(self.names, self.columns, strict=True))

    def column(self, name: str) -> Vector:
        """A column by its name."""
        return self.columns[self.names.index(name)]

    def rows(self) -> list[tuple[Any, ...]]:
        """The values, row by row."""
        return list(zip(*[column.values for column in self.columns], strict=True))

    def texts(self) -> list[tuple[str, ...]]:
        """What is shown, row by row: a cell as written, a computed number by the number rule (denotation.py), "" for
        NULL. Raises Rejected if a cell stands for several that are written differently.
        """
        texts = [shown(c.values) if c.texts is None else c.texts for c in self.columns]
        if any(SEVERAL in column for column in texts):
            raise Rejected("several texts", "MIN or MAX of a value that is written in several ways")
        return list(zip(*texts, strict=True))


def shown(values: Sequence[Any]) -> list[str]:
    """Computed values as an answer shows them: texts and dates as they are, numbers by the number rule, NULL as ""."""
    return [("" if v is None else v if isinstance(v, str) else number_text(v)) for v in values]


class Database(dict[str, Relation]):
    """Relations by name. `run`, set by the evaluator, evaluates a query inside an expression. `scopes` keeps the rows
    of FROM clauses, with the truth values of conditions on them, and `nested` the results of nested queries: programs
    over the same tables share many of them, and so does a program with itself when one of its parts is dropped.
    """

    def __init__(self, relations: dict[str, Relation], run: Run) -> None:
        super().__init__(relations)
        self.run = run
        self.scopes: dict[t.Source, Rows] = {}
        self.nested: dict[t.Query, Relation] = {}

    def extended(self, name: str, relation: Relation) -> Database:
        """The database with one more relation, a common table expression."""
        return Database({**self, name: relation}, self.run)

    def stored(self, ref: t.TableRef) -> Rows:
        """The rows of a relation by its name, or its alias."""
        found = self.scopes.get(ref)
        if found is None:
            if ref.name not in self:
                raise Rejected("unknown table", ref.name)
            relation = self[ref.name]
            found = self.scopes[ref] = {ref.alias or ref.name: relation.by_name()}, relation.size, {}
        return found


Scope = dict[str, dict[str, Vector]]  # alias -> name -> column
Truths: TypeAlias = "dict[t.Expr, list[bool | None]]"  # a condition -> its truth value on every row
Rows = tuple[Scope, int, Truths]  # of a FROM clause
Outer: TypeAlias = "tuple[Frame, int] | None"  # the row of the enclosing query that a correlated subquery refers to
Run: TypeAlias = Callable[[t.Query, Database, Outer], Relation]


def relation(table: Table, typed: Sequence[Sequence[Value]]) -> Relation:
    """A stored table as a relation; `typed` are its rows of values (tables.columns.typed_rows)."""
    width = len(table.header)
    values = list(zip(*typed, strict=True)) if typed else [()] * width
    texts = list(zip(*table.rows, strict=True)) if table.rows else [()] * width
    columns = tuple([Vector(list(values[c]), table.types[c], list(texts[c])) for c in range(width)])
    return Relation(tuple(table.header), columns, len(table.rows))


class Frame(msgspec.Struct, eq=False, gc=False):
    """The rows that an expression sees: columns by alias and name, an outer row for correlated subqueries, and, under
    GROUP BY, the groups of rows of `below`. `truths` keeps the truth values of conditions on exactly these rows; None
    if they are not to be kept.
    """

    columns: Scope
    size: int
    database: Database
    outer: Outer = None
    index: list[int] | None = None  # rows kept by WHERE; None means all
    groups: list[list[int]] | None = None
    keys: tuple[t.Expr, ...] = ()
    below: Frame | None = None
    cache: dict[tuple[str, str], Vector] = {}  # msgspec gives every frame a new dict
    truths: Truths | None = None

    def filtered(self, index: list[int]) -> Frame:
        """The rows at the given positions."""
        kept = index if self.index is None else [self.index[i] for i in index]
        return Frame(self.columns, len(index), self.database, self.outer, kept)

    def grouped(self, groups: list[list[int]], keys: tuple[t.Expr, ...]) -> Frame:
        """A row for each group of rows."""
        below = self if self.below is None else self.below
        return Frame(self.columns, len(groups), self.database, self.outer, self.index, groups, keys, below)

    def rows(self) -> Frame:
        """The rows below the groups."""
        return self if self.below is None else self.below

    def column(self, table: str, name: str) -> Vector:
        """A column of these rows, or of the outer row. Raises Rejected for a name that matches no column or several."""
        found = self.cache.get((table, name))
        if found is None:
            found = self.find(table, name)
            if found is None:
                return self.from_outside(table, name)
            if self.index is not None:
                found = found.take(self.index)
            self.cache[table, name] = found
        return found

    def find(self, table: str, name: str) -> Vector | None:
        """A column before WHERE, or None."""
        if table:
            scope = self.columns.get(table)
            return None if scope is None else scope.get(name)
        if len(self.columns) == 1:
            (scope,) = self.columns.values()
            return scope.get(name)
        found = [scope[name] for scope in self.columns.values() if name in scope]
        if len(found) > 1:
            raise Rejected("ambiguous column", name)
        return found[0] if found else None

    def from_outside(self, table: str, name: str) -> Vector:
        """The outer row's value of a column, on every row."""
        if self.outer is None:
            raise Rejected("unknown column", name)
        frame, row = self.outer
        vector = frame.column(table, name)
        text = None if vector.texts is None else [vector.texts[row]] * self.size
        return Vector([vector.values[row]] * self.size, vector.type, text, vector.computed)


def sort_index(keys: Sequence[Vector], directions: Sequence[str], size: int) -> list[int]:
    """Row indexes in the order of the keys. Refuses NULL in a key."""
    index = list(range(size))
    for key, direction in reversed(list(zip(keys, directions, strict=True))):
        if None in key.values:
            raise Rejected("null order")
        index.sort(key=key.values.__getitem__, reverse=direction == "DESC")
    return index


def same_key(keys: Sequence[Vector], a: int, b: int) -> bool:
    """Whether two rows tie under the keys. Refuses if only rounding tells them apart, or makes their sums equal."""
    for key in keys:
        x, y = key.values[a], key.values[b]
        if key.computed and (undecided(x, y, key.computed) if x == y else near(x, y)):
            raise Rejected("near numbers", "ORDER BY")
        if x != y:
            return False
    return True


def undecided(x: Any, y: Any, computed: int) -> bool:
    """Whether two equal numbers are sums of decimals, which are equal here but may not be in an engine."""
    return computed == SUMMED and isinstance(x + y, float)


def near(x: Any, y: Any) -> bool:
    """Whether two numbers differ by no more than the rounding of doubles can explain."""
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9)
