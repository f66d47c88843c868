"""SQL text -> typed tree, through sqlglot: for re-executing stored programs, and for SQL corpora.

`parse_sql(render(tree), tables) == tree` holds for everything that the sampler draws. SQL for which the typed tree has
no node is refused with Rejected("beyond the typed tree"); SQL that is too long or too deep is refused before sqlglot
sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp

from symtune.sql.language import tree as t
from symtune.sql.language.bounds import admitted
from symtune.sql.language.functions import AGGREGATE_NODES, WINDOW_NODES, function_of
from symtune.sql.language.operations import checked
from symtune.sql.language.records import Argument, Record
from symtune.sql.language.type_rules import READS, alike, check_columns, compared, type_of, typed, types_of
from symtune.types import Rejected, Table

Columns = dict[str, tuple[str, t.ExprType]]  # lower-case name -> name and type


def parse_sql(sql: str, tables: Sequence[Table]) -> t.Query:
    """The tree of one SELECT over the tables. Raises Rejected: too long, syntax, several statements,
    unknown column or table, beyond the typed tree.
    """
    statement = parse_statement(sql)
    known: dict[str, Columns] = {
        table.name.lower(): {name.lower(): (name, type_) for name, type_ in zip(table.header, table.types, strict=True)}
        for table in tables
    }
    return read(statement, known, {table.name.lower(): table.name for table in tables})


def read(
    statement: Any, known: Mapping[str, Columns], names: Mapping[str, str], everywhere: Columns | None = None
) -> t.Query:
    """The typed tree for one of sqlglot's trees. `known`: lower-case table -> lower-case column -> (name, type);
    `names`: how tables are written; `everywhere`: names that every part of the query may use.
    """
    outermost = _Reader(known, names)
    outermost.scope[""] = ("", everywhere or {})
    try:
        return _Reader(known, names, outermost).query(statement)
    except RecursionError:
        raise Rejected("too long", "nested too deeply") from None


def parse_statement(sql: str) -> Any:
    """sqlglot's tree of one statement in SQLite's dialect, after the bounds of `sql/language/bounds.py`."""
    return parse_admitted(admitted(sql))


def parse_admitted(text: str) -> Any:
    """sqlglot's tree of one statement that is within the bounds. Raises Rejected: syntax, several statements."""
    try:
        statements = [s for s in sqlglot.parse(text, dialect="sqlite") if s is not None]
    except (sqlglot.errors.SqlglotError, ValueError) as error:
        raise Rejected("syntax", str(error).split("\n")[0]) from None
    except RecursionError:
        raise Rejected("too long", "nested too deeply") from None
    if len(statements) != 1:
        raise Rejected("several statements" if statements else "syntax", f"{len(statements)} statements")
    return statements[0]


def beyond(node: Any) -> Rejected:
    """The refusal of SQL for which the typed tree has no node."""
    return Rejected("beyond the typed tree", type(node).__name__)


