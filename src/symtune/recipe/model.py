"""What a recipe says, and everything that can be found wrong with it before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from pydantic import Field, create_model, model_validator

from symtune import config, records, tasks
from symtune.config import Loc, Strict
from symtune.generate import GenerateConfig
from symtune.mixture import RUN_SCHEME, Mixture
from symtune.seeds import digest
from symtune.training import TrainSettings
from symtune.types import InputError, SymtuneError

DATA = "data"  # the folder of the training examples
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"  # of a folder
OF_THE_RUN = {"out", "split", "overwrite", "format", "self_contained"}  # what a recipe does not say of generate


def _taken_by(of: type, name: str, *, optional: bool) -> type[Strict]:
    """A strict model with the fields of the dataclass `of`: a recipe can say what the stage's function takes."""
    hints = get_type_hints(of)
    found: dict[str, Any] = {}
    for field in fields(of):
        if field.name not in OF_THE_RUN:
            kind, default = hints[field.name], ... if field.default is MISSING else field.default
            found[field.name] = (kind | None, None) if optional else (kind, default)
    return create_model(name, __base__=Strict, __module__=__name__, **found)


if TYPE_CHECKING:

    class Step(Strict):
        """One part of the training examples."""

        name: str

    class Generate(Strict):
        """What generation takes."""

        steps: tuple[Step, ...] = ()

    class Heldout(Strict):
        """The same, each with a default."""

        split: Literal["validation", "test"] = "test"

else:

    class Step(_taken_by(GenerateConfig, "Step", optional=True)):
        """One part of the training examples: what is not said here is as in `generate`. It is generated into
        `data/NAME`, from a stream of its own unless it names a seed.
        """

        name: str = Field(pattern=NAME)

    class Generate(_taken_by(GenerateConfig, "Generate", optional=False)):
        """The training examples, in one part or, for a curriculum, in several `steps`."""

        steps: tuple[Step, ...] = ()

    class Heldout(_taken_by(GenerateConfig, "Heldout", optional=True)):
        """The examples to measure with: what is not said here is as in `generate`."""

        split: Literal["validation", "test"] = "test"


class Evaluate(Strict):
    """How the held-out examples are asked."""

    max_new_tokens: int = Field(default=64, gt=0)


class Control(Strict):
    """The control: the same training with the answers shuffled. What is said here is said of the short one: a
    training cut short should still see every part of a curriculum, so its order may be another.
    """

    max_tokens: int | None = Field(default=None, gt=0)
    order: Literal["shuffled", "as_given"] | None = None


class Recipe(Strict):
    """A whole run. `seed` is that of every section that does not name its own."""

    name: str = Field(pattern=NAME)
    seed: int = 0
    model: str | dict[str, Any]
    generate: Generate
    heldout: Heldout = Heldout()
    mix: Mixture
    train: TrainSettings = TrainSettings()
    control: Control | None = None
    evaluate: Evaluate = Evaluate()

    @model_validator(mode="after")
    def _mixes_its_data(self) -> Recipe:
        made = data_names(self)
        if len(set(made)) < len(made):
            raise ValueError("generate.steps: a name is used twice; names must differ")
        mixed = {source.path for source in self.mix.sources}
        for name in made:
            if RUN_SCHEME + name not in mixed:
                raise ValueError(f"mix.sources: none has the path {RUN_SCHEME}{name}, which this run generates")
        return self


def data_names(recipe: Recipe) -> list[str]:
    """The stages that generate training examples: `data`, or `data/NAME` for each step."""
    return [f"{DATA}/{step.name}" for step in recipe.generate.steps] or [DATA]


def shuffled_sources(recipe: Recipe) -> tuple[str, ...]:
    """The sources whose answers the control shuffles: those that the run generates."""
    made = {RUN_SCHEME + name for name in data_names(recipe)}
    return tuple(source.name for source in recipe.mix.sources if source.path in made)


