"""The stages of a run on the terminal: what is done, what is running, and the time left, from the first second.

On a terminal the board is redrawn in place. In a log, each stage prints a line when it begins and ends, and a line
every half minute in between. The time left starts from the stages' estimates and is corrected, as work is done, by how
much faster or slower stages of the same kind were on this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from symtune.progress import LOG_EVERY, clock
from symtune.recipe.runner import Stage

TRUST = 20.0  # seconds of estimated work that measured time must outweigh


class Clock:
    """The time left, from the estimates of the stages and the time that their kinds took so far."""

    def __init__(self, stages: Sequence[Stage], now: Callable[[], float] = time.monotonic) -> None:
        self.now, self.begun = now, now()
        self.due = {stage.name: stage for stage in stages}  # not yet ended
        self.stage: Stage | None = None  # the current one
        self.stage_begun = self.begun
        self.share = 0.0  # how much of the current stage is done
        self.measured: dict[
            str, tuple[float, float]
        ] = {}  # kind -> seconds that its ended stages took, their estimates

    def begin(self, stage: Stage) -> None:
        """A stage begins."""
        self.stage, self.stage_begun, self.share = stage, self.now(), 0.0

    def end(self, stage: Stage, *, skipped: bool) -> None:
        """A stage ends; one that was `skipped` tells nothing about this machine."""
        if not skipped:
            self.share = 1.0
            self.measured = self._so_far()
        self.stage, self.share = None, 0.0
        del self.due[stage.name]

    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.now() - self.begun

    def left(self) -> float:
        """Approximate seconds until the run ends. A kind that was not measured yet is as much slower or faster than
        its estimate as the median of the others.
        """
        paces = {kind: _pace(*times) for kind, times in self._so_far().items()}
        usual = median(paces.values()) if paces else 1.0
        undone = {name: 1 - self.share if stage is self.stage else 1.0 for name, stage in self.due.items()}
        return sum(stage.seconds * undone[name] * paces.get(_kind(stage), usual) for name, stage in self.due.items())

    def _so_far(self) -> dict[str, tuple[float, float]]:
        """`measured`, with the current stage as far as it is done."""
        if self.stage is None or not self.share:
            return self.measured
        kind = _kind(self.stage)
        took, estimated = self.measured.get(kind, (0.0, 0.0))
        took, estimated = took + self.now() - self.stage_begun, estimated + self.stage.seconds * self.share
        return self.measured | {kind: (took, estimated)}


def _kind(stage: Stage) -> str:
    return stage.kind or stage.name


def _pace(took: float, estimated: float) -> float:
    """How many times its estimate a kind takes; little work says little."""
    return (took + TRUST) / (estimated + TRUST)


class Board:
    """A `Watch` that draws on `console`; use it as a context."""

    def __init__(self, stages: Sequence[Stage], console: Console) -> None:
        self.stages, self.console = stages, console
        self.clock = Clock(stages)
        self.notes: dict[str, tuple[str, str]] = {}  # stage -> (mark, note)
        self.counts = ""
        self.logged = self.clock.now()
        self.live = Live(get_renderable=self.render, console=console, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live.start()
        else:
            self.say(f"{len(self.stages)} stages, about {clock(self.clock.left())} in all")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def begin(self, stage: Stage) -> None:
        """A stage begins."""
        self.clock.begin(stage)
        self.counts, self.logged = "", self.clock.now()

    def advance(self, done: int, of: int) -> None:
        """The current stage has done this many of its units of work."""
        self.clock.share = min(1.0, done / of) if of else 0.0
        self.counts = f"{done:,} of {of:,}"
        stage = self.clock.stage
        if stage and not self.console.is_terminal and self.clock.now() - self.logged >= LOG_EVERY:
            self.logged = self.clock.now()
            self.say(f"{stage.title}: {self.counts}, about {clock(self.clock.left())} left")

    def end(self, stage: Stage, note: str, *, skipped: bool) -> None:
        """A stage is done, or (`skipped`) was done in an earlier run."""
        self.clock.end(stage, skipped=skipped)
        took = "done before" if skipped else clock(self.clock.now() - self.clock.stage_begun)
        self.notes[stage.name] = (took, note)
        if not self.console.is_terminal:
            self.say(f"{stage.title}: {took}" + (f", {note}" if note else ""))

    def say(self, line: str) -> None:
        """Write a line to the log."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def render(self) -> RenderableType:
        """The board in its current state."""
        table = Table.grid(padding=(0, 2))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="ellipsis", no_wrap=True)
        for stage in self.stages:
            if stage.name in self.notes:
                took, note = self.notes[stage.name]
                table.add_row(Text("✓", "green"), Text(stage.title), Text(took, "dim"), Text(note, "dim"))
            elif stage is self.clock.stage:
                took = clock(self.clock.now() - self.clock.stage_begun)
                bar = ProgressBar(total=1.0, completed=self.clock.share, width=18, pulse=not self.clock.share)
                row = Table.grid(padding=(0, 1))
                row.add_row(bar, Text(self.counts, "dim"))
                table.add_row(Text("▸", "cyan"), Text(stage.title, "bold"), Text(took), row)
            else:
                table.add_row(Text("·", "dim"), Text(stage.title, "dim"), "", "")
        elapsed, left = clock(self.clock.elapsed()), clock(self.clock.left())
        state = f"{elapsed} passed, about {left} left" if len(self.notes) < len(self.stages) else f"{elapsed} in all"
        return Group(table, Text(f"   {state}", "cyan"))
