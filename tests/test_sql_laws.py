"""Laws that hold for every program drawn over any table, however hostile its names and cells."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile_tables import NASTY, tables
from sql_cases import DISAGREE
from symtune.dataset import Line, example_of, example_row
from symtune.denotation import parse, render, same_answer
from symtune.seeds import rng
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context, permuted
from symtune.sql.language.render import render as render_sql
from symtune.sql.language.second_opinion import SecondOpinion
from symtune.sql.sampling.sampler import Sampler
from symtune.tables import TableSet, Views, content_hash, typed_rows
from symtune.tables.clean import clean_header, clean_rows
from symtune.task import Setting, Tally
from symtune.tasks import find
from symtune.tasks.sql_execution.options import SqlOptions
from symtune.types import FORMS, Table
from symtune.worked import parted

TASK = find("sql_execution")
LAW = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def drawn(table: Table, seed: int):
    """Proven programs over a whole table."""
    rejects: Counter[str] = Counter()
    context = Context([table])
    programs = list(Sampler().programs(context, rng("laws", seed), 8, rejects))
    # A table as shown and its proof may refuse a program for a hundred reasons; but engines never disagree.
    assert DISAGREE.isdisjoint(rejects)
    return context, programs


@given(tables(), st.integers(0, 999))
@LAW
def test_parse_reads_what_render_writes(table, seed):
    _, programs = drawn(table, seed)
    for program in programs:
        assert render_sql(program.query) == program.sql
        assert parse_sql(program.sql, [table]) == program.query


@given(tables(), st.integers(0, 999))
@LAW
def test_answers_do_not_depend_on_the_order_of_rows_or_columns(table, seed):
    _, programs = drawn(table, seed)
    for key in ("a", "b"):
        (other,), _ = permuted([table], [typed_rows(table)], key)
        context = Context([other])
        for program in programs:
            denotation, _ = context.prove(program.query)
            rows = program.denotation.rows
            assert denotation.rows == rows if denotation.ordered else Counter(denotation.rows) == Counter(rows)


@given(tables(), st.integers(0, 999))
@LAW
def test_answers_read_back(table, seed):
    _, programs = drawn(table, seed)
    for program in programs:
        assert render(program.denotation) == program.answer
        assert parse(program.answer) == program.denotation.rows
        assert same_answer(program.answer, program.answer, program.denotation.ordered)
        assert program.answer.strip() == program.answer != ""


@given(tables(), st.integers(0, 999))
@LAW
def test_a_third_engine_agrees(table, seed):
    pytest.importorskip("duckdb")
    _, programs = drawn(table, seed)
    wrong = SecondOpinion().disagreements([table], [program.query for program in programs])
    assert not {programs[number].sql: said for number, said in wrong.items()}


@given(tables(), st.integers(0, 999))
@LAW
def test_a_line_can_be_prompted_and_executed_again(table, seed):
    """After a round trip through JSON: what a file stores is sufficient."""
    views = Views(TableSet((table,), content={table.id: content_hash(table)}), max_cell=20_000)
    options = SqlOptions(joins=0.3, sql_templates="default", sql_template_share=0.4)
    setting = TASK.ready(Setting(measure=len, budget=200_000, views=views, options=options))
    tally = Tally()
    for item in TASK.block(rng("laws", seed), setting, "key", tally):
        row = json.loads(json.dumps(example_row(TASK, item, self_contained=True)))
        again = example_of(TASK, Line("here", row, {}))
        assert again.tables == item.example.tables
        template = TASK.template(row["prompt_template"], again.fields)
        assert TASK.prompt(again.fields, template, row["linearization"]) == item.prompt
        denotation = TASK.execute(again.fields)
        assert render(denotation) == item.example.answer
        assert denotation.ordered == again.ordered == item.example.ordered
    assert DISAGREE.isdisjoint(tally.rejects)


@given(tables(), st.integers(0, 999), st.sampled_from(FORMS))
@LAW
def test_every_program_can_be_worked_out(table, seed, form):
    """Whatever cells and columns are called, a solution holds, has one line per step, and ends with the answer."""
    views = Views(TableSet((table,), content={table.id: content_hash(table)}), max_cell=20_000)
    options = SqlOptions(joins=0.3, sql_templates="default", sql_template_share=0.4, solution=form)
    setting = TASK.ready(Setting(measure=len, budget=1_000_000, views=views, options=options))
    tally = Tally()
    for item in TASK.block(rng("laws", seed), setting, "key", tally):
        steps, answer = parted(item.completion)
        assert answer == item.example.answer
        assert TASK.process(item.completion, item.example).reward == 1.0
        assert not any(line.startswith("Answer:") for line in steps.split("\n"))
    assert not tally.rejects["solution does not hold"]
    assert not tally.rejects["no solution"]


@pytest.mark.parametrize("cell", NASTY, ids=ascii)
def test_a_hostile_cell_is_a_value_and_a_name(cell):
    """Each hostile text as a header and as the cell that a program asks for."""
    mended: Counter[str] = Counter()
    rows = clean_rows([["1", cell], ["2", "plain"], ["3", "other"]], mended)
    table = Table("t", clean_header(["n", cell], mended), ("number", "text"), rows)
    context = Context([table])
    for program in Sampler({"lookup": 1, "filter": 1}).programs(context, rng("cell"), 8, Counter()):
        assert parse_sql(program.sql, [table]) == program.query
    rejects: Counter[str] = Counter()
    list(Sampler().programs(context, rng("cell"), 16, rejects))
    assert DISAGREE.isdisjoint(rejects)
