"""Attention over a pack on a CPU, without the part of the matrix that is masked out.

The tokens of a pack are in depth-first order: first the chain that all rows share (perhaps empty), then blocks of
complete branches. A token of a block attends only to the chain and its own block, so each block is computed separately
over chain and block. For packs of 2,048 tokens with SmolLM2-135M, a step takes half as long as with one masked matrix.
On a GPU, a single call with a mask is faster, and is used there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import transformers

from symtune.packing import Layout

NAME = "symtune_blocks"
# Branches are merged into blocks of up to this many tokens: below it, a call costs more than its arithmetic.
BLOCK = 256


@dataclass(frozen=True)
class Blocks:
    """`lengths` of chain and blocks, in order; `masks[k]`: (block k, chain + block k), true where it attends."""

    chain: int
    lengths: tuple[int, ...]
    masks: tuple[torch.Tensor, ...]


def blocks(packed: Layout) -> Blocks:
    """How a pack divides into chain and blocks."""
    starts = packed.branches.tolist()
    chain = starts[0] if starts else len(packed.ids)
    merged: list[list[int]] = []
    for start, end in pairwise([*starts, len(packed.ids)]):  # no branches: a single row is all chain
        if merged and end - merged[-1][0] <= BLOCK:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    mask = torch.from_numpy(packed.mask)
    masks = [torch.cat([mask[a:b, :chain], mask[a:b, a:b]], 1) for a, b in merged]
    lengths = [end - start for start, end in merged]
    return Blocks(chain, tuple([chain, *lengths] if chain else lengths), tuple(masks))


def block_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    blocks: Blocks | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface: (1, heads, L, size) each, and (1, L, heads, size) out."""
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    attend = torch.nn.functional.scaled_dot_product_attention
    options: dict[str, Any] = {"scale": scaling, "dropout_p": dropout}
    if blocks is None:  # a single sequence
        return attend(query, key, value, is_causal=True, **options).transpose(1, 2).contiguous(), None
    queries, keys, values = (part.split(blocks.lengths, dim=2) for part in (query, key, value))
    outputs = []
    if blocks.chain:
        outputs.append(attend(queries[0], keys[0], values[0], is_causal=True, **options))
    for number, mask in enumerate(blocks.masks, len(outputs)):
        k, v = keys[number], values[number]
        if blocks.chain:
            k, v = torch.cat([keys[0], k], 2), torch.cat([values[0], v], 2)
        outputs.append(attend(queries[number], k, v, attn_mask=mask, **options))
    return torch.cat(outputs, 2).transpose(1, 2).contiguous(), None


transformers.AttentionInterface.register(NAME, block_attention)
