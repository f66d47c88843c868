"""The lines of a worked completion as they are shown: marked up to the first wrong step, and how many steps hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from symtune.reporting.evaluations import Prediction
from symtune.worked import LAST

Mark = Literal["right", "wrong", "unmarked"]


@dataclass(frozen=True, slots=True)
class ShownSteps:
    """The lines, each with its mark: steps are marked up to the first wrong one, and answers as right or wrong."""

    lines: tuple[tuple[str, Mark], ...]
    said: str


def shown_steps(line: Prediction) -> ShownSteps | None:
    """The steps of what a model wrote, or None if it was not asked for any."""
    if line.steps is None:
        return None
    first, total = line.steps.first_wrong, line.steps.written + line.steps.left_out
    marked: list[tuple[str, Mark]] = []
    mark: Mark = "right"
    for text in filter(str.strip, line.text.split("\n")):
        if text.startswith(LAST.rstrip()):
            marked.append((text, "right" if line.score == 1 else "wrong"))
        elif mark == "right" and first and text.strip() == first.text:
            marked.append((text, "wrong"))
            mark = "unmarked"
        else:
            marked.append((text, mark))
    said = f"{line.steps.hold} of {total} steps hold" + (f"; step {first.step}: {first.fault}" if first else "")
    return ShownSteps(tuple(marked), said)
