"""Draws from the material of a context: a chosen row, columns, and conditions that the row satisfies.

A draw looks at the values before it writes a condition: it picks a witness row and makes conditions that are true of
it, leave another row out, and have no part that leaves out none, so that most programs have an answer at the first
try, and one that depends on every part. If the roles of columns are known, it asks what a person might: rows are looked
up by what names them, and only quantities are summed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from random import Random
from typing import Any, Literal, NoReturn

from symtune.sql.language import tree as t
from symtune.sql.sampling.material import Field, Material
from symtune.types import Rejected

SUMS = ("SUM", "AVG")
RETRIES = 4  # of a condition that does not tell enough, before a draw is given up
CONDITIONS = 4  # that are drawn to find two of which each matters


def no_draw(why: str) -> NoReturn:
    """Give up a draw: the context does not offer what this program needs."""
    raise Rejected("no such material", why)


def not_meant(why: str) -> NoReturn:
    """Give up a draw: the roles of the columns that there are leave nothing that a person might mean."""
    raise Rejected(f"role: {why}")


class Draw:
    """One draw: a generator, the material, and a witness row that conditions are true of."""

    __slots__ = ("_random", "_tables", "material", "rng", "row")

    def __init__(self, rng: Random, material: Material, row: int | None = None, tables: set[str] | None = None) -> None:
        self.rng = rng
        self._random = rng.random
        self.material = material
        self.row = self.below(material.size) if row is None else row
        self._tables = set[str]() if tables is None else tables  # whose columns stand in the program

    def at(self, row: int) -> Draw:
        """The same draw with another witness."""
        return Draw(self.rng, self.material, row, self._tables)

    def elsewhere(self) -> Draw:
        """The same draw with a random witness."""
        return self.at(self.below(self.material.size))

    def pick(self, options: Sequence[Any], why: str = "") -> Any:
        """One of the options, or no draw."""
        if not options:
            no_draw(why)
        return options[int(self._random() * len(options))]

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self._random() * n)

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
        known = self.material.fields_at(self.row)
        return self.column([f for f in known if f not in avoid] if avoid else known, "column")

    def two(self, fields: Sequence[Field]) -> tuple[Field, Field]:
        """Two different columns, in random order."""
        first = self.column(fields, "two columns")
        return first, self.column([f for f in fields if f is not first], "two columns")

    def key(self, *avoid: Field) -> Field:
        """A column that names a row."""
        found = [f for f in self.material.names if f not in avoid]
        if not found and any(f not in avoid for f in self.material.keys):
            not_meant("no column that names a row")
        return self.column(found, "a key column")

    def measure(self, *avoid: Field) -> Field:
        """A complete number or date column, to sort or compare by."""
        return self.column([f for f in self.material.measures if f not in avoid], "a measure")

    def rank(self, *avoid: Field) -> Field:
        """A measure without ties."""
        return self.column([f for f in self.material.ranks if f not in avoid], "a rank column")

    def number(self, *avoid: Field) -> Field:
        return self.column([f for f in self.material.numbers if f not in avoid], "a number column")

    def quantity(self, *avoid: Field) -> Field:
        """A column that may be summed and averaged."""
        found = [f for f in self.material.quantities if f not in avoid]
        if not found and any(f not in avoid for f in self.material.numbers):
            not_meant("no column to sum")
        return self.column(found, "a number column")

    def aggregate(self, *names: str, avoid: tuple[Field, ...] = ()) -> tuple[str, Field]:
        """One of the aggregates, and a number column for it: SUM and AVG where there is one to sum."""
        if any(f not in avoid for f in self.material.quantities):
            name = self.pick(names)
        else:
            name = self.pick([name for name in names if name not in SUMS])
        return name, self.quantity(*avoid) if name in SUMS else self.number(*avoid)

    def twin(self, field: Field) -> Field:
        """Another number column whose values are of one kind with those of a column."""
        others = [f for f in self.material.numbers if f is not field]
        found = [f for f in others if f.compares(field)]
        if others and not found:
            not_meant("no two columns in one unit")
        return self.column(found, "two columns")

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
        """A condition that is true of the witness row: one comparison, or two or three with AND, OR, NOT, of which each
        matters."""
        u = self.rng.random()
        if u < 0.72:
            return self.simple(*avoid)
        if u < 0.86:
            return self.joined("AND", lambda: self.simple(*avoid, wide=True))
        if u < 0.95:
            # One part is true of the witness, the other is drawn for another row.
            return self.joined("OR", lambda: self.simple(*avoid), lambda: self.elsewhere().simple(*avoid))
        if u < 0.98:
            return t.Not(self._false(*avoid))
        return self.joined("AND", lambda: self.simple(*avoid, wide=True), lambda: t.Not(self._false(*avoid)))

    def joined(self, op: Literal["AND", "OR"], *draws: Callable[[], t.Expr]) -> t.Expr:
        """AND or OR of two drawn conditions, in either order, each true where the other is not: neither is idle. Both
        come from one draw, or one from each of two. If no two are found, the first that was drawn, alone.
        """
        drawn: list[list[tuple[t.Expr, int]]] = [[] for _ in draws]
        for number in range(CONDITIONS):
            place = number % len(draws)
            part = draws[place]()
            mask = self.material.mask(part)
            for other, hits in drawn[place - 1]:
                if mask & ~hits and hits & ~mask and (op == "AND" or mask | hits != self.material.everything):
                    return t.Logic(op, (part, other) if self.chance(0.5) else (other, part))
            drawn[place].append((part, mask))
        return drawn[0][0][0]

    def apart(self, draw: Callable[[], t.Expr], tells: Callable[[t.Expr], bool]) -> t.Expr:
        """A drawn condition that tells what the program hangs on."""
        for _ in range(RETRIES):
            found = draw()
            if tells(found):
                return found
        no_draw("a condition that the answer hangs on")

    def showable(self, *avoid: Field) -> t.Expr:
        """A condition that no more rows satisfy than an answer may have."""
        most, mask = self.material.most, self.material.mask
        return self.apart(lambda: self.condition(*avoid), lambda where: mask(where).bit_count() <= most)

    def without(self, rows: Iterable[int], *avoid: Field) -> t.Expr:
        """A condition that is true of none of the rows."""
        rows = list(rows)

        def tells(condition: t.Expr) -> bool:
            truths = self.material.truths(condition)
            return not any(truths[row] for row in rows)

        return self.apart(lambda: self.condition(*avoid), tells)

    def several(self, *avoid: Field) -> t.Expr:
        """A condition that more rows than the witness may satisfy."""
        keys = [key.expr for key in self.material.keys]

        def tells(where: t.Expr) -> bool:
            return not (isinstance(where, t.Compare) and where.op == "=" and where.left in keys)

        return self.apart(lambda: self.condition(*avoid), tells)

    def _false(self, *avoid: Field) -> t.Expr:
        """A comparison that is false (and known) of the witness row."""
        field = self.field(*avoid)
        value = field.values[self.row]
        other = self.pick([v for v in field.variety if v != value], "a second value")
        if field.type == "text" or self.chance(0.4):
            return t.Compare("=", field.expr, t.Constant(other, field.expr.type))
        op = self.pick(("<", "<=") if other < value else (">", ">="))
        return t.Compare(op, field.expr, t.Constant(other, field.expr.type))

    def simple(self, *avoid: Field, wide: bool = False) -> t.Expr:
        """One comparison that is true of the witness row, and not of all rows; `wide`: and none that names the row."""
        if self.material.missing and self.chance(0.2):
            field = self.pick(self.material.missing)
            if field not in avoid:
                return t.IsNull(field.expr, negated=field.values[self.row] is not None)
        # A condition on a text that no two rows share holds for the witness alone, whatever it is.
        field = self.field(*avoid, *(self.material.names_of_rows if wide else ()))
        named = not field.unique or (field.names and not wide)
        return self._text(field, named) if field.type == "text" else self._ordered(field, named)

    def _text(self, field: Field, named: bool) -> t.Expr:
        value = field.values[self.row]
        u = self.rng.random() if named else 0.55 + 0.45 * self.rng.random()
        if u < 0.55:
            return t.Compare("=", field.expr, t.Constant(value, "text"))
        if u < 0.67:
            other = self.pick([v for v in field.variety if v != value], "a second value")
            return t.Compare("<>", field.expr, t.Constant(other, "text"))
        if u < 0.80 or len(value) < 3 or "%" in value or "_" in value:
            return self._among(field)
        return self._like(field, value)

    def _like(self, field: Field, value: str) -> t.Expr:
        size = 2 + self.below(min(len(value) - 2, 6))
        u = self.rng.random()
        if u < 0.4:
            hit: Callable[[str, str], bool] = str.startswith
            part, pattern = value[:size], "{}%"
        elif u < 0.6:
            part, pattern, hit = value[-size:], "%{}", str.endswith
        else:
            start = self.below(len(value) - size + 1)
            part, pattern, hit = value[start : start + size], "%{}%", str.__contains__
        if field.complete and all(hit(other, part) for other in field.variety):
            no_draw("a text that not all rows match")
        return t.Like(field.expr, pattern.replace("{}", part), negated=False)

    def _among(self, field: Field) -> t.Expr:
        value = field.values[self.row]
        others = [v for v in field.variety if v != value]
        if not others:
            no_draw("a second value")
        most = len(others) - field.complete  # all of them leave out none
        if not most:
            return t.Compare("=", field.expr, t.Constant(value, field.expr.type))
        chosen = [value, *self.rng.sample(others, min(most, 1 + self.below(3)))]
        self.rng.shuffle(chosen)
        return t.InList(field.expr, tuple([t.Constant(v, field.expr.type) for v in chosen]))

    def _ordered(self, field: Field, named: bool) -> t.Expr:
        value, type_ = field.values[self.row], field.expr.type
        u = self.rng.random() if named else 0.3 + 0.7 * self.rng.random()
        if u < 0.22:
            return t.Compare("=", field.expr, t.Constant(value, type_))
        if u < 0.30:
            return self._among(field)
        if u < 0.36:
            other = self.pick([v for v in field.variety if v != value], "a second value")
            return t.Compare("<>", field.expr, t.Constant(other, type_))
        a, b = self.pick(field.different), self.pick(field.different)
        if u < 0.50:
            low, high = min(a, b, value), max(a, b, value)
            if low != high and not (field.complete and (low, high) == field.ends):
                return t.Between(field.expr, t.Constant(low, type_), t.Constant(high, type_))
        lowest, highest = field.ends
        if a == value:
            op = ">=" if a == highest or (a != lowest and self.chance(0.5)) else "<="
        elif a < value:
            op = ">" if a == lowest or self.chance(0.6) else ">="
        else:
            op = "<" if a == highest or self.chance(0.6) else "<="
        return t.Compare(op, field.expr, t.Constant(a, type_))


def best(field: Field, direction: str) -> Any:
    """The value that comes first in a direction."""
    return field.ends[direction == "DESC"]


def holding(field: Field, value: Any) -> list[int]:
    """The rows in which a column has a value."""
    return [row for row in field.known if field.values[row] == value]


def sorted_rows(rows: Sequence[int], keys: Sequence[tuple[Field, str]]) -> list[int]:
    """Rows in the order of keys, those that tie in their own."""
    found = list(rows)
    for field, direction in reversed(keys):
        found.sort(key=field.values.__getitem__, reverse=direction == "DESC")
    return found


def keys_matter(
    rows: Sequence[int], keys: Sequence[tuple[Field, str]], shown: Field, limit: int | None = 1, offset: int = 0
) -> bool:
    """Whether sort keys of complete columns, and each of them, decide which cells of a column are shown, and how."""
    texts, stop = shown.texts, None if limit is None else offset + limit
    found = sorted_rows(rows, keys)
    around = found[max(offset - 1, 0) : None if stop is None else stop + 1]
    by = list(zip(*[[field.values[row] for row in around] for field, _ in keys], strict=True))
    neighbours = zip(pairwise(around), pairwise(by), strict=True)
    if any(one == other and texts[a] != texts[b] for (a, b), (one, other) in neighbours):
        return False
    told = [texts[row] for row in found[offset:stop]]
    for place in range(len(keys)):
        without = sorted_rows(rows, [*keys[:place], *keys[place + 1 :]])
        if told == [texts[row] for row in without[offset:stop]]:
            return False
    return True


def direction_of(
    d: Draw, by: Field, shown: Field, where: t.Expr | None, directions: Sequence[t.Direction], offset: int = 0
) -> t.Direction:
    """The first of the directions in which the order decides which cell comes first."""
    rows = d.material.rows(where)
    for direction in directions:
        if keys_matter(rows, [(by, direction)], shown, 1, offset):
            return direction
    no_draw("an order in which the first row is not the first anyway")


def either_way(d: Draw) -> tuple[t.Direction, t.Direction]:
    """Both directions, in random order."""
    return ("ASC", "DESC") if d.chance(0.5) else ("DESC", "ASC")


def select(d: Draw, items: list[t.Expr], **clauses: Any) -> t.Select:
    """`SELECT items FROM …` what the material is of."""
    return t.Select(tuple([t.Item(expr) for expr in items]), d.material.source, **clauses)


def cell(d: Draw, column: Field, key: Field, row: int | None = None) -> t.Select:
    """`SELECT column FROM … WHERE key = value`: one cell."""
    return select(d, [column.expr], where=d.is_row(key, row))
