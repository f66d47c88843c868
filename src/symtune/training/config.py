"""The settings of training, and its reports. Needs no extra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from symtune.config import Strict

Schedule = Literal["cosine", "linear", "constant"]


class TrainSettings(Strict):
    """How to train. Lengths and budgets are in computed tokens: the tokens that the model actually processes."""

    max_tokens: int | None = Field(
        default=None,
        gt=0,
        description="Stop before computing more tokens than this.",
    )
    epochs: int | None = Field(
        default=None, gt=0, description="Passes over the data; by default 1, or as many as --max-tokens allows."
    )
    learning_rate: float = Field(default=2e-4, gt=0, lt=1, description="Peak learning rate.")
    schedule: Schedule = Field(default="cosine", description="cosine, linear or constant.")
    warmup: float = Field(default=0.05, ge=0, lt=1, description="The share of the steps used for warm-up.")
    weight_decay: float = Field(default=0.01, ge=0, description="AdamW's weight decay.")
    clip: float = Field(default=1.0, ge=0, description="Gradient norm to clip to; 0: no clipping.")
    batch_tokens: int = Field(default=4096, gt=0, description="Approximate computed tokens per optimizer step.")
    max_length: int = Field(default=1024, gt=1, description="The longest record and the longest pack, in tokens.")
    pack: bool = Field(default=True, description="Put several records in one sequence (decoder-only models).")
    share_prefix: bool = Field(default=True, description="In a pack, compute a shared beginning only once.")
    order: Literal["shuffled", "as_given"] = Field(default="shuffled", description="shuffled or as_given.")
    shuffle_answers: bool | tuple[str, ...] = Field(
        default=False, description="For a control: permute completions (in YAML also a list of the sources to permute)."
    )
    seed: int = Field(default=7, description="Another seed gives a different order.")
    bf16: bool | None = Field(default=None, description="Compute in bfloat16; by default, if it helps.")
    save_every: int = Field(default=0, ge=0, description="Steps between checkpoints to resume from; 0: no checkpoints.")
    snapshots: int = Field(
        default=0, ge=0, description="Also keep the model at so many points before the end, in OUT/snapshots."
    )
    processes: int = Field(default=1, gt=0, description="How many processes torchrun started; a mismatch is refused.")


class TrainConfig(TrainSettings):
    """A training run. `model`: a name, folder, hub id, YAML file, or a mapping that builds a model."""

    model: str | Path | dict[str, Any]
    data: Path
    out: Path
    overwrite: bool = False


class TrainFile(TrainSettings):
    """A file for `symtune train --config`; the command line supplies whatever it leaves out."""

    model: str | dict[str, Any] | None = Field(
        default=None, description="A name, a folder, a hub id, or a YAML that builds a model."
    )
    data: Path | None = Field(default=None, description="A training set folder (symtune mix) or a data set folder.")
    out: Path | None = Field(default=None, description="The checkpoint folder to write.")


class TrainFlags(TrainFile):
    """The command line of `symtune train`."""

    config: Path | None = Field(default=None, description="A YAML file with the other settings; flags override it.")
    overwrite: bool = Field(default=False, description="Replace an earlier output.")


@dataclass(frozen=True, slots=True)
class StepLog:
    """One optimizer step: a line of log.jsonl. Token counts are cumulative."""

    step: int
    steps: int
    tokens: int
    effective_tokens: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What training did. `tokens` are computed tokens; `effective_tokens` counts every record separately."""

    out: Path
    steps: int
    records: int  # usable records, after drops
    records_seen: int  # records computed, counting repetitions
    dropped: Mapping[str, int]
    tokens: int
    effective_tokens: int
    trained_tokens: int  # tokens on which the loss is computed
    first_loss: float  # mean of the first tenth of the steps
    last_loss: float  # mean of the last tenth
    seconds: float
    resumed_from: int  # the step; 0: started from the beginning
