"""Planted faults: whatever is wrong with the evaluator, no wrong answer is written (`Context.prove` refuses it)."""

from __future__ import annotations

from collections import Counter

import pytest

from sql_cases import CASES, DISAGREE, TABLES
from sql_faults import FAULTS
from symtune.denotation import same_answer
from symtune.executors import Sqlite
from symtune.seeds import rng
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context, permuted
from symtune.sql.sampling.sampler import Sampler
from symtune.tables import typed_rows
from symtune.types import Rejected


def _readable(case):
    try:
        return parse_sql(case.sql, TABLES)
    except Rejected:
        return None


QUERIES = [(case, query) for case in CASES if (query := _readable(case)) is not None]


@pytest.fixture(params=list(FAULTS))
def fault(request, monkeypatch):
    """One fault from the table, planted."""
    for where, name, replacement in FAULTS[request.param]:
        if isinstance(where, dict):
            monkeypatch.setitem(where, name, replacement)
        else:
            monkeypatch.setattr(where, name, replacement)
    return monkeypatch


def outcome(context, query):
    """(answer, reason of refusal)"""
    try:
        return context.prove(query)[1], ""
    except Rejected as error:
        return "", error.reason


def outcomes():
    """The outcome of every known program now."""
    context = Context(TABLES)  # made anew: a context remembers what it joined
    return {case: outcome(context, query) for case, query in QUERIES}


# The evaluator refuses these for the sake of other engines: what SQLite alone says about them is not wrong.
STRICTER_THAN_SQLITE = {"null order", "letter case", "near numbers", "several texts"}


def test_there_are_many():
    assert len(FAULTS) >= 60


def test_without_a_fault_nothing_disagrees():
    assert all((answer, reason) == (case.answer, case.reason) for case, (answer, reason) in outcomes().items())


def test_the_proof_catches_it(fault):
    found = outcomes()
    assert not DISAGREE.isdisjoint(reason for _, reason in found.values())
    escaped = {
        case.sql: answer
        for case, (answer, _) in found.items()
        if answer
        and case.reason not in STRICTER_THAN_SQLITE
        and not same_answer(answer, case.answer, ordered="ORDER BY" in case.sql)
    }
    assert not escaped


def test_no_drawn_program_goes_out_with_a_wrong_answer(fault):
    drawn = [
        program
        for seed in range(2)
        for program in Sampler().programs(Context(TABLES[:1]), rng("faults", seed), 16, Counter())
    ]
    assert drawn
    fault.undo()
    alone = Context(TABLES[:1])
    for program in drawn:
        answer, reason = outcome(alone, program.query)
        assert (
            reason in STRICTER_THAN_SQLITE
            or same_answer(program.answer, answer, program.denotation.ordered)
            or (reason == "tie" and of_any_order(program))
        )


def of_any_order(program):
    """Whether SQLite yields the program's rows for many orders of the table, so that its ties have no effect."""
    yields = []
    for key in range(20):
        tables, typed = permuted(TABLES[:1], [typed_rows(TABLES[0])], str(key))
        engine = Sqlite()
        engine.load(tables, typed)
        yields.append(engine.run(program.sql))
    return all(rows == yields[0] for rows in yields) and [[str(v) for v in row] for row in yields[0]] == [
        list(row) for row in program.denotation.rows
    ]
