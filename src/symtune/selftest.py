"""Self-test: proves what symtune promises, at any size, without writing a data set.

    report = selftest("sql_execution", 1_000_000, workers=2)
    report.failed        # False: no disagreement, no ambiguous answer

Examples of a task are drawn as `generate` draws them, and every engine of the task must confirm every answer. In every
fiftieth block, each example is executed again on the variants that its task defines (for SQL: rows and columns in three
other orders). If the task can show its work, a solution of each example is written too, in one form or the other, and
must be verified. A draw that an engine does not confirm is a failure here, rather than a reject.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symtune.denotation import parse
from symtune.exhaustion import Exhaustion
from symtune.keys import KeySet
from symtune.seeds import digest, rng
from symtune.tables import Views, load_tables, tables_of_split
from symtune.task import Drawn, Setting, SymbolicTask, Tally
from symtune.tasks import find, names
from symtune.types import FORMS, Denotation, Fields, Form, Rejected, UnknownName
from symtune.worked import VERIFIER
from symtune.workers import in_order, workers

CHUNK = 16  # blocks that a worker is given at a time
SAMPLED = 50  # one block in this many is executed again on variants
SHOWN = 5  # failures that a report lists

Progress = Callable[[int, int], None]  # (answers so far, answers requested)


@dataclass
class Report:
    """What the self-test of a task found. Counters are by query type or by engine; `first` lists the first failures."""

    answers: int = 0
    disagreements: Counter[str] = field(default_factory=Counter)
    varied: int = 0  # executions on variants
    ambiguous: int = 0
    duplicates: int = 0  # drawn, and dropped
    solutions: int = 0  # written, and handed to the verifier
    unsolved: int = 0  # programs that cannot be put into words
    cpu_seconds: float = 0.0
    by_type: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    stopped: str = ""  # why there are fewer answers than requested; "" if there are not

    @property
    def failed(self) -> bool:
        """Whether any promise was broken."""
        return bool(self.disagreements.total() or self.ambiguous or not self.answers)

    def add(self, other: Report) -> None:
        """Add a chunk's figures, except its answers and duplicates, which the caller counts."""
        for name in ("varied", "ambiguous", "solutions", "unsolved", "cpu_seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.disagreements.update(other.disagreements)
        self.by_type.update(other.by_type)
        self.rejects.update(other.rejects)
        self.first = (self.first + other.first)[:SHOWN]


@dataclass(frozen=True)
class _Work:
    task: SymbolicTask
    setting: Setting
    seed: int


def sections() -> dict[str, str]:
    """What can be tested -> the task: each task by its name, and by the first word of its name if no other begins with
    that word (`sql` for sql_execution).
    """
    first = Counter(name.partition("_")[0] for name in names())
    short = {name.partition("_")[0]: name for name in names() if first[name.partition("_")[0]] == 1}
    return short | {name: name for name in names()}


def selftest(
    section: str,
    n: int,
    *,
    tables: Path | None = None,
    seed: int = 0,
    processes: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Prove n answers of a task with all its engines. Raises UnknownName for an unknown section, InputError for tables
    that cannot be read, MissingExtra for an engine that is not installed.
    """
    start = time.process_time()
    if section not in sections():
        raise UnknownName("section of the self-test", section, sections())
    task = find(sections()[section])
    views = Views(tables_of_split(load_tables(tables), "train")) if task.needs_tables else None
    setting = task.ready(Setting("train", views=views, verify=task.engines[0] if task.engines else ""))
    report, seen, over = Report(), KeySet(), Exhaustion()
    report.disagreements.update(dict.fromkeys(task.doubts.values(), 0))
    with workers(_Work(task, setting, seed), processes) as submit:
        ahead = 1 if processes == 1 else 2 * processes
        for chunk, keys in in_order(submit, _compute, lambda: ahead):
            new = len(over.take(seen.add(keys), CHUNK))
            report.add(chunk)
            report.answers += new
            report.duplicates += len(keys) // 16 - new
            if progress:
                progress(report.answers, n)
            if report.answers >= n or over.reason:
                break
    report.stopped = over.reason if report.answers < n else ""
    if processes > 1:  # with one worker, the chunks have already counted this process
        report.cpu_seconds += time.process_time() - start
    return report


def _compute(work: _Work, number: int) -> tuple[Report, bytes]:
    """One chunk of blocks: its figures, and the keys of its prompts."""
    start, report, keys, task = time.process_time(), Report(), list[bytes](), work.task
    for block in range(number * CHUNK, (number + 1) * CHUNK):
        key = f"selftest/{task.name}/{task.version}/{work.seed}/{block}"
        tally = Tally()
        drawn = list(task.block(rng(key), work.setting, key, tally))
        report.rejects.update(tally.rejects)
        for reason, engine in task.doubts.items():
            if tally.rejects[reason]:
                report.disagreements[engine] += tally.rejects[reason]
                report.first.append(f"{engine} does not confirm {tally.rejects[reason]} of block {key}")
        for item in drawn:
            keys.append(digest(item.prompt))
            report.by_type[item.example.traits.query_type or task.name] += 1
            _solve(task, item, FORMS[block % len(FORMS)], report)
        if block % SAMPLED == 0:
            _vary(task, drawn, report)
    report.cpu_seconds = time.process_time() - start
    return report, b"".join(keys)


def _solve(task: SymbolicTask, item: Drawn, form: Form, report: Report) -> None:
    """Write a solution of an example and have it verified, if the task can show its work."""
    fields = item.example.fields
    try:
        text = task.solution(fields, form, rng("solution", item.example.id))
        if text is None:
            return
        fault = task.verify_solution(fields, text).fault(form)
    except Rejected:
        report.unsolved += 1
        return
    report.solutions += 1
    if fault:
        report.disagreements[VERIFIER] += 1
        report.first.append(f"the verifier refuses a solution of {item.example.id}: {fault}")


def _vary(task: SymbolicTask, drawn: Sequence[Drawn], report: Report) -> None:
    """Execute the examples of a block again on their variants, and count answers that change. This goes variant by
    variant, since the examples of a block share a context.
    """
    varied = [list(task.variants(item.example.fields)) for item in drawn]
    for place in range(max(map(len, varied), default=0)):
        for item, variants in zip(drawn, varied, strict=True):
            if place < len(variants):
                report.varied += 1
                if not _same(task, variants[place], item):
                    report.ambiguous += 1
                    report.first.append(f"a different answer on a variant of {item.example.id}: {item.prompt}")


def _same(task: SymbolicTask, fields: Fields, item: Drawn) -> bool:
    """Whether the fields have the same answer as the example: the same rows, in order if the order matters."""
    try:
        found: Denotation = task.execute(fields)
    except Rejected:
        return False
    rows = parse(item.example.answer)
    return found.rows == rows if found.ordered else Counter(found.rows) == Counter(rows)
