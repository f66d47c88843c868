"""The lines that a solution is expected to have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from symtune.sql.solutions.verifier.values import number
from symtune.sql.solutions.wordings import Wording
from symtune.types import Rejected

MOST = 5_000  # lines; a program that needs more is refused


class End(NamedTuple):
    """The end of a line with a running number: its wording (with `{n}` or `{x}`), the number, and what the line adds to
    the number of the line before. `of`: what is counted or summed.
    """

    put: str
    number: Any
    step: Any
    of: str


class Expected:
    """A line: the step it belongs to, how it starts if it is about a row, what it says, and how it ends. `needed`: it
    is part of the form `compact` too.
    """

    __slots__ = ("_say", "_stem", "_text", "ends", "needed", "start", "step")

    def __init__(self, step: int, start: str, stem: Callable[[], str], ends: Sequence[End | str], needed: bool) -> None:
        self.step, self.start, self._say, self.ends, self.needed = step, start, stem, ends, needed
        self._stem = self._text = ""

    def stem(self) -> str:
        """The line without its running numbers."""
        if not self._stem:
            self._stem = self._say()
        return self._stem

    def text(self) -> str:
        """The whole line."""
        if not self._text:
            said = self.stem()
            for end in self.ends:
                said += end if isinstance(end, str) else end.put.format(n=end.number, x=number(end.number))
            self._text = said
        return self._text


class Lines:
    """Collects the lines; `step` counts the steps begun."""

    def __init__(self, wording: Wording) -> None:
        self.wording, self.found, self.step = wording, list[Expected](), 0

    def head(self, which: str, **names: Any) -> None:
        """The first line of a step."""
        self.step += 1
        text = self.wording.heads[which].format(**names)
        self._add(Expected(self.step, "", partial(str, text), (), True))

    def line(self, row: str, said: Callable[[], str], *ends: End | str, needed: bool = True) -> None:
        """A line about a row, or about none."""
        start = self.wording.line.format(row=row, said="").rstrip() if row else ""
        self._add(Expected(self.step, start, partial(self._put, row, said), ends, needed))

    def _put(self, row: str, said: Callable[[], str]) -> str:
        text = said()
        return self.wording.line.format(row=row, said=text) if row and text else row + text

    def _add(self, line: Expected) -> None:
        if len(self.found) == MOST:
            raise Rejected("no solution", f"more than {MOST:,} lines")
        self.found.append(line)
