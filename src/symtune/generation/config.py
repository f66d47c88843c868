"""What to generate: the flags of `symtune generate`, which are also the keys of `generate:` in a recipe and the
arguments in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from symtune.config import Names, Share, Strict, WholeRange, ascending_from, flag
from symtune.exhaustion import DUPLICATES
from symtune.tables import Shares
from symtune.task import Options, SymbolicTask
from symtune.tasks import DEFAULT, find_all
from symtune.types import InputError, Split, UnknownName

Tasks = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


def _shares(value: Any) -> Any:
    """60,20,20 or [60, 20, 20], checked and brought into one form."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
    try:
        return str(Shares.parse(text)) if isinstance(text, str) else text
    except InputError as error:
        raise ValueError(str(error).partition(": ")[2]) from None


SharesText = Annotated[str | None, BeforeValidator(_shares)]

# Panels of `symtune generate --help`.
TABLES, PROMPTS, PROOF = "Tables (tasks that show tables)", "Prompts", "Blocks and proof"


class GenerateSettings(Strict):
    """How to generate; also used in recipes. Everything except `workers` affects the bytes."""

    task: Tasks = Field(
        default=(DEFAULT,),
        min_length=1,
        json_schema_extra=flag(metavar="NAME", repeat=True),
        description="A task's name, or a .py file of your own. Repeatable: each task gets an equal share of the "
        "examples.",
    )
    options: dict[str, Any] = Field(
        default={},
        json_schema_extra=flag(name="--set", metavar="NAME=VALUE", pairs=True),
        description="An option of the task; `symtune tasks show NAME` lists them. Repeatable.",
    )
    n: int = Field(
        default=1000,
        ge=1,
        json_schema_extra=flag(only="-n"),
        description=f"Examples to generate; fewer if {DUPLICATES:,} duplicates in a row show that there are no more.",
    )
    seed: int = Field(default=0, description="Another seed gives different examples.")
    split_shares: SharesText = Field(
        default=None,
        json_schema_extra=flag(metavar="A,B,C"),
        description="The shares of train, validation and test in per cent, by content, for tables without official "
        "splits; give the same for all splits. Each split then gets at least one table, if there are enough.",
    )
    split_rows: bool = Field(
        default=False, description="For a single table, or very few: split the rows of each instead of the tables."
    )
    workers: int = Field(default=1, ge=1, description="Processes.")

    tables: Path | None = Field(
        default=None,
        json_schema_extra=flag(panel=TABLES),
        description="A file or folder in any known layout; by default the bundled tables.",
    )
    layout: str | None = Field(
        default=None,
        json_schema_extra=flag(panel=TABLES),
        description="The layout of --tables; by default it is guessed.",
    )
    encoding: str | None = Field(
        default=None,
        json_schema_extra=flag(panel=TABLES),
        description="The encoding of text files (cp1251, gbk, …); by default it is guessed.",
    )
    exclude_tables: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=flag(panel=TABLES, metavar="PATH[:SPLIT]", repeat=True),
        description="Leave out the tables that this source also contains. Repeatable.",
    )
    rows: Annotated[WholeRange, AfterValidator(ascending_from(1))] = Field(
        default=(3, 40),
        json_schema_extra=flag(panel=TABLES, metavar="LOW:HIGH"),
        description="The number of rows in a view.",
    )
    columns: Annotated[WholeRange, AfterValidator(ascending_from(2))] = Field(
        default=(2, 8),
        json_schema_extra=flag(panel=TABLES, metavar="LOW:HIGH"),
        description="The number of columns in a view.",
    )
    max_cell: int = Field(
        default=200,
        ge=1,
        json_schema_extra=flag(panel=TABLES),
        description="Leave out columns that have a cell longer than this, in characters.",
    )
    linearizations: Names = Field(
        default=(),
        json_schema_extra=flag(panel=TABLES, metavar="A,B"),
        description="How tables are written: names separated by commas; by default all.",
    )

    templates: Names = Field(
        default=(),
        json_schema_extra=flag(panel=PROMPTS, metavar="A,B"),
        description="Prompt templates by name, separated by commas; by default all.",
    )
    held_out_templates: Share = Field(
        default=0,
        json_schema_extra=flag(panel=PROMPTS),
        description="The share of prompt templates that only the validation and test splits use.",
    )
    budget: int = Field(
        default=1024,
        ge=32,
        json_schema_extra=flag(panel=PROMPTS),
        description="The limit on prompt and completion together, in tokens.",
    )
    tokenizer: str | None = Field(
        default=None,
        json_schema_extra=flag(panel=PROMPTS),
        description="Count tokens with the tokenizer of this model; by default a conservative estimate.",
    )

    programs: int = Field(
        default=16,
        ge=1,
        json_schema_extra=flag(panel=PROOF),
        description="The number of examples per block, that is, of programs over one view of a table.",
    )
    verify: str = Field(
        default="",
        json_schema_extra=flag(panel=PROOF),
        description="An additional engine that must confirm every answer: duckdb.",
    )


