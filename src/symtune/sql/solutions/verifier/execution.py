"""The value of an expression at a place, by SQL's rules, one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.solutions.verifier.places import Place, Tables, Yield
from symtune.sql.solutions.verifier.values import ARITHMETIC, COMPARE, Cell, call, computed, like, total

Solve = Callable[[t.Query, Tables, Place], Yield]  # runs a query that refers to an outer row


class Execution:
    """The expressions of one query. `solved`: its subqueries that refer to no outer row, with their numbers and what
    they yield."""

    def __init__(self, tables: Tables, solve: Solve) -> None:
        self.tables, self._solve = tables, solve
        self.solved: dict[t.Query, tuple[int, Yield]] = {}

    def rows(self, query: t.Query, at: Place) -> Yield:
        """What a subquery yields at a place."""
        return self.solved[query][1] if query in self.solved else self._solve(query, self.tables, at)

    def worth(self, expr: Any, at: Place) -> Cell:
        """The value of an expression."""
        if at.found and expr in at.found:
            return at.found[expr]
        return _WORTH[type(expr)](self, expr, at)

    def holds(self, expr: Any, at: Place) -> bool | None:
        """The truth of a condition."""
        return _HOLDS[type(expr)](self, expr, at)

    # ------------------------------------------------------------------------------------------------------- values

    def _column(self, expr: t.Column, at: Place) -> Cell:
        return at.column(expr.table, expr.name)

    def _constant(self, expr: t.Constant, at: Place) -> Cell:
        return computed(expr.value)

    def _arithmetic(self, expr: t.Arithmetic, at: Place) -> Cell:
        left, right = self.worth(expr.left, at).value, self.worth(expr.right, at).value
        return computed(None if left is None or right is None else ARITHMETIC[expr.op](left, right))

    def _concat(self, expr: t.Concat, at: Place) -> Cell:
        left, right = self.worth(expr.left, at).value, self.worth(expr.right, at).value
        return computed(None if left is None or right is None else left + right)

    def _function(self, expr: t.Function, at: Place) -> Cell:
        return computed(call(expr.name, [self.worth(arg, at).value for arg in expr.args]))

    def _aggregate(self, expr: t.Aggregate, at: Place) -> Cell:
        members = at.members or ()
        if expr.arg is None:
            found = computed(len(members))
        else:
            values = self.read(expr, members)
            found = computed(len(values) if expr.name == "COUNT" else _REDUCE[expr.name](values) if values else None)
            if expr.name in ("MIN", "MAX") and values:  # a cell is shown as it is written, if in one way
                cells = [self.worth(expr.arg, member) for member in members]
                texts = {cell.text for cell in cells if cell.value == found.value}
                found = found._replace(text=texts.pop()) if len(texts) == 1 else found
        at.found[expr] = found
        return found

    def read(self, expr: t.Aggregate, members: Any) -> list[Any]:
        """The values other than NULL that an aggregate reads; under DISTINCT, each once."""
        values = [value for member in members if (value := self.worth(expr.arg, member).value) is not None]
        return [v for place, v in enumerate(values) if v not in values[:place]] if expr.distinct else values

    def _case(self, expr: t.Case, at: Place) -> Cell:
        return self.worth(self.branch(expr, at), at)

    def branch(self, expr: t.Case, at: Place) -> t.Expr:
        """The branch of a CASE that is taken."""
        return next((value for condition, value in expr.whens if self.holds(condition, at)), expr.default)

    def _scalar(self, expr: t.ScalarQuery, at: Place) -> Cell:
        rows = self.rows(expr.query, at).rows
        return rows[0][0] if rows else computed(None)

    # --------------------------------------------------------------------------------------------------- conditions

    def _compare(self, expr: t.Compare, at: Place) -> bool | None:
        left, right = self.worth(expr.left, at).value, self.worth(expr.right, at).value
        return None if left is None or right is None else COMPARE[expr.op](left, right)

    def _between(self, expr: t.Between, at: Place) -> bool | None:
        low, high = t.Compare(">=", expr.expr, expr.low), t.Compare("<=", expr.expr, expr.high)
        return self._logic(t.Logic("AND", (low, high)), at)

    def _among(self, value: Any, options: list[Any], negated: bool) -> bool | None:
        hit: bool | None = value in options if value is not None else None
        if options == []:
            hit = False
        elif not hit and None in options:
            hit = None
        return hit if hit is None else hit is not negated

    def _in_list(self, expr: t.InList, at: Place) -> bool | None:
        options = [self.worth(item, at).value for item in expr.items]
        return self._among(self.worth(expr.expr, at).value, options, expr.negated)

    def _in_query(self, expr: t.InQuery, at: Place) -> bool | None:
        options = [row[0].value for row in self.rows(expr.query, at).rows]
        return self._among(self.worth(expr.expr, at).value, options, expr.negated)

    def _exists(self, expr: t.Exists, at: Place) -> bool | None:
        return bool(self.rows(expr.query, at).rows) is not expr.negated

    def _like(self, expr: t.Like, at: Place) -> bool | None:
        text = self.worth(expr.expr, at).value
        return None if text is None else like(text, expr.pattern) is not expr.negated

    def _is_null(self, expr: t.IsNull, at: Place) -> bool | None:
        return (self.worth(expr.expr, at).value is None) is not expr.negated

    def _logic(self, expr: t.Logic, at: Place) -> bool | None:
        truths = [self.holds(part, at) for part in expr.parts]
        decides = expr.op == "OR"  # one part with this truth value decides
        return decides if decides in truths else None if None in truths else not decides

    def _not(self, expr: t.Not, at: Place) -> bool | None:
        truth = self.holds(expr.part, at)
        return None if truth is None else not truth


_REDUCE: dict[str, Callable[[list[Any]], Any]] = {
    "SUM": total,
    "AVG": lambda values: total(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_WORTH: dict[type, Callable[[Any, Any, Place], Cell]] = {
    t.Column: Execution._column,
    t.Constant: Execution._constant,
    t.Arithmetic: Execution._arithmetic,
    t.Concat: Execution._concat,
    t.Function: Execution._function,
    t.Aggregate: Execution._aggregate,
    t.Case: Execution._case,
    t.ScalarQuery: Execution._scalar,
}
_HOLDS: dict[type, Callable[[Any, Any, Place], bool | None]] = {
    t.Compare: Execution._compare,
    t.Between: Execution._between,
    t.InList: Execution._in_list,
    t.InQuery: Execution._in_query,
    t.Exists: Execution._exists,
    t.Like: Execution._like,
    t.IsNull: Execution._is_null,
    t.Logic: Execution._logic,
    t.Not: Execution._not,
}
