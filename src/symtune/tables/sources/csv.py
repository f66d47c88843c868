"""csv files (.csv, .csv.gz): the first line is the header. The delimiter (`,` `;` tab `|`) and the quoting are inferred
from the file; RFC 4180 is tried first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from symtune.tables.delimited import read_any_dialect
from symtune.tables.model import RawTable, Reading
from symtune.tables.sources import each_file, files_of

LAYOUT = False
SUFFIXES = (".csv", ".csv.gz")


def detect(path: Path) -> bool:
    """Whether this is a csv file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """One table per file; a file named by the user is read whatever its suffix."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)

    def read_one(file: Path, id: str) -> Iterator[RawTable]:
        yield read_any_dialect(file, id, ",;\t|", reading.encoding)

    return each_file(path, files, read_one, reading.drop)
