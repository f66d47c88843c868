"""People's SQL -> shapes: columns become typed slots, values become slots bound to a column, tables become `w`.

    shape = abstract("SELECT Name FROM city WHERE State = 'Ohio' AND Pop > 1000")
    shape.sql       # SELECT c1 FROM w WHERE c2 = v1 AND c3 > v2
    shape.columns   # c1 any, c2 text, c3 number

The type of a column is what its uses say: SUM, AVG, arithmetic and comparison with a number make it `number`, an ISO
date makes it `date`, another text `text`; MIN, MAX and < > make it `ordered` (a number or a date); the rest is `any`.
Columns that are compared with one another have one type. A value slot knows the column it is drawn from, the
comparison it stands in, and the witness row: values of one row number are drawn so that one row satisfies them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from typing import Any, Literal

from sqlglot import exp

from symtune.sql import tree as t
from symtune.sql.parse import ARITHMETIC_NODES, COMPARE_NODES, SET_NODES, beyond, parse_statement, read
from symtune.sql.render import render
from symtune.types import ExecutionError

SlotType = Literal["number", "date", "text", "ordered", "any"]
SLOT_TYPES: tuple[SlotType, ...] = ("number", "date", "text", "ordered", "any")
_COMPARED = ("=", "<>", "<", "<=", ">", ">=")
USES = (*_COMPARED, "in", "not in", "low", "high", "like", "not like", *(f"count {op}" for op in _COMPARED))
MAX_SLOTS = 12  # columns, and values, of a template
TABLE = "w"  # what templates call their table

Schema = Mapping[str, Mapping[str, str]]  # lower-case table -> lower-case column -> number, date or text
Key = tuple[int, str]  # a column of the statement: table (1 or 2) and lower-case name

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_NEGATED = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_PATTERN = re.compile(r"%?v\d+%?\Z")


@dataclass(frozen=True, slots=True)
class ColumnSlot:
    """A place for a column. `table`: of a join, 1 or 2 for a column of that table alone; 0 for any column."""

    type: SlotType
    table: int = 0


@dataclass(frozen=True, slots=True)
class ValueSlot:
    """A place for a value. `column` names the slot it is compared with, `use` how, `row` the witness row."""

    column: str
    use: str
    row: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A statement with slots for its columns and values. `tables` is 1, or 2 for a join that FROM w stands for."""

    sql: str
    columns: Mapping[str, ColumnSlot]
    values: Mapping[str, ValueSlot]
    tables: int = 1


def abstract(sql: str, schema: Schema | None = None) -> Shape:
    """The shape of one statement. Raises ExecutionError with the reason where it has none."""
    statement = parse_statement(sql, text_in_double_quotes=True)
    try:
        return _Abstraction(schema or {}).shape(statement)
    except RecursionError:
        raise ExecutionError("too long", "nested too deeply") from None


def shape_tree(shape: Shape) -> t.Query:
    """The typed tree of a shape; value slots are columns named v1, v2, … in it."""
    return _read(parse_statement(shape.sql), shape.columns, shape.values)


def _read(statement: Any, columns: Mapping[str, ColumnSlot], values: Mapping[str, ValueSlot]) -> t.Query:
    types: dict[str, Any] = {name: slot.type for name, slot in columns.items()}
    for name, value in values.items():
        types[name] = "number" if value.use.startswith("count") else types[value.column]
    return read(statement, {TABLE: {name: (name, type_) for name, type_ in types.items()}}, {TABLE: TABLE})


