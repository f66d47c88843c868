"""Audit: execute every line of a data set again and count how many agree. Works on any data that keeps the fields.

    report = audit(Path("data/sql"), engine="duckdb")
    report.agreement     # 1.0 on our own data

A line agrees if its task proves the answer again from only the fields (for SQL: our evaluator, SQLite, and SQLite on
permuted rows and columns); its completion is the answer, or a worked solution that ends in it and whose every step
holds; and its prompt is what the task renders from the fields, if the line names a prompt template (and, for tables, a
linearization) that the task knows. Lines whose prompt could not be rendered again, and lines with the same prompt as an
earlier line, are counted too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from symtune.dataset import Line, Row, lines
from symtune.denotation import render
from symtune.keys import KeySet
from symtune.prompts import LINEARIZATIONS
from symtune.seeds import digest
from symtune.task import TABLES, SymbolicTask
from symtune.tasks import DEFAULT, Known
from symtune.types import FORMS, Fields, InputError, Needless, Rejected, UnknownName
from symtune.worked import parted

SHOWN = 5  # failures that a report lists
BATCH = 256  # lines that an additional engine checks at once


@dataclass
class IdleReport:
    """What can be dropped from the programs that agree. `idle`: programs with a part that can be dropped without
    changing the answer, of `programs`; `found`: by kind, the parts (or swaps) that there are and those that change
    nothing, added up.
    """

    programs: int = 0
    idle: int = 0
    found: Needless = field(default_factory=lambda: Needless(Counter(), Counter(), Counter(), Counter()))

    def add(self, one: Needless) -> None:
        """Count a program."""
        self.programs += 1
        self.idle += bool(one.idle)
        for total, more in zip(self.found[:4], one[:4], strict=True):
            total.update(more)
        self.found = self.found._replace(untried=self.found.untried + one.untried)


@dataclass
class AuditReport:
    """What an audit found. `failures`: reason -> lines; `first`: the first few as (where, id, reason)."""

    lines: int = 0
    agreed: int = 0
    duplicates: int = 0
    unrendered: int = 0  # lines that agree, but whose prompt could not be rendered again
    unasked: int = 0  # lines of tasks that the additional engine cannot check
    idle: IdleReport | None = None  # if it was requested
    failures: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """The share of lines that agree."""
        return self.agreed / self.lines if self.lines else 0.0

    def fail(self, where: str, id: str, reason: str, detail: str) -> None:
        """Count a line that does not agree."""
        self.failures[reason] += 1
        if len(self.first) < SHOWN:
            self.first.append((where, id, detail))


@dataclass
class _Audited:
    """A line that is being audited: its location, and its task and fields as far as they could be read."""

    where: str
    id: str
    task: SymbolicTask | None
    fields: Fields = field(default_factory=dict)
    rendered: bool = False  # whether the prompt was rendered again


def audit(
    path: Path,
    *,
    engine: str = "",
    tasks: Sequence[str] = (),
    idle: bool = False,
    progress: Callable[[int, None], None] | None = None,
) -> AuditReport:
    """Re-execute every line of a data set folder, a parquet file or a jsonl file.

    `engine`: an additional engine that must confirm the answers ("duckdb"). `tasks`: files of the user's own tasks.
    Lines name tasks, never files, so that data does not choose what code runs. `idle`: also execute every program that
    agrees without each of its parts. Raises InputError for files that cannot be read, and UnknownName for an engine
    that no task has.
    """
    report, seen, batch, known = AuditReport(), KeySet(), list[bytes](), Known(tasks)
    if engine and engine not in known.engines():
        raise UnknownName("engine", engine, known.engines())
    if idle:
        report.idle = IdleReport()
    waiting: list[_Audited] = []
    for line in lines(path):
        report.lines += 1
        audited = _Audited(line.where, str(line.row.get("id", "")), known.get(str(line.row.get("task") or DEFAULT)))
        reason, detail = _check(line, audited)
        if reason:
            report.fail(audited.where, audited.id, reason, detail)
        else:
            report.agreed += 1
            report.unrendered += not audited.rendered
            _look_for_idle(audited, report)
            waiting.append(audited)
        if isinstance(line.row.get("prompt"), str):
            batch.append(digest(line.row["prompt"]))
        if report.lines % 4096 == 0:
            report.duplicates += seen.add(b"".join(batch)).count(False)
            batch.clear()
        if len(waiting) == BATCH:
            _confirm(waiting, engine, report)
        if progress and report.lines % BATCH == 0:
            progress(report.lines, None)
    _confirm(waiting, engine, report)
    report.duplicates += seen.add(b"".join(batch)).count(False)
    if not report.lines:
        raise InputError(f"{path}: it has no lines")
    return report


def _look_for_idle(line: _Audited, report: AuditReport) -> None:
    """Try the program of a line without each of its parts, if that was asked for."""
    if report.idle is not None and line.task is not None:
        found = line.task.needless(line.fields)
        if found is not None:
            report.idle.add(found)


def _confirm(waiting: list[_Audited], engine: str, report: AuditReport) -> None:
    """Have the additional engine check the lines that agree so far, and clear the list."""
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
    """("", "") if the line holds, else the reason and its detail. The fields are stored in `audited`."""
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
        if not task.check(audited.fields, answer):
            return "answer differs", f"stored {answer!r}, executed {render(task.execute(audited.fields))!r}"
        if form != "none" and (fault := task.verify_solution(audited.fields, steps).fault(form)):
            return "solution differs", fault
        return _check_prompt(row, task, audited)
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


def _check_prompt(row: Row, task: SymbolicTask, audited: _Audited) -> tuple[str, str]:
    """The same for the prompt, which is rendered again; whether that was possible is stored in `audited`."""
    how = str(row.get("linearization") or "")
    template = task.template(str(row.get("prompt_template") or ""), audited.fields)
    if template is None or not isinstance(row.get("prompt"), str):
        return "", ""
    if TABLES in audited.fields and how not in LINEARIZATIONS:
        return "", ""
    audited.rendered = True
    prompt = task.prompt(audited.fields, template, how)
    if prompt == row["prompt"]:
        return "", ""
    place = next((i for i, pair in enumerate(zip(prompt, row["prompt"], strict=False)) if pair[0] != pair[1]), None)
    where = min(len(prompt), len(row["prompt"])) if place is None else place
    got, wanted = row["prompt"][where : where + 40], prompt[where : where + 40]
    return "prompt differs", f"from character {where + 1} on: stored {got!r}, rendered {wanted!r}"
