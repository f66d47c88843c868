"""Shards: blocks -> verified examples -> one parquet file, and the tables that it shows.

A worker computes a shard (a pure function of the arguments and the shard's number), writes it under a temporary name
and returns its keys and counts; duplicates of earlier examples are removed from the file afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune import dataset
from symtune.files import read_parquet
from symtune.generation.statistics import Statistics
from symtune.seeds import digest, rng
from symtune.task import Drawn, Setting, SymbolicTask, Tally
from symtune.types import Traits

# What is known of an example and not in its row: the shortcut that would answer it, the bounded classes of its answer,
# and its idle parts.
Marks = tuple[str, tuple[str, ...], tuple[str, ...] | None]


@dataclass(frozen=True)
class Work:
    """Everything from which the shards of one task are computed. A worker holds one for each task of the generation."""

    task: SymbolicTask
    setting: Setting
    seed: int
    folder: Path  # where the shards are written
    blocks: int  # per shard
    number: int = 0  # the position of the task in the generation
    self_contained: bool = False

    def path(self, kind: str, number: int) -> Path:
        """The temporary name of a shard's file, of data or of tables."""
        return self.folder / kind / f"part-{self.number}-{number:06d}.parquet"

    def written(self, number: int) -> list[Path]:
        """The files of a shard, the data file first."""
        return [path for kind in ("data", "tables") if (path := self.path(kind, number)).exists()]


@dataclass(frozen=True)
class Part:
    """A shard as a worker leaves it."""

    number: int
    keys: bytes  # of the prompts, 16 bytes each
    statistics: Statistics
    tally: Tally
    marks: tuple[Marks, ...]  # of each example


def make_shard(works: Sequence[Work], which: int, number: int) -> Part:
    """Compute one shard and write it under its temporary name."""
    work, tally = works[which], Tally()
    drawn = list(_drawn(work, number, tally))
    keys = b"".join([digest(item.prompt) for item in drawn])
    traits = [item.example.traits for item in drawn]
    rows = [dataset.example_row(work.task, item, self_contained=work.self_contained) for item in drawn]
    dataset.write_rows(work.path("data", number), rows, dataset.SCHEMA)
    tables = _table_rows(work, drawn)
    if tables and not work.self_contained:
        dataset.write_rows(work.path("tables", number), tables, dataset.TABLES_SCHEMA)
    marks = tuple([(trait.shortcut, trait.classes, trait.idle) for trait in traits])
    return Part(number, keys, Statistics.of(rows, traits), tally, marks)


def _drawn(work: Work, number: int, tally: Tally) -> Iterator[Drawn]:
    """The examples of a shard; each block is drawn from a separate generator."""
    task, setting = work.task, work.setting
    for block in range(number * work.blocks, (number + 1) * work.blocks):
        key = f"{task.name}/{task.version}/{setting.split}/{work.seed}/{block}"
        yield from task.block(rng(key), setting, key, tally)


def _table_rows(work: Work, drawn: Sequence[Drawn]) -> list[dataset.Row]:
    content = work.setting.views.tables.content if work.setting.views else {}
    shown = {table.id: table for item in drawn for table in item.example.tables}
    return [dataset.table_row(table, content.get(table.source, "")) for table in shown.values()]


def cut(works: Sequence[Work], which: int, number: int, keep: Sequence[int], marks: Sequence[Marks]) -> Statistics:
    """Rewrite a shard with only the rows to keep, whose marks are given, and the tables that they show. Returns their
    statistics. Workers do this too, since rewriting would otherwise be most of the driver's work.
    """
    data, *tables = works[which].written(number)
    stored = list(read_parquet(data))
    rows = [stored[i] for i in keep]
    infos = [json.loads(row["info"]) for row in rows]
    dataset.write_rows(data, rows, dataset.SCHEMA)
    used = {table for info in infos for table in info.get("tables", ()) if isinstance(table, str)}
    for path in tables:
        shown = [row for row in read_parquet(path) if row["id"] in used]
        dataset.write_rows(path, shown, dataset.TABLES_SCHEMA)
    traits = [_traits(row, info, mark) for row, info, mark in zip(rows, infos, marks, strict=True)]
    return Statistics.of(rows, traits)


def _traits(row: dataset.Row, info: dict[str, Any], mark: Marks) -> Traits:
    return Traits(
        query_type=info.get("query_type", ""),
        operators=tuple(info.get("operators", ())),
        chance=info.get("chance"),
        difficulty=row["difficulty"],
        shortcut=mark[0],
        classes=mark[1],
        idle=mark[2],
        solution=info.get("solution", ""),
    )


def remove(work: Work, number: int) -> None:
    """Remove a shard that is not needed."""
    for path in work.written(number):
        path.unlink()
