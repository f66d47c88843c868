"""Compares the lines of a solution with the expected ones.

Each line is judged by itself: what it says about its row must be true, and it must come in the right place. A running
number continues from the one in the line before, so that one wrong sum does not make all later steps wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from symtune.sql.language import tree as t
from symtune.sql.solutions.verifier.expected import End, Expected
from symtune.sql.solutions.verifier.places import Tables, read
from symtune.sql.solutions.verifier.queries import Queries
from symtune.sql.solutions.verifier.values import number
from symtune.sql.solutions.wordings import WORDINGS
from symtune.types import Step, Steps, Table

MOST_STEPS = 2_000  # lines of a solution that are judged
MOST_STRANGE = 64  # after so many unexpected lines, a line is compared only with the next expected ones
SURE = 0.5  # if this share of the steps holds in a wording, the solution is in that wording
NEAR = 1e-4  # by how much a running sum, which is written with four decimals, may differ
_NUMBER = r"(-?\d+(?:\.\d+)?)"


class Verifier:
    """Judges solutions of programs on the same tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tuple(tables)
        self._read: dict[int, Tables] = {}

    def verify(self, query: t.Query, text: str) -> Steps:
        """Which of the steps hold, in whichever wording. Raises Rejected for a program that has no solution."""
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        best = Steps((), 1, "has no steps")
        for which in _likely(lines):
            found = self._judged(query, lines, which)
            if found.first_wrong is None or found.share >= SURE:
                return found
            if not best.steps or found.share > best.share:
                best = found
        return best

    def _judged(self, query: t.Query, lines: Sequence[str], which: int) -> Steps:
        wording = WORDINGS[which]
        if which not in self._read:
            self._read[which] = read(self._tables, wording)
        queries = Queries(wording)
        queries.solve(query, self._read[which], "answer", {})
        return _Match(queries.lines.found).judged(lines)


def _literals() -> Iterator[tuple[int, str, str]]:
    """The first lines of steps, without the names in them: the number of the wording, the text before, the text
    after."""
    for which, wording in enumerate(WORDINGS):
        for head in wording.heads.values():
            parts = re.split(r"\{\w+\}", head)
            yield which, parts[0], parts[-1] if len(parts) > 1 else ""


_HEADS = tuple(_literals())


def _likely(lines: Sequence[str]) -> list[int]:
    """The numbers of the wordings, with the most likely one, judged by the first line, first."""
    first, alike = (lines[0] if lines else ""), dict.fromkeys(range(len(WORDINGS)), 0)
    for which, before, after in _HEADS:
        if first.startswith(before) and first.endswith(after):
            alike[which] = max(alike[which], len(before) + len(after))
    return sorted(alike, key=lambda which: -alike[which])


class _Match:
    def __init__(self, expected: Sequence[Expected]) -> None:
        self._expected = expected
        self._said: dict[tuple[int, str], Any] = {}  # the running numbers in the line before

    def judged(self, lines: Sequence[str]) -> Steps:
        """The lines with their faults, and what was left out."""
        place, steps, lost = 0, list[Step](), list[str]()
        spared = strangers = strange = 0  # an unexpected line takes the place of a missing one
        for line in lines[:MOST_STEPS]:
            here, fault = self._find(line, place, far=strange < MOST_STRANGE)
            if here is None:
                strangers += 1
                strange += 1
            else:
                gone = [one for one in self._expected[place:here] if one.needed]
                spared += here - place - len(gone)
                left = [one.text() for one in gone[strangers:]]
                lost += left
                if left and not fault:
                    fault = f"leaves out {left[0]!r}"
                place, strangers = here + 1, 0
            steps.append(Step(line, fault))
        steps += [Step(line, "too many steps") for line in lines[MOST_STEPS:]]
        rest = [one for one in self._expected[place:] if one.needed]
        spared += len(self._expected) - place - len(rest)
        lost += [one.text() for one in rest[strangers:]]
        return Steps(tuple(steps), len(lost), f"leaves out {lost[0]!r}" if lost else "", spared)

    def _find(self, line: str, place: int, *, far: bool) -> tuple[int | None, str]:
        """Which expected line this is meant to be, and what is wrong with it; `far`: search the later ones too."""
        expected = self._expected
        for here in self._next(place):
            if expected[here].text() == line:
                self._keep(expected[here])
                return here, ""
        for here in range(place, len(expected) if far else place):
            one = expected[here]
            if any(isinstance(end, End) for end in one.ends) and line.startswith(one.stem()):
                fault = self._running(one, line[len(one.stem()) :])
                if fault is not None:
                    return here, fault
            elif one.text() == line:
                self._keep(one)
                return here, ""
        step = expected[place].step if place < len(expected) else -1
        for here in range(place, len(expected) if far else place):
            one = expected[here]
            if one.step == step and one.start and line.startswith(one.start):
                return here, f"expected {one.text()!r}"
        return None, f"expected {expected[place].text()!r}" if place < len(expected) else "a step too many"

    def _next(self, place: int) -> list[int]:
        """Where a line that holds most likely belongs: at the next expected line, or the next that is needed."""
        needed = next((k for k in range(place, len(self._expected)) if self._expected[k].needed), None)
        return [k for k in (place, needed) if k is not None and k < len(self._expected)]

    def _keep(self, one: Expected) -> None:
        for end in one.ends:
            if isinstance(end, End):
                self._said[one.step, end.of] = end.number

    def _running(self, one: Expected, rest: str) -> str | None:
        """What is wrong with the running numbers at the end of a line; None if the end is not of that form."""
        pattern = "".join(re.escape(end) if isinstance(end, str) else _pattern(end.put) for end in one.ends)
        found = re.fullmatch(pattern, rest)
        if found is None:
            return None
        fault = ""
        for text, end in zip(found.groups(), [end for end in one.ends if isinstance(end, End)], strict=True):
            wanted = self._said.get((one.step, end.of), 0) + end.step
            said = self._said[one.step, end.of] = float(text) if "." in text else int(text)
            if abs(wanted - said) > NEAR and not fault:
                fault = f"expected {number(wanted)} where it says {text}"
        return fault


def _pattern(put: str) -> str:
    """The regular expression of an end."""
    before, after = re.split(r"\{[nx]\}", put)
    return re.escape(before) + _NUMBER + re.escape(after)
