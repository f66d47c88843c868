"""SQL execution: a table, a program, and the answer that two executors agree on (Liu et al. 2021, 2023).

A block is one view of one table (for joins: split in two or three, or with the tables that its foreign keys lead to)
and up to `setting.programs` proven programs over it. Fields: `sql`, `tables`; what else `info` holds describes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from random import Random
from typing import Any, ClassVar

from symtune.prompts import LINEARIZATIONS, PromptTemplate, load_templates
from symtune.seeds import rng as rng_of
from symtune.sql.corpus import templates as sql_templates
from symtune.sql.corpus.templates import SqlTemplates
from symtune.sql.language.bounds import pretty
from symtune.sql.language.engines import ENGINES
from symtune.sql.language.evaluator import database_of
from symtune.sql.language.idle import needless
from symtune.sql.language.limits import check_work
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context, permuted
from symtune.sql.language.second_opinion import SECOND_OPINIONS
from symtune.sql.language.tree import Query
from symtune.sql.sampling.balance import bounds_for
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.sampler import Program, Sampler
from symtune.sql.sampling.views import draw_view, pick
from symtune.sql.solutions.verifier import Verifier
from symtune.sql.solutions.wordings import WORDINGS
from symtune.sql.solutions.writer import Writer
from symtune.tables import Views, content_hash, typed_rows
from symtune.task import Drawn, Options, Setting, SymbolicTask, Tally, Words, with_solution
from symtune.tasks.sql_execution.options import DEFAULT_SHARE, SqlOptions
from symtune.types import (
    Denotation,
    Example,
    Fields,
    Form,
    InputError,
    Needless,
    Rejected,
    Steps,
    Table,
    Traits,
    UnknownName,
)
from symtune.worked import VERIFIER, check_solution

MOST_ROWS = 10_000  # of an answer that is executed again: the cap was the generator's business
TABLE_SHARE = 0.28  # of the budget, which a table may take where its programs are worked out in the rest
PERMUTATIONS = ("one", "two", "three")  # keys of the orders of rows and columns that the self-test executes too
REMEDIES = {
    "table: over the token budget": "raise --budget, or lower --rows and --columns",
    "over the token budget": "raise --budget, or lower --rows and --columns",
    "table: too few columns of short cells": "bring tables of two columns or more, or raise --max-cell",
    "table: too few rows": "lower --rows",
    "context: serves no query type": "change --set query_types=…, or bring other tables",
    "easier than asked for": "lower --set difficulty=…",
    "construct not asked for": "name more constructs in --set constructs=…, or other kinds in --set query_types=…",
    "harder than asked for": "raise --set difficulty=…, or lower --rows",
}


@dataclass(frozen=True)
class _Prepared:
    """What blocks share: the sampler, and the SQL templates that it draws from."""

    sampler: Sampler
    templates: SqlTemplates | None


class SqlExecution(SymbolicTask):
    """Programs over views of tables."""

    name = "sql_execution"
    version = 5
    needs_tables = True
    templates = load_templates("sql_execution")
    options = SqlOptions
    engines = ("duckdb",)
    doubts: ClassVar[Mapping[str, str]] = {
        "engines disagree": "SQLite",
        "evaluator disagrees": "our evaluator on permuted rows",
        "duckdb disagrees": "DuckDB",
        "solution does not hold": VERIFIER,
    }
    words = Words(
        query_types="Kinds of program",
        operators="Constructs (share of programs that use them)",
        chance="Guessing a cell of the right column, with the kind of program known, scores",
        remedies=REMEDIES,
    )

    # ------------------------------------------------------------------------------------------ drawing and proving

    def sample(self, rng: Random, setting: Setting) -> Fields:
        """One program over one view. Blocks are the natural unit: this draws one and takes its first."""
        tally = Tally()
        for drawn in self.block(rng, setting, "sample", tally):
            return drawn.example.fields
        raise Rejected("no such material", ", ".join(tally.rejects))

    def execute(self, fields: Fields) -> Denotation:
        """The proven denotation of `sql` on `tables`. Raises Rejected for SQL beyond the typed tree."""
        with ENGINES.checked_out() as engines:
            context = Context(fields["tables"], engines, max_rows=MOST_ROWS)
            query = parse_sql(fields["sql"], context.tables)
            check_work(query, context.database)
            return context.prove(query)[0]

    def disagreements(self, engine: str, batch: Sequence[Fields]) -> dict[int, str]:
        """What DuckDB does not confirm. Neighbours that share their tables go to it in one statement."""
        if engine not in self.engines:
            raise UnknownName(f"engine of task {self.name}", engine, self.engines)
        found: dict[int, str] = {}
        with SECOND_OPINIONS.checked_out() as duckdb:
            for tables, members in groupby(range(len(batch)), lambda i: batch[i]["tables"]):
                numbers = list(members)
                queries = [parse_sql(batch[i]["sql"], tables) for i in numbers]
                said = duckdb.disagreements(tables, queries)
                found.update({numbers[i]: text for i, text in said.items()})
        return found

    def needless(self, fields: Fields) -> Needless:
        """The parts of the program by kind, and the idle ones of them (sql/language/idle.py)."""
        with ENGINES.checked_out() as engines:
            context = Context(fields["tables"], engines, max_rows=MOST_ROWS)
            query = _parsed(fields["sql"], fields["tables"])
            return needless(query, context.answer(query), context)

    def variants(self, fields: Fields) -> Iterator[Fields]:
        """The program on the tables with rows and columns in three other orders."""
        tables = fields["tables"]
        typed = [typed_rows(table) for table in tables]
        for key in PERMUTATIONS:
            yield {**fields, "tables": tuple(permuted(tables, typed, key)[0])}

    def solution(self, fields: Fields, form: Form, rng: Random) -> str:
        """The program, worked out on the tables."""
        query = _parsed(fields["sql"], fields["tables"])
        return _writer(fields["tables"]).write(query, form, int(rng.random() * len(WORDINGS)))

    def verify_solution(self, fields: Fields, text: str) -> Steps:
        """Which steps hold on the tables."""
        return _verifier(fields["tables"]).verify(_parsed(fields["sql"], fields["tables"]), text)

    def prepare(self, setting: Setting) -> _Prepared:
        """The sampler, with the SQL templates that the options name. Raises InputError for a file without any."""
        options, templates = _options(setting), None
        if options.sql_templates is not None:
            templates = sql_templates.load(options.sql_templates)
            if options.sql_templates_split:
                templates = templates.of_split(setting.split)
        instances = (Instances(templates), _template_share(options)) if templates else None
        return _Prepared(
            Sampler(
                options.query_types,
                options.difficulty,
                instances,
                allow_idle=options.allow_idle,
                roles=options.roles,
                constructs=None if options.constructs is None else frozenset(options.constructs),
            ),
            templates,
        )

    def bounds(self, setting: Setting) -> Mapping[str, float]:
        """Shortcuts, and in the default mix kinds of answers too: a mix of the user's own decides those itself."""
        views = _views(setting)
        sizes = [len(table.rows) for table in views.tables.tables]
        return bounds_for(views.rows, sizes, kinds=_options(setting).query_types is None)

    def split_key(self, fields: Fields) -> str:
        """The content of the first table: a table's programs never stand in two splits."""
        return content_hash(fields["tables"][0])

    # ------------------------------------------------------------------------------------------- prompts and storing

    def shown(self, fields: Fields) -> Mapping[str, str]:
        """The program; the text of the tables is filled in beside it."""
        return {"sql": fields["sql"]}

    def templates_for(self, fields: Fields) -> tuple[PromptTemplate, ...]:
        """The templates, or for several tables their twins of the same keys."""
        return self.templates if len(fields["tables"]) == 1 else load_templates("sql_execution_several")

    def info(self, example: Example) -> dict[str, Any]:
        """The program and what describes it."""
        traits = example.traits
        return {
            "sql": example.fields["sql"],
            "ordered": example.ordered,
            "query_type": traits.query_type,
            "operators": traits.operators,
            "chance": traits.chance,
            **({"sql_template": traits.origin} if traits.origin else {}),
            **({"solution": traits.solution} if traits.solution else {}),
        }

    def fields_of(self, info: Mapping[str, Any]) -> Fields:
        """`sql` and `tables`. Raises InputError if one is missing."""
        sql, tables = info.get("sql"), info.get("tables")
        if not isinstance(sql, str) or not tables:
            raise InputError(f"info holds no sql and tables; wanted an example of the task {self.name}")
        return {"sql": sql, "tables": tables}

    def facts(self, setting: Setting) -> dict[str, Any]:
        """The file of SQL templates."""
        templates = setting.prepared.templates
        if templates is None:
            return {}
        return {"sql_templates": {"count": len(templates.templates), "sha256": templates.sha256}}

    def stated(self, options: Options) -> dict[str, Any]:
        """The options, a file of SQL templates by its name and with its share."""
        found = options.model_dump(mode="json")
        if isinstance(options, SqlOptions) and options.sql_templates is not None:
            found["sql_templates"] = sql_templates.path_of(options.sql_templates).name
            found["sql_template_share"] = _template_share(options)
        return found

    def program(self, fields: Fields) -> tuple[str, str]:
        """The program over several lines, where it is no more than the parser may be given."""
        return pretty(fields["sql"]), "sql"

    # -------------------------------------------------------------------------------------------------------- blocks

    def block(self, rng: Random, setting: Setting, key: str, tally: Tally) -> Iterator[Drawn]:
        """Many programs over one view: one linearization, one load into the engines."""
        made = self._block(rng, setting, key, tally)
        if not setting.verify:
            return (drawn for drawn, _ in made)
        return self._twice_confirmed(list(made), tally)

    def _twice_confirmed(self, made: list[tuple[Drawn, Query]], tally: Tally) -> Iterator[Drawn]:
        """The examples of one block that DuckDB confirms."""
        if not made:
            return
        tables = made[0][0].example.tables
        with SECOND_OPINIONS.checked_out() as duckdb:
            wrong = duckdb.disagreements(tables, [query for _, query in made])
        for number, (drawn, _) in enumerate(made):
            if number in wrong:
                tally.rejects["duckdb disagrees"] += 1
            else:
                yield drawn

    def _block(self, rng: Random, setting: Setting, key: str, tally: Tally) -> Iterator[tuple[Drawn, Query]]:
        options, views, rejects = _options(setting), _views(setting), tally.rejects
        prepared = setting.prepared or self.prepare(setting)
        how = pick(rng, views.linearizations or tuple(LINEARIZATIONS))
        view = draw_view(
            rng, views, joins=options.joins, key=key, how=how, measure=setting.measure,
            budget=int(setting.budget * (1 if setting.solution == "none" else TABLE_SHARE)), rejects=rejects,
            meant=prepared.sampler.by_roles, longest_number=options.longest_number,
        )  # fmt: skip
        if view is None:
            return
        templates, used = self._chosen(setting, several=bool(view.links)), setting.measure(view.shown)
        with ENGINES.checked_out() as engines:
            context = Context(view.tables, engines, links=view.links, max_rows=options.max_answer_rows)
            for number, program in enumerate(
                prepared.sampler.programs(context, rng, setting.programs, rejects, view.roles)
            ):
                template = pick(rng, templates)
                prompt = template.render({"table": view.shown, "sql": program.sql})
                fields = {"sql": program.sql, "tables": view.tables}
                drawn = Drawn(_example(f"{key}/{number}", fields, program), prompt, template.id, how)
                try:
                    drawn = _completed(drawn, program, setting, template, used)
                except Rejected as error:
                    tally.reject(error.reason, drawn.example.traits, setting.solution)
                    continue
                yield drawn, program.query

    def _chosen(self, setting: Setting, *, several: bool) -> tuple[PromptTemplate, ...]:
        """The templates of the setting, or their twins for several tables."""
        chosen = self.chosen_templates(setting)
        if not several:
            return chosen
        twins = {twin.key: twin for twin in load_templates("sql_execution_several")}
        return tuple(twins[template.key] for template in chosen)


