"""JSON lines (.jsonl, .ndjson, both also as .gz): one table per line, one row per line, or one object per line with a
table under a key (see `nested`); the first lines decide which. A file that consists of one JSON list or object over
several lines is read too, and so is a `.json` file if it is named itself.

A table is `{"header": [...], "rows": [[...], ...]}`, or another form that `nested` knows; `id` (or `table_id`) and
`title` (or `page_title`, `caption`) are also read. A file of rows, `{"name": "x", "n": 1}`, is one table: its columns
are the keys in the order in which they first occur, and a row that lacks one has an empty cell there. A cell is text, a
number, true, false or null (an empty cell); columns of lists or records are left out. Lines end only at line feeds,
since cells may contain carriage returns.
"""

from __future__ import annotations

import codecs
import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from symtune.files import json_values
from symtune.tables.clean import plain_columns, text_of
from symtune.tables.delimited import read_bytes, read_text
from symtune.tables.encodings import REFUSED
from symtune.tables.json_tables import table_in, title_of
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, Drop, RawTable, Reading
from symtune.tables.nested import choose, hidden, tables_of_lines
from symtune.tables.sources import each_file, files_of
from symtune.types import InputError

LAYOUT = False
SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
NO_TABLE = "jsonl line without a header and rows of cells"
_FIRST = 20  # values that decide what a file contains
_HEAD = 1 << 16  # bytes that decide whether it is UTF-8
_WANTED = "wanted one table or one row per line"
_LONGEST = 1 << 27  # bytes of a line, which may be a whole table
Value = tuple[int, Any]  # the number of its line (of a document: of the element), and what it is


def detect(path: Path) -> bool:
    """Whether this is a jsonl file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES)) or (path.is_file() and path.name.lower().endswith(".json"))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table. A line that is not JSON breaks its file; a line without a table is dropped."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: read_lines(file, id, reading), reading.drop)


def read_lines(file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    """The tables of one file. Raises BrokenSource with file:line."""
    notes: Counter[str] = Counter()
    values = _values(file, reading.encoding, notes)
    first = list(islice(values, _FIRST))
    if not first:
        raise BrokenSource("empty file", str(file), f"empty; {_WANTED}")
    for number, table in enumerate(_tables(chain(first, values), first, id, file, reading)):
        yield replace(table, notes=notes + Counter(table.notes)) if notes and not number else table


def _tables(values: Iterator[Value], first: list[Value], id: str, file: Path, reading: Reading) -> Iterator[RawTable]:
    one = first[0][1]
    objects = [value for _, value in first if isinstance(value, dict)]
    if all(isinstance(value, list) for _, value in first) and not any(isinstance(cell, list) for cell in one):
        whole = table_in([value for _, value in islice(values, MAX_CELLS)])  # one list of rows
        if whole is not None:
            return iter([whole.raw(id, str(file))])
    if not isinstance(one, dict) or {"header", "rows"} <= one.keys() or ((of := table_in(one)) and of.sure):
        return _a_table_a_line(values, id, file, reading.drop)
    choice = choose(objects, alone=len(first) == 1)
    if choice.hidden:
        raise hidden(choice.hidden, str(file))
    if choice.keys is not None:
        return tables_of_lines(values, choice.keys, id, file, reading.drop)
    if len(first) == 1 and of is not None:
        return iter([of.raw(id, str(file))])
    return _a_row_a_line(values, id, file)


def _a_table_a_line(values: Iterator[Value], id: str, file: Path, drop: Drop) -> Iterator[RawTable]:
    for number, value in values:
        where = f"{file}:{number}"
        table = table_of(value, f"{id}:{number}", where)
        if table is None:
            drop(NO_TABLE, where)
        else:
            yield table


def table_of(value: Any, id: str, where: str) -> RawTable | None:
    """The table in a JSON value, or None."""
    if not isinstance(value, dict):
        found = table_in(value)
        return None if found is None else found.raw(id, where)
    header, rows = value.get("header"), value.get("rows")
    if isinstance(header, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
        with contextlib.suppress(TypeError):  # the plain form, quickly
            cells = [[text_of(cell) for cell in row] for row in rows]
            named = value.get("id") or value.get("table_id") or id
            return RawTable(str(named), [text_of(name) for name in header], cells, title=title_of(value), where=where)
    found = table_in(value)
    return found.raw(id, where) if found is not None and found.sure else None


def _a_row_a_line(values: Iterator[Value], id: str, file: Path) -> Iterator[RawTable]:
    rows = []
    for number, value in values:
        if not isinstance(value, dict):
            where = f"{file}:{number}"
            raise BrokenSource("broken jsonl", where, "not an object; wanted one row per line, as above it")
        rows.append(value)
    keys = dict.fromkeys(key for row in rows for key in row)
    if len(keys) * len(rows) > MAX_CELLS:
        raise BrokenSource(TOO_LARGE, str(file), f"{TOO_LARGE}; cut it first")
    header, texts, notes = plain_columns(list(keys), ([row.get(key) for row in rows] for key in keys))
    yield RawTable(id, header, list(zip(*texts, strict=True)), where=str(file), notes=notes)


# Values


def _values(file: Path, encoding: str | None, notes: Counter[str]) -> Iterator[Value]:
    """What `files.json_values` reads, or, if the file is not UTF-8, the lines of its text."""
    if encoding is None and _is_utf8(file):
        try:
            for entry in json_values(file, longest=_LONGEST):
                yield entry.number, entry.value
        except InputError as error:
            raise _broken(file, str(error)) from None
        return
    text, found = read_text(file, encoding)
    notes.update(found)
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.strip():
                yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BrokenSource("broken jsonl", f"{file}:{number}", f"not JSON ({error}); {_WANTED}") from None


def _broken(file: Path, told: str) -> BrokenSource:
    place, _, detail = told.removeprefix(str(file)).partition(": ")
    if "not UTF-8" in detail:
        hint = "save it as UTF-8, or name its encoding: --encoding NAME"
        return BrokenSource(REFUSED, f"{file}{place}", f"{detail}; {hint}")
    reason = "unreadable file" if detail.startswith("cannot be read") else "broken jsonl"
    return BrokenSource(reason, f"{file}{place}", detail)


def _is_utf8(file: Path) -> bool:
    """Whether a file begins with UTF-8, with a byte order mark of UTF-16, or is compressed."""
    head = read_bytes(file, _HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # may end inside a character
    except UnicodeDecodeError:
        return False
    return head.count(0) * 64 <= len(head)
