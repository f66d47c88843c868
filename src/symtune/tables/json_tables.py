"""What a JSON value must look like to be a table.

| a table is | for example |
|---|---|
| an object with its column names and its rows | `{"header": […], "rows": [[…], …]}`, `columns` and `data` |
| a list of rows, the first one the header | `[["City", "Pop", "Land"], ["Oslo", "7", "N"]]` |
| a list of records | `[{"City": "Oslo", "Pop": 7}, …]` |
| an object of columns | `{"City": ["Oslo", …], "Pop": [7, …]}` |

The first two (with three columns or more) are certainly tables. The others might also be messages, answers or orders;
`nested` says where they are read as tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symtune.tables.clean import plain_columns, text_of
from symtune.tables.model import MAX_CELLS, RawTable

_NAMES = ("header", "headers", "columns", "columnnames", "colnames", "cols", "fields", "names", "columnheaders", "head")
_ROWS = ("rows", "data", "cells", "values", "body", "records", "content", "contents", "row", "cellvalues",
         "columnvalues", "contentvalues")  # fmt: skip
_TITLES = ("title", "page_title", "caption", "table_title", "table_page_title")
_IDS = ("id", "table_id", "uid", "name", "table_name")
_MOST_SPAN = 1_000  # columns of one cell


@dataclass(frozen=True, slots=True)
class Found:
    """A table in a JSON value. `sure`: it cannot be anything else."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    sure: bool
    id: str = ""
    title: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)

    def raw(self, id: str, where: str) -> RawTable:
        """The table, named `id` if it has no name."""
        return RawTable(self.id or id, self.header, self.rows, title=self.title, where=where, notes=self.notes)


def table_in(value: Any) -> Found | None:
    """The table that a JSON value represents, or None."""
    if isinstance(value, Mapping):
        return _of_object(value) or _of_columns(value)
    if isinstance(value, list) and value:
        if all(isinstance(row, list) for row in value):
            return _of_rows(value)
        if all(isinstance(row, Mapping) for row in value):
            return _of_records(value)
    return None


def _of_object(value: Mapping[Any, Any]) -> Found | None:
    keys = {re.sub("[^a-z]", "", str(key).lower()).removeprefix("table"): key for key in reversed(list(value))}
    for names_key in (keys[name] for name in _NAMES if name in keys):
        names = value[names_key]
        for rows_key in (keys[name] for name in _ROWS if name in keys):
            rows = value[rows_key]
            if not isinstance(names, list) or not names or rows_key == names_key:
                continue
            try:
                header = [_cell(name, named=True) for name in names]
                table = _rows_under(header, rows)
            except TypeError:
                continue
            if table is not None:
                named = next((str(value[key]) for key in _IDS if isinstance(value.get(key), str | int)), "")
                return Found(header, table, True, named, title_of(value))
    schema = value.get("schema")  # pandas: orient="table"
    if isinstance(schema, Mapping) and isinstance(value.get("data"), list) and "fields" in schema:
        return _of_records(value["data"], sure=True)
    return None


def _rows_under(header: list[str], rows: Any) -> list[list[str]] | None:
    if not isinstance(rows, list) or not rows:
        return None
    if all(isinstance(row, list) for row in rows):
        return [_cells(row) for row in rows]
    if all(isinstance(row, Mapping) for row in rows) and any(name in row for row in rows for name in header):
        return [[text_of(row.get(name)) for name in header] for row in rows]
    return None


def _cells(row: list[Any]) -> list[str]:
    cells: list[str] = []
    for cell in row:
        span = cell.get("column_span", cell.get("colspan", 1)) if isinstance(cell, Mapping) else 1
        if not isinstance(span, int) or not 1 <= span <= _MOST_SPAN:
            raise TypeError("a span of columns is a small number")
        cells += [_cell(cell)] * span
    return cells


def _cell(cell: Any, *, named: bool = False) -> str:
    """The text of a cell, which may also be `{"value": "x", …}` or `["x", [links]]`. Raises TypeError."""
    if isinstance(cell, Mapping):
        for key in ("name", "column_name", "label", "text", "value") if named else ("value", "text"):
            if key in cell:
                return text_of(cell[key])
    if isinstance(cell, list) and len(cell) == 2 and isinstance(cell[0], str) and isinstance(cell[1], list):
        return cell[0]
    return text_of(cell)


def _of_rows(value: list[list[Any]]) -> Found | None:
    """A list of rows. Its first row, which names the columns, contains only texts, and perhaps years."""
    first = value[0]
    if len(value) < 2 or len(first) < 1 or sum(map(len, value)) > MAX_CELLS:
        return None
    try:
        header, *rows = map(_cells, value)
    except TypeError:
        return None
    named = [cell for cell in first if isinstance(cell, str | Mapping | list) and cell]
    if not named or any(isinstance(cell, float | bool) for cell in first):
        return None
    alike = sum(len(row) == len(header) for row in rows)
    return Found(header, rows, len(header) > 2 and alike * 2 > len(rows))


def _of_records(value: Sequence[Any], *, sure: bool = False) -> Found | None:
    keys = dict.fromkeys(key for row in value if isinstance(row, Mapping) for key in row)
    if not keys or len(keys) * len(value) > MAX_CELLS or not all(isinstance(row, Mapping) for row in value):
        return None
    header, columns, notes = plain_columns(list(map(str, keys)), ([row.get(key) for row in value] for key in keys))
    return Found(header, list(zip(*columns, strict=True)), sure, notes=notes) if header else None


def _of_columns(value: Mapping[Any, Any]) -> Found | None:
    """An object of columns: lists of equal length, or (as pandas writes them) objects with the same keys."""
    columns = list(value.values())
    if not columns or (len(columns) == 1 and not isinstance(columns[0], Mapping)):
        return None
    if all(isinstance(column, list) for column in columns):
        lists = columns
    elif all(isinstance(column, Mapping) for column in columns):
        keys = [tuple(column) for column in columns]
        if len(set(keys)) > 1:
            return None
        if all(str(key).isdigit() for key in value) and not all(str(key).isdigit() for key in keys[0]):
            return _of_records(columns)  # pandas: orient="index"
        lists = [list(column.values()) for column in columns]
    else:
        return None
    if len(set(map(len, lists))) > 1 or not lists[0] or len(lists) * len(lists[0]) > MAX_CELLS:
        return None
    header, texts, notes = plain_columns(list(map(str, value)), lists)
    return Found(header, list(zip(*texts, strict=True)), False, notes=notes) if header else None


def title_of(value: Mapping[Any, Any]) -> str:
    """The title given for a table, or ""."""
    return next((value[key] for key in _TITLES if isinstance(value.get(key), str) and value[key]), "")