def _example(id: str, fields: Fields, program: Program) -> Example:
    traits = Traits(
        query_type=program.query_type,
        operators=program.operators,
        chance=program.chance,
        difficulty=program.difficulty,
        shortcut=program.shortcut,
        classes=program.balance,
        origin=program.sql_template,
        idle=program.idle,
    )
    denotation = program.denotation
    return Example(id, SqlExecution.name, fields, program.answer, denotation.kind, denotation.ordered, traits)


def _options(setting: Setting) -> SqlOptions:
    """The options of the setting; the defaults where it has none of this task."""
    return setting.options if isinstance(setting.options, SqlOptions) else SqlOptions()


def _views(setting: Setting) -> Views:
    if setting.views is None:
        raise InputError(f"task {SqlExecution.name} needs tables, and the setting has none: give it `views`")
    return setting.views


def _template_share(options: SqlOptions) -> float:
    return DEFAULT_SHARE if options.sql_template_share is None else options.sql_template_share


def _completed(drawn: Drawn, program: Program, setting: Setting, template: PromptTemplate, used: int) -> Drawn:
    """The example with its completion, within the budget. Raises Rejected."""
    example, form = drawn.example, setting.solution
    if form != "none":
        chosen = _options(setting).wording
        wording = int(rng_of("solution", example.id).random() * len(WORDINGS)) if chosen is None else chosen - 1
        text = _writer(example.tables).write(program.query, form, wording)
        steps = _verifier(example.tables).verify(program.query, text)
        drawn = with_solution(drawn, check_solution(text, steps, example.answer, form), form)
    if _size(setting, template, drawn, used) > setting.budget:
        raise Rejected("over the token budget")
    return drawn


