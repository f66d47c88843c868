"""Instances of SQL templates: slots filled with columns and cells of a context. Every instance is proven like any draw.

    source = Instances(load("default"))
    query, id = source.draw(Draw(rng, material))

Column slots take different columns of their type. Value slots take cells: those of one witness row make conditions
that this row satisfies, so that most instances have an answer. Over two joined tables the slots of a template of one
table take columns of both, where it has two slots and reads its table once. Templates are drawn by the square root of
their count in the corpus: what people ask most comes most, and does not drown the rest.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from symtune.sql.corpus.scopes import TABLE
from symtune.sql.corpus.slots import READINGS, ColumnSlot, ValueSlot
from symtune.sql.corpus.templates import SqlTemplate, SqlTemplates
from symtune.sql.language import tree as t
from symtune.sql.language.functions import FUNCTIONS
from symtune.sql.language.limits import check_work
from symtune.sql.language.type_rules import is_sound, type_of
from symtune.sql.language.vectors import Vector
from symtune.sql.sampling.draws import Draw, no_draw
from symtune.sql.sampling.material import Field, Material

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
        """An instance and the id of its template, or Rejected where the context has not what it needs."""
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
        nodes = t.walk(tree)
        self.names = {n.alias: n.expr for n in nodes if isinstance(n, t.Item) and n.alias}
        self.queries = {name.lower() for n in nodes if isinstance(n, t.Select) for name, _ in n.ctes}
        self.tree = _Compiler(frozenset([*shape.columns, *shape.values]), self.names).compiled(tree)
        read = [n for n in nodes if isinstance(n, t.TableRef) and n.name == TABLE]
        self.small = len(read) == 1
        self.apart = bool(self.names or self.queries) or any(n.alias for n in read)
        self.spread = self.tables == 1 and self.small and not self.apart and len(shape.columns) > 1
        grouped = {c.name for s in nodes if isinstance(s, t.Select) for c in s.group if isinstance(c, t.Column)}
        sorted_by = {o.expr.name for o in nodes if isinstance(o, t.Order) and isinstance(o.expr, t.Column)}
        self.rows = 1 + max((slot.row for slot in shape.values.values()), default=0)
        by_column: dict[str, list[tuple[str, ValueSlot]]] = {name: [] for name in shape.columns}
        for name, value in shape.values.items():
            by_column[value.column].append((name, value))
        # Slots that few columns fit come first.
        order = sorted(shape.columns, key=lambda name: (name not in grouped, shape.columns[name].type == "any"))
        self.columns = [_Slot(n, shape.columns[n], by_column[n], n in grouped, n in sorted_by) for n in order]
        self.patterns = {n.pattern.strip("%"): n.pattern for n in nodes if isinstance(n, t.Like)}
        types = [slot.type for slot in shape.columns.values()]
        self.needs = {type_: types.count(type_) for type_ in ("number", "date", "text", "ordered", "any")}
        self.groups = len(grouped)

    def fits(self, numbers: int, dates: int, texts: int, groups: int, tables: int) -> bool:
        """Whether a context with so many columns of each type can fill the slots."""
        n = self.needs
        return (
            (self.tables == tables or (tables == 2 and self.spread))
            and n["number"] <= numbers
            and n["date"] <= dates
            and n["text"] <= texts
            and n["number"] + n["date"] + n["ordered"] <= numbers + dates
            and sum(n.values()) <= numbers + dates + texts
            and self.groups <= groups
        )

    def fill(self, d: Draw) -> t.Query:
        rows = [d.row, *(d.below(d.material.size) for _ in range(self.rows - 1))]
        m = d.material
        sides = sorted({field.expr.table for field in m.fields})
        if len(sides) == 2 and d.chance(0.5):
            sides.reverse()
        binding: Binding = {"": m.source}
        chosen: list[Field] = []
        for i, slot in enumerate(self.columns):
            side = slot.side and sides[slot.side - 1]
            if len(sides) == 2 and self.tables == 1 and i < 2:
                side = sides[i]
            field = slot.pick(d, rows, chosen, side or "")
            chosen.append(field)
            binding[slot.name] = field.expr
            _bind_values(d, field, slot.values, rows, binding, self.patterns)
        if self.apart:
            self._check_names(m, chosen)
        query: t.Query = self.tree(binding)
        if not self.small and isinstance(m.source, t.TableRef):
            check_work(query, {m.source.name: m})
        return query

    def _check_names(self, m: Material, chosen: Sequence[Field]) -> None:
        """The names that a template gives are nothing's in the context."""
        own = self.names.keys() | self.queries
        taken = {field.expr.name.lower() for field in chosen}
        if not isinstance(m.source, t.TableRef) or not own.isdisjoint(taken | {m.source.name.lower()}):
            no_draw("a table without the names of the template")


