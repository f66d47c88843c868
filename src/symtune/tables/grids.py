"""From a grid of cells, as laid out in a file or a sheet, to a header and rows.

Whatever is removed or joined is counted by kind, in this order:

| what a grid contains | what becomes of it |
|---|---|
| rows without any text, and columns with neither name nor text | left out |
| lines above the header (a title, a source, a date), which fill little of the table's width | left out |
| two header rows: groups above (`2019` and empty cells) and names below (`Men`, `Women`), or units below | `2019 Men` |
| lines below the table, after an empty row or beginning with "Source:" or "Note:" | left out |
| every row one cell longer than the header: row names, as R writes them | a column without a name |

All of this is decided by the cells, and only if the evidence is clear: a row of values is never a header, and a first
line that fills the table's width is always the header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symtune.tables.cells import is_missing, parse_date, parse_number

EMPTY_ROW = "empty row: left out"
EMPTY_COLUMN = "empty column: left out"
ABOVE = "line above the header: left out"
BELOW = "line below the table: left out"
SECOND_HEADER = "second header row: joined to the first"
ROW_NAMES = "row names without a header: named by their position"
_MOST_ABOVE = 20  # lines above a header
_MOST_BELOW = 20
_SAMPLE = 1_000  # rows that determine how wide a table is and what its columns contain
_LEAST, _MOST_CELLS = 10, 100_000  # rows, and cells, by which columns of values are recognized
_LONGEST_UNIT = 12  # characters: "(thousands)"
_DATE, _YEARS = "a date", "a year"
_FOOTER = re.compile(r"\s*(?:(?:data )?sources?|notes?|quelle|anmerkung|fuente|fonte)\s*:|\s*[*†‡]", re.IGNORECASE)

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A header, the rows under it (each as wide as it was written), and what was removed or joined."""

    header: list[str]
    rows: list[Row]
    notes: Counter[str]


def table_of_grid(grid: Iterable[Row], spanned: frozenset[int] = frozenset()) -> Grid | None:
    """The table in a grid; None if no row has any text. `spanned`: rows with cells merged across columns."""
    notes: Counter[str] = Counter()
    rows: list[Row] = []
    spans, behind_blank = set[int](), set[int]()
    blank = False
    for number, row in enumerate(grid):
        if not "".join(row).strip():
            notes[EMPTY_ROW] += len(row) > 0  # a blank line of a file is not a row
            blank = True
            continue
        if blank:
            behind_blank.add(len(rows))
        if number in spanned:
            spans.add(len(rows))
        blank = False
        rows.append(row)
    if not rows:
        return None
    found = _Shape(_without_empty_columns(rows, notes), behind_blank, spans)
    start = found.header_at()
    notes[ABOVE] += start
    header, under = found.header(start, notes)
    end = found.end(under)
    notes[BELOW] += len(rows) - end
    body = found.rows[under:end]
    if _has_row_names(header, body):
        header = ["", *header]
        notes[ROW_NAMES] += 1
    return Grid(header, body, +notes)


def _without_empty_columns(rows: list[Row], notes: Counter[str]) -> list[Row]:
    width = max(map(len, rows))
    used: set[int] = set()
    for row in rows:
        used.update(_filled(row))
        if len(used) == width:
            return rows
    notes[EMPTY_COLUMN] += width - len(used)
    kept = sorted(used)
    return [[row[at] for at in kept if at < len(row)] for row in rows]


def _filled(row: Row) -> list[int]:
    return [at for at, cell in enumerate(row) if cell and not cell.isspace()]


def _has_row_names(header: list[str], body: list[Row]) -> bool:
    if len(body) < 3 or any(len(row) != len(header) + 1 or not row[-1].strip() for row in body):
        return False
    return len({row[0] for row in body}) == len(body)


def _used(rows: Sequence[Row], at: int) -> int:
    """How many rows have text in a column."""
    return sum(1 for row in rows if at < len(row) and row[at].strip())


def _unit(cell: str) -> str | None:
    """The unit of a number, `_DATE` for a date, None for anything else."""
    number = parse_number(cell)
    if number is not None:
        return number[1].casefold().removesuffix("s")
    return None if parse_date(cell) is None else _DATE


