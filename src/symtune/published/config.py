"""What to build: the flags of `symtune build-dataset`, the keys of a published recipe's `dataset:`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from symtune.config import Names, Strict, flag


class BuildConfig(Strict):
    """What to build. Everything but `workers`, `out` and `overwrite` decides the bytes."""

    out: Path = Field(description="The folder to write.")
    tables: Path | None = Field(None, description="Tables for sql.json; unless given, the bundled ones.")
    sql_n: int = Field(200_000, ge=0, description="Examples of sql.json.")
    flan: str | None = Field(
        None,
        json_schema_extra=flag(metavar="PATH|NAME"),
        description="Instructions for flan.json: a file or folder of records, or bundled:gsm8k.",
    )
    flan_n: int = Field(600_000, ge=0, description="Records of flan.json.")
    flan_cap: int = Field(30_000, ge=1, description="A task counts as having at most so many records.")
    benchmarks: Path | None = Field(None, description="A folder of official releases, each known by its layout.")
    prompts: tuple[str, ...] = Field(
        (),
        json_schema_extra=flag(metavar="SCALE=FILE", repeat=True),
        description="A prompt that select-prompt chose for a scale, or a JSON object of benchmarks and templates. "
        "Repeatable.",
    )
    scales: Names = Field(("large", "xl"), description="Scales of the test files, with commas between.")
    mmlu_split: str = Field("val", pattern="^(val|dev)$", description="MMLU's split for validation: val or dev.")
    budget: int = Field(2048, ge=64, description="The longest input, in tokens.")
    tokenizer: str | None = Field(None, description="A model whose tokenizer counts; unless given, an estimate.")
    seed: int = Field(0, description="Another seed gives other examples.")
    workers: int = Field(1, ge=1, description="Processes that make sql.json.")
    overwrite: bool = Field(False, description="Replace an earlier output.")
