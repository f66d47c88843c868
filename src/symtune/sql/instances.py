"""Instances of SQL templates: slots filled with columns and cells of a context. Every instance is proven like any draw.

    source = Instances(load("default"))
    query, id = source.draw(Draw(rng, material))

Column slots take different columns of their type. Value slots take cells: those of one witness row make conditions
that this row satisfies, so that most instances have an answer. Templates are drawn by the square root of their count
in the corpus: what people ask most comes most, and does not drown the rest.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from symtune.sql import tree as t
from symtune.sql.abstraction import ColumnSlot, ValueSlot
from symtune.sql.draws import Draw, Field, Material, no_draw
from symtune.sql.templates import SqlTemplate, SqlTemplates

Binding = dict[str, Any]  # slot -> Column, Constant, or the text of a LIKE pattern; "" -> the source of rows
Fill = Callable[[Binding], Any]


class Instances:
    """Draws from templates. `served` caches which of them a context can serve, by what columns it has."""

    def __init__(self, source: SqlTemplates) -> None:
        self._all = [_Instance(template, tree) for template, tree in zip(source.templates, source.trees, strict=True)]
        self._served: dict[tuple[Any, ...], tuple[list[_Instance], list[float]]] = {}

    def serves(self, material: Material) -> bool:
        """Whether any template can be drawn over the context."""
        return bool(self._for(material)[0])

    def draw(self, d: Draw) -> tuple[t.Query, str]:
        """An instance and the id of its template, or ExecutionError where the context has not what it needs."""
        instances, cumulative = self._for(d.material)
        if not instances:
            no_draw("columns for a template")
        chosen = instances[bisect(cumulative, d.rng.random() * cumulative[-1])]
        return chosen.fill(d), chosen.id

    def _for(self, m: Material) -> tuple[list[_Instance], list[float]]:
        sides = tuple(sorted({field.expr.table for field in m.fields}))
        key = (len(m.numbers), len(m.dates), len(m.texts), len(m.groups), len(sides))
        found = self._served.get(key)
        if found is None:
            instances = [instance for instance in self._all if instance.fits(*key)]
            found = instances, list(accumulate(instance.weight for instance in instances))
            self._served[key] = found
        return found


class _Instance:
    """One template, compiled to a function of its binding."""

    def __init__(self, template: SqlTemplate, tree: t.Query) -> None:
        shape = template.shape
        self.id = template.id
        self.weight = template.count**0.5
        self.tables = shape.tables
        self.tree = _compile(tree, frozenset([*shape.columns, *shape.values]))
        grouped = {c.name for s in t.walk(tree) if isinstance(s, t.Select) for c in s.group if isinstance(c, t.Column)}
        sorted_by = {o.expr.name for o in t.walk(tree) if isinstance(o, t.Order) and isinstance(o.expr, t.Column)}
        self.rows = 1 + max((slot.row for slot in shape.values.values()), default=0)
        by_column: dict[str, list[tuple[str, ValueSlot]]] = {name: [] for name in shape.columns}
        for name, value in shape.values.items():
            by_column[value.column].append((name, value))
        # Slots that few columns fit come first.
        order = sorted(shape.columns, key=lambda name: (name not in grouped, shape.columns[name].type == "any"))
        self.columns = [_Slot(n, shape.columns[n], by_column[n], n in grouped, n in sorted_by) for n in order]
        self.patterns = {n.pattern.strip("%"): n.pattern for n in t.walk(tree) if isinstance(n, t.Like)}
        types = [slot.type for slot in shape.columns.values()]
        self.needs = {type_: types.count(type_) for type_ in ("number", "date", "text", "ordered", "any")}
        self.groups = len(grouped)

    def fits(self, numbers: int, dates: int, texts: int, groups: int, tables: int) -> bool:
        """Whether a context with so many columns of each type can fill the slots."""
        n = self.needs
        return (
            (self.tables == 2) == (tables == 2)
            and tables <= 2
            and n["number"] <= numbers
            and n["date"] <= dates
            and n["text"] <= texts
            and n["number"] + n["date"] + n["ordered"] <= numbers + dates
            and sum(n.values()) <= numbers + dates + texts
            and self.groups <= groups
        )

    def fill(self, d: Draw) -> t.Query:
        rows = [d.row, *(d.below(d.material.size) for _ in range(self.rows - 1))]
        sides = sorted({field.expr.table for field in d.material.fields}) if self.tables == 2 else []
        if sides and d.chance(0.5):
            sides.reverse()
        binding: Binding = {"": d.material.source}
        chosen: list[Field] = []
        for slot in self.columns:
            field = slot.pick(d, rows, chosen, sides)
            chosen.append(field)
            binding[slot.name] = field.expr
            _bind_values(d, field, slot.values, rows, binding, self.patterns)
        return self.tree(binding)


class _Slot:
    """A column slot with the values that are drawn from its column."""

    __slots__ = ("counted", "grouped", "name", "side", "sorted_by", "type", "values", "witnesses")

    def __init__(
        self, name: str, slot: ColumnSlot, values: list[tuple[str, ValueSlot]], grouped: bool, sorted_by: bool
    ) -> None:
        self.name, self.type, self.side, self.values = name, slot.type, slot.table, values
        self.grouped, self.sorted_by = grouped, sorted_by
        self.witnesses = sorted({value.row for _, value in values})

    def pick(self, d: Draw, rows: Sequence[int], chosen: Sequence[Field], sides: Sequence[str]) -> Field:
        """A column that no other slot has, of the slot's type, known in the witness rows."""
        m = d.material
        pool = {"number": m.numbers, "date": m.dates, "text": m.texts, "any": m.fields}.get(self.type)
        if pool is None:
            pool = m.numbers + m.dates
        options = [
            f
            for f in pool
            if f not in chosen
            and (not self.grouped or f.repeats)
            and (not self.sorted_by or f.complete)
            and (not sides or not self.side or f.expr.table == sides[self.side - 1])
            and None not in [f.values[rows[row]] for row in self.witnesses]
        ]
        found: Field = d.pick(options, "a column for each slot")
        return found


