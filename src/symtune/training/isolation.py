"""Which attention a model uses for packs, tested on a few records before the first step."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import torch

from symtune.models.local import LoadedModel
from symtune.packing import Pack, Row, sort_key
from symtune.training import attention
from symtune.training.tensors import causal_tensors, logits_of
from symtune.types import InputError

# Outputs of packed and single rows may differ only by rounding, relative to the largest output.
ISOLATION_TOLERANCE = 1e-3


def choose_attention(loaded: LoadedModel, rows: Sequence[Row], packs: Sequence[Pack], share: bool) -> float:
    """Set the fastest attention that keeps packed rows apart, and return how well it does so: the largest difference,
    relative to the largest output, between packed rows and each row alone.

    Raises InputError for a model that cannot read packs (a recurrent one, for example).
    """
    several = [pack.rows for pack in packs if len(pack.rows) > 1][:8]
    if not several:
        return 0.0
    shortest = min(several, key=lambda found: sum(len(rows[k].tokens) for k in found[:3]))
    some = [rows[k] for k in shortest[:3]]
    window = getattr(loaded.model.config.get_text_config(), "sliding_window", None)
    if window and max(len(row.tokens) for row in rows) > window:
        raise InputError(f"model {loaded.name} attends to only {window} tokens; use pack: false")
    alone = torch.cat([_trained_logits(loaded, [row], share, in_blocks=False) for row in some])
    given = loaded.model.config._attn_implementation
    difference = math.inf
    if loaded.model.device.type == "cpu":
        with contextlib.suppress(ValueError):  # an architecture whose attention cannot be exchanged
            loaded.model.set_attn_implementation(attention.NAME)
            difference = _difference(loaded, some, share, alone, in_blocks=True)
            if difference < ISOLATION_TOLERANCE:
                return difference
        loaded.model.set_attn_implementation(given)
    difference = _difference(loaded, some, share, alone, in_blocks=False)
    if difference < ISOLATION_TOLERANCE:
        return difference
    raise InputError(
        f"model {loaded.name} does not keep packed records apart (outputs differ by {difference:.2g}); use pack: false"
    )


def _difference(
    loaded: LoadedModel, rows: Sequence[Row], share: bool, alone: torch.Tensor, *, in_blocks: bool
) -> float:
    ordered = sorted(range(len(rows)), key=lambda k: sort_key(rows[k].tokens)) if share else range(len(rows))
    parts = alone.split([row.trained for row in rows])
    wanted = torch.cat([parts[k] for k in ordered])
    try:
        got = _trained_logits(loaded, rows, share, in_blocks=in_blocks)
        return float((got - wanted).abs().max() / wanted.abs().max().clamp_min(1e-6))
    except (RuntimeError, TypeError, IndexError):  # what models raise for an input that they do not support
        return math.inf


def _trained_logits(loaded: LoadedModel, rows: Sequence[Row], share: bool, *, in_blocks: bool) -> torch.Tensor:
    tensors = causal_tensors(rows, share, in_blocks)
    del tensors["targets"]
    device = loaded.model.device
    loaded.model.eval()
    with torch.no_grad():
        return logits_of(
            loaded.model,
            {name: value.to(device) if hasattr(value, "to") else value for name, value in tensors.items()},
        )
