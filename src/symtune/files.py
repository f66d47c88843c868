"""How files are read: the one reader of JSON and the one of parquet, for the whole project.

    for entry in json_objects(Path("a.jsonl.gz")):     # one object per line, or one list of objects
        entry.where, entry.number, entry.value         # "a.jsonl.gz:3", 3, {…}
    for row in read_parquet(Path("a.parquet"), ["id", "prompt"]):
        ...

Files may be compressed (gzip, zstd: recognized by their first bytes), begin with a byte order mark, be UTF-16 as
Windows writes it, and end their lines in CR LF. Memory is bounded by the longest record, and a record by LONGEST.
Anything wrong with a file raises an InputError that names the file and, if possible, the line.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from symtune.types import InputError

LONGEST = 16 * 2**20  # bytes in a line, characters in an item of a list; a longer one could exhaust memory
CHUNK = 1 << 16  # bytes
BATCH = 1024  # rows of a parquet file held in memory at once

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PACKED = {".gz": _GZIP, ".zst": _ZSTD}
_SPACE = re.compile(r"[ \t\r\n]*")
_CLOSED = re.compile(r"[ \t\r\n]*(?:,|(?=\]))")


class Entry(NamedTuple):
    """One JSON value of a file. `number` (the line, or the position in a list) is unique within the file."""

    where: str
    number: int
    value: Any


# ------------------------------------------------------------------------------------------------------- bytes


@contextlib.contextmanager
def open_bytes(path: Path) -> Iterator[io.BufferedIOBase]:
    """The bytes of a file: decompressed, with UTF-16 and UTF-32 as UTF-8, without a byte order mark. A file that cannot
    be opened, decompressed or decoded, now or while it is read, raises InputError."""
    try:
        with contextlib.ExitStack() as stack:
            stream: Any = stack.enter_context(path.open("rb"))
            start = stream.peek(4)
            if start and not start.startswith(_PACKED.get(path.suffix.lower(), b"")):
                raise InputError(f"{path}: cannot be read: not compressed, though its name says so")
            if start.startswith(_GZIP):
                stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
            elif start.startswith(_ZSTD):
                unpacked = pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd")
                stream = stack.enter_context(io.BufferedReader(unpacked, CHUNK))
            encoding = json.detect_encoding(stream.peek(4)[:4])
            if encoding == "utf-8-sig":
                stream.read(len(codecs.BOM_UTF8))
            elif encoding != "utf-8":
                stream = stack.enter_context(io.BufferedReader(_Recoded(stream, encoding), CHUNK))
            yield stream
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not {error.encoding} text: {error.reason}") from None
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        detail = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read: {detail}") from None


class _Recoded(io.RawIOBase):
    """A stream in another encoding, as UTF-8."""

    def __init__(self, stream: Any, encoding: str) -> None:
        self._stream, self._rest = stream, b""
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = self._stream.read(CHUNK)
            self._rest = self._decoder.decode(chunk, final=not chunk).encode()
            if not chunk:
                break
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


# -------------------------------------------------------------------------------------------------------- JSON


def json_objects(path: Path, *, wanted: str = "an object", longest: int = LONGEST) -> Iterator[Entry]:
    """The objects in a file, in order. Any other value raises an InputError that says what was `wanted`."""
    for entry in json_values(path, longest=longest):
        if not isinstance(entry.value, dict):
            raise InputError(f"{entry.where}: got a JSON {_kind(entry.value)}, wanted {wanted}")
        yield entry


def json_values(path: Path, *, longest: int = LONGEST) -> Iterator[Entry]:
    """The JSON values in a file, in order: one per line, the items of one list, or objects written over several lines.
    The content decides, whatever the name of the file. Blank lines are skipped; an empty file yields nothing.
    """
    with open_bytes(path) as stream:
        first, line = _first_character(stream)
        if first == b"[":
            stream.read(1)
            yield from _stream(path, b"", stream, line, longest, is_list=True)
            return
        while text := stream.readline(longest + 1):
            where = f"{path}:{line}"
            if len(text) > longest and not text.endswith(b"\n"):
                raise InputError(f"{where}: a line of more than {longest:,} bytes")
            if text.strip():
                try:
                    value = _parsed(text, where)
                except InputError:
                    if not _ends_early(text):
                        raise
                    yield from _stream(path, text, stream, line, longest, is_list=False)
                    return
                yield Entry(where, line, value)
            line += 1


def _kind(value: Any) -> str:
    names = {list: "list", str: "string", bool: "boolean", int: "number", float: "number", dict: "object"}
    return names.get(type(value), "null")


def _first_character(stream: Any) -> tuple[bytes, int]:
    """The first character that is not white space, which is not consumed, and its line."""
    line = 1
    while chunk := stream.peek(1):
        space = len(chunk) - len(chunk.lstrip())
        line += stream.read(space).count(b"\n")
        if space < len(chunk):
            return chunk[space : space + 1], line
    return b"", line


def _ends_early(line: bytes) -> bool:
    """Whether a line that is not JSON ends inside an object that the following lines may complete."""
    text = line.decode("utf-8", "replace").rstrip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return text.lstrip()[:1] == "{" and error.pos >= len(text)
    except (ValueError, RecursionError):
        pass
    return False


def _parsed(line: bytes, where: str) -> Any:
    try:
        return json.loads(line.removeprefix(codecs.BOM_UTF8).decode("utf-8"))  # a mark inside: files joined by `cat`
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8: byte 0x{line[error.start]:02x} at {error.start}") from None
    except RecursionError:
        raise InputError(f"{where}: not JSON: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{where}: not JSON: {error}") from None


def _stream(path: Path, start: bytes, stream: Any, line: int, longest: int, *, is_list: bool) -> Iterator[Entry]:
    """The items of a list whose `[` has been read, or objects one after another; yielded one at a time, since a file
    is several times larger in memory than on disk."""
    decoder, chunks = json.JSONDecoder(), _texts(path, start, stream)
    text, at, counted, number = "", 0, 0, 1 if is_list else line  # lines are counted up to `counted`
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it always matches
        line += text.count("\n", counted, at)
        counted = at
        where = f"{path}: record {number}" if is_list else f"{path}:{line}"
        fault = "the list does not end"
        if is_list and text.startswith("]", at):
            if text[at + 1 :].strip() or any(chunk.strip() for chunk in chunks):
                raise InputError(
                    f"{path}:{line}: more text after the list; wanted one object per line, or one list of them"
                )
            return
        if at < len(text):
            try:
                value, end = decoder.raw_decode(text, at)
                closed = _CLOSED.match(text, end) if is_list else None
                if is_list and closed is None:
                    raise json.JSONDecodeError("neither , nor ] after it", text, end)
            except RecursionError:
                raise InputError(f"{where}: not JSON: nested too deeply") from None
            except json.JSONDecodeError as error:
                fault = f"not JSON: {error.msg} (line {line + text.count(chr(10), at, error.pos)})"
            except ValueError as error:  # a number with too many digits
                raise InputError(f"{where}: not JSON: {error}") from None
            else:
                yield Entry(where, number, value)
                at, number = closed.end() if closed else end, number + 1
                continue
        if len(text) - at > longest:
            raise InputError(f"{where}: no whole record in {longest:,} characters: {fault}")
        more = _more(chunks, len(text) - at)
        if not more:
            if at == len(text) and not is_list:
                return
            raise InputError(f"{where}: {fault}")
        text, at, counted = text[at:] + more, 0, 0


def _texts(path: Path, start: bytes, stream: Any) -> Iterator[str]:
    decoder, chunk = codecs.getincrementaldecoder("utf-8")(), start or stream.read(CHUNK)
    try:
        while chunk:
            yield decoder.decode(chunk)
            chunk = stream.read(CHUNK)
        yield decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8: byte 0x{error.object[error.start]:02x}") from None


def _more(chunks: Iterator[str], size: int) -> str:
    """At least so many more characters, if there are any. Asking for as much as has been read keeps the time linear."""
    parts, got = [], 0
    for chunk in chunks:
        parts.append(chunk)
        got += len(chunk)
        if got and got >= size:
            break
    return "".join(parts)


# ----------------------------------------------------------------------------------------------------- parquet


def parquet_columns(path: Path) -> list[str]:
    """The names of a parquet file's columns. Raises InputError for a file that is not parquet."""
    with open_parquet(path) as file:
        return list(file.schema_arrow.names)


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of one parquet file, at most BATCH of them in memory at once, with all columns or only those named.
    Raises InputError for a missing column, and for a file that is not parquet.
    """
    with open_parquet(path) as file:
        names = file.schema_arrow.names
        missing = [column for column in columns or () if column not in names]
        if missing:
            raise InputError(f"{path}: no column {', '.join(map(repr, missing))}; it has {', '.join(names)}")
        # One thread: a pool of threads, made for the first file, would keep 30 MB.
        for batch in file.iter_batches(batch_size=BATCH, columns=columns, use_threads=False):
            yield from batch.to_pylist()


@contextlib.contextmanager
def open_parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """A parquet file, opened. Anything wrong with it, now or while it is read, raises InputError."""
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:  # not UTF-8; a date unknown to Python
        detail = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not a readable parquet file: {detail[:200]}") from None
