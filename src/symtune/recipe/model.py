"""What a recipe says. `symtune.recipe.faults` finds what is wrong with it before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from symtune.config import Strict
from symtune.evaluation.config import Asking
from symtune.generation.config import GenerateConfig, GenerateSettings
from symtune.mixture import RUN_SCHEME, Mixture
from symtune.seeds import digest
from symtune.training import TrainSettings
from symtune.types import Split

DATA, HELDOUT = "data", "heldout"  # the folders of the training examples and of the held-out examples
HELD_OUT = "held_out"  # the benchmark that measures with the latter
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"  # of a folder


class Step(GenerateSettings):
    """One part of the training examples. Its settings default to those of `generate`; it is generated into `data/NAME`,
    from a separate stream unless it sets a seed.
    """

    name: str = Field(pattern=NAME)


class Generate(GenerateSettings):
    """The training examples, in one part or, for a curriculum, in several `steps`."""

    steps: tuple[Step, ...] = ()


class Heldout(GenerateSettings):
    """The held-out examples to measure with. Settings default to those of `generate`."""

    split: Literal["validation", "test"] = "test"


class Measured(Asking):
    """A benchmark to measure with, before and after training. `data` defaults to the run's held-out examples; `name`
    defaults to that of the benchmark.
    """

    name: str = Field(default="", pattern=rf"^$|{NAME}")
    data: Path | None = None

    @property
    def folder(self) -> str:
        """The folder of its evaluations."""
        return self.name or self.benchmark


class Control(Strict):
    """The control: the same training with the answers shuffled. These settings are for the short control, which should
    still see every part of a curriculum and may therefore use another order.
    """

    max_tokens: int | None = Field(default=None, gt=0)
    order: Literal["shuffled", "as_given"] | None = None


class Recipe(Strict):
    """A whole run. `seed` is the seed of every section that does not set one."""

    name: str = Field(pattern=NAME)
    seed: int = 0
    model: str | dict[str, Any]
    generate: Generate
    heldout: Heldout = Heldout()
    mix: Mixture
    train: TrainSettings = TrainSettings()
    control: Control | None = None
    evaluate: tuple[Measured, ...] = (Measured(benchmark=HELD_OUT),)
    before: bool = Field(
        default=True,
        description="Measure the model before training too; arms of a study, which all start from one model, need not.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        made = data_names(self)
        if len(set(made)) < len(made):
            raise ValueError("generate.steps: a name is used twice; names must differ")
        mixed = {source.path for source in self.mix.sources}
        for name in made:
            if RUN_SCHEME + name not in mixed:
                raise ValueError(f"mix.sources: none has the path {RUN_SCHEME}{name}, which this run generates")
        if not self.evaluate:
            raise ValueError("evaluate: the list is empty; name a benchmark, or leave evaluate out for held_out")
        folders = [measured.folder for measured in self.evaluate]
        if len(set(folders)) < len(folders):
            raise ValueError("evaluate: two entries have the same name; give one of them another `name`")
        return self


def data_names(recipe: Recipe) -> list[str]:
    """The stages that generate training examples: `data`, or `data/NAME` for each step."""
    return [f"{DATA}/{step.name}" for step in recipe.generate.steps] or [DATA]


def shuffled_sources(recipe: Recipe) -> tuple[str, ...]:
    """The sources whose answers the control shuffles: those that the run generates."""
    made = {RUN_SCHEME + name for name in data_names(recipe)}
    return tuple(source.name for source in recipe.mix.sources if source.path in made)


def train_data(recipe: Recipe, base: Path, out: Path) -> list[GenerateConfig]:
    """What the stages of `data_names` generate, in the run folder `out`. Paths are relative to `base`."""
    if not recipe.generate.steps:
        return [_generation(recipe, {}, "train", base, out / DATA)]
    made = []
    for step in recipe.generate.steps:
        own = {"seed": int.from_bytes(digest("step", recipe.seed, step.name)[:4], "big")}
        changes = own | step.model_dump(exclude_unset=True, exclude={"name"})
        made.append(_generation(recipe, changes, "train", base, out / DATA / step.name))
    return made


def heldout_data(recipe: Recipe, base: Path, out: Path) -> GenerateConfig:
    """What the stage `heldout` generates."""
    said = recipe.heldout.model_dump(exclude_unset=True, exclude={"split"})
    return _generation(recipe, said, recipe.heldout.split, base, out / HELDOUT)


def model_of(recipe: Recipe, base: Path) -> str | dict[str, Any]:
    """The model to start from; the path of a folder or file, and of a new model's tokenizer, is relative to `base`."""
    if isinstance(recipe.model, str):
        return _from(base, recipe.model)
    tokenizer = recipe.model.get("tokenizer")
    return recipe.model | ({"tokenizer": _from(base, tokenizer)} if isinstance(tokenizer, str) else {})


def data_of(measured: Measured, base: Path, out: Path) -> Path:
    """The data to measure with: by default, the held-out examples of the run folder `out`."""
    return out / HELDOUT if measured.data is None else base / measured.data


def own_tasks(configs: Sequence[GenerateConfig]) -> list[str]:
    """The files of the user's own tasks among those that are generated, each once."""
    return list(dict.fromkeys(name for config in configs for name in config.task if name.endswith(".py")))


def _generation(recipe: Recipe, changes: Mapping[str, Any], split: Split, base: Path, out: Path) -> GenerateConfig:
    said = recipe.generate.model_dump(exclude_unset=True, exclude={"steps"})
    options = {**said.get("options", {}), **changes.get("options", {})}
    arguments = {"seed": recipe.seed} | said | dict(changes) | ({"options": options} if options else {})
    if arguments.get("tables") is not None:
        arguments["tables"] = base / arguments["tables"]
    if arguments.get("tokenizer") is not None:
        arguments["tokenizer"] = _from(base, arguments["tokenizer"])
    if "task" in arguments:
        arguments["task"] = tuple(str(base / name) if name.endswith(".py") else name for name in arguments["task"])
    if "exclude_tables" in arguments:
        arguments["exclude_tables"] = tuple(str(base / spec) for spec in arguments["exclude_tables"])
    return GenerateConfig(out=out, split=split, **arguments)


def _from(base: Path, name: str) -> str:
    """A name that may be the path of a file or folder, relative to `base`."""
    return str(base / name) if (base / name).exists() else name
