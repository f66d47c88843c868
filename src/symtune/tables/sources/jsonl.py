"""JSON lines (.jsonl, .jsonl.gz): one table a line, or one row a line; the first line tells.

A table is `{"header": [...], "rows": [[...], ...]}`; also read: `id` (or `table_id`), `title` (or `page_title`,
`caption`). A file of rows, `{"name": "x", "n": 1}`, is one table: its columns are the keys in the order in which
they come up, and a row that lacks one has an empty cell there. A cell is text, a number, true, false or null (an
empty cell); columns of lists or records are left out. Lines end at a line feed and nowhere else, since cells may
hold carriage returns.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from symtune.tables.clean import plain_columns, text_of
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, Drop, RawTable
from symtune.tables.sources import each_file, files_of

LAYOUT = False
SUFFIXES = (".jsonl", ".jsonl.gz")


def detect(path: Path) -> bool:
    """Whether this is a jsonl file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES))


def read(path: Path, drop: Drop) -> Iterator[RawTable]:
    """One table a line. A line that is not JSON breaks its file; a line that holds no table is dropped."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: read_lines(file, id, drop), drop)


def read_lines(file: Path, id: str, drop: Drop) -> Iterator[RawTable]:
    """The tables of one file. Raises BrokenSource with file:line."""
    values = _values(file)
    first = next(values, None)
    if first is None:
        raise BrokenSource("empty file", str(file), "empty; wanted one table or one row a line")
    values = chain([first], values)
    if isinstance(first[1], dict) and not {"header", "rows"} <= first[1].keys():
        yield _table_of_rows(values, id, file)
        return
    for number, value in values:
        where = f"{file}:{number}"
        table = table_of(value, f"{id}:{number}", where)
        if table is None:
            drop("jsonl line without a header and rows of cells", where)
        else:
            yield table


def _table_of_rows(values: Iterator[tuple[int, Any]], id: str, file: Path) -> RawTable:
    rows = []
    for number, value in values:
        if not isinstance(value, dict):
            raise BrokenSource("broken jsonl", f"{file}:{number}", "not an object; wanted one row a line, as above it")
        rows.append(value)
    keys = dict.fromkeys(key for row in rows for key in row)
    if len(keys) * len(rows) > MAX_CELLS:
        raise BrokenSource(TOO_LARGE, str(file), f"{TOO_LARGE}; cut it first")
    header, texts, notes = plain_columns(list(keys), ([row.get(key) for row in rows] for key in keys))
    return RawTable(id, header, list(zip(*texts, strict=True)), where=str(file), notes=notes)


def _values(file: Path) -> Iterator[tuple[int, Any]]:
    """Line number and value of every line that is not blank."""
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError) as error:
            reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not JSON"
            detail = f"{reason}; wanted one table or one row a line"
            raise BrokenSource("broken jsonl", f"{file}:{number}", detail) from None


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            yield from stream
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenSource("unreadable file", str(file), f"cannot be read ({error})") from None


def table_of(value: Any, id: str, where: str) -> RawTable | None:
    """The table in a JSON object, or None where it holds none."""
    if not isinstance(value, Mapping):
        return None
    header, rows = value.get("header"), value.get("rows")
    if not isinstance(header, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    try:
        cells = [[text_of(cell) for cell in row] for row in rows]
        names = [text_of(name) for name in header]
    except TypeError:
        return None
    named = value.get("id") or value.get("table_id") or id
    title = value.get("title") or value.get("page_title") or value.get("caption") or ""
    return RawTable(str(named), names, cells, title=str(title), where=where)
