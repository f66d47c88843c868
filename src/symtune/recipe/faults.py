"""Reads a recipe and checks all of it: finds whatever can be found wrong with it before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from symtune import benchmarks, config, records
from symtune.config import Loc
from symtune.evaluation import prepare
from symtune.generation.config import GenerateConfig, asked
from symtune.mixture import RUN_SCHEME
from symtune.models import check_model
from symtune.recipe.model import (
    HELD_OUT,
    Measured,
    Recipe,
    data_names,
    heldout_data,
    model_of,
    own_tasks,
    train_data,
)
from symtune.tasks import find_all
from symtune.types import InputError, SymtuneError


def load(path: Path) -> Recipe:
    """The recipe at `path`, fully checked. Raises InputError with every fault."""
    recipe = config.load(path, Recipe)
    faults = [config.fault_at(path, loc, message) for loc, message in _faults(recipe, path.parent)]
    if len(faults) == 1:
        raise InputError(faults[0])
    if faults:
        raise InputError(f"{len(faults)} errors: " + "; ".join(faults))
    return recipe


def _faults(recipe: Recipe, base: Path) -> Iterator[tuple[Loc, str]]:
    """Faults that the types cannot detect, each with its place."""
    said: set[str] = set()  # a fault that `heldout` merely inherits from `generate` is reported once
    places: list[Loc] = [("generate", "steps", k) for k in range(len(recipe.generate.steps))] or [("generate",)]
    made = train_data(recipe, base, base)
    held_out = heldout_data(recipe, base, base)
    for place, made_so in [*zip(places, made, strict=True), (("heldout",), held_out)]:
        for loc, message in _of_generation(place, made_so):
            if message not in said:
                yield loc, message
            said.add(message)
    yield from _of_mixture(recipe, base)
    yield from _caught(("model",), lambda: check_model(model_of(recipe, base)))
    tasks = [] if said else own_tasks([*made, held_out])
    for number, measured in enumerate(recipe.evaluate):
        yield from _of_measured(("evaluate", number), measured, recipe, base, tasks)


def _of_generation(place: Loc, made: GenerateConfig) -> Iterator[tuple[Loc, str]]:
    if made.tables is not None and not made.tables.exists():
        yield (*place, "tables"), f"{made.tables}: no such file or folder"
    unknown = list(_caught((*place, "task"), lambda: find_all(made.task)))
    yield from unknown or _caught(place, lambda: asked(made))


def _of_mixture(recipe: Recipe, base: Path) -> Iterator[tuple[Loc, str]]:
    made = {RUN_SCHEME + name for name in data_names(recipe)}
    for number, source in enumerate(recipe.mix.sources):
        if source.path in made:
            continue
        place = ("mix", "sources", number, "path")
        if source.path.startswith(RUN_SCHEME):
            yield place, f"got {source.path}; this run has {', '.join(sorted(made))} to mix"
        else:
            yield from _caught(place, lambda path=source.path: records.files(records.find(path, base)))  # type: ignore[misc]


def _of_measured(
    place: Loc, measured: Measured, recipe: Recipe, base: Path, tasks: Sequence[str]
) -> Iterator[tuple[Loc, str]]:
    unknown = list(_caught((*place, "benchmark"), lambda: benchmarks.find(measured.benchmark)))
    if unknown:
        yield from unknown
    elif measured.data is not None:
        yield from _caught(place, lambda: _try(measured, base / measured.data, tasks))  # type: ignore[operator]
    elif measured.benchmark != HELD_OUT:
        yield place, f"no data; wanted the folder of its official release (a run generates data only for {HELD_OUT})"
    elif measured.split not in (None, recipe.heldout.split):
        yield (*place, "split"), f"got {measured.split!r}; this run holds out {recipe.heldout.split}"


def _try(measured: Measured, data: Path, tasks: Sequence[str]) -> None:
    """Prepare a single question, which reveals everything that is wrong."""
    asks = benchmarks.find(measured.benchmark).asks_tasks
    prepare(measured.model_copy(update={"limit": 1}), data, tasks if asks else ())


def _caught(loc: Loc, check: Callable[[], Any]) -> Iterator[tuple[Loc, str]]:
    try:
        check()
    except SymtuneError as error:
        yield loc, str(error)
