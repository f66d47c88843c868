"""Roles of columns: real columns as data, and laws that hold for any header and any cells."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from symtune.tables import Role, infer_types, role_of, roles_of
from symtune.tables.roles import LOOKED_AT
from symtune.types import ColumnType, Table

REAL = yaml.safe_load((Path(__file__).parent / "roles.yaml").read_text("utf-8"))
NAMES = {"identifier", "year", "rank", "quantity", "category", "name", "date", "free text"}
headers = st.one_of(
    st.text(max_size=20),
    st.lists(st.sampled_from([word for column in REAL for word in column["header"].split()]), max_size=5).map(" ".join),
    st.text(alphabet="()[]%$€£¥²³/#.0123456789 kmin", max_size=14),
)
cells = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="0123456789.,-–/$€% TtWw#()kmap", max_size=12),
    st.sampled_from([cell for column in REAL for cell in column["cells"]]),
    st.integers(-3000, 3000).map(str),
)
columns = st.tuples(headers, st.lists(cells, max_size=8))


@pytest.mark.parametrize("column", REAL, ids=lambda column: f"{column['header'][:30]} {column['role']}")
def test_a_real_column(column: dict[str, Any]) -> None:
    assert str(role_of(column["header"], column["type"], column["cells"])) == column["role"]


def test_every_role_has_real_columns() -> None:
    assert {name for name, count in Counter(column["role"].split(" (")[0] for column in REAL).items() if count} == NAMES


@given(headers, st.sampled_from(["number", "date", "text"]), st.lists(cells, max_size=40))
@example("(" * 5_000, "number", ["1", "2"])
@example("", "number", [])
@example("date", "text", ["1" * 50_000, "may 2 " * 10_000, "1990-" * 10_000])
@example("a " * 5_000, "text", ["1, " * 20_000] * 3)
def test_any_column_has_a_role(header: str, type: ColumnType, cells: list[str]) -> None:
    role = role_of(header, type, cells)
    assert role.name in NAMES
    assert role.name == "quantity" or not role.unit
    assert role_of(header, type, list(cells)) == role


@given(st.lists(columns, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_calls_changes_nothing(found: list[tuple[str, list[str]]], random: Any) -> None:
    typed = [(header, infer_types([(cell,) for cell in some], 1)[0], some) for header, some in found]
    roles = [role_of(*column) for column in typed]
    order = random.sample(range(len(typed)), len(typed))
    assert [role_of(*typed[place]) for place in order] == [roles[place] for place in order]


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6), st.lists(headers, min_size=3, max_size=3))
def test_a_column_has_the_same_role_in_any_place_of_a_table(rows: list[list[str]], header: list[str]) -> None:
    found = tuple(map(tuple, rows))
    types = infer_types(found, 3)
    table = Table("t", tuple(header), types, found)
    turned = Table("t", tuple(header[::-1]), types[::-1], tuple([row[::-1] for row in found]))
    assert roles_of(turned) == roles_of(table)[::-1]


def test_the_first_rows_say_it() -> None:
    rows = [(f"{number}",) for number in range(7, 7 + LOOKED_AT)]
    table = Table("t", ("n",), ("number",), (*rows, ("9.5",), ("9.5",)))
    assert roles_of(table) == (Role("quantity"),)
    longer = Table("t", ("year",), ("number",), (*[("1990",)] * LOOKED_AT, ("3",)))
    assert roles_of(longer) == (Role("year"),)
