"""Read records (prompt and completion) from any source that a mixture can name, one at a time.

    for item in records(Path("data/sql")):            # a data set or training set folder: data/*.parquet
    for item in records(Path("alpaca.jsonl.gz")):     # a file of records in any layout of `layouts.py`
    for item in records(find("bundled:gsm8k")):       # the sample in the package

Items come in the order of the files. A broken file, or a key that may hold a part of the prompt but has no place in it,
raises InputError with file and line. A record that gives no item is dropped and counted in `Notes`, and ignored keys
are counted too; duplicates are left to the mixture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from symtune import dataset
from symtune.files import json_objects, parquet_columns, read_parquet
from symtune.records.item import COLUMNS, ORIGINS, TYPES, Item, Notes, item_of
from symtune.records.layouts import matters
from symtune.types import InputError, Rejected, UnknownName

__all__ = [
    "BUNDLED_SCHEME", "COLUMNS", "NOTES", "TYPES", "WANTED", "Item", "Notes", "files", "find", "heldout",
    "is_named_as_one", "records",
]  # fmt: skip

BUNDLED = {"gsm8k": Path(__file__).parent.parent / "instructions" / "gsm8k.jsonl.gz"}
NOTES = {"gsm8k": "1,000 problems of GSM8K train (MIT), which make GSM8K in-domain"}
BUNDLED_SCHEME = "bundled:"
WANTED = "wanted a data set folder, a .jsonl or .json file of records (also as .gz or .zst), or a .parquet file"
_JSON = re.compile(r"\.(jsonl|ndjson|json)(\.gz|\.zst)?\Z", re.IGNORECASE)
_PARQUET = re.compile(r"\.(parquet|pq)\Z", re.IGNORECASE)
_SHARD = re.compile(r"(validation|test)-\d+-of-\d+.*\.parquet\Z")
_OURS = (set(dataset.SCHEMA.names), set(COLUMNS))  # what symtune writes: its unread columns are not worth a remark


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
    """The files that `records(path)` reads, in order. Raises InputError if it is not a source of records."""
    if path.is_dir():
        shards = sorted((path / "data").glob("*.parquet"))
        if not shards:
            raise InputError(f"{path}: no data/*.parquet here; {WANTED}")
        return shards
    if not is_named_as_one(path):
        raise InputError(f"{path}: {WANTED}")
    return [path]


def is_named_as_one(path: Path) -> bool:
    """Whether the name of a file is that of a file of records."""
    return bool(_JSON.search(path.name) or _PARQUET.search(path.name))


def heldout(path: Path) -> list[str]:
    """The splits other than train in a data set folder, or in a shard of one (a shard is named after its split)."""
    if path.is_dir():
        return sorted({shard.name.split("-")[0] for shard in files(path)} - {"train"})
    found = _SHARD.match(path.name)
    return [found[1]] if found else []


def records(path: Path, notes: Notes | None = None) -> Iterator[Item]:
    """Every record of the source at `path`, in order; `notes` collects what is dropped and ignored on the way."""
    notes = notes if notes is not None else Notes()
    for file in files(path):
        for where, number, row in _rows(file, notes):
            try:
                yield item_of(row, where, f"{file.name}:{number}", notes)
            except Rejected as error:
                notes.drop(error.reason, f"{file.name}:{number}")


def _rows(file: Path, notes: Notes) -> Iterator[tuple[str, int, dict[str, object]]]:
    if not _PARQUET.search(file.name):
        yield from json_objects(file, wanted="an object with a prompt and a completion")
        return
    names = parquet_columns(file)
    ours = set(names) in _OURS
    wanted = ("id", "info", *TYPES, *(() if ours else ORIGINS))
    columns = [name for name in names if matters(name) or name in wanted]
    unread = [] if ours else [name for name in names if name not in columns]
    number = 0
    for number, row in enumerate(read_parquet(file, columns or names), start=1):
        yield f"{file}: row {number}", number, row
    for name in unread:
        notes.ignore(name, number)
