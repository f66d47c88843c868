"""The evaluation of a model, and the folder that it writes.

While it runs, predictions are kept in the working folder `.OUT.working` beside the output folder. Once there are all,
the complete folder appears: `predictions.jsonl` (in the order of the questions), `results.json`, `errors.jsonl` (some
wrong answers to look at), `manifest.json`. A run that stops early leaves only the working folder; the same evaluation
then resumes from it, and ends with the same bytes as one that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from symtune.domains import domains_of
from symtune.evaluation.errors import FILE as ERRORS
from symtune.evaluation.errors import error_line, worst
from symtune.evaluation.exam import Exam
from symtune.evaluation.judging import judge, line_of, results_of
from symtune.evaluation.partial import partial_file
from symtune.evaluation.standing import standing
from symtune.model import Model
from symtune.outcomes import Outcome, Prompt
from symtune.output import check_writable, new_folder, sha256, versions, write_manifest
from symtune.types import Completion, Result, SymtuneError

PREDICTIONS = "predictions.jsonl"
Progress = Callable[[int, int], None]  # (answers so far, answers in all)


def evaluate(
    exam: Exam,
    model: Model,
    out: Path,
    *,
    arguments: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> list[Result]:
    """Give a model an exam, and write the evaluation folder `out`. Returns the results, of which the first is that of
    the whole benchmark.

    `arguments` (what was requested) go into the manifest. Raises OutputError, and SymtuneError if the model does not
    return exactly one completion for each prompt.
    """
    check_writable(out, overwrite=overwrite)
    tell = progress or (lambda done, total: None)
    tell(0, len(exam.questions))
    prompts, facts = exam.prompts(model), dict(model.facts())
    digests = {"questions_sha256": exam.questions_sha256(), "prompts_sha256": prompts_sha256(prompts)}
    head = {
        "benchmark": exam.benchmark.name,
        "split": exam.split,
        "questions": len(exam.questions),
        "max_new_tokens": exam.max_new_tokens,
        "model": facts,
        **digests,
    }
    if exam.selection is not None:
        exam.selection.check_model(facts)
    with _answered(exam, model, prompts, out, head, tell, overwrite=overwrite) as outcomes:
        results, known = results_of(exam, outcomes), {}
        said, selection = standing(exam, facts, out)
        if said:
            results[0] = results[0].noting({"prompt_selection": said})
        trained = domains_of(Path(model.name))
        in_domain = {name: trained[name] for name in exam.benchmark.domains(exam.questions) if name in trained}
        if in_domain:
            results[0] = results[0].noting({"in_domain": in_domain})
        if selection is not None:
            known = {"prompt_scores": [score.model_dump() for score in selection.scores]}
        with new_folder(out, overwrite=overwrite) as folder:
            _write(folder, PREDICTIONS, "".join(line_of(exam.benchmark, outcome) + "\n" for outcome in outcomes))
            text = json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False, allow_nan=False)
            _write(folder, "results.json", text + "\n")
            wrong = [error_line(exam.benchmark, outcome) + "\n" for outcome in worst(outcomes)]
            _write(folder, ERRORS, "".join(wrong))
            body = {
                "versions": versions("torch", "transformers"),
                "examples": len(outcomes),
                "benchmark": exam.benchmark.name,
                "split": exam.split,
                "format_in_words": exam.format_in_words,
                **results[0].notes,
                **known,
                "max_new_tokens": exam.max_new_tokens,
                "model": facts,
                **digests,
                "sha256": {name: sha256(folder / name) for name in (PREDICTIONS, "results.json", ERRORS)},
            }
            write_manifest(folder, "evaluate", arguments or {}, body, {})
    return results


@contextmanager
def _answered(
    exam: Exam,
    model: Model,
    prompts: Sequence[Prompt],
    out: Path,
    head: Mapping[str, Any],
    tell: Progress,
    *,
    overwrite: bool,
) -> Iterator[list[Outcome]]:
    """The outcome of every question, in order. Answers are kept on disk until the block ends without an error."""
    outcomes: dict[int, Outcome] = {}

    def take(index: int, completion: Completion) -> Outcome:
        outcomes[index] = judge(exam.benchmark, exam.questions[index], prompts[index], completion)
        return outcomes[index]

    ids = [question.id for question in exam.questions]
    with partial_file(out, head, ids, overwrite=overwrite) as partial:
        for index, completion in partial.known.items():
            take(index, completion)
        texts = [prompt.text for prompt in prompts]
        pairs = model.generate(texts, exam.max_new_tokens, partial.known.keys())
        for index, completion in _each_once(pairs, partial.known, len(texts)):
            partial.add(line_of(exam.benchmark, take(index, completion)))
            tell(len(outcomes), len(texts))
        yield [outcomes[index] for index in range(len(texts))]


def _each_once(
    pairs: Iterator[tuple[int, Completion]], known: Mapping[int, Completion], n: int
) -> Iterator[tuple[int, Completion]]:
    """The pairs, in any order; each index below n that is not yet known must come exactly once."""
    wanted = set(range(n)) - set(known)
    for index, completion in pairs:
        if index in known:
            continue
        if index not in wanted:
            raise SymtuneError(f"the model returned a second completion, or one for no prompt: prompt {index} of {n}")
        wanted.remove(index)
        yield index, completion
    if wanted:
        raise SymtuneError(f"the model returned no completion for {len(wanted)} of {n} prompts")


def prompts_sha256(prompts: Sequence[Prompt]) -> str:
    """The digest of everything that the model reads."""
    return hashlib.sha256("\0".join(prompt.text for prompt in prompts).encode("utf-8", "surrogatepass")).hexdigest()


def _write(folder: Path, name: str, text: str) -> None:
    """Write a text. A lone surrogate, which UTF-8 cannot hold, becomes its JSON escape."""
    (folder / name).write_text(text, "utf-8", errors="backslashreplace", newline="\n")
