"""OpenDocument spreadsheets (.ods): every sheet is a table. They are parsed here because no maintained library reads
them in bounded memory (a cell may be declared to repeat a billion times).

A cell is what a person sees: the text stored for it, if that reads as its number; otherwise, since such a text may be
in any language, the number itself. Dates are written in ISO order. Hidden sheets are left out and counted. For merged
cells, see `xlsx`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from symtune.tables.cells import parse_number
from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, RawTable, Reading
from symtune.tables.number_formats import shown
from symtune.tables.sheets import HIDDEN_SHEET, MAX_ROWS, Merged, raw_table, unpackable
from symtune.tables.sources import each_file, files_of

LAYOUT = False
SUFFIXES = (".ods",)
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MOST_COLUMNS = 16_384  # of a sheet


def detect(path: Path) -> bool:
    """Whether this is such a file, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every sheet of every file; ids are `FILE/SHEET`."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: _sheets(file, id, reading), reading.drop)


def _sheets(file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    try:
        with unpackable(file) as archive, archive.open("content.xml") as stream:
            yield from _read(stream, file, id, reading)
    except (KeyError, ElementTree.ParseError, OSError, ValueError, RuntimeError, EOFError) as error:
        locked = "; it may be locked with a password" if "encrypt" in str(error) else ""
        detail = f"not a readable .ods file ({(str(error).splitlines() or [''])[0][:200]}{locked})"
        raise BrokenSource("unreadable file", str(file), detail) from None


def _read(stream: IO[bytes], file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    hidden_styles: set[str] = set()
    sheet = _Sheet("")
    depth = 0  # a cell may contain tables
    for event, element in ElementTree.iterparse(stream, ("start", "end")):
        if event == "start":
            if element.tag == f"{_TABLE}table":
                depth += 1
                if depth == 1:
                    sheet = _Sheet(element.get(f"{_TABLE}name", ""))
                    sheet.hidden = element.get(f"{_TABLE}style-name") in hidden_styles
            continue
        if element.tag == f"{_STYLE}style":
            properties = element.find(f"{_STYLE}table-properties")
            if properties is not None and properties.get(f"{_TABLE}display") == "false":
                hidden_styles.add(element.get(f"{_STYLE}name", ""))
        elif element.tag == f"{_TABLE}table-row" and depth == 1:
            sheet.add(element)
            element.clear()
        elif element.tag == f"{_TABLE}table":
            depth -= 1
            if depth == 0:
                element.clear()
                where = f"{file}: sheet {sheet.name}"
                if sheet.hidden:
                    reading.drop(HIDDEN_SHEET, where)
                elif sheet.too_large:
                    reading.drop(TOO_LARGE, where)
                elif table := raw_table(sheet.rows, sheet.merged, f"{id}/{sheet.name}", where, Counter(), reading.drop):
                    yield table


class _Sheet:
    """A sheet while it is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hidden = self.too_large = False
        self.rows: list[list[str]] = []
        self.merged: list[Merged] = []
        self._cells = 0
        self._empty = 0  # empty rows so far; there may be a million below the table

    def add(self, row: ElementTree.Element) -> None:
        """Add a row, as often as it is declared to repeat."""
        if self.hidden or self.too_large:
            return
        times = _number(row, "number-rows-repeated")
        cells = self._row(row, len(self.rows) + self._empty)
        if not cells:
            self._empty = min(self._empty + times, MAX_ROWS)
            return
        self._cells += len(cells) * times
        if self._cells > MAX_CELLS or len(self.rows) + self._empty + times > MAX_ROWS:
            self.too_large = True
            return
        self.rows += [[] for _ in range(self._empty)]
        self.rows += [list(cells) for _ in range(times)]
        self._empty = 0

    def _row(self, row: ElementTree.Element, number: int) -> list[str]:
        cells: list[str] = []
        empty = 0  # empty cells so far; there may be thousands after the last text
        for cell in row:
            if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                continue
            times = _number(cell, "number-columns-repeated")
            text = _shown(cell)
            if not text:
                empty = min(empty + times, _MOST_COLUMNS)
                continue
            at = len(cells) + empty
            if at + times > _MOST_COLUMNS:
                self.too_large = True
                return []
            rows, columns = _number(cell, "number-rows-spanned"), _number(cell, "number-columns-spanned")
            if rows > 1 or columns > 1:
                self.merged.append((number, at, number + rows - 1, at + columns - 1))
            cells += [""] * empty + [text] * times
            empty = 0
        return cells


def _number(element: ElementTree.Element, name: str) -> int:
    written = element.get(f"{_TABLE}{name}", "1")
    return max(1, int(written)) if written.isdecimal() and len(written) < 10 else 1


def _shown(cell: ElementTree.Element) -> str:
    kind = cell.get(f"{_OFFICE}value-type", "")
    text = "\n".join([_paragraph(part) for part in cell if part.tag == f"{_TEXT}p"])
    if kind == "date":
        day = cell.get(f"{_OFFICE}date-value", text)
        return day.removesuffix("T00:00:00").replace("T", " ")
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value", text)
    if kind in ("float", "percentage", "currency"):
        return _as_number(cell.get(f"{_OFFICE}value", ""), kind, text)
    return text


def _as_number(written: str, kind: str, text: str) -> str:
    try:
        value = float(written)
    except ValueError:
        return text
    found = parse_number(text.strip())
    wanted = value * 100 if kind == "percentage" else value
    if found is not None and abs(found[0] - wanted) <= 0.5 + abs(wanted) / 100:  # it may show fewer decimals
        return text
    return f"{shown(round(wanted, 10), None)}%" if kind == "percentage" else shown(value, None)


def _paragraph(element: ElementTree.Element) -> str:
    """The text of a paragraph, in which repeated spaces, tabs and line breaks are elements."""
    parts = [element.text or ""]
    for part in element:
        kind = part.tag.removeprefix(_TEXT)
        if kind == "s":
            written = part.get(f"{_TEXT}c", "1")
            parts.append(" " * (min(int(written), 100) if written.isdecimal() and len(written) < 10 else 1))
        elif kind in ("tab", "line-break"):
            parts.append("\t" if kind == "tab" else "\n")
        elif kind != f"{_OFFICE}annotation":
            parts.append(_paragraph(part))
        parts.append(part.tail or "")
    return "".join(parts)
