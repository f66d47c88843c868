"""Training: a training set folder -> a checkpoint folder, through transformers' own trainers.

    report = train(TrainConfig(model="smollm2-135m-instruct-gguf", data="mix", out="model", max_tokens=100_000))

`TrainSettings` holds what a recipe may say about training; importing this package needs no extra, `train` does.
"""

from __future__ import annotations

from collections.abc import Callable

from symtune.training.config import StepLog, TrainConfig, TrainFile, TrainReport, TrainSettings
from symtune.types import need

__all__ = ["StepLog", "TrainConfig", "TrainFile", "TrainReport", "TrainSettings", "train"]


def train(config: TrainConfig, *, on_step: Callable[[StepLog], None] | None = None, quiet: bool = False) -> TrainReport:
    """Train a model and write its checkpoint folder `config.out`, which appears only when it is complete.

    A decoder-only model learns the completion and the token that ends it, but not the prompt. With `save_every`, an
    interrupted run resumes from its newest complete checkpoint and ends with the same weights. `on_step` is called
    after each optimizer step; `quiet` suppresses the progress bar. Raises InputError, OutputError or MissingExtra, if
    possible before the model is loaded.
    """
    for package in ("torch", "transformers", "accelerate"):
        need(package, "train", "training a model")
    from symtune.training.run import run

    return run(config, on_step=on_step, quiet=quiet)
