"""The driver: shards in order, duplicates dropped, cut at n. The same arguments give the same bytes on any number of
workers, and memory does not grow with n, except for the keys of prompts (16 bytes per example).

If a folder holds examples of several tasks, each has an equal share and a separate stream: its examples are those that
it would have alone, for the same n.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from symtune.exhaustion import Exhaustion
from symtune.generation.card import card, plots_name
from symtune.generation.config import OF_TABLES, Asked, GenerateConfig, asked
from symtune.generation.plots import plots
from symtune.generation.shards import Part, Work, cut, make_shard, remove
from symtune.generation.statistics import Statistics
from symtune.keys import KeySet
from symtune.output import new_folder, sha256, versions, write_manifest
from symtune.splitting import splits_text
from symtune.tables import (
    DEFAULT_SHARES,
    Shares,
    TableSet,
    Views,
    exclude_tables,
    load_tables,
    rows_of_split,
    tables_of_split,
)
from symtune.task import EVERY, Setting, Tally
from symtune.tokens import estimate
from symtune.types import InputError, Measure
from symtune.workers import Later, Submit, in_order, workers

MAX_BLOCKS_PER_SHARD = 192

Progress = Callable[[int, int], None]  # (examples so far, examples requested)
NewMeasure = Callable[[], Measure]  # returns the function that counts tokens as `tokenizer` does


@dataclass
class Made:
    """What happened to one task's share of a data set."""

    asked: Asked
    work: Work
    statistics: Statistics
    tally: Tally
    examples: int
    parts: list[int]  # numbers of the shards that are kept
    stopped: str  # why there are fewer examples than requested; "" if there are not


def generate(
    config: GenerateConfig,
    *,
    measure: NewMeasure | None = None,
    progress: Progress | None = None,
    tables: TableSet | None = None,
) -> dict[str, Any]:
    """Write a data set folder and return its manifest. `measure()` returns the token count that `tokenizer` names;
    `tables` are those that `load_for` has loaded for this configuration, if it was asked before.

    Raises InputError or OutputError before any work is done if the arguments cannot succeed, and InputError if a task
    gives no examples at all. If a stream ends before n (`symtune.exhaustion`), the folder holds the examples found, and
    the manifest says so (`exhausted`, `stopped`).
    """
    tasks = asked(config)
    if tables is None:
        tables = load_for(config, tasks)
    with new_folder(config.out, overwrite=config.overwrite) as folder:
        works = [work_of(config, tasks, k, tables, folder, measure=measure) for k in range(len(tasks))]
        made: list[Made] = []
        with workers(works, config.workers) as submit:
            for one, work in zip(tasks, works, strict=True):
                before = sum(done.examples for done in made)
                made.append(_make(one, work, submit, config, before, progress))
        return _finish(config, made, tables, _rename(made, config.split))


def work_of(
    config: GenerateConfig,
    tasks: Sequence[Asked],
    which: int,
    tables: TableSet | None,
    folder: Path,
    *,
    measure: NewMeasure | None = None,
    blocks: int = 0,
) -> Work:
    """Everything from which the shards of one task, written to `folder`, are computed; with `blocks` blocks per shard
    (0: as many as suit n). Raises InputError.
    """
    if config.tokenizer and measure is None:
        raise InputError(
            f"tokenizer {config.tokenizer!r} needs `measure`: pass the function that returns its token count"
        )
    one = tasks[which]
    views = None
    if one.task.needs_tables and tables is not None:
        views = Views(tables, config.rows, config.columns, config.max_cell, config.linearizations)
    setting = Setting(
        split=config.split,
        measure=measure() if measure else estimate,
        budget=config.budget,
        exact=measure is not None,
        programs=config.programs,
        templates=config.templates,
        held_out_templates=config.held_out_templates,
        verify=one.verify,
        shares=Shares.parse(config.split_shares) if config.split_shares else DEFAULT_SHARES,
        views=views,
        options=one.options,
    )
    for name in ("data", "tables"):
        (folder / name).mkdir(exist_ok=True)
    blocks = blocks or min(MAX_BLOCKS_PER_SHARD, max(8, ceil(one.n / config.programs / 16)))
    return Work(one.task, one.task.ready(setting), config.seed, folder, blocks, which, config.self_contained)


def load_for(config: GenerateConfig, tasks: Sequence[Asked]) -> TableSet | None:
    """The tables of a generation; None, without reading anything, if no task shows tables. Raises InputError."""
    if not any(one.task.needs_tables for one in tasks):
        return None
    shares = Shares.parse(config.split_shares) if config.split_shares else None
    tables = load_tables(config.tables, layout=config.layout, encoding=config.encoding)
    if not config.split_rows:
        tables = tables_of_split(tables, config.split, shares)
    for spec in config.exclude_tables:
        tables = exclude_tables(tables, spec, shares)
    if config.split_rows:
        tables = rows_of_split(tables, config.split, shares or DEFAULT_SHARES)
    if not tables.tables:
        raise InputError(f"{config.tables or 'the bundled tables'}: no table in split {config.split!r}; add tables")
    return tables


