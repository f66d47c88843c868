"""Column types: how the cells of a column are read. The text stays as written; only its value is typed.

A column is `number` or `date` only if EVERY cell that is not missing reads as one, and there are at least two such
cells; otherwise it is `text`. `cells` says what one cell can mean; columns add these rules:

| rule | why |
|---|---|
| all numbers carry the same unit (`5 km`, `7 km`), or none does | `5 km` and `5 m` do not compare |
| a unit of three letters or more may be in any case and end in `s` | `1 day`, `6 days` and `2 Days` do compare |
| one integer beyond 2^53 makes the column text | not every engine, and no float, holds it exactly |
| a code with leading zeros (`007`) makes the column text | the zeros are part of it |
| numeric dates (`4/13/2008`, `13.4.2008`) have the same mark, and one a day over 12 | else day and month look alike |
| a column of years is `number` | people count and subtract years |

A type is determined once, on the whole table, and views keep it. Since `parse_cell` depends only on the text and the
type, a cell has the same value in every view.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from symtune.tables.cells import date_order, is_missing, parse_date, parse_number
from symtune.types import ColumnType, Table, Value

MINIMUM = 2  # cells that must read as the type


def infer_types(rows: Sequence[Sequence[str]], width: int) -> tuple[ColumnType, ...]:
    """The type of each of `width` columns. `rows[r][c]` is the text of a cell."""
    if not rows:
        no_rows: ColumnType = "text"
        return (no_rows,) * width
    return tuple([_column_type(cells) for cells in zip(*rows, strict=True)])


def _column_type(cells: Sequence[str]) -> ColumnType:
    first = next((cell for cell in cells if not is_missing(cell, typed=True)), "")
    if parse_number(first) is None and parse_date(first) is None:
        return "text"  # most columns of text are seen by their first cell
    present = [cell for cell in set(cells) if not is_missing(cell, typed=True)]  # the order has no effect
    if len(present) < MINIMUM and cells.count(first) < MINIMUM:
        return "text"
    if _all_numbers(present):
        return "number"
    return "date" if _all_dates(present) else "text"


def _all_numbers(cells: Sequence[str]) -> bool:
    unit: str | None = None
    for cell in cells:
        parsed = parse_number(cell)
        if parsed is None or (unit is not None and parsed[1] != unit and _measure(parsed[1]) != _measure(unit)):
            return False
        unit = parsed[1]
    return True


def _measure(unit: str) -> str:
    """The unit in one form: `day` for `day`, `days` and `Days`. Short units are symbols: `m` is not `M` or `ms`."""
    return unit.casefold().removesuffix("s") if len(unit) > 2 and unit.isalpha() else unit


def _all_dates(cells: Sequence[str]) -> bool:
    if any(parse_date(cell) is None for cell in cells):
        return False
    orders = [date_order(cell) for cell in cells]
    marks = {mark for mark, _ in orders if mark}
    return not marks or (len(marks) == 1 and any(proof for mark, proof in orders if mark))


@lru_cache(maxsize=1 << 16)  # about 200 bytes each
def parse_cell(text: str, type: ColumnType) -> Value:
    """The value of a cell: an int or a finite float, an ISO date, the text itself, or None if it is
    missing.

    In a number or date column, a text that does not read as the type gives None; `infer_types` never gives such a type
    to a column that contains one.
    """
    if type == "text":
        return None if is_missing(text) else text
    if is_missing(text, typed=True):
        return None
    if type == "date":
        return parse_date(text)
    number = parse_number(text)
    return None if number is None else number[0]


def typed_rows(table: Table) -> list[tuple[Value, ...]]:
    """The values of all cells, row by row."""
    if not table.rows:
        return []
    columns = zip(*table.rows, strict=True)
    typed = [_values(cells, type) for type, cells in zip(table.types, columns, strict=True)]
    return list(zip(*typed, strict=True))


def _values(cells: Sequence[str], type: ColumnType) -> list[Value]:
    if type == "text":  # reading it again is faster than a look-up, and takes no memory
        return [None if is_missing(cell) else cell for cell in cells]
    return [parse_cell(cell, type) for cell in cells]
