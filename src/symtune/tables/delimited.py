"""Delimited text (csv and its relatives) to one raw table; shared by the sources that read such files."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symtune.tables.model import BrokenSource, RawTable

_HEADER_LINE = 1 << 16  # characters in which the header line ends, or as much of it as is looked at
_TOLD = re.compile(r"sep=(.)(?=\r?\n)")  # what Excel writes above a csv
MAX_BYTES = 1 << 29  # of a file, unpacked; more does not fit a small machine as a table
NOT_UTF8 = "file is not UTF-8: read as Windows-1252"


def read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file, unpacked where it ends in .gz: UTF-8 (with or without byte order mark), UTF-16 with one,
    else Windows-1252, which is what spreadsheets write that do not write UTF-8. Also notes on what was mended. Raises
    BrokenSource.
    """
    try:
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise BrokenSource("unreadable file", str(path), f"cannot be read ({why})") from None
    if len(data) > MAX_BYTES:
        raise BrokenSource("file too large", str(path), f"more than {MAX_BYTES >> 20} MB of text; split it")
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


def read_delimited(path: Path, id: str, delimiter: str = ",", **dialect: Any) -> RawTable:
    """The table of a delimited file in a known dialect; blank lines are passed over. Raises BrokenSource with
    file:line where a row is not as wide as the header, a quote never ends, or nothing is there.
    """
    text, notes = read_text(path)
    lines = _lines(path, text, {"delimiter": delimiter} | dialect)
    return RawTable(id, lines[0], lines[1:], where=str(path), notes=notes)


def read_any_dialect(path: Path, id: str, delimiters: str) -> RawTable:
    """The same where nobody says the dialect: the first one that reads the whole file. Delimiters are those of
    the header line, the most frequent first (a line `sep=;` above it settles it); see `_forms` for quotes.
    """
    text, notes = read_text(path)
    if told := _TOLD.match(text):
        text, delimiters = text[told.end() :], told[1]
    header = text[:_HEADER_LINE].lstrip("\r\n").partition("\n")[0]
    found = sorted([mark for mark in delimiters if mark in header], key=header.count, reverse=True)
    broken = []
    for delimiter in found or delimiters[:1]:
        for form in _forms(text, delimiter):
            try:
                lines = _lines(path, text, {"delimiter": delimiter} | form)
                return RawTable(id, lines[0], lines[1:], where=str(path), notes=notes)
            except BrokenSource as error:
                broken.append(error)
    raise broken[0]


def _forms(text: str, delimiter: str) -> Iterator[dict[str, Any]]:
    """How a file may quote its cells: as RFC 4180 says; with a space before the quote; with backslashes (as MySQL
    and WikiTableQuestions do); tab-separated files also not at all.
    """
    if f'{delimiter} "' in text:
        yield {"skipinitialspace": True}
    yield {}
    if '\\"' in text:
        yield {"doublequote": False, "escapechar": "\\"}
    if delimiter == "\t" and '"' in text:
        yield {"quoting": csv.QUOTE_NONE}


def _lines(path: Path, text: str, dialect: dict[str, Any]) -> list[list[str]]:
    with _any_field_size():
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, **dialect)
        try:
            lines = [line for line in reader if line]
        except csv.Error as error:
            detail = f"not a readable csv ({error}); check the quotes before this line"
            raise BrokenSource("broken csv", f"{path}:{reader.line_num}", " ".join(detail.split())) from None
        if not lines:
            raise BrokenSource("empty file", str(path), "empty; wanted a header line and rows")
        width = len(lines[0])
        if set(map(len, lines)) != {width}:
            _refuse_ragged(path, csv.reader(io.StringIO(text, newline=""), **dialect), width)
    return lines


def _refuse_ragged(path: Path, lines: Any, width: int) -> None:
    """Raise BrokenSource for the first row of another width, with its line."""
    for line in lines:
        if line and len(line) != width:
            detail = f"ragged row: got {len(line)} cells, the header has {width}; quote cells that hold a delimiter"
            raise BrokenSource("ragged row", f"{path}:{lines.line_num}", detail)


@contextmanager
def _any_field_size() -> Iterator[None]:
    """Let the csv module read cells of any length (its limit, 131,072, is one of the process)."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)
