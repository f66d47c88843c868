"""Reads the files of a run folder as they are; whatever does not exist yet is None or empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from symtune.dataset import Line, lines
from symtune.output import MANIFEST
from symtune.reporting.evaluations import Evaluation, read_evaluation
from symtune.reporting.files import Json, checked, checked_lines, read_json, read_text
from symtune.task import TABLES
from symtune.types import InputError, Table

RECIPE = "recipe.yaml"
MODELS = ("before", "control", "after")  # the models whose evaluations a run holds
# The stages of a run that has not recorded them.
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


class LogLine(BaseModel):
    """A line of log.jsonl. If training diverged, the loss is not finite."""

    model_config = ConfigDict(frozen=True)
    tokens: float
    loss: float


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
    stages: Json  # stage -> what the run recorded about it: arguments, seconds
    manifests: Mapping[str, Json]  # stage folder -> its manifest, for those that are complete
    evaluations: Mapping[str, Mapping[str, Evaluation]]  # what is measured -> model -> its evaluation
    comparisons: tuple[Comparison, ...]
    logs: Mapping[str, tuple[LogLine, ...]]  # "model", "control" -> logged steps
    examples: tuple[Shown, ...]


def read_run(path: Path, *, examples: int = 8) -> Run:
    """The run folder at `path`. Raises InputError if it is not one, or if one of its files is broken."""
    text = read_text(path / RECIPE)
    try:
        recipe = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path / RECIPE}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(recipe, dict):
        raise InputError(f"{path / RECIPE}: wanted a mapping, got {type(recipe).__name__}")
    manifest = read_json(path / MANIFEST)
    notes = read_json(path / "stages.json") or {}
    planned = notes.get("planned") or STAGES
    manifests = {stage: found for stage in planned if (found := read_json(path / stage / MANIFEST)) is not None}
    return Run(
        path=path,
        recipe_text=text,
        recipe=recipe,
        manifest=manifest,
        planned=planned,
        stages=notes.get("begun") or {},
        manifests=manifests,
        evaluations=read_evaluations(path),
        comparisons=checked(Comparison, (manifest or {}).get("comparisons", ()), f"{path / MANIFEST}: comparison"),
        logs={name: _log(path / name / "log.jsonl") for name in ("model", "control")},
        examples=_examples(path / "heldout", examples) if "heldout" in manifests else (),
    )


def read_evaluations(run: Path) -> dict[str, dict[str, Evaluation]]:
    """The complete evaluations of a run folder: by what is measured (in alphabetical order, but `held_out` first), and
    by model. Raises InputError if one of their files is broken.
    """
    folders = {path.parent.name for name in MODELS for path in (run / "evaluation" / name).glob(f"*/{MANIFEST}")}
    found: dict[str, dict[str, Evaluation]] = {}
    for measured in sorted(folders, key=lambda name: (name != "held_out", name)):
        for name in MODELS:
            folder = run / "evaluation" / name / measured
            if (folder / MANIFEST).is_file():
                found.setdefault(measured, {})[name] = read_evaluation(folder)
    return found


def _log(path: Path) -> tuple[LogLine, ...]:
    """The steps that have a loss (a last line with totals has none)."""
    return checked_lines(LogLine, path, having="loss")


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
