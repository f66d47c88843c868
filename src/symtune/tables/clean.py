"""From a raw table to a Table: headers made unique, cells kept as written but for what no reader could
survive.

Headers: white space (line breaks too) collapsed; an empty one is called by its position ("column 3"), a
repeated one gets a number ("name (2)"). They are unique without regard to case, since SQL compares
identifiers so.

Cells: line breaks of every kind become one space, so that a row stays on a row in every linearization; white
space around the text is left out; NUL and lone surrogates, which neither SQLite nor UTF-8 can carry, become
U+FFFD. All else stays as people wrote it.
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

NOT_PLAIN = "column of lists, records or binary data: left out"
_BREAKS = re.compile("[ \t]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_UNUSUAL = re.compile("[\0\r\n\v\f\x1c-\x1e\x85\u2028\u2029\ud800-\udfff]")


def clean_cell(text: str, repaired: Counter[str]) -> str:
    """The text of a cell on one line, storable everywhere; counts what was replaced."""
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
) -> tuple[list[str], list[list[str]], tuple[str, ...]]:
    """The names and texts of the columns that hold plain values, and a note for each that does not: it is left
    out.
    """
    names, texts, notes = list[str](), list[list[str]](), list[str]()
    for name, values in zip(header, columns, strict=True):
        try:
            texts.append(list(map(text_of, values)))
        except TypeError:
            notes.append(NOT_PLAIN)
        else:
            names.append(name)
    return names, texts, tuple(notes)


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
