"""Worked solutions: what is written holds, what is wrong is found, and writer and verifier share no code."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import pytest

import symtune
from solution_faults import FAULTS
from sql_cases import CASES, TABLES
from symtune.sql.language import tree as t
from symtune.sql.language.evaluator import database_of
from symtune.sql.language.measures import operators
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.solutions.verifier import Verifier
from symtune.sql.solutions.wordings import WORDINGS
from symtune.sql.solutions.writer import Writer
from symtune.tables import typed_rows
from symtune.types import FORMS, Rejected, Table
from symtune.worked import joined, parted
from test_sql_sampler import CONSTRUCTS

ROOM = Path(symtune.__file__).parent / "sql" / "solutions"
# What both rooms may know.
SHARED = (
    "symtune.sql.language.tree",
    "symtune.sql.solutions.wordings",
    "symtune.tables",
    "symtune.types",
)
DOCS = Path(__file__).parent.parent / "docs" / "solutions.md"
EXAMPLE = re.compile(r"```sql\n(?P<sql>.*?)\n```\n```\n(?P<solution>.*?)\n```", re.DOTALL)


def examples():
    """The programs in docs/solutions.md, with their completions and the tables that each shows."""
    found = [(one["sql"], one["solution"]) for one in EXAMPLE.finditer(DOCS.read_text("utf-8"))]
    return [(sql, text, TABLES if "pay" in sql else TABLES[:1]) for sql, text in found]


EXAMPLES = examples()
ANSWERED = [case for case in CASES if case.answer]
QUERIES = {sql: parse_sql(sql, TABLES) for sql in [case.sql for case in ANSWERED] + [sql for sql, _, _ in EXAMPLES]}
VERIFIER = Verifier(TABLES)


def written(form, wording=None):
    """The solution of every case, in varying wordings or the given one, by a new writer each, since it caches names."""
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


@pytest.mark.parametrize(("sql", "completion", "tables"), EXAMPLES, ids=lambda value: None)
def test_the_examples_of_the_docs(sql, completion, tables):
    context = Context(tables)
    query = parse_sql(sql, tables)
    steps = Writer(tables, context.database).write(query, "compact", 0)
    assert joined(steps, context.prove(query)[1]) == completion
    assert Verifier(tables).verify(query, steps).fault("compact") == ""


def test_the_docs_have_an_example_of_every_construct():
    used = {name for sql, _, tables in EXAMPLES for name in operators(t.walk(parse_sql(sql, tables)))}
    assert [name for name in [*CONSTRUCTS, "join", "subquery in FROM", "ABS"] if name not in used] == []


# ----------------------------------------------------------------------------------------- what anybody may write


def judged(sql, text, tables=TABLES[:1]):
    return Verifier(tables).verify(parse_sql(sql, tables), text)


SUM = "SELECT SUM(Points) FROM w WHERE Team = 'red' OR Age = 31"
SUM_STEPS = """WHERE:
row 1 (Ana): Team red = 'red' yes 1, Points 1,200, sum 1200
row 3 (Cid): Team red = 'red' yes 2, Points 300, sum 1500
row 6 (Fay): Age 31 = 31 yes 3, Points 1,000, sum 2500
SUM(Points) = 2500"""


@pytest.mark.parametrize(
    ("old", "new", "wrong", "left_out"),
    [
        ("", "", [], 0),
        ("sum 1500", "sum 1600", [3], 0),
        ("yes 2, Points 300, sum 1500", "yes 3, Points 300, sum 1500", [3], 0),
        ("row 3 (Cid): Team red = 'red' yes 2, Points 300, sum 1500\n", "", [3], 1),
        ("Points 300", "Points 301", [3], 0),
        ("Age 31 = 31", "Age 31 = 30", [4], 0),
        ("WHERE:\n", "", [1], 1),
        ("row 6 (Fay)", "row 5 (Fay)", [4], 0),
        ("SUM(Points) = 2500", "SUM(Points) = 2400", [5], 0),
        ("SUM(Points) = 2500", "SUM(Points) = 2500\nSUM(Points) = 2500", [6], 0),
        ("sum 1200", "sum 1,200", [2], 0),
    ],
)
def test_a_line_is_judged_on_its_own(old, new, wrong, left_out):
    found = judged(SUM, SUM_STEPS.replace(old, new, 1) if old else SUM_STEPS)
    assert [place for place, step in enumerate(found.steps, start=1) if step.fault] == wrong
    assert found.left_out == left_out
    total = len(found.steps) + left_out
    assert found.share == pytest.approx((len(found.steps) - len(wrong)) / total)


def test_one_false_sum_does_not_make_all_later_steps_false():
    lines = SUM_STEPS.split("\n")
    lines[2], lines[3] = lines[2].replace("sum 1500", "sum 1600"), lines[3].replace("sum 2500", "sum 2600")
    found = judged(SUM, "\n".join(lines))
    assert [bool(step.fault) for step in found.steps] == [False, False, True, False, False]
    assert found.first_wrong[0] == 3
    assert "expected 1500 where it says 1600" in found.first_wrong[2]


def test_lines_of_the_full_form_may_stand_in_a_compact_one():
    full = "row 2 (Bo): Team blue = 'red' OR Age 25 = 31 no"
    lines = SUM_STEPS.split("\n")
    found = judged(SUM, "\n".join([*lines[:2], full, *lines[2:]]))
    assert found.fault("compact") == ""
    assert found.spared == 2
    assert "2 steps of the form full" in found.fault("full")
    assert judged(SUM, "\n".join([*lines[:3], full, *lines[3:]])).fault("compact")  # out of its turn


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "no idea", "yes " * 50_000, "row 1\n" * 5_000, "\x00", "{n}", "Answer: 1"]
)
def test_any_text_can_be_judged(text):
    found = judged(SUM, text)
    assert 0 <= found.share < 1
    assert found.first_wrong is not None


def test_other_peoples_programs_have_bounded_work():
    big = Table("big", ("a", "b"), ("number", "text"), tuple((str(n), f"x{n}") for n in range(700)), name="w")
    query = parse_sql("SELECT COUNT(*) FROM w AS x JOIN w AS y ON x.a < y.a", (big,))
    with pytest.raises(Rejected, match="too many steps"):
        Verifier((big,)).verify(query, "JOIN:")


def test_a_long_text_costs_little():
    rows = tuple((str(n), f"name {n}", str(n * 7 % 100)) for n in range(2000))
    table = Table("long", ("id", "name", "n"), ("number", "text", "number"), rows, name="w")
    query = parse_sql("SELECT SUM(n) FROM w WHERE n < 50", (table,))
    start = time.process_time()
    found = Verifier((table,)).verify(query, "\n".join(f"row {n} (name {n}): n {n} < 50 yes {n}" for n in range(4000)))
    assert found.share < 0.1
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    ("text", "steps", "answer"),
    [
        ("a\nb\nAnswer: 7", "a\nb", "7"),
        ("row 1: Name Answer: 7 yes 1\nAnswer: 9", "row 1: Name Answer: 7 yes 1", "9"),
        ("Answer: 7\nAnswer: 9", "Answer: 7", "9"),
        ("a\nAnswer: 9\n\nQuestion: next?\nAnswer: 10", "a", "9"),
        ("a\n**Answer:** 9", "a", "9"),
        ("a\nFinal answer: 9", "a", "9"),
        ("a\nAnswer:", "a\nAnswer:", None),
        ("7", "7", None),
        ("<think>Answer: 3</think>a\nAnswer: 4<|im_end|>", "a", "4"),
    ],
)
def test_the_last_line_answers(text, steps, answer):
    assert parted(text) == (steps, answer)


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
