"""The self-test proves what it says, and fails if something does not hold."""

from __future__ import annotations

import pytest

from symtune.selftest import selftest
from symtune.sql.language import operations
from symtune.sql.language.proof import Context
from symtune.sql.language.second_opinion import SecondOpinion
from symtune.sql.solutions.writer import aggregates
from symtune.types import Rejected
from test_generate import symtune

pytest.importorskip("duckdb")


def test_all_holds():
    report = selftest("sql", 600, seed=1)
    assert not report.failed
    assert report.answers >= 600
    confirm = ("SQLite", "our evaluator on permuted rows", "DuckDB", "the verifier of solutions")
    assert report.disagreements == dict.fromkeys(confirm, 0)
    assert report.solutions == report.answers + report.duplicates
    assert report.unsolved == 0
    assert report.varied > 0
    assert report.by_type.total() == report.answers + report.duplicates
    assert len(report.by_type) > 15
    assert report.cpu_seconds > 0


def test_a_fault_of_the_evaluator_is_a_failure(monkeypatch):
    monkeypatch.setitem(operations._COMPARE, "<", lambda x, y: x <= y)
    report = selftest("sql", 600)
    assert report.failed
    assert report.disagreements["SQLite"] > 0
    assert report.first


def test_a_solution_that_does_not_hold_is_a_failure(monkeypatch):
    monkeypatch.setattr(aggregates, "_sum", lambda values: sum(values) + 1)
    report = selftest("sql", 300)
    assert report.failed
    assert report.disagreements.pop("the verifier of solutions") > 0
    assert not report.disagreements.total()
    assert "the verifier refuses a solution" in report.first[0]


def test_what_duckdb_does_not_confirm_is_a_failure(monkeypatch):
    monkeypatch.setattr(SecondOpinion, "disagreements", lambda self, tables, queries: {0: "DuckDB: []"})
    report = selftest("sql", 300)
    assert report.failed
    assert report.disagreements["DuckDB"] > 0


def test_an_answer_that_permutation_changes_is_a_failure(monkeypatch):
    def refuse(self, query, sql=None):
        raise Rejected("tie")

    monkeypatch.setattr(Context, "prove", refuse)
    report = selftest("sql", 300)
    assert report.failed
    assert 0 < report.ambiguous == report.varied


def test_the_command_line(tmp_path):
    done = symtune("selftest", "--only", "sql", "--n", 200, "--workers", 2)
    assert done.returncode == 0, done.stderr
    assert "disagreements: SQLite 0, our evaluator on permuted rows 0, DuckDB 0" in done.stdout
    assert "0 ambiguous" in done.stdout
    done = symtune("selftest", "--only", "slq")
    assert done.returncode == 2
    assert "Did you mean 'sql'" in done.stderr
    done = symtune("selftest", "--tables", tmp_path / "absent")
    assert done.returncode == 2
