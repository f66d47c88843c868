"""Generate: blocks -> verified examples -> shards. The same arguments give the same bytes on any number of workers.

Work is dealt in shards of whole blocks. A worker computes a shard, a pure function of the arguments and the shard's
number, writes it under a temporary name and hands back its keys and counts; the driver takes shards in order, drops
what is a duplicate of an earlier example, cuts the last one at n, and renames. Memory does not grow with n but for
the keys (16 bytes an example).

    manifest = generate(GenerateConfig(out=Path("data/sql"), n=20_000, seed=7))
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import count
from math import ceil, inf
from pathlib import Path
from typing import Any

from symtune import dataset
from symtune.card import PLOTS, Statistics, card
from symtune.exhaustion import Exhaustion
from symtune.files import read_parquet
from symtune.keys import KeySet
from symtune.output import new_folder, sha256, versions, write_manifest
from symtune.plots import plots
from symtune.seeds import digest, rng
from symtune.sql.corpus import templates as sql_templates
from symtune.tables import TableSet, exclude_tables, load_tables, tables_of_split
from symtune.tasks import Drawn, Setting, SymbolicTask, find
from symtune.tokens import estimate
from symtune.types import SPLITS, InputError, Measure, OutputError, Split, UnknownName

MAX_BLOCKS_PER_SHARD = 192
SQL_TEMPLATE_SHARE = 0.3  # of programs, where templates are given and no share is
FORMATS = ("examples", "input-output")

Progress = Callable[[int, int], None]  # (examples so far, examples asked for)
Marks = tuple[str, tuple[str, ...]]  # the shortcut that would answer an example, and the bounded classes of its answer


@dataclass(frozen=True)
class GenerateConfig:
    """What to generate. Everything but `workers`, `out` and `overwrite` decides the bytes."""

    out: Path
    tables: Path | None = None
    layout: str | None = None
    exclude_tables: tuple[str, ...] = ()
    task: str = "sql_execution"
    n: int = 1000
    seed: int = 0
    split: Split = "train"
    budget: int = 1024
    tokenizer: str | None = None
    programs: int = 16
    rows: tuple[int, int] = (3, 40)
    columns: tuple[int, int] = (2, 8)
    max_cell: int = 200
    linearizations: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    held_out_templates: float = 0.0
    query_types: dict[str, float] | None = None
    difficulty: tuple[float, float] | None = None
    max_answer_rows: int = 10
    joins: float | None = None  # of blocks over several tables; None: few, more where there are foreign keys
    sql_templates: str | None = None  # a file of SQL templates, or "default"
    sql_template_share: float | None = None  # of programs that are instances of templates: 0.3 where there are any
    sql_templates_split: bool = False  # templates are held out too: draw only those of this split
    verify: str = ""
    self_contained: bool = False
    format: str = "examples"
    workers: int = 1
    overwrite: bool = False

    def check(self) -> None:
        """Raise InputError for the first argument that makes no sense."""
        least = {"n": 1, "budget": 32, "programs": 1, "workers": 1, "max_cell": 1, "max_answer_rows": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise InputError(f"{name} is {getattr(self, name)}; wanted {low} or more")
        if self.split not in SPLITS:
            raise UnknownName("split", self.split, SPLITS)
        if self.format not in FORMATS:
            raise UnknownName("format", self.format, FORMATS)
        for name, low in (("rows", 1), ("columns", 2), ("difficulty", 0)):
            found = getattr(self, name)
            if found is not None and not low <= found[0] <= found[1] < inf:
                raise InputError(f"{name} is {found[0]}:{found[1]}; wanted LOW:HIGH with {low} <= LOW <= HIGH")
        if self.query_types is not None:
            weights = self.query_types.values()
            if not all(0 <= weight < inf for weight in weights) or not any(weights):
                raise InputError(f"query_types is {dict(self.query_types)}; wanted weights of 0 or more, one above 0")
        if self.sql_templates is None and (self.sql_template_share is not None or self.sql_templates_split):
            raise InputError("a share or a split of SQL templates without --sql-templates FILE; name one, or `default`")
        for name in ("joins", "held_out_templates", "sql_template_share"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; wanted a share from 0 to 1")


@dataclass(frozen=True)
class Work:
    """What a worker needs, once."""

    config: GenerateConfig
    task: SymbolicTask
    setting: Setting
    folder: Path
    blocks: int  # a shard


@dataclass(frozen=True)
class Part:
    """A shard as a worker leaves it."""

    number: int
    keys: bytes
    statistics: Statistics
    rejects: Counter[str]
    marks: tuple[Marks, ...]  # of each example


def generate(
    config: GenerateConfig, *, measure: Callable[[], Measure] | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a data set folder and return its manifest. `measure()` makes the token count that `tokenizer` names.

    Raises InputError or OutputError before any work is done where the arguments cannot succeed, and InputError
    where not one example could be made. Where the stream is over before n (`symtune.exhaustion`), the folder holds
    what there is and the manifest says so (`exhausted`, `stopped`).
    """
    config.check()
    with new_folder(config.out, overwrite=config.overwrite) as folder:
        blocks = min(MAX_BLOCKS_PER_SHARD, max(8, ceil(config.n / config.programs / 16)))
        return _write(work_of(config, folder, blocks=blocks, measure=measure), progress)