class _Abstraction:
    """The abstraction of one statement."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tables: list[str] = []  # lower-case names
        self.columns: dict[Key, str] = {}  # -> provisional name
        self.values: dict[str, tuple[Any, str, int]] = {}  # provisional name -> key, use, row
        self.sides = 1  # tables that columns outside ON belong to
        self.links: set[Key] = set()  # columns that a join is made by
        self.types = _Types()
        self.rows = count(1)

    def shape(self, statement: Any) -> Shape:
        root = statement
        while isinstance(root, exp.Subquery):
            root = root.this
        if not isinstance(root, exp.Select) and type(root) not in SET_NODES:
            raise ExecutionError("not a query", type(root).__name__)
        self._find_tables(root)
        for select in list(root.find_all(exp.Select)):
            _without_aliases(select)
        self._find_columns(root)
        for select in root.find_all(exp.Select):
            _mend_groups(select)
        self._visit(root, 0, False)
        columns = {name: ColumnSlot(self._type(key), self._table(key)) for key, name in self.columns.items()}
        values = {name: ValueSlot(self.columns[key], use, row) for name, (key, use, row) in self.values.items()}
        if not len(columns) <= MAX_SLOTS >= len(values):
            raise ExecutionError("too many slots", f"more than {MAX_SLOTS}")
        return _canonical(_read(root, columns, values), columns, values, self.sides)

    # ------------------------------------------------------------------------------------ tables, columns

    def _find_tables(self, root: Any) -> None:
        if root.find(exp.CTE):
            raise ExecutionError("common table expression")
        if any(isinstance(sub.parent, (exp.From, exp.Join)) for sub in root.find_all(exp.Subquery)):
            raise ExecutionError("subquery in FROM")
        found = list(root.find_all(exp.Table))
        if any(table.args.get("db") or not isinstance(table.this, exp.Identifier) for table in found):
            raise ExecutionError("beyond the typed tree", "a table that is not a plain name")
        self.tables = list(dict.fromkeys(table.name.lower() for table in found))
        joins = list(root.find_all(exp.Join))
        if not found:
            raise ExecutionError("no table")
        for select in root.find_all(exp.Select):
            own = [table.name.lower() for table in found if table.find_ancestor(exp.Select) is select]
            if len(set(own)) < len(own):
                raise ExecutionError("self join")
        if len(self.tables) > 1 and not len(joins) + 1 == len(self.tables) == len(found):
            raise ExecutionError("several tables", "not of one join")
        for join in joins:
            on = join.args.get("on")
            if join.args.get("side") or join.args.get("kind") == "OUTER":
                raise ExecutionError("outer join")
            if join.args.get("kind") not in (None, "", "INNER") or join.args.get("method"):
                raise ExecutionError("several tables", "a cross or natural join")
            if not (
                isinstance(on, exp.EQ) and isinstance(on.this, exp.Column) and isinstance(on.expression, exp.Column)
            ):
                raise ExecutionError("several tables", "no ON of two equal columns")

    def _find_columns(self, root: Any) -> None:
        """Give every column a provisional name, and take joins and aliases off FROM."""
        aliases = {(table.alias or table.name).lower(): table.name.lower() for table in root.find_all(exp.Table)}
        keys = [(column, self._key(column, aliases)) for column in root.find_all(exp.Column)]
        linked = {id(column): key for column, key in keys if column.find_ancestor(exp.Join)}
        shared = _Types()
        for join in list(root.find_all(exp.Join)):
            shared.join(*(linked[id(column)] for column in (join.args["on"].this, join.args["on"].expression)))
            join.pop()
        self.links = {shared.root(key) for key in linked.values()}
        for column, key in keys:
            if id(column) not in linked:
                key = shared.root(key)
                column.replace(exp.column(self.columns.setdefault(key, f"c{len(self.columns) + 1}")))
        for table in list(root.find_all(exp.Table)):
            table.replace(exp.to_table(TABLE))
        shown = {key[0] for key in self.columns if key not in self.links}
        if len(shown) > 2:
            raise ExecutionError("several tables", "columns of more than two")
        self.sides = max(len(shown), 1)  # a join that shows one table's columns asks nothing that one table would not

    def _key(self, column: exp.Column, aliases: Mapping[str, str]) -> Key:
        if not isinstance(column.this, exp.Identifier):
            raise ExecutionError("SELECT *")
        owner, name = column.table.lower(), column.name.lower()
        if owner and owner not in aliases:
            raise ExecutionError("unknown table", column.table)
        if owner:
            own = column.find_ancestor(exp.Select)
            here = {(table.alias or table.name).lower() for table in own.find_all(exp.Table)} if own else set()
            if owner not in here:
                raise ExecutionError("correlated subquery")
            return 1 + self.tables.index(aliases[owner]), name
        owners = [i for i, table in enumerate(self.tables, start=1) if name in self.schema.get(table, ())]
        if len(self.tables) == 1:
            return 1, name
        if len(owners) != 1:
            raise ExecutionError("column of an unnamed table")
        return owners[0], name

    def _table(self, key: Key) -> int:
        return 0 if self.sides == 1 or key in self.links else key[0]

    def _said(self, key: Key) -> str:
        """What the schema says of a column's type; "" for nothing."""
        return self.schema.get(self.tables[key[0] - 1], {}).get(key[1], "")

    def _type(self, key: Key) -> SlotType:
        known = self.types.of(key)
        if known:
            return known  # type: ignore[return-value]
        said = self._said(key)
        if self.types.ordered(key):
            return said if said in ("number", "date") else "ordered"  # type: ignore[return-value]
        return "any"

    # -------------------------------------------------------------------------------------------- values

    def _visit(self, node: Any, row: int, negated: bool) -> None:
        """Type the columns below a node and put value slots in the place of its constants."""
        kind = type(node)
        if kind is exp.Not:
            self._visit(node.this, row, not negated)
        elif kind is exp.Or or kind in SET_NODES:
            self._visit(node.this, row, negated)
            self._visit(node.expression, row if kind is exp.Intersect else next(self.rows), negated)
        elif kind is exp.Subquery or kind is exp.Exists:
            self._visit(node.this, next(self.rows), False)
        elif kind in COMPARE_NODES:
            self._compare(node, row, negated)
        elif kind is exp.Between:
            row = next(self.rows) if negated else row
            for side, use in (("low", "low"), ("high", "high")):
                self._bind(node.this, node.args[side], use, row)
            self._visit(node.this, row, negated)
        elif kind is exp.In:
            self._in(node, row, negated)
        elif kind is exp.Like:
            self._like(node, row, negated)
        elif kind is exp.Literal and node.is_string:
            raise ExecutionError("text that no column is compared with")
        elif kind is exp.Literal and isinstance(node.parent, exp.Select):
            raise ExecutionError("constant in the projection")
        elif kind not in (exp.Limit, exp.Offset):
            if kind is exp.Select and node.args.get("limit") and node.args.get("order"):
                for part in node.args["order"].expressions:  # the first by name is nobody's question
                    if isinstance(key := self._class(part.this), tuple) and self._said(key) != "text":
                        self.types.order(key)
            self._typed(node)
            for child in list(node.iter_expressions()):
                self._visit(child, row, negated)

    def _typed(self, node: Any) -> None:
        """What a function or an operator says about the columns in it."""
        kind = type(node)
        if kind in (exp.Sum, exp.Avg):
            self.types.join(self._class(node.this), "number")
        elif kind in (exp.Min, exp.Max):
            self.types.order(self._class(node.this))
        elif kind in ARITHMETIC_NODES or kind is exp.Div:
            for side in (node.this, node.expression):
                self.types.join(self._class(side), "number")
            if kind is exp.Div and not isinstance(node.this, exp.Mul):  # what people mean by a / b
                node.set("this", exp.Mul(this=node.this.copy(), expression=exp.Literal.number("1.0")))

    def _class(self, node: Any) -> Any:
        """What the type of an expression hangs on: a column's key, the name of a type, or None."""
        node = _bare(node)
        if isinstance(node, exp.Column):
            return next((key for key, name in self.columns.items() if name == node.name), None)
        if isinstance(node, (exp.Min, exp.Max, exp.Subquery)):
            return self._class(node.this)
        if isinstance(node, exp.Select):
            return self._class(node.expressions[0])
        if isinstance(node, exp.Distinct):
            return self._class(node.expressions[0])
        if isinstance(node, (exp.Count, exp.Sum, exp.Avg, exp.Div, exp.Length, exp.Abs, *ARITHMETIC_NODES)):
            return "number"
        return None

    def _compare(self, node: Any, row: int, negated: bool) -> None:
        left, right = _bare(node.this), _bare(node.expression)
        op = COMPARE_NODES[type(node)]
        if _is_constant(left):
            if _is_constant(right):
                raise ExecutionError("constant condition")
            flipped = next(kind for kind, name in COMPARE_NODES.items() if name == _FLIPPED[op])
            swapped = flipped(this=right.copy(), expression=left.copy())
            node.replace(swapped)
            self._compare(swapped, row, negated)
            return
        if op not in ("=", "<>"):
            self.types.order(self._class(left))
            self.types.order(self._class(right))
        if _is_constant(right):
            self._bind(left, right, _NEGATED[op] if negated else op, row)
        else:
            self.types.join(self._class(left), self._class(right))
            self._visit(right, row, False)
        self._visit(node.this, row, False)

    def _bind(self, column: Any, constant: Any, use: str, row: int) -> None:
        """Put a value slot in the place of a constant; one compared with what is no column stays if a number."""
        column, constant = _bare(column), _bare(constant)
        if not _is_constant(constant):
            raise beyond(constant)
        text = constant.this.this if isinstance(constant, exp.Neg) else constant.this
        is_text = isinstance(constant, exp.Literal) and constant.is_string
        holder = _bare(column.this) if isinstance(column, (exp.Sum, exp.Avg, exp.Min, exp.Max)) else column
        if isinstance(column, exp.Count):
            holder, use = (self._group_of(column) if use in _COMPARED else None), f"count {use}"
        if not isinstance(holder, exp.Column):
            if is_text:
                raise ExecutionError("text that no column is compared with")
            return
        key = self._class(holder)
        if not use.startswith("count"):
            self.types.join(key, _type_of(text, is_text, self._said(key)))
        name = f"v{len(self.values) + 1}"
        self.values[name] = (key, use, row)
        constant.replace(exp.column(name))

    def _group_of(self, node: Any) -> Any:
        """The one column that a COUNT is grouped by, or None."""
        select = node.find_ancestor(exp.Select)
        group = select.args.get("group") if select else None
        return _bare(group.expressions[0]) if group and len(group.expressions) == 1 else None

    def _in(self, node: exp.In, row: int, negated: bool) -> None:
        if node.args.get("query"):
            query = node.args["query"]
            self.types.join(self._class(node.this), self._class(query))
            self._visit(query, row, False)
        elif not node.expressions:
            raise beyond(node)
        for item in list(node.expressions):
            self._bind(node.this, item, "not in" if negated else "in", row)
        self._visit(node.this, row, False)

    def _like(self, node: exp.Like, row: int, negated: bool) -> None:
        column, pattern = _bare(node.this), _bare(node.expression)
        if not isinstance(column, exp.Column) or not (isinstance(pattern, exp.Literal) and pattern.is_string):
            raise beyond(node)
        body = pattern.this.strip("%")
        if not body or "%" in body or "_" in body or len(pattern.this) - len(body) > 2:
            raise ExecutionError("LIKE with an inner pattern")
        key = self._class(column)
        self.types.join(key, "text")
        name = f"v{len(self.values) + 1}"
        self.values[name] = (key, "not like" if negated else "like", row)
        start, end = ("%" * pattern.this.startswith("%")), ("%" * pattern.this.endswith("%"))
        pattern.replace(exp.Literal.string(f"{start}{name}{end}"))


