"""The material that programs are drawn from: the columns of a context, by what they are good for, and its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.expressions import truths_of
from symtune.sql.language.vectors import Frame, Vector
from symtune.tables import Role
from symtune.tables.roles import NAMING

Roles = Mapping[str, Mapping[str, Role]]  # table -> column -> its role, by the names that programs use


class Field:
    """A column with what draws ask of it; without a `role`, all may be asked of it."""

    __slots__ = (
        "_ends",
        "consistent",
        "different",
        "expr",
        "known",
        "role",
        "texts",
        "type",
        "unique",
        "values",
        "variety",
    )

    def __init__(self, expr: t.Column, vector: Vector, role: Role | None = None) -> None:
        self.expr = expr
        self.role = role
        self.type = vector.type
        self.values = vector.values
        self.texts = vector.texts or []
        self.known = [i for i, value in enumerate(vector.values) if value is not None]
        self.variety: dict[Any, int] = {}
        for i in self.known:
            value = vector.values[i]
            self.variety[value] = self.variety.get(value, 0) + 1
        self.different = list(self.variety)
        self.unique = len(self.variety) == len(self.values) > 1
        self._ends: tuple[Any, Any] | None = None
        # Every value is written in one way, so that grouping by value is grouping by what is shown.
        self.consistent = self.type == "text" or len({self.texts[i] for i in self.known}) == len(self.variety)

    @property
    def complete(self) -> bool:
        return len(self.known) == len(self.values)

    @property
    def repeats(self) -> bool:
        """Worth grouping by: at least two values, one of them more than once."""
        return self.consistent and 2 <= len(self.variety) < len(self.known)

    @property
    def ends(self) -> tuple[Any, Any]:
        """Its least and its greatest value."""
        if self._ends is None:
            self._ends = min(self.variety), max(self.variety)
        return self._ends

    @property
    def names(self) -> bool:
        """Whether people look rows up by it."""
        return self.role is None or self.role.name in NAMING

    @property
    def adds_up(self) -> bool:
        """Whether its values may be summed and averaged."""
        return self.role is None or self.role.name == "quantity"

    @property
    def counts(self) -> bool:
        """Whether the difference of two of its values means anything: all but numbers that name things."""
        return self.role is None or self.role.name in ("quantity", "year", "rank")

    def compares(self, other: Field) -> bool:
        """Whether its values are of one kind with those of another column: years, or quantities in one unit."""
        return self.role == other.role if self.counts and other.counts else False


_MISREAD = ("true", "false")  # SQLite takes such a column of a subquery for the constant, quoted or not


class Material:
    """The columns of one context, by what they are good for, the `frame` of its rows, and how many rows an answer may
    have at `most`. Built once, used by all draws over the context.
    """

    def __init__(self, fields: Sequence[Field], source: t.Source, frame: Frame, most: int) -> None:
        size = frame.size
        self.most = most
        self._frame = frame
        self._masks: dict[t.Expr, int] = {}
        self._fields_at: dict[int, list[Field]] = {}
        self.everything = int.from_bytes(b"\1" * size, "big")
        # A column with one value tells nothing: whoever asks for it needs no reading.
        self.fields = [f for f in fields if len(f.variety) > 1 and f.expr.name.lower() not in _MISREAD]
        self.source = source
        self.joined = isinstance(source, t.Join)
        self.size = size
        self.numbers = [f for f in self.fields if f.type == "number"]
        self.dates = [f for f in self.fields if f.type == "date"]
        self.texts = [f for f in self.fields if f.type == "text"]
        self.keys = [f for f in self.fields if f.unique]
        self.measures = [f for f in self.numbers + self.dates if f.complete]
        self.ranks = [f for f in self.measures if f.unique]
        self.groups = [f for f in self.fields if f.repeats]
        unique_texts = [f for f in self.keys if f.type == "text"]
        self.names_of_rows = unique_texts if len(unique_texts) < len(self.fields) else []
        self.missing = [f for f in self.fields if not f.complete]
        self.names = [f for f in self.keys if f.names]
        self.quantities = [f for f in self.numbers if f.adds_up]
        self.comparable = [f for f in self.numbers if any(f.compares(g) for g in self.numbers if g is not f)]

    def of_any_role(self) -> Material:
        """The same without what roles forbid."""
        other = copy(self)
        other.names, other.quantities, other.comparable = self.keys, self.numbers, self.numbers
        return other

    def fields_at(self, row: int) -> list[Field]:
        """The columns that are not missing in a row."""
        found = self._fields_at.get(row)
        if found is None:
            found = self._fields_at[row] = [f for f in self.fields if f.values[row] is not None]
        return found

    def truths(self, condition: t.Expr) -> Sequence[bool | None]:
        """What a condition is on every row. Raises Rejected where it has no one meaning."""
        return truths_of(condition, self._frame)

    def mask(self, condition: t.Expr) -> int:
        """The rows that a condition is true of: a byte each, 1 for those."""
        found = self._masks.get(condition)
        if found is None:
            found = self._masks[condition] = int.from_bytes(bytes(map(bool, self.truths(condition))), "big")
        return found

    def rows(self, condition: t.Expr | None) -> list[int]:
        """The rows that a condition is true of, in their order."""
        return (
            list(range(self.size)) if condition is None else [i for i, hit in enumerate(self.truths(condition)) if hit]
        )
