"""What stands on the page: plain values for the template, chosen and worded in this package, computed nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symtune.reporting import making, plots, scores, sentences
from symtune.reporting.read import Json, Run, Shown
from symtune.reporting.words import printable

ROWS_SHOWN, CELL_SHOWN = 14, 80


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template shows."""

    title: str
    done: str
    claim: str
    verdicts: tuple[sentences.Verdict, ...]
    missing: tuple[str, ...]
    scores: tuple[scores.Scores, ...]
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
    facts: tuple[tuple[str, str], ...]


def build(run: Run) -> Page:
    """The page of a run, whole or partial."""
    tables = tuple(scores.tables(run))
    return Page(
        title=str(run.recipe.get("name") or run.path.name),
        done=sentences.done(run),
        claim=sentences.claim(tables),
        verdicts=tuple(sentences.verdicts(tables, run)),
        missing=tuple(f"{run.planned[stage]} ({stage}/)" for stage in run.planned if stage not in run.manifests),
        scores=tables,
        control_note=sentences.control_note(run),
        loss=plots.loss_plot(
            [(name, sentences.label(run, name), sentences.curve(log)) for name, log in run.logs.items()]
        ),
        examples=tuple(_example(run, shown) for shown in run.examples),
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
