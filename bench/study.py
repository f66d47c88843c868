"""The study: one small model, the same examples and tokens, different completions. What does a worked solution bring?

    python bench/study.py                              # the table of the results under recipes/study/results/
    python bench/study.py --run [--arms digits-full,digits-compact] [--seeds 7,8]   # run what is missing first
    python bench/study.py --run --arms digits-compact+control,digits-full+csv
    python bench/study.py --figures docs/figures                  # also draw the arms and the learning curves

An arm is a recipe in recipes/study/; with another seed, the training seed alone is another: examples and held-out
questions stay (but for arms whose examples have several parts, which have seeds of their own). ARM+CHANGE is the arm
with one change (`CHANGES`): with `+control`, its completions are shuffled, which tells what its format alone brings.
Each run is `symtune run`, 10 to 20 minutes on two idle cores with matrix units, 35 to 75 on one without; one that was
interrupted resumes. Of a finished run, the results, the manifests of run and training, the learning curve (of an arm
with snapshots, for the seed of its recipe) and the kinds of first wrong steps are kept in
recipes/study/results/ARM-SEED/, so that the study can be done in pieces, on any machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from figures import KINDS, draw
from keeping import HERE, keep_manifest, markdown, percent, symtune, write

ARMS = HERE / "recipes" / "study"
RESULTS = ARMS / "results"
RUNS = HERE / "runs" / "study"
CHANGED = "+"  # between the name of an arm and its change
# What an arm is changed in, by what is written behind its name and a +. The last five take back one step each of the
# way to the quick start; their questions remain the same, but for how tables are written and how long numbers are.
CHANGES: dict[str, dict[str, Any]] = {
    "control": {"train": {"shuffle_answers": True}},
    "long": {"train": {"max_tokens": 500_000, "snapshots": 4}},
    "scratch": {  # a decoder of a million parameters, from random weights, on smaller tables
        "model": {
            "architecture": "llama",
            "tokenizer": "tokenizer",
            "tie_word_embeddings": True,
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 2048,
        },
        "generate": {"n": 40_000, "rows": [3, 3], "columns": [2, 2]},
        "train": {"max_tokens": 3_000_000, "snapshots": 4, "learning_rate": 1.5e-3},
    },
    "float32": {"train": {"bf16": False}},  # what a CPU without matrix units for bfloat16 computes in by default
    "csv": {"generate": {"linearizations": ["csv"]}},
    "hundreds": {"generate": {"tables": "hundreds.jsonl"}},  # numbers below 100
    "eight": {"generate": {"programs": 8}, "heldout": {"programs": 4}},  # queries a table
    "wordings": {"generate": {"options": {"wording": None}}, "evaluate": [{"max_new_tokens": 240}]},  # all, not one
    "noroles": {"generate": {"options": {"roles": False}}, "heldout": {"options": {"roles": True}}},
}
GROUPS = ("", *KINDS)  # of questions; "" is all
WORKED = {"right_steps": "right, by right steps", "steps": "steps that hold"}  # of worked completions: metric -> column
COLUMNS = ["computed tokens", *(group or "all" for group in GROUPS), *WORKED.values()]


def arms() -> list[str]:
    """The names of the arms: the recipes of the folder."""
    return sorted(path.stem for path in ARMS.glob("*.yaml"))


def said(arm: str) -> dict[str, Any]:
    """What the recipe of an arm says, with its change, if there is one."""
    name, _, change = arm.partition(CHANGED)
    found: dict[str, Any] = yaml.safe_load((ARMS / f"{name}.yaml").read_text(encoding="utf-8"))
    if not change:
        return found
    found["train"].pop("snapshots", None)
    return _changed(found, CHANGES[change] | {"name": f"{found['name']}-{change}"})


def _changed(said: Any, change: Any) -> Any:
    """What is said, with the values that a change of the same form has in other places."""
    if isinstance(change, dict) and isinstance(said, dict):
        return said | {key: _changed(said.get(key), value) for key, value in change.items()}
    if isinstance(change, list) and isinstance(change[0], dict):
        return [_changed(*pair) for pair in zip(said, change, strict=True)]
    return change


def recipe_of(arm: str, seed: int) -> Path:
    """The recipe of an arm with another seed, written beside the runs. Only the recipe's own seed leaves a learning
    curve, since each of its points takes as long to measure as the end."""
    found = said(arm)
    if seed != found["seed"]:
        found["train"].pop("snapshots", None)
    found["seed"] = seed
    for part in (found["generate"], *found["generate"].get("steps", ())):
        if "tables" in part:
            part["tables"] = os.path.relpath(ARMS / part["tables"], RUNS)
    if isinstance(found["model"], dict) and found["model"]["tokenizer"] != "bytes":
        found["model"]["tokenizer"] = os.path.relpath(ARMS / found["model"]["tokenizer"], RUNS)
    RUNS.mkdir(parents=True, exist_ok=True)
    path = RUNS / f"{arm}-{seed}.yaml"
    path.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    return path


def run(arm: str, seed: int) -> None:
    """Run an arm, or resume it, and keep its results."""
    out = RUNS / f"{arm}-{seed}"
    symtune("run", str(recipe_of(arm, seed)), "--out", str(out))
    kept = RESULTS / out.name
    kept.mkdir(parents=True, exist_ok=True)
    measured = out / "evaluation/after/held_out"
    if curve := _curve(out):
        write(kept / "curve.json", curve)
    if counts := first_wrong(measured / "predictions.jsonl"):
        write(kept / "first_wrong.json", counts)
    keep_manifest(out, kept / "manifest.json")
    keep_manifest(out / "model", kept / "training.json")
    shutil.copy(measured / "results.json", kept / "results.json")  # last: it says that the run is finished


def _curve(out: Path) -> list[dict[str, Any]]:
    """The computed tokens and the scores of the snapshots of a training, measured like its end, and of the end; empty
    if it has none."""
    from symtune.training.snapshots import taken  # which imports torch, and the tables do not need it

    models = [folder for _, folder in taken(out / "model")]
    asked = yaml.safe_load((out / "recipe.yaml").read_text(encoding="utf-8"))["evaluate"][0]
    flags = ["--benchmark", "held_out", "--max-new-tokens", str(asked["max_new_tokens"])]
    measured = {model: out / "curve" / model.name for model in models}
    for model, folder in measured.items():
        if not (folder / "results.json").exists():
            symtune("evaluate", *flags, "--model", str(model), "--data", str(out / "heldout"), "--out", str(folder))
    ends = {out / "model": out / "evaluation/after/held_out"} if models else {}
    curve = []
    for model, folder in (measured | ends).items():
        scores = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        for score in scores:
            del score["notes"]
        tokens = json.loads((model / "manifest.json").read_text(encoding="utf-8"))["tokens"]
        curve.append({"tokens": tokens, "scores": scores})
    return curve


def first_wrong(predictions: Path) -> dict[str, int]:
    """How many of the solutions have which kind of first wrong step; empty where there are none."""
    counts: Counter[str] = Counter()
    with predictions.open(encoding="utf-8") as stream:
        for line in stream:
            if steps := json.loads(line).get("steps"):
                counts[_kind(steps["first_wrong"])] += 1
    return dict(counts.most_common())


def _kind(wrong: dict[str, Any] | None) -> str:
    """What went wrong in a step, by the verifier's words."""
    if wrong is None:
        return "none"
    said, expected = wrong["text"], re.match(r"""expected (["'])(.*)\1$""", wrong["fault"])
    if not expected:
        return "a running sum or count" if "where it says" in wrong["fault"] else "a step that is left out, or too many"
    (place, verdict), (due, true) = (_until_verdict(text) for text in (said, expected[2]))
    return "a comparison" if place == due and verdict != true else "what is read"


