"""The progress of a training run on the terminal, with the time left from the first second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from symtune.files import open_parquet
from symtune.progress import Log, clock
from symtune.training.config import StepLog, TrainConfig
from symtune.training.plan import Plan

# Estimates until a step has been measured: for loading, and for a small model on two CPU cores.
LOAD_SECONDS = 15.0
TOKENS_PER_SECOND = 250.0
BYTES_PER_TOKEN = 3.0


class Meter:
    """A bar over the computed tokens of a run; before the first step, the time left is an estimate, marked by ~."""

    def __init__(self, config: TrainConfig, files: Sequence[Path], quiet: bool) -> None:
        self.budget = config.max_tokens or _guess_tokens(files) * (config.epochs or 1)
        console = Console(stderr=True)
        self.log, self.quiet = Log(console), quiet
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counts]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            disable=quiet or not console.is_terminal,
            redirect_stdout=False,
        )
        left = LOAD_SECONDS + self.budget / TOKENS_PER_SECOND
        self.task = self.progress.add_task("loading the model", total=None, counts="", left=f"~{clock(left)} left")
        self.began = self.start_tokens = 0.0

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def say(self, line: str) -> None:
        """Print one line for the user, even if no bar is drawn."""
        self.progress.console.print(f"symtune: {line}", markup=False, highlight=False, soft_wrap=True)

    def stage(self, what: str) -> None:
        """Show what is being done."""
        self.progress.update(self.task, description=what)

    def begin(self, plan: Plan) -> None:
        """The plan is known, which improves the estimate."""
        left = f"~{clock(plan.tokens / TOKENS_PER_SECOND)} left"
        self.progress.update(
            self.task, description="training", total=plan.tokens, left=left, counts=f"0/{plan.tokens:,} tokens"
        )

    def resume(self, step: int, plan: Plan) -> None:
        """Training starts now, after `step` steps of an earlier run."""
        self.start_tokens = sum(pack.tokens for pack in plan.packs[: step * plan.per_step])
        self.began = time.monotonic()
        self.progress.update(self.task, completed=self.start_tokens)

    def step(self, log: StepLog) -> None:
        """A step is done."""
        total = self.progress.tasks[0].total or log.tokens
        seconds = time.monotonic() - self.began
        left = seconds / max(1, log.tokens - self.start_tokens) * (total - log.tokens)
        counts = f"{log.tokens:,}/{int(total):,} tokens  step {log.step}/{log.steps}  loss {log.loss:.3f}"
        self.progress.update(self.task, completed=log.tokens, counts=counts, left=f"{clock(left)} left")
        if not self.quiet:
            self.log.say(lambda passed: f"training: {counts}  {clock(passed)} passed, about {clock(left)} left")


def _guess_tokens(files: Sequence[Path]) -> float:
    total = 0
    for file in files:
        with open_parquet(file) as shard:
            groups = [shard.metadata.row_group(k) for k in range(shard.metadata.num_row_groups)]
            total += sum(group.total_byte_size for group in groups)
    return total / BYTES_PER_TOKEN
