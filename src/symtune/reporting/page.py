"""The content of the page: plain values for page.html, selected and worded in this package, but not computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symtune.reporting import errors, making, models, overview, plots, scores, sentences, spread
from symtune.reporting.files import Json
from symtune.reporting.models import Series
from symtune.reporting.read import MODELS, Run, Shown
from symtune.reporting.study import Study
from symtune.reporting.words import shown_table
from symtune.reporting.worked import shown_steps
from symtune.task import Words
from symtune.tasks import Known

MEASURED_LAST = "after"  # the model whose errors a run shows
CHANCE = {scores.CHANCE: Series("chance", "chance")}


@dataclass(frozen=True, slots=True)
class RunPart:
    """What a page shows of a run besides its evaluations."""

    verdicts: tuple[tuple[str, tuple[sentences.Verdict, ...]], ...]
    missing: tuple[str, ...]
    loss: plots.LossPlot | None
    examples: tuple[Mapping[str, Any], ...]
    mixture: tuple[Json, ...]
    drops: tuple[tuple[str, str, int], ...]
    stages: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    machine: str
    recipe: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template shows. `series`: the models, and chance, by key; `models`: the keys, in order."""

    title: str
    lead: str
    claims: tuple[str, ...]
    series: Mapping[str, Series]
    models: tuple[str, ...]
    measured: tuple[overview.Row, ...]
    spread: spread.Spreads
    endings: tuple[overview.Ending, ...]
    domains: tuple[tuple[str, str, str], ...]
    scores: tuple[scores.Scores, ...]
    scores_note: str
    errors: tuple[tuple[str, tuple[errors.Error, ...]], ...]
    about_models: tuple[tuple[str, str, str], ...]
    versions: Mapping[str, str]
    hashes: tuple[tuple[str, str], ...]
    run: RunPart | None


def of_run(run: Run, known: Known) -> Page:
    """The page of a run, finished or not."""
    there = tuple(model for model in MODELS if any(model in of for of in run.evaluations.values()))
    series = models.coloured({name: name for name in MODELS})
    tables = tuple(scores.tables(run.evaluations, MODELS, run.comparisons))
    shown = [model for model in (MEASURED_LAST, *reversed(MODELS)) if model in there][:1]
    notes = (sentences.control_note(run), _chance_note(run, known))
    return Page(
        title=str(run.recipe.get("name") or run.path.name),
        lead=sentences.done(run),
        claims=tuple(sentences.claims(tables)),
        series=CHANCE | series,
        models=there,
        measured=tuple(overview.rows(run.evaluations, there)),
        spread=spread.spreads(run.evaluations, series, ()),
        endings=tuple(overview.endings(run.evaluations, there)),
        domains=tuple(_domains(run.evaluations, series)),
        scores=tables,
        scores_note=" ".join(filter(None, notes)),
        errors=tuple(errors.worst(run.evaluations, series, shown)),
        about_models=(),
        versions=making.versions((*run.manifests.values(), run.manifest or {})),
        hashes=tuple(making.hashes(run.manifests)),
        run=RunPart(
            verdicts=tuple(sentences.verdicts(tables, run)),
            missing=tuple(f"{run.planned[stage]} ({stage}/)" for stage in run.planned if stage not in run.manifests),
            loss=plots.loss_plot(
                [(name, sentences.label(run, name), sentences.curve(log)) for name, log in run.logs.items()]
            ),
            examples=tuple(_example(run, one, known) for one in run.examples),
            mixture=tuple(run.manifests.get("mix", {}).get("shares", ())),
            drops=tuple(making.drops(run)),
            stages=tuple(making.stage_lines(run)),
            commands=tuple(making.commands(run)),
            machine=making.machine(run),
            recipe=run.recipe_text.strip(),
            facts=tuple(making.facts(run)),
        ),
    )


def of_study(study: Study) -> Page:
    """The page of a folder of evaluations."""
    series = models.coloured(study.models)
    keys = tuple(series)
    manifests = {name: evaluation.manifest for name, evaluation in study.folders.items()}
    facts = {models.key_of(one.model): one.model for one in study.folders.values()}
    return Page(
        title=study.path.resolve().name,
        lead=sentences.measured(study),
        claims=(),
        series=CHANCE | series,
        models=keys,
        measured=tuple(overview.rows(study.evaluations, keys)),
        spread=spread.spreads(study.evaluations, series, study.selections),
        endings=tuple(overview.endings(study.evaluations, keys)),
        domains=tuple(_domains(study.evaluations, series)),
        scores=tuple(scores.tables(study.evaluations, keys)),
        scores_note="",
        errors=tuple(errors.worst(study.evaluations, series, keys)),
        about_models=tuple(
            (series[key].label, str(of.get("name", "")), models.facts_in_words(of)) for key, of in facts.items()
        ),
        versions=making.versions(tuple(manifests.values())),
        hashes=tuple(making.hashes(manifests)),
        run=None,
    )


def _domains(evaluations: overview.Evaluations, series: Mapping[str, Series]) -> Iterator[tuple[str, str, str]]:
    """(what is measured, model, why it is in-domain)."""
    for name, of in evaluations.items():
        for key, evaluation in of.items():
            whys = [why for found in evaluation.notes.get("in_domain", {}).values() for why in found]
            if whys:
                yield name, series[key].label, "; ".join(whys)


def _chance_note(run: Run, known: Known) -> str:
    """What guessing means, in the words of the tasks that are measured."""
    tasks = [known.get(str(shown.row.get("task", ""))) for shown in run.examples]
    said = dict.fromkeys((task.words if task else Words()).chance for task in tasks)
    return " ".join(f"{words} the share marked as chance." for words in said)


def _example(run: Run, shown: Shown, known: Known) -> Mapping[str, Any]:
    row, info = shown.row, shown.info
    answers = []
    for model, evaluation in run.evaluations.get(errors.HELD_OUT, {}).items():
        line = evaluation.predictions.get(str(row.get("id", "")))
        if line is not None:
            answers.append({"name": model, "correct": line.score == 1, "text": line.text, "steps": shown_steps(line)})
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
        "tables": [shown_table(table) for table in shown.tables],
        "predictions": answers,
    }
