"""Audit: execute every line of a data set again and say how many agree. Works on anyone's data that keeps the fields.

    report = audit(Path("data/sql"), engine="duckdb")
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
from itertools import groupby
from pathlib import Path
from typing import Any

from symtune import dataset
from symtune.denotation import render
from symtune.keys import KeySet
from symtune.seeds import digest
from symtune.tasks import SymbolicTask, find, names
from symtune.types import Fields, InputError, Rejected, Table

SHOWN = 5  # failures that a report names
BATCH = 256  # lines that a further engine checks at once
MAX_LINE = 16_000_000  # bytes of a line of a jsonl file; one that holds its tables has some 10 kB
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


def audit(
    path: Path, *, engine: str = "", task: str = "", progress: Callable[[int], None] | None = None
) -> AuditReport:
    """Re-execute every line of a data set folder, a parquet file or a jsonl file.

    `engine`: a further engine that must confirm what was executed ("duckdb"). `task`: a file of the user's own task;
    lines name tasks, but never files: data does not choose what code runs. Raises InputError for what cannot be read
    as such, UnknownName for an engine that a line's task does not have.
    """
    report, seen, batch = AuditReport(), KeySet(), list[bytes]()
    known = {found.name: found for found in ([find(task)] if task else [])}
    waiting: list[_Line] = []
    for where, row, tables in lines(path):
        report.lines += 1
        line = _Line(where, str(row.get("id", "")), _task(row, known))
        reason, detail = _check(row, tables, line)
        if reason:
            report.fail(where, line.id, reason, detail)
        else:
            report.agreed += 1
            waiting.append(line)
        if isinstance(row.get("prompt"), str):
            batch.append(digest(row["prompt"]))
        if report.lines % 4096 == 0:
            report.duplicates += seen.add(b"".join(batch)).count(False)
            batch.clear()
        if len(waiting) == BATCH:
            _confirm(waiting, engine, report)
        if progress:
            progress(report.lines)
    _confirm(waiting, engine, report)
    report.duplicates += seen.add(b"".join(batch)).count(False)
    if not report.lines:
        raise InputError(f"{path}: holds no line")
    return report


@dataclass
class _Line:
    """A line that is being audited: where it stands, and its task and fields as far as they could be read."""

    where: str
    id: str
    task: SymbolicTask | None
    fields: Fields = field(default_factory=dict)


def _task(row: dict[str, Any], known: dict[str, SymbolicTask]) -> SymbolicTask | None:
    name = str(row.get("task") or "sql_execution")
    if name not in known and name in names():
        known[name] = find(name)
    return known.get(name)


def _confirm(waiting: list[_Line], engine: str, report: AuditReport) -> None:
    """Ask the further engine about lines that agree so far, and forget them."""
    if engine:
        for task, group in groupby(waiting, lambda line: line.task):
            members = list(group)
            said = task.disagreements(engine, [line.fields for line in members]) if task else {}
            for position, text in said.items():
                report.agreed -= 1
                report.fail(members[position].where, members[position].id, f"{engine} disagrees", text)
    waiting.clear()


def _check(row: dict[str, Any], tables: dict[str, Table], line: _Line) -> tuple[str, str]:
    """("", "") where the line holds, else the reason and its detail. The fields are left in `line`."""
    for name in NEEDED:
        if not isinstance(row.get(name), str):
            return "no field", f"{name} is missing or not a text"
    if row.get("completion", row["answer"]) != row["answer"]:
        return "completion differs", f"completion {row['completion']!r}, answer {row['answer']!r}"
    if line.task is None:
        return "unknown task", f"{row['task']!r}; a task of your own is named by --task FILE"
    try:
        line.fields = dataset.fields_of(row["info"], tables, line.where)
        answer = render(line.task.execute(line.fields))
    except Rejected as error:
        return error.reason, str(error)
    except (InputError, KeyError, TypeError) as error:
        return "unreadable fields", f"{type(error).__name__}: {error}"
    if answer != row["answer"]:
        return "answer differs", f"stored {row['answer']!r}, executed {answer!r}"
    return "", ""


def lines(path: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Table]]]:
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
    with path.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE + 1), b""), start=1):
            if len(line) > MAX_LINE:
                raise InputError(f"{path}:{number}: a line of more than {MAX_LINE:,} bytes")
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}:{number}: not JSON: {error}") from None
            if not isinstance(row, dict):
                raise InputError(f"{path}:{number}: wanted an object a line, got {type(row).__name__}")
            if isinstance(row.get("info"), dict):
                row["info"] = json.dumps(row["info"])
            yield f"{path}:{number}", row, {}
