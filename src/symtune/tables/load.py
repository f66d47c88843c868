"""Load tables: source -> raw tables -> cleaned, typed, hashed Tables. Nothing is lost without a count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from symtune.tables import sources
from symtune.tables.clean import RaggedRows, clean_header, clean_rows, even_rows
from symtune.tables.columns import infer_types
from symtune.tables.encodings import check_encoding
from symtune.tables.model import MAX_CELLS, TOO_LARGE, Drop, ForeignKey, RawTable, Reading, TableSet
from symtune.tables.sources import default
from symtune.tables.splits import content_hash
from symtune.types import InputError, Table

MAX_COLUMNS = 2_000  # SQLite's limit


def load_tables(source: Path | None, *, layout: str | None = None, encoding: str | None = None) -> TableSet:
    """All usable tables of a file or folder; None: the bundled ones.

    `layout` forces a source by its name (`symtune.tables.sources.known()`); otherwise it is recognized. `encoding` is
    that of every text in it. Raises InputError (with file, and line if known) for a path that does not exist, for a
    broken file that is named itself, and for a source without any usable table.
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
    """Foreign keys, with the names of the loaded tables; those that refer to a table that was dropped are left out."""
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
