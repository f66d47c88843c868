"""From a raw table to a Table: headers are made unique, and cells kept as written, except for what no reader could
handle.

Headers: white space (including line breaks) is collapsed; an empty name is replaced by its position ("column 3"), and a
repeated one gets a number ("name (2)"). Names are unique ignoring case, since SQL compares identifiers that way.

Rows: made as wide as the header. A short row is padded with empty cells. A long row is cut if only empty cells lie
beyond the header, and otherwise left out; if there are too many of either, the table is refused.

Cells: line breaks of every kind become one space, so that a row stays on one line in every linearization; white space
around the text is removed; NUL and lone surrogates, which SQLite or UTF-8 cannot hold, become U+FFFD. Everything else
stays as it was written.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from symtune.tables.model import MAX_CELLS

SHORT = "row shorter than the header: filled up with empty cells"
CUT = "row with empty cells beyond the header: cut"
LONG = "row longer than the header: left out"
NOT_PLAIN = "column of lists, records or binary data: left out"
_BREAKS = re.compile("[ \t]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNUSUAL = re.compile("[\0\r\n\v\f\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]")


class RaggedRows(Exception):  # noqa: N818 - says what is wrong
    """Too many rows are not as wide as the header. `row`: the first of them."""

    def __init__(self, detail: str, row: Sequence[str]) -> None:
        super().__init__(detail)
        self.row = row


def even_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[Sequence[Sequence[str]], Counter[str]]:
    """The rows, each made as wide as the header, and what was changed. Raises RaggedRows if more than half of the rows
    are short, or more than a tenth are long (one long row is allowed if at least half of the rows are whole).
    """
    width, notes = len(header), Counter[str]()
    if all(len(row) == width for row in rows) or width * len(rows) > MAX_CELLS:  # refused for its size
        return rows, notes
    even, long, short = list[Sequence[str]](), list[Sequence[str]](), list[Sequence[str]]()
    for row in rows:
        if len(row) > width:
            if "".join(row[width:]).strip():
                long.append(row)
                continue
            notes[CUT] += 1
            row = row[:width]
        elif len(row) < width:
            short.append(row)
            row = [*row, *[""] * (width - len(row))]
        even.append(row)
    for some, most, what in ((long, max(1, len(rows) // 10), "longer"), (short, len(rows) // 2, "shorter")):
        if len(some) > most or (some is long and len(some) * 2 >= len(rows)):
            got = f"ragged row: got {len(some[0])} cells, the header has {width}"
            more = f"; {len(some):,} of {len(rows):,} rows are {what}" if len(rows) > 1 else ""
            raise RaggedRows(got + more, some[0])
    notes[LONG], notes[SHORT] = len(long), len(short)
    return even, +notes


def clean_cell(text: str, repaired: Counter[str]) -> str:
    """The text of a cell on one line, which can be stored anywhere; counts what was replaced."""
    if not _UNUSUAL.search(text):
        return text.strip()
    text = _BREAKS.sub(" ", text.strip())
    stored = _UNSTORABLE.sub("\ufffd", text)
    if stored != text:
        repaired["cell with NUL or a lone surrogate: replaced by U+FFFD"] += 1
    return stored.strip()


def clean_rows(rows: Sequence[Sequence[str]], repaired: Counter[str]) -> tuple[tuple[str, ...], ...]:
    """All cells of a table, cleaned."""
    texts = ["".join(row) for row in rows]
    if not _UNUSUAL.search("".join(texts)):
        return tuple([tuple(map(str.strip, row)) for row in rows])
    return tuple(
        [
            tuple([clean_cell(cell, repaired) for cell in row] if unusual else map(str.strip, row))
            for row, unusual in zip(rows, map(_UNUSUAL.search, texts), strict=True)
        ]
    )


def clean_header(header: Sequence[str], repaired: Counter[str]) -> tuple[str, ...]:
    """Unique, non-empty column names, one for each raw name, in order."""
    names = [" ".join(_UNSTORABLE.sub("\ufffd", name).split()) for name in header]
    for position, name in enumerate(names, start=1):
        if not name:
            names[position - 1] = f"column {position}"
            repaired["empty header: named by its position"] += 1
    written = {_key(name) for name in names}
    if len(written) == len(names):
        return tuple(names)
    taken: set[str] = set()
    unique = []
    for name in names:
        chosen, number = name, 1
        while _key(chosen) in taken or (number > 1 and _key(chosen) in written):
            number += 1
            chosen = f"{name} ({number})"
        if number > 1:
            repaired["repeated header: numbered"] += 1
        taken.add(_key(chosen))
        unique.append(chosen)
    return tuple(unique)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def plain_columns(
    header: Sequence[str], columns: Iterable[Sequence[Any]]
) -> tuple[list[str], list[list[str]], Counter[str]]:
    """The names and texts of the columns that hold plain values; other columns are left out and counted."""
    names, texts, notes = list[str](), list[list[str]](), Counter[str]()
    for name, values in zip(header, columns, strict=True):
        try:
            texts.append(list(map(text_of, values)))
        except TypeError:
            notes[NOT_PLAIN] += 1
        else:
            names.append(name)
    return names, texts, notes


def text_of(value: Any) -> str:
    """A plain value as the text of a cell. Raises TypeError for bytes and anything else that is not plain."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, timedelta):
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"a cell cannot be a {type(value).__name__}")
