"""The worst errors of evaluations, with their tables and with the answers of the other models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from symtune.denotation import ROW_DELIMITER
from symtune.reporting.evaluations import Evaluation, Wrong
from symtune.reporting.models import Series
from symtune.reporting.overview import Evaluations
from symtune.reporting.words import ShownTable, shown_table
from symtune.reporting.worked import ShownSteps, shown_steps
from symtune.types import Table

HELD_OUT = "held_out"  # the benchmark whose questions are programs
EACH = 5  # errors for each thing measured


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote."""

    series: Series
    text: str
    right: bool
    verdict: str
    steps: ShownSteps | None


@dataclass(frozen=True, slots=True)
class Error:
    """A question that a model got wrong, and what each model wrote. `is_program`: keep its line breaks."""

    wrong: Wrong
    gold: str
    tables: tuple[ShownTable, ...]
    answers: tuple[Answer, ...]
    is_program: bool


def worst(
    evaluations: Evaluations, series: Mapping[str, Series], of: Sequence[str], most: int = EACH
) -> Iterator[tuple[str, tuple[Error, ...]]]:
    """(what is measured, its worst errors): those of the models `of`, in turn; first those that another model got
    right.
    """
    for name, found in evaluations.items():
        chosen = dict[str, Wrong]()
        lists = [_regressions_first(found, key) for key in of if key in found]
        for turn in zip_longest(*lists):
            for wrong in turn:
                if wrong is not None and len(chosen) < most:
                    chosen.setdefault(wrong.id, wrong)
        if chosen:
            yield name, tuple(_error(wrong, found, series) for wrong in chosen.values())


def _regressions_first(found: Mapping[str, Evaluation], key: str) -> list[Wrong]:
    others = [evaluation for other, evaluation in found.items() if other != key]

    def elsewhere_right(wrong: Wrong) -> bool:
        lines = [other.predictions.get(wrong.id) for other in others]
        return any(line is not None and line.score == 1 for line in lines)

    return sorted(found[key].errors, key=lambda wrong: not elsewhere_right(wrong))


def _error(wrong: Wrong, found: Mapping[str, Evaluation], series: Mapping[str, Series]) -> Error:
    answers = []
    for key, evaluation in found.items():
        line = evaluation.predictions.get(wrong.id)
        if line is not None and key in series:
            answers.append(Answer(series[key], line.text, line.score == 1, line.verdict, shown_steps(line)))
    tables = tuple(
        shown_table(Table.from_json(table), int(table.get("of_rows", 0)), int(table.get("of_columns", 0)))
        for table in wrong.tables
    )
    is_program = any(one.results[0].benchmark == HELD_OUT for one in found.values() if one.results)
    return Error(wrong, ROW_DELIMITER.join(wrong.target), tables, tuple(answers), is_program)