class _Slot:
    """A column slot with the values that are drawn from its column."""

    __slots__ = ("counted", "grouped", "name", "side", "sorted_by", "type", "values", "witnesses")

    def __init__(
        self, name: str, slot: ColumnSlot, values: list[tuple[str, ValueSlot]], grouped: bool, sorted_by: bool
    ) -> None:
        self.name, self.type, self.side, self.values = name, slot.type, slot.table, values
        self.grouped, self.sorted_by = grouped, sorted_by
        self.witnesses = sorted({value.row for _, value in values})

    def pick(self, d: Draw, rows: Sequence[int], chosen: Sequence[Field], side: str) -> Field:
        """A column that no other slot has, of the slot's type, known in the witness rows; of the table `side`, if
        that is not ""."""
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
            and (not side or f.expr.table == side)
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
        reading, _, use = slot.use.partition(" ")
        if reading in READINGS:
            binding[name] = _read_value(d, field, witness, reading.upper(), use)
            continue
        value = _value(d, field.variety, witness, slot.use, taken)
        taken.append(value)
        binding[name] = t.Constant(value, field.expr.type)


def _read_value(d: Draw, field: Field, witness: Any, function: str, use: str) -> t.Constant:
    """A constant that makes `function(column) use constant` true of the witness."""
    read = FUNCTIONS[function].evaluate
    values = dict.fromkeys(read(Vector(list(field.variety), field.type)))
    (witnessed,) = read(Vector([witness], field.type))
    found = _value(d, values, witnessed, use, [])
    return t.Constant(found, "text" if isinstance(found, str) else "number")


def _value(d: Draw, values: Iterable[Any], witness: Any, use: str, taken: list[Any]) -> Any:
    """One of the values that makes the comparison true of the witness, and that no other slot has taken."""
    if use in ("=", "in") and witness not in taken:
        return witness
    variety = [value for value in values if value not in taken]
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


class _Compiler:
    """Turns a template's tree into a function from binding to tree; a subtree without slots stays as it is. `names`:
    what subqueries compute, by the name that it has outside."""

    def __init__(self, slots: frozenset[str], names: Mapping[str, t.Expr]) -> None:
        self._slots = slots
        self._types: dict[str, Any] = {}
        # n1, n2, … by number: one is only made of others that come before.
        for name in sorted(names, key=lambda name: (len(name), name)):
            self._types[name] = self.compiled(names[name])

    def compiled(self, node: Any) -> Any:
        if isinstance(node, tuple):
            parts = [self.compiled(part) for part in node]
            if not any(map(callable, parts)):
                return node
            return lambda b: tuple([part(b) if callable(part) else part for part in parts])
        if isinstance(node, t.Column):
            return self._column(node)
        if isinstance(node, t.TableRef):
            return _table(node)
        if isinstance(node, t.Like) and node.pattern.strip("%") in self._slots:
            return _like(node, self.compiled(node.expr))
        if not isinstance(node, t.Node):
            return node
        parts = [self.compiled(getattr(node, name)) for name in node.__struct_fields__]
        if not any(map(callable, parts)):
            return node
        return _node(type(node), parts)

    def _column(self, node: t.Column) -> Any:
        name, table = node.name, node.table
        if name in self._slots:
            if not table:
                return lambda b: b[name]
            return lambda b: t.Column(b[name].name, b[name].type, table)
        of = self._types.get(name)
        return (lambda b: t.Column(name, type_of(of(b)), table)) if callable(of) else node


def _table(node: t.TableRef) -> Any:
    if node.name != TABLE:
        return node
    alias = node.alias
    return (lambda b: t.TableRef(b[""].name, alias)) if alias else (lambda b: b[""])


def _like(node: t.Like, expr: Any) -> Fill:
    slot, negated = node.pattern.strip("%"), node.negated
    return lambda b: t.Like(expr(b), b[slot], negated)


def _node(kind: Any, parts: list[Any]) -> Fill:
    """A node made anew, whose parts must be of one type where its rules say so."""

    def made(b: Binding) -> Any:
        node = kind(*[part(b) if callable(part) else part for part in parts])
        if not is_sound(node):
            no_draw("columns of one type")
        return node

    return made
