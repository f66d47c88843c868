"""DuckDB files: every table, under its own name, with its foreign keys. Files are opened read-only and without access
to anything else. Columns of lists, records or binary data are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from symtune.tables.clean import NOT_PLAIN
from symtune.tables.model import MAX_CELLS, BrokenSource, RawTable, Reading
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
     "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE",
     "UUID", "ENUM", "INTERVAL"]
)  # fmt: skip


def detect(path: Path) -> bool:
    """Whether this is a DuckDB file (by its first bytes), or a folder with one in it."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    return files_with_magic(path, SUFFIXES, 8, b"DUCK")


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table of every file; ids are `FILE/TABLE`, or `FILE/SCHEMA.TABLE` in another schema than main."""
    return each_file(path, [path] if path.is_file() else _files(path), _tables, reading.drop)


def _tables(file: Path, id: str) -> Iterator[RawTable]:
    duckdb = need("duckdb", "duckdb", f"reading {file}")
    try:
        with duckdb.connect(str(file), read_only=True, config=SETTINGS) as connection:
            connection.execute("SET TimeZone = 'UTC'")  # otherwise the text of a time would depend on the machine
            keys = _keys(connection, id)
            names = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
            ).fetchall()
            for schema, name in names:
                header, rows, notes = _table(connection, schema, name)
                own = tuple(sorted(keys.get((schema, name), [])))
                where = f"{file}: table {name}"
                yield RawTable(
                    _id(id, schema, name), header, rows, name=name, foreign_keys=own, where=where, notes=notes
                )
    except duckdb.Error as error:
        detail = f"not a readable DuckDB file ({str(error).splitlines()[0]})"
        raise BrokenSource("unreadable file", str(file), detail) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _id(id: str, schema: str, name: str) -> str:
    return f"{id}/{name}" if schema == "main" else f"{id}/{schema}.{name}"


def _table(connection: Any, schema: str, name: str) -> tuple[list[str], list[list[str]], dict[str, int]]:
    """Header, rows, and how many columns are left out."""
    source = f"{_quoted(schema)}.{_quoted(name)}"
    columns = connection.execute(f"DESCRIBE {source}").fetchall()
    header = [name for name, kind, *_ in columns if kind.split("(")[0] in PLAIN and not kind.endswith("]")]
    notes = {NOT_PLAIN: len(columns) - len(header)} if len(header) < len(columns) else {}
    if not header:
        return [], [], notes
    texts = ", ".join([f"coalesce(CAST({_quoted(name)} AS VARCHAR), '')" for name in header])
    most = MAX_CELLS // len(header) + 1  # a table with this many is refused for its size
    rows = connection.execute(f"SELECT {texts} FROM {source} ORDER BY rowid LIMIT {most}").fetchall()
    return header, rows, notes


def _keys(connection: Any, id: str) -> dict[tuple[str, str], list[tuple[str, str, str]]]:
    """(schema, table) -> its single-column foreign keys; they never leave a schema."""
    keys: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    found = connection.execute(
        "SELECT schema_name, table_name, constraint_column_names, referenced_table, referenced_column_names"
        " FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'"
    ).fetchall()
    for schema, name, columns, other, other_columns in found:
        if len(columns) == len(other_columns) == 1:
            keys.setdefault((schema, name), []).append((columns[0], _id(id, schema, other), other_columns[0]))
    return keys
