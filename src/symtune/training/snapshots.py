"""Snapshots: the model at evenly spaced points of a training, for a learning curve.

OUT/snapshots/step-40/     a model folder like OUT, which is the model at the end
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import transformers

from symtune.models.local import LoadedModel
from symtune.training import checkpoints

FOLDER, PREFIX = "snapshots", "step-"


def points(steps: int, count: int) -> list[int]:
    """The optimizer steps, of so many, after which a snapshot is taken: `count` of them, or fewer in a short training,
    all before the end."""
    return sorted({round(k * steps / (count + 1)) for k in range(1, count + 1)} - {0, steps})


class Snapshots(transformers.TrainerCallback):
    """Takes a snapshot of the weights after each of these steps, in `working`. Raises OutputError if it cannot."""

    def __init__(self, loaded: LoadedModel, working: Path, after: list[int]) -> None:
        self.loaded, self.folder, self.after = loaded, working / FOLDER, after

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called before a checkpoint of the same step is written: a training that resumes has all earlier ones."""
        if state.global_step not in self.after or not state.is_world_process_zero:
            return
        partial = self.folder / f".{PREFIX}{state.global_step}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with checkpoints.writing(partial):
            partial.mkdir(parents=True)
            self.loaded.model.save_pretrained(partial)
            self.loaded.tokenizer.save_pretrained(partial)
            final = partial.with_name(f"{PREFIX}{state.global_step}")
            shutil.rmtree(final, ignore_errors=True)
            partial.rename(final)


def taken(out: Path) -> Iterator[tuple[int, Path]]:
    """(step, folder) of each snapshot in a working folder or a model folder, in order."""
    found = {int(path.name.removeprefix(PREFIX)): path for path in (out / FOLDER).glob(f"{PREFIX}*")}
    yield from sorted(found.items())
