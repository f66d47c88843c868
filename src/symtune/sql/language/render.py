"""A tree as SQL for one engine. The SQL for SQLite is the program that prompts show and that anyone can run.

An identifier stays bare only if every engine accepts it bare; otherwise it is quoted, with quotation marks doubled.
Texts are literals with quotation marks doubled. So no unusual name and no cell is ever outside quotation marks.

    >>> render(Select((Item(Column("Home team", "text")),), TableRef("w"), Compare("=", Column("Year", "number"),
    ...     Constant(2004, "number"))))
    'SELECT "Home team" FROM w WHERE Year = 2004'
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from symtune.sql.language.functions import FUNCTIONS, WINDOWS
from symtune.sql.language.tree import (
    Aggregate,
    Arithmetic,
    Between,
    Case,
    Column,
    Compare,
    Concat,
    Constant,
    Derived,
    Exists,
    Function,
    InList,
    InQuery,
    IsNull,
    Item,
    Like,
    Logic,
    Not,
    Order,
    ScalarQuery,
    Select,
    SetQuery,
    TableRef,
    Window,
)

Dialect = Literal["sqlite", "duckdb"]

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Every word that SQLite or DuckDB reserves anywhere, and the names of functions and constants that either reads
# without brackets. Quoting a word too many costs nothing.
_RESERVED = frozenset(
    """
    abort action add after all alter always analyse analyze and anti any array as asc asof asymmetric at
    attach authorization autoincrement before begin between binary both by call cascade case cast check
    coalesce collate collation column columns commit concurrently conflict constraint create cross current
    current_catalog current_date current_role current_schema current_time current_timestamp current_user
    database date day default deferrable deferred delete desc describe detach distinct do drop each else end
    escape except exclude exclusive exists explain extract fail false fetch filter first following for foreign
    freeze from full generated glob grant group groups grouping having hour if ignore ilike immediate in index
    indexed initially inner insert instead int integer intersect interval into is isnull join key lambda last
    lateral leading left like limit localtime localtimestamp macro map match materialized minute month name
    natural no not nothing notnull null nulls of offset on only or order others outer over overlaps partition
    pivot pivot_longer pivot_wider placing plan position positional pragma preceding primary qualify query
    raise range recursive references regexp reindex release rename replace restrict returning right rollback
    row rowid rows savepoint second select semi session_user set show similar some struct substring summarize
    symmetric table tablesample temp temporary then ties time timestamp to trailing transaction trigger trim
    true try_cast type unbounded union unique unpivot update user using vacuum value values variadic verbose
    view virtual week when where window with within without year _rowid_ oid
    """.split()
)


@lru_cache(maxsize=65536)
def identifier(name: str) -> str:
    """A name in SQL, quoted unless it is a plain word that no engine reserves."""
    if _BARE.match(name) and name.lower() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: int | float | str, dialect: Dialect = "sqlite") -> str:
    """A constant in SQL. A decimal is written out in full; DuckDB reads it as a double only if it has an exponent."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        text = repr(value)
        if dialect == "duckdb":
            return text if "e" in text else text + "e0"
        return f"{Decimal(text):f}" if "e" in text else text
    return str(value)


def render(query: Select | SetQuery, dialect: Dialect = "sqlite") -> str:
    """The SQL of a query in one engine's dialect."""
    return _QUERY[type(query)](query, dialect)


def _select(q: Select, d: Dialect) -> str:
    parts = []
    if q.ctes:
        parts.append("WITH " + ", ".join(f"{identifier(name)} AS ({render(body, d)})" for name, body in q.ctes))
    items = ", ".join([_item(item, d) for item in q.items])
    parts.append(("SELECT DISTINCT " if q.distinct else "SELECT ") + items)
    if q.source is not None:
        parts.append("FROM " + _source(q.source, d))
    if q.where is not None:
        parts.append("WHERE " + _expr(q.where, d))
    if q.group:
        parts.append("GROUP BY " + ", ".join([_expr(e, d) for e in q.group]))
    if q.having is not None:
        parts.append("HAVING " + _expr(q.having, d))
    if q.order:
        parts.append("ORDER BY " + ", ".join([_order(o, d) for o in q.order]))
    if q.limit is not None:
        parts.append(f"LIMIT {q.limit}" + (f" OFFSET {q.offset}" if q.offset else ""))
    return " ".join(parts)


def _set_query(q: SetQuery, d: Dialect) -> str:
    return f"{render(q.left, d)} {q.op} {render(q.right, d)}"


_QUERY: dict[type, Any] = {Select: _select, SetQuery: _set_query}


def _item(item: Item, d: Dialect) -> str:
    text = _expr(item.expr, d)
    return f"{text} AS {identifier(item.alias)}" if item.alias else text


def _order(order: Order, d: Dialect) -> str:
    text = _expr(order.expr, d)
    return text + " DESC" if order.direction == "DESC" else text


