"""Packs as tensors, and the loss over their trained tokens."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from symtune.models.local import LoadedModel
from symtune.packing import Row, layout
from symtune.training import attention
from symtune.training.plan import Plan

IGNORED = -100  # a padded target


class Batches(torch.utils.data.Dataset):
    """The packs of a plan as tensors, made on demand."""

    def __init__(self, rows: Sequence[Row], plan: Plan, loaded: LoadedModel, share: bool) -> None:
        self.rows, self.plan, self.loaded, self.share = rows, plan, loaded, share
        self.in_blocks = loaded.model.config._attn_implementation == attention.NAME

    def __len__(self) -> int:
        return len(self.plan.packs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pack = self.plan.packs[index]
        rows = [self.rows[k] for k in pack.rows]
        causal = self.loaded.kind == "causal"
        tensors = causal_tensors(rows, self.share, self.in_blocks) if causal else self._padded(rows)
        step = self.plan.of_step(index // self.plan.per_step)
        return tensors | {"divisor": torch.tensor(float(sum(pack.trained for pack in step)))}

    def _padded(self, rows: Sequence[Row]) -> dict[str, torch.Tensor]:
        pad, start = self.loaded.tokenizer.pad_token_id, self.loaded.model.config.decoder_start_token_id
        prompts = [row.tokens[: row.prompt] for row in rows]
        targets = [row.tokens[row.prompt :] for row in rows]
        return {
            "input_ids": stack(prompts, pad),
            "attention_mask": stack([np.ones_like(prompt) for prompt in prompts], 0),
            "decoder_input_ids": stack([np.concatenate(([start], t[:-1])) for t in targets], pad),
            "targets": stack(targets, IGNORED),
        }


def stack(rows: Sequence[Any], fill: int, width: int | None = None) -> torch.Tensor:
    """Rows of tokens as one tensor, padded on the right to the longest row or to `width`."""
    stacked = np.full((len(rows), width or max(map(len, rows))), fill, np.int64)
    for place, row in enumerate(rows):
        stacked[place, : len(row)] = row
    return torch.from_numpy(stacked)


def causal_tensors(rows: Sequence[Row], share: bool, in_blocks: bool) -> dict[str, Any]:
    """A pack as input of a decoder-only model, as a batch of one (see `symtune.packing`). One row needs no mask."""
    packed = layout(rows, share=share)
    tensors: dict[str, Any] = {
        "input_ids": torch.from_numpy(packed.ids)[None],
        "position_ids": torch.from_numpy(packed.positions)[None],
        "places": torch.from_numpy(packed.places),
        "targets": torch.from_numpy(packed.targets),
    }
    if in_blocks:
        tensors["blocks"] = attention.blocks(packed)
    elif len(rows) > 1:
        tensors["attention_mask"] = torch.from_numpy(packed.mask)[None, None]
    return tensors


def logits_of(model: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """The outputs at the trained positions, in float32: (T, vocabulary), or (batch, length, vocabulary)."""
    inputs = dict(inputs)
    places = inputs.pop("places", None)
    if places is None:
        return model(**inputs, use_cache=False).logits.float()
    inner = getattr(model, "module", model)
    mask = inputs.get("attention_mask")
    if mask is not None and inner.config._attn_implementation == "eager":  # eager attention adds its mask to the scores
        inputs["attention_mask"] = torch.zeros(mask.shape, device=mask.device).masked_fill(
            ~mask, torch.finfo(torch.float32).min
        )
    if "logits_to_keep" in inspect.signature(inner.forward).parameters:
        return model(**inputs, use_cache=False, logits_to_keep=places).logits[0].float()
    return model(**inputs, use_cache=False).logits[0, places].float()


def summed_loss(model: Any, inputs: dict[str, Any]) -> torch.Tensor:
    """The summed cross-entropy of the trained tokens."""
    inputs = dict(inputs)
    targets = inputs.pop("targets")
    logits = logits_of(model, inputs)
    return torch.nn.functional.cross_entropy(
        logits.view(-1, logits.shape[-1]), targets.view(-1), ignore_index=IGNORED, reduction="sum"
    )
