"""Parquet files: one table a file. Dates and times are written as ISO text (timestamps that are all at midnight as
dates); null is an empty cell. Columns of lists, records or binary data are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

from symtune.tables.clean import plain_columns
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, Drop, RawTable
from symtune.tables.sources import each_file, files_of

LAYOUT = False
SUFFIXES = (".parquet", ".pq")


def detect(path: Path) -> bool:
    """Whether this is a parquet file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES))


def read(path: Path, drop: Drop) -> Iterator[RawTable]:
    """One table a file; a file named by the user is read whatever its suffix."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: iter([_read_file(file, id)]), drop)


def _read_file(file: Path, id: str) -> RawTable:
    import pyarrow
    import pyarrow.parquet

    try:
        size = pyarrow.parquet.read_metadata(file)
        if size.num_rows * size.num_columns > MAX_CELLS:
            raise BrokenSource(TOO_LARGE, str(file), f"{TOO_LARGE}; cut it first")
        # partitioning: off, or folders called `x=1` would add columns that the file does not hold
        table = pyarrow.parquet.read_table(file, partitioning=None)
        names, columns, notes = plain_columns(table.column_names, map(_values, table.columns))
    except (pyarrow.ArrowException, OSError, ValueError, TypeError) as error:
        detail = f"not a readable parquet file of plain values ({str(error).splitlines()[0]})"
        raise BrokenSource("unreadable file", str(file), detail) from None
    return RawTable(id, names, list(zip(*columns, strict=True)), where=str(file), notes=notes)


def _values(column: Any) -> list[Any]:
    """The values of a column, alike whether pandas is installed or not."""
    from pyarrow import duration, timestamp, types

    kind = column.type
    if types.is_float32(kind):  # with the digits that they have: 0.1, not 0.10000000149011612
        return [None if text is None else float(text) for text in column.cast("string").to_pylist()]
    if types.is_duration(kind):
        return list(column.cast(duration("us"), safe=False).to_pylist())
    if not types.is_timestamp(kind):
        return list(column.to_pylist())
    moments = column.cast(timestamp("us", tz=kind.tz), safe=False).to_pylist()
    if kind.tz is None and all(moment is None or moment.time() == time() for moment in moments):
        return [None if moment is None else moment.date() for moment in moments]
    return list(moments)
