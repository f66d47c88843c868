"""Excel workbooks (.xlsx, .xlsm): every sheet is a table. Needs the extra `excel`.

A cell is what a person sees: dates in ISO order, numbers in their format (see `number_formats`), and for a formula the
value stored with it. The value of a cell merged over several rows is repeated in each of them; hidden sheets are left
out and counted; hidden rows and columns, which a filter may hide temporarily, are read. `grids` deals with whatever
surrounds a table in its sheet. A workbook is unpacked and read in bounded memory, whatever sizes it claims.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from symtune.tables.model import MAX_CELLS, TOO_LARGE, BrokenSource, RawTable, Reading
from symtune.tables.number_formats import shown
from symtune.tables.sheets import HIDDEN_SHEET, Merged, Scan, raw_table, rows_within_bounds, unpackable
from symtune.tables.sources import each_file, files_of
from symtune.types import need

LAYOUT = False
SUFFIXES = (".xlsx", ".xlsm")
NO_VALUE = "formula without a stored value: empty cell"
_RANGE = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_MOST_SEEN = 8 * MAX_CELLS  # cells of a sheet that are examined; most may be formatted but empty


def detect(path: Path) -> bool:
    """Whether this is a workbook, or a folder with one in it."""
    return bool(files_of(path, *SUFFIXES))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every sheet of every file; ids are `FILE/SHEET`."""
    files = [path] if path.is_file() else files_of(path, *SUFFIXES)
    return each_file(path, files, lambda file, id: _sheets(file, id, reading), reading.drop)


def _sheets(file: Path, id: str, reading: Reading) -> Iterator[RawTable]:
    openpyxl = need("openpyxl", "excel", f"reading {file}")
    with unpackable(file) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what openpyxl would lose if it wrote the workbook again
        try:
            workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except Exception as error:  # openpyxl raises whatever a broken part happens to cause
            raise _broken(file, error) from None
        try:
            for sheet in workbook.worksheets:
                where = f"{file}: sheet {sheet.title}"
                if sheet.sheet_state != "visible":
                    reading.drop(HIDDEN_SHEET, where)
                elif (table := _table(sheet, archive, f"{id}/{sheet.title}", where, reading)) is not None:
                    yield table
        finally:
            workbook.close()


def _broken(file: Path, error: Exception) -> BrokenSource:
    detail = f"not a readable workbook ({type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]})"
    return BrokenSource("unreadable file", str(file), detail)


def _table(sheet: Any, archive: zipfile.ZipFile, id: str, where: str, reading: Reading) -> RawTable | None:
    sheet.reset_dimensions()  # the size that a sheet declares is often wrong, and may be a billion cells
    try:
        rows = rows_within_bounds(_rows(sheet, where), where)
        with archive.open(sheet._worksheet_path) as stream:  # not public, but openpyxl itself reads only the rows
            scan = _Sheet(stream, where)
    except BrokenSource as error:
        reading.drop(error.reason, where)
        return None
    except Exception as error:  # as above
        broken = _broken(Path(where), error)
        raise broken from None
    return raw_table(rows, scan.merged, id, where, Counter({NO_VALUE: scan.without_value}), reading.drop)


def _rows(sheet: Any, where: str) -> Iterator[list[str]]:
    seen = 0
    for row in sheet.iter_rows():
        seen += len(row) + 1
        if seen > _MOST_SEEN:
            raise BrokenSource(TOO_LARGE, where, f"{TOO_LARGE}; cut it first")
        yield ["" if cell.value is None else shown(cell.value, cell.number_format) for cell in row]


class _Sheet(Scan):
    """What openpyxl does not report about a sheet that it reads row by row: which cells are merged, and how many
    formulas have no stored value.
    """

    def __init__(self, stream: IO[bytes], where: str) -> None:
        self.merged: list[Merged] = []
        self.without_value = 0
        self._formula = self._value = self._in_value = self._text = False
        super().__init__(stream, "row", where)

    def start(self, kind: str, attributes: dict[str, str]) -> None:
        """Record formulas, values and merged cells."""
        if kind == "c":
            self._formula = self._value = False
            self._text = attributes.get("t") == "str"
        elif kind == "f":
            self._formula = True
        elif kind == "v":
            self._in_value = True
            self._value = self._value or self._text  # an empty text is a value
        elif kind == "mergeCell" and (found := _RANGE.fullmatch(attributes.get("ref", ""))):
            left, first, right, last = found.groups()
            self.merged.append((int(first) - 1, _column(left), int(last) - 1, _column(right)))

    def text(self, text: str) -> None:
        """Record that the value has a text."""
        self._value = self._value or self._in_value

    def end(self, kind: str) -> None:
        """Count formulas."""
        if kind == "v":
            self._in_value = False
        elif kind == "c":
            self.without_value += self._formula and not self._value


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
