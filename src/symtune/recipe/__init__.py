"""A recipe -> every stage in order -> one run folder with its report.

    recipe = load(Path("recipes/quickstart.yaml"))
    run(recipe, Path("recipes/quickstart.yaml"), Path("runs/quickstart"))

A run that was interrupted resumes: stages whose arguments and inputs are the same are kept.
"""

from __future__ import annotations

import os
import platform
import resource
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from symtune.output import MANIFEST, check_writable, versions, write_manifest
from symtune.recipe.faults import load
from symtune.recipe.model import Recipe
from symtune.recipe.runner import RECIPE, Stage, Watch, check_stages, run_stages
from symtune.recipe.stages import ControlLength, own_files, stages
from symtune.recipe.summary import comparisons
from symtune.reporting import report
from symtune.reporting.read import read_evaluations
from symtune.types import OutputError

__all__ = ["ControlLength", "Recipe", "Stage", "Watch", "load", "run", "run_folder"]


def run_folder(recipe: Recipe) -> Path:
    """Where a recipe runs by default: `runs/NAME`."""
    return Path("runs") / recipe.name


def run(
    recipe: Recipe,
    path: Path,
    out: Path,
    watching: Callable[[list[Stage]], AbstractContextManager[Watch]],
    *,
    control: ControlLength = "short",
    overwrite: bool = False,
) -> Path:
    """Run every stage of `recipe`, read from the file `path`, into the run folder `out`; return the report's path.

    `watching(stages)` gives the context in which the stages are watched. Raises OutputError, before anything
    runs, where `out` holds anything but a run with the same arguments (with `overwrite`, what differs is made
    again), and what the stages raise.
    """
    check_run_folder(out)
    planned = stages(recipe, path.parent, out, control)
    check_stages(planned, out, overwrite=overwrite)
    with watching(planned) as watch:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        if path.resolve() != (out / RECIPE).resolve():
            (out / RECIPE).write_bytes(path.read_bytes())
        run_stages(planned, out, watch, overwrite=overwrite)
    lines = comparisons(read_evaluations(out))
    body = {
        "stages": [stage.name for stage in planned],
        "comparisons": [line.model_dump() for line in lines],
        "versions": versions("torch", "transformers", "pyarrow"),
    }
    facts = {
        "repeat": shlex.join(["symtune", "run", str(path), "--out", str(out), "--control", control]),
        "cpus": os.cpu_count(),
        "platform": platform.platform(),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    write_manifest(out, "run", {"recipe": recipe.name, "control": control}, body, facts)
    return report(out, tasks=own_files(recipe, path.parent))


def check_run_folder(out: Path) -> None:
    """Raise OutputError if `out` is not a run folder and cannot become one."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; choose another --out")
    if out.is_dir() and any(out.iterdir()) and not (out / RECIPE).is_file():
        raise OutputError(f"{out} is not a run folder (no {RECIPE}); choose another --out")
    check_writable(out / RECIPE, overwrite=True)
