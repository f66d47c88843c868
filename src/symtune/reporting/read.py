"""Read the files of a run folder as they are; what is not there yet is None or empty."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from symtune.dataset import Line, lines
from symtune.files import json_objects
from symtune.output import MANIFEST
from symtune.task import TABLES
from symtune.types import InputError, Table

MODELS = ("before", "control", "after")  # whose evaluations a run holds
# The stages of a run that has not noted its own.
STAGES = {
    "data": "generate training examples",
    "heldout": "generate held-out examples",
    "mix": "mix",
    "evaluation/before/held_out": "measure before",
    "model": "train",
    "evaluation/after/held_out": "measure after",
    "control": "train the control",
    "evaluation/control/held_out": "measure the control",
}
Json = Mapping[str, Any]
Checked = TypeVar("Checked", bound=BaseModel)


class Score(BaseModel):
    """A line of results.json (the fields of `symtune.types.Result`)."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    benchmark: str
    split: str
    metric: str
    score: float | None  # None, as the interval, where the release lacks parts
    n: int
    interval: tuple[float, float] | None
    group: str = ""
    notes: Mapping[str, Any] = {}


class Comparison(BaseModel):
    """A line of `comparisons` in a run's manifest: one score minus another, question by question.

    `evaluation` names what is measured, `of` and `against` the models; `against` may be "chance". `interval` is the
    95 % interval of the difference.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    evaluation: str
    benchmark: str
    split: str
    metric: str
    group: str
    of: str
    against: str
    difference: float
    interval: tuple[float, float]
    n: int


class FirstWrong(BaseModel):
    """The first step of a worked completion that does not hold."""

    model_config = ConfigDict(frozen=True)
    step: int
    text: str
    fault: str


class StepsOf(BaseModel):
    """What predictions.jsonl says of the steps of a worked completion."""

    model_config = ConfigDict(frozen=True)
    written: int
    hold: int
    left_out: int = 0
    first_wrong: FirstWrong | None = None


class Prediction(BaseModel):
    """What a report needs of a line of predictions.jsonl."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    id: str
    text: str
    score: float
    groups: tuple[str, ...] = ()
    chance: float | None = None
    steps: StepsOf | None = None


class LogLine(BaseModel):
    """A line of log.jsonl; a loss that is not finite is what a diverged training logs."""

    model_config = ConfigDict(frozen=True)
    tokens: float
    loss: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation folder."""

    results: tuple[Score, ...]
    predictions: Mapping[str, Prediction]  # by id, in file order


@dataclass(frozen=True, slots=True)
class Shown:
    """A held-out example that the report shows."""

    row: Json  # the columns of docs/interface.md
    info: Json  # the fields, with the tables themselves

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that it shows."""
        found: tuple[Table, ...] = self.info.get(TABLES, ())
        return found


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, read."""

    path: Path
    recipe_text: str
    recipe: Json
    manifest: Json | None
    planned: Mapping[str, str]  # stage -> its title, in order
    stages: Json  # stage -> what the run notes of it: arguments, seconds
    manifests: Mapping[str, Json]  # stage folder -> its manifest, for those that are complete
    evaluations: Mapping[str, Mapping[str, Evaluation]]  # what is measured -> whose model -> its evaluation
    comparisons: tuple[Comparison, ...]
    logs: Mapping[str, tuple[LogLine, ...]]  # "model", "control" -> logged steps
    examples: tuple[Shown, ...]


def read_run(path: Path, *, examples: int = 8) -> Run:
    """The run folder at `path`. Raises InputError if it is not one, or one of its files is broken."""
    if not (path / "recipe.yaml").is_file():
        raise InputError(f"{path}: no recipe.yaml here; wanted a run folder of `symtune run`")
    text = _text(path / "recipe.yaml")
    try:
        recipe = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path / 'recipe.yaml'}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(recipe, dict):
        raise InputError(f"{path / 'recipe.yaml'}: wanted a mapping, got {type(recipe).__name__}")
    manifest = _json(path / MANIFEST)
    notes = _json(path / "stages.json") or {}
    planned = notes.get("planned") or STAGES
    manifests = {stage: found for stage in planned if (found := _json(path / stage / MANIFEST)) is not None}
    return Run(
        path=path,
        recipe_text=text,
        recipe=recipe,
        manifest=manifest,
        planned=planned,
        stages=notes.get("begun") or {},
        manifests=manifests,
        evaluations=read_evaluations(path),
        comparisons=_checked(Comparison, (manifest or {}).get("comparisons", ()), f"{path / MANIFEST}: comparison"),
        logs={name: _log(path / name / "log.jsonl") for name in ("model", "control")},
        examples=_examples(path / "heldout", examples) if "heldout" in manifests else (),
    )


def read_evaluations(run: Path) -> dict[str, dict[str, Evaluation]]:
    """The evaluations of a run folder that are whole: by what is measured, in the order of their names but for
    `held_out`, which comes first, and by whose model. Raises InputError if a file of one is broken.
    """
    folders = {path.parent.name for name in MODELS for path in (run / "evaluation" / name).glob(f"*/{MANIFEST}")}
    found: dict[str, dict[str, Evaluation]] = {}
    for measured in sorted(folders, key=lambda name: (name != "held_out", name)):
        for name in MODELS:
            folder = run / "evaluation" / name / measured
            if (folder / MANIFEST).is_file():
                found.setdefault(measured, {})[name] = _evaluation(folder)
    return found


def _evaluation(folder: Path) -> Evaluation:
    results = _json(folder / "results.json", of=list) or []
    predictions = _lines(Prediction, folder / "predictions.jsonl")
    return Evaluation(
        _checked(Score, results, f"{folder / 'results.json'}: result"), {line.id: line for line in predictions}
    )


def _checked(model: type[Checked], lines: Sequence[Any], place: str) -> tuple[Checked, ...]:
    """The lines as `model`. Raises InputError that names the first fault."""
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(model.model_validate(line))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = ".".join(map(str, fault["loc"]))
            raise InputError(f"{place} {number}: {name}: {fault['msg']}") from None
    return tuple(found)


def _log(path: Path) -> tuple[LogLine, ...]:
    """The steps that have a loss (a last line with totals has none)."""
    return _lines(LogLine, path, having="loss")


def _lines(model: type[Checked], path: Path, having: str = "") -> tuple[Checked, ...]:
    """The lines of a jsonl file, those that have a key if one is named; none where there is no file."""
    if not path.is_file():
        return ()
    values = [entry.value for entry in json_objects(path) if not having or having in entry.value]
    return _checked(model, values, f"{path}: line")


def _examples(folder: Path, count: int) -> tuple[Shown, ...]:
    """The first example of each kind in file order, then the second of each, up to `count`."""
    by_kind: dict[tuple[str, str], list[tuple[Line, Json]]] = {}
    for line in lines(folder):
        info = line.info()
        kept = by_kind.setdefault((str(line.row.get("task", "")), str(info.get("query_type", ""))), [])
        if len(kept) < count:
            kept.append((line, info))
    turns = max(map(len, by_kind.values()), default=0)
    chosen = [kept[turn] for turn in range(turns) for _, kept in sorted(by_kind.items()) if turn < len(kept)]
    return tuple(Shown(line.row, info) for line, info in chosen[:count])


def _json(path: Path, of: type = dict) -> Any:
    return _parse(_text(path), str(path), of) if path.is_file() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _parse(text: str, place: str, of: type = dict) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON: {error}") from None
    if not isinstance(value, of):
        raise InputError(f"{place}: got a JSON {type(value).__name__}, wanted {of.__name__}")
    return value