def _source(source: Any, d: Dialect) -> str:
    if isinstance(source, TableRef):
        return identifier(source.name) + (f" AS {identifier(source.alias)}" if source.alias else "")
    if isinstance(source, Derived):
        return f"({render(source.query, d)}) AS {identifier(source.alias)}"
    return f"{_source(source.left, d)} JOIN {_source(source.right, d)} ON {_expr(source.on, d)}"


def _expr(node: Any, d: Dialect) -> str:
    return _EXPR[type(node)](node, d)


def _column(node: Column, d: Dialect) -> str:
    return f"{identifier(node.table)}.{identifier(node.name)}" if node.table else identifier(node.name)


def _constant(node: Constant, d: Dialect) -> str:
    return literal(node.value, d)


_ATOMS = (Column, Constant, Function, Aggregate, ScalarQuery, Window)


def _operand(node: Any, d: Dialect) -> str:
    text = _expr(node, d)
    return text if isinstance(node, _ATOMS) else f"({text})"


def _arithmetic(node: Arithmetic, d: Dialect) -> str:
    left, right = _operand(node.left, d), _operand(node.right, d)
    if node.op != "/":
        return f"{left} {node.op} {right}"
    # SQLite divides integers to an integer; DuckDB's `/` is real, and its 1.0 would be a DECIMAL.
    return f"{left} * 1.0 / {right}" if d == "sqlite" else f"CAST({left} AS DOUBLE) / {right}"


def _concat(node: Concat, d: Dialect) -> str:
    return f"{_operand(node.left, d)} || {_operand(node.right, d)}"


def _function(node: Function, d: Dialect) -> str:
    args = [_expr(arg, d) for arg in node.args]
    record = FUNCTIONS[node.name]
    text = record.sqlite if d == "sqlite" else record.duckdb
    return text.format(*args) if text else f"{node.name}({', '.join(args)})"


def _aggregate(node: Aggregate, d: Dialect) -> str:
    inner = "*" if node.arg is None else _expr(node.arg, d)
    return f"{node.name}({'DISTINCT ' if node.distinct else ''}{inner})"


def _window(node: Window, d: Dialect) -> str:
    inner = _expr(node.arg, d) if node.arg is not None else "*" if WINDOWS[node.name].takes else ""
    over = []
    if node.partition:
        over.append("PARTITION BY " + ", ".join([_expr(e, d) for e in node.partition]))
    if node.order:
        over.append("ORDER BY " + ", ".join([_order(o, d) for o in node.order]))
    return f"{node.name}({inner}) OVER ({' '.join(over)})"


def _compare(node: Compare, d: Dialect) -> str:
    return f"{_operand(node.left, d)} {node.op} {_operand(node.right, d)}"


def _between(node: Between, d: Dialect) -> str:
    return f"{_operand(node.expr, d)} BETWEEN {_operand(node.low, d)} AND {_operand(node.high, d)}"


def _in_list(node: InList, d: Dialect) -> str:
    word = "NOT IN" if node.negated else "IN"
    return f"{_operand(node.expr, d)} {word} ({', '.join([_expr(e, d) for e in node.items])})"


def _in_query(node: InQuery, d: Dialect) -> str:
    return f"{_operand(node.expr, d)} {'NOT IN' if node.negated else 'IN'} ({render(node.query, d)})"


def _exists(node: Exists, d: Dialect) -> str:
    return f"{'NOT EXISTS' if node.negated else 'EXISTS'} ({render(node.query, d)})"


def _like(node: Like, d: Dialect) -> str:
    return f"{_operand(node.expr, d)} {'NOT LIKE' if node.negated else 'LIKE'} {literal(node.pattern)}"


def _is_null(node: IsNull, d: Dialect) -> str:
    return f"{_operand(node.expr, d)} {'IS NOT NULL' if node.negated else 'IS NULL'}"


def _logic(node: Logic, d: Dialect) -> str:
    # Parts that are themselves AND, OR or BETWEEN are bracketed, so that nobody needs to know which binds tighter.
    texts = [f"({t})" if isinstance(p, Logic | Between) else t for p in node.parts for t in (_expr(p, d),)]
    return f" {node.op} ".join(texts)


def _not(node: Not, d: Dialect) -> str:
    return f"NOT ({_expr(node.part, d)})"


def _case(node: Case, d: Dialect) -> str:
    whens = " ".join([f"WHEN {_expr(c, d)} THEN {_expr(v, d)}" for c, v in node.whens])
    return f"CASE {whens} ELSE {_expr(node.default, d)} END"


def _scalar(node: ScalarQuery, d: Dialect) -> str:
    return f"({render(node.query, d)})"


_EXPR: dict[type, Any] = {
    Column: _column,
    Constant: _constant,
    Arithmetic: _arithmetic,
    Concat: _concat,
    Function: _function,
    Aggregate: _aggregate,
    Window: _window,
    Compare: _compare,
    Between: _between,
    InList: _in_list,
    InQuery: _in_query,
    Exists: _exists,
    Like: _like,
    IsNull: _is_null,
    Logic: _logic,
    Not: _not,
    Case: _case,
    ScalarQuery: _scalar,
}
