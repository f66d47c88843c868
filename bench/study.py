"""The study: one small model, the same examples and tokens, different completions. What does a worked solution bring?

    python bench/study.py                              # the table of the results under recipes/study/results/
    python bench/study.py --run [--arms digits-full,digits-compact] [--seeds 7,8]   # run what is missing first
    python bench/study.py --run --arms digits-compact-control

An arm is a recipe in recipes/study/; with another seed, the training seed alone is another: examples and held-out
questions stay. ARM-control is the arm with its completions shuffled: what its format alone brings. Each run is
`symtune run`, 10 to 20 minutes on two idle cores; one that was interrupted resumes. Of a finished run, the results and
the manifest are kept in recipes/study/results/ARM-SEED/, so that the study can be done in pieces, on any machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent.parent
ARMS = HERE / "recipes" / "study"
RESULTS = ARMS / "results"
RUNS = HERE / "runs" / "study"
CONTROL = "-control"  # the end of the name of an arm's control
GROUPS = ("", "count", "aggregate", "superlative", "lookup")  # "" is all questions
WORKED = {"right_steps": "right, by right steps", "steps": "steps that hold"}  # of worked completions: metric -> column


def arms() -> list[str]:
    """The names of the arms: the recipes of the folder."""
    return sorted(path.stem for path in ARMS.glob("*.yaml"))


def said(arm: str) -> dict[str, Any]:
    """What the recipe of an arm, or of the arm of a control, says."""
    found: dict[str, Any] = yaml.safe_load((ARMS / f"{arm.removesuffix(CONTROL)}.yaml").read_text(encoding="utf-8"))
    return found


def recipe_of(arm: str, seed: int) -> Path:
    """The recipe of an arm, or of its control, with another seed, written beside the runs."""
    found = said(arm)
    found["seed"] = seed
    if arm.endswith(CONTROL):
        found["name"] += CONTROL
        found["train"]["shuffle_answers"] = True
    found["generate"]["tables"] = os.path.relpath(ARMS / found["generate"]["tables"], RUNS)
    RUNS.mkdir(parents=True, exist_ok=True)
    path = RUNS / f"{arm}-{seed}.yaml"
    path.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    return path


def run(arm: str, seed: int) -> None:
    """Run an arm, or resume it, and keep its results."""
    out = RUNS / f"{arm}-{seed}"
    command = [sys.executable, "-c", "from symtune.cli import main; main()", "run", str(recipe_of(arm, seed))]
    subprocess.run([*command, "--out", str(out)], check=True)
    kept = RESULTS / out.name
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / "evaluation/after/held_out/results.json", kept / "results.json")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["run"]["command"][0] = "symtune"
    text = json.dumps(manifest, indent=2).replace(f"{HERE}/", "")  # not where it lies on this machine
    (kept / "manifest.json").write_text(text + "\n", encoding="utf-8")


def table() -> str:
    """Correct answers in %, with 95 % intervals: a row for each run, a column for each kind of question, and for worked
    completions how many were right by right steps, and the share of their steps that hold."""
    columns = ["arm", "seed", "computed tokens", *(group or "all" for group in GROUPS), *WORKED.values()]
    lines = [f"| {' | '.join(columns)} |", "|---" + "|---:" * (len(columns) - 1) + "|"]
    for folder in sorted(RESULTS.glob("*-*")):
        arm, seed = folder.name.rsplit("-", 1)
        found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        scores = {(score["metric"], score["group"]): score for score in found}
        asked = [(found[0]["metric"], group) for group in GROUPS] + [(metric, "") for metric in WORKED]
        cells = [_cell(scores[key]) if key in scores else "" for key in asked]
        lines.append(f"| {' | '.join([arm, seed, format(said(arm)['train']['max_tokens'], ','), *cells])} |")
    return "\n".join(lines)


def _cell(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{100 * score['score']:.1f} [{100 * low:.1f}, {100 * high:.1f}] of {score['n']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run what is missing first")
    parser.add_argument("--arms", default=",".join(arms()), help="arms to run [all]")
    parser.add_argument("--seeds", default="7", help="seeds to run [7]")
    arguments = parser.parse_args()
    for seed in map(int, arguments.seeds.split(",")) if arguments.run else ():
        for arm in arguments.arms.split(","):
            if arm.removesuffix(CONTROL) not in arms():
                parser.error(f"no arm {arm!r}; there are {', '.join(arms())}, and each of them with {CONTROL}")
            if not (RESULTS / f"{arm}-{seed}" / "results.json").exists():
                run(arm, seed)
    print(table())


if __name__ == "__main__":
    main()
