"""The cases of tests/fixtures/sql_cases.txt and their tables, for the tests of the SQL core."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

from symtune.types import Table

FIXTURES = Path(__file__).parent / "fixtures"
DISAGREE = {"engines disagree", "evaluator disagrees"}  # reasons that no draw may ever be refused for


class Case(NamedTuple):
    """A program and its expected outcome: an answer text, or the reason for rejecting it."""

    sql: str
    answer: str
    reason: str


def tables() -> tuple[Table, ...]:
    """The tables on which the cases run."""
    entries = yaml.safe_load((FIXTURES / "sql_tables.yaml").read_text("utf-8"))
    return tuple(
        Table(e["name"], tuple(e["header"]), tuple(e["types"]), tuple(map(tuple, e["rows"])), name=e["name"])
        for e in entries
    )


def cases() -> list[Case]:
    """Every case in the file."""
    lines = (FIXTURES / "sql_cases.txt").read_text("utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    return [
        Case(sql, said[5:] if said.startswith("  -> ") else "", said[5:] if said.startswith("  !! ") else "")
        for sql, said in zip(kept[::2], kept[1::2], strict=True)
    ]


CASES = cases()
TABLES = tables()
