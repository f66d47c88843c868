"""Tables inside JSON values: how people write one, and under which key of a line it lies.

| a table is | for example |
|---|---|
| an object with its column names and its rows | `{"header": […], "rows": [[…], …]}`, `columns` and `data` |
| a list of rows, the first one the header | `[["City", "Pop", "Land"], ["Oslo", "7", "N"]]` |
| a list of records | `[{"City": "Oslo", "Pop": 7}, …]` |
| an object of columns | `{"City": ["Oslo", …], "Pop": [7, …]}` |
| the same as text: JSON, or delimited with one row a line | `"[[\\"City\\", …]]"`, `"City#Pop\\nOslo#7"` |

The first two (of three columns and more) are tables under any key. The others are what messages, answers and orders
look like too, so they are read only under a key that says table; under another key, where no key says so, the file is
refused by the name of the key: what else the lines hold would become one table of question ids.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from symtune.tables.clean import plain_columns, text_of
from symtune.tables.delimited import table_of_text
from symtune.tables.model import MAX_CELLS, BrokenSource, Drop, RawTable

TAKEN_ONCE = "table that several lines hold: taken once"
_NAMES = ("header", "headers", "columns", "columnnames", "colnames", "cols", "fields", "names", "columnheaders", "head")
_ROWS = ("rows", "data", "cells", "values", "body", "records", "content", "contents", "row", "cellvalues",
         "columnvalues", "contentvalues")  # fmt: skip
_TITLES = ("title", "page_title", "caption", "table_title", "table_page_title")
_IDS = ("id", "table_id", "uid", "name", "table_name")
_TABLE = re.compile(r"table|^(?:tbl|dataframe|df|spreadsheet|sheet|grid|csv|tsv|data|rows|records)$", re.IGNORECASE)
_LINEAR = re.compile(r"\s*(?:<table|col(?:umns?)?\s*:|header\s*:)|.*\brow 1\s*:", re.IGNORECASE | re.DOTALL)
_DEEPEST = 3  # keys that lead to a table
_LONGEST_TEXT = 10_000_000  # characters of a table written as text
_MOST_KEYS = 1_000  # of an object
_MOST_SPAN = 1_000  # columns of one cell
Keys = tuple[str, ...]  # one inside the other


@dataclass(frozen=True, slots=True)
class Found:
    """A table in a JSON value. `sure`: nothing else is written so."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    sure: bool
    id: str = ""
    title: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)

    def raw(self, id: str, where: str) -> RawTable:
        """The table, called `id` where it has no name of its own."""
        return RawTable(self.id or id, self.header, self.rows, title=self.title, where=where, notes=self.notes)


def table_in(value: Any) -> Found | None:
    """The table that a JSON value is, or None."""
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
    """The text of a cell, also of `{"value": "x", …}`, and of `["x", [links]]`. Raises TypeError."""
    if isinstance(cell, Mapping):
        for key in ("name", "column_name", "label", "text", "value") if named else ("value", "text"):
            if key in cell:
                return text_of(cell[key])
    if isinstance(cell, list) and len(cell) == 2 and isinstance(cell[0], str) and isinstance(cell[1], list):
        return cell[0]
    return text_of(cell)


def _of_rows(value: list[list[Any]]) -> Found | None:
    """A list of rows. Its first row names columns: texts, and years at most."""
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
    """An object of columns: lists of one length, or (as pandas writes them) objects with the same keys."""
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
    """The title that a table is given, "" for none."""
    return next((value[key] for key in _TITLES if isinstance(value.get(key), str) and value[key]), "")


def hidden(key: str, where: str) -> BrokenSource:
    """The fault of a file whose lines may hold tables under a key that does not say so."""
    detail = (
        f"its lines hold what may be tables under the key {key[:80]!r}, and rows beside it; call the key 'table' where "
        "they are tables in a form that docs/tables.md names, or take it out"
    )
    return BrokenSource(f"tables hidden under the key {key[:80]!r}", where, detail)


# Under which key


def tables_of_lines(
    lines: Iterable[tuple[int, Any]], keys: Keys, id: str, file: Path, drop: Drop
) -> Iterator[RawTable]:
    """The tables that the lines of a file (with their numbers) hold under keys. One that several lines hold, since
    many questions are about it, is taken once.
    """
    seen: set[bytes] = set()
    for number, line in lines:
        where = f"{file}:{number}"
        tables = tables_at(line, keys, where)
        if not tables:
            drop(f"line without a table under {'.'.join(keys)[:80]!r}", where)
        for at, table in enumerate(tables, start=1):
            content = blake2b(json.dumps([table.header, table.rows]).encode("utf-8", "surrogatepass"), digest_size=16)
            if content.digest() in seen:
                drop(TAKEN_ONCE, where)
                continue
            seen.add(content.digest())
            yield table.raw(f"{id}:{number}" if len(tables) == 1 else f"{id}:{number}.{at}", where)