def _make(
    one: Asked, work: Work, submit: Submit, config: GenerateConfig, before: int, progress: Progress | None
) -> Made:
    """One task's shards, until there are enough examples or its stream ends. `before`: examples of earlier tasks."""
    seen, over, cuts = KeySet(), Exhaustion(), list[Later]()
    made = Made(one, work, Statistics(), Tally(), 0, [], "")

    def ahead() -> int:
        """How many shards to compute ahead: no more than the examples still wanted require."""
        most = 1 if config.workers == 1 else 2 * config.workers
        return min(most, ceil((one.n - made.examples) / (work.blocks * config.programs)))

    def compute(function: Callable[..., Any], number: int) -> Later:
        return submit(function, work.number, number)

    part: Part
    for part in in_order(compute, make_shard, ahead):
        new = seen.add(part.keys)
        made.tally.add(part.tally)
        made.tally.rejects["duplicate of another block"] += new.count(False)
        keep = over.take(new, work.blocks)[: one.n - made.examples]
        if len(keep) == len(new):
            made.statistics.add(part.statistics)
        elif keep:
            cuts.append(submit(cut, work.number, part.number, keep, [part.marks[i] for i in keep]))
        if keep:
            made.parts.append(part.number)
        else:
            remove(work, part.number)
        made.examples += len(keep)
        if progress:
            progress(before + made.examples, config.n)
        if made.examples >= one.n or over.reason:
            break
    for kept in cuts:
        made.statistics.add(kept())
    if not made.examples:
        raise InputError(_why_none(made, over.reason))
    made.stopped = over.reason if made.examples < one.n else ""
    made.tally.rejects = +made.tally.rejects
    return made


def _rename(made: Sequence[Made], split: str) -> list[str]:
    """Give the shards their final names. Returns these, relative to the data set folder."""
    folder = made[0].work.folder
    total = sum(len(one.parts) for one in made)
    kept = [(one.work, number) for one in made for number in one.parts]
    names = []
    for position, (work, number) in enumerate(kept):
        for path in work.written(number):
            name = f"{split}-{position:05d}-of-{total:05d}.parquet"
            path.rename(path.with_name(name))
            names.append(f"{path.parent.name}/{name}")
    for path in folder.glob("*/part-*.parquet"):  # computed ahead, but not needed
        path.unlink()
    if not any((folder / "tables").iterdir()):
        (folder / "tables").rmdir()
    return sorted(names)


def _finish(
    config: GenerateConfig, made: Sequence[Made], tables: TableSet | None, names: Sequence[str]
) -> dict[str, Any]:
    """Write the card, its plots and the manifest; return the manifest."""
    folder, found = made[0].work.folder, sum(one.examples for one in made)
    arguments = _arguments(config, tables)
    body: dict[str, Any] = {
        "tasks": [_stated(one) for one in made],
        "versions": versions("pyarrow", "sqlglot"),
        "splits": splits_text(config.split_shares, rows=config.split_rows),
        "examples": found,
        "exhausted": found < config.n,
        "stopped": "; ".join(dict.fromkeys(one.stopped for one in made if one.stopped)),
        "sha256": {name: sha256(folder / name) for name in names},
    }
    if tables is not None:
        body["tables"] = {"count": len(tables.tables), "layout": tables.layout, "sha256": tables.sha256}
        body["tables_dropped"], body["tables_repaired"] = dict(tables.dropped), dict(tables.repaired)
        body["tables_passed_over"] = dict(tables.passed_over)
    texts = {
        plots_name(one.asked.task.name): plots(stated, one.asked.task.words)
        for one, stated in zip(made, body["tasks"], strict=True)
    }
    texts["README.md"] = card(arguments, body, [one.asked.task.words for one in made])
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
        body["sha256"][name] = sha256(folder / name)
    first = dict(tables.first) if tables else {}  # locations contain paths of this machine
    facts = {"workers": config.workers, "tables": str(config.tables), "first": first}
    write_manifest(folder, "generate", arguments, body, facts)
    return {"arguments": arguments, **body, "run": facts}


def _arguments(config: GenerateConfig, tables: TableSet | None) -> dict[str, Any]:
    """The arguments that affect the bytes; files only by name, and options with their tasks."""
    left_out = {"out", "overwrite", "workers", "options", *(OF_TABLES if tables is None else ())}
    found = config.model_dump(mode="json", exclude=left_out)
    found["task"] = [Path(name).name if name.endswith(".py") else name for name in config.task]
    if tables is not None:
        found["tables"] = None if config.tables is None else config.tables.name
    return found


def _stated(one: Made) -> dict[str, Any]:
    """What the manifest says about one task's examples."""
    task, setting = one.asked.task, one.work.setting
    bounds = task.bounds(setting)
    return {
        "name": task.name,
        **({"imitates": list(task.imitates)} if task.imitates else {}),
        "version": task.version,
        "options": task.stated(one.asked.options),
        "examples": one.examples,
        "stopped": one.stopped,
        **task.facts(setting),
        "rejects": dict(sorted(one.tally.rejects.items())),
        "other_splits": one.tally.elsewhere,
        **_unsolved(one),
        "statistics": one.statistics.to_json(),
        "balance": {name: [one.statistics.share("balance", name), bound] for name, bound in bounds.items()},
    }


def _unsolved(one: Made) -> dict[str, Any]:
    """By construct, the share of examples that were rejected for lack of a worked solution, or of room for one."""
    if one.work.setting.solution == "none":
        return {}
    made = one.statistics.counts["operators"] + Counter({EVERY: one.examples})
    gone = one.tally.unsolved
    return {"unsolved": {name: round(gone[name] / (gone[name] + made[name]), 4) for name in sorted(gone)}}


def _why_none(made: Made, stopped: str) -> str:
    task, views = made.asked.task, made.work.setting.views
    often = [(reason, n) for reason, n in made.tally.rejects.most_common(3) if n]
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in often) or "nothing was drawn"
    remedies = {"over the token budget": "raise --budget", **task.words.remedies}
    known = next((remedies[reason] for reason, _ in often if reason in remedies), "")
    remedy = known or ("bring other tables" if views else "change its options or its file")
    count = len(views.tables.tables) if views else 0
    source = f" from {count:,} table{'s' * (count > 1)}" if views else f" of the task {task.name}"
    return f"no example could be generated{source} ({stopped}: {reasons}); {remedy}"
