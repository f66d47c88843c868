"""A recipe for the paper's release: its data layout, its training command, its inference on the test files.

    published = load(Path("recipes/tapex-zero-large.yaml"))
    run(published, Path("recipes/tapex-zero-large.yaml"), Path("runs/tapex-zero-large"), watching)

`dataset` holds the settings of `symtune build-dataset`, `train` those of `train_model.py`, `launch` the command that
starts it, and `infer` the settings of `infer_model.py`. The run folder holds `data/`, `model/` and `outputs/`. An
interrupted run resumes, the training from its newest complete checkpoint.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from symtune import config, published
from symtune.config import Strict
from symtune.output import MANIFEST, sha256, versions, write_manifest
from symtune.published.config import BuildConfig
from symtune.published.layout import build
from symtune.recipe.child import Advance
from symtune.recipe.model import NAME
from symtune.recipe.runner import RECIPE, Stage, Watch, check_stages, run_stages
from symtune.types import InputError, need
from symtune.workers import free_port

PORTS = {"deepspeed": "--master_port", "accelerate": "--main_process_port"}  # launcher -> the flag for its port
PATHS = ("tables", "flan", "benchmarks")  # settings of `dataset` that are paths, relative to the recipe
EXAMPLES_PER_SECOND, QUESTIONS_PER_SECOND, SECONDS_A_STEP = 2_000.0, 3.0, 10.0
STEPS_GUESSED, QUESTIONS_GUESSED = 20_000, 5_000

Argument = str | int | float | bool


class PublishedRecipe(Strict):
    """All stages of the paper's release. `scale` names the test files that the trained model answers."""

    name: str = Field(pattern=NAME)
    scale: str
    dataset: dict[str, Any]
    launch: tuple[str, ...] = ()
    train: dict[str, Argument]
    infer: dict[str, Argument] = Field(default={})