def unpacked(value: Any) -> Any:
    """A JSON text as the value that it writes, where that is an object or a list; anything else as it is."""
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.lstrip()[:1] in ("{", "["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, dict | list) else value
    return value


def tables_at(line: Any, keys: Keys, where: str) -> list[Found]:
    """The tables of a line under keys, one inside the other."""
    value = line
    for key in keys:
        value = unpacked(value.get(key) if isinstance(value, Mapping) else None)
    title = title_of(line) if isinstance(line, Mapping) else ""
    outer = line.get("table_id") or line.get("table_name") if isinstance(line, Mapping) else ""
    found = _tables_in(value, where)
    outer = outer if outer and len(found) == 1 else ""
    return [replace(table, id=table.id or str(outer), title=table.title or title) for table in found]


def _tables_in(value: Any, where: str) -> list[Found]:
    value = unpacked(value)
    if isinstance(value, str):
        found = _of_text(value, where)
    else:
        found = table_in(value)
    if found is not None and found.sure:
        return [found]
    if isinstance(value, list) and value:  # of tables
        several = [table_in(unpacked(item)) for item in value]
        if all(item is not None and item.sure for item in several):
            return [item for item in several if item is not None]
    return [found] if found is not None else []


def _of_text(text: str, where: str) -> Found | None:
    if "\n" not in text.strip() or len(text) > _LONGEST_TEXT:
        return None
    lines = [line.strip() for line in text.strip().splitlines()]
    if all(line.startswith("|") for line in lines):  # Markdown
        lines = [line.strip("|") for line in lines if not re.fullmatch(r"[\s|:-]+", line)]
    try:
        table = table_of_text("\n".join(lines), "", where, "\t#|,;")
    except BrokenSource:
        return None
    sure = len(table.header) > 1 and not table.notes
    return Found(table.header, table.rows, sure) if sure else None


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the tables of some lines lie: under `keys` (None: the lines are rows), or `hidden` under a key that does
    not say whether it holds tables.
    """

    keys: Keys | None = None
    hidden: str = ""


def choose(lines: Iterable[Any], *, alone: bool = False) -> Choice:
    """Where the tables of lines lie, by the first of them. `alone`: the line is the whole file, so that nothing but a
    table can be meant by what looks like one.
    """
    ranks: dict[Keys, Counter[int]] = {}
    for line in lines:
        for path, rank in _candidates(line, ()):
            ranks.setdefault(path, Counter())[rank] += 1
    best = {path: (min(found), -sum(found.values()), len(path)) for path, found in ranks.items()}
    order = sorted(best, key=lambda path: (best[path][0], path[-1].lower() != "table", *best[path][1:]))
    if not order:
        return Choice()
    hidden = best[order[0]][0] >= _UNSURE and not (alone and best[order[0]][0] == _UNSURE and len(order) == 1)
    return Choice(hidden=".".join(order[0])) if hidden else Choice(order[0])


_UNSURE, _UNREADABLE = 3, 4


def _candidates(line: Any, path: Keys) -> Iterator[tuple[Keys, int]]:
    """Every key that may hold tables, and how plainly: 0 a sure table under a key that says so, 1 another one under
    such a key, 2 a sure one under another key, 3 (`_UNSURE`) what may be something else, 4 (`_UNREADABLE`) a table
    that cannot be read.
    """
    if not isinstance(line, Mapping) or len(path) >= _DEEPEST:
        return
    for key, value in islice(line.items(), _MOST_KEYS):
        inner = (*path, str(key))
        value = unpacked(value)
        says = bool(_TABLE.search(str(key)))
        found = _tables_in(value, "") if says or isinstance(value, list | Mapping) else []
        if found:
            sure = all(table.sure for table in found)
            yield inner, (0 if sure else 1) if says else (2 if sure else _UNSURE)
        elif isinstance(value, Mapping):
            yield from _candidates(value, inner)
        elif isinstance(value, str) and says and ("\n" in value.strip() or _LINEAR.match(value)):
            yield inner, _UNREADABLE
