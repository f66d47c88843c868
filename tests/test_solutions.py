"""Worked solutions of programs: what is written is verified, what is wrong is found, and neither room knows the other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import symtune
from solution_faults import FAULTS
from sql_cases import CASES, TABLES
from symtune.sql.language.evaluator import database_of
from symtune.sql.language.parse import parse_sql
from symtune.sql.solutions.verifier import Verifier
from symtune.sql.solutions.wordings import WORDINGS
from symtune.sql.solutions.writer import Writer
from symtune.tables import typed_rows
from symtune.types import FORMS

ROOM = Path(symtune.__file__).parent / "sql" / "solutions"
# What both rooms may know.
SHARED = (
    "symtune.sql.language.tree",
    "symtune.sql.solutions.wordings",
    "symtune.tables",
    "symtune.types",
)
ANSWERED = [case for case in CASES if case.answer]
QUERIES = {case.sql: parse_sql(case.sql, TABLES) for case in ANSWERED}
VERIFIER = Verifier(TABLES)


def written(form, wording=None):
    """The solution of every case, in a wording of its own or in the one given. A writer made anew: it remembers names."""
    writer = Writer(TABLES, database_of(TABLES, [typed_rows(table) for table in TABLES]))
    return {
        sql: writer.write(query, form, place % len(WORDINGS) if wording is None else wording)
        for place, (sql, query) in enumerate(QUERIES.items())
    }


RIGHT = {form: written(form) for form in FORMS}


def imports(folder):
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("symtune.")}


def test_the_rooms_share_no_code():
    writer, verifier = imports(ROOM / "writer"), imports(ROOM / "verifier")
    assert not [name for name in writer if ".solutions.verifier" in name]
    assert not [name for name in verifier if ".solutions.writer" in name]
    own = [name for name in verifier if not name.startswith("symtune.sql.solutions.verifier")]
    assert [name for name in own if not name.startswith(SHARED)] == []


def test_there_are_wordings_and_they_differ():
    assert len(WORDINGS) >= 5
    texts = [written("compact", wording) for wording in range(len(WORDINGS))]
    for sql in QUERIES:
        assert len({text[sql] for text in texts}) == len(WORDINGS)


@pytest.mark.parametrize("form", FORMS)
def test_every_case_has_a_solution_that_holds(form):
    for wording in range(len(WORDINGS)):
        for sql, text in written(form, wording).items():
            assert VERIFIER.verify(QUERIES[sql], text).fault(form) == "", (sql, text)


def test_the_compact_form_leaves_lines_of_the_full_one_out():
    shorter = 0
    for sql, text in RIGHT["compact"].items():
        lines = RIGHT["full"][sql].split("\n")
        rest = iter(lines)
        assert all(line in rest for line in text.split("\n")), sql
        shorter += len(text) < len(RIGHT["full"][sql])
    assert shorter > len(RIGHT["compact"]) / 3


# ------------------------------------------------------------------------------------------------- planted faults


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_writer_is_caught(name, monkeypatch):
    for where, key, replacement in FAULTS[name]:
        if isinstance(where, dict):
            monkeypatch.setitem(where, key, replacement)
        else:
            monkeypatch.setattr(where, key, replacement, raising=False)
    caught, escaped = 0, []
    for form in FORMS:
        for sql, text in written(form).items():
            if text != RIGHT[form][sql]:
                caught += 1
                escaped += [] if VERIFIER.verify(QUERIES[sql], text).fault(form) else [(form, sql, text)]
    assert caught, "the fault changes nothing"
    assert not escaped, escaped[0]


def test_there_are_many_faults():
    assert len(FAULTS) >= 50
