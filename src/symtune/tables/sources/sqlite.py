"""SQLite files: every table, under its own name, with its foreign keys. Files are opened read-only. Columns of binary
data are left out; text that is not UTF-8 (SQLite accepts any bytes) is read as well as `encodings` can, and counted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from symtune.tables.clean import plain_columns
from symtune.tables.encodings import decode_texts
from symtune.tables.model import MAX_CELLS, BrokenSource, RawTable, Reading
from symtune.tables.sources import each_file, files_with_magic

LAYOUT = False
SUFFIXES = (".sqlite", ".sqlite3", ".db", ".db3")
# Auxiliary tables of FTS and R-Tree tables.
SHADOWS = ("content", "segments", "segdir", "docsize", "stat", "data", "idx", "config", "node", "parent", "rowid")
MAGIC = b"SQLite format 3\0"
BAD_NAME = "name of a table or column that is not UTF-8"
MAX_VALUE = 10_000_000  # bytes; a generated column could claim gigabytes


def detect(path: Path) -> bool:
    """Whether this is an SQLite file (by its first bytes), or a folder with one in it."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    return files_with_magic(path, SUFFIXES, 0, MAGIC)


class NotUtf8(bytes):
    """A text in the file that is not UTF-8."""


def _text(data: bytes) -> str | NotUtf8:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return NotUtf8(data)


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table of every file; ids are `FILE/TABLE`."""
    files = [path] if path.is_file() else _files(path)
    return each_file(path, files, lambda file, id: _tables(file, id, reading), reading.drop)


def _tables(file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    try:
        connection = sqlite3.connect(_uri(file), uri=True)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        connection.text_factory = _text
        with closing(connection):
            found = _names(connection)
            names = [name for name in found if isinstance(name, str)]
            for _ in range(len(found) - len(names)):
                reading.drop(BAD_NAME, str(file))
            columns = {name: _columns(connection, name) for name in names}
            for name in names:
                keys = tuple(sorted(_keys(connection, name, id, columns)))
                where = f"{file}: table {name}"
                try:
                    yield _table(connection, name, id, keys, where, reading.encoding)
                except UnicodeDecodeError:
                    reading.drop(BAD_NAME, where)
                except sqlite3.DataError:
                    reading.drop(f"value over {MAX_VALUE:,} bytes", where)
    except sqlite3.Error as error:
        detail = f"not a readable SQLite file ({error})"
        raise BrokenSource("unreadable file", str(file), detail) from None


def _names(connection: sqlite3.Connection) -> list[str | NotUtf8]:
    """The tables made by people, sorted."""
    query = (
        "SELECT name, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_master WHERE type = 'table'"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    found = connection.execute(query).fetchall()
    hidden = {f"{name}_{shadow}" for name, virtual in found if virtual for shadow in SHADOWS}
    return [name for name, virtual in found if not virtual and name not in hidden]


def _uri(file: Path) -> str:
    """A read-only URI; if there is no journal, also immutable, so that SQLite writes nothing beside the file."""
    journal = any(file.with_name(file.name + suffix).exists() for suffix in ("-wal", "-journal"))
    return f"{file.absolute().as_uri()}?mode=ro" + ("" if journal else "&immutable=1")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(
    connection: sqlite3.Connection,
    name: str,
    id: str,
    keys: tuple[tuple[str, str, str], ...],
    where: str,
    encoding: str | None,
) -> RawTable:
    cursor = connection.execute(f"SELECT * FROM {_quoted(name)}")
    header = [column[0] for column in cursor.description]
    rows = cursor.fetchmany(MAX_CELLS // len(header) + 1)
    if len(rows) * len(header) > MAX_CELLS:
        return RawTable(f"{id}/{name}", header, rows, where=where)  # will be refused for its size
    rows, mended = _decoded(rows, encoding)
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    header, texts, notes = plain_columns(header, columns)
    rows = list(zip(*texts, strict=True))
    return RawTable(f"{id}/{name}", header, rows, name=name, foreign_keys=keys, where=where, notes=notes + mended)


def _decoded(rows: list[Any], encoding: str | None) -> tuple[list[Any], Counter[str]]:
    """The rows with every text read, and how many were not UTF-8."""
    broken = [cell for row in rows for cell in row if type(cell) is NotUtf8]
    if not broken:
        return rows, Counter()
    texts, how = decode_texts(broken, encoding)
    read = iter(texts)
    rows = [tuple([next(read) if type(cell) is NotUtf8 else cell for cell in row]) for row in rows]
    return rows, Counter({how: len(broken)})


def _columns(connection: sqlite3.Connection, name: str) -> list[tuple[str, bool]]:
    """The columns of a table, and whether each is part of the primary key."""
    return [(row[1], bool(row[5])) for row in connection.execute(f"PRAGMA table_info({_quoted(name)})")]


def _keys(
    connection: sqlite3.Connection, name: str, id: str, columns: dict[str, list[tuple[str, bool]]]
) -> Iterator[tuple[str, str, str]]:
    """Single-column foreign keys, with names spelled as in the definitions of tables and columns, since a key may use
    another case. A key that names no column means the primary key of the other table.
    """
    found = connection.execute(f"PRAGMA foreign_key_list({_quoted(name)})").fetchall()
    sizes = Counter(key[0] for key in found)
    for number, _, written, column, other_column, *_ in found:
        other = next((name for name in columns if name.lower() == written.lower()), None)
        if sizes[number] > 1 or other is None:
            continue
        primary = [name for name, is_key in columns[other] if is_key]
        if other_column is None and len(primary) == 1:
            other_column = primary[0]
        own, others = _named(column, columns[name]), _named(other_column, columns[other])
        if own and others:
            yield own, f"{id}/{other}", others


def _named(written: str | None, columns: list[tuple[str, bool]]) -> str:
    return next((name for name, _ in columns if written and name.lower() == written.lower()), "")
