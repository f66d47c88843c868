"""A third executor for answers that are already proven: DuckDB, which runs a whole block of programs in one statement.

    with SECOND_OPINIONS.checked_out() as duckdb:       # needs the extra `duckdb`
        duckdb.disagreements(tables, queries)           # {number of the query: DuckDB's answer instead}

Starting a statement takes DuckDB longer than running it, so the programs over one context are sent as one UNION ALL,
each row with the number of its program and its values as texts. The rows of a branch stay together and in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symtune.executors import Duckdb
from symtune.sql.language import tree as t
from symtune.sql.language.engines import Pool
from symtune.sql.language.evaluator import database_of, evaluate
from symtune.sql.language.proof import same_rows
from symtune.sql.language.render import render
from symtune.sql.language.vectors import Relation
from symtune.tables import typed_rows
from symtune.types import Rejected, Table


class SecondOpinion:
    """DuckDB as the judge of our evaluator's answers."""

    def __init__(self) -> None:
        self._duckdb = Duckdb()

    def disagreements(self, tables: Sequence[Table], queries: Sequence[t.Query]) -> dict[int, str]:
        """The queries, by position, for which DuckDB does not yield what our evaluator yields, and why. A query that
        our evaluator refuses is not a disagreement: it has no answer to compare.
        """
        if not queries:
            return {}
        typed = [typed_rows(table) for table in tables]
        database = database_of(tables, typed)
        try:
            self._duckdb.load(tables, typed)
        except Rejected as error:
            return dict.fromkeys(range(len(queries)), str(error))
        expected: dict[int, Relation] = {}
        for number, query in enumerate(queries):
            try:
                expected[number] = evaluate(query, database)
            except Rejected:
                continue
        try:
            got = self._together(expected, queries)
        except Rejected:
            return self._singly(expected, queries)
        return {
            number: f"DuckDB: {got.get(number, [])[:5]!r}"
            for number, found in expected.items()
            if not _same(found, got.get(number, []))
        }

    def _together(self, expected: dict[int, Relation], queries: Sequence[t.Query]) -> dict[int, list[Any]]:
        width = max((len(found.columns) for found in expected.values()), default=1)
        branches = [_branch(number, queries[number], len(found.columns), width) for number, found in expected.items()]
        size = sum(found.size for found in expected.values())
        rows: dict[int, list[Any]] = {}
        for number, *values in self._duckdb.run(" UNION ALL ".join(branches), max_rows=2 * size + 1000):
            rows.setdefault(number, []).append(tuple(values))
        return rows

    def _singly(self, expected: dict[int, Relation], queries: Sequence[t.Query]) -> dict[int, str]:
        """The same, one query at a time: if a statement fails, this finds the program that made it fail."""
        found = {}
        for number, relation_ in expected.items():
            try:
                rows = self._together({number: relation_}, queries).get(number, [])
            except Rejected as error:
                found[number] = str(error)
                continue
            if not _same(relation_, rows):
                found[number] = f"DuckDB: {rows[:5]!r}"
        return found


def _branch(number: int, query: t.Query, columns: int, width: int) -> str:
    """`SELECT number, c0, c1, NULL FROM (query)`: the columns as texts, padded to `width` columns."""
    names = ", ".join([f"c{i}" for i in range(columns)])
    texts = ", ".join([f"CAST(c{i} AS VARCHAR)" if i < columns else "NULL" for i in range(width)])
    return f"SELECT {number}, {texts} FROM ({render(query, 'duckdb')}) AS q({names})"


def _same(found: Relation, rows: Sequence[Sequence[str | None]]) -> bool:
    """Whether DuckDB's texts stand for the values of the relation."""
    kinds = [column.type for column in found.columns]
    try:
        got = [
            tuple([text if text is None or kind != "number" else _number(text) for text, kind in zip(row, kinds)])  # noqa: B905
            for row in rows
        ]
    except ValueError:
        return False
    return same_rows(found.rows(), got, found.ordered)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


SECOND_OPINIONS: Pool[SecondOpinion] = Pool(SecondOpinion)
