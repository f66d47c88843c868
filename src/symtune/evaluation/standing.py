"""How a test run relates to prompt selection, as far as this is known when its results are written.

A test run is an evaluation of a split other than train, validation and the one on which the benchmark selects prompts.
It knows the selection that it was given (`--prompt-from`), and whatever is in the folder that contains its output
folder: selections for the same benchmark and model, and test runs of the same split and model. So the prompt is

    chosen                 the one that a selection has chosen, asked as it was scored
    another than chosen    a selection is known, but the prompt is another one
    none chosen            no selection is known

and the run is a further test run if an earlier one with another prompt is known. Models are the same if the digests of
their weights are equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from symtune.evaluation.exam import Exam
from symtune.evaluation.selection import LARGEST, VERB, Selection, read_selection, same_model
from symtune.output import MANIFEST
from symtune.types import InputError

CHOSEN, ANOTHER, NONE = "chosen", "another than chosen", "none chosen"
HEAD = 200  # bytes at the beginning, in which a file of ours names the verb that made it


def standing(exam: Exam, facts: Mapping[str, Any], out: Path) -> tuple[dict[str, Any], Selection | None]:
    """The note `prompt_selection` for the results, and the selection that is known. A run that is not a test run and
    was given no selection has no such note.
    """
    is_test = exam.split not in ("train", "validation", exam.benchmark.selection_split)
    selection = exam.selection
    if is_test and selection is None:
        selection = next((found for found in _selections(exam, facts, out)), None)
    if selection is None:
        said: dict[str, Any] = {"prompt": NONE}
    else:
        said = {
            "prompt": CHOSEN if _is_chosen(exam, selection) else ANOTHER,
            "chosen": selection.chosen,
            "selection_split": selection.split,
            "questions": selection.questions,
            "templates": len(selection.scores),
            "minimum": selection.minimum,
            "mean": selection.mean,
            "maximum": selection.maximum,
        }
    others = _other_test_runs(exam, facts, out) if is_test else []
    if others:
        said |= {"further_test_run": True, "other_test_runs": others}
    return (said if is_test or selection is not None else {}), selection


def _is_chosen(exam: Exam, selection: Selection) -> bool:
    format = exam.format
    asked = {"linearization": format.linearization, "shots": exam.shots}
    same = all(selection.asked.get(name) == value for name, value in asked.items())
    return same and exam.benchmark.template_name(format) == selection.chosen


def _selections(exam: Exam, facts: Mapping[str, Any], out: Path) -> Iterator[Selection]:
    """The selections for this benchmark and model beside the output folder."""
    for path in _beside(out):
        if path.suffix == ".json" and _made_by(VERB, path):
            try:
                found = read_selection(path)
            except InputError:
                continue
            if found.benchmark == exam.benchmark.name and found.is_of(facts):
                yield found


def _other_test_runs(exam: Exam, facts: Mapping[str, Any], out: Path) -> list[str]:
    """How the questions were asked in the other test runs that are known: those beside the output folder, the one that
    it replaces, and those which that one knew.
    """
    ours, found = exam.format_in_words, dict[str, None]()
    for path in _beside(out):
        if not _made_by("evaluate", path / MANIFEST):
            continue
        try:
            manifest = json.loads((path / MANIFEST).read_text("utf-8"))
            model, format = manifest["model"], manifest["format_in_words"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if manifest.get("benchmark") != exam.benchmark.name or manifest.get("split") != exam.split:
            continue
        if not same_model(model, facts):
            continue
        earlier = manifest.get("prompt_selection", {}).get("other_test_runs", ()) if path == out.absolute() else ()
        found |= dict.fromkeys([*earlier, format])
    return [format for format in found if format != ours]


def _beside(out: Path) -> list[Path]:
    """What is in the folder that contains the output folder, in order; nothing if it does not exist yet."""
    try:
        return sorted(path for path in out.absolute().parent.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _made_by(verb: str, path: Path) -> bool:
    """Whether a file says at its beginning that this verb of symtune made it."""
    try:
        if path.stat().st_size > LARGEST:
            return False
        with path.open("rb") as stream:
            return f'"symtune": "{verb}"'.encode() in stream.read(HEAD)
    except OSError:
        return False
