"""Judging: completions -> outcomes -> results, and the lines in which predictions are stored. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from symtune.benchmark import Benchmark
from symtune.evaluation.exam import Exam
from symtune.outcomes import Outcome, Prompt, counted, is_truncated, verdict_of
from symtune.types import Completion, Result


def judge(benchmark: Benchmark[Any], question: Any, prompt: Prompt, completion: Completion) -> Outcome:
    """The outcome of one question."""
    text = completion.text
    score, items = benchmark.score(text, question).score, tuple(benchmark.read(text, question))
    verdict = verdict_of(score, items, text, completion.finish)
    return Outcome(question, prompt, completion, score, benchmark.other_scores(text, question), items, verdict)


def results_of(exam: Exam, outcomes: Sequence[Outcome]) -> list[Result]:
    """The benchmark's results; the first also states how questions were asked and what happened to the prompts."""
    first, *others = exam.benchmark.aggregate(exam.split, outcomes)
    cut = [outcome.prompt.rows_cut for outcome in outcomes]
    notes: dict[str, Any] = {
        "format": exam.benchmark.format_name(exam.format),
        "grouped_by": exam.benchmark.grouped_by,
        **exam.benchmark.notes(exam.questions),
        "verdicts": counted(outcome.verdict for outcome in outcomes),
        "truncated": sum(is_truncated(outcome.completion.text, outcome.completion.finish) for outcome in outcomes),
        "finish": dict(sorted(Counter(outcome.completion.finish for outcome in outcomes).items())),
        "tables_cut": sum(1 for rows in cut if rows),
        "rows_cut": sum(cut),
    }
    published = exam.benchmark.published.get(exam.split, 0)
    if len(exam.questions) < published:
        notes["asked"] = f"{len(exam.questions):,} of {published:,} questions"
    if exam.format.shots:
        notes["shots"] = exam.shots
        notes["shots_dropped"] = sum(outcome.prompt.shots_dropped for outcome in outcomes)
    return [first.noting(notes), *others]


def line_of(benchmark: Benchmark[Any], outcome: Outcome) -> str:
    """The line for predictions.jsonl."""
    question, completion = outcome.question, outcome.completion
    line = {
        "id": question.id,
        "prompt_tokens": completion.tokens_in,
        "completion_tokens": completion.tokens_out,
        "text": completion.text,
        "prediction": list(outcome.prediction),
        "target": list(question.target),
        **benchmark.columns(question),
        **benchmark.details(completion.text, question),
        "score": outcome.score,
        "correct": outcome.score == 1.0,
        "verdict": outcome.verdict,
        "groups": list(question.groups),
        "chance": question.chance,
        "finish": completion.finish,
        "rows_cut": outcome.prompt.rows_cut,
        "shots_dropped": outcome.prompt.shots_dropped,
    }
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def completion_of(line: Mapping[str, Any]) -> Completion:
    """The completion of a stored line. Raises KeyError, TypeError or ValueError if it is not one."""
    text, finish = line["text"], line["finish"]
    if not isinstance(text, str) or finish not in ("stop", "length", "error"):
        raise ValueError("not a line of predictions.jsonl")
    return Completion(text, finish, int(line["prompt_tokens"]), int(line["completion_tokens"]))
