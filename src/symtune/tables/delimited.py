"""Delimited text (csv and its relatives) to one raw table; shared by the sources that read such files."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symtune.tables.model import BrokenSource, RawTable

NOT_UTF8 = "file is not UTF-8: read as Windows-1252"


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file: UTF-8 (with or without byte order mark), UTF-16 with one, else Windows-1252, which
    is what spreadsheets write that do not write UTF-8. Also notes on what was mended. Raises BrokenSource.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BrokenSource("unreadable file", str(path), f"cannot be read ({error.strerror})") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, (NOT_UTF8,) if encoding == "cp1252" else ()
    raise BrokenSource(
        "not text in a known encoding", str(path), "neither UTF-8, UTF-16 nor Windows-1252; save it as UTF-8"
    )


def read_delimited(path: Path, id: str, delimiter: str | None = ",", **dialect: Any) -> RawTable:
    """The table of a delimited file; blank lines are passed over. `delimiter` None: see `delimiter_of`.
    Raises BrokenSource with file:line where a row is not as wide as the header, a quote never ends, or
    nothing is there.
    """
    text, notes = read_text(path)
    options: dict[str, Any] = {"strict": True, "delimiter": delimiter or delimiter_of(text)} | dialect
    lines: list[list[str]] = []
    with _any_field_size():
        reader = csv.reader(io.StringIO(text, newline=""), **options)
        try:
            for line in reader:
                if line:
                    lines.append(line)
                    if len(line) != len(lines[0]):
                        where = f"{path}:{reader.line_num}"
                        detail = f"ragged row: got {len(line)} cells, the header has {len(lines[0])}"
                        raise BrokenSource("ragged row", where, f"{detail}; quote cells that hold a delimiter")
        except csv.Error as error:
            detail = f"not a readable csv ({error}); check the quotes before this line"
            raise BrokenSource("broken csv", f"{path}:{reader.line_num}", detail) from None
    if not lines:
        raise BrokenSource("empty file", str(path), "empty; wanted a header line and rows")
    return RawTable(id, lines[0], lines[1:], where=str(path), notes=notes)


def delimiter_of(text: str) -> str:
    """The delimiter of a csv: a comma, unless its first line has none and has semicolons or tabs."""
    first = text[: text.find("\n")] if "\n" in text else text
    if "," in first:
        return ","
    return max(";\t", key=first.count) if any(mark in first for mark in ";\t") else ","


@contextmanager
def _any_field_size() -> Iterator[None]:
    """Let the csv module read cells of any length (its limit, 131,072, is one of the process)."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)
