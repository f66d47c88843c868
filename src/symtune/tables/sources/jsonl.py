"""JSON lines (.jsonl, .ndjson, both also as .gz): one table a line, one row a line, or one object a line that holds a
table under a key (see `nested`); the first lines tell. A file that is one JSON document is read too, and as `.json`
where it is the file named.

A table is `{"header": [...], "rows": [[...], ...]}`, or what else `nested` knows; also read: `id` (or `table_id`),
`title` (or `page_title`, `caption`). A file of rows, `{"name": "x", "n": 1}`, is one table: its columns are the keys in
the order in which they come up, and a row that lacks one has an empty cell there. A cell is text, a number, true,
false or null (an empty cell); columns of lists or records are left out. Lines end at a line feed and nowhere else,
since cells may hold carriage returns.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from symtune.tables.clean import plain_columns, text_of
from symtune.tables.delimited import read_text
from symtune.tables.encodings import REFUSED
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, Drop, RawTable, Reading
from symtune.tables.nested import choose, hidden, table_in, tables_of_lines, title_of
from symtune.tables.sources import each_file, files_of

LAYOUT = False
SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
NO_TABLE = "jsonl line without a header and rows of cells"
_FIRST = 20  # values that tell what a file is
_HEAD = 1 << 16  # bytes that tell whether it is UTF-8
_WANTED = "wanted one table or one row a line"
_MOST_OF_A_DOCUMENT = 1 << 27  # bytes of a JSON document that is not written line by line
Value = tuple[int, Any]  # the number of its line (of a document: of the element), and what it is


def detect(path: Path) -> bool:
    """Whether this is a jsonl file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES)) or (path.is_file() and path.name.lower().endswith(".json"))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table. A line that is not JSON breaks its file; a line that holds no table is dropped."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: read_lines(file, id, reading), reading.drop)


def read_lines(file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    """The tables of one file. Raises BrokenSource with file:line."""
    notes: Counter[str] = Counter()
    values = _values(file, reading.encoding, notes)
    first = list(islice(values, _FIRST))
    if not first:
        raise BrokenSource("empty file", str(file), f"empty; {_WANTED}")
    if len(first) == 1 and isinstance(first[0][1], list) and all(isinstance(item, dict) for item in first[0][1]):
        first = list(enumerate(first[0][1], start=1))
    tables = _tables(chain(first, values), first[:_FIRST], id, file, reading)
    for number, table in enumerate(tables):
        yield replace(table, notes=notes + Counter(table.notes)) if notes and not number else table


def _tables(values: Iterator[Value], first: list[Value], id: str, file: Path, reading: Reading) -> Iterator[RawTable]:
    one = first[0][1] if first else None
    objects = [value for _, value in first if isinstance(value, dict)]
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
    """The table in a JSON value, or None where it holds none."""
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
            raise BrokenSource("broken jsonl", where, "not an object; wanted one row a line, as above it")
        rows.append(value)
    keys = dict.fromkeys(key for row in rows for key in row)
    if len(keys) * len(rows) > MAX_CELLS:
        raise BrokenSource(TOO_LARGE, str(file), f"{TOO_LARGE}; cut it first")
    header, texts, notes = plain_columns(list(keys), ([row.get(key) for row in rows] for key in keys))
    yield RawTable(id, header, list(zip(*texts, strict=True)), where=str(file), notes=notes)


# Values


def _values(file: Path, encoding: str | None, notes: Counter[str]) -> Iterator[Value]:
    """Every line that is not blank; or what the file is, where that is one JSON document over several lines."""
    first = True
    for number, line in _lines(file, encoding, notes):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            if first and line.lstrip()[:1] in ("{", "[") and (document := _document(file, encoding)) is not None:
                yield 1, document
                return
            detail = f"{_why(error, line)}; {_WANTED}"
            raise BrokenSource("broken jsonl", f"{file}:{number}", detail) from None
        yield number, value
        first = False


def _why(error: Exception, line: str) -> str:
    if isinstance(error, RecursionError):
        return "JSON that is nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return "a JSON number with too many digits"
    if error.msg.startswith("Extra data"):
        return "more than one JSON value on a line"
    ends = error.pos >= len(line.rstrip()) or error.msg.startswith("Unterminated")
    return "JSON that does not end where its line does" if ends and line.lstrip()[:1] in ("{", "[") else "not JSON"


def _document(file: Path, encoding: str | None) -> Any:
    if file.stat().st_size > _MOST_OF_A_DOCUMENT:
        return None
    text, _ = read_text(file, encoding)
    try:
        return json.loads(text) if len(text) <= _MOST_OF_A_DOCUMENT else None
    except (ValueError, RecursionError):
        return None


def _lines(file: Path, encoding: str | None, notes: Counter[str]) -> Iterator[tuple[int, str]]:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            head = stream.read(_HEAD)
            if encoding is None and _is_utf8(head):
                yield from _utf8_lines(chain(_joined(head, stream), stream), file)
                return
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenSource("unreadable file", str(file), f"cannot be read ({error})") from None
    text, found = read_text(file, encoding)
    notes.update(found)
    yield from enumerate(text.split("\n"), start=1)


def _is_utf8(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head.count(0) * 64 > len(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # may end inside a character
    except UnicodeDecodeError:
        return False
    return True


def _joined(head: bytes, stream: IO[bytes] | gzip.GzipFile) -> list[bytes]:
    """The lines of what was read already; the last one is read to its end."""
    lines = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    return [*lines[:-1], lines[-1] + stream.readline()]


def _utf8_lines(lines: Iterable[bytes], file: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError:
            detail = "its encoding is not UTF-8 from this line on; save it as UTF-8, or name it: --encoding NAME"
            raise BrokenSource(REFUSED, f"{file}:{number}", detail) from None