class GenerateConfig(GenerateSettings):
    """A generation. Everything except `workers`, `out` and `overwrite` affects the bytes."""

    out: Path = Field(description="The data set folder to write.")
    split: Split = Field(default="train", description="train, validation or test.")
    overwrite: bool = Field(default=False, description="Replace an earlier output.")
    self_contained: bool = Field(
        default=False,
        json_schema_extra=flag(panel=TABLES),
        description="Store the tables of every example in its line.",
    )


OF_TABLES = (
    "split_rows",
    *(
        name
        for name, field in GenerateConfig.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("panel") == TABLES
    ),
)


@dataclass(frozen=True)
class Asked:
    """One task of a generation: how many examples, and with which options."""

    task: SymbolicTask
    n: int
    options: Options
    verify: str


def asked(config: GenerateConfig) -> list[Asked]:
    """The tasks of a generation, in order, each with an equal share of n. Raises InputError or UnknownName for a task
    or an option that does not exist, and for an argument that none of the tasks uses.
    """
    tasks = find_all(config.task)
    if len(tasks) > config.n:
        raise InputError(f"n is {config.n} for {len(tasks)} tasks; wanted at least one example of each")
    _check_use(config, tasks)
    options = _options(config.options, tasks)
    shares = [config.n // len(tasks) + (k < config.n % len(tasks)) for k in range(len(tasks))]
    return [
        Asked(task, n, options[task.name], config.verify if config.verify in task.engines else "")
        for task, n in zip(tasks, shares, strict=True)
    ]


def _check_use(config: GenerateConfig, tasks: Sequence[SymbolicTask]) -> None:
    names = " and ".join(task.name for task in tasks)
    if not any(task.needs_tables for task in tasks):
        for name in OF_TABLES:
            if name in config.model_fields_set and getattr(config, name) != GenerateConfig.model_fields[name].default:
                flag = name.replace("_", "-")
                raise InputError(f"--{flag} is for tasks that show tables, and {names} shows none; leave it out")
    engines = {engine for task in tasks for engine in task.engines}
    if config.verify and not engines:
        raise InputError(f"--verify {config.verify}: {names} has no additional engine; leave it out")
    if config.verify and config.verify not in engines:
        raise UnknownName(f"engine of task {names}", config.verify, engines)


def _options(given: Mapping[str, Any], tasks: Sequence[SymbolicTask]) -> dict[str, Options]:
    """The options of each task, by its name. `NAME` sets the option of every task that has it, `TASK.NAME` of one."""
    own: dict[str, dict[str, Any]] = {task.name: {} for task in tasks}
    for key, value in given.items():
        head, dot, name = key.partition(".")
        takers = [task for task in tasks if (task.name == head if dot else key in task.options.model_fields)]
        name = name if dot else key
        known = {name for task in (takers if dot else tasks) for name in task.options.model_fields}
        if dot and not takers:
            raise UnknownName("task of an option", head, own)
        if name not in known:
            whose = head if dot else " and ".join(own)
            if not known:
                raise InputError(f"unknown option {name!r}: the task {whose} has no options")
            raise UnknownName(f"option of task {whose}", name, known)
        for task in takers:
            own[task.name][name] = value
    return {task.name: task.options.of(own[task.name], lambda name: f"option {name}") for task in tasks}
