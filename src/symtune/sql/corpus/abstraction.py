"""Statements -> shapes: columns become typed slots, values become slots tied to a column, and tables become `w`.

    shape = abstract("SELECT Name FROM city WHERE State = 'Ohio' AND Pop > 1000")
    shape.sql       # SELECT c1 FROM w WHERE c2 = v1 AND c3 > v2
    shape.columns   # c1 any, c2 text, c3 number

The type of a column follows from how it is used: SUM, AVG, arithmetic and comparison with a number make it `number`;
comparison with an ISO date makes it `date`, with any other text `text`; MIN, MAX, < and > make it `ordered` (a number
or a date); otherwise it is `any`. Columns that are compared with one another have the same type. A value slot knows
its column, the comparison it is part of, and its witness row: values with the same row number are drawn so that one
row satisfies them all.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlglot import exp

from symtune.sql.corpus.dialects import PARAMETER, admitted
from symtune.sql.corpus.mending import (
    bare,
    branches,
    check_constant,
    constant_type,
    inside,
    is_constant,
    is_real,
    mend_case,
    mend_groups,
    reading_of,
)
from symtune.sql.corpus.scopes import Key, Names, Same, Schema
from symtune.sql.corpus.shapes import Shape, canonical, shape_tree_of
from symtune.sql.corpus.slots import NEGATED, READINGS, ColumnSlot, SlotType, ValueSlot
from symtune.sql.language import tree as t
from symtune.sql.language.functions import call_of
from symtune.sql.language.parse import ARITHMETIC_NODES, COMPARE_NODES, SET_NODES, beyond, parse_admitted
from symtune.sql.language.records import Argument
from symtune.types import Rejected

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


def abstract(sql: str, schema: Schema | None = None) -> Shape:
    """The shape of one statement. Raises Rejected, with the reason, if it has none."""
    statement = parse_admitted(admitted(sql))
    try:
        return _Abstraction(schema or {}).shape(statement)
    except RecursionError:
        raise Rejected("too long", "nested too deeply") from None


class _Abstraction:
    """The abstraction of one statement."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.names = Names(schema)
        self.keys: dict[str, Key] = {}  # slot -> the column it stands for
        self.values: dict[str, tuple[Any, str, int]] = {}  # provisional name -> key, use, row
        self.types = _Types()
        self.rows = count(1)

    def shape(self, statement: Any) -> Shape:
        root = statement
        while isinstance(root, exp.Subquery):
            root = root.this
        if not isinstance(root, exp.Select) and type(root) not in SET_NODES:
            raise Rejected("not a query", type(root).__name__)
        self.names.resolve(root)
        self.keys = {name: key for key, name in self.names.columns.items()}
        for case in list(root.find_all(exp.Case)):
            mend_case(case)
        for select in root.find_all(exp.Select):
            mend_groups(select)
        self._visit(root, 0, False)
        columns = {name: ColumnSlot(self._type(key), self._table(key)) for name, key in self.keys.items()}
        values = {name: ValueSlot(self.names.columns[key], use, row) for name, (key, use, row) in self.values.items()}
        return canonical(shape_tree_of(root, columns, values), columns, values, self.names.sides)

    def _table(self, key: Key) -> int:
        return 0 if self.names.sides == 1 or key in self.names.links else key[0]

    def _said(self, key: Key) -> str:
        """The column's type according to the schema, or "" if it has none."""
        return self.schema.get(self.names.tables[key[0] - 1], {}).get(key[1], "")

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
        """Type the columns below a node, and replace its constants by value slots."""
        kind = type(node)
        if kind is exp.Not:
            self._visit(node.this, row, not negated)
        elif kind is exp.Or or kind in SET_NODES:
            self._visit(node.this, row, negated)
            self._visit(node.expression, row if kind is exp.Intersect else next(self.rows), negated)
            if kind in SET_NODES:
                self._same_columns(node)
        elif kind is exp.Subquery or kind is exp.Exists or kind is exp.CTE:
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
        elif kind is exp.Literal:
            check_constant(node)
        elif reading_of(node):
            self.types.join(self._class(inside(node)), READINGS[reading_of(node)])
            self._visit(inside(node), row, negated)
        elif kind not in (exp.Limit, exp.Offset):
            if kind is exp.Select and node.args.get("limit") and node.args.get("order"):
                for part in node.args["order"].expressions:  # nobody asks for the first few in alphabetical order
                    if isinstance(key := self._class(part.this), tuple) and self._said(key) != "text":
                        self.types.order(key)
            self._typed(node)
            if kind is exp.If:  # otherwise the first branch would always be taken
                row, negated = next(self.rows), False
            for child in list(node.iter_expressions()):
                self._visit(child, row, negated)

    def _same_columns(self, node: Any) -> None:
        """Record that both sides of a set operation yield columns of the same types."""
        sides = [side.this if isinstance(side, exp.Subquery) else side for side in (node.this, node.expression)]
        if all(isinstance(side, exp.Select) for side in sides):
            for one, other in zip(sides[0].expressions, sides[1].expressions, strict=False):
                self.types.join(self._class(one), self._class(other))

    def _typed(self, node: Any) -> None:
        """Record what a function or an operator implies about the types of its columns."""
        kind = type(node)
        if called := call_of(node):
            record, given = called
            for place, one in enumerate(given):
                self._argument(record.argument(place), self._class(one), self._class(given[0]))
        elif kind in ARITHMETIC_NODES or kind is exp.Div:
            for side in (node.this, node.expression):
                self.types.join(self._class(side), "number")
            if kind is exp.Div and not is_real(node):  # what people mean by a / b
                node.set("this", exp.Mul(this=node.this.copy(), expression=exp.Literal.number("1.0")))
        elif kind is exp.DPipe:
            for side in (node.this, node.expression):
                self.types.join(self._class(side), "text")
        elif kind is exp.Case:
            given = [self._class(value) for value in branches(node)]
            for one in given[1:]:
                self.types.join(given[0], one)

    def _argument(self, wanted: Argument, given: Any, first: Any) -> None:
        """Record what a function implies about the type of one argument, given its first argument."""
        if wanted.types:
            self.types.join(given, wanted.types[0])
        elif wanted.by_size:
            self.types.order(given)
        elif wanted.same:
            self.types.join(given, first)

    def _meant(self, node: Any) -> Any:
        """The expression itself, or, if it names something that a subquery computes, the computation."""
        node = bare(node)
        while isinstance(node, exp.Column) and node.name in self.names.outputs:
            node = bare(self.names.outputs[node.name].this)
        return node

    def _class(self, node: Any) -> Any:
        """What determines the type of an expression: a column's key, the name of a type, or None."""
        node = self._meant(node)
        if isinstance(node, exp.Column):
            return self.keys.get(node.name)
        if isinstance(node, exp.Literal):
            return "text" if node.is_string else "number"
        if isinstance(node, (exp.Alias, exp.Subquery, exp.Window)):
            return self._class(node.this)
        if isinstance(node, (exp.Select, exp.Distinct)):
            return self._class(node.expressions[0]) if node.expressions else None
        if isinstance(node, exp.Case):
            return self._class(branches(node)[0])
        if called := call_of(node):
            record, given = called
            return record.gives or self._class(given[0])
        if isinstance(node, exp.DPipe):
            return "text"
        return "number" if isinstance(node, (exp.Div, *ARITHMETIC_NODES)) else None

    def _compare(self, node: Any, row: int, negated: bool) -> None:
        left, right = bare(node.this), bare(node.expression)
        op = COMPARE_NODES[type(node)]
        if is_constant(left):
            if is_constant(right):
                raise Rejected("constant condition")
            flipped = next(kind for kind, name in COMPARE_NODES.items() if name == _FLIPPED[op])
            swapped = flipped(this=right.copy(), expression=left.copy())
            node.replace(swapped)
            self._compare(swapped, row, negated)
            return
        if op not in ("=", "<>"):
            self.types.order(self._class(left))
            self.types.order(self._class(right))
        if is_constant(right):
            self._bind(left, right, NEGATED[op] if negated else op, row)
        else:
            self.types.join(self._class(left), self._class(right))
            self._visit(right, row, False)
        self._visit(node.this, row, False)

    def _bind(self, compared: Any, constant: Any, use: str, row: int) -> None:
        """Replace a constant by a value slot. A number that is not compared with a column stays as it is."""
        column, constant = self._meant(compared), bare(constant)
        if not is_constant(constant):
            raise beyond(constant)
        text = constant.this.this if isinstance(constant, exp.Neg) else constant.this
        is_text = isinstance(constant, exp.Literal) and constant.is_string
        holder = bare(column.this) if isinstance(column, (exp.Sum, exp.Avg, exp.Min, exp.Max)) else column
        reading = reading_of(column)
        if isinstance(column, exp.Count):
            holder, use = (self._group_of(column) if use in t.COMPARISONS else None), f"count {use}"
        elif reading:
            holder, use = bare(inside(column)), f"{reading} {use}"
        if not isinstance(self._meant(holder), exp.Column):
            if is_text:
                raise Rejected("text that no column is compared with")
            return
        key = self._class(holder)
        if not isinstance(key, tuple):
            raise beyond(holder)
        if reading:
            self.types.join(key, READINGS[reading])
        elif not isinstance(column, exp.Count) and text != PARAMETER:
            self.types.join(key, constant_type(text, is_text, self._said(key)))
        name = f"v{len(self.values) + 1}"
        self.values[name] = (key, use, row)
        constant.replace(exp.column(name))

    def _group_of(self, node: Any) -> Any:
        """The first column that a COUNT is grouped by, or None."""
        select = node.find_ancestor(exp.Select)
        group = select.args.get("group") if select else None
        return bare(group.expressions[0]) if group and group.expressions else None

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
        column, pattern = self._meant(node.this), bare(node.expression)
        if not isinstance(column, exp.Column) or not (isinstance(pattern, exp.Literal) and pattern.is_string):
            raise beyond(node)
        body = pattern.this.strip("%")
        if not body or "%" in body or "_" in body or len(pattern.this) - len(body) > 2:
            raise Rejected("LIKE with an inner pattern")
        key = self._class(column)
        if not isinstance(key, tuple):
            raise beyond(column)
        self.types.join(key, "text")
        negated ^= bool(node.args.get("negate"))  # NOT LIKE is a single node
        name = f"v{len(self.values) + 1}"
        self.values[name] = (key, "not like" if negated else "like", row)
        start, end = ("%" * pattern.this.startswith("%")), ("%" * pattern.this.endswith("%"))
        pattern.replace(exp.Literal.string(f"{start}{name}{end}"))


