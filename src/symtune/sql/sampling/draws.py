"""The material that programs are drawn from: the columns of a context, and conditions that a chosen row satisfies.

A draw looks at the values before it writes a condition: it picks a witness row and makes conditions that are true
of it, so that most programs have an answer at the first try.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from random import Random
from typing import Any, NoReturn

from symtune.sql.language import tree as t
from symtune.sql.language.vectors import Vector
from symtune.types import Rejected


def no_draw(why: str) -> NoReturn:
    """Give up a draw: the context does not offer what this program needs."""
    raise Rejected("no such material", why)


class Field:
    """A column with what draws ask of it."""

    __slots__ = ("consistent", "expr", "known", "texts", "type", "unique", "values", "variety")

    def __init__(self, expr: t.Column, vector: Vector) -> None:
        self.expr = expr
        self.type = vector.type
        self.values = vector.values
        self.texts = vector.texts or []
        self.known = [i for i, value in enumerate(vector.values) if value is not None]
        self.variety: dict[Any, int] = {}
        for i in self.known:
            value = vector.values[i]
            self.variety[value] = self.variety.get(value, 0) + 1
        self.unique = len(self.variety) == len(self.values) > 1
        # Every value is written in one way, so that grouping by value is grouping by what is shown.
        self.consistent = self.type == "text" or len({self.texts[i] for i in self.known}) == len(self.variety)

    @property
    def complete(self) -> bool:
        return len(self.known) == len(self.values)

    @property
    def repeats(self) -> bool:
        """Worth grouping by: at least two values, one of them more than once."""
        return self.consistent and 2 <= len(self.variety) < len(self.known)


_MISREAD = ("true", "false")  # SQLite takes such a column of a subquery for the constant, quoted or not


class Material:
    """The columns of one context, by what they are good for. Built once, used by all draws over the context."""

    def __init__(self, fields: Sequence[Field], source: t.Source, size: int) -> None:
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
        self.missing = [f for f in self.fields if not f.complete]


class Draw:
    """One draw: a generator, the material, and a witness row that conditions are true of."""

    def __init__(self, rng: Random, material: Material) -> None:
        self.rng = rng
        self.material = material
        self.row = self.below(material.size)
        self._tables: set[str] = set()  # whose columns stand in the program

    def at(self, row: int) -> Draw:
        """The same draw with another witness."""
        other = copy(self)
        other.row = row
        return other

    def elsewhere(self) -> Draw:
        """The same draw with a random witness."""
        return self.at(self.below(self.material.size))

    def pick(self, options: Sequence[Any], why: str = "") -> Any:
        """One of the options, or no draw."""
        if not options:
            no_draw(why)
        return options[int(self.rng.random() * len(options))]

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self.rng.random() * n)

    def column(self, options: Sequence[Field], why: str) -> Field:
        """One of the columns; over joined tables one of a table that has no part in the program yet, if it can be."""
        if not self.material.joined:
            return self.pick(options, why)
        options = [f for f in options if f.expr.table not in self._tables] or options
        found: Field = self.pick(options, why)
        self._tables.add(found.expr.table)
        return found

    def field(self, *avoid: Field) -> Field:
        """A column whose witness cell is not missing."""
        row = self.row
        return self.column([f for f in self.material.fields if f not in avoid and f.values[row] is not None], "column")

    def two(self, fields: Sequence[Field]) -> tuple[Field, Field]:
        """Two different columns, in random order."""
        first = self.column(fields, "two columns")
        return first, self.column([f for f in fields if f is not first], "two columns")

    def key(self, *avoid: Field) -> Field:
        """A column that names a row."""
        return self.column([f for f in self.material.keys if f not in avoid], "a key column")

    def measure(self, *avoid: Field) -> Field:
        """A complete number or date column, to sort or compare by."""
        return self.column([f for f in self.material.measures if f not in avoid], "a measure")

    def rank(self, *avoid: Field) -> Field:
        """A measure without ties."""
        return self.column([f for f in self.material.ranks if f not in avoid], "a rank column")

    def number(self, *avoid: Field) -> Field:
        return self.column([f for f in self.material.numbers if f not in avoid], "a number column")

    def constant(self, field: Field, row: int | None = None) -> t.Constant:
        """The value of a cell as a constant."""
        value = field.values[self.row if row is None else row]
        if value is None:
            no_draw("a known cell")
        return t.Constant(value, field.expr.type)

    def is_row(self, key: Field, row: int | None = None) -> t.Compare:
        """`key = value`: the condition that names one row."""
        return t.Compare("=", key.expr, self.constant(key, row))

    # ------------------------------------------------------------------------------------ conditions

    def condition(self, *avoid: Field) -> t.Expr:
        """A condition that is true of the witness row: one comparison, or two or three with AND, OR, NOT."""
        u = self.rng.random()
        if u < 0.72:
            return self.simple(*avoid)
        if u < 0.86:
            parts = [self.simple(*avoid), self._known() if self.chance(0.12) else self.simple(*avoid)]
            return self._joined("AND", parts)
        if u < 0.95:
            # One part is true of the witness, the other is drawn for another row.
            parts = [self.simple(*avoid), self.elsewhere().simple(*avoid)]
            if self.chance(0.5):
                parts.reverse()
            return self._joined("OR", parts)
        if u < 0.98:
            return t.Not(self._false(*avoid))
        return self._joined("AND", [self.simple(*avoid), t.Not(self._false(*avoid))])

    def _joined(self, op: Any, parts: list[t.Expr]) -> t.Expr:
        if parts[0] == parts[1]:
            no_draw("two different conditions")
        return t.Logic(op, tuple(parts))

    def _known(self) -> t.Expr:
        """`column IS NOT NULL`, of any column that the witness knows: people write it where nothing is missing too."""
        return t.IsNull(self.field().expr, negated=True)

    def several(self, *avoid: Field) -> t.Expr:
        """A condition that more rows than the witness may satisfy."""
        where = self.condition(*avoid)
        keys = [key.expr for key in self.material.keys]
        if isinstance(where, t.Compare) and where.op == "=" and where.left in keys:
            no_draw("a condition that several rows satisfy")
        return where

    def _false(self, *avoid: Field) -> t.Expr:
        """A comparison that is false (and known) of the witness row."""
        field = self.field(*avoid)
        value = field.values[self.row]
        other = self.pick([v for v in field.variety if v != value], "a second value")
        if field.type == "text" or self.chance(0.4):
            return t.Compare("=", field.expr, t.Constant(other, field.expr.type))
        op = self.pick(("<", "<=") if other < value else (">", ">="))
        return t.Compare(op, field.expr, t.Constant(other, field.expr.type))

    def simple(self, *avoid: Field) -> t.Expr:
        """One comparison that is true of the witness row."""
        if self.material.missing and self.chance(0.08):
            field = self.pick(self.material.missing)
            if field not in avoid:
                return t.IsNull(field.expr, negated=field.values[self.row] is not None)
        field = self.field(*avoid)
        if field.type == "text":
            return self._text(field)
        return self._ordered(field)

    def _text(self, field: Field) -> t.Expr:
        value = field.values[self.row]
        u = self.rng.random()
        if u < 0.55:
            return t.Compare("=", field.expr, t.Constant(value, "text"))
        if u < 0.67:
            other = self.pick([v for v in field.variety if v != value], "a second value")
            return t.Compare("<>", field.expr, t.Constant(other, "text"))
        if u < 0.80:
            return self._among(field)
        return t.Like(field.expr, self._pattern(value), negated=False)

    def _pattern(self, value: str) -> str:
        if len(value) < 3 or "%" in value or "_" in value:
            no_draw("a text to match")
        size = 2 + self.below(min(len(value) - 2, 6))
        u = self.rng.random()
        if u < 0.4:
            return value[:size] + "%"
        if u < 0.6:
            return "%" + value[-size:]
        start = self.below(len(value) - size + 1)
        return "%" + value[start : start + size] + "%"

    def _among(self, field: Field) -> t.Expr:
        value = field.values[self.row]
        others = [v for v in field.variety if v != value]
        if not others:
            no_draw("a second value")
        chosen = [value, *self.rng.sample(others, min(len(others), 1 + self.below(3)))]
        self.rng.shuffle(chosen)
        return t.InList(field.expr, tuple([t.Constant(v, field.expr.type) for v in chosen]))

    def _ordered(self, field: Field) -> t.Expr:
        value, type_ = field.values[self.row], field.expr.type
        u = self.rng.random()
        if u < 0.22:
            return t.Compare("=", field.expr, t.Constant(value, type_))
        if u < 0.30:
            return self._among(field)
        if u < 0.36:
            other = self.pick([v for v in field.variety if v != value], "a second value")
            return t.Compare("<>", field.expr, t.Constant(other, type_))
        values = list(field.variety)
        a, b = self.pick(values), self.pick(values)
        if u < 0.50:
            low, high = min(a, b, value), max(a, b, value)
            if low == high:
                no_draw("a range")
            return t.Between(field.expr, t.Constant(low, type_), t.Constant(high, type_))
        if a == value:
            op = "<=" if self.chance(0.5) else ">="
        elif a < value:
            op = ">" if self.chance(0.6) else ">="
        else:
            op = "<" if self.chance(0.6) else "<="
        return t.Compare(op, field.expr, t.Constant(a, type_))


def select(d: Draw, items: list[t.Expr], **clauses: Any) -> t.Select:
    """`SELECT items FROM …` what the material is of."""
    return t.Select(tuple([t.Item(expr) for expr in items]), d.material.source, **clauses)


def cell(d: Draw, column: Field, key: Field, row: int | None = None) -> t.Select:
    """`SELECT column FROM … WHERE key = value`: one cell."""
    return select(d, [column.expr], where=d.is_row(key, row))
