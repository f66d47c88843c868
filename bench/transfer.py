"""Transfer: what training on executing SQL over real tables does to questions in English, and to other abilities.

    python bench/transfer.py          # the table of the results under recipes/transfer/results/
    python bench/transfer.py --run    # run the recipes that are missing first

Each recipe of recipes/transfer/ is one `symtune run`, of one to two hours on two idle cores; one that was interrupted
resumes. It reads official releases, which its comment names. Of a finished run, the manifest and the results of each
evaluation are kept in recipes/transfer/results/RECIPE/.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from keeping import HERE, keep_manifest, markdown, percent, symtune
from symtune.intervals import wilson

RECIPES = HERE / "recipes" / "transfer"
RESULTS = RECIPES / "results"
RUNS = HERE / "runs" / "transfer"
MODELS = ("before", "control", "after")  # of one run


def run(recipe: Path) -> None:
    """Run a recipe, or resume it, and keep its results."""
    out = RUNS / recipe.stem
    symtune("run", str(recipe), "--out", str(out))
    keep(out)


def keep(out: Path) -> None:
    """Copy what a finished run measured, and how."""
    kept = RESULTS / out.name
    for measured in sorted((out / "evaluation").glob("*/*/results.json")):
        path = kept / measured.parent.relative_to(out / "evaluation") / measured.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(measured, path)
    keep_manifest(out, kept / "manifest.json")


def table() -> str:
    """Right answers in %, with 95 % intervals: a row for each benchmark, a column for each model."""
    columns: list[str] = []
    rows: dict[str, dict[str, str]] = {}
    runs = sorted(path for path in RESULTS.glob("*") if path.is_dir())
    for model, folder in ((model, folder) for model in MODELS for folder in runs):
        column = model if model == "before" else f"{folder.name}, {model}"
        for path in sorted((folder / model).glob("*/results.json")):
            whole = json.loads(path.read_text(encoding="utf-8"))[0]
            row = ", ".join([path.parent.name, *filter(None, [whole["notes"].get("release"), f"n = {whole['n']}"])])
            rows.setdefault(row, {})[column] = _cell(whole)
            columns += [column] if column not in columns else []
    lines = ([row, *(cells.get(column, "") for column in columns)] for row, cells in rows.items())
    return markdown(["", *columns], lines)


def _cell(whole: dict[str, Any]) -> str:
    """A score and its interval; of a release that is not whole, and so has no score, the share of right answers."""
    n = whole["n"]
    score, interval = whole["score"], whole["interval"]
    if score is None:
        right = whole["notes"]["verdicts"].get("right", 0)
        score, interval = right / n, wilson(right, n)
    return percent(score, interval)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run what is missing first")
    for recipe in sorted(RECIPES.glob("*.yaml")) if parser.parse_args().run else ():
        if not (RESULTS / recipe.stem / "manifest.json").exists():
            run(recipe)
    print(table())


if __name__ == "__main__":
    main()
