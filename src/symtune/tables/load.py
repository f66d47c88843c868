"""Load tables: source -> raw tables -> cleaned, typed, hashed Tables. Nothing is lost without a count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from symtune.tables import sources
from symtune.tables.clean import RaggedRows, clean_header, clean_rows, even_rows
from symtune.tables.columns import infer_types
from symtune.tables.encodings import check_encoding
from symtune.tables.model import MAX_CELLS, TOO_LARGE, Drop, ForeignKey, RawTable, Reading, TableSet
from symtune.tables.sources import default
from symtune.tables.splits import DEFAULT_SHARES, Shares, assign, content_hash, row_hash, row_splits
from symtune.types import SPLITS, InputError, Split, Table, UnknownName

MAX_COLUMNS = 2_000  # SQLite's limit
DUPLICATE_OF_HELD_OUT = "duplicate content of a held-out table"


def load_tables(source: Path | None, *, layout: str | None = None, encoding: str | None = None) -> TableSet:
    """All usable tables of a file or folder; None: the bundled ones.

    `layout` forces a source by its name (`symtune.tables.sources.known()`); else it is seen from what is
    there. `encoding` is that of every text in it. Raises InputError (file, and line where there is one) for a path
    that does not exist, a file named here that is broken, and a source without one usable table.
    """
    path = default.PATH if source is None else Path(source)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; name a file or folder of tables")
    if path.is_dir() and (ours := next((at for at in (path, path.parent) if sources.made_by_symtune(at)), None)):
        raise InputError(f"{path}: {ours} was written by symtune; name a file or folder of your own tables")
    encoding = None if encoding is None else check_encoding(encoding)
    chosen = sources.choose(path, layout)
    dropped: Counter[str] = Counter()
    places: list[str] = []
    first: dict[str, str] = {}
    base = path if path.is_dir() else path.parent

    def drop(reason: str, where: str) -> None:
        dropped[reason] += 1
        first.setdefault(reason, where.removeprefix(f"{base}/"))
        places.append(where) if not places else None

    reading = Reading(drop, encoding)
    raw = (table for name in chosen for table in chosen[name].read(path, reading))
    loaded = _clean(raw, drop)
    if not loaded.tables:
        why = f"read as {'+'.join(chosen)}"
        if places:
            why = f"{sum(dropped.values()):,} dropped; the first: {places[0]}: {next(iter(first))}"
        raise InputError(f"{path}: no usable table ({why})")
    passed_over, first_passed = sources.passed_over(path)
    return replace(
        loaded,
        dropped=dict(sorted(dropped.items())),
        passed_over=dict(sorted(passed_over.items())),
        first=dict(sorted({**first_passed, **first, **loaded.first}.items())),
        layout="+".join(chosen),
    )


def notes(tables: TableSet) -> tuple[str, ...]:
    """What was mended, guessed, left out and passed over to load tables: one line for the terminal a kind."""
    return tuple(
        f"{count:,} × {kind}" + (f" (first: {tables.first[kind]})" if kind in tables.first else "")
        for kinds in (tables.repaired, tables.dropped, tables.passed_over)
        for kind, count in kinds.items()
    )


def _clean(raws: Iterable[RawTable], drop: Drop) -> TableSet:
    repaired: Counter[str] = Counter()
    first: dict[str, str] = {}
    made: dict[str, tuple[Table, RawTable]] = {}
    content: dict[str, str] = {}
    for raw in raws:
        if fault := _fault(raw):
            drop(fault, raw.where)
            continue
        id, number = raw.id, 1
        while id in made:
            number += 1
            id = f"{raw.id} ({number})"
        try:
            even, mended = even_rows(raw.header, raw.rows)
        except RaggedRows as error:
            drop("ragged row", f"{raw.where}: {error}")
            continue
        done: Counter[str] = Counter(raw.notes) + mended
        rows = clean_rows(even, done)
        header = clean_header(raw.header, done)
        types = infer_types(rows, len(header))
        table = Table(id, header, types, rows, name=raw.name, title=" ".join(raw.title.split()))
        made[id] = (table, raw)
        content[id] = content_hash((raw.header, *rows))
        for kind in done:
            first.setdefault(kind, id)
        repaired += done
    ids = sorted(made)
    return TableSet(
        tables=tuple(made[id][0] for id in ids),
        official={id: split for id in ids if (split := made[id][1].split) is not None},
        sha256=_sha256(made[id][0] for id in ids),
        foreign_keys=_foreign_keys(made),
        content={id: content[id] for id in ids},
        origin={id: made[id][1].origin for id in ids if made[id][1].origin},
        repaired=dict(sorted(repaired.items())),
        first=first,
    )


def _fault(raw: RawTable) -> str:
    """Why a raw table cannot be used, or ""."""
    width = len(raw.header)
    if not width:
        return "no column of plain values"
    if not raw.rows:
        return "no rows"
    if width > MAX_COLUMNS:
        return f"over {MAX_COLUMNS:,} columns"
    return TOO_LARGE if width * len(raw.rows) > MAX_CELLS else ""


def _foreign_keys(made: dict[str, tuple[Table, RawTable]]) -> tuple[ForeignKey, ...]:
    """Foreign keys under the names that the loaded tables have; those to a table that was dropped are left
    out.
    """
    keys = []
    for id in sorted(made):
        table, raw = made[id]
        for column, other_id, other_column in raw.foreign_keys:
            if other_id in made and other_column in made[other_id][1].header and column in raw.header:
                other, other_raw = made[other_id]
                at, other_at = list(raw.header).index(column), list(other_raw.header).index(other_column)
                keys.append(ForeignKey(id, table.header[at], other_id, other.header[other_at]))
    return tuple(keys)


def _sha256(tables: Iterable[Table]) -> str:
    digest = hashlib.sha256()
    for table in tables:
        rows = ["\x1f".join(row) for row in (table.header, *table.rows)]
        digest.update("\x1e".join([table.id, *rows, "\n"]).encode("utf-8"))
    return digest.hexdigest()


def tables_of_split(tables: TableSet, split: Split, shares: Shares | None = None) -> TableSet:
    """The tables of one split: the release's where it gives one, else by content hash (90 / 5 / 5 %, or `shares`).

    No content stands in two splits: a table whose copy (same content or origin) a release holds out is
    dropped and counted. Raises InputError where the split has no table.
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
        return [f"{who} {', '.join(f'{number:,} into {name}' for name, number in found)}"] if found else []

    there = counted("the release puts", [its for id, its in splits.items() if id in tables.official])
    free = [its for id, its in splits.items() if id not in tables.official]
    there += counted("their contents put", free)
    most = Counter(splits.values()).most_common(1)[0][0]
    remedy = f"add tables, or take --split {most}"
    if free and shares is None:
        remedy += ", or part them otherwise: --split-shares 60,20,20"
    if len(free) == 1:
        remedy += "; --split-rows parts the rows of one table"
    return f"no table of the split {split!r}: {' and '.join(there)}; {remedy}"


def rows_of_split(tables: TableSet, split: Split, shares: Shares = DEFAULT_SHARES) -> TableSet:
    """Every table with those of its rows that fall into a split, by content: equal rows, also of several tables, fall
    into one. For one table or very few; its splits show the same columns and kinds of values.

    Tables of which no row falls into the split are dropped and counted; contents are those of the parts. Raises
    InputError where nothing is left, and for the tables of a release, which have splits of their own.
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
    """Leave out every table that another source holds too, by content or origin; they are counted.

    `spec` is `PATH` or `PATH:SPLIT`, PATH a file or folder that `load_tables` reads, for example the release
    folder of a benchmark; `shares` are those of its splits. Tables parted by rows have other contents than whole ones:
    exclude first. Raises InputError where PATH does not exist or nothing is left.
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
