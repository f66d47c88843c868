"""Stored predictions -> verdicts, without a model: by a metric, or by a benchmark as in its evaluation.

    score_file(Path("predictions.jsonl"), Path("scored.jsonl"), by_metric("wtq"))
    score_file(Path("predictions.jsonl"), Path("scored.jsonl"), by_benchmark(find("gsm8k")))

A line holds `target` (the items of the gold answer: a list of texts, or one text with " | " between items) and
`text` (what the model wrote) or `prediction` (items extracted from it, or a text like `text`); the predictions.jsonl of
an evaluation has all of these.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune.benchmark import Benchmark
from symtune.denotation import ROW_DELIMITER
from symtune.files import Entry, json_objects
from symtune.metrics import METRICS, NEEDS_CANON
from symtune.outcomes import counted, is_truncated, verdict_of
from symtune.output import check_writable, new_file
from symtune.reading import read_answer
from symtune.types import InputError, UnknownName

WANTED = "lines of {text: .., target: [..]} or {prediction: [..], target: [..]}"
CANON = "target_canon"  # the canonical values of the target
TEXTS = ("prediction", "target", CANON)  # keys that hold lists of texts, if they are present


@dataclass(frozen=True, slots=True)
class Judged:
    """The score of a line, the items extracted, and what the line lacks for the score to be certain, or ""."""

    score: float
    items: Sequence[str]
    missing: str = ""


Score = Callable[[Entry], Judged]  # of a checked line


@dataclass(frozen=True)
class Scored:
    """The scores of a file's lines, in order; how many lines lacked something, by what they lacked; how many have each
    verdict; and how many are truncated, right or not.
    """

    scores: list[float]
    missing: Mapping[str, int]
    verdicts: Mapping[str, int]
    truncated: int


def score_file(path: Path, out: Path, score: Score, *, overwrite: bool = False) -> Scored:
    """Write each line of a jsonl file to `out`, with its `score`, whether it is `correct`, and the `verdict`. Raises
    InputError with file and line for a line that cannot be scored; `out` then stays as it was.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted {WANTED}")
    check_writable(out, overwrite=overwrite)
    scores, missing, verdicts, truncated = list[float](), Counter[str](), list[str](), 0
    with new_file(out) as temporary, temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        for entry in json_objects(path, wanted="an object with prediction and target"):
            checked = _checked(entry)
            judged = score(checked)
            text, finish = _text_of(checked.value), str(checked.value.get("finish") or "")
            scores.append(judged.score)
            missing.update([judged.missing] if judged.missing else [])
            verdicts.append(verdict_of(judged.score, judged.items, text, finish))
            truncated += is_truncated(text, finish)
            found = {"score": judged.score, "correct": judged.score == 1.0, "verdict": verdicts[-1]}
            line = {**entry.value, **found}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        if not scores:
            raise InputError(f"{path}: no lines in it; wanted {WANTED}")
    return Scored(scores, missing, counted(verdicts), truncated)


def by_metric(name: str) -> Score:
    """The score of a line by a metric. Raises UnknownName."""
    if name not in METRICS:
        raise UnknownName("metric", name, METRICS)
    metric = METRICS[name]

    def score(entry: Entry) -> Judged:
        line = entry.value
        canon, target, text = line.get(CANON), line["target"], _text_of(line)
        if canon is not None and len(canon) != len(target):
            raise InputError(f"{entry.where}: target has {len(target)} items and {CANON} {len(canon)}")
        items = line["prediction"] if line.get("prediction") is not None else read_answer(text)
        missing = CANON if canon is None and name in NEEDS_CANON else ""
        return Judged(float(metric(items, text, target, canon)), items, missing)

    return score


def by_benchmark(benchmark: Benchmark[Any], questions: Iterable[Any] | None = None) -> Score:
    """The score of a line by a benchmark. `questions`: those of its data, found by id; without them, a question is what
    the line says about it.
    """
    known = None if questions is None else {question.id: question for question in questions}

    def score(entry: Entry) -> Judged:
        line = entry.value
        if known is None:
            try:
                question = benchmark.question_of(line, tuple(line["target"]))
            except InputError as error:
                raise InputError(f"{entry.where}: {error}") from None
        elif str(line.get("id")) in known:
            question = known[str(line["id"])]
        else:
            raise InputError(
                f"{entry.where}: id {line.get('id')!r} is not a question of this split of {benchmark.name}"
            )
        text = _text_of(line)
        return Judged(benchmark.score(text, question).score, benchmark.read(text, question))

    return score


def _text_of(line: Mapping[str, Any]) -> str:
    """What the model wrote, or otherwise its items."""
    text = line.get("text")
    return text if isinstance(text, str) else ROW_DELIMITER.join(line["prediction"])


def _checked(entry: Entry) -> Entry:
    """The line, with its items as lists of texts. Raises InputError if predictions or targets are not texts."""
    line = dict(entry.value)
    if isinstance(line.get("prediction"), str) and line.get("text") is None:
        line["text"], line["prediction"] = line["prediction"], None
    if isinstance(line.get("target"), str):
        line["target"] = line["target"].split(ROW_DELIMITER)
    if line.get("text") is not None and not isinstance(line["text"], str):
        raise InputError(f"{entry.where}: text: got {_shown(line['text'])}, wanted a text")
    for name in TEXTS:
        value = line.get(name)
        if value is None and (name == CANON or (name == "prediction" and line.get("text") is not None)):
            continue
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            got = "nothing" if name not in line else _shown(value)
            raise InputError(f"{entry.where}: {name}: got {got}, wanted a list of texts")
    return entry._replace(value=line)


def _shown(value: Any) -> str:
    return json.dumps(value)[:60]