def work_of(config: GenerateConfig, folder: Path, *, blocks: int, measure: Callable[[], Measure] | None = None) -> Work:
    """All that shards of `blocks` blocks, written to `folder`, are computed from. Raises InputError."""
    if config.tokenizer and measure is None:
        raise InputError(
            f"tokenizer {config.tokenizer!r} is named, but `measure` is not given: pass what makes its count"
        )
    task = find(config.task)
    setting = _setting(config, _tables(config), (measure or _estimate)(), exact=measure is not None)
    task.chosen_templates(setting)
    if config.verify and config.verify not in task.engines:
        raise UnknownName(f"engine of task {task.name}", config.verify, task.engines)
    for name in ("data", "tables"):
        (folder / name).mkdir()
    return Work(config, task, setting, folder, blocks)


def _estimate() -> Measure:
    return estimate


def _tables(config: GenerateConfig) -> TableSet:
    tables = tables_of_split(load_tables(config.tables, layout=config.layout), config.split)
    for spec in config.exclude_tables:
        tables = exclude_tables(tables, spec)
    if not tables.tables:
        raise InputError(f"{config.tables or 'the bundled tables'}: no table in split {config.split!r}; add tables")
    return tables


def _setting(config: GenerateConfig, tables: TableSet, measure: Measure, *, exact: bool) -> Setting:
    made = {"tables", "sql_templates", "sql_template_share"}
    names = set(Setting.__dataclass_fields__) & set(GenerateConfig.__dataclass_fields__) - made
    templates, share = None, 0.0
    if config.sql_templates is not None:
        templates = sql_templates.load(config.sql_templates)
        if config.sql_templates_split:
            templates = templates.of_split(config.split)
        share = SQL_TEMPLATE_SHARE if config.sql_template_share is None else config.sql_template_share
    same = {name: getattr(config, name) for name in names}
    return Setting(
        tables=tables, measure=measure, exact=exact, sql_templates=templates, sql_template_share=share, **same
    )


# --------------------------------------------------------------------------------------------- workers

_work: Work | None = None  # a worker process's own; set once by _start


def _start(work: Work) -> None:
    global _work
    _work = work


def _do(function: Callable[..., Any], *arguments: object) -> Any:
    if _work is None:
        raise RuntimeError("a worker was given work before it was started")
    return function(_work, *arguments)


def make_shard(work: Work, number: int) -> Part:
    """Compute one shard and write it under its temporary name."""
    rejects: Counter[str] = Counter()
    drawn = [item for block in _blocks(work, number, rejects) for item in block]
    keys, marks = b"".join([digest(item.prompt) for item in drawn]), tuple(map(_marks, drawn))
    return Part(number, keys, _save(work, number, drawn, marks), rejects, marks)


def _blocks(work: Work, number: int, rejects: Counter[str]) -> Iterator[Iterator[Drawn]]:
    """The blocks of a shard, each drawn from a generator of its own."""
    for block in range(number * work.blocks, (number + 1) * work.blocks):
        key = f"{work.task.name}/{work.task.version}/{work.config.split}/{work.config.seed}/{block}"
        yield work.task.block(rng(key), work.setting, key, rejects)


def _row(config: GenerateConfig, item: Drawn) -> dataset.Row:
    example, meta = item.example, item.example.meta
    info = dict(meta["info"])
    if item.tables:
        info["tables"] = [table.to_json() if config.self_contained else table.id for table in item.tables]
    return {
        "id": example.id,
        "task": example.task,
        "prompt": item.prompt,
        "completion": example.answer,
        "answer": example.answer,
        "answer_type": meta["answer_type"],
        "table_id": meta["table_id"],
        "template_id": meta["template_id"],
        "difficulty": meta["difficulty"],
        "info": dataset.info_text(info),
    }


