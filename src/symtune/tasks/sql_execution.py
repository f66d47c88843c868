"""SQL execution: a table, a program, and the answer that two executors agree on (Liu et al. 2021, 2023).

A block is one view of one table (or of one table split in two, for joins) and up to `setting.programs` proven programs
over it. Fields: `sql`, `tables`; what else `info` holds describes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

from symtune.prompts import LINEARIZATIONS, PromptTemplate, linearize_all, load_templates
from symtune.sql.joins import split
from symtune.sql.parse import parse_sql
from symtune.sql.proof import Context, Engines
from symtune.sql.sampler import Drawn as Program
from symtune.sql.sampler import Sampler
from symtune.tables import content_hash, make_view
from symtune.tasks import Drawn, Setting, SymbolicTask
from symtune.types import Denotation, Example, ExecutionError, Fields, Table, UnknownName

VIEWS_PER_BLOCK = 4  # views tried before a block is left empty
MOST_ROWS = 10_000  # of an answer that is executed again: the cap was the generator's business
SHRINKS = 4  # times a view that is over its budget is made smaller


class SqlExecution(SymbolicTask):
    name = "sql_execution"
    version = 1
    templates = load_templates("sql_execution")

    def __init__(self) -> None:
        self._engines: Engines | None = None
        self._context: Context | None = None

    def sample(self, rng: Random, setting: Setting) -> Fields:
        """One program over one view. Blocks are the natural unit: this draws one and takes its first."""
        rejects: Counter[str] = Counter()
        for drawn in self.block(rng, setting, "sample", rejects):
            return drawn.example.fields
        raise ExecutionError("no such material", ", ".join(rejects))

    def execute(self, fields: Fields) -> Denotation:
        """The proven denotation of `sql` on `tables`. Raises ExecutionError for SQL beyond the typed tree."""
        tables = fields["tables"]
        if self._context is None or self._context.tables != tables:  # lines of one block share their tables
            self._context = Context(tables, self._kept_engines(), max_rows=MOST_ROWS)
        return self._context.prove(parse_sql(fields["sql"], tables))[0]

    def split_key(self, fields: Fields) -> str:
        """The content of the first table: a table's programs never stand in two splits."""
        return content_hash(fields["tables"][0])

    def _kept_engines(self) -> Engines:
        if self._engines is None:
            self._engines = Engines()
        return self._engines

    def block(self, rng: Random, setting: Setting, key: str, rejects: Counter[str]) -> Iterator[Drawn]:
        """Many programs over one view: one linearization, one load into the engines."""
        how = _pick(rng, _linearizations(setting.linearizations))
        view = _view(rng, setting, key, how, rejects)
        if view is None:
            return
        tables, shown = view
        templates = (
            self.chosen_templates(setting.templates) if len(tables) == 1 else load_templates("sql_execution_several")
        )
        self._context = None
        context = Context(tables, self._kept_engines(), max_rows=setting.max_answer_rows)
        sampler = _sampler(setting.query_types and tuple(setting.query_types.items()), setting.difficulty)
        used = setting.measure(shown)
        for number, program in enumerate(sampler.programs(context, rng, setting.programs, rejects)):
            template = _pick(rng, templates)
            prompt = template.render({"table": shown, "sql": program.sql})
            if setting.exact:
                size = setting.measure(prompt) + setting.measure(program.answer)
            else:
                size = used + _overhead(setting.measure, template) + setting.measure(program.sql + program.answer)
            if size > setting.budget:
                rejects["over the token budget"] += 1
                continue
            meta = _meta(program, tables, f"{template.id}+{how}")
            fields = {"sql": program.sql, "tables": tables}
            yield Drawn(Example(f"{key}/{number}", self.name, fields, program.answer, meta), prompt, tables)


def _meta(program: Program, tables: tuple[Table, ...], template_id: str) -> dict[str, Any]:
    return {
        "answer_type": program.denotation.kind,
        "table_id": tables[0].source,
        "template_id": template_id,
        "difficulty": program.difficulty,
        "shortcut": program.shortcut,
        "info": {
            "sql": program.sql,
            "ordered": program.denotation.ordered,
            "query_type": program.query_type,
            "operators": program.operators,
            "chance": program.chance,
        },
    }


def _pick(rng: Random, options: Any) -> Any:
    return options[int(rng.random() * len(options))]


def _linearizations(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in LINEARIZATIONS:
            raise UnknownName("linearization", name, LINEARIZATIONS)
    return names or tuple(LINEARIZATIONS)


@lru_cache(maxsize=16)
def _sampler(mix: tuple[tuple[str, float], ...] | None, difficulty: tuple[float, float] | None) -> Sampler:
    return Sampler(dict(mix) if mix else None, difficulty)


@lru_cache(maxsize=256)
def _overhead(measure: Any, template: PromptTemplate) -> int:
    """Tokens of a prompt template's own words, with room for the seams between its parts."""
    return int(measure(template.render({"table": "", "sql": ""}))) + 4


def _view(
    rng: Random, setting: Setting, key: str, how: str, rejects: Counter[str]
) -> tuple[tuple[Table, ...], str] | None:
    """Tables to show and their text, within the budget; None (counted) where a few tries find none."""
    room = int(setting.budget * 0.9) - 40  # what is left holds the program, the instruction and the answer
    for _ in range(VIEWS_PER_BLOCK):
        table = _pick(rng, setting.tables.tables)
        several = rng.random() < setting.joins
        count = min(len(table.rows), rng.randint(*setting.rows))
        rows = rng.sample(range(len(table.rows)), count)
        if rng.random() < 0.5:
            rows.sort()
        columns = _columns(rng, setting, table, rows)
        if len(columns) < max(2, setting.columns[0]) or len(rows) < setting.rows[0]:
            rejects["table: too few rows or short columns"] += 1
            continue
        for _ in range(SHRINKS):
            views = (make_view(table, rows, columns, id=key),)
            shown = linearize_all(views, how)
            used = setting.measure(shown)
            if used <= room:
                return _final(rng, views, shown, several, how, setting, room, rejects)
            keep = min(int(len(rows) * room / used * 0.97), len(rows) - 1)
            if keep < setting.rows[0]:
                break
            rows = rows[:keep]
        rejects["table: over the token budget"] += 1
    return None


def _final(
    rng: Random, views: tuple[Table, ...], shown: str, several: bool, how: str, setting: Setting, room: int,
    rejects: Counter[str],
) -> tuple[tuple[Table, ...], str]:  # fmt: skip
    """The view, split into two tables where joins were drawn and the view allows it."""
    if several:
        try:
            pair = split(views[0], rng)
        except ExecutionError:
            rejects["table: cannot be split for a join"] += 1
            return views, shown
        text = linearize_all(pair, how)
        if setting.measure(text) <= room:
            return pair, text
        rejects["table: split is over the token budget"] += 1
    return views, shown


def _columns(rng: Random, setting: Setting, table: Table, rows: list[int]) -> list[int]:
    """Columns to show, in table order: all of them half the time where they are few enough, else a choice."""
    cells = [table.header, *[table.rows[row] for row in rows]]
    limit = setting.max_cell
    usable = [c for c, column in enumerate(zip(*cells, strict=True)) if max(map(len, column)) <= limit]
    low, high = setting.columns
    if low <= len(usable) <= high and rng.random() < 0.5:
        return usable
    count = min(len(usable), rng.randint(low, high))
    return sorted(rng.sample(usable, count))


TASK = SqlExecution()
