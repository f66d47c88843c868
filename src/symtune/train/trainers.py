"""transformers' trainers, told what to compute: a plan's packs as tensors, and the loss over trained tokens.

Decoder-only models go through `Trainer`, encoder-decoders through `Seq2SeqTrainer`. The loss of a step is the
mean over all its trained tokens, however they fall into packs or processes; for a decoder-only model the output
layer is computed at trained places only, which saves a fifth of the work of a small model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from symtune.models import LoadedModel, bf16_helps
from symtune.packing import Pack, Row, layout
from symtune.train.config import StepLog, TrainConfig
from symtune.train.plan import Plan
from symtune.types import InputError

IGNORED = -100  # a padded target
# Outputs of packed and single rows may differ by rounding only, relative to the largest output.
ISOLATION_TOLERANCE = 1e-3


class Batches(torch.utils.data.Dataset):
    """The packs of a plan as tensors, made when they are asked for."""

    def __init__(self, rows: Sequence[Row], plan: Plan, loaded: LoadedModel, share: bool) -> None:
        self.rows, self.plan, self.loaded, self.share = rows, plan, loaded, share

    def __len__(self) -> int:
        return len(self.plan.packs)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        pack = self.plan.packs[index]
        rows = [self.rows[k] for k in pack.rows]
        tensors = causal_tensors(rows, self.share) if self.loaded.kind == "causal" else self._padded(rows)
        step = self.plan.of_step(index // self.plan.per_step)
        return tensors | {"divisor": torch.tensor(float(sum(pack.trained for pack in step)))}

    def _padded(self, rows: Sequence[Row]) -> dict[str, torch.Tensor]:
        pad, start = self.loaded.tokenizer.pad_token_id, self.loaded.model.config.decoder_start_token_id
        prompts = [row.tokens[: row.prompt] for row in rows]
        targets = [row.tokens[row.prompt :] for row in rows]
        return {
            "input_ids": _stack(prompts, pad),
            "attention_mask": _stack([np.ones_like(prompt) for prompt in prompts], 0),
            "decoder_input_ids": _stack([np.concatenate(([start], t[:-1])) for t in targets], pad),
            "targets": _stack(targets, IGNORED),
        }


def _stack(rows: Sequence[Any], fill: int) -> torch.Tensor:
    stacked = np.full((len(rows), max(map(len, rows))), fill, np.int64)
    for place, row in enumerate(rows):
        stacked[place, : len(row)] = row
    return torch.from_numpy(stacked)


def causal_tensors(rows: Sequence[Row], share: bool) -> dict[str, torch.Tensor]:
    """A pack as a decoder-only model's input, a batch of one: see `symtune.packing`. One row needs no mask."""
    packed = layout(rows, share=share)
    tensors = {
        "input_ids": torch.from_numpy(packed.ids)[None],
        "position_ids": torch.from_numpy(packed.positions)[None],
        "places": torch.from_numpy(packed.places),
        "targets": torch.from_numpy(packed.targets),
    }
    if len(rows) > 1:
        tensors["attention_mask"] = torch.from_numpy(packed.mask)[None, None]
    return tensors


