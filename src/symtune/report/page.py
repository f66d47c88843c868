"""What stands on the page: plain values for the template, chosen and worded here, computed nowhere.

The verdict is worded by one rule. A score is above another when the 95 % interval of their difference, as the
run's manifest holds it, lies above 0; below when it lies below 0; else no difference is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from symtune.report import plots
from symtune.report.read import EVALUATIONS, Comparison, Json, LogLine, Run, Score, Shown
from symtune.report.words import clock, interval, percent, points, printable

ROWS_SHOWN, CELL_SHOWN = 14, 80
SERIES = ("chance", *EVALUATIONS)
DROP_KEYS = ("rejects", "tables_dropped", "dropped")
SHORTER = 0.95  # a control on less than this share of the tokens is called a shorter one
ENDINGS = {"length": "answer not ended within the token limit", "error": "prompt too long for the model"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A score and, unless it is an expectation, its 95 % interval; all in [0, 1]."""

    score: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One query type (or all) of a score table; `differences`: (difference, low, high) by what against."""

    group: str
    n: int
    marks: Mapping[str, Mark]
    differences: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Scores:
    """One benchmark and metric."""

    title: str
    series: tuple[str, ...]
    against: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state` is yes, no or open."""

    question: str
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template shows."""

    title: str
    done: str
    claim: str
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    scores: tuple[Scores, ...]
    control_note: str
    loss: plots.LossPlot | None
    examples: tuple[Mapping[str, Any], ...]
    mixture: tuple[Json, ...]
    drops: tuple[tuple[str, str, int], ...]
    stages: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    machine: str
    recipe: str
    versions: Mapping[str, str]
    hashes: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...] = field(default=())


def build(run: Run) -> Page:
    """The page of a run, whole or partial."""
    scores = tuple(_scores(run))
    return Page(
        title=str(run.recipe.get("name") or run.path.name),
        done=_done(run),
        claim=_claim(scores),
        verdicts=tuple(_verdicts(scores, run)),
        missing=tuple(f"{run.planned[stage]} ({stage}/)" for stage in run.planned if stage not in run.manifests),
        scores=scores,
        control_note=_control_note(run),
        loss=plots.loss_plot([(name, _label(run, name), _points(log)) for name, log in run.logs.items()]),
        examples=tuple(_example(run, shown) for shown in run.examples),
        mixture=tuple(run.manifests.get("mix", {}).get("shares", ())),
        drops=tuple(_drops(run)),
        stages=tuple(_stage_lines(run)),
        commands=tuple(_commands(run)),
        machine=_machine(run),
        recipe=run.recipe_text.strip(),
        versions=_versions(run),
        hashes=tuple(_hashes(run)),
        facts=tuple(_facts(run)),
    )


# --- sentences ---


def model_name(run: Run) -> str:
    """What the run trained, in words."""
    model = run.recipe.get("model", "a model")
    if isinstance(model, Mapping):
        kind = str(model.get("architecture", "model"))
        return f"a new {kind} built from a config"
    return str(model)


def _done(run: Run) -> str:
    model, tokens = model_name(run), _tokens(run, "model")
    records = run.manifests.get("mix", {}).get("records")
    what = f"{records:,} records" if isinstance(records, int) else "a mixture"
    passes = run.manifests.get("model", {}).get("passes")
    often = f", {passes:.2g} passes" if isinstance(passes, int | float) else ""
    seen = f" ({tokens:,} tokens{often})" if tokens else ""
    tasks = sorted({str(shown.row.get("task", "")) for shown in run.examples})
    on = f" and measured on held-out {', '.join(tasks)} questions" if tasks and run.evaluations else ""
    if "model" not in run.manifests:
        return f"{model} is to be trained on {what}{on}; the training is not finished."
    return f"{model} was trained on {what}{seen}{on}."


def _claim(scores: Sequence[Scores]) -> str:
    row = next((row for table in scores for row in table.rows if not row.group), None)
    if row is None:
        return "Nothing has been measured yet."
    before, after = row.marks.get("before"), row.marks.get("after")
    if before and after:
        return f"Accuracy went from {percent(before.score)} to {_with_interval(after)} of {row.n:,} questions."
    name, mark = next((name, row.marks[name]) for name in EVALUATIONS if name in row.marks)
    return f"Accuracy {name}: {_with_interval(mark)} of {row.n:,} questions."


def _with_interval(mark: Mark) -> str:
    text = percent(mark.score)
    return text if mark.low is None or mark.high is None else f"{text} {interval(mark.low, mark.high, '')}"


def _verdicts(scores: Sequence[Scores], run: Run) -> Iterator[Verdict]:
    row = next((row for table in scores for row in table.rows if not row.group), None)
    names = {
        "before": "Better than before?",
        "chance": "Above chance?",
        "control": f"Above the control{_shorter(run)}?",
    }
    for against, question in names.items():
        found = row.differences.get(against) if row else None
        if found is None:
            yield Verdict(question, "open", "not measured in this run")
            continue
        difference, low, high = found
        state = "yes" if low > 0 else "no"
        text = f"{points(difference)} points {interval(low, high, '')}"
        if low <= 0 <= high:
            text += ": the interval holds 0, so no difference is shown"
        elif high < 0:
            text += ": below"
        yield Verdict(question, state, text)


def _shorter(run: Run) -> str:
    model, control = _tokens(run, "model"), _tokens(run, "control")
    return f" (trained on {100 * control / model:.0f} % of the tokens)" if control and control < SHORTER * model else ""


def _control_note(run: Run) -> str:
    model, control = _tokens(run, "model"), _tokens(run, "control")
    note = "Control: the same model and training, with the answers shuffled among the examples, so that it can "
    note += "learn the format and nothing else."
    if control and control < SHORTER * model:
        note += f" It saw {control:,} tokens, the model {model:,}: a shorter control, which makes a weaker claim."
    orders = [run.manifests.get(name, {}).get("arguments", {}).get("order") for name in ("model", "control")]
    if control and orders[0] != orders[1]:
        note += f" The model's records came in the order {orders[0]}, the control's {orders[1]}."
    return note


def _label(run: Run, name: str) -> str:
    tokens = _tokens(run, name)
    text = "control (shuffled answers)" if name == "control" else "model"
    return f"{text}, {tokens:,} tokens" if tokens else text


def _tokens(run: Run, stage: str) -> int:
    tokens = run.manifests.get(stage, {}).get("tokens", 0)
    return int(tokens) if isinstance(tokens, int | float) else 0


def _points(log: Sequence[LogLine]) -> list[tuple[float, float]]:
    return [(line.tokens, line.loss) for line in log if isfinite(line.loss) and isfinite(line.tokens)]


# --- scores ---


def _scores(run: Run) -> Iterator[Scores]:
    results = {
        (name, _key(score), score.group): score
        for name, evaluation in run.evaluations.items()
        for score in evaluation.results
    }
    for key in dict.fromkeys(key for _, key, _ in results):
        groups = sorted({group for _, found, group in results if found == key})
        rows = []
        for group in groups:
            of = {name: results[name, key, group] for name in EVALUATIONS if (name, key, group) in results}
            rows.append(_row(run, key, group, of))
        series = tuple(name for name in SERIES if any(name in row.marks for row in rows))
        against = tuple(name for name in SERIES if any(name in row.differences for row in rows))
        yield Scores(f"{key[0]}, {key[1]} split, metric {key[2]}", series, against, tuple(rows))


def _key(line: Score | Comparison) -> tuple[str, str, str]:
    return line.benchmark, line.split, line.metric


def _row(run: Run, key: tuple[str, str, str], group: str, found: Mapping[str, Score]) -> Row:
    chance = [score.notes["chance"] for score in found.values() if score.notes.get("chance") is not None]
    marks = {"chance": Mark(float(chance[0]))} if chance else {}
    marks |= {name: Mark(score.score, *score.interval) for name, score in found.items()}
    differences = {
        line.against: (line.difference, *line.interval)
        for line in run.comparisons
        if _key(line) == key and line.group == group and line.of == "after"
    }
    return Row(group, max(score.n for score in found.values()), marks, differences)


# --- examples ---


def _example(run: Run, shown: Shown) -> Mapping[str, Any]:
    answers = []
    for name, evaluation in run.evaluations.items():
        line = evaluation.predictions.get(str(shown.row.get("id", "")))
        if line is not None:
            answers.append({"name": name, "correct": bool(line.get("correct")), "text": str(line.get("text", ""))})
    return {
        "query_type": str(shown.info.get("query_type", "")),
        "difficulty": shown.row.get("difficulty"),
        "sql": str(shown.info.get("sql", "")),
        "answer": str(shown.row.get("answer", "")),
        "prompt": str(shown.row.get("prompt", "")),
        "template": str(shown.row.get("template_id", "")),
        "chance": shown.info.get("chance"),
        "tables": [
            {
                "title": table.title or table.source or table.id,
                "header": [printable(name, CELL_SHOWN) for name in table.header],
                "types": table.types,
                "rows": [[printable(cell, CELL_SHOWN) for cell in row] for row in table.rows[:ROWS_SHOWN]],
                "more": max(0, len(table.rows) - ROWS_SHOWN),
            }
            for table in shown.tables
        ],
        "predictions": answers,
    }


# --- how it was made ---


def _drops(run: Run) -> Iterator[tuple[str, str, int]]:
    for stage, manifest in run.manifests.items():
        for share in manifest.get("shares", ()):
            for reason, count in sorted(share.get("dropped", {}).items()):
                yield f"{run.planned[stage]}: {share['name']}", reason, int(count)
            if share.get("short"):
                yield (
                    f"{run.planned[stage]}: {share['name']}",
                    "fewer records than its rate asks for",
                    share["short"],
                )
        for key in DROP_KEYS:
            counts = manifest.get(key, {})
            if isinstance(counts, Mapping):
                for reason, count in sorted(counts.items(), key=lambda item: (-int(item[1]), item[0])):
                    yield run.planned[stage], reason, int(count)
        evaluation = run.evaluations.get(stage.removeprefix("evaluation/"))
        if evaluation and evaluation.results:
            notes = evaluation.results[0].notes
            for ending, reason in ENDINGS.items():
                if notes.get("finish", {}).get(ending):
                    yield run.planned[stage], f"{reason} (still scored)", int(notes["finish"][ending])
            if notes.get("tables_cut"):
                yield run.planned[stage], "table cut to what the model reads (still scored)", int(notes["tables_cut"])


def _stage_lines(run: Run) -> Iterator[tuple[str, str]]:
    for stage in run.planned:
        seconds = run.stages.get(stage, {}).get("seconds")
        if stage in run.manifests:
            yield run.planned[stage], clock(seconds) if isinstance(seconds, int | float) else "done"
        else:
            yield run.planned[stage], "missing"


def _commands(run: Run) -> Iterator[str]:
    yield str((run.manifest or {}).get("run", {}).get("repeat") or "symtune run recipe.yaml --out RUN_DIR")


def _machine(run: Run) -> str:
    facts = (run.manifest or {}).get("run", {})
    parts = [f"{facts['cpus']} CPU cores" if facts.get("cpus") else "", str(facts.get("platform") or "")]
    if facts.get("peak_memory_bytes"):
        parts.append(f"peak memory {facts['peak_memory_bytes'] / 1e9:.1f} GB")
    took = [note.get("seconds") for note in run.stages.values() if isinstance(note, Mapping)]
    parts.append(f"{clock(sum(filter(None, took)))} in all" if any(took) else "")
    return ", ".join(part for part in parts if part)


def _versions(run: Run) -> dict[str, str]:
    found: dict[str, str] = {}
    for manifest in (*run.manifests.values(), run.manifest or {}):
        found |= {str(name): str(version) for name, version in manifest.get("versions", {}).items()}
    return dict(sorted(found.items(), key=lambda item: (item[0] not in ("symtune", "python"), item[0])))


def _hashes(run: Run) -> Iterator[tuple[str, str]]:
    for stage, manifest in run.manifests.items():
        model = manifest.get("model")
        if isinstance(model, Mapping):
            yield from _flat(stage, model.get("weights_sha256") or {}, "weights it started from")
        yield from _flat(stage, manifest.get("sha256") or {})


def _flat(place: str, value: Any, note: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield f"{place}{f' ({note})' if note else ''}", value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{place}/{name}", inner, note)


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    """The arguments of the training, as its manifest holds them."""
    for name, value in sorted(run.manifests.get("model", {}).get("arguments", {}).items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        yield name, text
