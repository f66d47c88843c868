"""SQL execution: a table, a program, and the answer that two executors agree on (Liu et al. 2021, 2023).

A block is one view of one table (for joins: split in two or three, or with the tables that its foreign keys lead to)
and up to `setting.programs` proven programs over it. The engines are the task's: finish one block before the next is
begun. Fields: `sql`, `tables`; what else `info` holds describes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

from symtune.prompts import LINEARIZATIONS, PromptTemplate, linearize_all, load_templates
from symtune.sql.corpus.templates import SqlTemplates
from symtune.sql.language.engines import Engines
from symtune.sql.language.limits import check_work
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.language.second_opinion import SecondOpinion
from symtune.sql.language.tree import Query
from symtune.sql.sampling.balance import bounds_for
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.joins import Linked, follow, split
from symtune.sql.sampling.sampler import Program, Sampler
from symtune.tables import ForeignKey, Link, content_hash, make_view
from symtune.tasks import Drawn, Setting, SymbolicTask
from symtune.types import Denotation, Example, Fields, Rejected, Table, UnknownName

ROWS_IN_ORDER = 0.5  # share of views whose rows stand as in their table; in the others they are shuffled
COLUMNS_IN_ORDER = 0.75  # the same of columns
VIEWS_PER_BLOCK = 4  # views tried before a block is left empty
MOST_ROWS = 10_000  # of an answer that is executed again: the cap was the generator's business
JOINS = 0.08  # share of blocks over several tables where the setting gives none
JOINS_OF_LINKED = 0.4  # the same for a table with a foreign key
THIRD_TABLE = 0.5  # share of blocks over several tables that show three, where there are three
SHRINKS = 4  # times a view that is over its budget is made smaller


class SqlExecution(SymbolicTask):
    """Programs over views of tables."""

    name = "sql_execution"
    version = 2
    templates = load_templates("sql_execution")
    engines = ("duckdb",)

    def __init__(self) -> None:
        self._engines: Engines | None = None
        self._context: Context | None = None
        self._second: SecondOpinion | None = None

    def sample(self, rng: Random, setting: Setting) -> Fields:
        """One program over one view. Blocks are the natural unit: this draws one and takes its first."""
        rejects: Counter[str] = Counter()
        for drawn in self.block(rng, setting, "sample", rejects):
            return drawn.example.fields
        raise Rejected("no such material", ", ".join(rejects))

    def execute(self, fields: Fields) -> Denotation:
        """The proven denotation of `sql` on `tables`. Raises Rejected for SQL beyond the typed tree."""
        tables = fields["tables"]
        if self._context is None or self._context.tables != tables:  # lines of one block share their tables
            self._context = None  # stays so where the tables cannot be loaded
            self._context = Context(tables, self._kept_engines(), max_rows=MOST_ROWS)
        query = parse_sql(fields["sql"], tables)
        check_work(query, self._context.database)
        return self._context.prove(query)[0]

    def disagreements(self, engine: str, batch: Sequence[Fields]) -> dict[int, str]:
        """What DuckDB does not confirm. Neighbours that share their tables go to it in one statement."""
        if engine not in self.engines:
            raise UnknownName(f"engine of task {self.name}", engine, self.engines)
        found: dict[int, str] = {}
        for tables, members in groupby(range(len(batch)), lambda i: batch[i]["tables"]):
            numbers = list(members)
            queries = [parse_sql(batch[i]["sql"], tables) for i in numbers]
            said = self._second_opinion().disagreements(tables, queries)
            found.update({numbers[i]: text for i, text in said.items()})
        return found

    def _second_opinion(self) -> SecondOpinion:
        if self._second is None:
            self._second = SecondOpinion()
        return self._second

    def bounds(self, setting: Setting) -> Mapping[str, float]:
        """Shortcuts, and in the default mix kinds of answers too: a mix of the user's own decides those itself."""
        sizes = [len(table.rows) for table in setting.tables.tables]
        return bounds_for(setting.rows, sizes, kinds=setting.query_types is None)

    def split_key(self, fields: Fields) -> str:
        """The content of the first table: a table's programs never stand in two splits."""
        return content_hash(fields["tables"][0])

    def _kept_engines(self) -> Engines:
        if self._engines is None:
            self._engines = Engines()
        return self._engines

    def _several(self, setting: Setting) -> tuple[PromptTemplate, ...]:
        """The twins, for several tables, of the templates of the setting."""
        twins = {twin.key: twin for twin in load_templates("sql_execution_several")}
        return tuple(twins[chosen.key] for chosen in self.chosen_templates(setting))

    def block(self, rng: Random, setting: Setting, key: str, rejects: Counter[str]) -> Iterator[Drawn]:
        """Many programs over one view: one linearization, one load into the engines."""
        made = self._block(rng, setting, key, rejects)
        if not setting.verify:
            return (drawn for drawn, _ in made)
        return self._confirmed(list(made), rejects)

    def _confirmed(self, made: list[tuple[Drawn, Query]], rejects: Counter[str]) -> Iterator[Drawn]:
        """The examples of one block that DuckDB confirms."""
        if not made:
            return
        wrong = self._second_opinion().disagreements(made[0][0].tables, [query for _, query in made])
        for number, (drawn, _) in enumerate(made):
            if number in wrong:
                rejects["duckdb disagrees"] += 1
            else:
                yield drawn

    def _block(self, rng: Random, setting: Setting, key: str, rejects: Counter[str]) -> Iterator[tuple[Drawn, Query]]:
        how = _pick(rng, _linearizations(setting.linearizations))
        view = _view(rng, setting, key, how, rejects)
        if view is None:
            return
        tables, links, shown = view
        templates = self._several(setting) if links else self.chosen_templates(setting)
        self._context = None
        context = Context(tables, self._kept_engines(), links=links, max_rows=setting.max_answer_rows)
        mix = setting.query_types and tuple(setting.query_types.items())
        sampler = _sampler(mix, setting.difficulty, setting.sql_templates, setting.sql_template_share)
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
            example = Example(f"{key}/{number}", self.name, fields, program.answer, meta)
            yield Drawn(example, prompt, tables), program.query


