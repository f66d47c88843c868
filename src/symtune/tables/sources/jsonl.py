"""JSON lines (.jsonl, .jsonl.gz): one table a line, `{"header": [...], "rows": [[...], ...]}`.

Also read: `id` (or `table_id`), `title` (or `page_title`, `caption`). A cell is text, a number, true, false
or null (an empty cell). Lines end at a line feed and nowhere else, since cells may hold carriage returns.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from symtune.tables.clean import text_of
from symtune.tables.model import BrokenSource, Drop, RawTable
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
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            value = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not JSON"
            raise BrokenSource("broken jsonl", where, f"{reason}; wanted one table a line") from None
        table = table_of(value, f"{id}:{number}", where)
        if table is None:
            drop("jsonl line without a header and rows of cells", where)
        else:
            yield table


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
    if not isinstance(header, list) or not isinstance(rows, list):
        return None
    try:
        cells = [[text_of(cell) for cell in row] for row in rows]
        names = [text_of(name) for name in header]
    except TypeError:
        return None
    named = value.get("id") or value.get("table_id") or id
    title = value.get("title") or value.get("page_title") or value.get("caption") or ""
    return RawTable(str(named), names, cells, title=str(title), where=where)
