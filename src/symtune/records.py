"""Read rendered records, prompt and completion, from any source a mixture can name, one at a time.

    for item in records(Path("data/sql")):            # a data set or training set folder: data/*.parquet
    for item in records(Path("instruct.jsonl.gz")):   # input/output or prompt/completion, one object a line
    for item in records(find("bundled:gsm8k")):       # the sample in the package

Items come in the order of the files. A broken line raises InputError with file and
line; emptiness and duplicates are the mixture's business.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from pyarrow import ArrowException

from symtune.types import InputError, UnknownName

TYPES = ("answer_type", "query_type")
COLUMNS = (("prompt", "completion"), ("input", "output"))
BUNDLED = {"gsm8k": Path(__file__).parent / "instructions" / "gsm8k.jsonl.gz"}
NOTES = {"gsm8k": "1,000 problems of GSM8K train (MIT): in-domain wherever GSM8K is reported"}
BUNDLED_SCHEME = "bundled:"
LONGEST_LINE = 16 * 2**20  # bytes; a longer line is not a record, and would fill the memory


class Item(NamedTuple):
    """One record. The types, which only generated examples have, tell whose answers look alike."""

    id: str
    prompt: str
    completion: str
    answer_type: str = ""
    query_type: str = ""


def find(path: str, base: Path = Path()) -> Path:
    """The file or folder that a mixture's `path` names, relative to `base`. Raises InputError if absent."""
    if path.startswith(BUNDLED_SCHEME):
        name = path.removeprefix(BUNDLED_SCHEME)
        if name not in BUNDLED:
            raise UnknownName("bundled source", name, BUNDLED)
        return BUNDLED[name]
    found = base / Path(path).expanduser()
    if not found.exists():
        raise InputError(f"{found}: no such file or folder")
    return found


def files(path: Path) -> list[Path]:
    """The files that `records(path)` reads, in order. Raises InputError if it is no source of records."""
    if path.is_dir():
        shards = sorted((path / "data").glob("*.parquet"))
        if not shards:
            raise InputError(f"{path}: no data/*.parquet here; wanted a data set folder or a .jsonl[.gz] file")
        return shards
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise InputError(f"{path}: wanted a data set folder, a .jsonl or a .jsonl.gz file of records")
    return [path]


def heldout(path: Path) -> list[str]:
    """The splits, other than train, that a data set folder has shards of (a shard is named by its split)."""
    if not path.is_dir():
        return []
    return sorted({shard.name.split("-")[0] for shard in files(path)} - {"train"})


def records(path: Path) -> Iterator[Item]:
    """Every record of the source at `path`, in order."""
    for file in files(path):
        yield from _parquet(file) if path.is_dir() else _jsonl(file)


def _parquet(shard: Path) -> Iterator[Item]:
    try:
        with pq.ParquetFile(shard) as file:
            names = file.schema_arrow.names
            pair = next((pair for pair in COLUMNS if set(pair) <= set(names)), None)
            if pair is None:
                raise InputError(f"{shard}: columns {', '.join(names)}; wanted prompt and completion")
            columns = [*pair, *(name for name in ("id", *TYPES, "info") if name in names)]
            line = 0
            for batch in file.iter_batches(batch_size=1024, columns=columns):
                for row in batch.to_pylist():
                    line += 1
                    texts = _texts(row, pair, f"{shard}: row {line}")
                    yield Item(str(row.get("id") or f"{shard.name}:{line}"), *texts, *_types(row))
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shard}: not a readable parquet file: {str(error).splitlines()[0]}") from None


def _types(row: dict[str, Any]) -> tuple[str, str]:
    """Answer type and query type; a data set folder keeps the latter in `info`."""
    query_type = row.get("query_type")
    if query_type is None and row.get("info"):
        try:
            query_type = json.loads(row["info"]).get("query_type")
        except (ValueError, TypeError, AttributeError):  # another's column of that name
            query_type = None
    return str(row.get("answer_type") or ""), str(query_type or "")


def _jsonl(path: Path) -> Iterator[Item]:
    opener: Any = gzip.open if path.name.endswith(".gz") else open
    number = 0
    try:
        with opener(path, "rb") as stream:
            while line := stream.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                    raise InputError(f"{path}:{number}: a line of more than {LONGEST_LINE:,} bytes is no record")
                if line.strip():
                    yield Item(f"{path.name}:{number}", *_parsed(line, f"{path}:{number}"))
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}:{number + 1}: cannot be read: {error}") from None


def _parsed(line: bytes, place: str) -> tuple[str, str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise InputError(f"{place}: got a JSON {type(row).__name__}, wanted an object with prompt and completion")
    pair = next((pair for pair in COLUMNS if set(pair) <= set(row)), None)
    if pair is None:
        keys = ", ".join(list(row)[:8]) or "none"
        raise InputError(f"{place}: keys {keys}; wanted prompt and completion, or input and output")
    return _texts(row, pair, place)


def _texts(row: dict[str, Any], pair: tuple[str, str], place: str) -> tuple[str, str]:
    for key in pair:
        if not isinstance(row[key], str):
            raise InputError(f"{place}: {key} is {type(row[key]).__name__}, wanted a text")
    return row[pair[0]], row[pair[1]]
