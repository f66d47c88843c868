"""What the evaluator computes with: vectors (columns of values), relations (named columns) and frames (the rows that
an expression sees).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symtune.denotation import number_text
from symtune.sql import tree as t
from symtune.types import ExecutionError, Table, Value


class Vector:
    """One value a row. `texts` are the cells as written, where the values are cells; `computed` marks decimals
    that arithmetic has rounded."""

    __slots__ = ("computed", "texts", "type", "values")

    def __init__(self, values: list[Any], type_: str, texts: list[str] | None = None, computed: bool = False) -> None:
        self.values = values
        self.type = type_
        self.texts = texts
        self.computed = computed

    def take(self, index: Sequence[int]) -> Vector:
        values, texts = self.values, self.texts
        return Vector(
            [values[i] for i in index],
            self.type,
            None if texts is None else [texts[i] for i in index],
            self.computed,
        )


@dataclass(frozen=True, slots=True)
class Relation:
    """Named columns of one length. `ordered`: the order of its rows is total and means something."""

    names: tuple[str, ...]
    columns: tuple[Vector, ...]
    size: int
    ordered: bool = False

    def column(self, name: str) -> Vector:
        """A column by its name."""
        return self.columns[self.names.index(name)]

    def rows(self) -> list[tuple[Any, ...]]:
        """The values, row by row."""
        return list(zip(*(column.values for column in self.columns), strict=True))

    def texts(self) -> list[tuple[str, ...]]:
        """What is shown, row by row: a cell as written, a computed number by the one number rule, "" for NULL."""
        texts = [shown(c.values) if c.texts is None else c.texts for c in self.columns]
        return list(zip(*texts, strict=True))


def shown(values: Sequence[Any]) -> list[str]:
    """Computed values as an answer shows them: texts and dates as they are, numbers by the one rule, NULL as ""."""
    return [("" if v is None else v if isinstance(v, str) else number_text(v)) for v in values]


Database = Mapping[str, Relation]


def relation(table: Table, typed: Sequence[Sequence[Value]]) -> Relation:
    """A stored table as a relation; `typed` are its rows of values (tables.columns.typed_rows)."""
    width = len(table.header)
    values = list(zip(*typed, strict=True)) if typed else [()] * width
    texts = list(zip(*table.rows, strict=True)) if table.rows else [()] * width
    columns = tuple([Vector(list(values[c]), table.types[c], list(texts[c])) for c in range(width)])
    return Relation(tuple(table.header), columns, len(table.rows))


class Frame:
    """The rows an expression sees: columns by (alias, name), an outer row for correlated subqueries, and, under
    GROUP BY, the groups."""

    __slots__ = ("cache", "columns", "database", "groups", "index", "keys", "outer", "size")

    def __init__(
        self,
        columns: dict[tuple[str, str], Vector],
        size: int,
        database: Database,
        outer: tuple[Frame, int] | None,
    ) -> None:
        self.columns = columns
        self.size = size
        self.database = database
        self.outer = outer
        self.index: Sequence[int] | None = None  # rows kept by WHERE; None is all of them
        self.groups: list[list[int]] | None = None
        self.keys: tuple[t.Expr, ...] = ()
        self.cache: dict[tuple[str, str], Vector] = {}

    def filtered(self, index: Sequence[int]) -> Frame:
        frame = Frame(self.columns, len(index), self.database, self.outer)
        frame.index = index if self.index is None else [self.index[i] for i in index]
        return frame

    def grouped(self, groups: list[list[int]], keys: tuple[t.Expr, ...]) -> Frame:
        frame = Frame(self.columns, len(groups), self.database, self.outer)
        frame.index, frame.groups, frame.keys = self.index, groups, keys
        return frame

    def rows(self) -> Frame:
        """The rows below the groups."""
        frame = Frame(self.columns, sum(map(len, self.groups or ())), self.database, self.outer)
        frame.index, frame.cache = self.index, self.cache
        if self.index is None:
            frame.size = next((len(v.values) for v in self.columns.values()), frame.size)
        else:
            frame.size = len(self.index)
        return frame

    def column(self, table: str, name: str) -> Vector:
        key = (table, name)
        found = self.cache.get(key)
        if found is None:
            found = self.find(table, name)
            if found is None:
                return self.from_outside(table, name)
            if self.index is not None:
                found = found.take(self.index)
            self.cache[key] = found
        return found

    def find(self, table: str, name: str) -> Vector | None:
        if table:
            return self.columns.get((table, name))
        found = [vector for (_, column), vector in self.columns.items() if column == name]
        if len(found) > 1:
            raise ExecutionError("ambiguous column", name)
        return found[0] if found else None

    def from_outside(self, table: str, name: str) -> Vector:
        if self.outer is None:
            raise ExecutionError("unknown column", name)
        frame, row = self.outer
        vector = frame.column(table, name)
        text = None if vector.texts is None else [vector.texts[row]] * self.size
        return Vector([vector.values[row]] * self.size, vector.type, text, vector.computed)


def sort_index(keys: Sequence[Vector], directions: Sequence[str], size: int) -> list[int]:
    """Row indexes in the order of the keys. Refuses NULL in a key."""
    index = list(range(size))
    for key, direction in reversed(list(zip(keys, directions, strict=True))):
        if None in key.values:
            raise ExecutionError("null order")
        index.sort(key=key.values.__getitem__, reverse=direction == "DESC")
    return index


def same_key(keys: Sequence[Vector], a: int, b: int) -> bool:
    """Whether two rows tie under the keys. Refuses where only rounding tells them apart."""
    for key in keys:
        x, y = key.values[a], key.values[b]
        if x != y:
            if key.computed and near(x, y):
                raise ExecutionError("near numbers", "ORDER BY")
            return False
    return True


def near(x: Any, y: Any) -> bool:
    """Two numbers that differ by no more than the rounding of doubles can explain."""
    return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9)