def _table_rows(work: Work, drawn: Sequence[Drawn]) -> list[dataset.Row]:
    content = work.setting.tables.content
    shown = {table.id: table for item in drawn for table in item.tables}
    return [dataset.table_row(table, content.get(table.source, "")) for table in shown.values()]


def _marks(item: Drawn) -> Marks:
    meta = item.example.meta
    return meta.get("shortcut", ""), tuple(meta.get("balance", ()))


def _save(work: Work, number: int, drawn: Sequence[Drawn], marks: Sequence[Marks]) -> Statistics:
    """Write a shard under its temporary name."""
    name = f"part-{number:06d}.parquet"
    rows = [_row(work.config, item) for item in drawn]
    statistics = Statistics.of(rows, [item.example.meta["info"] for item in drawn], marks)
    if work.config.format == "input-output":
        published = [{"input": row["prompt"], "output": row["completion"]} for row in rows]
        dataset.write_rows(work.folder / "data" / name, published, dataset.PUBLISHED_SCHEMA)
        return statistics
    dataset.write_rows(work.folder / "data" / name, rows, dataset.SCHEMA)
    tables = _table_rows(work, drawn)
    if tables and not work.config.self_contained:
        dataset.write_rows(work.folder / "tables" / name, tables, dataset.TABLES_SCHEMA)
    return statistics


# ---------------------------------------------------------------------------------------------- driver


def _write(work: Work, progress: Progress | None) -> dict[str, Any]:
    config, seen = work.config, KeySet()
    statistics, rejects = Statistics(), Counter[str]()
    found, parts, over = 0, list[int](), Exhaustion()
    cut: list[Later] = []

    def wanted() -> int:
        return config.n - found

    with _workers(work) as submit:
        for part in _parts(work, submit, wanted):
            new = seen.add(part.keys)
            rejects.update(part.rejects)
            rejects["duplicate of another block"] += new.count(False)
            keep = over.take(new, work.blocks)[: config.n - found]
            if len(keep) == len(new):
                statistics.add(part.statistics)
            elif keep:
                cut.append(submit(_cut, part.number, keep, [part.marks[i] for i in keep]))
            if keep:
                parts.append(part.number)
            else:
                _remove(work, part.number)
            found += len(keep)
            if progress:
                progress(found, config.n)
            if found >= config.n or over.reason:
                break
        for kept in cut:
            statistics.add(kept())
    if not found:
        raise InputError(_why_none(work, over.reason, rejects))
    names = _rename(work, parts)
    return _finish(work, statistics, +rejects, found, names, over.reason if found < config.n else "")


Later = Callable[[], Any]  # gives the result of work that was submitted
Submit = Callable[..., Later]


@contextlib.contextmanager
def _workers(work: Work) -> Iterator[Submit]:
    """What takes work: `submit(function, *arguments)` has a worker call `function(work, *arguments)`. One worker is
    this process, which does it at once.
    """
    if work.config.workers == 1:
        yield partial(_at_once, work)
        return
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    with ProcessPoolExecutor(work.config.workers, context, _start, (work,)) as pool:
        try:
            yield lambda function, *arguments: pool.submit(_do, function, *arguments).result
        except BrokenProcessPool:
            raise OutputError("a worker process died (out of memory?); try fewer --workers") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _at_once(work: Work, function: Callable[..., Any], *arguments: object) -> Later:
    found = function(work, *arguments)
    return lambda: found


def _parts(work: Work, submit: Submit, wanted: Callable[[], int]) -> Iterator[Part]:
    """Shards in order, computed ahead by the workers; no further ahead than the examples still wanted need."""
    running: deque[Later] = deque()
    expected = work.blocks * work.config.programs
    most = 1 if work.config.workers == 1 else 2 * work.config.workers
    numbers = count()
    while True:
        while len(running) < min(most, max(1, ceil(wanted() / expected))):
            running.append(submit(make_shard, next(numbers)))
        yield running.popleft()()


def _files(work: Work, number: int) -> Iterator[Path]:
    for kind in ("data", "tables"):
        path = work.folder / kind / f"part-{number:06d}.parquet"
        if path.exists():
            yield path


def _remove(work: Work, number: int) -> None:
    for path in _files(work, number):
        path.unlink()


