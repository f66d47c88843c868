"""DuckDB files: every table, under its own name, with its foreign keys. Opened read-only, shut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from symtune.tables.model import MAX_CELLS, BrokenSource, Drop, RawTable
from symtune.tables.sources import each_file, files_with_magic
from symtune.types import need

LAYOUT = False
SUFFIXES = (".duckdb", ".ddb", ".db")
SETTINGS = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "threads": "1",
}
PLAIN = frozenset(
    ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
     "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIME", "TIMESTAMP",
     "TIMESTAMP WITH TIME ZONE", "UUID", "ENUM", "INTERVAL"]
)  # fmt: skip


def detect(path: Path) -> bool:
    """Whether this is a DuckDB file (by its first bytes), or a folder with one in it."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    return files_with_magic(path, SUFFIXES, 8, b"DUCK")


def read(path: Path, drop: Drop) -> Iterator[RawTable]:
    """Every table of every file; ids are `FILE/TABLE`."""
    return each_file(path, [path] if path.is_file() else _files(path), lambda file, id: _tables(file, id, drop), drop)


def _tables(file: Path, id: str, drop: Drop) -> Iterator[RawTable]:
    duckdb = need("duckdb", "duckdb", f"reading {file}")
    try:
        with duckdb.connect(str(file), read_only=True, config=SETTINGS) as connection:
            keys = _keys(connection, id)
            names = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
            ).fetchall()
            for schema, name in names:
                where = f"{file}: table {name}"
                table = _table(connection, schema, name)
                if table is None:
                    drop("column of nested or binary data", where)
                else:
                    own = tuple(sorted(keys.get(name, [])))
                    yield RawTable(f"{id}/{name}", *table, name=name, foreign_keys=own, where=where)
    except duckdb.Error as error:
        detail = f"not a readable DuckDB file ({str(error).splitlines()[0]})"
        raise BrokenSource("unreadable file", str(file), detail) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(connection: Any, schema: str, name: str) -> tuple[list[str], list[list[str]]] | None:
    source = f"{_quoted(schema)}.{_quoted(name)}"
    columns = connection.execute(f"DESCRIBE {source}").fetchall()
    if any(column[1].split("(")[0] not in PLAIN for column in columns):
        return None
    texts = ", ".join([f"coalesce(CAST({_quoted(column[0])} AS VARCHAR), '')" for column in columns])
    rows = connection.execute(f"SELECT {texts} FROM {source} ORDER BY rowid LIMIT {MAX_CELLS}").fetchall()
    return [column[0] for column in columns], [list(row) for row in rows]


def _keys(connection: Any, id: str) -> dict[str, list[tuple[str, str, str]]]:
    """table -> its single-column foreign keys."""
    keys: dict[str, list[tuple[str, str, str]]] = {}
    found = connection.execute(
        "SELECT table_name, constraint_column_names, referenced_table, referenced_column_names"
        " FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'"
    ).fetchall()
    for name, columns, other, other_columns in found:
        if len(columns) == len(other_columns) == 1:
            keys.setdefault(name, []).append((columns[0], f"{id}/{other}", other_columns[0]))
    return keys
