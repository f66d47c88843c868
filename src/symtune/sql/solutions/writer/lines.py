"""The lines of a solution, collected while it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from symtune.denotation import number_text
from symtune.sql.solutions.wordings import NONE, Wording
from symtune.sql.solutions.writer.saying import Saying


class Lines:
    """The lines, in one wording; `full`: including lines that change nothing."""

    def __init__(self, wording: Wording, *, full: bool) -> None:
        self.wording, self.full = wording, full
        self.texts: list[str] = []

    def head(self, step: str, **names: Any) -> None:
        """The first line of a step."""
        self.texts.append(self.wording.heads[step].format(**names))

    def add(self, row: str, said: str, end: str = "") -> None:
        """A line about a row, or about no row if `row` is ""."""
        text = self.wording.line.format(row=row, said=said) if row and said else row or said
        self.texts.append(text + end)

    def checked(
        self,
        rows: Sequence[str],
        saying: Saying,
        condition: Any,
        before: Callable[[int], str] = lambda row: "",
        after: Callable[[int], str] = lambda row: "",
    ) -> list[int]:
        """The rows for which a condition is true, each with what decides; in the form `full`, also the others.
        `before`: what is said first about each row; `after`: what is added about one that is kept.
        """
        kept: list[int] = []
        for row, hit in enumerate(saying.vector(condition).values):
            if hit is True:
                kept.append(row)
                end = self.wording.yes.format(n=len(kept)) + after(row)
                self.add(rows[row], before(row) + saying.condition(condition, row), end)
            elif self.full:
                self.add(rows[row], before(row) + saying.condition(condition, row), self.wording.no)
        if not kept:
            self.texts.append(NONE)
        return kept

    def distinct(self, rows: Sequence[str], values: Sequence[Any], texts: Mapping[int, str]) -> list[int]:
        """The first row of each value."""
        seen: set[Any] = set()
        first: list[int] = []
        for row, text in texts.items():
            if values[row] not in seen:
                seen.add(values[row])
                first.append(row)
                self.add(rows[row], text, self.wording.new.format(n=len(first)))
            elif self.full:
                self.add(rows[row], text, self.wording.seen)
        return first

    def total(self, value: Any) -> str:
        """The end of a line that states a running sum."""
        return self.wording.total.format(x=number_text(value))

    def count(self, number: int) -> str:
        """The end of a line that states a running count."""
        return self.wording.count.format(n=number)