def _bind_values(
    d: Draw,
    field: Field,
    values: Sequence[tuple[str, ValueSlot]],
    rows: Sequence[int],
    binding: Binding,
    patterns: dict[str, str],
) -> None:
    taken: list[Any] = []
    for name, slot in values:
        witness = field.values[rows[slot.row]]
        if slot.use in ("like", "not like"):
            binding[name] = _fragment(d, field, witness, patterns[name], slot.use == "not like")
            continue
        if slot.use.startswith("count"):
            binding[name] = t.Constant(_size(d, field.variety.get(witness, 1), slot.use[6:]), "number")
            continue
        value = _value(d, field, witness, slot.use, taken)
        taken.append(value)
        binding[name] = t.Constant(value, field.expr.type)


def _value(d: Draw, field: Field, witness: Any, use: str, taken: list[Any]) -> Any:
    """A value of the column that makes the comparison true of the witness, and that no other slot has taken."""
    if use in ("=", "in") and witness not in taken:
        return witness
    variety = [value for value in field.variety if value not in taken]
    if use in (">", "low"):
        options = [v for v in variety if v < witness or (v == witness and use == "low")]
    elif use in ("<", "high"):
        options = [v for v in variety if v > witness or (v == witness and use == "high")]
    elif use == ">=":
        options = [v for v in variety if v <= witness]
    elif use == "<=":
        options = [v for v in variety if v >= witness]
    else:  # <>, in, not in, and = a second time (INTERSECT)
        options = [v for v in variety if v != witness]
    return d.pick(options, "a second value")


