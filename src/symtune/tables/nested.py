"""Tables under a key of JSON objects, for example beside a question: where they are, and how they are recognized.

A value that is certainly a table (see `json_tables`) is read under any key, also if it is written as text: as JSON, or
delimited with one row per line. A value that may be something else is read only under a key that suggests a table. If
such a value is under another key, and no key suggests a table, the file is refused with the name of that key: otherwise
the remaining values would become one table of question ids.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from symtune.tables.delimited import table_of_text
from symtune.tables.json_tables import Found, table_in, title_of
from symtune.tables.model import BrokenSource, Drop, RawTable

TAKEN_ONCE = "table that several lines hold: taken once"
_TABLE = re.compile(r"table|^(?:tbl|dataframe|df|spreadsheet|sheet|grid|csv|tsv|data|rows|records)$", re.IGNORECASE)
_LINEAR = re.compile(r"\s*(?:<table|col(?:umns?)?\s*:|header\s*:)|.*\brow 1\s*:", re.IGNORECASE | re.DOTALL)
_DEEPEST = 3  # the most keys on the way to a table
_LONGEST_TEXT = 10_000_000  # characters of a table written as text
_MOST_KEYS = 1_000  # of an object
Keys = tuple[str, ...]  # one inside the other


def hidden(key: str, where: str) -> BrokenSource:
    """The fault of a file whose lines may hold tables under a key that does not suggest it."""
    detail = (
        f"there may be tables under the key {key[:80]!r} of its lines, beside other values; rename the key to 'table' "
        "if they are tables in a form that docs/tables.md describes, or remove it"
    )
    return BrokenSource(f"tables hidden under the key {key[:80]!r}", where, detail)


def tables_of_lines(
    lines: Iterable[tuple[int, Any]], keys: Keys, id: str, file: Path, drop: Drop
) -> Iterator[RawTable]:
    """The tables that the lines of a file (given with their numbers) hold under keys. A table that several lines hold,
    because many questions are about it, is read once.
    """
    seen: set[bytes] = set()
    for number, line in lines:
        where = f"{file}:{number}"
        tables = tables_at(line, keys, where)
        if not tables:
            drop(f"line without a table under {'.'.join(keys)[:80]!r}", where)
        for at, table in enumerate(tables, start=1):
            content = blake2b(json.dumps([table.header, table.rows]).encode("utf-8", "surrogatepass"), digest_size=16)
            if content.digest() in seen:
                drop(TAKEN_ONCE, where)
                continue
            seen.add(content.digest())
            yield table.raw(f"{id}:{number}" if len(tables) == 1 else f"{id}:{number}.{at}", where)


def unpacked(value: Any) -> Any:
    """A JSON text as the value it stands for, if that is an object or a list; anything else as it is."""
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.lstrip()[:1] in ("{", "["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, dict | list) else value
    return value


def tables_at(line: Any, keys: Keys, where: str) -> list[Found]:
    """The tables of a line under keys, one inside the other."""
    value = line
    for key in keys:
        value = unpacked(value.get(key) if isinstance(value, Mapping) else None)
    title = title_of(line) if isinstance(line, Mapping) else ""
    outer = line.get("table_id") or line.get("table_name") if isinstance(line, Mapping) else ""
    found = _tables_in(value, where)
    outer = outer if outer and len(found) == 1 else ""
    return [replace(table, id=table.id or str(outer), title=table.title or title) for table in found]


def _tables_in(value: Any, where: str) -> list[Found]:
    value = unpacked(value)
    if isinstance(value, str):
        found = _of_text(value, where)
    else:
        found = table_in(value)
    if found is not None and found.sure:
        return [found]
    if isinstance(value, list) and value:  # of tables
        several = [table_in(unpacked(item)) for item in value]
        if all(item is not None and item.sure for item in several):
            return [item for item in several if item is not None]
    return [found] if found is not None else []


def _of_text(text: str, where: str) -> Found | None:
    if "\n" not in text.strip() or len(text) > _LONGEST_TEXT:
        return None
    lines = [line.strip() for line in text.strip().splitlines()]
    if all(line.startswith("|") for line in lines):  # Markdown
        lines = [line.strip("|") for line in lines if not re.fullmatch(r"[\s|:-]+", line)]
    try:
        table = table_of_text("\n".join(lines), "", where, "\t#|,;")
    except BrokenSource:
        return None
    sure = len(table.header) > 1 and not table.notes
    return Found(table.header, table.rows, sure) if sure else None


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the tables of some lines are: under `keys` (None: the lines are rows), or `hidden` under a key that may or
    may not hold tables.
    """

    keys: Keys | None = None
    hidden: str = ""


def choose(lines: Iterable[Any], *, alone: bool = False) -> Choice:
    """Where the tables of lines are, judged by the first lines. `alone`: the line is the whole file, so that whatever
    looks like a table is meant as one.
    """
    ranks: dict[Keys, Counter[int]] = {}
    for line in lines:
        for path, rank in _candidates(line, ()):
            ranks.setdefault(path, Counter())[rank] += 1
    best = {path: (min(found), -sum(found.values()), len(path)) for path, found in ranks.items()}
    order = sorted(best, key=lambda path: (best[path][0], path[-1].lower() != "table", *best[path][1:]))
    if not order:
        return Choice()
    hidden = best[order[0]][0] >= _UNSURE and not (alone and best[order[0]][0] == _UNSURE and len(order) == 1)
    return Choice(hidden=".".join(order[0])) if hidden else Choice(order[0])


_UNSURE, _UNREADABLE = 3, 4


def _candidates(line: Any, path: Keys) -> Iterator[tuple[Keys, int]]:
    """Every key that may hold tables, and how clearly: 0: a certain table under a key that suggests one, 1: another
    table under such a key, 2: a certain table under another key, 3 (`_UNSURE`): something that may not be a table,
    4 (`_UNREADABLE`): a table that cannot be read.
    """
    if not isinstance(line, Mapping) or len(path) >= _DEEPEST:
        return
    for key, value in islice(line.items(), _MOST_KEYS):
        inner = (*path, str(key))
        value = unpacked(value)
        says = bool(_TABLE.search(str(key)))
        found = _tables_in(value, "") if says or isinstance(value, list | Mapping) else []
        if found:
            sure = all(table.sure for table in found)
            yield inner, (0 if sure else 1) if says else (2 if sure else _UNSURE)
        elif isinstance(value, Mapping):
            yield from _candidates(value, inner)
        elif isinstance(value, str) and says and ("\n" in value.strip() or _LINEAR.match(value)):
            yield inner, _UNREADABLE
