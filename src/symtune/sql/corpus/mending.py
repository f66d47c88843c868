"""Small queries and rewrites of sqlglot's trees, for `sql/corpus/abstraction.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlglot import exp

from symtune.sql.corpus.slots import READINGS
from symtune.sql.language.functions import AGGREGATE_NODES, function_of
from symtune.types import Rejected


def bare(node: Any) -> Any:
    """The node without the brackets around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def is_constant(node: Any) -> bool:
    """Whether the node is a text or a number, negative or not."""
    if isinstance(node, exp.Neg):
        node = node.this
        return isinstance(node, exp.Literal) and not node.is_string
    return isinstance(node, exp.Literal)


def constant_type(text: str, is_text: bool, said: str) -> str:
    """The type of a constant that is compared with a column whose type in the schema is `said`."""
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


def reading_of(node: Any) -> str:
    """The name, in lower case, of the reading (`slots.READINGS`) that the node is, or ""."""
    called = function_of(node)
    name = called[0].name.lower() if called else ""
    return name if name in READINGS else ""


def inside(node: Any) -> Any:
    """The argument of a reading (`reading_of`)."""
    called = function_of(node)
    return bare(called[1][0]) if called else None


def is_real(node: exp.Div) -> bool:
    """a * 1.0 / b"""
    left = node.this
    return isinstance(left, exp.Mul) and isinstance(left.expression, exp.Literal) and left.expression.this == "1.0"


def branches(case: exp.Case) -> list[Any]:
    """The values that a CASE may take."""
    found = [branch.args["true"] for branch in case.args["ifs"]]
    return found + ([case.args["default"]] if case.args.get("default") else [])


def check_constant(node: exp.Literal) -> None:
    """Refuse a constant that no column is compared with, except in arithmetic, in functions, in branches of CASE and
    in concatenated texts, where it stays."""
    parent = node.parent
    if isinstance(parent, (exp.Select, exp.Alias)) and not isinstance(parent.parent, exp.Exists):
        raise Rejected("constant in the projection")
    called = function_of(parent)
    beside = called is not None and any(argument.same for argument in called[0].takes)  # COALESCE(name, 'nobody')
    if node.is_string and not beside and not isinstance(parent, (exp.If, exp.Case, exp.DPipe)):
        raise Rejected("text that no column is compared with")


def mend_case(case: exp.Case) -> None:
    """Rewrite `CASE a WHEN 1` as `CASE WHEN a = 1`, and COUNT of a CASE without ELSE as a sum of ones and zeros."""
    if case.this is not None:
        for branch in case.args["ifs"]:
            branch.set("this", exp.EQ(this=case.this.copy(), expression=branch.this.copy()))
        case.set("this", None)
    counted = case.parent
    if isinstance(counted, exp.Count) and not case.args.get("default") and len(case.args["ifs"]) == 1:
        case.args["ifs"][0].set("true", exp.Literal.number(1))
        case.set("default", exp.Literal.number(0))
        counted.replace(exp.Sum(this=case.copy()))


_AGGREGATES = tuple(AGGREGATE_NODES)


def mend_groups(select: exp.Select) -> None:
    """`SELECT name … GROUP BY id` shows a column that is not a key: people mean the name of the group. So group by the
    columns shown; refuse a query without plain keys, for which an engine picks any row."""
    group: Any = select.args.get("group")
    keys = [part.name for part in group.expressions if isinstance(part, exp.Column)] if group else []
    computed = [part for part in group.expressions if not isinstance(part, exp.Column)] if group else []
    shown = [*select.expressions, select.args.get("having"), select.args.get("order")]
    own = {"", *(table.alias for table in select.find_all(exp.Table) if table.find_ancestor(exp.Select) is select)}
    tables = {
        column.name: column.table
        for part in shown
        if part
        for column in _outside_aggregates(part, computed)
        if column.table in own
    }
    used = set(tables)
    bare = used - set(keys)
    order = select.args.get("order")
    aggregated = select.args.get("having") or any(map(_aggregated, [*select.expressions, *([order] if order else [])]))
    if not bare or not (group or aggregated):
        return
    if not keys or computed:
        raise Rejected("bare column")
    # Keys that are shown stay; an `id` that is not shown is replaced by the name.
    kept = [part for part in group.expressions if len(keys) > 1 or part.name in used]
    group.set("expressions", [*kept, *(exp.column(name, table=tables[name] or None) for name in sorted(bare))])


def _aggregated(node: Any) -> bool:
    """Whether a part of a SELECT is computed over a group (and not over a window)."""
    found = node.find_all(*_AGGREGATES)
    return any(
        not isinstance(one.parent, exp.Window) and one.find_ancestor(exp.Select) is node.parent_select for one in found
    )


def _outside_aggregates(node: Any, keys: Sequence[Any]) -> Iterator[exp.Column]:
    """The columns of a part, except those inside aggregates, subqueries and grouping keys."""
    if isinstance(node, exp.Column):
        yield node
    elif node not in keys and not isinstance(node, (*_AGGREGATES, exp.Subquery, exp.Select)):
        for child in node.iter_expressions():
            yield from _outside_aggregates(child, keys)
