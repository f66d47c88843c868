"""transformers' trainers, made to compute a plan's packs in its order, and the loss over trained tokens.

Decoder-only models use `Trainer`, encoder-decoders `Seq2SeqTrainer`. The loss of a step is the mean over all its
trained tokens, however they are divided into packs or processes. For a decoder-only model, the output layer is computed
only at trained positions, which saves a fifth of the work of a small model.
"""

from __future__ import annotations

import functools
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers.trainer_utils import rotate_checkpoints

from symtune.models.local import LoadedModel, bf16_helps, memory
from symtune.training import checkpoints
from symtune.training.config import Schedule, StepLog, TrainConfig, TrainSettings
from symtune.training.plan import Plan
from symtune.training.snapshots import Snapshots, points
from symtune.training.tensors import Batches, summed_loss
from symtune.types import InputError

KEPT_STEPS = 16  # for so many, freed memory is kept


class MarkedCheckpoints:
    """A mixin for trainers of transformers: a checkpoint is marked once all processes have written their parts, and
    only then is an older one deleted. See `symtune.training.checkpoints`. A training that diverges ends before anything
    of it is logged or saved.
    """

    args: Any
    state: Any
    accelerator: Any
    training: Mapping[str, Any] | None = None  # what determines the outcome, recorded in the mark

    def _maybe_log_save_evaluate(self, tr_loss: Any, grad_norm: Any, *rest: Any, **named: Any) -> None:
        """What happens after each optimizer step. Raises InputError if its loss or its gradient is not finite: the
        weights are lost, in every process, since all of them have the same gradient."""
        scaled = getattr(self.accelerator, "scaler", None) is not None  # with fp16, steps that overflow are left out
        found = {"loss": tr_loss} if scaled or grad_norm is None else {"loss": tr_loss, "gradient": grad_norm}
        for what, value in found.items():
            if not np.isfinite(float(value)):
                hint = "lower the learning rate" + (", or use bf16 in place of fp16" if self.args.fp16 else "")
                raise InputError(
                    f"the {what} is {float(value)} at step {self.state.global_step}: the training diverged; {hint}"
                )
        super()._maybe_log_save_evaluate(tr_loss, grad_norm, *rest, **named)  # type: ignore[misc]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        out = Path(self.args.output_dir)
        folder = out / f"{checkpoints.PREFIX}{self.state.global_step}"
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        try:
            with checkpoints.writing(folder):
                if self.args.should_save and folder.exists():  # left incomplete by an earlier run
                    shutil.rmtree(folder)
                self.accelerator.wait_for_everyone()
                super()._save_checkpoint(model, trial)  # type: ignore[misc]
                self.accelerator.wait_for_everyone()
                if self.args.should_save:
                    checkpoints.mark(folder, self.training)
        finally:
            self.args.save_total_limit = limit
        if self.args.should_save:
            best = self.state.best_model_checkpoint
            rotate_checkpoints(str(out), save_total_limit=limit, best_model_checkpoint=best, use_mtime=True)


class _PlanTrainer(MarkedCheckpoints):
    """What both of our trainers do in their own way: loss, schedule, and the buffers kept while they train."""

    optimizer: Any
    lr_scheduler: Any
    settings: TrainSettings
    loss_is_scaled_for_ga: bool | None = True  # divided by the trained tokens of the whole step

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        inputs = dict(inputs)
        divisor = inputs.pop("divisor")
        # Gradients are averaged over processes; the divisor counts the tokens of all of them.
        return summed_loss(model, inputs) / divisor * self.args.world_size

    def train(self, *given: Any, **named: Any) -> Any:
        with memory.kept():
            return super().train(*given, **named)  # type: ignore[misc]

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        settings = self.settings
        factor = functools.partial(
            learning_rate_factor, steps=num_training_steps, warmup=settings.warmup, schedule=settings.schedule
        )
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
        self._created_lr_scheduler = True
        return self.lr_scheduler


class CausalTrainer(_PlanTrainer, transformers.Trainer):
    """`Trainer` on packs."""


class EncoderDecoderTrainer(_PlanTrainer, transformers.Seq2SeqTrainer):
    """`Seq2SeqTrainer` on padded batches."""


class _Steps(transformers.TrainerCallback):
    """Reports each step, and lets go of memory now and then."""

    def __init__(self, plan: Plan, on_step: Callable[[StepLog], None]) -> None:
        self.plan, self.on_step = plan, on_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        self.on_step(step_logs(self.plan, state.log_history[-1:])[0])

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step % KEPT_STEPS == 0:
            memory.give_back()


def step_logs(plan: Plan, history: Sequence[dict[str, Any]]) -> list[StepLog]:
    """The trainer's history as our log, with one entry per step."""
    logs = []
    for entry in history:
        if "loss" in entry:
            packs = plan.packs[: entry["step"] * plan.per_step]
            tokens, effective = sum(pack.tokens for pack in packs), sum(pack.effective for pack in packs)
            values = entry["step"], plan.steps, tokens, effective, entry["loss"], entry["learning_rate"]
            logs.append(StepLog(*values))
    return logs


def make_trainer(
    loaded: LoadedModel,
    batches: Batches,
    config: TrainConfig,
    working: Path,
    on_step: Callable[[StepLog], None],
) -> Any:
    """The trainer for this kind of model, which prints nothing and follows the plan in order."""
    bf16 = uses_bf16(loaded, config)
    kind = loaded.kind == "causal"
    arguments = (transformers.TrainingArguments if kind else transformers.Seq2SeqTrainingArguments)(
        output_dir=str(working),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=max(1, batches.plan.per_step // config.processes),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip,
        optim="adamw_torch_fused",
        seed=config.seed,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        save_strategy="steps" if config.save_every else "no",
        save_steps=config.save_every or 500,
        save_total_limit=2,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
        label_names=["targets"],
    )
    if arguments.world_size == 1:
        arguments._n_gpu = min(1, arguments.n_gpu)  # no DataParallel: several GPUs are left to torchrun
    trainer = (CausalTrainer if kind else EncoderDecoderTrainer)(
        model=loaded.model,
        args=arguments,
        train_dataset=batches,
        data_collator=lambda items: items[0],
        processing_class=loaded.tokenizer,
        callbacks=[
            _Steps(batches.plan, on_step),
            Snapshots(loaded, working, points(batches.plan.steps, config.snapshots)),
        ],
    )
    trainer.settings = config
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def uses_bf16(loaded: LoadedModel, config: TrainConfig) -> bool:
    """Whether the forward pass runs in bfloat16."""
    return bf16_helps(loaded.parameters) if config.bf16 is None else config.bf16


def learning_rate_factor(step: int, steps: int, warmup: float, schedule: Schedule) -> float:
    """The share of the peak learning rate at a step, counted from 0: no step is wasted on a rate of 0."""
    rising = round(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    done = (step - rising) / max(1, steps - rising)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return 1.0 if schedule == "constant" else max(0.0, 1 - done)
