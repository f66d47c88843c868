"""Places, that is, rows and groups, at which expressions have values; and how places are referred to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from symtune.sql.solutions.verifier.values import Cell
from symtune.sql.solutions.wordings import LONGEST_NAME, MISSING, Wording
from symtune.tables import typed_rows
from symtune.types import Table

Named = Mapping[str, Cell]  # column -> cell


class Place:
    """A row, or a group with its members and keys. `cells` by alias; `parts`: how the rows joined in it are referred
    to, by alias; `outer`: the row of the enclosing query; `found`: values that were computed for it once.
    """

    __slots__ = ("call", "cells", "found", "members", "outer", "parts")

    def __init__(
        self, call: str, cells: Mapping[str, Named], outer: Place | None = None, parts: Mapping[str, str] | None = None,
        members: Sequence[Place] | None = None, found: dict[Any, Cell] | None = None,
    ) -> None:  # fmt: skip
        self.call, self.cells, self.outer, self.members = call, cells, outer, members
        self.parts = parts or {}
        self.found = found or {}

    def column(self, table: str, name: str) -> Cell:
        """The cell of a column, here or in the outer row."""
        if table:
            if name in (named := self.cells.get(table, {})):
                return named[name]
        else:
            for named in self.cells.values():
                if name in named:
                    return named[name]
        if self.outer is None:
            raise LookupError(name)
        return self.outer.column(table, name)


class Yield(NamedTuple):
    """The rows of a table or a query: how they are referred to, and their cells by column."""

    names: Sequence[str]
    calls: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def named(self) -> list[Named]:
        """The cells of each row by column."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]


class Tables(NamedTuple):
    """What a query may read, by name; the prompt shows `shown` of them."""

    by_name: Mapping[str, Yield]
    shown: frozenset[str]
    several: bool

    def extended(self, name: str, rows: Yield) -> Tables:
        """The same with one more common table expression."""
        return Tables({**self.by_name, name: rows}, self.shown - {name}, self.several)


def read(tables: Sequence[Table], wording: Wording) -> Tables:
    """The shown tables."""
    return Tables(
        {table.name: _rows(table, wording) for table in tables}, frozenset(t.name for t in tables), len(tables) > 1
    )


def _rows(table: Table, wording: Wording) -> Yield:
    rows = [
        [Cell(value, MISSING if value is None else text) for value, text in zip(values, texts, strict=True)]
        for values, texts in zip(typed_rows(table), table.rows, strict=True)
    ]
    column = _naming(table.types, rows)
    calls = []
    for number, row in enumerate(rows, start=1):
        calls.append(
            wording.plain.format(n=number) if column < 0 else wording.named.format(n=number, name=row[column].text)
        )
    return Yield(table.header, calls, rows)


def _naming(types: Sequence[str], rows: Sequence[Sequence[Cell]]) -> int:
    """The column whose cells name the rows: the first column of texts whose cells are all present, short and different;
    else the first such column of any type; -1 if there is none.
    """
    for wanted in (("text",), ("text", "number", "date")):
        for column, kind in enumerate(types):
            texts = {row[column].text for row in rows if row[column].value is not None}
            if kind in wanted and rows and len(texts) == len(rows) and len(max(texts, key=len)) <= LONGEST_NAME:
                return column
    return -1
