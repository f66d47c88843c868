"""Self-test: what symtune promises, proven again at any size, without writing a data set.

    report = selftest_sql(1_000_000, workers=2)
    report.failed        # False: no disagreement, no ambiguous answer

`sql`: programs are drawn over the tables as `generate` draws them. Every answer is executed by our evaluator, by SQLite
on the tables as shown and on permuted ones, and by DuckDB; of every fiftieth block each program is proven again under
three random permutations of rows and columns. A draw that an engine does not confirm is a failure here, not a reject.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from symtune.denotation import parse
from symtune.exhaustion import Exhaustion
from symtune.keys import KeySet
from symtune.seeds import digest, rng
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context, permuted
from symtune.sql.language.tree import Query
from symtune.tables import load_tables, tables_of_split, typed_rows
from symtune.tasks import Drawn, Setting, SymbolicTask, find
from symtune.tokens import estimate
from symtune.types import Rejected

SECTIONS = ("sql",)
CHUNK = 16  # blocks that a worker is dealt at a time
SAMPLED = 50  # of so many blocks one is proven again under random permutations
PERMUTATIONS = ("one", "two", "three")
SHOWN = 5  # failures that a report names
ENGINES = {  # reason of a reject -> who said no
    "engines disagree": "SQLite",
    "evaluator disagrees": "our evaluator on permuted rows",
    "duckdb disagrees": "DuckDB",
}

Progress = Callable[[int, int], None]  # (answers so far, answers asked for)


@dataclass
class SqlReport:
    """What the self-test of SQL found. Counters are by query type or by engine; `first` names the first failures."""

    answers: int = 0
    disagreements: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(ENGINES.values(), 0)))
    permuted: int = 0
    ambiguous: int = 0
    duplicates: int = 0  # drawn again and dropped
    cpu_seconds: float = 0.0
    by_type: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    stopped: str = ""  # why there are fewer answers than were asked for; "" where there are not

    @property
    def failed(self) -> bool:
        """Whether one promise did not hold."""
        return bool(self.disagreements.total() or self.ambiguous or not self.answers)

    def add(self, other: SqlReport) -> None:
        """Add a chunk's figures; its answers and duplicates are the caller's to count."""
        for name in ("permuted", "ambiguous", "cpu_seconds"):
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


def selftest_sql(
    n: int, *, tables: Path | None = None, seed: int = 0, workers: int = 1, progress: Progress | None = None
) -> SqlReport:
    """Prove n answers with three engines. Raises InputError for tables that cannot be read, MissingExtra without
    DuckDB.
    """
    start = time.process_time()
    setting = Setting("train", tables_of_split(load_tables(tables), "train"), estimate, verify="duckdb")
    report, seen, over = SqlReport(), KeySet(), Exhaustion()
    for chunk, keys in _chunks(_Work(find("sql_execution"), setting, seed), workers):
        new = len(over.take(seen.add(keys), CHUNK))
        report.add(chunk)
        report.answers += new
        report.duplicates += len(keys) // 16 - new
        if progress:
            progress(report.answers, n)
        if report.answers >= n or over.reason:
            break
    report.stopped = over.reason if report.answers < n else ""
    if workers > 1:  # with one worker the chunks have counted this process already
        report.cpu_seconds += time.process_time() - start
    return report


def _chunks(work: _Work, workers: int) -> Iterator[tuple[SqlReport, bytes]]:
    """Chunks in order, computed ahead by the workers."""
    if workers == 1:
        _start(work)
        for number in range(10**9):
            yield _compute(number)
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    with ProcessPoolExecutor(workers, context, _start, (work,)) as pool:
        running: deque[Future[tuple[SqlReport, bytes]]] = deque()
        number = 0
        try:
            while True:
                while len(running) < 2 * workers:
                    running.append(pool.submit(_compute, number))
                    number += 1
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


_work: _Work | None = None  # a process's own; set once by _start


def _start(work: _Work) -> None:
    global _work
    _work = work


def _compute(number: int) -> tuple[SqlReport, bytes]:
    """One chunk of blocks: its figures, and the keys of its prompts."""
    if _work is None:
        raise RuntimeError("a worker was asked for a chunk before it was started")
    start, report, keys = time.process_time(), SqlReport(), list[bytes]()
    for block in range(number * CHUNK, (number + 1) * CHUNK):
        key = f"selftest/{_work.task.name}/{_work.task.version}/{_work.seed}/{block}"
        rejects: Counter[str] = Counter()
        drawn = list(_work.task.block(rng(key), _work.setting, key, rejects))
        report.rejects.update(rejects)
        for reason, engine in ENGINES.items():
            if rejects[reason]:
                report.disagreements[engine] += rejects[reason]
                report.first.append(f"{engine} does not confirm {rejects[reason]} of block {key}")
        for item in drawn:
            keys.append(digest(item.prompt))
            report.by_type[str(item.example.meta["info"]["query_type"])] += 1
        if block % SAMPLED == 0:
            _permute(drawn, report)
    report.cpu_seconds = time.process_time() - start
    return report, b"".join(keys)


def _permute(drawn: list[Drawn], report: SqlReport) -> None:
    """Prove the programs of a block again on randomly permuted rows and columns; count answers that change."""
    if not drawn:
        return
    tables = drawn[0].tables
    queries = [parse_sql(item.example.fields["sql"], tables) for item in drawn]
    typed = [typed_rows(table) for table in tables]
    for key in PERMUTATIONS:
        context = Context(permuted(tables, typed, key)[0])
        for item, query in zip(drawn, queries, strict=True):
            report.permuted += 1
            if not _same(context, query, item):
                report.ambiguous += 1
                report.first.append(f"another answer on permuted rows: {item.example.fields['sql']}")


def _same(context: Context, query: Query, item: Drawn) -> bool:
    """Whether a program gives its answer on a context too: the same rows, in order where order means anything."""
    try:
        found, _ = context.prove(query)
    except Rejected:
        return False
    rows = parse(item.example.answer)
    return found.rows == rows if found.ordered else Counter(found.rows) == Counter(rows)
