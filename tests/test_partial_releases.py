"""A release that lacks parts, from evaluation to report: no overall score, and nothing breaks because of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

import run_folder
from official_releases import bbh_release, mmlu_release
from symtune import benchmarks
from symtune.benchmarks import Format
from symtune.cli.evaluate import results_table
from symtune.cli.run import scores_table
from symtune.evaluation import Exam, evaluate, score_file
from symtune.evaluation.scoring import by_benchmark
from symtune.recipe.summary import comparisons, verdict
from symtune.reporting import report
from symtune.reporting.read import read_evaluations
from test_evaluate import Oracle

RELEASES = {"bbh": (bbh_release, "2 of 27 tasks"), "mmlu": (mmlu_release, "2 of 57 subjects")}


def measured(name: str, folder: Path, out: Path, wrong: tuple[int, ...] = ()) -> list:
    """The results of a model that is right except on the `wrong` questions, in the evaluation folder `out`."""
    benchmark = benchmarks.find(name)
    if not folder.exists():
        RELEASES[name][0](folder)
    format = Format(shots=benchmark.shots(folder, "test", 2))
    exam = Exam(benchmark, "test", benchmark.load(folder, "test"), format, benchmark.longest_answer(format))
    return evaluate(exam, Oracle(exam.questions, wrong=wrong), out)


def shown(what) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


@pytest.mark.parametrize("name", RELEASES)
def test_results_say_what_is_missing(tmp_path: Path, name: str) -> None:
    results = measured(name, tmp_path / "data", tmp_path / "out", wrong=(0,))
    stored = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert (stored[0]["score"], stored[0]["interval"], stored[0]["n"]) == (None, None, 3)
    assert stored[0]["notes"]["release"] == RELEASES[name][1]
    assert stored[0]["notes"]["shots"] == 2
    assert all(line["score"] is not None for line in stored if line["group"])
    text = shown(results_table(results))
    assert f"the release has only {RELEASES[name][1]}" in text
    assert "3 of " in text
    assert "majority" in text


@pytest.mark.parametrize("name", RELEASES)
def test_predictions_are_scored_again_without_the_data(tmp_path: Path, name: str) -> None:
    measured(name, tmp_path / "data", tmp_path / "out", wrong=(0,))
    scored = score_file(tmp_path / "out/predictions.jsonl", tmp_path / "s.jsonl", by_benchmark(benchmarks.find(name)))
    assert scored.scores == [0.0, 1.0, 1.0]


def test_a_run_with_it_is_compared_and_reported(tmp_path: Path) -> None:
    run = run_folder.write(tmp_path / "run")
    for model, wrong in (("before", (0, 1)), ("after", ()), ("control", (0, 1, 2))):
        shutil.rmtree(run / "evaluation" / model)
        measured("bbh", tmp_path / "data", run / "evaluation" / model / "bbh", wrong)
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    found = read_evaluations(run)
    lines = comparisons(found)
    manifest["comparisons"] = [line.model_dump() for line in lines]
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert "After training the model is" in verdict(lines)
    rows = [line.split()[:2] for line in shown(scores_table("bbh", found["bbh"], lines)).splitlines()]
    assert [row for row in rows if row[1:] == ["–"]] == [
        [name, "–"] for name in ("before", "chance", "control", "after")
    ]
    report(run, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "penguins_in_a_table" in page
    assert "No accuracy over all questions" in page