class _Types:
    """Which columns share a type, and which type: number, date or text if some use determines it."""

    def __init__(self) -> None:
        self._same = Same()
        self._ordered: set[Key] = set()

    def join(self, one: Any, other: Any) -> None:
        """Give two classes the same type. Raises Rejected if they have different ones."""
        if one is None or other is None:
            return
        a, b = self._same.root(_member(one)), self._same.root(_member(other))
        if a != b and a[0] == b[0] == _A_TYPE:
            raise Rejected("type mismatch", f"a column is used as {a[1]} and as {b[1]}")
        self._same.join(a, b)

    def order(self, one: Any) -> None:
        """Record that the values of a class are compared by size."""
        if isinstance(one, tuple):
            self._ordered.add(one)

    def of(self, key: Key) -> str:
        """number, date or text, or "" if it is not known which."""
        table, name = self._same.root(key)
        return name if table == _A_TYPE else ""

    def ordered(self, key: Key) -> bool:
        """Whether the column, or one that shares its type, is compared by size."""
        root = self._same.root(key)
        return any(self._same.root(one) == root for one in self._ordered)


_A_TYPE = 0  # in place of a table number (from 1), so that a type sorts first and becomes the root of its columns


def _member(one: Key | str) -> Key:
    return (_A_TYPE, one) if isinstance(one, str) else one
