"""Column typing: real, dirty columns as data, and laws that hold for any text."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from symtune.tables import infer_types, parse_cell, typed_rows
from symtune.tables.cells import LARGEST_EXACT
from symtune.types import ColumnType, Table

DIRT = yaml.safe_load((Path(__file__).parent / "columns.yaml").read_text("utf-8"))
dirty = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="0123456789.,-+−–$€£% eE/[]*†():\u00a0kmth", max_size=14),
    st.integers().map(str),
    st.floats().map(str),
    st.integers(-(10**9), 10**9).map(lambda number: f"{number:,}"),
    st.dates().map(lambda day: day.strftime("%d %b %Y")),
    st.sampled_from([cell for column in DIRT for cell in column["cells"]]),
)


def table_of(columns: list[list[str]]) -> Table:
    rows = tuple(zip(*columns, strict=True))
    header = tuple(f"c{number}" for number in range(len(columns)))
    return Table("t", header, infer_types(rows, len(columns)), rows)


@pytest.mark.parametrize("column", DIRT, ids=lambda column: " ".join(map(str, column["cells"]))[:40])
def test_a_column_of_real_dirt(column: dict[str, Any]) -> None:
    table = table_of([column["cells"]])
    values = [value for (value,) in typed_rows(table)]
    assert table.types == (column["type"],)
    assert values == column["values"]
    assert list(map(type, values)) == list(map(type, column["values"]))


@given(st.lists(dirty, min_size=1, max_size=6))
def test_a_typed_column_holds_only_values_of_its_type(cells: list[str]) -> None:
    table = table_of([cells])
    (type,) = table.types
    for (value,), text in zip(typed_rows(table), cells, strict=True):
        if value is None:
            continue
        if type == "number":
            assert isinstance(value, int | float)
            assert math.isfinite(value)
            assert abs(value) <= LARGEST_EXACT
            assert str(value) != "-0.0"
        elif type == "date":
            assert isinstance(value, str)
            assert datetime.date.fromisoformat(value).isoformat() == value
        else:
            assert value == text


@given(st.lists(st.lists(dirty, min_size=3, max_size=3), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_types_do_not_depend_on_the_order_of_rows_or_on_other_columns(rows: list[list[str]], random: Any) -> None:
    shuffled = random.sample(rows, len(rows))
    assert infer_types(shuffled, 3) == infer_types(rows, 3)
    assert infer_types(rows, 3) == tuple(infer_types([[row[at]] for row in rows], 1)[0] for at in range(3))


@given(dirty, st.sampled_from(["number", "date", "text"]))
@example("5 " + "a" * 10_000, "number")
@example("1" * 10_000, "number")
@example("[" * 10_000, "number")
def test_any_text_parses_under_any_type_without_an_error(text: str, type: ColumnType) -> None:
    value = parse_cell(text, type)
    assert value is None or isinstance(value, int | float | str)


@given(st.integers(-(2**53), 2**53))
def test_integers_are_read_back_with_and_without_thousands(number: int) -> None:
    assert parse_cell(str(number), "number") == number
    assert parse_cell(f"{number:,}", "number") == number
    assert parse_cell(f"{number:,} km[1]", "number") == number


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_dates_are_read_back_in_every_written_form(day: datetime.date) -> None:
    for form in ("%Y-%m-%d", "%B %d, %Y", "%b %d %Y", "%d %B %Y", "%d-%b-%Y", "%m/%d/%Y", "%d.%m.%Y"):
        assert parse_cell(day.strftime(form), "date") == day.isoformat()


def test_an_empty_table_has_text_columns_and_no_values() -> None:
    assert infer_types([], 2) == ("text", "text")
    assert typed_rows(Table("t", ("a",), ("text",), ())) == []
