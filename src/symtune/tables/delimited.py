"""Delimited text (csv and the like) to one raw table; shared by the sources that read such files."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

from symtune.tables.clean import RaggedRows, even_rows
from symtune.tables.encodings import decode
from symtune.tables.grids import table_of_grid
from symtune.tables.model import BrokenSource, RawTable

_HEADER_LINE = 1 << 16  # characters that are examined for the header line
_SAMPLE = 1 << 20  # characters by which delimiters are compared
_TOLD = re.compile(r"sep=(.)(?=\r?\n)")  # the line with the delimiter that Excel writes above a csv
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
MAX_BYTES = 1 << 29  # of a file, unpacked; as a table, more would not fit into the memory of a small machine
UNQUOTED = "file whose quotation marks quote nothing: they are part of the cells"
_PLAIN = {"quoting": csv.QUOTE_NONE}


def read_bytes(path: Path, most: int = MAX_BYTES + 1) -> bytes:
    """The first bytes of a file, decompressed if its name ends in .gz. Raises BrokenSource."""
    try:
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as stream:
            data = stream.read(most)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise BrokenSource("unreadable file", str(path), f"cannot be read ({why})") from None
    if len(data) > MAX_BYTES:
        raise BrokenSource("file too large", str(path), f"more than {MAX_BYTES >> 20} MB of text; split it")
    return bytes(data)


def read_text(path: Path, encoding: str | None = None) -> tuple[str, Mapping[str, int]]:
    """The text of a file, and what was guessed or repaired to read it (see `encodings`). Raises BrokenSource."""
    return decode(read_bytes(path), str(path), encoding)


def read_delimited(path: Path, id: str, delimiter: str = ",", **dialect: Any) -> RawTable:
    """The table of a delimited file in a known dialect; blank lines are skipped. Raises BrokenSource with file:line if
    a row is not as wide as the header, a quotation never ends, or the file is empty.
    """
    text, notes = read_text(path)
    rows = [row for row in _rows(str(path), text, {"delimiter": delimiter} | dialect) if row]
    _check_width(str(path), text, {"delimiter": delimiter} | dialect, rows)
    return RawTable(id, rows[0], rows[1:], where=str(path), notes=notes)


def read_any_dialect(path: Path, id: str, delimiters: str, encoding: str | None = None) -> RawTable:
    """The same for a file of unknown dialect and layout: see `table_of_text` and `grids`."""
    text, notes = read_text(path, encoding)
    table = table_of_text(text, id, str(path), delimiters)
    return RawTable(id, table.header, table.rows, where=str(path), notes=Counter(notes) + Counter(table.notes))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text read in one dialect. `good`: how many of its physical lines are in rows of the most common width."""

    dialect: Mapping[str, Any]
    rows: list[list[str]]
    width: int
    good: int
    lines: int
    swallowed: int  # rows in which a quoted cell contains whole rows

    @property
    def perfect(self) -> bool:
        return self.good == self.lines and not self.swallowed


def table_of_text(text: str, id: str, where: str, delimiters: str) -> RawTable:
    """The table of delimited text. The dialect is the one in which most lines are rows of equal width. The delimiters
    in the header line are tried first, the most frequent one before the others; a line `sep=;` above it decides. For
    quoting, see `_forms`.
    """
    if told := _TOLD.match(text):
        text, delimiters = text[told.end() :], told[1]
    reading = _best(text, where, delimiters)
    shaped = table_of_grid(reading.rows)
    if shaped is None:
        raise BrokenSource("empty file", where, "empty; wanted a header line and rows")
    notes = shaped.notes + Counter([UNQUOTED] if reading.dialect.get("quoting") == csv.QUOTE_NONE else [])
    try:
        rows, mended = even_rows(shaped.header, shaped.rows)
    except RaggedRows as error:
        line = _line_of(text, reading, error.row)
        detail = f"{error}; quote cells that contain {reading.dialect['delimiter']!r}"
        raise BrokenSource("ragged row", f"{where}:{line}", detail) from None
    return RawTable(id, shaped.header, rows, where=where, notes=notes + mended)


def _best(text: str, where: str, delimiters: str) -> _Reading:
    header = text[:_HEADER_LINE].lstrip("\r\n").partition("\n")[0]
    found = sorted([mark for mark in delimiters if mark in header], key=header.count, reverse=True)
    first: _Reading | None = None
    broken: BrokenSource | None = None
    if found or not any(mark in text for mark in delimiters):
        try:
            first = _read(text, where, (found or delimiters)[0])
            if first.perfect:
                return first
        except BrokenSource as error:
            broken = error
    if first is not None and first.good * 10 >= first.lines * 9 and len(first.rows[0]) == first.width > 2:
        return first
    sample = text[:_SAMPLE] if len(text) <= _SAMPLE else text[: text.rfind("\n", 0, _SAMPLE) + 1]
    marks = [*found, *(mark for mark in delimiters if mark not in found and mark in sample)]
    readings: list[_Reading] = []
    for mark in marks:
        try:
            readings.append(_read(sample, where, mark))
        except BrokenSource as error:
            broken = broken or error
    for reading in sorted(
        readings, key=lambda reading: reading.good / reading.lines * log2(reading.width), reverse=True
    ):
        mark = reading.dialect["delimiter"]
        try:
            if first is not None and first.dialect["delimiter"] == mark:
                return first
            return reading if len(sample) == len(text) else _read(text, where, mark)
        except BrokenSource as error:
            broken = broken or error
    if first is not None:
        return first
    raise broken or BrokenSource("empty file", where, "empty; wanted a header line and rows")


