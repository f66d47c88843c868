"""Evaluation folders and selection files, read as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from symtune.output import MANIFEST
from symtune.reporting.files import Json, checked, checked_lines, read_json
from symtune.types import InputError, Table

SELECTION = b'"symtune": "select-prompt"'  # at the beginning of a selection file
HEAD = 200  # bytes


class Score(BaseModel):
    """A line of results.json (the fields of `symtune.types.Result`)."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    benchmark: str
    split: str
    metric: str
    score: float | None  # None, like the interval, if the release lacks parts
    n: int
    interval: tuple[float, float] | None
    group: str = ""
    notes: Mapping[str, Any] = {}


class PromptNote(BaseModel):
    """The note `prompt_selection`: how the prompt relates to a selection."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    prompt: str
    chosen: str = ""
    selection_split: str = ""
    other_test_runs: tuple[str, ...] = ()


class Notes(BaseModel):
    """The notes of a result that a page uses, which are checked; other notes are left as they are."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    chance: float | None = None
    majority: float | None = None
    verdicts: Mapping[str, int] = {}
    truncated: int = 0
    finish: Mapping[str, int] = {}
    tables_cut: int = 0
    shots_dropped: int = 0
    in_domain: Mapping[str, tuple[str, ...]] = {}
    prompt_selection: PromptNote | None = None


class FirstWrong(BaseModel):
    """The first step of a worked completion that does not hold."""

    model_config = ConfigDict(frozen=True)
    step: int
    text: str
    fault: str


class StepsOf(BaseModel):
    """What predictions.jsonl says about the steps of a worked completion."""

    model_config = ConfigDict(frozen=True)
    written: int
    hold: int
    left_out: int = 0
    first_wrong: FirstWrong | None = None


class Prediction(BaseModel):
    """What a report needs from a line of predictions.jsonl."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    id: str
    text: str
    score: float
    groups: tuple[str, ...] = ()
    chance: float | None = None
    verdict: str = ""
    steps: StepsOf | None = None


class Wrong(BaseModel):
    """A line of errors.jsonl. `tables` are in the form of `symtune.types.Table`, cut, with their full size."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    id: str
    groups: tuple[str, ...]
    chance: float | None
    question: str
    tables: tuple[Mapping[str, Any], ...]
    prompt: str
    target: tuple[str, ...]
    text: str
    verdict: str

    @field_validator("tables")
    @classmethod
    def _are_tables(cls, value: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
        for table in value:
            try:
                Table.from_json(table)
            except InputError as error:
                raise ValueError(str(error)) from None
        return value


class PromptScore(BaseModel):
    """The score of a prompt template in a selection."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    template: str
    score: float
    n: int
    interval: tuple[float, float]


class Selected(BaseModel):
    """A selection: the prompt templates with their scores, and the chosen one."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    benchmark: str
    split: str
    questions: int
    minimum: float
    mean: float
    maximum: float
    chosen: str
    scores: tuple[PromptScore, ...]
    model: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation folder."""

    results: tuple[Score, ...]
    predictions: Mapping[str, Prediction]  # by id, in file order
    manifest: Json
    errors: tuple[Wrong, ...] = ()

    @property
    def notes(self) -> Json:
        """The notes of the first result."""
        return self.results[0].notes if self.results else {}

    @property
    def model(self) -> Json:
        """The facts about the model."""
        found = self.manifest.get("model")
        return found if isinstance(found, Mapping) else {}

    @property
    def selected(self) -> Selected | None:
        """The selection with which the prompt was compared, if one is known."""
        said, scores = self.notes.get("prompt_selection", {}), self.manifest.get("prompt_scores")
        if not scores or "chosen" not in said or not self.results:
            return None
        body = {**said, "benchmark": self.results[0].benchmark, "split": said["selection_split"], "scores": scores}
        return checked(Selected, [{**body, "model": self.model}], "prompt_selection")[0]


def read_evaluation(folder: Path) -> Evaluation:
    """The evaluation in a folder. Raises InputError if one of its files is broken."""
    path = folder / "results.json"
    results = checked(Score, read_json(path, of=list) or [], f"{path}: result")
    checked(Notes, [result.notes for result in results], f"{path}: notes of result")
    predictions = checked_lines(Prediction, folder / "predictions.jsonl")
    return Evaluation(
        results,
        {line.id: line for line in predictions},
        read_json(folder / MANIFEST) or {},
        checked_lines(Wrong, folder / "errors.jsonl"),
    )


def found_below(folder: Path) -> Iterator[tuple[Path, Evaluation]]:
    """The evaluations in a folder and its subfolders, in order. Hidden folders, which are unfinished work, are
    skipped."""
    for place, names, _ in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith("."))
        here = Path(place)
        manifest = here / MANIFEST
        if (here / "results.json").is_file() and (read_json(manifest) or {}).get("symtune") == "evaluate":
            yield here, read_evaluation(here)
            names.clear()


def selections_below(folder: Path) -> Iterator[Selected]:
    """The selection files in a folder and its subfolders, in order."""
    for place, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(place) / name
            if path.suffix == ".json" and _is_selection(path):
                yield checked(Selected, [read_json(path)], f"{path}: selection")[0]


def _is_selection(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return SELECTION in stream.read(HEAD)
    except OSError:
        return False