class _Types:
    """Which columns share a type, and which type it is: number, date or text where a use says so."""

    def __init__(self) -> None:
        self._parent: dict[Any, Any] = {}
        self._ordered: set[Any] = set()

    def root(self, one: Any) -> Any:
        """What stands for the class of a column: a column, or the name of a type."""
        while one in self._parent:
            one = self._parent[one]
        return one

    def join(self, one: Any, other: Any) -> None:
        """Two classes have one type. Raises ExecutionError where they cannot."""
        if one is None or other is None:
            return
        a, b = self.root(one), self.root(other)
        if a == b:
            return
        if isinstance(a, str) and isinstance(b, str):
            raise ExecutionError("type mismatch", f"a column is used as {a} and as {b}")
        if isinstance(a, str):
            a, b = b, a
        self._parent[a] = b

    def order(self, one: Any) -> None:
        """The values of a class are compared by size."""
        if isinstance(one, tuple):
            self._ordered.add(one)

    def of(self, key: Key) -> str:
        """number, date or text; "" where nothing says which."""
        root = self.root(key)
        return root if isinstance(root, str) else ""

    def ordered(self, key: Key) -> bool:
        """Whether the column, or one of its type, is compared by size."""
        root = self.root(key)
        return any(self.root(one) == root for one in self._ordered)


