"""What must be said about an expression at a place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.solutions.verifier.execution import Execution
from symtune.sql.solutions.verifier.places import Place
from symtune.sql.solutions.wordings import Wording
from symtune.types import Rejected

_IN_BRACKETS = (t.Arithmetic, t.Concat, t.Function, t.Case)


def literal(value: Any) -> str:
    """A constant as SQL writes it."""
    if isinstance(value, str):
        return f"'{value.replace(chr(39), chr(39) * 2)}'"
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


class Words:
    """The words of one query's expressions."""

    def __init__(self, execution: Execution, wording: Wording) -> None:
        self.execution, self._wording = execution, wording

    def title(self, expr: Any) -> str:
        """An expression without its value."""
        kind = type(expr)
        if kind is t.Column or kind is t.Window:
            return str(expr.name)
        if kind is t.Constant:
            return literal(expr.value)
        if kind is t.ScalarQuery:
            solved = self.execution.solved.get(expr.query)
            return f"({solved[0]})" if solved else "(SELECT)"
        if kind is t.Aggregate:
            read = "*" if expr.arg is None else self.title(expr.arg)
            return f"{expr.name}({'DISTINCT ' if expr.distinct else ''}{read})"
        if kind is t.Function:
            return f"{expr.name}({', '.join(map(self.title, expr.args))})"
        if kind is t.Arithmetic or kind is t.Concat:
            left, right = (
                f"({self.title(side)})" if isinstance(side, t.Arithmetic | t.Concat) else self.title(side)
                for side in (expr.left, expr.right)
            )
            return f"{left} {expr.op if kind is t.Arithmetic else '||'} {right}"
        return "CASE"

    def value(self, expr: Any, at: Place) -> str:
        """The value of an expression, as it is shown."""
        return self.execution.worth(expr, at).text

    def term(self, expr: Any, at: Place) -> str:
        """An expression with what it reads and its value."""
        kind = type(expr)
        if kind in (t.Column, t.Window, t.Aggregate) or (at.members is not None and expr in at.found):
            return f"{self.title(expr)} {self.value(expr, at)}"
        if kind is t.Constant:
            return literal(expr.value)
        if kind is t.Case:
            return self._case(expr, at)
        if kind is t.ScalarQuery:
            return self._scalar(expr, at)
        if kind is t.Function:
            read = f"{expr.name}({', '.join([self.term(arg, at) for arg in expr.args])})"
        elif kind is t.Arithmetic:
            read = f"{self._side(expr.left, at)} {expr.op} {self._side(expr.right, at)}"
        else:
            read = " || ".join([self._side(part, at) for part in _joined(expr)])
        return f"{read} = {self.value(expr, at)}"

    def against(self, expr: Any, at: Place, op: str, leader: Place | None) -> str:
        """An expression and the value it has at the leading place; only the expression if there is no such place."""
        if leader is None:
            return self.term(expr, at)
        return f"{self._side(expr, at)} {op} {self.value(expr, leader)}"

    def terms(self, expressions: Sequence[Any], at: Place) -> str:
        """Several expressions."""
        return ", ".join([self.term(expr, at) for expr in expressions])

    def items(self, q: t.Select, at: Place) -> str:
        """What a query shows for a row."""
        return ", ".join([self.term(i.expr, at) + (f" AS {i.alias}" if i.alias else "") for i in q.items])

    def _side(self, expr: Any, at: Place) -> str:
        plain = type(expr) not in _IN_BRACKETS or (at.members is not None and expr in at.found)
        return self.term(expr, at) if plain else f"({self.term(expr, at)})"

    def _case(self, expr: t.Case, at: Place) -> str:
        said, branch = "", self.execution.branch(expr, at)
        for condition, value in expr.whens:
            if self.execution.holds(condition, at):
                return f"{said}{self.condition(condition, at)} yes, so {self.term(value, at)}"
            said += f"{self.condition(condition, at)} no, "
        return f"{said}so {self.term(branch, at)}"

    def _scalar(self, expr: t.ScalarQuery, at: Place) -> str:
        value = self.value(expr, at)
        if expr.query in self.execution.solved:
            return value
        kept = [place.call for place, stays in self._inner(expr.query, at) if stays]
        return f"{value} of {', '.join(kept) if kept else 'no row'}"

    # --------------------------------------------------------------------------------------------------- conditions

    def condition(self, expr: Any, at: Place) -> str:
        """The parts of a condition that decide it."""
        if isinstance(expr, t.Logic):
            return self._logic(expr, at)
        if isinstance(expr, t.Not):
            return f"NOT ({self.condition(expr.part, at)})"
        if isinstance(expr, t.Exists):
            return self._exists(expr, at)
        if isinstance(expr, t.Compare):
            return f"{self._side(expr.left, at)} {expr.op} {self._side(expr.right, at)}"
        subject = self._side(expr.expr, at)
        if isinstance(expr, t.Between):
            return f"{subject} BETWEEN {self._side(expr.low, at)} AND {self._side(expr.high, at)}"
        negated = "NOT " if expr.negated else ""
        if isinstance(expr, t.IsNull):
            return f"{subject} IS {negated}NULL"
        return f"{subject} {negated}{_OPERATOR[type(expr)](self, expr, at)}"

    def all_of(self, conditions: Sequence[Any], at: Place) -> str:
        """Several conditions that all hold."""
        return " AND ".join([self.condition(condition, at) for condition in conditions])

    def _logic(self, expr: t.Logic, at: Place) -> str:
        whole = self.execution.holds(expr, at)
        if whole is (expr.op == "OR") or (whole is None and expr.op == "AND"):  # one part decides it
            one = next(part for part in expr.parts if self.execution.holds(part, at) is whole)
            return self.condition(one, at)
        return f" {expr.op} ".join([self.condition(part, at) for part in expr.parts])

    def _in_query(self, expr: t.InQuery, at: Place) -> str:
        if expr.query in self.execution.solved:
            return f"IN ({self.execution.solved[expr.query][0]})"
        return f"IN ({', '.join([row[0].text for row in self.execution.rows(expr.query, at).rows])})"

    def _in_list(self, expr: t.InList, at: Place) -> str:
        wanted = self.execution.worth(expr.expr, at).value
        for item in expr.items if wanted is not None else ():
            if self.execution.worth(item, at).value == wanted:
                return f"IN ({self.term(item, at)})"
        return f"IN ({self.terms(expr.items, at)})"

    def _like(self, expr: t.Like, at: Place) -> str:
        return f"LIKE {literal(expr.pattern)}"

    def _exists(self, expr: t.Exists, at: Place) -> str:
        if expr.query in self.execution.solved:
            return f"{'NOT ' if expr.negated else ''}EXISTS ({self.execution.solved[expr.query][0]})"
        query: Any = expr.query
        inner = self._inner(query, at)
        for place, stays in inner:
            if stays:
                return f"EXISTS {place.call} {self.condition(query.where, place)}"
        link = next(filter(_links, query.where.parts if _is_and(query.where) else ()), None)
        near = [place for place, _ in inner if link is not None and self.execution.holds(link, place)]
        return ", ".join(["NOT EXISTS", *[f"{place.call} {self.condition(query.where, place)}" for place in near]])

    def _inner(self, query: Any, at: Place) -> list[tuple[Place, bool]]:
        """The rows of a subquery that refers to a place, and whether it keeps each."""
        if not isinstance(query, t.Select) or not isinstance(query.source, t.TableRef) or query.where is None:
            raise Rejected("no solution", "a subquery that looks outside")
        table, alias = self.execution.tables.by_name[query.source.name], query.source.alias or query.source.name
        places = [
            Place(self._wording.of.format(table=alias, row=call), {alias: cells}, at)
            for call, cells in zip(table.calls, table.named(), strict=True)
        ]
        return [(place, self.execution.holds(query.where, place) is True) for place in places]


_OPERATOR: dict[type, Callable[[Any, Any, Place], str]] = {
    t.InQuery: Words._in_query,
    t.InList: Words._in_list,
    t.Like: Words._like,
}


def _joined(expr: Any) -> list[Any]:
    """The parts of `a || b || c`, which are nested on the left."""
    return [*_joined(expr.left), expr.right] if isinstance(expr, t.Concat) else [expr]


def _is_and(expr: Any) -> bool:
    return isinstance(expr, t.Logic) and expr.op == "AND"


def _links(part: Any) -> bool:
    """Whether a part of a condition requires two columns to be equal."""
    return isinstance(part, t.Compare) and part.op == "=" and {type(part.left), type(part.right)} == {t.Column}
