"""Parquet files: one table a file. Dates and times are written as ISO text; null is an empty cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from symtune.tables.clean import text_of
from symtune.tables.model import MAX_CELLS, BrokenSource, Drop, RawTable
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
            raise BrokenSource(f"over {MAX_CELLS:,} cells", str(file), f"over {MAX_CELLS:,} cells; cut it first")
        # partitioning: off, or folders called `x=1` would add columns that the file does not hold
        table = pyarrow.parquet.read_table(file, partitioning=None)
        nested = [field.name for field in table.schema if pyarrow.types.is_nested(field.type)]
        columns = [] if nested else [[text_of(value) for value in column.to_pylist()] for column in table.columns]
    except (pyarrow.ArrowException, OSError, ValueError, TypeError) as error:
        detail = f"not a readable parquet file of plain values ({str(error).splitlines()[0]})"
        raise BrokenSource("unreadable file", str(file), detail) from None
    if nested:
        detail = f"column {nested[0]!r} holds lists or records; wanted one plain value a cell"
        raise BrokenSource("nested column", str(file), detail)
    return RawTable(id, table.column_names, list(zip(*columns, strict=True)), where=str(file))
