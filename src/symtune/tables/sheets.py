"""What workbooks have in common: a compressed file opened in bounded memory, merged cells, sheets as tables."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat
from xml.parsers.expat import ExpatError

from symtune.tables.grids import table_of_grid
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, Drop, RawTable

HIDDEN_SHEET = "hidden sheet: left out"
EMPTY_SHEET = "empty sheet"
MERGED = "cell merged over several rows: its text in each of them"
MAX_BYTES = 1 << 28  # of the parts of a workbook, unpacked
MAX_ROWS = 1 << 20  # in a sheet, which is the limit of spreadsheet programs
_MOST_PARTS = 10_000  # files in a workbook
_OLE = b"\xd0\xcf\x11\xe0"

_MOST_AT_ONCE = 1_000_000  # elements that an XML reader may have to hold at once
_CHUNK = 1 << 20
_UNITS = {"sharedStrings.xml": "si", "content.xml": "table-row"}  # what a reader holds one at a time; otherwise rows

Merged = tuple[int, int, int, int]  # first row, first column, last row, last column, all from 0


def unpackable(file: Path) -> zipfile.ZipFile:
    """The open archive of a workbook whose parts, taken together, fit into memory. Raises BrokenSource."""
    try:
        with file.open("rb") as stream:
            head = stream.read(4)
        if head == _OLE:
            detail = "locked with a password, or in the format of Excel 97; save it as .xlsx without one"
            raise BrokenSource("unreadable file", str(file), detail)
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        detail = f"not a readable workbook ({getattr(error, 'strerror', None) or error})"
        raise BrokenSource("unreadable file", str(file), detail) from None
    parts = [part for part in archive.infolist() if part.filename.endswith((".xml", ".rels"))]
    try:
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > MAX_BYTES:  # zipfile reads no more
            raise BrokenSource("file too large", str(file), f"a workbook of more than {MAX_BYTES >> 20} MB; split it")
        for part in parts:
            if part.file_size > _MOST_AT_ONCE and not part.filename.startswith("xl/pivotCache/"):
                with archive.open(part) as stream:
                    Scan(stream, _UNITS.get(part.filename.rpartition("/")[2], "row"), str(file))
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        RuntimeError,
        NotImplementedError,
        ExpatError,
    ) as error:
        archive.close()
        raise BrokenSource("unreadable file", str(file), f"not a readable workbook ({error})") from None
    except BrokenSource:
        archive.close()
        raise
    return archive


class Scan:
    """A pass over an XML part before a reader builds a tree from it. `unit` names the elements of which the reader
    holds one at a time (a row, a text). Raises BrokenSource for a part that would not fit into memory, and whatever
    expat raises.
    """

    def __init__(self, stream: IO[bytes], unit: str, where: str) -> None:
        self._unit, self._where, self._held, self._units = unit, where, 0, 0
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.CharacterDataHandler = self.text
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.EntityDeclHandler = self._entity
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk)
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._held += 1
        if self._held > _MOST_AT_ONCE or self._units > 2 * MAX_CELLS:
            raise BrokenSource(TOO_LARGE, self._where, f"{TOO_LARGE}; cut it first")
        self.start(name.rpartition(":")[2], attributes)

    def _end(self, name: str) -> None:
        kind = name.rpartition(":")[2]
        if kind == self._unit:
            self._held, self._units = 0, self._units + 1
        self.end(kind)

    def _entity(self, *_: Any) -> None:
        raise BrokenSource("unreadable file", self._where, "not a readable workbook (it defines entities)")

    def start(self, kind: str, attributes: dict[str, str]) -> None:
        """Called for every element that begins."""

    def text(self, text: str) -> None:
        """Called for every text."""

    def end(self, kind: str) -> None:
        """Called for every element that ends."""


def rows_within_bounds(rows: Iterable[Sequence[str]], where: str) -> list[list[str]]:
    """The rows without the empty cells at their ends. Raises BrokenSource if there are too many cells."""
    kept: list[list[str]] = []
    cells = 0
    for row in rows:
        end = len(row)
        while end and not row[end - 1]:
            end -= 1
        cells += end
        if cells > MAX_CELLS or len(kept) >= MAX_ROWS:
            raise BrokenSource(TOO_LARGE, where, f"{TOO_LARGE}; cut it first")
        kept.append(list(row[:end]))
    return kept


def raw_table(
    rows: list[list[str]], merged: Sequence[Merged], id: str, where: str, notes: Counter[str], drop: Drop
) -> RawTable | None:
    """The table of a sheet; if it is empty, None, and it is counted."""
    spanned = {first for first, left, last, right in merged if right > left and first == last}
    filled = _fill(rows, merged)
    shaped = table_of_grid(rows, frozenset(spanned))
    if shaped is None:
        drop(EMPTY_SHEET, where)
        return None
    notes = notes + shaped.notes + Counter({MERGED: filled})
    width, body = len(shaped.header), shaped.rows
    if width * len(body) <= MAX_CELLS:  # otherwise it is refused for its size
        body = [[*row, *[""] * (width - len(row))] for row in body]  # sheets do not store empty cells
    return RawTable(id, shaped.header, body, where=where, notes=notes)


def _fill(rows: list[list[str]], merged: Sequence[Merged]) -> int:
    """Write the text of cells merged over several rows into each of these rows; returns how many there were."""
    filled = cells = 0
    for first, left, last, _ in merged:
        text = rows[first][left] if first < len(rows) and left < len(rows[first]) else ""
        below = range(first + 1, min(last, len(rows) - 1) + 1)
        cells += len(below) * (left + 1)
        if not text or not below or cells > MAX_CELLS:
            continue
        filled += 1
        for number in below:
            row = rows[number]
            row += [""] * (left + 1 - len(row))
            row[left] = row[left] or text
    return filled
