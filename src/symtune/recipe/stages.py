"""The stages of a recipe: each is one call of the function behind a verb."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from symtune import benchmarks, dataset, records
from symtune.evaluate import evaluate
from symtune.generate import GenerateConfig, generate
from symtune.mixture import RUN_SCHEME, mix
from symtune.output import sha256, versions
from symtune.recipe.model import Recipe, data_names, heldout_data, model_of, shuffled_sources, split, train_data
from symtune.recipe.runner import Advance, Stage
from symtune.training import StepLog, TrainConfig, TrainSettings, train
from symtune.types import LeakError

ControlLength = Literal["short", "full"]
BENCHMARK = "sql_execution"

# Guesses on two CPU cores with a model of 135M parameters; the board corrects them as it goes.
EXAMPLES_PER_SECOND = 400.0
TOKENS_PER_SECOND = 170.0
QUESTIONS_PER_SECOND = 3.0
LOAD_SECONDS = 8.0
TOKENS_GUESSED = 100_000  # of a training without max_tokens


def stages(recipe: Recipe, base: Path, out: Path, control: ControlLength = "short") -> list[Stage]:
    """The stages of the recipe in the run folder `out`, in order. Relative paths of the recipe start at `base`."""
    asked = train_data(recipe, base, out)
    parts = [_generation(asked[k], name) for k, name in enumerate(data_names(recipe))]
    found = [*parts, _heldout(recipe, base, out), _mix(recipe, base, out)]
    found += [_evaluation(recipe, base, out, "before"), _train(recipe, base, out, "model", _settings(recipe))]
    found.append(_evaluation(recipe, base, out, "after"))
    if recipe.control is not None:
        settings = _control_settings(recipe, control)
        found += [_train(recipe, base, out, "control", settings), _evaluation(recipe, base, out, "control")]
    return found


def _heldout(recipe: Recipe, base: Path, out: Path) -> Stage:
    return _generation(heldout_data(recipe, base, out), "heldout", apart_from=data_names(recipe), run=out)


def _generation(asked: GenerateConfig, name: str, *, apart_from: Sequence[str] = (), run: Path = Path()) -> Stage:
    def work(folder: Path, advance: Advance) -> str:
        measure = None
        if asked.tokenizer is not None:
            from symtune.models import TokenizerMeasure

            measure = partial(TokenizerMeasure, asked.tokenizer)
        manifest = generate(asked, measure=measure, progress=advance)
        for other in apart_from:
            _check_apart(run / other, folder)
        short = f" of {asked.n:,} asked for: there are no more" if manifest["exhausted"] else ""
        return f"{manifest['examples']:,} examples{short}"

    arguments = _plain(asked) | {"tables_sha256": _digest(asked.tables) if asked.tables else "bundled"}
    what = "training examples" if asked.split == "train" else f"{asked.split} examples, on other tables"
    part = name.partition("/")[2]
    title = f"generate {what}" + (f": {part}" if part else "")
    return Stage(name, title, arguments, tuple(apart_from), 2 + asked.n / EXAMPLES_PER_SECOND, work)


def _check_apart(data: Path, heldout: Path) -> None:
    """Raise LeakError where held-out examples show a table, or a prompt, of the training examples."""
    both = dataset.contents(data) & dataset.contents(heldout)
    if both:
        raise LeakError(f"{heldout}: {len(both)} of its tables are in {data} too; give other tables or splits")
    prompts = {row["prompt"] for row in dataset.read_rows(heldout, columns=["prompt"])}
    shared = sum(row["prompt"] in prompts for row in dataset.read_rows(data, columns=["prompt"]))
    if shared:
        raise LeakError(f"{heldout}: {shared} of its prompts are in {data} too; give another seed or other tables")


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


def _evaluation(recipe: Recipe, base: Path, out: Path, name: str) -> Stage:
    trained = {"after": "model", "control": "control"}.get(name)
    model = model_of(recipe, base) if trained is None else str(out / trained)

    def work(folder: Path, advance: Advance) -> str:
        from symtune.models import device, generator, load

        benchmark = benchmarks.find(BENCHMARK)
        examples = benchmark.load(out / "heldout", split(recipe))
        loaded = load(model)
        new = recipe.evaluate.max_new_tokens
        results = evaluate(
            benchmark,
            examples,
            generator(loaded, max_new_tokens=new),
            split=split(recipe),
            out=folder,
            measure=loaded.measure,
            room=loaded.prompt_room(new),
            arguments={"benchmark": BENCHMARK, "model": loaded.name, **recipe.evaluate.model_dump(mode="json")},
            facts={"model": loaded.facts()},
            run={"device": str(device())},
            progress=advance,
        )
        whole = results[0]
        return f"{whole.score:.1%} right of {whole.n:,}"

    asked = recipe.heldout.model_dump().get("n") or recipe.generate.model_dump()["n"]
    arguments = recipe.evaluate.model_dump(mode="json") | {"model": recipe.model if trained is None else trained}
    follows = ("heldout", *([trained] if trained else []))
    title = {"before": "measure before", "after": "measure after", "control": "measure the control"}[name]
    seconds = LOAD_SECONDS + asked / QUESTIONS_PER_SECOND
    return Stage(f"evaluation/{name}", title, arguments, follows, seconds, work, apart=True)


def _settings(recipe: Recipe) -> TrainSettings:
    if "seed" in recipe.train.model_fields_set:
        return recipe.train
    return recipe.train.model_copy(update={"seed": recipe.seed})


def _control_settings(recipe: Recipe, length: ControlLength) -> TrainSettings:
    changes: dict[str, Any] = {"shuffle_answers": shuffled_sources(recipe)}
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
    return Stage(name, title, arguments, ("mix",), seconds, work, apart=True)


def _plain(asked: GenerateConfig) -> dict[str, Any]:
    """The arguments of a generation, but for those that do not decide its bytes."""
    left_out = {"out", "overwrite", "workers", "tables"}
    values = {name: getattr(asked, name) for name in asked.__dataclass_fields__ if name not in left_out}
    return values | {"symtune": versions()["symtune"]}


def _digest(path: Path) -> str:
    """One digest of a file, or of all files of a folder, with their names."""
    if path.is_file():
        return sha256(path)
    listed = [f"{sha256(file)}  {file.relative_to(path)}\n" for file in sorted(path.rglob("*")) if file.is_file()]
    return hashlib.sha256("".join(listed).encode("utf-8", "surrogateescape")).hexdigest()
