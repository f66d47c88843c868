"""Rows of a .tsv or .csv file of SQL: quoted as csv.writer, pandas and Excel write them, or not quoted at all.

A cell of an unquoted tsv may begin with a quotation mark. So a tsv counts as quoted only if it can be read that way:
if every line has as many cells as the header, every cell that begins with a quotation mark must be a complete quoted
cell; otherwise, reading the whole file as quoted must give rows that all have as many cells as the header.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from symtune.sql.corpus.text import MAX_LINE, read_lines
from symtune.types import InputError

TOO_WIDE = "a row of more cells than the header"
_DELIMITERS = ",;\t|"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_TOLD = re.compile(r'"?sep=(.)"?\s*\Z')  # the line with the delimiter that Excel writes above a csv

Row = tuple[str, dict[str, str], str]  # file:line, cells by column, what is wrong with the row ("" for nothing)


def read_rows(path: Path, kind: str, is_field: Callable[[str], bool]) -> Iterator[Row]:
    """The rows below the header, in which `is_field` accepts at least one name. Raises InputError for a file that
    cannot be read this way."""
    delimiter, names, skipped = _header(path, kind, is_field)
    if kind == ".tsv" and not _is_quoted(path, len(names), skipped):
        rows: Iterator[tuple[str, list[str]]] = (
            (where, _without_end(line).split("\t")) for where, line in _body(path, skipped) if line.strip()
        )
    else:
        rows = _csv_rows(path, delimiter, skipped)
    last = max(i for i, name in enumerate(names) if is_field(name))
    for where, cells in rows:
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if len(cells) <= last:
            raise InputError(f"{where}: {len(cells)} cells; wanted {last + 1} or more")
        yield where, dict(zip(names, cells, strict=False)), TOO_WIDE if len(cells) > len(names) else ""


def _header(path: Path, kind: str, is_field: Callable[[str], bool]) -> tuple[str, list[str], int]:
    """The delimiter, the column names, and the number of lines above the first row."""
    delimiters, skipped, where, line = "\t" if kind == ".tsv" else _DELIMITERS, 0, f"{path}:1", ""
    for skipped, (where, line) in enumerate(read_lines(path), start=1):  # noqa: B007 - both are read below
        if told := _TOLD.match(line):
            delimiters = told[1]
        elif line.strip():
            break
    for delimiter in delimiters:
        names = [_unquoted(cell) for cell in _without_end(line).split(delimiter)]
        if any(map(is_field, names)):
            return delimiter, names, skipped
    raise InputError(f"{where}: no column query or sql or SQL in the header: {_without_end(line)[:200]}")


def _without_end(line: str) -> str:
    return line.rstrip("\r\n")


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].replace('""', '"') if _QUOTED.fullmatch(cell) else cell


def _body(path: Path, skipped: int) -> Iterator[tuple[str, str]]:
    lines = read_lines(path)
    for _ in range(skipped):
        next(lines)
    return lines


def _is_quoted(path: Path, width: int, skipped: int) -> bool:
    """Whether the cells of a tsv are quoted."""
    quotes, straight, whole = False, True, True
    for _, line in _body(path, skipped):
        cells = _without_end(line).split("\t")
        straight &= len(cells) == width or not line.strip()
        for cell in cells:
            if cell.startswith('"'):
                quotes = True
                whole &= bool(_QUOTED.fullmatch(cell))
    if not quotes or straight:
        return quotes and whole
    try:
        return all(len(cells) == width for _, cells in _csv_rows(path, "\t", skipped))
    except InputError:
        return False


def _csv_rows(path: Path, delimiter: str, skipped: int) -> Iterator[tuple[str, list[str]]]:
    where = str(path)

    def lines() -> Iterator[str]:
        nonlocal where
        for where, line in _body(path, skipped):  # noqa: B007 - read below
            yield line

    reader: Any = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        limit = csv.field_size_limit(MAX_LINE)  # the limit is global: raised only for this row
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{where}: not a readable csv ({error}); check the quotation marks above") from None
        finally:
            csv.field_size_limit(limit)
        if cells is None:
            return
        if cells:
            yield where, cells
