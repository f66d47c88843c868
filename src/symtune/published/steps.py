"""The optimizer steps of a training: which examples each step takes, and in which micro-batches; and the batches of an
evaluation.

A step is what the published arguments mean: the next `batch x accumulation x processes` examples of an order that is
shuffled anew for each pass. Its loss is the mean over all answer tokens of the step, so the examples of a step may be
sorted by length into micro-batches, which reduces padding. Neither the number of processes nor the division into
micro-batches changes what a step learns.

Every step is full: the end of one pass and the beginning of the next share a step, and the last step of a training
over whole passes is filled from one more.

An evaluation takes the longest inputs first. Each process has as many batches as any other; rows that fill the last
ones up bear no loss and come after all others. So its loss is the mean over all answer tokens of the split, whatever
the batches and processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from symtune.published.data import Encoded
from symtune.seeds import rng
from symtune.training.tensors import IGNORED, stack


@dataclass(frozen=True)
class Shape:
    """How many examples a micro-batch has, how many micro-batches a step has in each process, and how many processes
    there are."""

    batch: int
    accumulation: int
    processes: int

    @property
    def micro_batches(self) -> int:
        """The number of micro-batches in a step, over all processes."""
        return self.accumulation * self.processes

    @property
    def examples(self) -> int:
        """The number of examples in a step."""
        return self.batch * self.micro_batches


@dataclass(frozen=True)
class Padding:
    """How rows become tensors: the padding token, whether padding of answers counts in the loss, and fixed widths."""

    token: int
    trained: bool = False
    input_width: int | None = None
    answer_width: int | None = None


class Steps(torch.utils.data.Dataset):
    """The micro-batches of all steps as tensors, in the order in which processes take them in turn. Neighbours have
    similar lengths, so processes wait little for one another.
    """

    def __init__(
        self,
        encoded: Encoded,
        shape: Shape,
        steps: int,
        padding: Padding,
        shift: Callable[[Any], Any],
        *,
        seed: int,
        sort: bool = True,
    ) -> None:
        self.encoded, self.shape, self.steps, self.padding, self.shift = encoded, shape, steps, padding, shift
        self.seed, self.sort = seed, sort

    def __len__(self) -> int:
        return self.steps * self.shape.micro_batches

    def examples(self, step: int) -> list[int]:
        """The rows of a step (counted from 0), in the order in which they are divided into micro-batches."""
        size, rows = self.shape.examples, len(self.encoded)
        chosen = [
            _order(self.seed, place // rows, rows)[place % rows] for place in range(step * size, step * size + size)
        ]
        if self.sort:
            chosen.sort(key=lambda row: (self.encoded.inputs[row], self.encoded.answers[row]))
        return [int(row) for row in chosen]

    def __getitem__(self, index: int) -> dict[str, Any]:
        step, number = divmod(index, self.shape.micro_batches)
        batch, examples = self.shape.batch, self.examples(step)
        batches = [examples[start : start + batch] for start in range(0, len(examples), batch)]
        found = _tensors(self.encoded, batches[number], self.padding, self.shift)
        if self.padding.trained:
            found["labels"] = found["labels"].masked_fill(found["labels"] == IGNORED, self.padding.token)
        return found | {"divisor": float(sum(map(self._trained, batches)))}

    def _trained(self, batch: list[int]) -> int:
        """The number of answer tokens in a micro-batch that count in the loss."""
        lengths = self.encoded.answers[batch]
        if not self.padding.trained:
            return int(lengths.sum())
        return len(batch) * int(self.padding.answer_width or lengths.max())


class Evaluated(torch.utils.data.Dataset):
    """A split in batches of rows as tensors, in the order in which processes take them in turn.

    `order`: the rows in the order of the batches, the longest inputs first.
    """

    def __init__(
        self, encoded: Encoded, batch: int, processes: int, padding: Padding, shift: Callable[[Any], Any]
    ) -> None:
        self.encoded, self.batch, self.padding, self.shift = encoded, batch, padding, shift
        self.order = sorted(range(len(encoded)), key=lambda row: (-int(encoded.inputs[row]), row))
        self.in_turn = -(-len(self.order) // (batch * processes))  # batches of each process
        self.batches = self.in_turn * processes

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> dict[str, Any]:
        rows = self.order[index * self.batch : (index + 1) * self.batch]
        filled = rows + self.order[-1:] * (self.batch - len(rows))
        found = _tensors(self.encoded, filled, self.padding, self.shift)
        found["labels"][len(rows) :] = IGNORED
        return found | {"divisor": float(self.encoded.answers.sum()) / self.in_turn}


def _tensors(encoded: Encoded, places: list[int], padding: Padding, shift: Callable[[Any], Any]) -> dict[str, Any]:
    """Rows as the tensors of one forward pass. What divides the loss is no tensor: with deepspeed in bfloat16 all
    tensors of fractions are cast, and 563 tokens would count as 564.
    """
    rows = encoded.rows[places]
    inputs, answers = ([np.asarray(ids) for ids in rows[name]] for name in ("input_ids", "labels"))
    labels = stack(answers, IGNORED, padding.answer_width)
    return {
        "input_ids": stack(inputs, padding.token, padding.input_width),
        "attention_mask": stack([np.ones_like(ids) for ids in inputs], 0, padding.input_width),
        "decoder_input_ids": shift(labels),
        "labels": labels,
    }


@lru_cache(maxsize=2)  # a step may span two passes
def _order(seed: int, epoch: int, rows: int) -> list[int]:
    order = list(range(rows))
    rng("published", seed, epoch).shuffle(order)
    return order
