"""The options of SQL execution: `--set NAME=VALUE`, `options:` in YAML, `symtune tasks show sql_execution`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from symtune.config import Names, Range, Share, Weights, ascending_from
from symtune.sql.language.measures import constructs
from symtune.sql.sampling.programs import QUERY_TYPES
from symtune.sql.solutions.wordings import WORDINGS
from symtune.task import WorkedOptions
from symtune.types import UnknownName

DEFAULT_SHARE = 0.3  # of programs that are instances of SQL templates, where a file of them is given and no share is


NAMES = tuple(kind.name for kind in QUERY_TYPES)


def _known(weights: dict[str, float]) -> dict[str, float]:
    for name in weights:
        if name not in NAMES:
            raise ValueError(str(UnknownName("query type", name, NAMES)))
    return weights


def _constructs(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in constructs():
            raise ValueError(str(UnknownName("construct", name, constructs())))
    return names


class SqlOptions(WorkedOptions):
    """The options of SQL execution."""

    query_types: Annotated[Weights, AfterValidator(_known)] | None = Field(
        default=None, description=f"Kinds of program, NAME=WEIGHT separated by commas. Known: {', '.join(NAMES)}."
    )
    difficulty: Annotated[Range, AfterValidator(ascending_from(0))] | None = Field(
        default=None, description="LOW:HIGH: the range of program difficulty (docs/sql.md)."
    )
    constructs: Annotated[Names, AfterValidator(_constructs), Field(min_length=1)] | None = Field(
        default=None,
        description=f"The only constructs that programs may use. Known: {', '.join(constructs())}.",
    )
    max_answer_rows: int = Field(default=10, ge=1, description="The most rows that an answer may have.")
    roles: bool | None = Field(
        default=None,
        description="Ask of columns only what their roles allow (docs/tables.md); by default in the default mix alone.",
    )
    longest_number: int | None = Field(
        default=None, ge=1, description="Leave out number columns that show a number of more characters."
    )
    wording: int | None = Field(
        default=None,
        ge=1,
        le=len(WORDINGS),
        description=f"The one wording of worked solutions, 1 to {len(WORDINGS)}; by default all of them, by seed.",
    )
    joins: Share | None = Field(
        default=None,
        description="The share of blocks over several tables; by default 0.08, or 0.4 for a table with a foreign key.",
    )
    sql_templates: str | None = Field(
        default=None, description="A file of SQL templates to draw programs from, or `default` (those of WikiSQL)."
    )
    sql_template_share: Share | None = Field(
        default=None,
        description=f"The share of programs that are instances of SQL templates; by default {DEFAULT_SHARE}.",
    )
    allow_idle: bool = Field(
        default=False,
        description="Keep programs of which a part can be dropped without changing the answer (docs/sql.md).",
    )
    sql_templates_split: bool = Field(default=False, description="Use only the SQL templates that belong to the split.")

    @model_validator(mode="after")
    def _has_templates(self) -> SqlOptions:
        if self.sql_templates is None and (self.sql_template_share is not None or self.sql_templates_split):
            raise ValueError("a share or a split of SQL templates needs sql_templates: name a file, or `default`")
        return self
