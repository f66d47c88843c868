"""Which numbers the arguments of the two commands may be: a wrong one is refused before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from symtune.types import InputError

# name -> (smallest allowed, the number that it must be below; None: no limit). What is not given (None) is not checked.
Bounds = Mapping[str, tuple[float, float | None]]

TOKENS, COUNT, ZERO = (2, None), (1, None), (0, None)  # of tokens, the last one ends the text

OF_TRAINING: Bounds = {
    **dict.fromkeys(("max_seq_length", "max_answer_length", "val_max_answer_length", "generation_max_length"), TOKENS),
    **dict.fromkeys(
        (
            "per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps",
            "eval_accumulation_steps", "preprocessing_num_workers", "max_train_samples", "max_eval_samples",
            "max_predict_samples", "num_beams", "generation_num_beams", "save_total_limit",
        ),
        COUNT,
    ),
    **dict.fromkeys(
        (
            "learning_rate", "weight_decay", "adam_epsilon", "max_grad_norm", "warmup_steps", "eval_delay",
            "dataloader_num_workers",
        ),
        ZERO,
    ),
    "label_smoothing_factor": (0, 1),
    "adam_beta1": (0, 1),
    "adam_beta2": (0, 1),
    "seed": (0, 2**32),
    "data_seed": (0, 2**32),
}  # fmt: skip
# Intervals in steps, each in force if the strategy of that name is `steps`; below 1, a share of all steps.
INTERVALS = {"logging_steps": "logging_strategy", "eval_steps": "eval_strategy", "save_steps": "save_strategy"}

OF_INFERENCE: Bounds = {"batch_size": COUNT, "max_input_length": TOKENS, "max_length": TOKENS}


def check(bounds: Bounds, *arguments: Any) -> None:
    """Raise InputError, in one line, for every number of the arguments that is out of its bounds."""
    faults = list(_faults(bounds, arguments))
    if faults:
        raise InputError("; ".join(faults))


def check_training(model: Any, data: Any, training: Any) -> None:
    """The same for `train_model.py`, whose numbers also depend on one another."""
    faults = list(_faults(OF_TRAINING, (data, training)))
    rate = model.dropout_rate
    if not (rate == -1 or 0 <= rate < 1):
        faults.append(f"--dropout_rate {rate}: wanted a number from 0 to below 1, or -1 to keep the model's")
    if training.max_steps != -1 and training.max_steps < 1:
        faults.append(f"--max_steps {training.max_steps}: wanted at least 1, or -1 to train for --num_train_epochs")
    epochs = training.num_train_epochs
    if training.max_steps == -1 and not 0 < epochs < math.inf:
        faults.append(f"--num_train_epochs {epochs}: wanted a number above 0")
    for name, strategy in INTERVALS.items():
        steps = getattr(training, name)
        if getattr(training, strategy) == "steps" and steps is not None and not 0 < steps < math.inf:
            faults.append(f"--{name} {steps:g}: wanted at least 1, or a share of all steps between 0 and 1")
    if faults:
        raise InputError("; ".join(faults))


def _faults(bounds: Bounds, arguments: tuple[Any, ...]) -> Iterator[str]:
    for name, (low, high) in bounds.items():
        for said in arguments:
            value = getattr(said, name, None)
            if value is not None and not low <= value < (math.inf if high is None else high):
                wanted = f"a number, at least {low}" if high is None else f"a number from {low} to below {high}"
                yield f"--{name} {value}: wanted {wanted}"
