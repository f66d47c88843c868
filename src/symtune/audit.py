"""Audit: execute every line of a data set again and say how many agree. Works on anyone's data that keeps the fields.

    report = audit(Path("data/sql"))
    report.agreement     # 1.0 on our own data

A line holds when its task proves the answer again from the fields alone (for SQL: our evaluator, SQLite, and SQLite on
permuted rows and columns), and `completion` and `answer` are the same text. Lines that no prompt should share are
counted too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symtune import dataset
from symtune.denotation import render
from symtune.keys import KeySet
from symtune.seeds import digest
from symtune.tasks import SymbolicTask, find
from symtune.types import ExecutionError, InputError, Table

SHOWN = 5  # failures that a report names
NEEDED = ("answer", "info")


@dataclass
class AuditReport:
    """What an audit found. `failures`: reason -> lines; `first`: the first few as (where, id, reason)."""

    lines: int = 0
    agreed: int = 0
    duplicates: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        return self.agreed / self.lines if self.lines else 0.0

    def fail(self, where: str, id: str, reason: str, detail: str) -> None:
        """Count a line that does not hold."""
        self.failures[reason] += 1
        if len(self.first) < SHOWN:
            self.first.append((where, id, detail))


def audit(path: Path, *, progress: Callable[[int], None] | None = None) -> AuditReport:
    """Re-execute every line of a data set folder, a parquet file or a jsonl file.

    Raises InputError for what cannot be read as such.
    """
    report, seen, batch = AuditReport(), KeySet(), list[bytes]()
    tasks: dict[str, SymbolicTask] = {}
    for where, row, tables in _lines(path):
        report.lines += 1
        reason, detail = _check(row, tables, where, tasks)
        if reason:
            report.fail(where, str(row.get("id", "")), reason, detail)
        else:
            report.agreed += 1
        if isinstance(row.get("prompt"), str):
            batch.append(digest(row["prompt"]))
        if len(batch) == 4096:
            report.duplicates += seen.add(b"".join(batch)).count(False)
            batch.clear()
        if progress:
            progress(report.lines)
    report.duplicates += seen.add(b"".join(batch)).count(False)
    if not report.lines:
        raise InputError(f"{path}: holds no line")
    return report


def _check(
    row: dict[str, Any], tables: dict[str, Table], where: str, tasks: dict[str, SymbolicTask]
) -> tuple[str, str]:
    """("", "") where the line holds, else the reason and its detail."""
    for name in NEEDED:
        if not isinstance(row.get(name), str):
            return "no field", f"{name} is missing or not a text"
    if row.get("completion", row["answer"]) != row["answer"]:
        return "completion differs", f"completion {row['completion']!r}, answer {row['answer']!r}"
    name = str(row.get("task") or "sql_execution")
    try:
        task = tasks.setdefault(name, find(name))
        fields = dataset.fields_of(row["info"], tables, where)
        answer = render(task.execute(fields))
    except ExecutionError as error:
        return error.reason, str(error)
    except (InputError, KeyError, TypeError) as error:
        return "unreadable fields", str(error)
    if answer != row["answer"]:
        return "answer differs", f"stored {row['answer']!r}, executed {answer!r}"
    return "", ""


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Table]]]:
    """(where, row, tables of its shard) for every line."""
    if path.is_dir():
        for shard in dataset.shards(path):
            tables = dataset.read_tables(shard.tables)
            for number, row in enumerate(dataset.read_parquet(shard.data)):
                yield f"{shard.data}:{number}", row, tables
    elif not path.exists():
        raise InputError(f"{path}: no such file or folder")
    elif path.suffix == ".parquet":
        for number, row in enumerate(dataset.read_parquet(path)):
            yield f"{path}:{number}", row, {}
    else:
        yield from _json_lines(path)


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Table]]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number}: not JSON: {error}") from None
            if not isinstance(row, dict):
                raise InputError(f"{path}:{number}: wanted an object a line, got {type(row).__name__}")
            if isinstance(row.get("info"), dict):
                row["info"] = json.dumps(row["info"])
            yield f"{path}:{number}", row, {}
