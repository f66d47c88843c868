"""Engines that run a program on tables: (sql, tables) -> rows of values, or Rejected with a reason.

SQL may be hostile here: it comes from models and from corpora of unknown origin. `Sqlite` therefore lets a statement
read the loaded tables and call the functions of an allow-list, and nothing else (an authorizer refuses the rest when
the statement is compiled), within limits on length, depth, steps and memory that do not depend on the clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from symtune.types import Rejected, Table, Value, need

# What a program may call. Functions that make large values from small ones (printf, zeroblob, replace, hex …), read
# files (readfile, load_extension) or are not deterministic (random, date('now')) are absent.
FUNCTIONS = frozenset(
    """
    count sum avg min max total abs round length upper lower substr substring trim ltrim rtrim instr coalesce
    ifnull nullif iif cast like strftime julianday date row_number rank dense_rank lag lead first_value
    last_value ntile
    """.split()
)
MAX_STEPS = 3_000_000  # virtual machine steps of SQLite: about 0.1 s
_STEP = 10_000
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 50_000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 60,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 8,
    sqlite3.SQLITE_LIMIT_COLUMN: 2_000,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 20,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
}


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in (sqlite3.SQLITE_READ, sqlite3.SQLITE_SELECT):
        return sqlite3.SQLITE_DENY if first == "sqlite_master" else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def quoted(name: str) -> str:
    """A name quoted for a CREATE statement."""
    return '"' + name.replace('"', '""') + '"'


class Sqlite:
    """SQLite in memory, over a set of tables that `load` replaces as a whole. Use one for many contexts.

    `own`: it is only given what `sql.render` writes for typed trees of bounded work (`sql.limits`). Such a program can
    neither do what the authorizer forbids nor run long, so both checks, which take a third of the time, are skipped;
    the limits on length, depth and memory stay.
    """

    def __init__(self, *, own: bool = False) -> None:
        self._own = own
        # One user at a time, but not always in the same thread: the pool in sql/language/engines.py lends it to any.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=0, check_same_thread=False
        )
        self._steps = 0
        self._connection.execute("PRAGMA temp_store=MEMORY")
        self._connection.execute("PRAGMA hard_heap_limit=268435456")
        for limit, value in _LIMITS.items():
            self._connection.setlimit(limit, value)

    def load(self, tables: Sequence[Table], typed: Sequence[Sequence[Sequence[Value]]]) -> None:
        """Replace what is loaded. `typed[i]` are the rows of values of `tables[i]`. Raises Rejected("table cannot
        be loaded") for tables that a database cannot hold (two columns with the same name, a lone surrogate); then
        nothing is loaded.
        """
        connection = self._connection
        connection.set_authorizer(None)
        connection.set_progress_handler(None, 0)
        # What is loaded is a transaction that is never committed: giving it up costs less than dropping tables.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        try:
            connection.execute("BEGIN")
            for table, rows in zip(tables, typed, strict=True):
                # No declared type: a value keeps the class it was bound with (affinity BLOB); text stays text.
                columns = ", ".join(map(quoted, table.header))
                connection.execute(f"CREATE TABLE {quoted(table.name)} ({columns})")
                slots = ", ".join("?" * len(table.header))
                connection.executemany(f"INSERT INTO {quoted(table.name)} VALUES ({slots})", rows)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            connection.execute("ROLLBACK")
            raise Rejected("table cannot be loaded", str(error)) from None
        if not self._own:
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(self._progress, _STEP)

    def _progress(self) -> int:
        self._steps += _STEP
        return int(self._steps > MAX_STEPS)

    def run(self, sql: str, max_rows: int = 10_000) -> list[tuple[Any, ...]]:
        """The rows that one SELECT yields. Raises Rejected: refused, syntax, too long, too many rows."""
        self._steps = 0
        try:
            rows = self._connection.execute(sql).fetchmany(max_rows + 1)
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, UnicodeError) as error:
            raise Rejected(_reason(error), str(error)) from None
        except MemoryError:
            raise Rejected("too much memory") from None
        if len(rows) > max_rows:
            raise Rejected("too many rows", f"more than {max_rows}")
        return rows


_REASONS: tuple[tuple[str, str], ...] = (
    ("not authorized", "refused"),
    ("prohibited", "refused"),
    ("interrupted", "too many steps"),
    ("too big", "too long"),
    ("too many", "too long"),
    ("depth", "too long"),
    ("stack overflow", "too long"),
    ("out of memory", "too much memory"),
    ("no such column", "unknown column"),
    ("no such table", "unknown table"),
    ("one statement", "several statements"),
)


def _reason(error: Exception) -> str:
    text = str(error).lower()
    return next((reason for mark, reason in _REASONS if mark in text), "syntax")


class Duckdb:
    """DuckDB in memory, without access to files, network or Python (extra `duckdb`). Same interface as `Sqlite`.

    Only for programs that are already proven: it limits memory, but not steps. The optimizer is off, because for small
    programs planning costs more than it saves.
    """

    def __init__(self) -> None:
        self._module = need("duckdb", "duckdb", "checking answers with DuckDB")
        self._connection = self._module.connect(
            ":memory:",
            config={
                "enable_external_access": "false",
                "autoload_known_extensions": "false",
                "autoinstall_known_extensions": "false",
                "python_enable_replacements": "false",
                "memory_limit": "512MB",
                "threads": "1",
            },
        )
        self._connection.execute("PRAGMA disable_optimizer")
        self._connection.execute("SET lock_configuration = true")
        self._names: list[str] = []

    def load(self, tables: Sequence[Table], typed: Sequence[Sequence[Sequence[Value]]]) -> None:
        """Replace what is loaded. A number column is BIGINT if every value is whole, else DOUBLE."""
        gone = set(self._names) - {table.name for table in tables}
        try:
            for name in gone:
                self._connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            self._names = [table.name for table in tables]
            for table, rows in zip(tables, typed, strict=True):
                columns = [[row[c] for row in rows] for c in range(len(table.header))]
                arrays = [pa.array(v, _arrow_type(kind, v)) for kind, v in zip(table.types, columns, strict=True)]
                self._connection.register(_LOADING, pa.Table.from_arrays(arrays, names=list(table.header)))
                self._connection.execute(
                    f"CREATE OR REPLACE TABLE {quoted(table.name)} AS SELECT * FROM {quoted(_LOADING)}"
                )
        except (self._module.Error, pa.ArrowException, ValueError, OverflowError) as error:
            raise Rejected("table cannot be loaded", str(error).splitlines()[0]) from None

    def run(self, sql: str, max_rows: int = 10_000) -> list[tuple[Any, ...]]:
        """The rows that one SELECT yields, in DuckDB's dialect."""
        try:
            rows = self._connection.execute(sql).fetchmany(max_rows + 1)
            while len(rows) > max_rows and self._connection.fetchmany(max_rows):
                pass  # a result must be read to the end before the connection does anything else
        except (self._module.Error, OverflowError, ValueError, RuntimeError) as error:
            raise Rejected("duckdb", str(error).splitlines()[0]) from None
        if len(rows) > max_rows:
            raise Rejected("too many rows", f"more than {max_rows}")
        return list(rows)


_LOADING = "symtune: the table that is being loaded"


def _arrow_type(kind: str, values: Sequence[Value]) -> pa.DataType:
    if kind != "number":
        return pa.string()
    return pa.float64() if any(isinstance(v, float) for v in values) else pa.int64()


ENGINES: dict[str, Callable[[], Sqlite | Duckdb]] = {"sqlite": Sqlite, "duckdb": Duckdb}
