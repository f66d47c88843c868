"""Near duplicates: the same program on the same rows, in another order or split."""

from __future__ import annotations

import pytest

from sql_shapes import TEAMS
from symtune.dataset import Line
from symtune.near_duplicates import near_duplicates
from symtune.types import Table


def test_near_duplicates():
    pytest.importorskip("rensa")
    other = Table(TEAMS.id, TEAMS.header, TEAMS.types, TEAMS.rows[::-1])
    far = Table("far", ("A", "B"), ("text", "text"), (("x", "y"), ("z", "u")))
    tables = {"a": TEAMS, "b": other, "c": far}

    def line(sql, table):
        return Line("here", {"info": {"sql": sql, "tables": [table]}}, tables)

    program = "SELECT Team FROM w WHERE City = 'Oslo' AND Year > 2003"
    found = near_duplicates([
        line(program, "a"),
        line("SELECT COUNT(*), SUM(Points) FROM w GROUP BY Founded HAVING AVG(Points) < 30", "a"),  # another program
        line(program, "c"),  # another table
        line(program, "b"),  # the same rows in another order
    ])  # fmt: skip
    assert (found.lines, found.near) == (4, 1)
