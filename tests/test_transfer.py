"""Transfer: the recipes differ in what they say alone, and a finished run leaves a row for each benchmark."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import yaml

import run_folder
from symtune.intervals import wilson
from symtune.recipe.model import Recipe

ROOT = Path(__file__).parent.parent
BENCH = ROOT / "bench" / "transfer.py"
sys.path.insert(0, str(BENCH.parent))  # where the scripts find what they share


def test_the_recipes_differ_in_their_completions_alone() -> None:
    answers, worked = (
        yaml.safe_load((ROOT / f"recipes/transfer/{name}.yaml").read_text()) for name in ("answers", "worked")
    )
    assert worked["generate"]["options"].pop("solution") == "full"
    assert (answers.pop("control"), answers.pop("before")) == ({}, False)  # what both are compared with, each once
    for arm in (answers, worked):
        Recipe.model_validate(arm)
        del arm["name"], arm["generate"]["n"]
    assert worked == answers


def test_a_finished_run_leaves_its_results(tmp_path: Path) -> None:
    bench = runpy.run_path(str(BENCH))
    bench["keep"].__globals__["RESULTS"] = tmp_path / "results"
    bench["keep"](run_folder.write(tmp_path / "worked"))
    kept = tmp_path / "results" / "worked"
    assert json.loads((kept / "manifest.json").read_text())["symtune"] == "run"
    measured = sorted(path.relative_to(kept).parts for path in kept.glob("*/*/results.json"))
    assert measured
    head, _, *rows = bench["table"]().splitlines()
    assert head == "|  | before | worked, control | worked, after |"
    assert len(rows) == len({benchmark for _, benchmark, _ in measured})


def test_a_release_that_is_not_whole_has_a_share_of_right_answers(tmp_path: Path) -> None:
    bench = runpy.run_path(str(BENCH))
    part = {"n": 40, "score": None, "interval": None, "notes": {"verdicts": {"right": 10, "wrong": 30}}}
    low, high = wilson(10, 40)
    assert bench["_cell"](part) == f"25.0 [{100 * low:.1f}, {100 * high:.1f}]"
