"""How a run was made: what was dropped and why, stages, command, machine, versions and digests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symtune.reporting.files import Json
from symtune.reporting.read import Run
from symtune.reporting.words import clock

DROP_KEYS = ("tables_dropped", "dropped")
ENDINGS = {"length": "answer cut at the token limit", "error": "prompt too long for the model"}
CUTS = {"tables_cut": "table cut to fit the prompt", "shots_dropped": "shot dropped to fit the prompt"}


def drops(run: Run) -> Iterator[tuple[str, str, int]]:
    """(stage, reason, count) of everything that was dropped, rejected or cut."""
    for stage, manifest in run.manifests.items():
        for share in manifest.get("shares", ()):
            for reason, count in sorted(share.get("dropped", {}).items()):
                yield f"{run.planned[stage]}: {share['name']}", reason, int(count)
            if share.get("short"):
                yield (
                    f"{run.planned[stage]}: {share['name']}",
                    "fewer records than its rate requires",
                    share["short"],
                )
        for key in DROP_KEYS:
            for reason, count in _largest_first(manifest.get(key)):
                yield run.planned[stage], reason, count
        for task in manifest.get("tasks", ()):
            of_several = f": {task['name']}" if len(manifest["tasks"]) > 1 else ""
            for reason, count in _largest_first(task.get("rejects", {})):
                yield f"{run.planned[stage]}{of_several}", reason, count
        yield from _of_evaluation(run, stage)


def _largest_first(counts: Any) -> list[tuple[str, int]]:
    if not isinstance(counts, Mapping):
        return []
    return sorted(((str(reason), int(count)) for reason, count in counts.items()), key=lambda one: (-one[1], one[0]))


def _of_evaluation(run: Run, stage: str) -> Iterator[tuple[str, str, int]]:
    """What an evaluation cut, and which answers were cut off."""
    _, _, rest = stage.partition("evaluation/")
    model, _, measured = rest.partition("/")
    evaluation = run.evaluations.get(measured, {}).get(model)
    if evaluation is None or not evaluation.results:
        return
    notes = evaluation.results[0].notes
    for ending, reason in ENDINGS.items():
        if notes.get("finish", {}).get(ending):
            yield run.planned[stage], f"{reason} (still scored)", int(notes["finish"][ending])
    for name, reason in CUTS.items():
        if notes.get(name):
            yield run.planned[stage], f"{reason} (still scored)", int(notes[name])


def stage_lines(run: Run) -> Iterator[tuple[str, str]]:
    """(stage, time it took) for every stage."""
    for stage in run.planned:
        seconds = run.stages.get(stage, {}).get("seconds")
        if stage in run.manifests:
            yield run.planned[stage], clock(seconds) if isinstance(seconds, int | float) else "done"
        else:
            yield run.planned[stage], "missing"


def commands(run: Run) -> Iterator[str]:
    """The commands that repeat the run."""
    yield str((run.manifest or {}).get("run", {}).get("repeat") or "symtune run recipe.yaml --out RUN_DIR")


def machine(run: Run) -> str:
    """The machine of the run, in words."""
    facts = (run.manifest or {}).get("run", {})
    parts = [f"{facts['cpus']} CPU cores" if facts.get("cpus") else "", str(facts.get("platform") or "")]
    if facts.get("peak_memory_bytes"):
        parts.append(f"peak memory {facts['peak_memory_bytes'] / 1e9:.1f} GB")
    took = [note.get("seconds") for note in run.stages.values() if isinstance(note, Mapping)]
    parts.append(f"{clock(sum(filter(None, took)))} in all" if any(took) else "")
    return ", ".join(part for part in parts if part)


def versions(manifests: Sequence[Json]) -> dict[str, str]:
    """Package -> version, for all packages recorded."""
    found: dict[str, str] = {}
    for manifest in manifests:
        found |= {str(name): str(version) for name, version in manifest.get("versions", {}).items()}
    return dict(sorted(found.items(), key=lambda item: (item[0] not in ("symtune", "python"), item[0])))


def hashes(manifests: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """(file, sha256) of inputs and outputs, by the folder of each manifest."""
    for stage, manifest in manifests.items():
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


def facts(run: Run) -> Iterator[tuple[str, str]]:
    """The arguments of the training, as recorded in its manifest."""
    for name, value in sorted(run.manifests.get("model", {}).get("arguments", {}).items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        yield name, text
