"""Evaluation: prompts -> what a model writes -> verdicts -> results. Sees no model, only a `Generate`.

    benchmark = find("wikitablequestions")
    examples = benchmark.load(data, "validation", limit=200)
    results = evaluate(benchmark, examples, generate, split="validation", out=Path("evaluation"),
                       measure=loaded.measure, room=2048)

While it runs, predictions are added to `OUT.partial.jsonl` beside the output folder as they come; when all
are there, the folder appears as a whole: `predictions.jsonl`, `results.json`, `manifest.json`. A run that
stops early leaves the partial file and no folder.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from symtune.benchmarks import DatasetTask, Format
from symtune.intervals import score_interval
from symtune.output import check_writable, new_file, new_folder, sha256, versions, write_manifest
from symtune.types import (
    Completion,
    Example,
    Generate,
    InputError,
    Measure,
    OutputError,
    Result,
    SymtuneError,
    UnknownName,
)
from symtune.wtq_rules import wtq_correct

Progress = Callable[[int, int], None]  # (answers so far, of)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One example, answered and judged."""

    example: Example
    completion: Completion
    score: float
    others: Mapping[str, float]
    rows_cut: int


def evaluate(
    benchmark: DatasetTask,
    examples: Sequence[Example],
    generate: Generate,
    *,
    split: str,
    out: Path,
    measure: Measure,
    room: int,
    format: Format = Format(),
    arguments: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    run: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> list[Result]:
    """Score a model on examples of a benchmark, and write the evaluation folder `out`.

    `measure` counts the tokens of a prompt as the model reads it, `room` is the most that it may have; longer
    tables are cut, counted, and still scored. `arguments` (what was asked for), `facts` (say, the weights'
    sha256) and `run` (facts of this run) go into the manifest. The first result is the whole benchmark's,
    then come its further metrics and its groups. Raises OutputError, and SymtuneError where `generate` does
    not give each prompt one completion.
    """
    benchmark.check_format(format)
    check_writable(out, overwrite=overwrite)
    tell = progress or (lambda done, total: None)
    tell(0, len(examples))
    made = [benchmark.prompt(example, format, lambda prompt: measure(prompt) <= room) for example in examples]
    prompts = [prompt for prompt, _ in made]
    partial = out.absolute().parent / f"{out.name}.partial.jsonl"
    outcomes: list[Outcome | None] = [None] * len(examples)
    with _lines(partial) as stream:
        for done, (index, completion) in enumerate(_each_once(generate(prompts), len(prompts)), start=1):
            example = examples[index]
            outcome = Outcome(
                example,
                completion,
                benchmark.score(completion.text, example).score,
                benchmark.other_scores(completion.text, example),
                made[index][1],
            )
            outcomes[index] = outcome
            stream.write(_prediction(benchmark, outcome) + "\n")
            stream.flush()
            tell(done, len(examples))
    judged = [outcome for outcome in outcomes if outcome is not None]
    stated = {"format": benchmark.format_name(format), **benchmark.notes(examples)}
    results = aggregate(benchmark.name, split, benchmark.metric, judged, stated)
    with new_folder(out, overwrite=overwrite) as folder:
        partial.replace(folder / "predictions.jsonl")
        text = json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "results.json").write_text(text + "\n", "utf-8")
        body = {
            "versions": versions("torch", "transformers"),
            "examples": len(judged),
            **results[0].notes,
            **(facts or {}),
            "prompts_sha256": hashlib.sha256("\0".join(prompts).encode("utf-8", "surrogatepass")).hexdigest(),
            "sha256": {name: sha256(folder / name) for name in ("predictions.jsonl", "results.json")},
        }
        write_manifest(folder, "evaluate", arguments or {}, body, run or {})
    return results


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    """A text file to write lines to. A lone surrogate, which UTF-8 cannot hold, becomes its JSON escape."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            yield stream
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _each_once(pairs: Iterator[tuple[int, Completion]], n: int) -> Iterator[tuple[int, Completion]]:
    """The pairs, in any order, of which each index below n must come exactly once."""
    open_indices = set(range(n))
    for index, completion in pairs:
        if index not in open_indices:
            raise SymtuneError(f"the model gave a second completion, or one nobody asked for: prompt {index} of {n}")
        open_indices.remove(index)
        yield index, completion
    if open_indices:
        raise SymtuneError(f"the model gave no completion for {len(open_indices)} of {n} prompts")


def _prediction(benchmark: DatasetTask, outcome: Outcome) -> str:
    """The line of predictions.jsonl."""
    meta = outcome.example.meta
    line = {
        "id": outcome.example.id,
        "prompt_tokens": outcome.completion.tokens_in,
        "text": outcome.completion.text,
        "prediction": benchmark.read(outcome.completion.text),
        "target": list(meta["target"]),
        "correct": outcome.score == 1.0,
        "group": meta.get("group", ""),
        "chance": meta.get("chance"),
        "finish": outcome.completion.finish,
        "rows_cut": outcome.rows_cut,
    }
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def aggregate(
    benchmark: str, split: str, metric: str, outcomes: Sequence[Outcome], notes: Mapping[str, Any]
) -> list[Result]:
    """The score of all outcomes (with the notes, and how generation ended), its further metrics, its
    groups."""

    def result(metric: str, scores: Sequence[float], group: str, notes: Mapping[str, Any]) -> Result:
        mean = math.fsum(scores) / len(scores) if scores else 0.0
        return Result(benchmark, split, metric, mean, len(scores), score_interval(scores), group, notes)

    whole = {
        **_chance(outcomes),
        **notes,
        "finish": dict(sorted(Counter(outcome.completion.finish for outcome in outcomes).items())),
        "tables_cut": sum(1 for outcome in outcomes if outcome.rows_cut),
        "rows_cut": sum(outcome.rows_cut for outcome in outcomes),
    }
    results = [result(metric, [outcome.score for outcome in outcomes], "", whole)]
    for other in sorted({name for outcome in outcomes for name in outcome.others}):
        results.append(result(other, [outcome.others.get(other, 0.0) for outcome in outcomes], "", {}))
    for group in sorted({outcome.example.meta.get("group", "") for outcome in outcomes} - {""}):
        members = [outcome for outcome in outcomes if outcome.example.meta.get("group") == group]
        results.append(result(metric, [outcome.score for outcome in members], group, _chance(members)))
    return results


def _chance(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """What a guesser scores on these examples on average, where every one of them says so."""
    stated = [outcome.example.meta.get("chance") for outcome in outcomes]
    chances = [float(chance) for chance in stated if chance is not None]
    if not chances or len(chances) < len(stated):
        return {}
    return {"chance": math.fsum(chances) / len(chances)}


def score_file(path: Path, out: Path, *, metric: str = "wtq", overwrite: bool = False) -> list[bool]:
    """Write each line of a jsonl file of `{prediction: [..], target: [..], target_canon: [..]}` to `out`,
    with its verdict as `correct`, and return the verdicts. `target_canon` may be absent or null. Empty lines
    are passed over. Raises InputError with file and line for a line that is not such an object; `out` then
    stays as it was.
    """
    if metric not in METRICS:
        raise UnknownName("metric", metric, METRICS)
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted lines of {{prediction: [..], target: [..]}}")
    check_writable(out, overwrite=overwrite)
    verdicts = []
    with new_file(out) as temporary, path.open("rb") as lines, _lines(temporary) as stream:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            item = _scored_line(line, f"{path}:{number}")
            verdict = METRICS[metric](item["prediction"], item["target"], item.get("target_canon"))
            stream.write(json.dumps({**item, "correct": verdict}, ensure_ascii=False) + "\n")
            verdicts.append(verdict)
        if not verdicts:
            raise InputError(f"{path}: no lines in it; wanted lines of {{prediction: [..], target: [..]}}")
    return verdicts


METRICS: Mapping[str, Callable[..., bool]] = {"wtq": wtq_correct}


def _scored_line(line: bytes, where: str) -> dict[str, Any]:
    """A checked line of predictions."""
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
    if not isinstance(item, dict):
        raise InputError(f"{where}: got {type(item).__name__}, wanted an object with prediction and target")
    for name, needed in (("prediction", True), ("target", True), ("target_canon", False)):
        value = item.get(name)
        if value is None and not needed:
            continue
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            got = "nothing" if name not in item else json.dumps(value)[:60]
            raise InputError(f"{where}: {name}: got {got}, wanted a list of texts")
    canon = item.get("target_canon")
    if canon is not None and len(canon) != len(item["target"]):
        raise InputError(f"{where}: target has {len(item['target'])} items and target_canon {len(canon)}")
    return item
