"""Prompt spread: how much the scores of a benchmark's prompt templates differ, and which template was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symtune.reporting.evaluations import PromptScore, Selected
from symtune.reporting.models import Series, key_of
from symtune.reporting.overview import Evaluations
from symtune.reporting.plots import Axis, axis


@dataclass(frozen=True, slots=True)
class Spread:
    """One selection, and how the test split was asked: (what is measured, prompt, how that relates to the choice)."""

    selected: Selected
    series: Series
    chosen: PromptScore
    tested: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Spreads:
    """All selections on one axis, and what was tested without any."""

    axis: Axis
    rows: tuple[Spread, ...]
    without: tuple[str, ...]


def spreads(evaluations: Evaluations, series: Mapping[str, Series], selections: Sequence[Selected]) -> Spreads:
    """The selections that evaluations know about, and those beside them."""
    found: dict[str, Selected] = {}
    for evaluation in (one for of in evaluations.values() for one in of.values()):
        if evaluation.selected is not None:
            found.setdefault(_key(evaluation.selected), evaluation.selected)
    for selection in selections:
        found.setdefault(_key(selection), selection)
    rows = tuple(_row(one, evaluations, series) for one in found.values())
    top = max((score.interval[1] for row in rows for score in row.selected.scores), default=1.0)
    without = dict.fromkeys(
        name for name, of in evaluations.items() if any(_is_without(one.notes) for one in of.values())
    )
    return Spreads(axis(top), rows, tuple(without))


def _key(selected: Selected) -> str:
    return f"{selected.benchmark} {selected.split} {key_of(selected.model)} {selected.scores}"


def _is_without(notes: Mapping[str, object]) -> bool:
    said = notes.get("prompt_selection")
    return isinstance(said, Mapping) and said.get("prompt") == "none chosen"


def _row(selected: Selected, evaluations: Evaluations, series: Mapping[str, Series]) -> Spread:
    chosen = next(score for score in selected.scores if score.template == selected.chosen)
    model = key_of(selected.model)
    keys = [key for of in evaluations.values() for key, one in of.items() if key_of(one.model) == model]
    named = series[keys[0]] if keys else Series(str(selected.model.get("name", "")), "c0")
    return Spread(selected, named, chosen, tuple(_tested(selected, model, evaluations)))


def _tested(selected: Selected, model: str, evaluations: Evaluations) -> Iterator[tuple[str, str, str]]:
    for name, of in evaluations.items():
        for evaluation in of.values():
            said = evaluation.notes.get("prompt_selection", {})
            same = key_of(evaluation.model) == model and evaluation.results[0].benchmark == selected.benchmark
            if same and said.get("chosen") == selected.chosen:
                yield name, str(evaluation.notes.get("format", "")), str(said["prompt"])
