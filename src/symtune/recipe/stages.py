"""The stages of a recipe: each is one call of the function behind a verb."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from symtune import benchmarks, dataset, records
from symtune.evaluation import evaluate, prepare
from symtune.generation import GenerateConfig, generate
from symtune.mixture import RUN_SCHEME, mix
from symtune.models import open_model, tokenizer_measure
from symtune.output import sha256, versions
from symtune.recipe.model import (
    HELDOUT,
    Measured,
    Recipe,
    data_names,
    data_of,
    heldout_data,
    model_of,
    own_tasks,
    shuffled_sources,
    train_data,
)
from symtune.recipe.runner import Advance, Stage
from symtune.training import StepLog, TrainConfig, TrainSettings, train
from symtune.types import LeakError

ControlLength = Literal["short", "full"]
MEASURED = {"before": "measure before", "after": "measure after", "control": "measure the control"}
TRAINED = {
    "after": "model",
    "control": "control",
}  # stage whose model is measured; before: the one to start from

# Estimates for two CPU cores and a model of 135M parameters; the board corrects them as work is done.
EXAMPLES_PER_SECOND = 400.0
TOKENS_PER_SECOND = 170.0
QUESTIONS_PER_SECOND = 3.0
LOAD_SECONDS = 8.0
TOKENS_GUESSED = 100_000  # in a training without max_tokens
QUESTIONS_GUESSED = 1_000  # in a benchmark without limit


def stages(recipe: Recipe, base: Path, out: Path, control: ControlLength = "short") -> list[Stage]:
    """The stages of the recipe in the run folder `out`, in order. Paths in the recipe are relative to `base`."""
    asked = train_data(recipe, base, out)
    parts = [_generation(asked[k], name) for k, name in enumerate(data_names(recipe))]
    found = [*parts, _heldout(recipe, base, out), _mix(recipe, base, out)]
    if recipe.before:
        found += _evaluations(recipe, base, out, "before")
    found.append(_train(recipe, base, out, "model", _settings(recipe)))
    found += _evaluations(recipe, base, out, "after")
    if recipe.control is not None:
        settings = _control_settings(recipe, control)
        found += [_train(recipe, base, out, "control", settings), *_evaluations(recipe, base, out, "control")]
    return found


def own_files(recipe: Recipe, base: Path) -> list[str]:
    """The files of the user's own tasks from which the recipe generates examples."""
    return own_tasks([*train_data(recipe, base, base), heldout_data(recipe, base, base)])


def _heldout(recipe: Recipe, base: Path, out: Path) -> Stage:
    return _generation(heldout_data(recipe, base, out), HELDOUT, apart_from=data_names(recipe), run=out)


def _generation(asked: GenerateConfig, name: str, *, apart_from: Sequence[str] = (), run: Path = Path()) -> Stage:
    def work(folder: Path, advance: Advance) -> str:
        measure = None
        if asked.tokenizer is not None:
            measure = partial(tokenizer_measure, asked.tokenizer)
        manifest = generate(asked, measure=measure, progress=advance)
        for other in apart_from:
            _check_apart(run / other, folder)
        short = f" of {asked.n:,} requested: there are no more" if manifest["exhausted"] else ""
        return f"{manifest['examples']:,} examples{short}"

    what = "training examples" if asked.split == "train" else f"{asked.split} examples"
    part = name.partition("/")[2]
    title = f"generate {what}" + (f": {part}" if part else "")
    return Stage(name, title, _stated(asked), tuple(apart_from), 2 + asked.n / EXAMPLES_PER_SECOND, work)


def _check_apart(data: Path, heldout: Path) -> None:
    """Raise LeakError if held-out examples show a table, or a prompt, of the training examples."""
    both = dataset.contents(data) & dataset.contents(heldout)
    if both:
        raise LeakError(f"{heldout}: {len(both)} of its tables are in {data} too; choose other tables or splits")
    prompts = {row["prompt"] for row in dataset.read_rows(heldout, columns=["prompt"])}
    shared = sum(row["prompt"] in prompts for row in dataset.read_rows(data, columns=["prompt"]))
    if shared:
        raise LeakError(f"{heldout}: {shared} of its prompts are in {data} too; choose another seed or other tables")


def _mix(recipe: Recipe, base: Path, out: Path) -> Stage:
    mixture = recipe.mix
    if "seed" not in mixture.model_fields_set:
        mixture = mixture.model_copy(update={"seed": recipe.seed})

    def work(folder: Path, advance: Advance) -> str:
        shares = mix(mixture, folder, base=base, run=out)
        return ", ".join(f"{share.records:,} {share.name}" for share in shares)

    inputs = {
        source.name: [sha256(file) for file in records.files(records.find(source.path, base))]
        for source in mixture.sources
        if not source.path.startswith(RUN_SCHEME)
    }
    arguments = mixture.model_dump(mode="json") | {"inputs_sha256": inputs}
    return Stage("mix", "mix", arguments, tuple(data_names(recipe)), 2.0, work)


