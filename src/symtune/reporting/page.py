"""The content of the page: plain values for page.html, chosen and worded in this package, computed nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symtune.reporting import making, plots, scores, sentences
from symtune.reporting.read import Json, Prediction, Run, Shown
from symtune.reporting.words import printable
from symtune.task import Words
from symtune.tasks import Known
from symtune.types import Table

HELD_OUT = "held_out"  # the evaluation of the examples that the page shows
ROWS_SHOWN, CELL_SHOWN = 14, 80


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that page.html shows."""

    title: str
    done: str
    claims: tuple[str, ...]
    verdicts: tuple[tuple[str, tuple[sentences.Verdict, ...]], ...]
    missing: tuple[str, ...]
    scores: tuple[scores.Scores, ...]
    control_note: str
    chance_note: str
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
    facts: tuple[tuple[str, str], ...]


def build(run: Run, known: Known) -> Page:
    """The page of a run, whole or partial."""
    tables = tuple(scores.tables(run))
    return Page(
        title=str(run.recipe.get("name") or run.path.name),
        done=sentences.done(run),
        claims=tuple(sentences.claims(tables)),
        verdicts=tuple(sentences.verdicts(tables, run)),
        missing=tuple(f"{run.planned[stage]} ({stage}/)" for stage in run.planned if stage not in run.manifests),
        scores=tables,
        control_note=sentences.control_note(run),
        chance_note=_chance_note(run, known),
        loss=plots.loss_plot(
            [(name, sentences.label(run, name), sentences.curve(log)) for name, log in run.logs.items()]
        ),
        examples=tuple(_example(run, shown, known) for shown in run.examples),
        mixture=tuple(run.manifests.get("mix", {}).get("shares", ())),
        drops=tuple(making.drops(run)),
        stages=tuple(making.stage_lines(run)),
        commands=tuple(making.commands(run)),
        machine=making.machine(run),
        recipe=run.recipe_text.strip(),
        versions=making.versions(run),
        hashes=tuple(making.hashes(run)),
        facts=tuple(making.facts(run)),
    )


def _chance_note(run: Run, known: Known) -> str:
    """What guessing means, in the words of the tasks that are measured."""
    tasks = [known.get(str(shown.row.get("task", ""))) for shown in run.examples]
    said = dict.fromkeys((task.words if task else Words()).chance for task in tasks)
    return " ".join(f"{words} the share marked as chance." for words in said)


def _example(run: Run, shown: Shown, known: Known) -> Mapping[str, Any]:
    row, info = shown.row, shown.info
    answers = []
    for model, evaluation in run.evaluations.get(HELD_OUT, {}).items():
        line = evaluation.predictions.get(str(row.get("id", "")))
        if line is not None:
            answers.append({"name": model, "correct": line.score == 1, "text": line.text, "steps": _steps(line)})
    task = known.get(str(row.get("task", "")))
    made = [str(row.get(name) or "") for name in ("prompt_template", "linearization")]
    return {
        "kind": str(info.get("query_type") or row.get("task", "")),
        "difficulty": row.get("difficulty") or None,
        "program": task.program(task.fields_of(info))[0] if task else "",
        "answer": str(row.get("answer", "")),
        "worked": str(row.get("completion", "")) if info.get("solution") else "",
        "prompt": str(row.get("prompt", "")),
        "made": ", ".join(filter(None, made)),
        "chance": info.get("chance"),
        "tables": [_shown(table) for table in shown.tables],
        "predictions": answers,
    }


def _steps(line: Prediction) -> Mapping[str, Any] | None:
    """The steps of a worked completion: the lines before the first wrong one, that one, and those after it."""
    if line.steps is None:
        return None
    first, lines = line.steps.first_wrong, line.text.split("\n")
    place = next((k for k, text in enumerate(lines) if first and first.text and text.strip() == first.text), len(lines))
    total = line.steps.written + line.steps.left_out
    return {
        "before": "\n".join(lines[:place]),
        "wrong": "\n".join(lines[place : place + 1]),
        "after": "\n".join(lines[place + 1 :]),
        "said": f"{line.steps.hold} of {total} steps hold" + (f"; step {first.step}: {first.fault}" if first else ""),
    }


def _shown(table: Table) -> Mapping[str, Any]:
    """A table as the page shows it."""
    return {
        "title": table.title or table.source or table.id,
        "header": [printable(name, CELL_SHOWN) for name in table.header],
        "types": table.types,
        "rows": [[printable(cell, CELL_SHOWN) for cell in row] for row in table.rows[:ROWS_SHOWN]],
        "more": max(0, len(table.rows) - ROWS_SHOWN),
    }
