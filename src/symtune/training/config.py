"""What training can be told, and what it tells. Needs no extra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from symtune.config import Strict

Schedule = Literal["cosine", "linear", "constant"]


class TrainSettings(Strict):
    """How to train. Lengths and budgets are in tokens."""

    max_tokens: int | None = Field(default=None, gt=0)  # stop before the computed tokens would exceed this
    epochs: int | None = Field(default=None, gt=0)  # passes; default: 1, or what max_tokens allows
    learning_rate: float = Field(default=2e-4, gt=0, lt=1)
    schedule: Schedule = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)  # share of the steps
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, ge=0)  # norm that gradients are clipped to; 0: not at all
    batch_tokens: int = Field(default=4096, gt=0)  # computed tokens of an optimizer step, about
    max_length: int = Field(default=1024, gt=1)  # longest record, and longest pack
    pack: bool = True  # several records in one sequence (decoder-only models)
    share_prefix: bool = True  # in a pack, compute what records have in common at their beginning once
    order: Literal["shuffled", "as_given"] = "shuffled"
    shuffle_answers: bool | tuple[str, ...] = False  # control: permute completions (of these sources)
    seed: int = 7
    bf16: bool | None = None  # autocast; default: where it helps
    save_every: int = Field(default=0, ge=0)  # steps between checkpoints; 0: none
    processes: int = Field(default=1, gt=0)  # how many were started, by torchrun; a mismatch is refused


class TrainConfig(TrainSettings):
    """A training run. `model`: a name, folder, hub id, YAML file, or a mapping that builds a model."""

    model: str | Path | dict[str, Any]
    data: Path
    out: Path
    overwrite: bool = False


class TrainFile(TrainSettings):
    """A file for `symtune train --config`: what it leaves out, the command line says."""

    model: str | dict[str, Any] | None = None
    data: Path | None = None
    out: Path | None = None


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
    """What training did. `tokens` were computed; `effective_tokens` counts every record as if it stood alone."""

    out: Path
    steps: int
    records: int  # that can be trained on, after drops
    records_seen: int  # records computed, a repetition counting again
    dropped: Mapping[str, int]
    tokens: int
    effective_tokens: int
    trained_tokens: int  # that bear the loss
    first_loss: float  # mean of the first tenth of the steps
    last_loss: float  # mean of the last tenth
    seconds: float
    resumed_from: int  # the step; 0: from the beginning
