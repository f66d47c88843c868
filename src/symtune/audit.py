"""Audit: execute every line of a data set again and say how many agree. Works on anyone's data that keeps the fields.

    report = audit(Path("data/sql"), engine="duckdb")
    report.agreement     # 1.0 on our own data

A line holds when its task proves the answer again from the fields alone (for SQL: our evaluator, SQLite, and SQLite on
permuted rows and columns), and its completion is the answer, or a worked solution that ends in it and of which every
step holds. Lines that no prompt should share are counted too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from symtune.dataset import Line, lines
from symtune.denotation import render
from symtune.keys import KeySet
from symtune.seeds import digest
from symtune.task import SymbolicTask
from symtune.tasks import DEFAULT, Known
from symtune.types import FORMS, Fields, InputError, Rejected, UnknownName
from symtune.worked import parted

SHOWN = 5  # failures that a report names
BATCH = 256  # lines that a further engine checks at once


@dataclass
class AuditReport:
    """What an audit found. `failures`: reason -> lines; `first`: the first few as (where, id, reason)."""

    lines: int = 0
    agreed: int = 0
    duplicates: int = 0
    unasked: int = 0  # lines of tasks that the further engine knows nothing of
    failures: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """The share of lines that hold."""
        return self.agreed / self.lines if self.lines else 0.0

    def fail(self, where: str, id: str, reason: str, detail: str) -> None:
        """Count a line that does not hold."""
        self.failures[reason] += 1
        if len(self.first) < SHOWN:
            self.first.append((where, id, detail))


@dataclass
class _Audited:
    """A line that is being audited: where it stands, and its task and fields as far as they could be read."""

    where: str
    id: str
    task: SymbolicTask | None
    fields: Fields = field(default_factory=dict)


def audit(
    path: Path, *, engine: str = "", tasks: Sequence[str] = (), progress: Callable[[int], None] | None = None
) -> AuditReport:
    """Re-execute every line of a data set folder, a parquet file or a jsonl file.

    `engine`: a further engine that must confirm what was executed ("duckdb"). `tasks`: files of the user's own tasks;
    lines name tasks, but never files: data does not choose what code runs. Raises InputError for what cannot be read
    as such, UnknownName for an engine that no task has.
    """
    report, seen, batch, known = AuditReport(), KeySet(), list[bytes](), Known(tasks)
    if engine and engine not in known.engines():
        raise UnknownName("engine", engine, known.engines())
    waiting: list[_Audited] = []
    for line in lines(path):
        report.lines += 1
        audited = _Audited(line.where, str(line.row.get("id", "")), known.get(str(line.row.get("task") or DEFAULT)))
        reason, detail = _check(line, audited)
        if reason:
            report.fail(audited.where, audited.id, reason, detail)
        else:
            report.agreed += 1
            waiting.append(audited)
        if isinstance(line.row.get("prompt"), str):
            batch.append(digest(line.row["prompt"]))
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
        raise InputError(f"{path}: there are no lines in it")
    return report


def _confirm(waiting: list[_Audited], engine: str, report: AuditReport) -> None:
    """Ask the further engine about lines that agree so far, and forget them."""
    if engine:
        for task, group in groupby(waiting, lambda line: line.task):
            members = list(group)
            if task is None or engine not in task.engines:
                report.unasked += len(members)
                continue
            said = task.disagreements(engine, [line.fields for line in members])
            for position, text in said.items():
                report.agreed -= 1
                report.fail(members[position].where, members[position].id, f"{engine} disagrees", text)
    waiting.clear()


def _check(line: Line, audited: _Audited) -> tuple[str, str]:
    """("", "") where the line holds, else the reason and its detail. The fields are left in `audited`."""
    row, task = line.row, audited.task
    answer = row.get("answer")
    if not isinstance(answer, str):
        return "no field", "answer is missing or not a text"
    if task is None:
        return "unknown task", f"{row['task']!r}; a task of your own is named by --task FILE"
    try:
        info = line.info()
        completion, form = row.get("completion", answer), str(info.get("solution") or "none")
        steps, said = _parts(completion, form)
        if said != answer:
            return "completion differs", f"completion {completion!r}, answer {answer!r}"
        audited.fields = task.fields_of(info)
        if task.check(audited.fields, answer):
            fault = "" if form == "none" else task.verify_solution(audited.fields, steps).fault(form)
            return ("solution differs", fault) if fault else ("", "")
        return "answer differs", f"stored {answer!r}, executed {render(task.execute(audited.fields))!r}"
    except Rejected as error:
        return error.reason, str(error)
    except (InputError, KeyError, TypeError, AttributeError, ValueError) as error:
        return "unreadable fields", f"{type(error).__name__}: {error}"


def _parts(completion: object, form: str) -> tuple[str, str | None]:
    """The steps and the answer of a completion. Raises InputError for a form that does not exist."""
    if form not in ("none", *FORMS):
        raise InputError(f"info.solution is {form!r}; wanted one of none, {', '.join(FORMS)}")
    if not isinstance(completion, str):
        return "", None
    return ("", completion) if form == "none" else parted(completion)
