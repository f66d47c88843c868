"""Read the files of a run folder as they are; what is not there yet is None or empty."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from symtune.files import read_parquet
from symtune.output import MANIFEST
from symtune.types import InputError, Table

EVALUATIONS = ("before", "control", "after")
# The stages of a run that has not noted its own.
STAGES = {
    "data": "generate training examples",
    "heldout": "generate held-out examples",
    "mix": "mix",
    "evaluation/before": "measure before",
    "model": "train",
    "evaluation/after": "measure after",
    "control": "train the control",
    "evaluation/control": "measure the control",
}
Json = Mapping[str, Any]
Checked = TypeVar("Checked", bound=BaseModel)


class Score(BaseModel):
    """A line of results.json (the fields of `symtune.types.Result`)."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    benchmark: str
    split: str
    metric: str
    score: float
    n: int
    interval: tuple[float, float]
    group: str = ""
    notes: Mapping[str, Any] = {}


class Comparison(BaseModel):
    """A line of `comparisons` in a run's manifest: one score minus another, question by question.

    `of` and `against` name evaluations of the run; `against` may be "chance". `interval` is the 95 % interval
    of the difference.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    benchmark: str
    split: str
    metric: str
    group: str
    of: str
    against: str
    difference: float
    interval: tuple[float, float]
    n: int


class LogLine(BaseModel):
    """A line of log.jsonl; a loss that is not finite is what a diverged training logs."""

    model_config = ConfigDict(frozen=True)
    tokens: float
    loss: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation folder."""

    results: tuple[Score, ...]
    predictions: Mapping[str, Json]  # by example id, in file order


@dataclass(frozen=True, slots=True)
class Shown:
    """A held-out example that the report shows."""

    row: Json  # the columns of docs/interface.md
    info: Json
    tables: tuple[Table, ...]


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
    evaluations: Mapping[str, Evaluation]
    comparisons: tuple[Comparison, ...]
    logs: Mapping[str, tuple[LogLine, ...]]  # "model", "control" -> logged steps
    examples: tuple[Shown, ...]


def read_run(path: Path, *, examples: int = 8) -> Run:
    """The run folder at `path`. Raises InputError if it is none, or one of its files is broken."""
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
    evaluations = {
        name: read_evaluation(path / "evaluation" / name) for name in EVALUATIONS if f"evaluation/{name}" in manifests
    }
    return Run(
        path=path,
        recipe_text=text,
        recipe=recipe,
        manifest=manifest,
        planned=planned,
        stages=notes.get("begun") or {},
        manifests=manifests,
        evaluations=evaluations,
        comparisons=_checked(Comparison, (manifest or {}).get("comparisons", ()), f"{path / MANIFEST}: comparison"),
        logs={name: _log(path / name / "log.jsonl") for name in ("model", "control")},
        examples=_examples(path / "heldout", examples) if "heldout" in manifests else (),
    )


def read_evaluation(folder: Path) -> Evaluation:
    """An evaluation folder. Raises InputError where a file of it is broken."""
    results = _json(folder / "results.json", of=list) or []
    predictions = {str(line.get("id", "")): line for line in _lines(folder / "predictions.jsonl")}
    return Evaluation(_checked(Score, results, f"{folder / 'results.json'}: result"), predictions)


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
    lines = [line for line in _lines(path) if "loss" in line and "tokens" in line]
    return _checked(LogLine, lines, f"{path}: step")


def _examples(folder: Path, count: int) -> tuple[Shown, ...]:
    """The first example of each query type in file order, then the second of each, up to `count`."""
    rows = [row for shard in sorted((folder / "data").glob("*.parquet")) for row in read_parquet(shard)]
    stored = {
        row["id"]: row["table"]
        for shard in sorted((folder / "tables").glob("*.parquet"))
        for row in read_parquet(shard)
    }
    by_type: dict[str, list[tuple[Json, Json]]] = {}
    for row in rows:
        info = _parse(str(row.get("info") or "{}"), f"{folder}: example {row.get('id')}: info")
        by_type.setdefault(str(info.get("query_type", "")), []).append((row, info))
    turns = max(map(len, by_type.values()), default=0)
    chosen = [group[turn] for turn in range(turns) for _, group in sorted(by_type.items()) if turn < len(group)]
    return tuple(Shown(row, info, _tables(info, stored, folder)) for row, info in chosen[:count])


def _tables(info: Json, stored: Mapping[str, str], folder: Path) -> tuple[Table, ...]:
    found = []
    for entry in info.get("tables", ()):
        if isinstance(entry, str) and entry in stored:
            entry = _parse(stored[entry], f"{folder}: table {entry}")
        if isinstance(entry, Mapping):
            found.append(Table.from_json(entry))
    return tuple(found)


def _lines(path: Path) -> tuple[Json, ...]:
    if not path.is_file():
        return ()
    lines = _text(path).split("\n")
    return tuple(_parse(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip())


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
