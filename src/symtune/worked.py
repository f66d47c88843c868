"""Worked solutions as texts: steps, one per line, and a last line `Answer: …`.

completion = joined("WHERE:\\nrow 2 (Oslo): Year 2006 > 2004 yes 1", "Oslo")
parted(completion)                                    ->  ("WHERE:\\nrow 2 …", "Oslo")
parted("Answer: 7 is a cell\\nAnswer: 9\\nQuestion: …")  ->  ("Answer: 7 is a cell", "9")
"""

from __future__ import annotations

import re
from typing import NamedTuple

from symtune.reading import reply
from symtune.types import Rejected, Steps

LAST = "Answer: "
VERIFIER = "the verifier of solutions"  # its name in lists of engines that confirmed answers
_LAST = re.compile(r"[ \t*_#>]{0,6}(?:final )?answer[*_]{0,3} ?[:：][*_]{0,3}(?P<answer>.*)", re.IGNORECASE)


def joined(steps: str, answer: str) -> str:
    """The completion of an example: the steps, followed by the answer."""
    return f"{steps}\n{LAST}{answer}"


def parted(text: str) -> tuple[str, str | None]:
    """The steps of a worked solution and its answer, from the last line `Answer: …` before the model runs on into
    another question. Without such a line, all lines are steps and the answer is None. Never raises.
    """
    lines = reply(text).strip().split("\n")
    for number in range(len(lines) - 1, -1, -1):
        found = _LAST.fullmatch(lines[number])
        if found and found["answer"].strip():
            return "\n".join(lines[:number]), found["answer"].strip()
    return "\n".join(lines), None


def check_solution(text: str, steps: Steps, answer: str, form: str) -> str:
    """The completion with a solution that has just been written. Raises Rejected if the verifier refuses it, or if its
    answer could not be read back.
    """
    if fault := steps.fault(form):
        raise Rejected("solution does not hold", fault)
    completion = joined(text, answer)
    if parted(completion) != (text, answer):
        raise Rejected("no solution", "a cell reads like the end of a reply")
    return completion


class Process(NamedTuple):
    """The worth of a worked completion: the score of its answer, and its steps."""

    answer: float
    steps: Steps

    @property
    def reward(self) -> float:
        """Half for the answer, half for the share of steps that hold: 1 only for a right answer by right steps."""
        return (self.answer + self.steps.share) / 2

    @property
    def is_proven(self) -> bool:
        """A right answer, and every step holds."""
        return self.answer == 1 and self.steps.first_wrong is None

    @property
    def is_lucky(self) -> bool:
        """A right answer by wrong steps."""
        return self.answer == 1 and self.steps.first_wrong is not None