def _cut(work: Work, number: int, keep: Sequence[int], marks: Sequence[Marks]) -> Statistics:
    """Rewrite a shard with the kept rows alone, whose marks are given, and the tables that they show. Returns their
    statistics. A worker's business too: rewriting is most of what a driver would do.
    """
    if work.config.format == "input-output":
        return _redraw(work, number, keep, marks)
    data, *tables = _files(work, number)
    stored = list(read_parquet(data))
    rows = [stored[i] for i in keep]
    infos = [json.loads(row["info"]) for row in rows]
    dataset.write_rows(data, rows, dataset.SCHEMA)
    used = {table for info in infos for table in info.get("tables", ()) if isinstance(table, str)}
    for path in tables:
        shown = [row for row in read_parquet(path) if row["id"] in used]
        dataset.write_rows(path, shown, dataset.TABLES_SCHEMA)
    return Statistics.of(rows, infos, marks)


def _redraw(work: Work, number: int, keep: Sequence[int], marks: Sequence[Marks]) -> Statistics:
    """The same where the file does not hold the fields: a shard is a pure function of its number."""
    drawn: list[Drawn] = []
    for block in _blocks(work, number, Counter()):
        drawn.extend(block)
        if len(drawn) > keep[-1]:
            break
    _remove(work, number)
    return _save(work, number, [drawn[i] for i in keep], marks)


def _rename(work: Work, parts: Sequence[int]) -> list[str]:
    """Give shards their final names. Returns them, with the folder."""
    names = []
    for position, number in enumerate(parts):
        for path in _files(work, number):
            name = f"{work.config.split}-{position:05d}-of-{len(parts):05d}.parquet"
            path.rename(path.with_name(name))
            names.append(f"{path.parent.name}/{name}")
    for path in work.folder.glob("*/part-*.parquet"):  # computed ahead of need
        path.unlink()
    if not any((work.folder / "tables").iterdir()):
        (work.folder / "tables").rmdir()
    return sorted(names)


def _finish(
    work: Work, statistics: Statistics, rejects: Counter[str], found: int, names: Sequence[str], stopped: str
) -> dict[str, Any]:
    config, tables = work.config, work.setting.tables
    arguments = {**asdict(replace(config, out=Path())), "tables": None if config.tables is None else config.tables.name}
    for name in ("out", "overwrite", "workers"):
        del arguments[name]
    bounds, templates = work.task.bounds(work.setting), work.setting.sql_templates
    if templates is not None:
        arguments["sql_templates"] = templates.name
        arguments["sql_template_share"] = work.setting.sql_template_share
    body: dict[str, Any] = {
        "task": {"name": work.task.name, "version": work.task.version},
        "versions": versions("pyarrow", "sqlglot"),
        "examples": found,
        "exhausted": found < config.n,
        "stopped": stopped,
        "tables": {"count": len(tables.tables), "layout": tables.layout, "sha256": tables.sha256},
        "tables_dropped": dict(tables.dropped),
        "tables_repaired": dict(tables.repaired),
        **(
            {}
            if templates is None
            else {"sql_templates": {"count": len(templates.templates), "sha256": templates.sha256}}
        ),
        "rejects": dict(sorted(rejects.items())),
        "statistics": statistics.to_json(),
        "balance": {name: [statistics.share("balance", name), bound] for name, bound in bounds.items()},
        "sha256": {name: sha256(work.folder / name) for name in names},
    }
    texts = {PLOTS: plots(body["statistics"], body["balance"], found), "README.md": card(arguments, body)}
    for name, text in texts.items():
        (work.folder / name).write_text(text, "utf-8")
        body["sha256"][name] = sha256(work.folder / name)
    write_manifest(work.folder, "generate", arguments, body, {"workers": config.workers, "tables": str(config.tables)})
    return {"arguments": arguments, **body}


_REMEDIES = {  # reason of most rejects -> what to change
    "table: over the token budget": "raise --budget, or lower --rows and --columns",
    "over the token budget": "raise --budget, or lower --rows and --columns",
    "table: too few rows or short columns": "lower --rows and --columns, or raise --max-cell",
    "context: serves no query type": "change --query-types, or bring other tables",
    "easier than asked for": "lower --difficulty",
    "harder than asked for": "raise --difficulty, or lower --rows",
}


def _why_none(work: Work, stopped: str, rejects: Counter[str]) -> str:
    often = [(reason, n) for reason, n in rejects.most_common(3) if n]
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in often) or "nothing was drawn"
    remedy = next((_REMEDIES[reason] for reason, _ in often if reason in _REMEDIES), "bring other tables")
    tables = len(work.setting.tables.tables)
    return f"no example could be made from {tables:,} table{'s' * (tables > 1)} ({stopped}: {reasons}); {remedy}"