def _size(d: Draw, size: int, op: str) -> int:
    """A number of rows that makes `COUNT op number` true of a group of `size` rows."""
    step = d.below(2)
    return {"=": size, "<>": size + 1, "<": size + 1 + step, "<=": size + step}.get(
        op, max(size - 1 - step, 0) if op == ">" else max(size - step, 1)
    )


def _fragment(d: Draw, field: Field, witness: str, pattern: str, negated: bool) -> str:
    """A LIKE pattern of the slot's form that matches the witness, or another text where it must not match."""
    if negated:
        witness = d.pick([v for v in field.variety if v != witness], "a second value")
    if len(witness) < 3 or "%" in witness or "_" in witness:
        no_draw("a text to match")
    start, end = pattern.startswith("%"), pattern.endswith("%")
    size = len(witness) if not (start or end) else 2 + d.below(min(len(witness) - 2, 8))
    at = d.below(len(witness) - size + 1) if start and end else len(witness) - size if start else 0
    return "%" * start + witness[at : at + size] + "%" * end


# ---------------------------------------------------------------------------------------------- compiling


def _compile(node: Any, slots: frozenset[str]) -> Any:
    """A function from binding to tree; a subtree without slots stays as it is."""
    if isinstance(node, tuple):
        parts = [_compile(part, slots) for part in node]
        if not any(map(callable, parts)):
            return node
        return lambda b: tuple([part(b) if callable(part) else part for part in parts])
    if isinstance(node, t.Column) and node.name in slots:
        name = node.name
        return lambda b: b[name]
    if isinstance(node, t.TableRef):
        return lambda b: b[""]
    if isinstance(node, t.Like) and node.pattern.strip("%") in slots:
        return _like(node, _compile(node.expr, slots))
    if not isinstance(node, t.Node):
        return node
    parts = [_compile(getattr(node, name), slots) for name in node.__struct_fields__]
    if not any(map(callable, parts)):
        return node
    return _node(type(node), parts, node.__struct_fields__)


def _like(node: t.Like, expr: Any) -> Fill:
    slot, negated = node.pattern.strip("%"), node.negated
    return lambda b: t.Like(expr(b), b[slot], negated)


def _node(kind: Any, parts: list[Any], names: Sequence[str]) -> Fill:
    """A node made anew. Types that hang on a column follow it; columns that must be of one type are."""

    def plain(b: Binding) -> Any:
        return kind(*[part(b) if callable(part) else part for part in parts])

    def typed(b: Binding) -> Any:
        values = [part(b) if callable(part) else part for part in parts]
        values[at] = of(values)
        return kind(*values)

    def checked(b: Binding) -> Any:
        made = plain(b)
        if not one_type(made):
            no_draw("columns of one type")
        return made

    if kind in _TYPED:
        at, of = names.index("type"), _TYPED[kind]
        return typed
    if kind in _ONE_TYPE:
        one_type = _ONE_TYPE[kind]
        return checked
    return plain


def _items(query: t.Query) -> list[str]:
    first = query if isinstance(query, t.Select) else query.left
    return [item.expr.type for item in first.items]


_TYPED: dict[Any, Callable[[list[Any]], str]] = {
    # by position of the fields: name, arg, … and query, …
    t.Aggregate: lambda v: v[1].type if v[0] in ("MIN", "MAX") else "number",
    t.ScalarQuery: lambda v: _items(v[0])[0],
    t.Case: lambda v: v[1].type,
    t.Window: lambda v: v[1].type if v[0] in ("LAG", "LEAD") else "number",
}
_ONE_TYPE: dict[Any, Callable[[Any], bool]] = {
    t.Compare: lambda n: n.left.type == n.right.type,
    t.Between: lambda n: n.expr.type == n.low.type == n.high.type,
    t.InList: lambda n: all(item.type == n.expr.type for item in n.items),
    t.InQuery: lambda n: [n.expr.type] == _items(n.query),
    t.SetQuery: lambda n: _items(n.left) == _items(n.right),
}