def load(path: Path) -> Recipe:
    """The recipe at `path`, whole and checked: files there, names known. Raises InputError with every fault."""
    recipe = config.load(path, Recipe)
    faults = [config.fault_at(path, loc, message) for loc, message in _faults(recipe, path.parent)]
    if len(faults) == 1:
        raise InputError(faults[0])
    if faults:
        raise InputError(f"{len(faults)} faults: " + "; ".join(faults))
    return recipe


def train_data(recipe: Recipe, base: Path, out: Path) -> list[GenerateConfig]:
    """What the stages of `data_names` generate, in the run folder `out`. Relative paths start at `base`."""
    if not recipe.generate.steps:
        return [_generation(recipe, {"split": "train"}, base, out / DATA)]
    made = []
    for step in recipe.generate.steps:
        own = {"seed": int.from_bytes(digest("step", recipe.seed, step.name)[:4], "big")}
        changes = own | step.model_dump(exclude_unset=True, exclude={"name"}) | {"split": "train"}
        made.append(_generation(recipe, changes, base, out / DATA / step.name))
    return made


def heldout_data(recipe: Recipe, base: Path, out: Path) -> GenerateConfig:
    """What the stage `heldout` generates."""
    return _generation(
        recipe, recipe.heldout.model_dump(exclude_unset=True) | {"split": split(recipe)}, base, out / "heldout"
    )


def split(recipe: Recipe) -> str:
    """The split that is held out."""
    return str(recipe.heldout.split)


def model_of(recipe: Recipe, base: Path) -> str | dict[str, Any]:
    """The model to start from; a folder or file is found from `base`."""
    if isinstance(recipe.model, str) and (base / recipe.model).exists():
        return str(base / recipe.model)
    return recipe.model


def _generation(recipe: Recipe, changes: dict[str, Any], base: Path, out: Path) -> GenerateConfig:
    arguments = {"seed": recipe.seed} | recipe.generate.model_dump(exclude_unset=True, exclude={"steps"}) | changes
    if arguments.get("tables") is not None:
        arguments["tables"] = base / arguments["tables"]
    return GenerateConfig(out=out, **arguments)


def _faults(recipe: Recipe, base: Path) -> Iterator[tuple[Loc, str]]:
    """Faults that the types cannot see, each with its place."""
    said: set[str] = set()  # what `heldout` only takes over from `generate` is said once
    places: list[Loc] = [("generate", "steps", k) for k in range(len(recipe.generate.steps))] or [("generate",)]
    asked = list(zip(places, train_data(recipe, base, base), strict=True))
    for place, config_ in [*asked, (("heldout",), heldout_data(recipe, base, base))]:
        for loc, message in _generation_faults(place, config_):
            if message not in said:
                yield loc, message
            said.add(message)
    made = {RUN_SCHEME + name for name in data_names(recipe)}
    for number, source in enumerate(recipe.mix.sources):
        if source.path in made:
            continue
        place = ("mix", "sources", number, "path")
        if source.path.startswith(RUN_SCHEME):
            yield place, f"got {source.path}; this run has {', '.join(sorted(made))} to mix"
        else:
            yield from _caught(place, lambda path=source.path: records.files(records.find(path, base)))  # type: ignore[misc]
    yield from _caught(("model",), lambda: _check_model(model_of(recipe, base)))


def _generation_faults(place: Loc, asked: GenerateConfig) -> Iterator[tuple[Loc, str]]:
    yield from _caught(place, asked.check)
    yield from _caught((*place, "task"), lambda: tasks.find(asked.task))
    if asked.tables is not None and not asked.tables.exists():
        yield (*place, "tables"), f"{asked.tables}: no such file or folder"


def _check_model(model: str | dict[str, Any]) -> None:
    from symtune.models import check_model

    check_model(model)


def _caught(loc: Loc, check: Callable[[], object]) -> Iterator[tuple[Loc, str]]:
    try:
        check()
    except SymtuneError as error:
        yield loc, str(error)