def _is_year(cell: str) -> bool:
    return cell.isdigit() and len(cell) == 4 and "1500" <= cell <= "2100"


@dataclass(frozen=True, slots=True)
class _Shape:
    """Rows with text, which of them follow an empty row, and which have cells merged across columns."""

    rows: list[Row]
    behind_blank: set[int]
    spans: set[int]

    def header_at(self) -> int:
        """The row of the header: 0, or the first row as full as those of the table, if nothing above it is a table."""
        sample = self.rows[:_SAMPLE]
        fill = [len(_filled(row)) for row in sample]
        full, width = _mode(fill), _mode([len(row) for row in sample])
        near = range(min(_MOST_ABOVE + 1, len(fill) - 1))
        fullest = next((at for at in near if fill[at] >= full), 0)
        almost = next((at for at in near if fill[at] >= max(2, full - 1)), 0)  # one name may be missing
        if full < 2 or fullest == 0:
            return 0
        for at in (fullest, almost) if self._is_note(almost, fullest, full, width) == 2 else (almost, fullest):
            if not at or self._is_data(self.rows[at], self._columns(at + 1) or self._columns(at + 2)):
                continue
            notes = [self._is_note(row, at, full, width) for row in range(self._first_of_group(at))]
            typed = self._columns(at + 1) or self._columns(at + 2)
            wanted = 1 if typed and almost == at else 2
            if all(note >= wanted for note in notes):
                return self._first_of_group(at)
        return 0

    def _first_of_group(self, at: int) -> int:
        """The row that names groups of the columns named in this row, else this row."""
        return at - 1 if at and at not in self.behind_blank and self._is_group(at - 1, at) else at

    def _is_note(self, at: int, header: int, full: int, width: int) -> int:
        """Whether a line above the header is not part of the table: 2 if certainly, 1 if probably."""
        row = self.rows[at]
        filled = _filled(row)
        first = row[filled[0]].strip()
        blank = any(row in self.behind_blank for row in range(at + 1, header + 1))
        ragged = len(row) < width and len(filled) < full
        if (len(filled) <= 2 and first.endswith(":")) or (len(filled) == 1 and (first.startswith("#") or full > 2)):
            return 2 if filled[0] == 0 or blank else 1
        if ragged and (blank or len(filled) <= width // 2):
            return 2
        return int(len(filled) <= max(1, full // 2) or (blank and len(filled) < full))

    def _columns(self, start: int) -> dict[int, frozenset[str]]:
        """The columns of values in the rows from `start` on: position -> their units; `_YEARS` if all are years."""
        width = max(map(len, self.rows[start : start + _SAMPLE]), default=0)
        body = self.rows[start : start + max(_LEAST, min(_SAMPLE, _MOST_CELLS // max(width, 1)))]
        found = {}
        for at in range(width):
            cells = [row[at].strip() for row in body if at < len(row)]
            cells = [cell for cell in cells if not is_missing(cell, typed=True)]
            units = list(map(_unit, cells))
            if cells and None not in units:
                years = [_YEARS] if all(map(_is_year, cells)) else []
                found[at] = frozenset([*(unit for unit in units if unit is not None), *years])
        return found

    @staticmethod
    def _is_data(row: Row, columns: dict[int, frozenset[str]]) -> bool:
        """Whether the row has a value in a column of such values. "1 credit" is a name above numbers without a unit,
        and a year is a name above numbers that are not years.
        """
        cells = [(row[at].strip(), units) for at, units in columns.items() if at < len(row)]
        return any(_unit(cell) in units and (_YEARS in units or not _is_year(cell)) for cell, units in cells)

    def _is_group(self, upper: int, lower: int) -> bool:
        """Whether a row names groups of the columns named in the row below it."""
        cells = [self.rows[upper][at].strip() for at in _filled(self.rows[upper])]
        above, below = _filled(self.rows[upper]), _filled(self.rows[lower])
        spanning = any(at not in above and at > above[0] for at in below)
        names = all(not cell.endswith(":") and (_is_year(cell) or _unit(cell) is None) for cell in cells)
        if len(above) < 2 or not spanning or not names:
            return False
        return above != list(range(len(above))) or any(at not in below for at in above) or upper in self.spans

    def header(self, start: int, notes: Counter[str]) -> tuple[list[str], int]:
        """The header that begins in this row, and the position of the row below it."""
        names = [cell.strip() for cell in self.rows[start]]
        if start + 3 > len(self.rows) or not self._goes_on(start):
            return list(self.rows[start]), start + 1
        notes[SECOND_HEADER] += 1
        second = [cell.strip() for cell in self.rows[start + 1]]
        width = max(len(names), len(second))
        names += [""] * (width - len(names))
        second += [""] * (width - len(second))
        joined, group = [], ""
        for upper, lower in zip(names, second, strict=True):
            group = upper or (group if lower else "")
            joined.append(" ".join(dict.fromkeys(part for part in (group, lower) if part)))
        under = start + 2
        third = _filled(self.rows[under])
        if start + 4 <= len(self.rows) and not any(joined[at] for at in third if at < width) and max(third) < width:
            for at in third:  # the names of index columns, as pandas writes them
                joined[at] = self.rows[under][at].strip()
            under += 1
        return joined, under

    def _goes_on(self, start: int) -> bool:
        """Whether the row below the header is its second row."""
        upper, lower = self.rows[start], self.rows[start + 1]
        above, below = _filled(upper), _filled(lower)
        spanning = self._is_group(start, start + 1)
        repeated = any(at + 1 in above and upper[at].strip() == upper[at + 1].strip() for at in above)
        body = self.rows[start + 2 : start + 2 + _SAMPLE]
        # a name that spans both rows
        open_below = [at for at in above if at not in below and 2 * _used(body, at) >= len(body)]
        if start + 1 in self.behind_blank or not (spanning or repeated or open_below):
            return False
        if all(is_missing(lower[at], typed=True) for at in below):
            return False
        columns = self._columns(start + 2)
        typed = any(at in columns and not is_missing(lower[at], typed=True) for at in below)
        if self._is_data(lower, columns):
            return False
        if spanning and (start in self.spans or self._several_groups(upper, lower)):
            return True
        if spanning or repeated:
            return typed or bool(open_below)
        units = all(at in columns and len(lower[at].strip()) <= _LONGEST_UNIT for at in below)
        return typed and units and any(_used(body, at) == len(body) for at in open_below)

    @staticmethod
    def _several_groups(upper: Row, lower: Row) -> bool:
        """Whether several groups span several columns each, all of which have names: different ones, or the same under
        every group, as in Men, Women, Men, Women.
        """
        groups: dict[int, list[str]] = {}
        group = -1
        for at, cell in enumerate(lower):
            group = at if at < len(upper) and upper[at].strip() else group
            groups.setdefault(group, []).append(cell.strip())
        names = [name for group in groups.values() for name in group]
        several = [tuple(group) for at, group in groups.items() if len(group) > 1 and at >= 0]
        again = len(several) > 1 and len(set(several)) == 1
        return len(several) > 1 and (again or (not upper[0].strip() and all(names) and len(set(names)) == len(names)))

    def end(self, under: int) -> int:
        """The row after the last row of the table."""
        rows, last = self.rows, len(self.rows)
        full = _mode([len(_filled(row)) for row in rows[under : under + _SAMPLE]])
        width = _mode([len(row) for row in rows[under : under + _SAMPLE]])
        first = last
        while first > under + 1 and last - first < _MOST_BELOW:
            row = rows[first - 1]
            filled = len(_filled(row))
            named = _FOOTER.match(row[0]) or (first - 1 in self.behind_blank and len(row) < width)
            if filled > max(1, full // 2) and not (named and filled < max(full, 2)):
                break
            first -= 1
        if full < 2:
            return last
        return next((at for at in range(first, last) if at in self.behind_blank or _FOOTER.match(rows[at][0])), last)


def _mode(numbers: list[int]) -> int:
    """The most frequent number; of several, the largest."""
    return max(Counter(numbers).items(), key=lambda item: (item[1], item[0]), default=(0, 0))[0]