# ---------------------------------------------------------------------------------------------- rewriting


def _bare(node: Any) -> Any:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _is_constant(node: Any) -> bool:
    if isinstance(node, exp.Neg):
        node = node.this
        return isinstance(node, exp.Literal) and not node.is_string
    return isinstance(node, exp.Literal)


def _type_of(text: str, is_text: bool, said: str) -> str:
    """The type of a constant, beside a column whose schema says `said`."""
    if not is_text:
        return "number"
    try:
        date.fromisoformat(text)
        return "date"
    except ValueError:
        pass
    if said == "number":
        try:
            float(text)
            return "number"
        except ValueError:
            pass
    return "text"


def _without_aliases(select: exp.Select) -> None:
    """Aliases and positions of the projection, in GROUP BY, HAVING and ORDER BY, as what they stand for; and
    COUNT(1) as COUNT(*)."""
    items = list(select.expressions)
    if any(isinstance(item, exp.Star) for item in items):
        raise ExecutionError("SELECT *")
    named = {item.alias.lower(): item.this for item in items if isinstance(item, exp.Alias)}
    plain = [item.this if isinstance(item, exp.Alias) else item for item in items]
    for clause in ("group", "having", "order"):
        holder = select.args.get(clause)
        if not holder:
            continue
        for column in list(holder.find_all(exp.Column)):
            if not column.table and column.name.lower() in named:
                column.replace(named[column.name.lower()].copy())
        if clause == "having":
            continue
        for part in list(holder.expressions):
            place = part.this if isinstance(part, exp.Ordered) else part
            if isinstance(place, exp.Literal) and not place.is_string and place.this.isdigit():
                if not 1 <= int(place.this) <= len(plain):
                    raise ExecutionError("syntax", f"no item {place.this} in the projection")
                place.replace(plain[int(place.this) - 1].copy())
    for item in items:
        if isinstance(item, exp.Alias):
            item.replace(item.this.copy())
    for counted in list(select.find_all(exp.Count)):
        if isinstance(counted.this, exp.Literal):
            counted.set("this", exp.Star())


