"""SQLite files: every table, under its own name, with its foreign keys. Opened read-only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from symtune.tables.clean import text_of
from symtune.tables.model import MAX_CELLS, BrokenSource, Drop, RawTable
from symtune.tables.sources import each_file, files_with_magic

LAYOUT = False
SUFFIXES = (".sqlite", ".sqlite3", ".db", ".db3")
MAGIC = b"SQLite format 3\0"
MAX_VALUE = 10_000_000  # bytes; a generated column could claim gigabytes


def detect(path: Path) -> bool:
    """Whether this is an SQLite file (by its first bytes), or a folder with one in it."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    return files_with_magic(path, SUFFIXES, 0, MAGIC)


def read(path: Path, drop: Drop) -> Iterator[RawTable]:
    """Every table of every file; ids are `FILE/TABLE`."""
    return each_file(path, [path] if path.is_file() else _files(path), lambda file, id: _tables(file, id, drop), drop)


def _tables(file: Path, id: str, drop: Drop) -> Iterator[RawTable]:
    try:
        connection = sqlite3.connect(_uri(file), uri=True)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        with closing(connection):
            query = (
                "SELECT name FROM sqlite_master WHERE type = 'table'"
                " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
            )
            for (name,) in connection.execute(query).fetchall():
                where = f"{file}: table {name}"
                try:
                    yield _table(connection, name, id, where)
                except TypeError:
                    drop("column of binary data", where)
    except sqlite3.Error as error:
        detail = f"not a readable SQLite file ({error})"
        raise BrokenSource("unreadable file", str(file), detail) from None


def _uri(file: Path) -> str:
    """Read-only; without a journal beside the file also immutable, so that SQLite writes nothing beside it."""
    journal = any(file.with_name(file.name + suffix).exists() for suffix in ("-wal", "-journal"))
    return f"{file.absolute().as_uri()}?mode=ro" + ("" if journal else "&immutable=1")


def _table(connection: sqlite3.Connection, name: str, id: str, where: str) -> RawTable:
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT * FROM {quoted} LIMIT {MAX_CELLS}")
    header = [column[0] for column in cursor.description]
    rows = [[text_of(value) for value in row] for row in cursor]
    return RawTable(f"{id}/{name}", header, rows, name=name, foreign_keys=_keys(connection, quoted, id), where=where)


def _keys(connection: sqlite3.Connection, quoted: str, id: str) -> tuple[tuple[str, str, str], ...]:
    """Single-column foreign keys; one that names no column means the primary key of the other table."""
    found = connection.execute(f"PRAGMA foreign_key_list({quoted})").fetchall()
    sizes: dict[int, int] = {}
    for key in found:
        sizes[key[0]] = sizes.get(key[0], 0) + 1
    keys = []
    for number, _, other, column, other_column, *_ in found:
        if sizes[number] > 1:
            continue
        if other_column is None:
            other_quoted = '"' + other.replace('"', '""') + '"'
            primary = [row[1] for row in connection.execute(f"PRAGMA table_info({other_quoted})") if row[5]]
            if len(primary) != 1:
                continue
            other_column = primary[0]
        keys.append((column, f"{id}/{other}", other_column))
    return tuple(sorted(keys))
