"""The progress of long work: a bar with the time left on a terminal, an occasional line in a log.

with progress_bar("examples", total=20_000) as progress:
    progress(done=512, of=20_000)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LOG_EVERY = 30.0  # seconds between lines of a log


def clock(seconds: float) -> str:
    """Seconds as 12:34, or 1:02:03 from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Log:
    """Lines for a log, of which at most one is printed every LOG_EVERY seconds; on a terminal, none."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self.console, self.now = console, now
        self.begun = self.said = now()

    def say(self, line: Callable[[float], str]) -> None:
        """Print `line(seconds since the log began)` if a line is due."""
        if not self.console.is_terminal and self.now() - self.said >= LOG_EVERY:
            self.said = self.now()
            text = line(self.said - self.begun)
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Callable[[int, int | None], None]]:
    """Yields a function (done, of) to be called as the work proceeds; `of` is None if the total is unknown. Writes to
    stderr: a bar, or an occasional line in a log.
    """
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    log = Log(console)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=total)

        def tell(done: int, of: int | None) -> None:
            shown.update(task, completed=done, total=of)
            log.say(lambda passed: _line(what, done, of, passed))

        yield tell


def _line(what: str, done: int, of: int | None, passed: float) -> str:
    if not of or not done:
        return f"{what}: {done:,}, {clock(passed)} passed"
    left = passed / done * (of - done)
    return f"{what}: {done:,} of {of:,} ({done / of:.0%}), {clock(passed)} passed, about {clock(left)} left"
