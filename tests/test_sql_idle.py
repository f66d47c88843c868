"""Idle parts: what can be dropped from a program without changing its answer; none is generated, audit counts them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from symtune.audit import audit
from symtune.dataset import lines
from symtune.sql.language import tree as t
from symtune.sql.language.idle import idle_parts, mutants, needless, swapped
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.language.render import render
from symtune.sql.sampling.sampler import Sampler
from symtune.tables import typed_rows
from symtune.types import Table
from test_generate import symtune

RACES = Table(
    "races",
    ("driver", "team", "laps", "points", "year"),
    ("text", "text", "number", "number", "number"),
    (
        ("Ann", "red", "50", "9", "2001"),
        ("Bob", "red", "48", "7", "2002"),
        ("Cid", "blue", "50", "4", "2003"),
        ("Dee", "blue", "31", "4", "2004"),
        ("Eve", "green", "12", "1", "2005"),
    ),
    "w",
)
# A program -> the kinds of its idle parts, in the order of the tree.
CASES = {
    "SELECT driver FROM w WHERE laps > 40": [],
    "SELECT driver FROM w WHERE laps > 0": ["WHERE"],
    "SELECT driver FROM w WHERE laps > 40 AND points > 2": ["conjunct"],
    "SELECT driver FROM w WHERE laps > 40 AND points > 5": ["conjunct"],
    "SELECT driver FROM w WHERE laps > 40 AND team = 'red'": ["conjunct"],
    "SELECT driver FROM w WHERE laps = 50 AND team = 'blue'": [],
    "SELECT driver FROM w WHERE laps = 12 OR points = 1": ["disjunct", "disjunct"],
    "SELECT driver FROM w WHERE laps = 12 OR points = 9": [],
    "SELECT COUNT(*) FROM w WHERE year > 2000": ["WHERE"],
    "SELECT COUNT(*) FROM w WHERE NOT (team = 'red' AND laps > 10)": ["conjunct"],
    "SELECT MAX(laps) FROM w WHERE team = 'red'": ["WHERE"],
    "SELECT MAX(laps) FROM w WHERE team = 'green'": [],
    "SELECT SUM(points) FROM w WHERE laps > 12": [],
    "SELECT DISTINCT driver FROM w WHERE laps > 40": ["DISTINCT"],
    "SELECT DISTINCT team FROM w": [],
    "SELECT COUNT(DISTINCT driver) FROM w": ["DISTINCT"],
    "SELECT COUNT(DISTINCT team) FROM w": [],
    "SELECT team FROM w GROUP BY team HAVING COUNT(*) > 0": ["HAVING"],
    "SELECT team FROM w GROUP BY team HAVING COUNT(*) > 1": [],
    "SELECT driver FROM w ORDER BY points DESC LIMIT 1": ["sort key"],  # the first row of the table anyway
    "SELECT driver FROM w ORDER BY points LIMIT 1": [],
    "SELECT driver FROM w ORDER BY year LIMIT 2": ["sort key"],
    "SELECT driver FROM w ORDER BY laps DESC, points LIMIT 2": [],
    "SELECT driver FROM w ORDER BY year DESC, points LIMIT 2": ["sort key"],
    "SELECT driver FROM w WHERE team IN (SELECT team FROM w WHERE points > 6)": [],
    "SELECT driver FROM w WHERE team IN (SELECT team FROM w WHERE points > 0)": ["WHERE", "WHERE"],
    "SELECT driver FROM w WHERE points > (SELECT AVG(points) FROM w WHERE laps > 0)": ["WHERE"],
    "SELECT team FROM w WHERE laps > 40 UNION SELECT team FROM w WHERE points = 4": [],
    "SELECT team FROM w WHERE laps > 0 UNION SELECT team FROM w WHERE points = 1": ["WHERE", "WHERE"],
    "SELECT r FROM (SELECT driver, RANK() OVER (ORDER BY points) AS r FROM w) AS t WHERE driver = 'Eve'": ["sort key"],
    "SELECT r FROM (SELECT driver, RANK() OVER (ORDER BY points) AS r FROM w) AS t WHERE driver = 'Ann'": [],
}


def _context(table: Table = RACES) -> Context:
    return Context((table,))


@pytest.mark.parametrize(("sql", "kinds"), CASES.items(), ids=range(len(CASES)))
def test_the_parts_that_can_be_dropped_are_found(sql: str, kinds: list[str]) -> None:
    context = _context()
    query = parse_sql(sql, context.tables)
    answered = context.answer(query)
    assert sorted(idle_parts(query, answered, context)) == sorted(kinds)
    assert sorted(idle_parts(query, answered, context, t.walk(query))) == sorted(kinds)
    assert needless(query, answered, context).idle == Counter(kinds)


def _drawn(seed: int, *, allow_idle: bool) -> tuple[Context, list[t.Query]]:
    """Programs over a random table of few values, so that many parts are idle."""
    draw = Random(seed)
    rows = tuple(
        (f"n{i}", draw.choice("abc"), str(draw.randint(1, 6)), str(draw.randint(1, 40)), f"20{draw.randint(10, 30)}")
        for i in range(draw.randint(5, 9))
    )
    context = _context(Table("x", RACES.header, RACES.types, rows, "w"))
    sampler = Sampler(allow_idle=allow_idle)
    return context, [program.query for program in sampler.programs(context, draw, 30, Counter())]


@pytest.mark.parametrize("seed", range(8))
def test_the_short_way_for_filters_finds_what_the_long_way_finds(seed: int) -> None:
    context, queries = _drawn(seed, allow_idle=True)
    assert queries
    for query in queries:
        answered = context.answer(query)
        short, long = (list(idle_parts(query, answered, context, nodes)) for nodes in (t.walk(query), ()))
        assert sorted(short) == sorted(long), render(query)


@pytest.mark.parametrize("seed", range(8))
def test_a_program_without_one_of_its_parts_has_another_answer_in_sqlite(seed: int) -> None:
    context, queries = _drawn(seed, allow_idle=False)
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE w ({', '.join(context.tables[0].header)})")
    connection.executemany("INSERT INTO w VALUES (?, ?, ?, ?, ?)", typed_rows(context.tables[0]))
    assert queries
    for query in queries:
        ordered, answer = context.answer(query)[2].ordered, connection.execute(render(query)).fetchall()
        for kind, mutant in mutants(query):
            try:
                other = connection.execute(render(mutant)).fetchall()
            except sqlite3.Error:  # no answer is another answer
                continue
            alike = answer == other if ordered else Counter(answer) == Counter(other)
            assert not alike, f"{render(query)}: {kind} is idle"


def test_every_change_of_a_query_is_a_query() -> None:
    context = _context()
    sql = (
        "SELECT team FROM w WHERE laps > 1 AND NOT (points = 4 OR year < 2002) GROUP BY team ORDER BY SUM(laps) LIMIT 1"
    )
    query = parse_sql(sql, context.tables)
    dropped, changed = list(mutants(query)), list(swapped(query))
    assert Counter(kind for kind, _ in dropped) == {"WHERE": 1, "conjunct": 2, "disjunct": 2, "sort key": 1}
    assert Counter(kind for kind, _ in changed) == {"comparison": 3, "aggregate": 1, "sort direction": 1}
    texts = [render(mutant) for _, mutant in (*dropped, *changed)]
    assert len(set(texts)) == len(texts)
    assert render(query) not in texts


# ------------------------------------------------------------------------------------------------- the verbs


def _generate(out: Path, *flags: str) -> None:
    done = symtune("generate", "-n", "300", "--seed", "5", "--out", str(out), *flags)
    assert done.returncode == 0, done.stderr


def test_no_part_is_idle_unless_that_is_asked_for(tmp_path: Path) -> None:
    _generate(tmp_path / "a")
    _generate(tmp_path / "b", "--set", "allow_idle=true")
    none, some = (audit(tmp_path / name, idle=True) for name in "ab")
    assert none.agreed == some.agreed == 300
    assert none.idle is not None
    assert (none.idle.programs, none.idle.idle) == (300, 0)
    assert some.idle is not None
    assert some.idle.idle > 3
    assert "In 0.0% of the programs, a part can be dropped" in (tmp_path / "a/README.md").read_text()
    share = f"In {some.idle.idle / 300:.1%} of the programs, a part can be dropped"
    assert share in (tmp_path / "b/README.md").read_text()


def test_instances_of_sql_templates_have_no_idle_part(tmp_path: Path) -> None:
    _generate(tmp_path / "a", "--set", "sql_templates=default", "--set", "sql_template_share=1")
    found = audit(tmp_path / "a", idle=True)
    assert found.idle is not None
    assert (found.idle.programs, found.idle.idle) == (300, 0)


def test_audit_says_which_parts_of_other_peoples_programs_are_idle(tmp_path: Path) -> None:
    table = {"id": "t", "header": RACES.header, "types": RACES.types, "rows": RACES.rows, "name": "w"}
    context = _context()
    file = tmp_path / "theirs.jsonl"
    with file.open("w") as out:
        for number, sql in enumerate(CASES):
            answer = context.answer(parse_sql(sql, context.tables))[1]
            info = {"sql": sql, "tables": [table]}
            out.write(json.dumps({"id": str(number), "answer": answer, "completion": answer, "info": info}) + "\n")
    assert sum(1 for _ in lines(file)) == len(CASES)
    done = symtune("audit", str(file), "--idle")
    assert done.returncode == 0, done.stderr
    idle = sum(1 for kinds in CASES.values() if kinds)
    assert f"idle parts: {idle} of {len(CASES)} programs" in done.stdout
    assert "DISTINCT 2 of 4" in done.stdout
    assert "swapped for its neighbour without changing the answer: " in done.stdout


def test_changes_that_are_too_much_work_are_not_tried() -> None:
    rows = tuple((str(i), str(i)) for i in range(3000))
    tables = tuple(Table(name, ("k", name), ("number", "number"), rows, name) for name in ("a", "b"))
    context = Context(tables, max_rows=10_000)
    query = parse_sql("SELECT a.a FROM a JOIN b ON a.k = b.k WHERE b.b = 7", tables)
    found = needless(query, context.answer(query), context)
    assert found.untried == 4  # ON, WHERE and two comparisons
    assert not found.parts
