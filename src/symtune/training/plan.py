"""The plan of a training run: which rows are computed together, in which order, in how many steps.

It is made before the first step and depends only on the rows and the settings, so a run that is resumed or repeated
sees the same tokens at the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symtune.packing import Pack, Row, plan_batches, plan_packs
from symtune.training.config import TrainSettings
from symtune.types import InputError


@dataclass(frozen=True)
class Plan:
    """`packs` in order; an optimizer step takes `per_step` of them (the last one may take fewer)."""

    packs: tuple[Pack, ...]
    per_step: int
    rows: int  # of the data, whether they are seen or not

    @property
    def steps(self) -> int:
        """Optimizer steps."""
        return -(-len(self.packs) // self.per_step)

    def of_step(self, step: int) -> tuple[Pack, ...]:
        """The packs of a step, counted from 0."""
        return self.packs[step * self.per_step : (step + 1) * self.per_step]

    @property
    def passes(self) -> float:
        """How often each row is seen, on average."""
        return sum(len(pack.rows) for pack in self.packs) / self.rows

    def until(self, step: int) -> Plan:
        """The plan up to and including this step, counted from 1."""
        return replace(self, packs=self.packs[: step * self.per_step])

    @property
    def tokens(self) -> int:
        """Computed tokens in all."""
        return sum(pack.tokens for pack in self.packs)


def make_plan(rows: Sequence[Row], kind: str, settings: TrainSettings) -> Plan:
    """Pass over the rows until the epochs or the tokens are used up."""
    packs: list[Pack] = []
    epochs = settings.epochs or (None if settings.max_tokens else 1)
    epoch, room = 0, settings.max_tokens
    while epochs is None or epoch < epochs:
        for pack in _one_pass(rows, kind, settings, epoch):
            if room is not None and pack.tokens > room:
                epochs = epoch  # the budget is used up
                break
            room = None if room is None else room - pack.tokens
            packs.append(pack)
        epoch += 1
    packs = packs[: len(packs) // settings.processes * settings.processes]  # an equal number for each process
    if not packs:
        raise InputError(
            f"max_tokens {settings.max_tokens}: not even the first pack fits; raise it, or lower max_length "
            f"({settings.max_length})"
        )
    mean = sum(pack.tokens for pack in packs) / len(packs)
    per_process = max(1, round(settings.batch_tokens / mean / settings.processes))
    return Plan(tuple(packs), per_process * settings.processes, len(rows))


def _one_pass(rows: Sequence[Row], kind: str, settings: TrainSettings, epoch: int) -> list[Pack]:
    if kind == "seq2seq":
        limit = min(settings.batch_tokens, max(2 * settings.max_length, 8192))
        return plan_batches(rows, limit=limit, order=settings.order, seed=settings.seed, epoch=epoch)
    return plan_packs(
        rows,
        max_length=settings.max_length if settings.pack else 1,
        share=settings.pack and settings.share_prefix,
        order=settings.order,
        seed=settings.seed,
        epoch=epoch,
    )
