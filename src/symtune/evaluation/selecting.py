"""Prompt selection: every prompt template of a benchmark is scored on questions outside the test split, and one is
chosen for this model.

    choices = candidates(SelectConfig(benchmark="gsm8k", model="…", data=Path("GSM8K"), out=Path("prompt.json")))
    selection = select(choices, open_model("…"), config)

While it runs, the working folder `.OUT.working` beside the file holds an evaluation for each template, from which an
interrupted selection resumes. The same scores give the same choice: the highest, and among equal ones the first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symtune import benchmarks
from symtune.benchmark import Format
from symtune.evaluation.config import Asking, SelectConfig
from symtune.evaluation.exam import Exam, prepare
from symtune.evaluation.selection import FORMAT, LIMITS, VERB, Selection, TemplateScore
from symtune.evaluation.writing import PREDICTIONS, evaluate, prompts_sha256
from symtune.files import json_objects
from symtune.intervals import score_interval
from symtune.model import Model
from symtune.output import MANIFEST, check_writable, new_file, versions, working_folder
from symtune.types import InputError, UnknownName


def candidates(config: SelectConfig) -> dict[str, Exam]:
    """The exams, by prompt template, all with the same questions. Raises InputError and UnknownName."""
    benchmark = benchmarks.find(config.benchmark, config.task)
    if not benchmark.selection_split:
        raise InputError(
            f"benchmark {benchmark.name} has no questions outside its test split, so no prompt can be selected; "
            "name one with `evaluate --template`"
        )
    shared = config.model_dump(include={"benchmark", *FORMAT, *LIMITS})
    asking = Asking(split=benchmark.selection_split, limit=config.limit, **shared)
    exam = prepare(asking, config.data, config.task)
    known = {name.rpartition("/")[2]: name for name in benchmark.template_names(exam.questions)}
    if not known:
        raise InputError(f"{config.data}: its tasks share no prompt template; select one for each task separately")
    keys = [name.rpartition("/")[2] for name in config.templates] or list(known)
    for key in keys:
        if key not in known:
            raise UnknownName("prompt template", key, known)
    found = {}
    for key in dict.fromkeys(keys):
        format = Format(known[key], config.linearization, exam.format.shots)
        longest = config.max_new_tokens or benchmark.longest_answer(format, exam.questions)
        found[known[key]] = replace(exam, format=format, max_new_tokens=longest)
    return found


def select(
    exams: Mapping[str, Exam],
    model: Model,
    config: SelectConfig,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Selection:
    """Score every prompt template, choose one, and write the selection file. Raises OutputError."""
    out, overwrite = config.out, config.overwrite
    check_writable(out, overwrite=overwrite)
    tell = progress or (lambda done, total: None)
    first = next(iter(exams.values()))
    n, facts = len(first.questions), dict(model.facts())
    head: dict[str, Any] = {
        "symtune": VERB,
        "benchmark": first.benchmark.name,
        "split": first.split,
        "metric": first.benchmark.metric,
        "limit": config.limit,
        "questions": n,
        "questions_sha256": first.questions_sha256(),
        "asked": {name: getattr(config, name) for name in (*FORMAT, *LIMITS)},
        "model": facts,
    }
    scores = []
    identity = {**head, "templates": list(exams)}
    with working_folder(out, identity, worth=_has_work, overwrite=overwrite) as folder:
        for place, (name, exam) in enumerate(exams.items()):

            def told(done: int, _: int, before: int = place * n) -> None:
                tell(before + done, n * len(exams))

            scores.append(_scored(name, exam, model, folder / name.rpartition("/")[2], told))
        means = [score.score for score in scores]
        selection = Selection(
            **head,
            minimum=min(means),
            mean=math.fsum(means) / len(means),
            maximum=max(means),
            chosen=scores[means.index(max(means))].template,
            scores=tuple(scores),
            versions=versions("torch", "transformers"),
        )
        with new_file(out, overwrite=overwrite) as temporary:
            temporary.write_text(selection.model_dump_json(indent=2) + "\n", "utf-8")
    return selection


def _scored(name: str, exam: Exam, model: Model, folder: Path, tell: Callable[[int, int], None]) -> TemplateScore:
    """The score of one template. Its evaluation is kept in the folder until all are done."""
    if not _is_done(folder, exam, model):
        evaluate(exam, model, folder, progress=tell, overwrite=True)
    tell(len(exam.questions), len(exam.questions))
    scores = [float(entry.value["score"]) for entry in json_objects(folder / PREDICTIONS)]
    notes = json.loads((folder / MANIFEST).read_text("utf-8"))
    return TemplateScore(
        template=name,
        score=math.fsum(scores) / len(scores),
        n=len(scores),
        interval=score_interval(scores),
        verdicts=notes["verdicts"],
        truncated=notes["truncated"],
    )


def _is_done(folder: Path, exam: Exam, model: Model) -> bool:
    """Whether an earlier run has asked exactly these prompts to the end."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(manifest.get("prompts_sha256") == prompts_sha256(exam.prompts(model)))


def _has_work(folder: Path) -> bool:
    return any(path.is_dir() for path in folder.iterdir())