def is_published(path: Path) -> bool:
    """Whether a recipe is for the paper's release."""
    try:
        found = yaml.safe_load(path.read_text("utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return False  # the reader of ordinary recipes reports what is wrong
    return isinstance(found, dict) and "dataset" in found


def load(path: Path) -> PublishedRecipe:
    """The recipe. Raises InputError with every fault found."""
    recipe = config.load(path, PublishedRecipe)
    _build_config(recipe, path.parent, Path("data"))
    for name in ("output_dir", "dataset_name"):
        if name in recipe.train:
            raise InputError(f"{path}: train.{name}: the run sets this; leave it out")
    return recipe


def run(
    recipe: PublishedRecipe,
    path: Path,
    out: Path,
    watching: Callable[[list[Stage]], AbstractContextManager[Watch]],
    *,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Run every stage into the run folder `out`; returns the scores of the test files."""
    need("datasets", "published", "the published line")
    planned = [_data(recipe, path.parent, out), _train(recipe, path.parent, out), _infer(recipe, out)]
    check_stages(planned, out, overwrite=overwrite)
    with watching(planned) as watch:
        out.mkdir(parents=True, exist_ok=True)
        if path.resolve() != (out / RECIPE).resolve():
            (out / RECIPE).write_bytes(path.read_bytes())
        run_stages(planned, out, watch, overwrite=overwrite)
    scores: dict[str, Any] = json.loads((out / "outputs" / MANIFEST).read_text("utf-8"))["scores"]
    body = {
        "stages": [stage.name for stage in planned],
        "scores": scores,
        "versions": versions("torch", "transformers"),
    }
    repeat = shlex.join(["symtune", "run", str(path), "--out", str(out)])
    write_manifest(out, "run", {"recipe": recipe.name}, body, {"repeat": repeat})
    return scores


def _build_config(recipe: PublishedRecipe, base: Path, out: Path) -> BuildConfig:
    said = dict(recipe.dataset)
    for name in PATHS:
        if isinstance(said.get(name), str) and (base / said[name]).exists():
            said[name] = str(base / said[name])
    return BuildConfig.of({"scales": (recipe.scale,), **said, "out": out}, lambda name: f"dataset.{name}")


def _data(recipe: PublishedRecipe, base: Path, out: Path) -> Stage:
    asked = _build_config(recipe, base, out / "data")

    def work(folder: Path, advance: Advance) -> str:
        manifest = build(asked, progress=advance)
        return f"{sum(manifest['rows'].values()):,} rows, {len(manifest['missing'])} parts missing"

    stated = asked.model_dump(mode="json", exclude={"out", "overwrite", "workers"})
    return Stage("data", "build the data set", stated, (), asked.sql_n / EXAMPLES_PER_SECOND, work)


def _train(recipe: PublishedRecipe, base: Path, out: Path) -> Stage:
    script = str(Path(published.__file__).with_name("train.py"))

    def work(folder: Path, advance: Advance) -> str:
        working = folder.with_name(f".{folder.name}.working")  # from which it resumes
        data = {"dataset_name": str(out / "data"), "output_dir": str(working)}
        command = [*_launcher(recipe, base), script, *_flags({**recipe.train, **data}, base)]
        with (out / "model.log").open("a") as log:
            done = subprocess.run(command, stdout=log, stderr=log, check=False)
        if done.returncode:
            lines = (out / "model.log").read_text(errors="replace").strip().splitlines() or [""]
            said = next((line for line in reversed(lines) if line.startswith("train_model.py: ")), lines[-1])
            raise InputError(f"{said} ({out / 'model.log'} has the full output)")
        manifest = json.loads((working / MANIFEST).read_text("utf-8"))
        working.rename(folder)
        return ", ".join(f"{name} {manifest['metrics'][name]:.3f}" for name in manifest["metrics"] if "loss" in name)

    arguments = {"launch": list(recipe.launch), **recipe.train}
    seconds = float(recipe.train.get("max_steps", STEPS_GUESSED)) * SECONDS_A_STEP
    return Stage("model", "train", arguments, ("data",), seconds, work)


def _launcher(recipe: PublishedRecipe, base: Path) -> list[str]:
    if not recipe.launch:
        return [sys.executable]
    program = Path(sys.executable).with_name(recipe.launch[0])
    words = [_found(base, word) for word in recipe.launch[1:]]
    flag = PORTS.get(recipe.launch[0])
    if flag and flag not in words:  # otherwise two runs on one machine would want the same port
        place = 1 if words[:1] == ["launch"] else 0
        words[place:place] = [flag, str(free_port())]
    return [str(program if program.is_file() else recipe.launch[0]), *words]


def _found(base: Path, word: str) -> str:
    """A word that may be the path of a file, relative to the recipe."""
    return str(base / word) if "/" in word and (base / word).exists() else word


def _flags(arguments: Mapping[str, Argument], base: Path) -> list[str]:
    return [word for name, value in arguments.items() for word in (f"--{name}", _found(base, str(value)))]


def _infer(recipe: PublishedRecipe, out: Path) -> Stage:
    def work(folder: Path, advance: Advance) -> str:
        from symtune.published.infer import run as infer

        files = sorted((out / "data" / "test").glob(f"*_tapex_{recipe.scale}.json"))
        scores = {}
        for number, file in enumerate(files):
            said = {"model_name": str(out / "model"), "data_file": str(file), "output_dir": str(folder), **recipe.infer}
            found = infer(_flags(said, Path()))
            scores[file.name] = {name: found[name] for name in ("score", "interval", "n", "cut")}
            advance(number + 1, len(files))
        folder.mkdir(exist_ok=True)
        written = {path.name: sha256(path) for path in sorted(folder.glob("*.json"))}
        write_manifest(folder, "infer", dict(recipe.infer), {"scores": scores, "sha256": written}, {})
        return f"{len(files)} test files"

    seconds = QUESTIONS_GUESSED / QUESTIONS_PER_SECOND
    return Stage("outputs", "answer the test files", dict(recipe.infer), ("data", "model"), seconds, work, apart=True)
