"""The value of an expression on a row, in words: `Year 2006 > 2004`, `Gold 3 - Silver 1 = 2`.

The values come from the evaluator; a condition is stated by the parts that decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.language.expressions import eval_expr, eval_item
from symtune.sql.language.vectors import SEVERAL, Frame, Vector, shown
from symtune.sql.solutions.wordings import MISSING, Wording
from symtune.types import Rejected

Labels = Mapping[t.Query, int]  # subqueries that have been solved -> their numbers
Calls = Mapping[str, Sequence[str]]  # table -> how its rows are referred to
_COMPOSITE = (t.Arithmetic, t.Concat, t.Function, t.Case)


def written(constant: t.Constant) -> str:
    """A constant as it is written in the program."""
    value = constant.value
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)


def cell(vector: Vector, row: int) -> str:
    """A value as it is shown: a cell as written; a number that was computed, or is written in several ways, by the
    number rule (denotation.py).
    """
    if vector.values[row] is None:
        return MISSING
    if vector.texts is None or vector.texts[row] == SEVERAL:
        return shown(vector.values[row : row + 1])[0]
    return vector.texts[row]


def name_of(expr: Any, labels: Labels) -> str:
    """An expression without its values."""
    if isinstance(expr, t.Column):
        return expr.name
    if isinstance(expr, t.Constant):
        return written(expr)
    if isinstance(expr, t.ScalarQuery):
        return f"({labels[expr.query]})" if expr.query in labels else "(SELECT)"
    if isinstance(expr, t.Arithmetic | t.Concat):
        sides = [name_of(side, labels) for side in (expr.left, expr.right)]
        texts = [
            f"({text})" if isinstance(side, t.Arithmetic | t.Concat) else text
            for text, side in zip(sides, (expr.left, expr.right), strict=True)
        ]
        return f" {expr.op if isinstance(expr, t.Arithmetic) else '||'} ".join(texts)
    if isinstance(expr, t.Function):
        return f"{expr.name}({', '.join([name_of(arg, labels) for arg in expr.args])})"
    if isinstance(expr, t.Aggregate):
        inner = "*" if expr.arg is None else name_of(expr.arg, labels)
        return f"{expr.name}({'DISTINCT ' if expr.distinct else ''}{inner})"
    return expr.name if isinstance(expr, t.Window) else "CASE"


class Saying:
    """The words of expressions over one frame."""

    def __init__(self, frame: Frame, labels: Labels, calls: Calls, wording: Wording) -> None:
        self.frame, self.labels, self._calls, self._wording = frame, labels, calls, wording
        self._vectors: dict[t.Expr, Vector] = {}
        self._chosen: dict[t.Aggregate, Vector] = {}  # MIN and MAX -> the cells that they choose

    def of(self, frame: Frame) -> Saying:
        """The same for other rows."""
        return Saying(frame, self.labels, self._calls, self._wording)

    def vector(self, expr: t.Expr) -> Vector:
        """The values of an expression, one for each row."""
        found = self._vectors.get(expr)
        if found is None:
            found = self._vectors[expr] = eval_expr(expr, self.frame)
        return found

    def value(self, expr: t.Expr, row: int) -> str:
        """The value of an expression on a row, as it is shown."""
        if isinstance(expr, t.Aggregate):
            if expr not in self._chosen:
                self._chosen[expr] = eval_item(expr, self.frame)
            return cell(self._chosen[expr], row)
        return cell(self.vector(expr), row)

    def name(self, expr: t.Expr) -> str:
        """An expression without its values."""
        return name_of(expr, self.labels)

    # ------------------------------------------------------------------------------------------------------- values

    def term(self, expr: t.Expr, row: int) -> str:
        """An expression with what it reads and its value."""
        if self._is_key(expr):
            return f"{self.name(expr)} {self.value(expr, row)}"
        return _TERMS[type(expr)](self, expr, row)

    def beside(self, expr: t.Expr, row: int, sign: str, best: int | None) -> str:
        """An expression compared with its value on the row that was the best so far, or alone if none was."""
        return self.term(expr, row) if best is None else f"{self._operand(expr, row)} {sign} {self.value(expr, best)}"

    def item(self, item: t.Item, row: int) -> str:
        """What is shown, with its alias."""
        text = self.term(item.expr, row)
        return f"{text} AS {item.alias}" if item.alias else text

    def _is_key(self, expr: t.Expr) -> bool:
        return self.frame.groups is not None and expr in self.frame.keys

    def _operand(self, expr: t.Expr, row: int) -> str:
        text = self.term(expr, row)
        return f"({text})" if isinstance(expr, _COMPOSITE) and not self._is_key(expr) else text

    def _named(self, expr: Any, row: int) -> str:
        return f"{self.name(expr)} {self.value(expr, row)}"

    def _constant(self, expr: t.Constant, row: int) -> str:
        return written(expr)

    def _arithmetic(self, expr: t.Arithmetic, row: int) -> str:
        return f"{self._operand(expr.left, row)} {expr.op} {self._operand(expr.right, row)} = {self.value(expr, row)}"

    def _concat(self, expr: t.Concat, row: int) -> str:
        parts: list[t.Expr] = [expr]
        while isinstance(parts[0], t.Concat):
            parts[:1] = [parts[0].left, parts[0].right]
        return f"{' || '.join([self._operand(part, row) for part in parts])} = {self.value(expr, row)}"

    def _function(self, expr: t.Function, row: int) -> str:
        args = ", ".join([self.term(arg, row) for arg in expr.args])
        return f"{expr.name}({args}) = {self.value(expr, row)}"

    def _case(self, expr: t.Case, row: int) -> str:
        said = []
        for condition, value in expr.whens:
            taken = self.vector(condition).values[row] is True
            said.append(f"{self.condition(condition, row)} {'yes' if taken else 'no'}")
            if taken:
                return f"{', '.join(said)}, so {self.term(value, row)}"
        return f"{', '.join(said)}, so {self.term(expr.default, row)}"

    def _scalar(self, expr: t.ScalarQuery, row: int) -> str:
        if expr.query in self.labels:
            return self.value(expr, row)
        _, kept, names = self._inner(expr.query, row)
        return f"{self.value(expr, row)} of {', '.join([names[j] for j in kept]) or 'no row'}"

    # --------------------------------------------------------------------------------------------------- conditions

    def condition(self, expr: Any, row: int) -> str:
        """The parts of a condition that decide it on a row."""
        return _CONDITIONS[type(expr)](self, expr, row)

    def _compare(self, expr: t.Compare, row: int) -> str:
        return f"{self._operand(expr.left, row)} {expr.op} {self._operand(expr.right, row)}"

    def _between(self, expr: t.Between, row: int) -> str:
        low, high = self._operand(expr.low, row), self._operand(expr.high, row)
        return f"{self._operand(expr.expr, row)} BETWEEN {low} AND {high}"

    def _in_list(self, expr: t.InList, row: int) -> str:
        value = self.vector(expr.expr).values[row]
        hits = [item for item in expr.items if value is not None and self.vector(item).values[row] == value]
        items = ", ".join([self.term(item, row) for item in hits[:1] or expr.items])
        return f"{self._operand(expr.expr, row)} {'NOT ' if expr.negated else ''}IN ({items})"

    def _in_query(self, expr: t.InQuery, row: int) -> str:
        said = f"{self._operand(expr.expr, row)} {'NOT ' if expr.negated else ''}IN "
        if expr.query in self.labels:
            return f"{said}({self.labels[expr.query]})"
        inner, kept, _ = self._inner(expr.query, row)
        if any(isinstance(node, t.Aggregate) for node in t.walk(expr.query)):
            raise Rejected("no solution", "IN of an aggregate that looks outside")
        shown = [inner.value(expr.query.items[0].expr, j) for j in kept]  # type: ignore[union-attr]
        return f"{said}({', '.join(shown)})"

    def _like(self, expr: t.Like, row: int) -> str:
        pattern = written(t.Constant(expr.pattern, "text"))
        return f"{self._operand(expr.expr, row)} {'NOT ' if expr.negated else ''}LIKE {pattern}"

    def _is_null(self, expr: t.IsNull, row: int) -> str:
        return f"{self._operand(expr.expr, row)} IS {'NOT ' if expr.negated else ''}NULL"

    def _not(self, expr: t.Not, row: int) -> str:
        return f"NOT ({self.condition(expr.part, row)})"

    def _logic(self, expr: t.Logic, row: int) -> str:
        truths = [self.vector(part).values[row] for part in expr.parts]
        whole = self.vector(expr).values[row]
        if (expr.op == "AND") == (whole is True):  # all parts are needed to decide it
            return f" {expr.op} ".join([self.condition(part, row) for part in expr.parts])
        return self.condition(expr.parts[truths.index(whole)], row)

    def _exists(self, expr: t.Exists, row: int) -> str:
        if expr.query in self.labels:
            return f"{'NOT ' if expr.negated else ''}EXISTS ({self.labels[expr.query]})"
        inner, kept, names = self._inner(expr.query, row)
        where: Any = expr.query.where  # type: ignore[union-attr]
        if kept:
            return f"EXISTS {names[kept[0]]} {inner.condition(where, kept[0])}"
        link = _link(where)
        near = [j for j, hit in enumerate(inner.vector(link).values) if hit] if link else []
        return ", ".join(["NOT EXISTS", *[f"{names[j]} {inner.condition(where, j)}" for j in near]])

    def _inner(self, query: Any, row: int) -> tuple[Saying, list[int], list[str]]:
        """A subquery that refers to an outer row: its rows, which of them it keeps, and how they are referred to.
        Raises Rejected if it is more than a filter of one table.
        """
        if not _is_filter(query):
            raise Rejected("no solution", "a subquery that looks outside and is no filter of one table")
        source, database = query.source, self.frame.database
        scope, size, _ = database.stored(source)
        inner = self.of(Frame(scope, size, database, (self.frame, row)))
        kept = [j for j, hit in enumerate(inner.vector(query.where).values) if hit]
        alias = source.alias or source.name
        return inner, kept, [self._wording.of.format(table=alias, row=name) for name in self._calls[source.name]]


def _is_filter(query: t.Query) -> bool:
    """Whether a query is `SELECT … FROM table WHERE …`, without a nested query."""
    if not isinstance(query, t.Select) or not isinstance(query.source, t.TableRef) or query.where is None:
        return False
    if query.group or query.having or query.order or query.limit is not None or query.distinct or query.ctes:
        return False
    return not any(isinstance(node, t.Select) for node in t.walk((query.where, query.items)))


def _link(where: Any) -> t.Expr | None:
    """The first part of a conjunction that requires two columns to be equal."""
    for part in where.parts if isinstance(where, t.Logic) and where.op == "AND" else ():
        if isinstance(part, t.Compare) and part.op == "=" and {type(part.left), type(part.right)} == {t.Column}:
            return part
    return None


_TERMS: dict[type, Callable[[Any, Any, int], str]] = {
    t.Column: Saying._named,
    t.Aggregate: Saying._named,
    t.Window: Saying._named,
    t.Constant: Saying._constant,
    t.Arithmetic: Saying._arithmetic,
    t.Concat: Saying._concat,
    t.Function: Saying._function,
    t.Case: Saying._case,
    t.ScalarQuery: Saying._scalar,
}
_CONDITIONS: dict[type, Callable[[Any, Any, int], str]] = {
    t.Compare: Saying._compare,
    t.Between: Saying._between,
    t.InList: Saying._in_list,
    t.InQuery: Saying._in_query,
    t.Like: Saying._like,
    t.IsNull: Saying._is_null,
    t.Not: Saying._not,
    t.Logic: Saying._logic,
    t.Exists: Saying._exists,
}
