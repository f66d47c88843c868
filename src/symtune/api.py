"""The verbs as plain Python functions: `symtune.generate(…)` and the others. docs/python.md shows them in use.

Settings have the names of the flags, with _ for -. An invalid setting raises a `symtune.types.SymtuneError` with a
one-line message, before any work is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from symtune import config, dataset, reporting, training
from symtune import mixture as mixtures
from symtune.benchmarks import find as find_benchmark
from symtune.evaluation import (
    EvaluateConfig,
    SelectConfig,
    candidates,
    check_splits,
    prepare,
    read_selection,
    select,
)
from symtune.evaluation import evaluate as run_evaluation
from symtune.evaluation.comparing import SideBySide
from symtune.evaluation.comparing import compare as compare_evaluations
from symtune.evaluation.scoring import Scored, by_benchmark, by_metric, score_file
from symtune.evaluation.selection import Selection
from symtune.generation import GenerateConfig
from symtune.generation import generate as run_generation
from symtune.mixture import Mixture, Share
from symtune.models import ModelSpec, open_model, tokenizer_measure
from symtune.output import check_writable
from symtune.tasks import Known
from symtune.training import StepLog, TrainConfig, TrainReport
from symtune.types import Example, InputError, Result

AnyPath = str | PathLike[str]
Progress = Callable[[int, int], None]  # (done, of)


def generate(
    out: AnyPath,
    *,
    task: str | Sequence[str] = "sql_execution",
    n: int = 1000,
    seed: int = 0,
    split: str = "train",
    tables: AnyPath | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Write n verified examples of one or several tasks to the data set folder `out`, and return its manifest.

    `options` are those of the task (`symtune tasks show NAME`), `settings` the other fields of
    `symtune.generation.GenerateConfig`. Raises InputError, OutputError or another SymtuneError.
    """
    said = {"out": out, "task": task, "n": n, "seed": seed, "split": split, "options": options or {}, **settings}
    asked = GenerateConfig.of(said | ({} if tables is None else {"tables": tables}))
    measure = partial(tokenizer_measure, asked.tokenizer) if asked.tokenizer else None
    return run_generation(asked, measure=measure, progress=progress)


def load(data: AnyPath, split: str | None = None, *, tasks: Sequence[str] = ()) -> Iterator[Example]:
    """The examples of a data set folder, a parquet file or a jsonl file, in order: fields, answer and traits, which the
    task can execute or prompt again. `tasks`: files of your own tasks that the data names.

    Raises InputError for anything that is not an example, and for an unknown task.
    """
    known = Known(tasks)
    for line in dataset.lines(Path(data), split):
        yield dataset.example_of(known[str(line.row.get("task", ""))], line)


def mix(
    mixture: AnyPath | Mapping[str, Any] | Mixture, out: AnyPath, *, base: AnyPath = ".", overwrite: bool = False
) -> list[Share]:
    """Write the training set folder `out`, and return what became of each source. The mixture is a YAML file, whose
    paths are relative to the file, or the equivalent mapping, whose paths are relative to `base`.
    """
    if isinstance(mixture, Mapping):
        mixture = Mixture.of(mixture)
    elif not isinstance(mixture, Mixture):
        base, mixture = Path(mixture).parent, config.load(Path(mixture), Mixture)
    return mixtures.mix(mixture, Path(out), base=Path(base), overwrite=overwrite)


def train(
    model: ModelSpec,
    data: AnyPath,
    out: AnyPath,
    *,
    on_step: Callable[[StepLog], None] | None = None,
    quiet: bool = True,
    **settings: Any,
) -> TrainReport:
    """Train a model on a training set or data set folder, and write the checkpoint folder `out`. `settings` are the
    fields of `symtune.training.TrainSettings`. Needs the extra `train`.
    """
    said = {"model": model, "data": Path(data), "out": Path(out), **settings}
    return training.train(TrainConfig.of(said), on_step=on_step, quiet=quiet)


def evaluate(
    benchmark: str,
    model: ModelSpec,
    data: AnyPath,
    out: AnyPath,
    *,
    tasks: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> list[Result]:
    """Score a model on a benchmark, write the evaluation folder `out` and return the results, that of the whole
    benchmark first. `tasks`: files of your own tasks that the data names; `settings` are the other fields of
    `symtune.evaluation.EvaluateConfig`. Needs the extra `train` if the model runs on this machine.
    """
    said = {"benchmark": benchmark, "model": str(model), "data": data, "out": out, "task": tuple(tasks), **settings}
    asked = EvaluateConfig.of(said)
    check_writable(asked.out, overwrite=asked.overwrite)
    check_splits(model, asked.data)
    selection = read_selection(asked.prompt_from) if asked.prompt_from else None
    exam = prepare(asked, asked.data, asked.task, selection=selection)
    arguments = {**asked.model_dump(mode="json", exclude={"out", "overwrite"}), "split": exam.split}
    loaded = open_model(model, batch_tokens=asked.batch_tokens)
    return run_evaluation(exam, loaded, asked.out, arguments=arguments, progress=progress, overwrite=asked.overwrite)


def select_prompt(
    benchmark: str,
    model: ModelSpec,
    data: AnyPath,
    out: AnyPath,
    *,
    tasks: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> Selection:
    """Score each prompt template of a benchmark on validation, choose one for the model, write the selection file `out`
    and return what it holds; `evaluate(…, prompt_from=out)` then asks the test split. `settings` are the other fields
    of `symtune.evaluation.SelectConfig`.
    """
    said = {"benchmark": benchmark, "model": str(model), "data": data, "out": out, "task": tuple(tasks), **settings}
    asked = SelectConfig.of(said)
    check_writable(asked.out, overwrite=asked.overwrite)
    check_splits(model, asked.data)
    exams = candidates(asked)
    return select(exams, open_model(model, batch_tokens=asked.batch_tokens), asked, progress=progress)


def score(
    file: AnyPath,
    out: AnyPath,
    *,
    metric: str | None = None,
    benchmark: str | None = None,
    data: AnyPath | None = None,
    split: str | None = None,
    tasks: Sequence[str] = (),
    overwrite: bool = False,
) -> Scored:
    """Score stored predictions by a metric, or as a benchmark does, and write them to `out`, each with its verdict."""
    if (metric is None) == (benchmark is None):
        raise InputError("score by either a metric or a benchmark: name one of the two")
    if metric is not None:
        if data is not None or split is not None or tasks:
            raise InputError("data, split and tasks go with a benchmark; a metric uses no data")
        return score_file(Path(file), Path(out), by_metric(metric), overwrite=overwrite)
    found = find_benchmark(str(benchmark), tasks)
    if data is None and split is not None:
        raise InputError("split is a split of the data; give data too")
    questions = None if data is None else found.load(Path(data), found.split(Path(data), split))
    return score_file(Path(file), Path(out), by_benchmark(found, questions), overwrite=overwrite)


def compare(first: AnyPath, second: AnyPath) -> SideBySide:
    """Compare two evaluations of the same items, each a folder or a file of scored lines."""
    return compare_evaluations(Path(first), Path(second))


def report(run: AnyPath, out: AnyPath | None = None, *, tasks: Sequence[str] = (), overwrite: bool = True) -> Path:
    """Write one self-contained HTML file about a run folder, finished or not, or about the evaluations in a folder and
    its subfolders, and return its path.
    """
    return reporting.report(Path(run), None if out is None else Path(out), tasks=tasks, overwrite=overwrite)
