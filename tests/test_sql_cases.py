"""Programs with known answers: parser, evaluator, SQLite and DuckDB must all give them."""

from __future__ import annotations

import pytest

from sql_cases import CASES, TABLES
from symtune.executors import Sqlite
from symtune.sql.corpus.abstraction import abstract
from symtune.sql.language import second_opinion
from symtune.sql.language.evaluator import evaluate
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context, same_rows
from symtune.sql.language.render import render
from symtune.sql.language.second_opinion import SecondOpinion
from symtune.tables import typed_rows
from symtune.types import Rejected

ANSWERED = [case for case in CASES if case.answer]
REFUSED = [case for case in CASES if case.reason]
# These refuse what is not one answer of this project; SQL itself has one, so every engine can be asked for it.
ONLY_THE_ANSWER = {"empty", "null answer", "unrenderable"}


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(TABLES)


def test_the_file_is_whole():
    assert len(CASES) == len(ANSWERED) + len(REFUSED) > 220
    assert len({case.sql for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: case.sql)
def test_answer(case, context):
    _, answer = context.prove(parse_sql(case.sql, TABLES))
    assert answer == case.answer


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.sql)
def test_refusal(case, context):
    with pytest.raises(Rejected) as caught:
        context.prove(parse_sql(case.sql, TABLES))
    assert caught.value.reason == case.reason


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.answer or case.reason in ONLY_THE_ANSWER], ids=lambda case: case.sql
)
def test_the_text_as_written_and_as_rendered_give_sqlite_the_same_rows(case, context):
    """SQLite runs the line as it is in the file, so that the parser cannot hide a misreading."""
    sqlite = Sqlite()
    sqlite.load(TABLES, [typed_rows(table) for table in TABLES])
    query = parse_sql(case.sql, TABLES)
    found = evaluate(query, context.database)
    assert same_rows(found.rows(), sqlite.run(case.sql), found.ordered)
    assert same_rows(found.rows(), sqlite.run(render(query)), found.ordered)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.answer or case.reason in ONLY_THE_ANSWER], ids=lambda case: case.sql
)
def test_parse_reads_what_render_writes(case):
    query = parse_sql(case.sql, TABLES)
    assert parse_sql(render(query), TABLES) == query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT TOP 3 PERCENT Name FROM w ORDER BY Age",
        "SELECT DISTINCT TOP (3) PERCENT Name FROM w ORDER BY Name",
        "SELECT TOP 3 WITH TIES Name FROM w ORDER BY Age",
        "SELECT Name FROM w ORDER BY Age FETCH FIRST 3 PERCENT ROWS ONLY",
        "SELECT Name FROM w ORDER BY Age FETCH FIRST 3 ROWS WITH TIES",
        "SELECT Name FROM w ORDER BY Age OFFSET 2 ROWS",
    ],
)
def test_rows_that_no_limit_says(sql):
    with pytest.raises(Rejected) as caught:
        abstract(sql)
    assert caught.value.reason in ("beyond the typed tree", "syntax")


def test_duckdb_gives_them_too():
    pytest.importorskip("duckdb")
    asked = [case for case in CASES if case.answer or case.reason in ONLY_THE_ANSWER]
    queries = [parse_sql(case.sql, TABLES) for case in asked]
    wrong = SecondOpinion().disagreements(TABLES, queries)
    assert not {asked[number].sql: said for number, said in wrong.items()}


def test_duckdb_is_heard_where_it_differs(monkeypatch):
    pytest.importorskip("duckdb")
    texts = ["SELECT Name FROM w WHERE Age = 40", "SELECT Name FROM w WHERE Age = 19", "SELECT COUNT(*) FROM w"]
    queries = [parse_sql(sql, TABLES) for sql in texts]
    swapped = {queries[0]: queries[1], queries[1]: queries[0]}

    def mistaken(query, database):
        return evaluate(swapped.get(query, query), database)

    monkeypatch.setattr(second_opinion, "evaluate", mistaken)
    assert SecondOpinion().disagreements(TABLES, queries) == {0: "DuckDB: [('Dée',)]", 1: "DuckDB: [('Eve',)]"}


def test_one_program_that_fails_in_duckdb_does_not_hide_the_others(monkeypatch):
    pytest.importorskip("duckdb")
    queries = [parse_sql(sql, TABLES) for sql in ("SELECT COUNT(*) FROM w", "SELECT MAX(Age) FROM w")]
    monkeypatch.setattr(
        second_opinion, "render", lambda query, d: "SELECT broken" if query == queries[1] else render(query, d)
    )
    wrong = SecondOpinion().disagreements(TABLES, queries)
    assert list(wrong) == [1]
    assert wrong[1].startswith("duckdb:")