def _until_verdict(step: str) -> tuple[str, str]:
    """A step until the outcome of its comparison, and the outcome."""
    found = re.search(r" (yes|no|best)\b", step)
    return (step[: found.start()], found[1]) if found else (step, "")


def table() -> str:
    """Correct answers in %, with 95 % intervals: a row for each run, a column for each kind of question, and for worked
    completions how many were right by right steps, and the share of their steps that hold."""
    columns, rows = ["arm", "seed", *COLUMNS], []
    for path in sorted(RESULTS.glob("*/results.json")):
        arm, seed = path.parent.name.rsplit("-", 1)
        scores = json.loads(path.read_text(encoding="utf-8"))
        rows.append([arm, seed, format(said(arm)["train"]["max_tokens"], ","), *_cells(scores)])
    return markdown(columns, rows)


def curve_table() -> str:
    """The learning curves: a row for each point of each run with snapshots."""
    rows = []
    for path in sorted(RESULTS.glob("*/curve.json")):
        for point in json.loads(path.read_text(encoding="utf-8")):
            rows.append([path.parent.name, format(point["tokens"], ","), *_cells(point["scores"])])
    return markdown(["learning curve", *COLUMNS], rows) if rows else ""


def steps_table() -> str:
    """The kinds of the first wrong steps: a row for each run of worked solutions."""
    found = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*/first_wrong.json")
    }
    if not found:
        return ""
    kinds = list(dict.fromkeys(kind for counts in found.values() for kind in counts))
    rows = [[name, *(str(counts.get(kind, 0)) for kind in kinds)] for name, counts in sorted(found.items())]
    return markdown(["first wrong step", *kinds], rows)


def _cells(results: Sequence[dict[str, Any]]) -> list[str]:
    scores = {(score["metric"], score["group"]): score for score in results}
    asked = [(results[0]["metric"], group) for group in GROUPS] + [(metric, "") for metric in WORKED]
    return [_cell(scores[key]) if key in scores else "" for key in asked]


def _cell(score: dict[str, Any]) -> str:
    return f"{percent(score['score'], score['interval'])} of {score['n']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run what is missing first")
    parser.add_argument("--arms", default=",".join(arms()), help="arms to run [all that have a recipe]")
    parser.add_argument("--seeds", default="7", help="seeds to run [7]")
    parser.add_argument("--figures", type=Path, help="draw arms.svg and curves.svg in this folder")
    arguments = parser.parse_args()
    for seed in map(int, arguments.seeds.split(",")) if arguments.run else ():
        for arm in arguments.arms.split(","):
            name, _, change = arm.partition(CHANGED)
            if name not in arms() or (change and change not in CHANGES):
                changes = ", ".join(CHANGED + change for change in CHANGES)
                parser.error(f"no arm {arm!r}; there are {', '.join(arms())}, and each of them with {changes}")
            if not (RESULTS / f"{arm}-{seed}" / "results.json").exists():
                run(arm, seed)
    print(*filter(None, (table(), curve_table(), steps_table())), sep="\n\n")
    if arguments.figures:
        draw(RESULTS, arguments.figures)


if __name__ == "__main__":
    main()