def _read(text: str, where: str, delimiter: str) -> _Reading:
    """The best reading with a delimiter: the first form without any defect, else the one with the most lines in rows of
    equal width.
    """
    readings: list[_Reading] = []
    broken: BrokenSource | None = None
    for form in _forms(text, delimiter):
        if form is _PLAIN and delimiter not in "\t|" and not any(reading.swallowed for reading in readings):
            continue  # in prose, commas are next to quotation marks everywhere
        try:
            reading = _measured(_rows(where, text, {"delimiter": delimiter} | form), {"delimiter": delimiter} | form)
        except BrokenSource as error:
            broken = broken or error
            continue
        if reading.perfect:
            return reading
        readings.append(reading)
    if not readings and broken is not None:
        raise broken
    if len(readings) > 1 and readings[-1].dialect.get("quoting") == csv.QUOTE_NONE and _encloses(readings[-1]):
        readings.pop()
    return max(readings, key=lambda reading: reading.good)  # of equal ones, the first


def _encloses(reading: _Reading) -> bool:
    """Whether quotation marks surround all names, or all cells of a column, and therefore do quote."""
    rows = [row for row in reading.rows if len(row) == reading.width]
    enclosed = [[len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in row] for row in rows]
    return all(enclosed[0]) or any(sum(column) * 10 > len(rows) * 9 for column in zip(*enclosed, strict=True))


def _forms(text: str, delimiter: str) -> Iterator[dict[str, Any]]:
    """How a file may quote its cells: as in RFC 4180; with a space before the quotation mark; with backslashes (like
    MySQL and WikiTableQuestions); or not at all.
    """
    if f'{delimiter} "' in text:
        yield {"skipinitialspace": True}
    yield {}
    if '\\"' in text:
        yield {"doublequote": False, "escapechar": "\\"}
    if '"' in text:
        yield _PLAIN


def _rows(where: str, text: str, dialect: Mapping[str, Any]) -> list[list[str]]:
    """All rows of a text in a dialect, blank lines as empty ones. Raises BrokenSource with the line."""
    with _any_field_size():
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, **dialect)
        try:
            rows = list(reader)
        except csv.Error as error:
            detail = f"not a readable csv ({error}); check the quotation marks above"
            raise BrokenSource("broken csv", f"{where}:{reader.line_num}", " ".join(detail.split())) from None
    if not any(rows):
        raise BrokenSource("empty file", where, "empty; wanted a header line and rows")
    return rows


def _measured(rows: list[list[str]], dialect: Mapping[str, Any]) -> _Reading:
    widths = Counter(map(len, rows))
    del widths[0]
    width = max(widths.items(), key=lambda item: (item[1], item[0]))[0]
    good = lines = swallowed = 0
    for row in rows:
        if not row:
            continue
        pieces = [""]
        if dialect.get("quoting") != csv.QUOTE_NONE and any("\n" in cell or "\r" in cell for cell in row):
            pieces = _LINE_BREAK.split(dialect["delimiter"].join(row))
            if _swallows(pieces, dialect["delimiter"], width):
                swallowed += 1
                lines += len(pieces)
                continue
        lines += len(pieces)
        good += len(pieces) if len(row) == width else 0
    return _Reading(dialect, rows, width, good, lines, swallowed)


def _swallows(pieces: list[str], delimiter: str, width: int) -> bool:
    """Whether the physical lines of a row are really rows, between two unrelated quotation marks."""
    if width < 2:
        return False
    rows = sum(piece.count(delimiter) == width - 1 for piece in pieces)
    if delimiter in "\t|":
        return rows >= 2 and rows * 5 >= len(pieces) * 3
    return rows == len(pieces) >= 3 and not any(f"{delimiter} " in piece for piece in pieces)


def _line_of(text: str, reading: _Reading, row: Sequence[str]) -> int:
    """The line on which a row of the table ends."""
    wanted = [cell for cell in row if cell.strip()]
    with _any_field_size():
        reader = csv.reader(io.StringIO(text, newline=""), **reading.dialect)
        for line in reader:
            if [cell for cell in line if cell.strip()] == wanted:
                break
        return reader.line_num


def _check_width(where: str, text: str, dialect: Mapping[str, Any], rows: list[list[str]]) -> None:
    """Raise BrokenSource for the first row that is not as wide as the header, with its line."""
    width = len(rows[0])
    if set(map(len, rows)) == {width}:
        return
    with _any_field_size():
        reader = csv.reader(io.StringIO(text, newline=""), **dialect)
        for row in reader:
            if row and len(row) != width:
                detail = (
                    f"ragged row: got {len(row)} cells, the header has {width}; quote cells that contain a delimiter"
                )
                raise BrokenSource("ragged row", f"{where}:{reader.line_num}", detail)


@contextmanager
def _any_field_size() -> Iterator[None]:
    """Let the csv module read cells of any length (its limit, 131,072, holds for the whole process)."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)
