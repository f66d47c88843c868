"""The bias of relative positions in an encoder, computed once for each distance.

T5 and its relatives add to the score of two tokens a bias that depends on how far apart they are. `transformers` looks
it up for each pair of tokens, in a layout that each layer then copies to another: for a prompt of 2,000 tokens that
took longer than attention itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch


@contextlib.contextmanager
def by_distance(encoder: Any) -> Iterator[None]:
    """Within the block `encoder` computes its bias so, to the same bits. One that has none is left as it is."""
    modules = [module for module in encoder.modules() if hasattr(module, "compute_bias")]
    for module in modules:
        module.compute_bias = partial(_bias, module.compute_bias)
    try:
        yield
    finally:
        for module in modules:
            del module.compute_bias  # the class's own is found again


def _bias(compute: Any, *sizes: Any, **rest: Any) -> torch.Tensor:
    """1 x heads x n x n, from the method `compute` of transformers; what is asked for in another way it answers."""
    if len(sizes) != 2 or sizes[0] != sizes[1] or rest.get("past_seen_tokens"):
        made: torch.Tensor = compute(*sizes, **rest)
        return made
    n = sizes[0]
    # A query behind n - 1 tokens, to 2n - 1 keys: distances from -(n - 1) to n - 1.
    distances = compute(1, 2 * n - 1, **{**rest, "past_seen_tokens": n - 1})[:, :, 0].contiguous()
    # Window k is what the token k places before the last sees.
    return distances.unfold(-1, n, 1).flip(2)