_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)


def _mend_groups(select: exp.Select) -> None:
    """`SELECT name … GROUP BY id` shows a column that is no key: people mean the group's name. Group by it, where it
    is the only one; refuse the rest, for which an engine picks any row."""
    group: Any = select.args.get("group")
    keys = [part.name for part in group.expressions if isinstance(part, exp.Column)] if group else []
    shown = [*select.expressions, select.args.get("having"), select.args.get("order")]
    bare = {column.name for part in shown if part for column in _outside_aggregates(part)} - set(keys)
    aggregated = any(part.find(*_AGGREGATES) for part in select.expressions)
    if not bare or not (group or aggregated):
        return
    if len(bare) > 1 or len(keys) != 1 or len(group.expressions) != 1:
        raise ExecutionError("bare column")
    (name,) = bare
    if any(column.name == keys[0] for part in shown if part for column in _outside_aggregates(part)):
        raise ExecutionError("bare column")
    group.expressions[0].replace(exp.column(name))


def _outside_aggregates(node: Any) -> Iterator[exp.Column]:
    if isinstance(node, exp.Column):
        yield node
    elif not isinstance(node, (*_AGGREGATES, exp.Subquery, exp.Window, exp.Select)):
        for child in node.iter_expressions():
            yield from _outside_aggregates(child)


# ---------------------------------------------------------------------------------------------- canonical form


def _canonical(
    query: t.Query, columns: Mapping[str, ColumnSlot], values: Mapping[str, ValueSlot], tables: int
) -> Shape:
    """The shape with slots numbered in the order of the program's text, so that equal shapes are equal texts."""
    order = list(dict.fromkeys(name for node in _in_order(query) for name in _slots_of(node)))
    order += [slot.column for name in order if (slot := values.get(name)) and slot.column not in order]
    names: dict[str, str] = {}
    for letter in "cv":
        names |= {name: f"{letter}{i}" for i, name in enumerate((n for n in order if n[0] == letter), start=1)}
    rows: dict[int, int] = {}
    kept_values = {}
    for name in (n for n in order if n in values):
        slot = values[name]
        row = rows.setdefault(slot.row, len(rows))
        kept_values[names[name]] = replace(slot, column=names[slot.column], row=row)
    sides: dict[int, int] = {0: 0}
    kept_columns = {}
    for name in (n for n in order if n in columns):
        side = sides.setdefault(columns[name].table, len(sides))
        kept_columns[names[name]] = replace(columns[name], table=side)
    return Shape(render(renamed(query, names)), kept_columns, kept_values, tables)


def _in_order(node: Any) -> Iterator[Any]:
    yield node
    for child in t.children(node):
        yield from _in_order(child)


def _slots_of(node: Any) -> tuple[str, ...]:
    if isinstance(node, t.Column):
        return (node.name,)
    if isinstance(node, t.Like) and _PATTERN.match(node.pattern):
        return (node.pattern.strip("%"),)
    return ()


def renamed(node: Any, names: Mapping[str, str]) -> Any:
    """The tree with its slots renamed."""
    if isinstance(node, tuple):
        return tuple(renamed(part, names) for part in node)
    if not isinstance(node, t.Node):
        return node
    if isinstance(node, t.Column):
        return t.Column(names[node.name], node.type, node.table)
    new = type(node)(*(renamed(getattr(node, name), names) for name in node.__struct_fields__))
    if isinstance(new, t.Like):
        body = new.pattern.strip("%")
        return t.Like(new.expr, new.pattern.replace(body, names[body]), new.negated)
    return new