def logits_of(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The outputs at the trained places, float32: (T, vocabulary), or (batch, length, vocabulary)."""
    inputs = dict(inputs)
    places = inputs.pop("places", None)
    if places is None:
        return model(**inputs, use_cache=False).logits.float()
    inner = getattr(model, "module", model)
    mask = inputs.get("attention_mask")
    if mask is not None and inner.config._attn_implementation == "eager":  # adds its mask instead
        inputs["attention_mask"] = torch.zeros(mask.shape, device=mask.device).masked_fill(
            ~mask, torch.finfo(torch.float32).min
        )
    if "logits_to_keep" in inspect.signature(inner.forward).parameters:
        return model(**inputs, use_cache=False, logits_to_keep=places).logits[0].float()
    return model(**inputs, use_cache=False).logits[0, places].float()


def summed_loss(model: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The cross-entropy of the trained tokens, summed."""
    inputs = dict(inputs)
    targets = inputs.pop("targets")
    logits = logits_of(model, inputs)
    return torch.nn.functional.cross_entropy(
        logits.view(-1, logits.shape[-1]), targets.view(-1), ignore_index=IGNORED, reduction="sum"
    )


class _Loss:
    """The one thing our trainers compute in their own way."""

    args: Any
    loss_is_scaled_for_ga = True  # divided by the trained tokens of the whole step

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        inputs = dict(inputs)
        divisor = inputs.pop("divisor")
        # Gradients are averaged over processes; the divisor counts the tokens of all of them.
        return summed_loss(model, inputs) / divisor * self.args.world_size


class CausalTrainer(_Loss, transformers.Trainer):
    """`Trainer` on packs."""


class EncoderDecoderTrainer(_Loss, transformers.Seq2SeqTrainer):
    """`Seq2SeqTrainer` on padded batches."""


class _Steps(transformers.TrainerCallback):
    """Tells of each step, and ends a run whose loss is no number."""

    def __init__(self, plan: Plan, on_step: Callable[[StepLog], None]) -> None:
        self.plan, self.on_step = plan, on_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:
            return
        step = step_logs(self.plan, state.log_history[-1:])[0]
        if not np.isfinite(step.loss):
            raise InputError(f"the loss is {step.loss} at step {step.step}: the training diverged; lower learning_rate")
        self.on_step(step)


def step_logs(plan: Plan, history: Sequence[dict[str, Any]]) -> list[StepLog]:
    """The trainer's history as our log: one entry a step."""
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
    """The trainer of this kind of model, silent, that walks the plan in its order."""
    bf16 = uses_bf16(loaded, config)
    kind = loaded.kind == "causal"
    arguments = (transformers.TrainingArguments if kind else transformers.Seq2SeqTrainingArguments)(
        output_dir=str(working),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=max(1, batches.plan.per_step // config.processes),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        learning_rate=config.learning_rate,
        lr_scheduler_type={"constant": "constant_with_warmup"}.get(config.schedule, config.schedule),
        warmup_steps=round(config.warmup * batches.plan.steps),
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
        label_names=["targets"],
    )
    if arguments.world_size == 1:
        arguments._n_gpu = min(1, arguments.n_gpu)  # no DataParallel: several GPUs are torchrun's business
    trainer = (CausalTrainer if kind else EncoderDecoderTrainer)(
        model=loaded.model,
        args=arguments,
        train_dataset=batches,
        data_collator=lambda items: items[0],
        processing_class=loaded.tokenizer,
        callbacks=[_Steps(batches.plan, on_step)],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def uses_bf16(loaded: LoadedModel, config: TrainConfig) -> bool:
    """Whether the forward pass runs in bfloat16."""
    return bf16_helps(loaded.parameters) if config.bf16 is None else config.bf16


def check_isolation(loaded: LoadedModel, rows: Sequence[Row], packs: Sequence[Pack], share: bool) -> float:
    """The largest difference, relative to the largest output, between packed rows and each row alone.

    Raises InputError for a model that does not keep packed rows apart (recurrent ones, for example).
    """
    candidates = [pack.rows for pack in packs if len(pack.rows) > 1][:8]
    if not candidates:
        return 0.0
    shortest = min(candidates, key=lambda found: sum(len(rows[k].tokens) for k in found[:3]))
    some = [rows[k] for k in shortest[:3]]
    loaded.model.eval()
    try:
        with torch.no_grad():
            together = _trained_logits(loaded, some, share)
            apart = torch.cat([_trained_logits(loaded, [row], share) for row in some])
        difference = float((together - apart).abs().max() / apart.abs().max().clamp_min(1e-6))
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"model {loaded.name} cannot read several records at once ({type(error).__name__}); use pack: false"
        ) from None
    if not difference < ISOLATION_TOLERANCE:
        raise InputError(
            f"model {loaded.name} does not keep packed records apart (outputs differ by {difference:.2g}); "
            "use pack: false"
        )
    return difference


def _trained_logits(loaded: LoadedModel, rows: Sequence[Row], share: bool) -> torch.Tensor:
    tensors = causal_tensors(rows, share)
    del tensors["targets"]
    device = loaded.model.device
    return logits_of(loaded.model, {name: tensor.to(device) for name, tensor in tensors.items()})
