"""Which types may stand beside one another in a program: only values of one type are compared, joined or chosen from.

Raises Rejected("type mismatch"). Columns of SQL templates may be of type "any" or "ordered": those fit what an
instance may make of them.
"""

from __future__ import annotations

from symtune.sql.language import tree as t
from symtune.types import Rejected


def typed(found: t.Expr, *wanted: str) -> t.Expr:
    """The expression, if it is of one of the wanted types, else Rejected. A text constant where a date is wanted
    is a date."""
    if any(_fits(found.type, type_) for type_ in wanted):
        return found
    if "date" in wanted and isinstance(found, t.Constant) and found.type == "text":
        return t.Constant(found.value, "date")
    raise Rejected("type mismatch", f"a {found.type} where a {wanted[0]} is wanted")


def _fits(one: str, other: str) -> bool:
    """Whether two types may be one. The slots of templates may be of any type, or of any that is ordered: which, an
    instance says."""
    if one == other or "any" in (one, other):
        return True
    return "ordered" in (one, other) and not {"number", "date"}.isdisjoint((one, other))


def alike(*parts: t.Expr) -> tuple[t.Expr, ...]:
    """Expressions that stand beside one another: of one type. What is no constant says which."""
    first = next((part for part in parts if not isinstance(part, t.Constant)), parts[0])
    return tuple(typed(part, first.type) for part in parts)


def compared(*parts: t.Expr) -> tuple[t.Expr, ...]:
    """Expressions that are compared: alike, and slots of templates by their very type."""
    parts = alike(*parts)
    if any(part.type != parts[0].type for part in parts):
        raise Rejected("type mismatch", " compared with ".join([part.type for part in parts]))
    return parts


def types_of(query: t.Query) -> list[t.ExprType]:
    """The types of the columns that a query yields."""
    first = query if isinstance(query, t.Select) else query.left
    return [item.expr.type for item in first.items]


def check_columns(left: t.Select, right: t.Select) -> None:
    """Both sides of a set operation have the same types, column by column."""
    if len(left.items) != len(right.items):
        raise Rejected("set operation of unequal width")
    for one, other in zip(left.items, right.items, strict=True):
        typed(other.expr, one.expr.type)
