"""What to build: the flags of `symtune build-dataset`, which are also the keys of `dataset:` in a published recipe."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from symtune.config import Names, Strict, flag


class BuildConfig(Strict):
    """What to build. Everything except `workers`, `out` and `overwrite` affects the bytes."""

    out: Path = Field(description="The folder to write.")
    tables: Path | None = Field(None, description="Tables for sql.json; by default the bundled ones.")
    sql_n: int = Field(200_000, ge=0, description="The number of examples in sql.json.")
    flan: str | None = Field(
        None,
        json_schema_extra=flag(metavar="PATH|NAME"),
        description="Instructions for flan.json: a file or folder of records, or bundled:gsm8k.",
    )
    flan_n: int = Field(600_000, ge=0, description="The number of records in flan.json.")
    flan_cap: int = Field(30_000, ge=1, description="The most records of a task that count towards its share.")
    benchmarks: Path | None = Field(None, description="A folder of official releases, recognized by their layouts.")
    prompts: tuple[str, ...] = Field(
        (),
        json_schema_extra=flag(metavar="SCALE=FILE", repeat=True),
        description="A prompt that select-prompt chose for a scale, or a JSON object of benchmarks and templates. "
        "Repeatable.",
    )
    scales: Names = Field(("large", "xl"), description="Scales of the test files, separated by commas.")
    mmlu_split: str = Field("val", pattern="^(val|dev)$", description="MMLU's split for validation: val or dev.")
    budget: int = Field(2048, ge=64, description="The longest input, in tokens.")
    tokenizer: str | None = Field(None, description="Count tokens with this model's tokenizer; by default an estimate.")
    seed: int = Field(0, description="Another seed gives different examples.")
    workers: int = Field(1, ge=1, description="Processes that generate sql.json.")
    overwrite: bool = Field(False, description="Replace an earlier output.")
