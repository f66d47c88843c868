"""Parquet files: one table per file, or one per row, if a column holds tables (see `nested`): as a struct, a list, or
JSON text. Dates and times are written as ISO text (timestamps that are all at midnight, as dates); null is an empty
cell. Columns of lists, records or binary data are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from itertools import islice
from pathlib import Path
from typing import Any

from symtune.files import read_parquet
from symtune.tables.clean import plain_columns
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, RawTable, Reading
from symtune.tables.nested import choose, hidden, tables_of_lines
from symtune.tables.sources import each_file, files_of

LAYOUT = False
SUFFIXES = (".parquet", ".pq")
_FIRST = 20  # rows that decide whether they hold tables


def detect(path: Path) -> bool:
    """Whether this is a parquet file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table; a file named by the user is read whatever its suffix."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: _read_file(file, id, reading), reading.drop)


def _read_file(file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(file) as opened:
            columns = _telling(opened.schema_arrow)
            choice = choose(islice(read_parquet(file, columns), _FIRST) if columns else ())
            if choice.keys is None and not choice.hidden:
                yield _one_table(opened, file, id)
    except (pyarrow.ArrowException, OSError, ValueError, TypeError) as error:
        detail = f"not a readable parquet file of plain values ({str(error).splitlines()[0]})"
        raise BrokenSource("unreadable file", str(file), detail) from None
    if choice.hidden:
        raise hidden(choice.hidden, str(file))
    if choice.keys is not None:
        rows = enumerate(read_parquet(file, columns), start=1)
        yield from tables_of_lines(rows, choice.keys, id, file, reading.drop)


def _telling(schema: Any) -> list[str]:
    """The columns that may hold a table, or name one."""
    from pyarrow import types

    kinds = (types.is_nested, types.is_string, types.is_large_string, types.is_dictionary)
    return [column.name for column in schema if any(kind(column.type) for kind in kinds)]


def _one_table(opened: Any, file: Path, id: str) -> RawTable:
    size = opened.metadata
    if size.num_rows * len(opened.schema_arrow) > MAX_CELLS:
        raise BrokenSource(TOO_LARGE, str(file), f"{TOO_LARGE}; cut it first")
    table = opened.read()
    names, columns, notes = plain_columns(table.column_names, map(_values, table.columns))
    return RawTable(id, names, list(zip(*columns, strict=True)), where=str(file), notes=notes)


def _values(column: Any) -> list[Any]:
    """The values of a column, the same whether or not pandas is installed."""
    from pyarrow import duration, timestamp, types

    kind = column.type
    if types.is_float32(kind):  # with their own digits: 0.1, not 0.10000000149011612
        return [None if text is None else float(text) for text in column.cast("string").to_pylist()]
    if types.is_duration(kind):
        return list(column.cast(duration("us"), safe=False).to_pylist())
    if not types.is_timestamp(kind):
        return list(column.to_pylist())
    moments = column.cast(timestamp("us", tz=kind.tz), safe=False).to_pylist()
    if kind.tz is None and all(moment is None or moment.time() == time() for moment in moments):
        return [None if moment is None else moment.date() for moment in moments]
    return list(moments)