def _size(setting: Setting, template: PromptTemplate, drawn: Drawn, used: int) -> int:
    """Tokens of prompt and completion: of the whole prompt where a tokenizer counts, else, since an estimate adds up,
    of its parts, of which the tables take `used`.
    """
    if setting.exact:
        return setting.measure(drawn.prompt) + setting.measure(drawn.completion)
    sql = drawn.example.fields["sql"]
    return used + _overhead(setting.measure, template) + setting.measure(sql + drawn.completion)


# What is asked of the same tables comes one after the other.


@lru_cache(maxsize=4)
def _writer(tables: tuple[Table, ...]) -> Writer:
    return Writer(tables, database_of(tables, [typed_rows(table) for table in tables]))


@lru_cache(maxsize=4)
def _verifier(tables: tuple[Table, ...]) -> Verifier:
    return Verifier(tables)


@lru_cache(maxsize=16)
def _parsed(sql: str, tables: tuple[Table, ...]) -> Query:
    return parse_sql(sql, tables)


@lru_cache(maxsize=256)
def _overhead(measure: Any, template: PromptTemplate) -> int:
    """Tokens of a prompt template's own words, with room for the seams between its parts."""
    return int(measure(template.render({"table": "", "sql": ""}))) + 4


TASK = SqlExecution()
