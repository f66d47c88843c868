"""What to measure: the flags of `symtune evaluate` and `select-prompt`, which are also the items of `evaluate:` in a
recipe and the arguments in Python.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from symtune.config import Names, Strict, flag
from symtune.models import BATCH_TOKENS


class Asked(Strict):
    """A benchmark and how its questions are asked, except the prompt template. Defaults come from the benchmark."""

    benchmark: str = Field(description="held_out, or another of `symtune tasks list`.")
    linearization: str | None = Field(
        default=None, description="How tables are written; by default the benchmark's choice."
    )
    shots: int = Field(default=0, ge=0, description="Solved questions to show before each question.")
    max_new_tokens: int | None = Field(
        default=None, ge=1, description="The longest answer, in tokens; by default what the benchmark needs."
    )
    budget: int | None = Field(
        default=None,
        ge=1,
        description="The longest prompt, in tokens; by default what the model can read. Longer tables are cut.",
    )
    batch_tokens: int = Field(
        default=BATCH_TOKENS, ge=1, description="The limit on tokens per batch, padding and answers included."
    )


class Asking(Asked):
    """A benchmark, the questions of a split, and how they are asked."""

    split: str | None = Field(
        default=None,
        description="train, validation, test, or a file of the release; by default the benchmark's choice.",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        description="The number of questions: the first N, or N taken from the tasks in turn; by default all.",
    )
    template: str | None = Field(
        default=None,
        description="A prompt template by name; by default the benchmark's first, or for held_out the stored prompts.",
    )


class EvaluateConfig(Asking):
    """What to measure for which model, and where to write it."""

    prompt_from: Path | None = Field(
        default=None,
        description="The file of `symtune select-prompt`: ask the test split with the prompt template that it chose.",
    )

    data: Path = Field(description="The benchmark's official release; for held_out, a data set folder.")
    model: str = Field(description="A name, a folder, a hub id, or a YAML that builds a model.")
    out: Path = Field(description="The evaluation folder to write.")
    task: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=flag(repeat=True),
        description="The .py file of a task of your own that the data names. Repeatable.",
    )
    overwrite: bool = Field(default=False, description="Replace an earlier output.")


class SelectConfig(Asked):
    """Which prompt template to choose for which model, and where to write the choice."""

    limit: int = Field(
        default=200,
        ge=1,
        description="The number of questions to score each template with: the first N, or N taken from the tasks in "
        "turn.",
    )
    templates: Names = Field(default=(), description="The prompt templates to choose from, by name: A,B [all].")
    data: Path = Field(description="The benchmark's official release; for held_out, a data set folder.")
    model: str = Field(description="A name, a folder, a hub id, or a YAML that builds a model.")
    out: Path = Field(description="The selection file (JSON) to write.")
    task: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=flag(repeat=True),
        description="The .py file of a task of your own that the data names. Repeatable.",
    )
    overwrite: bool = Field(default=False, description="Replace an earlier output.")
