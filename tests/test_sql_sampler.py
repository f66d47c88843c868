"""What the sampler promises: every construct is drawn, and a range of difficulty is met, however high."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache

import pytest

from sql_cases import DISAGREE, TABLES
from symtune.seeds import rng
from symtune.sql.language.measures import constructs
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.sampling.programs import QUERY_TYPES
from symtune.sql.sampling.sampler import Sampler
from symtune.tables import load_tables, make_view

# What the default mix covers, by the names of docs/sql.md.
CONSTRUCTS = (
    """
several columns/DISTINCT/arithmetic between columns/COUNT/SUM/AVG/MIN/MAX/=/<>/</<=/>/>=/BETWEEN/IN/LIKE/IS NULL/AND/OR
NOT/ORDER BY/ORDER BY two keys/ASC/DESC/LIMIT/OFFSET/GROUP BY/HAVING/scalar subquery/IN (SELECT)/EXISTS
difference of two queries/CASE/UNION/INTERSECT/EXCEPT/UNION ALL/WITH/window function/date function/string function
COALESCE/NULLIF/ROUND/DENSE_RANK
""".strip()
    .replace("\n", "/")
    .split("/")
)


@cache
def contexts() -> tuple[Context, ...]:
    """Views of bundled tables."""
    tables = [table for table in load_tables(None).tables if len(table.rows) > 12 and len(table.header) > 4][:30]
    return tuple(Context([make_view(t, range(12), range(min(8, len(t.header))), id=t.id)]) for t in tables)


def test_the_default_mix_draws_every_construct():
    found: Counter[str] = Counter()
    for number, context in enumerate(contexts()):
        for program in Sampler().programs(context, rng("constructs", number), 32, Counter()):
            found.update(program.operators)
    assert [name for name in CONSTRUCTS if not found[name]] == []


@pytest.mark.parametrize("kind", [kind.name for kind in QUERY_TYPES])
def test_each_query_type_can_be_asked_for_alone(kind):
    drawn = [
        program
        for number, context in enumerate(contexts())
        for program in Sampler({kind: 1.0}).programs(context, rng("alone", number), 2, Counter())
    ]
    assert drawn
    assert {program.query_type for program in drawn} == {kind}


def test_programs_use_the_constructs_that_are_asked_for_alone():
    asked, drawn, rejects = frozenset(["=", "<", "COUNT", "ORDER BY", "ASC", "LIMIT"]), [], Counter()
    for number, context in enumerate(contexts()[:20]):
        drawn += Sampler(constructs=asked).programs(context, rng("asked", number), 8, rejects)
    assert len(drawn) > 40
    assert all(asked.issuperset(program.operators) for program in drawn)
    assert asked.issubset({name for program in drawn for name in program.operators})
    assert rejects["construct not asked for"]


def test_all_constructs_have_names():
    """All that the default mix draws can be asked for."""
    assert set(CONSTRUCTS) <= set(constructs())
    found = {
        name
        for number, context in enumerate(contexts())
        for program in Sampler().programs(context, rng("names", number), 8, Counter())
        for name in program.operators
    }
    assert found <= set(constructs())


@pytest.mark.parametrize(("low", "high", "least"), [(5, 7, 60), (12, 16, 50), (20, 25, 32), (30, 40, 16)])
def test_a_range_of_difficulty_is_met(low, high, least):
    """The harder, the fewer: of 12 rows, each condition must leave out one that no other does."""
    drawn = []
    for number, context in enumerate(contexts()[:8]):
        rejects: Counter[str] = Counter()
        programs = list(Sampler(None, (low, high)).programs(context, rng("difficulty", number), 8, rejects))
        for program in programs:
            tables = context.tables
            assert parse_sql(program.sql, tables) == program.query
        assert DISAGREE.isdisjoint(rejects)
        drawn += programs
    assert len(drawn) >= least
    assert all(low <= program.difficulty <= high for program in drawn)
    assert len({program.query_type for program in drawn}) > 5


def test_a_lookup_is_one_operator_and_the_rows_it_reads():
    (program,) = Sampler({"lookup": 1.0}).programs(Context(TABLES[:1]), rng("one"), 1, Counter())
    assert program.difficulty == round(1 + math.log2(len(TABLES[0].rows)), 2)
