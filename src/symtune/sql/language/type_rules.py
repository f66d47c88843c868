"""The type of an expression, and which types can be combined.

Only values of the same type are compared, joined or chosen from; anything else raises Rejected("type mismatch").
Columns of SQL templates may be of type "any" or "ordered", which match every type that an instance may give them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.functions import AGGREGATES, FUNCTIONS, WINDOWS
from symtune.sql.language.records import NUMBER, TEXT, Argument
from symtune.types import Rejected


def type_of(expr: t.Expr) -> t.ExprType:
    """number, date, text or bool."""
    if isinstance(expr, t.Column | t.Constant):
        return expr.type
    rule = _TYPES[type(expr)]
    return rule if isinstance(rule, str) else rule(expr)


_TYPES: dict[type, t.ExprType | Callable[[Any], t.ExprType]] = {
    t.Arithmetic: "number",
    t.Concat: "text",
    t.Function: lambda node: FUNCTIONS[node.name].gives or type_of(node.args[0]),
    t.Aggregate: lambda node: AGGREGATES[node.name].gives or type_of(node.arg),
    t.Window: lambda node: WINDOWS[node.name].gives or type_of(node.arg),
    t.Case: lambda node: type_of(node.default),
    t.ScalarQuery: lambda node: types_of(node.query)[0],
    **dict.fromkeys((t.Compare, t.Between, t.InList, t.InQuery, t.Exists, t.Like, t.IsNull, t.Logic, t.Not), "bool"),
}


def types_of(query: t.Query) -> list[t.ExprType]:
    """The types of the columns that a query yields."""
    first = query if isinstance(query, t.Select) else query.left
    return [type_of(item.expr) for item in first.items]


def typed(found: t.Expr, *wanted: str) -> t.Expr:
    """The expression, if it is of one of the wanted types (none given: of any type), else Rejected. A text constant
    where a date is wanted becomes a date."""
    if not wanted or any(_fits(type_of(found), type_) for type_ in wanted):
        return found
    if "date" in wanted and isinstance(found, t.Constant) and found.type == "text":
        return t.Constant(found.value, "date")
    raise Rejected("type mismatch", f"a {type_of(found)} where a {wanted[0]} is wanted")


def _fits(one: str, other: str) -> bool:
    """Whether two types may be the same. A slot of a template may be of any type, or of any ordered type; an instance
    decides which."""
    if one == other or "any" in (one, other):
        return True
    return "ordered" in (one, other) and not {"number", "date"}.isdisjoint((one, other))


def alike(*parts: t.Expr) -> tuple[t.Expr, ...]:
    """Check that expressions that are combined are of the same type, which those that are not constants determine."""
    first = next((part for part in parts if not isinstance(part, t.Constant)), parts[0])
    return tuple(typed(part, type_of(first)) for part in parts)


def compared(*parts: t.Expr) -> tuple[t.Expr, ...]:
    """Check expressions that are compared: they must be `alike`, and slots of templates must have identical types."""
    parts = alike(*parts)
    if not _one(parts):
        raise Rejected("type mismatch", " compared with ".join([type_of(part) for part in parts]))
    return parts


def check_columns(left: t.Select, right: t.Select) -> None:
    """Check that both sides of a set operation have the same types, column by column."""
    if len(left.items) != len(right.items):
        raise Rejected("set operation of unequal width")
    for one, other in zip(left.items, right.items, strict=True):
        typed(other.expr, type_of(one.expr))


# ------------------------------------------------------------------------------------ rules of a finished node

# What operators read, in the form that records use for functions.
READS: dict[type, Argument] = {t.Arithmetic: NUMBER, t.Concat: TEXT, t.Like: TEXT}


def arguments(node: Any) -> list[tuple[t.Expr, Argument]]:
    """The expressions that a function or an operator reads, and what each of them may be."""
    if isinstance(node, t.Function):
        return [(arg, FUNCTIONS[node.name].argument(place)) for place, arg in enumerate(node.args)]
    if isinstance(node, t.Aggregate | t.Window):
        record = (AGGREGATES if isinstance(node, t.Aggregate) else WINDOWS)[node.name]
        return [] if node.arg is None else [(node.arg, record.argument(0))]
    if type(node) in READS:
        parts = (node.expr,) if isinstance(node, t.Like) else (node.left, node.right)
        return [(part, READS[type(node)]) for part in parts]
    return []


def is_sound(node: Any) -> bool:
    """Whether the parts of a node that must be of the same type are, once the slots of a template have become
    columns."""
    rule = _ONE_TYPE.get(type(node))
    return rule is None or rule(node)


def _one(parts: Any) -> bool:
    first, *rest = map(type_of, parts)
    return all(type_ == first for type_ in rest)


_ONE_TYPE: dict[type, Callable[[Any], bool]] = {
    t.Compare: lambda node: _one((node.left, node.right)),
    t.Between: lambda node: _one((node.expr, node.low, node.high)),
    t.InList: lambda node: _one((node.expr, *node.items)),
    t.InQuery: lambda node: [type_of(node.expr)] == types_of(node.query),
    t.SetQuery: lambda node: types_of(node.left) == types_of(node.right),
    t.Case: lambda node: _one((node.default, *[value for _, value in node.whens])),
    t.Concat: lambda node: type_of(node.left) == type_of(node.right) == "text",
    t.Function: lambda node: not any(wanted.same for _, wanted in arguments(node)) or _one(node.args),
}
