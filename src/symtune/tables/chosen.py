"""Which of the loaded tables, or of their rows, a stage may see: those of a split, except those of a benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from symtune.tables.load import load_tables
from symtune.tables.model import TableSet
from symtune.tables.splits import DEFAULT_SHARES, Shares, assign, content_hash, row_hash, row_splits
from symtune.types import SPLITS, InputError, Split, UnknownName

DUPLICATE_OF_HELD_OUT = "duplicate content of a held-out table"


def tables_of_split(tables: TableSet, split: Split, shares: Shares | None = None) -> TableSet:
    """The tables of one split: as assigned by the release, else by content hash (90 / 5 / 5 %, or `shares`).

    No content is in two splits: a table is dropped and counted if a release holds out a copy of it (same content or
    origin). Raises InputError if the split has no table.
    """
    _check_split(split)
    splits, copies = _assign(tables, shares)
    kept = _only(tables, {id for id, its in splits.items() if its == split})
    if not kept.tables:
        raise InputError(_none_of(split, splits, tables, shares))
    lost = sum(tables.official[id] == split for id in copies)
    return _counted(kept, DUPLICATE_OF_HELD_OUT, lost)


def _none_of(split: Split, splits: Mapping[str, Split], tables: TableSet, shares: Shares | None) -> str:
    """Why a split has no table, and what to do about it."""

    def counted(who: str, names: Iterable[Split]) -> list[str]:
        found = Counter(names).most_common()
        return [f"{who} {', '.join(f'{number:,} to {name}' for name, number in found)}"] if found else []

    there = counted("the release assigns", [its for id, its in splits.items() if id in tables.official])
    free = [its for id, its in splits.items() if id not in tables.official]
    there += counted("their contents assign", free)
    most = Counter(splits.values()).most_common(1)[0][0]
    remedy = f"add tables, or use --split {most}"
    if free and shares is None:
        remedy += ", or use other shares: --split-shares 60,20,20"
    if len(free) == 1:
        remedy += "; --split-rows splits the rows of one table"
    return f"no table of the split {split!r}: {' and '.join(there)}; {remedy}"


def rows_of_split(tables: TableSet, split: Split, shares: Shares = DEFAULT_SHARES) -> TableSet:
    """Every table with those of its rows that fall into a split, by content: equal rows, even in several tables, are in
    the same split. For one table or very few; the splits show the same columns and kinds of values.

    Tables none of whose rows are in the split are dropped and counted; content hashes are those of the parts. Raises
    InputError if nothing is left, and for the tables of a release, which has its own splits.
    """
    _check_split(split)
    if tables.official:
        raise InputError("--split-rows: the release says which tables belong to which split; leave it out")
    splits = row_splits((row for table in tables.tables for row in table.rows), shares)
    parts = [
        replace(table, rows=tuple([row for row in table.rows if splits[row_hash(row)] == split]))
        for table in tables.tables
    ]
    parts = [table for table in parts if table.rows]
    if not parts:
        got = f"none of {len(splits):,} different rows falls into {split} ({shares})"
        raise InputError(f"--split-rows: {got}; raise its share: --split-shares 60,20,20")
    kept = replace(
        _only(tables, {table.id for table in parts}),
        tables=tuple(parts),
        content={table.id: content_hash(table) for table in parts},
        official={table.id: split for table in parts},
    )
    return _counted(kept, f"no rows in {split}", len(tables.tables) - len(parts))


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise UnknownName("split", split, SPLITS)


def exclude_tables(tables: TableSet, spec: str, shares: Shares | None = None) -> TableSet:
    """Leave out every table that another source also has, by content or origin, and count them.

    `spec` is `PATH` or `PATH:SPLIT`, where PATH is a file or folder that `load_tables` reads, for example the release
    folder of a benchmark; `shares` are those of its splits. Tables split by rows have other contents than whole tables,
    so exclude first. Raises InputError if PATH does not exist or nothing is left.
    """
    path, split = Path(spec), None
    if not path.exists() and ":" in spec:
        head, _, tail = spec.rpartition(":")
        if tail not in SPLITS:
            raise UnknownName("split to exclude", tail, SPLITS)
        path, split = Path(head), tail
    if not path.exists():
        raise InputError(f"--exclude-tables {spec}: no such file or folder; wanted PATH or PATH:SPLIT")
    other = load_tables(path)
    if split is not None:
        splits, _ = _assign(other, shares)
        other = _only(other, {id for id, its in splits.items() if its == split})
    known = set(other.content.values()) | set(other.origin.values())
    ids = {table.id for table in tables.tables}
    kept = {id for id in ids if tables.content[id] not in known and tables.origin.get(id) not in known}
    if not kept:
        raise InputError(f"--exclude-tables {spec}: leaves none of {len(ids)} tables; exclude less")
    return _counted(_only(tables, kept), f"excluded: also in {spec}", len(ids) - len(kept))


def _assign(tables: TableSet, shares: Shares | None) -> tuple[dict[str, Split], tuple[str, ...]]:
    linked = [(key.table, key.references_table) for key in tables.foreign_keys]
    ids = [table.id for table in tables.tables]
    return assign(ids, tables.official, tables.content, tables.origin, linked, shares)


def _only(tables: TableSet, ids: set[str]) -> TableSet:
    return replace(
        tables,
        tables=tuple(table for table in tables.tables if table.id in ids),
        official={id: split for id, split in tables.official.items() if id in ids},
        foreign_keys=tuple(key for key in tables.foreign_keys if {key.table, key.references_table} <= ids),
        content={id: content for id, content in tables.content.items() if id in ids},
        origin={id: origin for id, origin in tables.origin.items() if id in ids},
    )


def _counted(tables: TableSet, reason: str, number: int) -> TableSet:
    if not number:
        return tables
    total = tables.dropped.get(reason, 0) + number
    return replace(tables, dropped=dict(sorted({**tables.dropped, reason: total}.items())))
