"""Samples instructions by task, in proportion to the number of examples with a cap, as FLAN does: a task contributes in
proportion to its records, of which at most the cap count. A file without a `task` field is one task.

    sampled = sample(files_in(Path("flan")), number=600_000, cap=30_000, seed=0)

The source is read twice, so that no text is kept in memory: the first pass counts tasks and keeps 25 bytes per record,
the second yields the chosen records, in order. Which ones are chosen depends only on the seed and the records.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from symtune import records
from symtune.keys import KeySet
from symtune.records import Item, Notes
from symtune.seeds import digest
from symtune.types import InputError, LeakError

BATCH = 10_000  # records whose keys are compared at once
ALL = "(no task)"


class _TaskNotes(Notes):
    """Notes that remember the task of the current record; `none` is that of a record which names none."""

    task: str = ALL
    none: str = ALL

    def originate(self, row: Mapping[str, Any]) -> None:
        value = row.get("task")
        self.task = value if isinstance(value, str) and value else self.none


def files_in(source: Path) -> tuple[Path, ...]:
    """The files of a source: itself, the shards of a data set folder, or all files of records in a folder, at any
    depth. Raises InputError if there are none, and LeakError for the validation or test split of a data set.
    """
    if source.is_file() or any((source / "data").glob("*.parquet")):
        for split in records.heldout(source):
            raise LeakError(f"--flan {source}: holds the {split} split, which is not for training; name a train split")
        return tuple(records.files(source))
    shown = (path for path in sorted(source.rglob("*")) if not re.search(r"/\.", f"/{path.relative_to(source)}"))
    found = tuple(path for path in shown if path.is_file() and records.is_named_as_one(path))
    if not found:
        raise InputError(f"--flan {source}: no file of records in it; {records.WANTED}")
    return found


@dataclass(frozen=True)
class Sampled:
    """The records that were chosen, by position, and facts about the choice."""

    sources: tuple[Path, ...]
    chosen: Any  # true at the positions that are chosen
    facts: Mapping[str, Any]

    def lines(self) -> Iterator[tuple[str, str]]:
        """(prompt, completion) of each chosen record."""
        items = chain.from_iterable(map(records.records, self.sources))
        for position, item in enumerate(items):
            if self.chosen[position]:
                yield item.prompt, item.completion


def _items(sources: Sequence[Path], notes: _TaskNotes) -> Iterator[Item]:
    for source in sources:
        notes.none = ALL if len(sources) == 1 else f"{ALL} {source.name}"
        yield from records.records(source, notes)


def sample(sources: Sequence[Path], number: int, cap: int, seed: int) -> Sampled:
    """Choose `number` records of these files, or all that the cap allows. Raises InputError if they have none."""
    notes = _TaskNotes()
    tasks: dict[str, int] = {}
    of, order, fresh = array("L"), array("Q"), bytearray()
    seen, keys = KeySet(), bytearray()
    for item in _items(sources, notes):
        of.append(tasks.setdefault(notes.task, len(tasks)))
        key = digest(len(item.prompt), item.prompt, item.completion)[:16]
        order.append(int.from_bytes(digest("flan", seed, key.hex())[:8], "big"))
        keys += key
        if len(keys) >= 16 * BATCH:
            fresh += bytes(seen.add(bytes(keys)))
            keys.clear()
    fresh += bytes(seen.add(bytes(keys)))
    if not of:
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in notes.dropped.items()) or "it is empty"
        raise InputError(f"--flan {', '.join(map(str, sources[:3]))}: no usable record ({dropped})")
    task, rank, new = np.array(of), np.array(order, np.uint64), np.frombuffer(bytes(fresh), np.bool_)
    counts = np.bincount(task[new], minlength=len(tasks))
    quotas = _quotas(np.minimum(counts, cap), number)
    chosen = np.zeros(len(task), np.bool_)
    by_task = np.lexsort((rank, task, ~new))  # new ones first, by task, in an order drawn by the seed
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    for start, quota in zip(starts, quotas, strict=True):
        chosen[by_task[start : start + quota]] = True
    dropped_facts = dict(notes.dropped) | {"duplicate": int((~new).sum())}
    facts = {
        "source files": len(sources),
        "available": int(counts.sum()),
        "tasks": len(tasks),
        "tasks at the cap": int((counts > cap).sum()),
        "dropped": {reason: count for reason, count in sorted(dropped_facts.items()) if count},
    }
    return Sampled(tuple(sources), chosen, facts)


def _quotas(allowed: Any, number: int) -> Any:
    """How many records each task gives: in proportion to what it may give, rounded by largest remainder."""
    total = int(allowed.sum())
    if total <= number:
        return allowed
    exact = allowed.astype(np.int64) * number
    quotas = exact // total
    rest = np.lexsort((np.arange(len(allowed)), -(exact % total)))[: number - int(quotas.sum())]
    quotas[rest] += 1
    return quotas
