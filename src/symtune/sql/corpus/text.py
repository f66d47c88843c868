"""The text of a file of SQL, piece by piece or line by line; bytes that are not UTF-8 become U+FFFD."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from symtune.files import CHUNK, open_bytes
from symtune.types import InputError

MAX_LINE = 4_000_000  # characters


def read_chunks(path: Path) -> Iterator[str]:
    """The text of a file, piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with open_bytes(path) as stream:
        while chunk := stream.read(CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", True)


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """(file:line, the line with its end). Raises InputError for a line of more than MAX_LINE."""
    rest, number = "", 0
    for chunk in read_chunks(path):
        *lines, rest = (rest + chunk).split("\n")
        for line in lines:
            number += 1
            yield f"{path}:{number}", line + "\n"
        if len(rest) > MAX_LINE:
            raise InputError(f"{path}:{number + 1}: a line of more than {MAX_LINE:,} characters")
    if rest:
        yield f"{path}:{number + 1}", rest
