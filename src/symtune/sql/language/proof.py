"""Proof: an answer is written only if two independent executors agree on it and no reordering changes it.

    with ENGINES.checked_out() as engines:             # sql/language/engines.py; without it, Context opens databases
        context = Context(tables, engines)             # once for many programs
        denotation, text = context.prove(query)        # or Rejected with the reason

Our evaluator runs the tree on the tables as shown, and refuses whatever SQL leaves open. SQLite runs the text on the
same tables, and again with rows and columns permuted. All three must give the same values: as a multiset, or in order
if ORDER BY makes the order total. The answer must not be empty, must not contain NULL, must not have more rows than
allowed, and must read back from its text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from symtune.denotation import render as render_answer
from symtune.seeds import rng
from symtune.sql.language import tree as t
from symtune.sql.language.engines import Engines
from symtune.sql.language.evaluator import evaluate
from symtune.sql.language.render import render
from symtune.sql.language.vectors import Relation, near
from symtune.tables import Link
from symtune.types import Denotation, Rejected, Table, Value

MAX_ROWS = 10  # of an answer

Typed = list[tuple[Value, ...]]
Answered = tuple[Denotation, str, Relation]


class Context:
    """The tables that programs run on, loaded into every executor. `links` say on which columns tables are joined."""

    def __init__(
        self,
        tables: Sequence[Table],
        engines: Engines | None = None,
        *,
        links: Sequence[Link] = (),
        max_rows: int = MAX_ROWS,
    ) -> None:
        self.tables = tuple(tables)
        self.links = tuple(links)
        self.max_rows = max_rows
        self._engines = engines or Engines()
        self._loaded = self._engines.loaded(self.tables)
        self.database = self._loaded.database

    def prove(self, query: t.Query) -> tuple[Denotation, str]:
        """The denotation of a program and its answer text. Raises Rejected with the reason of a refusal."""
        answered = self.answer(query)
        self.confirm(query, t.walk(query), answered, render(query))
        return answered[0], answered[1]

    def answer(self, query: t.Query) -> Answered:
        """The answer of our evaluator: the denotation, its text and the relation. Raises Rejected."""
        try:
            found = evaluate(query, self.database)
        except RecursionError:
            raise Rejected("too long", "nested too deeply") from None
        if found.size == 0:
            raise Rejected("empty")
        if found.size > self.max_rows:
            raise Rejected("too many rows", f"more than {self.max_rows}")
        for column in found.columns:
            if None in column.values:
                raise Rejected("null answer")
        denotation = Denotation(tuple(found.texts()), found.ordered, answer_type(found))
        text = render_answer(denotation)
        return denotation, text, found

    def shown(self, sql: str) -> list[tuple[Any, ...]]:
        """What SQLite yields on the tables as shown, also where SQL leaves it open. Raises Rejected."""
        return self._engines.shown(sql, self._loaded)

    def confirm(self, query: t.Query, nodes: Sequence[t.Node], answered: Answered, sql: str) -> None:
        """Raise Rejected unless the engines give the same answer for the SQLite text. `nodes` are those of the query
        (`tree.walk`).
        """
        denotation, _, found = answered
        expected = found.rows()
        for name, rows in self._engines.run(sql, self._loaded):
            if not same_rows(expected, rows, found.ordered):
                raise Rejected("engines disagree", f"{name}: {sql}")
        if _ties_may_hide(nodes) or (self._loaded.several_texts and _picks_rows(nodes)):
            again = evaluate(query, self._loaded.backwards)
            if sorted(again.texts()) != sorted(denotation.rows) or (
                found.ordered and tuple(again.texts()) != denotation.rows
            ):
                raise Rejected("evaluator disagrees", f"with itself on permuted rows: {sql}")


def _ties_may_hide(nodes: Sequence[t.Node]) -> bool:
    """Whether a tie could go unnoticed in SQLite, which sorts groups and duplicates whatever the order of the rows:
    this is so for an order over these, or over the result of a nested query.
    """
    for node in nodes:
        if type(node) is t.Select:
            if node.ctes or (node.order and (node.group or node.distinct)):
                return True
        elif type(node) is t.Derived:
            return True
    return False


def _picks_rows(nodes: Sequence[t.Node]) -> bool:
    """Whether any part of the query picks rows, and thereby texts, by their order."""
    for node in nodes:
        if isinstance(node, t.SetQuery) or (isinstance(node, t.Select) and (node.order or node.group or node.distinct)):
            return True
    return False


def permuted(tables: Sequence[Table], typed: Sequence[Typed], key: str) -> tuple[list[Table], list[Typed]]:
    """The tables with rows and columns in another order, shuffled by the key."""
    new_tables, new_typed = [], []
    for table, rows in zip(tables, typed, strict=True):
        row_order, columns = list(range(len(rows))), list(range(len(table.header)))
        draw = rng("permutation", key, table.id)
        draw.shuffle(row_order)
        draw.shuffle(columns)
        new_tables.append(
            Table(
                table.id,
                tuple([table.header[c] for c in columns]),
                tuple([table.types[c] for c in columns]),
                tuple([tuple([table.rows[r][c] for c in columns]) for r in row_order]),
                table.name,
                table.source,
                table.title,
            )
        )
        new_typed.append([tuple([rows[r][c] for c in columns]) for r in row_order])
    return new_tables, new_typed


def answer_type(found: Relation) -> str:
    """number, date or text for one column, "row" for several; in list[…] if there are several rows."""
    kind = found.columns[0].type if len(found.columns) == 1 else "row"
    return f"list[{kind}]" if found.size > 1 else kind


def same_rows(expected: list[tuple[Any, ...]], got: list[tuple[Any, ...]], ordered: bool) -> bool:
    """Whether two executors yield the same values: numbers up to the rounding of doubles, texts exactly."""
    if expected == got:
        return True
    if len(expected) != len(got):
        return False
    if ordered:
        return all(map(_same_row, expected, got))
    if expected == got[::-1] or _same_counts(expected, got):
        return True
    left = list(got)
    for row in expected:
        match = next((i for i, other in enumerate(left) if _same_row(row, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _same_counts(some: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> bool:
    """Whether two lists hold the same rows in any order."""
    try:
        return sorted(some) == sorted(others)
    except TypeError:  # a NULL beside values
        return Counter(some) == Counter(others)


def _same_row(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return len(a) == len(b) and all(map(_same_value, a, b))


def _same_value(a: Any, b: Any) -> bool:
    if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
        return bool(a == b) and type(a) is type(b)
    return near(a, b)