SET_NODES: dict[type, str] = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
COMPARE_NODES: dict[type, str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
ARITHMETIC_NODES: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_CLAUSES = frozenset(
    """
    kind hint distinct expressions limit from_ where group having order offset with_ joins operation_modifiers
    """.split()
)


class _Reader:
    """Reads one query; `scope` maps aliases of its FROM clause to columns, `outer` is the query around it."""

    def __init__(self, known: Mapping[str, Columns], names: Mapping[str, str], outer: _Reader | None = None) -> None:
        self.known = dict(known)
        self.names = dict(names)
        self.outer = outer
        self.scope: dict[str, tuple[str, Columns]] = {}
        self.aliases: dict[str, t.Expr] = {}  # of the projection, which GROUP BY and ORDER BY may name

    def query(self, node: Any) -> t.Query:
        if isinstance(node, exp.Subquery):
            return self.query(node.this)
        if type(node) in SET_NODES:
            op = SET_NODES[type(node)] if node.args.get("distinct") else f"{SET_NODES[type(node)]} ALL"
            if op in ("INTERSECT ALL", "EXCEPT ALL") or any(map(node.args.get, ("order", "limit", "offset", "with_"))):
                raise beyond(node)
            left, right = self._nested(node.this), self._nested(node.expression)
            if not isinstance(left, t.Select) or not isinstance(right, t.Select):
                raise beyond(node)
            check_columns(left, right)
            return t.SetQuery(op, left, right)
        if not isinstance(node, exp.Select):
            raise beyond(node)
        return self._select(node)

    def _nested(self, node: Any, correlated: bool = False) -> t.Query:
        return _Reader(self.known, self.names, self if correlated else self.outer).query(node)

    def _select(self, node: exp.Select) -> t.Select:
        unknown = {name for name, value in node.args.items() if value} - _CLAUSES
        if unknown:
            raise Rejected("beyond the typed tree", ", ".join(sorted(unknown)))
        ctes = tuple(self._cte(cte) for cte in (node.args["with_"].expressions if node.args.get("with_") else ()))
        if node.args.get("with_") and node.args["with_"].args.get("recursive"):
            raise Rejected("beyond the typed tree", "RECURSIVE")
        source = self._from(node)
        items = tuple(self._item(item) for item in node.expressions)
        if not items:
            raise Rejected("syntax", "a SELECT of nothing")
        self.aliases = {item.alias.lower(): item.expr for item in items if item.alias}
        clause: Callable[[str], Any] = node.args.get
        limit, offset = clause("limit"), clause("offset")
        distinct = clause("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise beyond(distinct)
        if offset and not limit:
            raise Rejected("beyond the typed tree", "OFFSET without LIMIT")
        return t.Select(
            items,
            source,
            where=self._condition(clause("where").this) if clause("where") else None,
            group=tuple(self._key(e) for e in clause("group").expressions) if clause("group") else (),
            having=self._condition(clause("having").this) if clause("having") else None,
            order=tuple(self._order(o) for o in clause("order").expressions) if clause("order") else (),
            limit=_whole(limit.expression) if limit else None,
            offset=_whole(offset.expression) if offset else 0,
            distinct=distinct is not None,
            ctes=ctes,
        )

    def _cte(self, cte: exp.CTE) -> tuple[str, t.Query]:
        if cte.args["alias"].args.get("columns"):
            raise beyond(cte)
        body = self._nested(cte.this)
        name = cte.alias
        self.known[name.lower()], self.names[name.lower()] = _columns_of(body), name
        return name, body

    def _from(self, node: exp.Select) -> t.Source | None:
        if not node.args.get("from_"):
            return None
        source = self._table(node.args["from_"].this)
        for join in node.args.get("joins") or ():
            if join.args.get("side") or join.args.get("kind") not in (None, "", "INNER") or not join.args.get("on"):
                raise beyond(join)
            right = self._table(join.this)
            if not isinstance(right, t.TableRef):
                raise beyond(join)
            source = t.Join(source, right, self._condition(join.args["on"]))
        return source

    def _table(self, node: Any) -> t.Source:
        if isinstance(node, exp.Subquery):
            body = self._nested(node.this)
            self._see(node.alias, _columns_of(body))
            return t.Derived(body, node.alias)
        if not isinstance(node, exp.Table) or node.args.get("db"):
            raise beyond(node)
        if node.name.lower() not in self.known:
            raise Rejected("unknown table", node.name)
        name = self.names[node.name.lower()]
        self._see(node.alias or name, self.known[node.name.lower()])
        return t.TableRef(name, node.alias)

    def _see(self, alias: str, columns: Columns) -> None:
        self.scope[alias.lower()] = (alias, columns)

    def _item(self, node: Any) -> t.Item:
        named = isinstance(node, exp.Alias)
        found = self.expr(node.this if named else node)
        if type_of(found) == "bool":  # SQLite shows 1, DuckDB true
            raise Rejected("beyond the typed tree", "a truth value that is shown")
        return t.Item(found, node.alias if named else "")

    def _order(self, node: exp.Ordered) -> t.Order:
        # sqlglot notes where the dialect puts NULLs by itself: SQLite first when ascending, last when descending.
        if node.args.get("nulls_first") not in (None, not node.args.get("desc")):
            raise Rejected("beyond the typed tree", "NULLS FIRST or LAST")
        direction: t.Direction = "DESC" if node.args.get("desc") else "ASC"
        named = node.this.name.lower() if isinstance(node.this, exp.Column) and not node.this.table else ""
        return t.Order(self.aliases[named] if named in self.aliases else self._key(node.this), direction)

    def _key(self, node: Any) -> t.Expr:
        """A sorting or grouping key. Constants are refused: engines take one for the position of an item, or refuse
        it."""
        found = self.expr(node)
        if isinstance(found, t.Constant):
            raise Rejected("beyond the typed tree", "a constant in ORDER BY or GROUP BY")
        return found

    # -------------------------------------------------------------------------------------- expressions

    def expr(self, node: Any) -> t.Expr:
        kind = type(node)
        if kind is exp.Paren:
            return self.expr(node.this)
        if kind in COMPARE_NODES:
            return self._compare(node)
        if called := function_of(node):
            record, given = called
            return t.Function(record.name, self._arguments(node, record, given))
        if kind in ARITHMETIC_NODES:
            return self._arithmetic(ARITHMETIC_NODES[kind], node.this, node.expression)
        if kind in AGGREGATE_NODES:
            return self._aggregate(node)
        method = getattr(self, f"_{kind.__name__.lower()}", None)
        if method is None or kind.__name__ not in _METHODS:
            raise beyond(node)
        found: t.Expr = method(node)
        return found

    def _operand(self, node: Any, wanted: Argument) -> t.Expr:
        """An expression that must be of one of the wanted types."""
        return typed(self.expr(node), *wanted.types)

    def _arguments(self, node: Any, record: Record, given: list[Any]) -> tuple[t.Expr, ...]:
        """The arguments of a call, as its record wants them."""
        wanted = [record.argument(place) for place in range(len(given))]
        found = []
        for argument, one in zip(wanted, given, strict=True):
            if argument.whole is None:
                found.append(self._operand(one, argument))
            elif (value := _whole(one)) in argument.whole:
                found.append(t.Constant(value, "number"))
            else:
                raise beyond(node)
        return compared(*found) if any(argument.same for argument in wanted) else tuple(found)

    def _arithmetic(self, op: str, left: Any, right: Any) -> t.Expr:
        wanted = READS[t.Arithmetic]
        return t.Arithmetic(op, self._operand(left, wanted), self._operand(right, wanted))

    def _condition(self, node: Any) -> t.Expr:
        """A condition, which must be a truth value: engines differ on whether a number or a text is true."""
        found = self.expr(node)
        if type_of(found) != "bool":
            raise Rejected("type mismatch", f"a condition that is a {type_of(found)}")
        return found

    def _column(self, node: exp.Column) -> t.Expr:
        table, name = node.table.lower(), node.name.lower()
        reader: _Reader | None = self
        while reader is not None:
            if table:
                if table in reader.scope and name in reader.scope[table][1]:
                    alias, columns = reader.scope[table]
                    return t.Column(*columns[name], table=alias)
            else:
                hits = [columns[name] for _, columns in reader.scope.values() if name in columns]
                if len(hits) > 1:
                    raise Rejected("ambiguous column", node.name)
                if hits:
                    return t.Column(*hits[0])
            if reader is self and not table and name in self.aliases:
                return self.aliases[name]
            reader = reader.outer
        raise Rejected("unknown column", node.name)

    def _literal(self, node: exp.Literal) -> t.Expr:
        if node.is_string:
            return t.Constant(node.this, "text")
        return t.Constant(_number(node.this), "number")

    def _neg(self, node: exp.Neg) -> t.Expr:
        inner = self.expr(node.this)
        if isinstance(inner, t.Constant) and not isinstance(inner.value, str):
            return t.Constant(-inner.value, "number")
        raise beyond(node)

    def _div(self, node: exp.Div) -> t.Expr:
        left = node.this
        real = isinstance(left, exp.Mul) and isinstance(left.expression, exp.Literal) and left.expression.this == "1.0"
        if not real:
            raise Rejected("beyond the typed tree", "division that may be of integers: write a * 1.0 / b")
        return self._arithmetic("/", left.this, node.expression)

    def _dpipe(self, node: exp.DPipe) -> t.Expr:
        wanted = READS[t.Concat]
        return t.Concat(self._operand(node.this, wanted), self._operand(node.expression, wanted))

    def _aggregate(self, node: Any) -> t.Expr:
        record, arg = AGGREGATE_NODES[type(node)], node.this
        if node.expressions:  # SQLite's MAX(a, b) of one row
            raise beyond(node)
        distinct = isinstance(arg, exp.Distinct)
        if distinct and len(arg.expressions) != 1:
            raise beyond(arg)
        given = arg.expressions if distinct else record.arguments(node) or []
        return t.Aggregate(record.name, next(iter(self._arguments(node, record, given)), None), distinct)

    def _window(self, node: exp.Window) -> t.Expr:
        if node.args.get("spec") or node.args.get("alias"):
            raise beyond(node)
        call = node.this
        record = WINDOW_NODES.get(type(call))
        given = record.arguments(call) if record else None
        if record is None or given is None:
            raise beyond(call)
        order = node.args.get("order")
        return t.Window(
            record.name,
            next(iter(self._arguments(call, record, given)), None),
            tuple(self.expr(e) for e in node.args.get("partition_by") or ()),
            tuple(self._order(o) for o in order.expressions) if order else (),
        )

    def _compare(self, node: Any) -> t.Expr:
        left, right = compared(self.expr(node.this), self.expr(node.expression))
        return t.Compare(COMPARE_NODES[type(node)], left, right)

    def _between(self, node: exp.Between) -> t.Expr:
        parts = (node.this, node.args["low"], node.args["high"])
        value, low, high = compared(*[self.expr(part) for part in parts])
        return t.Between(value, low, high)

    def _in(self, node: exp.In) -> t.Expr:
        value = self.expr(node.this)
        if node.args.get("query"):
            query = self._nested(node.args["query"], correlated=True)
            types = types_of(query)
            if len(types) != 1:
                raise Rejected("IN of several columns")
            return t.InQuery(typed(value, *types), query)
        if not node.expressions:
            raise beyond(node)
        value, *items = compared(value, *[self.expr(item) for item in node.expressions])
        return t.InList(value, tuple(items))

    def _exists(self, node: exp.Exists) -> t.Expr:
        return t.Exists(self._nested(node.this, correlated=True))

    def _like(self, node: exp.Like) -> t.Expr:
        pattern = node.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string or node.args.get("escape"):
            raise beyond(node)
        return t.Like(self._operand(node.this, READS[t.Like]), pattern.this, bool(node.args.get("negate")))

    def _is(self, node: exp.Is) -> t.Expr:
        if not isinstance(node.expression, exp.Null):
            raise beyond(node)
        return t.IsNull(self.expr(node.this))

    def _and(self, node: exp.And) -> t.Expr:
        return t.Logic("AND", tuple(self._condition(part) for part in _chain(node, exp.And)))

    def _or(self, node: exp.Or) -> t.Expr:
        return t.Logic("OR", tuple(self._condition(part) for part in _chain(node, exp.Or)))

    def _not(self, node: exp.Not) -> t.Expr:
        inner = self._condition(node.this)
        if isinstance(node.this, exp.Paren):
            return t.Not(inner)
        if isinstance(inner, t.InList):
            return t.InList(inner.expr, inner.items, True)
        if isinstance(inner, t.InQuery):
            return t.InQuery(inner.expr, inner.query, True)
        if isinstance(inner, t.Exists):
            return t.Exists(inner.query, True)
        if isinstance(inner, t.IsNull):
            return t.IsNull(inner.expr, True)
        if isinstance(inner, t.Like) and not inner.negated:
            return t.Like(inner.expr, inner.pattern, True)
        return t.Not(inner)

    def _case(self, node: exp.Case) -> t.Expr:
        if node.this is not None or node.args.get("default") is None:
            raise beyond(node)
        whens = node.args["ifs"]
        conditions = [self._condition(when.this) for when in whens]
        *values, default = alike(*[self.expr(when.args["true"]) for when in whens], self.expr(node.args["default"]))
        if type_of(default) == "bool":
            raise Rejected("beyond the typed tree", "CASE of truth values")
        return t.Case(tuple(zip(conditions, values, strict=True)), default)

    def _subquery(self, node: exp.Subquery) -> t.Expr:
        query = self._nested(node.this, correlated=True)
        if len(types_of(query)) != 1:
            raise beyond(node)
        return t.ScalarQuery(query)


_METHODS = frozenset(
    """
    Column Literal Neg Div DPipe Window Between In Exists Like Is And Or Not Case Subquery
    """.split()
)


def _chain(node: Any, kind: Any) -> list[Any]:
    """The parts of a AND b AND c, which the parser nests on the left."""
    parts: list[Any] = []
    while isinstance(node, kind):
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]


def _number(text: str) -> int | float:
    try:
        value = float(text)
    except ValueError:
        raise Rejected("syntax", f"not a number: {text[:40]}") from None
    found: int | float = checked(int(text) if text.isdigit() and len(text) < 20 else value)
    return found


def _whole(node: Any) -> int:
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit() and len(node.this) < 10:
        return int(node.this)
    raise beyond(node)


def _columns_of(query: t.Query) -> Columns:
    first = query if isinstance(query, t.Select) else query.left
    columns: Columns = {}
    for item in first.items:
        name = item.alias or (item.expr.name if isinstance(item.expr, t.Column) else "")
        if name:
            columns[name.lower()] = (name, type_of(item.expr))
    return columns
