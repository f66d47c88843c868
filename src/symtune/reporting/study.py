"""A folder of evaluations without a recipe: which models were measured, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from symtune.reporting.evaluations import Evaluation, Selected, found_below, selections_below
from symtune.reporting.models import key_of, labels
from symtune.types import InputError


@dataclass(frozen=True, slots=True)
class Study:
    """The evaluations: what is measured -> key of a model -> its evaluation. `folders`: where each evaluation is."""

    path: Path
    models: Mapping[str, str]  # key -> label
    evaluations: Mapping[str, Mapping[str, Evaluation]]
    folders: Mapping[str, Evaluation]
    selections: tuple[Selected, ...]


def read_study(path: Path) -> Study:
    """The evaluations in a folder and its subfolders. Raises InputError if there are none, or a file is broken."""
    found = [(folder, evaluation) for folder, evaluation in found_below(path) if evaluation.results]
    if not found:
        raise InputError(
            f"{path}: no recipe.yaml here, and no evaluation below it; wanted a run folder of `symtune run`, or "
            "a folder of evaluations"
        )
    measured: dict[tuple[str, str], dict[str, list[Evaluation]]] = {}
    for _, evaluation in found:
        first = evaluation.results[0]
        of = measured.setdefault((first.benchmark, first.split), {})
        of.setdefault(key_of(evaluation.model), []).append(evaluation)
    evaluations: dict[str, dict[str, Evaluation]] = {}
    for (benchmark, split), of in sorted(measured.items()):
        for key, several in of.items():
            for turn, evaluation in enumerate(sorted(several, key=_is_another)):
                name = f"{benchmark}, {split}" + (f": run {turn + 1}" if turn else "")
                evaluations.setdefault(name, {})[key] = evaluation
    return Study(
        path,
        labels([evaluation.model for _, evaluation in found]),
        evaluations,
        {str(folder.relative_to(path)): evaluation for folder, evaluation in found},
        tuple(selections_below(path)),
    )


def _is_another(evaluation: Evaluation) -> bool:
    """Whether its prompt is known not to be the chosen one: such runs come last."""
    return bool(evaluation.notes.get("prompt_selection", {}).get("prompt") == "another than chosen")