def _meta(program: Program, tables: tuple[Table, ...], template_id: str) -> dict[str, Any]:
    return {
        "answer_type": program.denotation.kind,
        "table_id": tables[0].source,
        "template_id": template_id,
        "difficulty": program.difficulty,
        "shortcut": program.shortcut,
        "balance": program.balance,
        "info": {
            "sql": program.sql,
            "ordered": program.denotation.ordered,
            "query_type": program.query_type,
            "operators": program.operators,
            "chance": program.chance,
            **({"sql_template": program.sql_template} if program.sql_template else {}),
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
def _sampler(
    mix: tuple[tuple[str, float], ...] | None,
    difficulty: tuple[float, float] | None,
    templates: SqlTemplates | None,
    share: float,
) -> Sampler:
    return Sampler(dict(mix) if mix else None, difficulty, (Instances(templates), share) if templates else None)


@lru_cache(maxsize=256)
def _overhead(measure: Any, template: PromptTemplate) -> int:
    """Tokens of a prompt template's own words, with room for the seams between its parts."""
    return int(measure(template.render({"table": "", "sql": ""}))) + 4


class _View(NamedTuple):
    """What a block shows: tables, what they are joined on, and their text."""

    tables: tuple[Table, ...]
    links: tuple[Link, ...]
    shown: str


def _view(rng: Random, setting: Setting, key: str, how: str, rejects: Counter[str]) -> _View | None:
    """Tables to show and their text, within the budget; None (counted) where a few tries find none."""
    room = int(setting.budget * 0.9) - 40  # what is left holds the program, the instruction and the answer
    for _ in range(VIEWS_PER_BLOCK):
        table = _pick(rng, setting.tables.tables)
        keys = [k for k in setting.tables.foreign_keys if k.table == table.id]
        share = (JOINS_OF_LINKED if keys else JOINS) if setting.joins is None else setting.joins
        several = rng.random() < share
        foreign = _pick(rng, keys) if several and keys else None
        rows = rng.sample(range(len(table.rows)), min(len(table.rows), rng.randint(*setting.rows)))
        if rng.random() < ROWS_IN_ORDER:
            rows.sort()
        columns = _columns(rng, setting, table, rows)
        key_column = None if foreign is None else table.header.index(foreign.column)
        if key_column is not None and key_column not in columns:
            columns = [*columns[: setting.columns[1] - 1], key_column]
        if len(columns) < max(2, setting.columns[0]) or len(rows) < setting.rows[0]:
            rejects["table: too few rows or short columns"] += 1
            continue
        for _ in range(SHRINKS):
            view = make_view(table, rows, columns, id=key, name=table.name if foreign else "w")
            tables, links = _linked(rng, view, foreign, setting, rejects) if several else ((view,), ())
            shown = linearize_all(tables, how)
            used = setting.measure(shown)
            if used <= room:
                return _View(tables, links, shown)
            rows, columns = _smaller(rng, rows, columns, key_column, 0.97 * room / used, setting)
            if not columns:
                break
        rejects["table: over the token budget"] += 1
    return None


def _smaller(
    rng: Random, rows: list[int], columns: list[int], key: int | None, share: float, setting: Setting
) -> tuple[list[int], list[int]]:
    """The share of a view that fits: fewer rows, and where those may not be fewer, fewer columns (the `key` that joins
    it stays); no columns where the setting allows nothing as small.
    """
    keep = min(int(len(rows) * share), len(rows) - 1)
    fewest = max(setting.rows[0], 1)
    if keep >= fewest:
        return rows[:keep], columns
    fewer = min(int(len(columns) * share * len(rows) / fewest), len(columns) - 1)
    if fewer < max(2, setting.columns[0]):
        return rows, []
    others = [column for column in columns if column != key]
    kept = {key, *rng.sample(others, fewer - (key is not None))}
    return rows[:fewest], [column for column in columns if column in kept]


def _linked(rng: Random, view: Table, key: ForeignKey | None, setting: Setting, rejects: Counter[str]) -> Linked:
    """The view with the tables that foreign keys lead to, or else split in two or three; the view alone (counted) where
    neither can be done.
    """
    third = rng.random() < THIRD_TABLE
    try:
        if key is None:
            return split(view, rng, 3 if third and len(view.header) > 3 else 2)
        linked = _followed(rng, key, ((view,), ()), setting)
    except Rejected:
        rejects["table: nothing to join it with"] += 1
        return (replace(view, name="w"),), ()
    onward = [k for k in setting.tables.foreign_keys if k.table == key.references_table]
    if not (third and onward):
        return linked
    try:
        return _followed(rng, _pick(rng, onward), linked, setting)
    except Rejected:
        return linked


def _followed(rng: Random, key: ForeignKey, linked: Linked, setting: Setting) -> Linked:
    parent = next((table for table in setting.tables.tables if table.id == key.references_table), None)
    if parent is None:
        raise Rejected("no such material", "the table is of another split")
    return follow(key, linked, parent, rng, setting.columns[1], setting.max_cell)


def _columns(rng: Random, setting: Setting, table: Table, rows: list[int]) -> list[int]:
    """Columns to show, as a rule in table order: all of them half the time where they are few enough, else a choice."""
    cells = [table.header, *[table.rows[row] for row in rows]]
    limit = setting.max_cell
    usable = [c for c, column in enumerate(zip(*cells, strict=True)) if max(map(len, column)) <= limit]
    low, high = setting.columns
    if not (low <= len(usable) <= high and rng.random() < 0.5):
        usable = sorted(rng.sample(usable, min(len(usable), rng.randint(low, high))))
    if rng.random() >= COLUMNS_IN_ORDER:
        rng.shuffle(usable)
    return usable


TASK = SqlExecution()
