"""Runs stages in order, skips those that are done, and resumes a run that was interrupted.

A stage writes one folder of the run, which gets its final name only when it is complete. Before a stage begins,
`stages.json` records what determines its outcome: its arguments, the digests of the files it reads, and the same for
every stage it depends on. A stage is done if its folder exists and that record is unchanged.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from symtune.output import MANIFEST, new_file
from symtune.recipe.child import Advance, in_child
from symtune.seeds import digest
from symtune.types import OutputError

STAGES = "stages.json"
RECIPE = "recipe.yaml"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run. `work(folder, advance)` writes the folder and returns a short note for people."""

    name: str  # its folder in the run
    title: str
    arguments: Mapping[str, Any]  # everything that determines its outcome, besides the stages it depends on
    follows: tuple[str, ...]
    seconds: float  # an estimate for two CPU cores and the quick start's model, from which the time left starts
    work: Callable[[Path, Advance], str]
    apart: bool = False  # runs in a separate process, because it computes with a model
    kind: str = ""  # shared by stages whose estimates are wrong by the same factor: trainings, one benchmark


class Watch(Protocol):
    """Follows the progress of a run, to show it."""

    def begin(self, stage: Stage) -> None:
        """A stage begins."""

    def advance(self, done: int, of: int) -> None:
        """The current stage has done this many of its units of work."""

    def end(self, stage: Stage, note: str, *, skipped: bool) -> None:
        """A stage is done, or (`skipped`) was done in an earlier run."""


def check_stages(stages: Sequence[Stage], out: Path, *, overwrite: bool = False) -> set[str]:
    """The names of the stages that are done in the run folder `out`. Raises OutputError if a stage was done with
    other arguments and `overwrite` is not set.
    """
    notes, keys = _read_notes(out), _keys(stages)
    done = {stage.name for stage in stages if _done(out, stage, notes, keys)}
    for stage in stages:
        if stage.name not in done and (out / stage.name / MANIFEST).is_file() and not overwrite:
            raise OutputError(
                f"{out}: the stage {stage.name} was made {_difference(stage, notes)}; add --overwrite to run it "
                "and every later stage again, or choose another --out"
            )
    return done


def run_stages(stages: Sequence[Stage], out: Path, watch: Watch, *, overwrite: bool = False) -> None:
    """Run every stage of the run folder `out` that is not done, in order.

    Raises OutputError as `check_stages` does, before anything runs; with `overwrite`, a stage that was done with
    other arguments and those that follow it are done again.
    """
    done = check_stages(stages, out, overwrite=overwrite)
    notes, keys = _read_notes(out), _keys(stages)
    for stage in stages:
        watch.begin(stage)
        if stage.name in done:
            watch.end(stage, str(notes[stage.name].get("note", "")), skipped=True)
            continue
        shutil.rmtree(out / stage.name, ignore_errors=True)
        notes[stage.name] = {"key": keys[stage.name], "arguments": dict(stage.arguments)}
        _write_notes(out, stages, notes)
        started = time.monotonic()
        (out / stage.name).parent.mkdir(parents=True, exist_ok=True)
        work = partial(stage.work, out / stage.name)
        note = in_child(work, watch.advance) if stage.apart else work(watch.advance)
        notes[stage.name] |= {"seconds": round(time.monotonic() - started, 1), "note": note}
        _write_notes(out, stages, notes)
        watch.end(stage, note, skipped=False)


def _read_notes(out: Path) -> dict[str, dict[str, Any]]:
    """What `stages.json` says about each stage begun; nothing if it is absent or broken (then no stage is done)."""
    try:
        notes = json.loads((out / STAGES).read_text("utf-8"))["begun"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _write_notes(out: Path, stages: Sequence[Stage], notes: Mapping[str, Any]) -> None:
    content = {"planned": {stage.name: stage.title for stage in stages}, "begun": notes}
    with new_file(out / STAGES, overwrite=True) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", "utf-8")


def _keys(stages: Sequence[Stage]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for stage in stages:
        arguments = json.dumps(stage.arguments, sort_keys=True, default=str)
        before = [keys[name] for name in stage.follows]
        keys[stage.name] = digest(stage.name, arguments, *before).hex()
    return keys


def _done(out: Path, stage: Stage, notes: Mapping[str, Any], keys: Mapping[str, str]) -> bool:
    same = notes.get(stage.name, {}).get("key") == keys[stage.name]
    return same and (out / stage.name / MANIFEST).is_file()


def _difference(stage: Stage, notes: Mapping[str, Any]) -> str:
    """How the arguments of a stage differ from those with which it was run, in words."""
    was = notes.get(stage.name, {}).get("arguments")
    if was is None:
        return "by hand or by another version"
    now = json.loads(json.dumps(dict(stage.arguments), default=str))
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            return f"with other arguments ({name}: was {_shown(was.get(name))}, is {_shown(now.get(name))})"
    return "from other data (an earlier stage has changed)"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