def _evaluations(recipe: Recipe, base: Path, out: Path, name: str) -> list[Stage]:
    """The stages that measure one model with every benchmark."""
    return [_evaluation(recipe, measured, base, out, name) for measured in recipe.evaluate]


def _evaluation(recipe: Recipe, measured: Measured, base: Path, out: Path, name: str) -> Stage:
    trained = TRAINED.get(name)
    model = model_of(recipe, base) if trained is None else str(out / trained)
    data = data_of(measured, base, out)
    tasks = own_files(recipe, base) if benchmarks.find(measured.benchmark).asks_tasks else []
    arguments = measured.model_dump(mode="json", exclude={"data", "name"})
    arguments |= {"model": recipe.model if trained is None else trained}

    def work(folder: Path, advance: Advance) -> str:
        exam = prepare(measured, data, tasks)
        loaded = open_model(model, batch_tokens=measured.batch_tokens)
        # Completions that another recipe left unfinished are of no use: the stages before them have changed.
        results = evaluate(exam, loaded, folder, arguments=arguments, progress=advance, overwrite=True)
        whole = results[0]
        if whole.score is None:
            return f"{whole.n:,} questions, {whole.notes['release']}"
        return f"{whole.score:.1%} right of {whole.n:,}"

    inputs = {Path(task).name: sha256(Path(task)) for task in tasks}
    if measured.data is not None:
        inputs["data"] = _digest(data)
    asked = heldout_data(recipe, base, out).n if measured.data is None else QUESTIONS_GUESSED
    return Stage(
        f"evaluation/{name}/{measured.folder}",
        MEASURED[name] + (f": {measured.folder}" if len(recipe.evaluate) > 1 else ""),
        arguments | {"inputs_sha256": inputs},
        (*([HELDOUT] if measured.data is None else []), *([trained] if trained else [])),
        LOAD_SECONDS + min(asked, measured.limit or asked) / QUESTIONS_PER_SECOND,
        work,
        apart=True,
        kind=measured.folder,
    )


def _settings(recipe: Recipe) -> TrainSettings:
    if "seed" in recipe.train.model_fields_set:
        return recipe.train
    return recipe.train.model_copy(update={"seed": recipe.seed})


def _control_settings(recipe: Recipe, length: ControlLength) -> TrainSettings:
    changes: dict[str, Any] = {"shuffle_answers": shuffled_sources(recipe), "snapshots": 0}
    if length == "short" and recipe.control is not None:
        changes |= recipe.control.model_dump(exclude_none=True)
    return _settings(recipe).model_copy(update=changes)


def _train(recipe: Recipe, base: Path, out: Path, name: str, settings: TrainSettings) -> Stage:
    config = TrainConfig(
        model=model_of(recipe, base), data=out / "mix", out=out / name, **settings.model_dump(exclude_unset=False)
    )

    def work(folder: Path, advance: Advance) -> str:
        budget = settings.max_tokens

        def on_step(log: StepLog) -> None:
            if budget:
                advance(log.tokens, budget)
            else:
                advance(log.step, log.steps)

        report = train(config, on_step=on_step, quiet=True)
        return f"{report.tokens:,} tokens, loss {report.first_loss:.2f} to {report.last_loss:.2f}"

    title = "train" if name == "model" else "train the control"
    seconds = LOAD_SECONDS + (settings.max_tokens or TOKENS_GUESSED) / TOKENS_PER_SECOND
    arguments = {"model": recipe.model, **settings.model_dump(mode="json")} | versions("torch", "transformers")
    return Stage(name, title, arguments, ("mix",), seconds, work, apart=True, kind="train")


def _stated(asked: GenerateConfig) -> dict[str, Any]:
    """Everything that affects the bytes of a generation: arguments, and the contents of the files that they name."""
    left_out = {"out", "overwrite", "workers", "tables"}
    stated = asked.model_dump(mode="json", exclude=left_out) | {"symtune": versions()["symtune"]}
    stated["task"] = [Path(name).name if name.endswith(".py") else name for name in asked.task]
    stated["tasks_sha256"] = {Path(name).name: sha256(Path(name)) for name in own_tasks([asked])}
    stated["tables_sha256"] = _digest(asked.tables) if asked.tables else "bundled"
    return stated


def _digest(path: Path) -> str:
    """One digest of a file, or of all files of a folder, with their names."""
    if path.is_file():
        return sha256(path)
    listed = [f"{sha256(file)}  {file.relative_to(path)}\n" for file in sorted(path.rglob("*")) if file.is_file()]
    return hashlib.sha256("".join(listed).encode("utf-8", "surrogateescape")).hexdigest()
