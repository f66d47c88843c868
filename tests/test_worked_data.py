"""Worked solutions through the verbs: generated, audited, shown, measured and reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import run_folder
from symtune import dataset
from symtune.audit import audit
from symtune.benchmarks import Format, find
from symtune.evaluation import Exam, evaluate
from symtune.generation import generate
from symtune.generation.config import GenerateConfig
from symtune.reporting import report
from symtune.types import FORMS
from symtune.worked import parted
from test_evaluate import Oracle, read_lines
from test_generate import symtune

OWN = Path(__file__).parent / "own_tasks" / "running_total.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set of each form, of two tasks."""
    folder = tmp_path_factory.mktemp("made")
    for form in FORMS:
        config = GenerateConfig(
            out=folder / form, n=160, seed=1, split="test", task=("sql_execution", str(OWN)), options={"solution": form}
        )
        generate(config)
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_every_line_holds(made, form):
    found = audit(made / form, tasks=[str(OWN)])
    assert (found.agreed, found.failures) == (160, {})
    rows = list(dataset.read_rows(made / form))
    assert {json.loads(row["info"])["solution"] for row in rows} == {form}
    assert all(parted(row["completion"])[1] == row["answer"] for row in rows)


def test_the_card_and_the_manifest_say_what_solutions_cost(made):
    said = json.loads((made / "compact" / "manifest.json").read_text("utf-8"))
    for task in said["tasks"]:
        means = task["statistics"]["mean"]
        assert means["completion_characters"] > means["answer_characters"]
        assert sum(task["statistics"]["solution_length"].values()) == task["examples"] == 80
        assert all(0 < share <= 1 for share in task["unsolved"].values())
    assert "no solution" in said["tasks"][1]["rejects"]
    card = (made / "compact" / "README.md").read_text("utf-8")
    assert "Completions are worked solutions" in card
    assert "## Characters of a worked solution" in card
    assert "## Examples rejected for lack of a worked solution" in card


def lines_of(folder: Path, form: str) -> list[dict]:
    return [{**line.row, "info": line.info()} for line in dataset.lines(folder / form)]


def tampered(row: dict, **changes) -> dict:
    info = {**row["info"], **changes.pop("info", {})}
    if "tables" in info:
        info["tables"] = [table.to_json() for table in info["tables"]]
    return {**row, **changes, "info": info}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda row: {}, None),
        (lambda row: {"completion": row["answer"]}, "completion differs"),
        (lambda row: {"completion": row["completion"] + "1"}, "completion differs"),
        (lambda row: {"completion": row["completion"].replace("\n", "\nhm\n", 1)}, "solution differs"),
        (lambda row: {"completion": row["completion"].partition("\n")[2]}, "solution differs"),
        (lambda row: {"info": {"solution": "full"}}, "solution differs"),
        (lambda row: {"info": {"solution": "none"}}, "completion differs"),
        (lambda row: {"info": {"solution": "long"}}, "unreadable fields"),
        (lambda row: {"completion": None}, "completion differs"),
    ],
)
def test_a_solution_that_was_changed_is_found(made, tmp_path, change, reason):
    rows = [row for row in lines_of(made, "compact") if len(row["completion"].split("\n")) > 2]
    rows = [row for row in rows if row["info"].get("query_type") == "aggregate" or row["task"] == "running_total"]
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(tampered(row, **change(row))) + "\n" for row in rows), "utf-8")
    found = audit(path, tasks=[str(OWN)])
    assert rows
    if reason is None:
        assert not found.failures
    else:
        assert found.failures[reason] == len(rows) or (reason == "solution differs" and found.failures[reason] > 0)


class Pupil(Oracle):
    """A model that shows its work: with right steps, with a wrong step, with a wrong answer, or not at all."""

    def completion(self, index, prompt):
        question = self.questions[index]
        found = super().completion(index, prompt)
        right = WORKED[question.id]
        steps, answer = parted(right)
        lines = steps.split("\n")
        said = {
            0: right + "\n\nQuestion: and the next one?\nAnswer: 12345",
            1: "\n".join([*lines[:-1], "row 1 is surely right", f"Answer: {answer}"]),
            2: f"{steps}\nAnswer: nobody knows",
            3: answer,
        }[index % 4]
        return type(found)(said, "stop", found.tokens_in, found.tokens_out)


WORKED: dict[str, str] = {}


def test_a_model_that_shows_its_work_is_scored_by_its_steps(made, tmp_path):
    data = made / "compact"
    WORKED.update({row["id"]: row["completion"] for row in dataset.read_rows(data)})
    benchmark = find("held_out", [str(OWN)])
    questions = benchmark.load(data, "test")
    longest = benchmark.longest_answer(Format(), questions)
    assert longest > 64
    exam = Exam(benchmark, "test", questions, Format(), longest)
    results = evaluate(exam, Pupil(questions), tmp_path / "out")
    scores = {one.metric: (one.score, one.n) for one in results if not one.group}
    assert scores["denotation"] == (0.75, 160)
    assert scores["exact_match"] == (0.75, 160)
    assert scores["right_steps"] == (0.25, 160)
    assert scores["wrong_steps"] == (0.5, 160)  # a wrong one among them, and no steps at all
    assert 0.5 < scores["steps"][0] < 0.75
    assert scores["process"][0] == pytest.approx((0.75 + scores["steps"][0]) / 2)
    lines = read_lines(tmp_path / "out" / "predictions.jsonl")
    for index, line in enumerate(lines):
        steps = line["steps"]
        assert line["correct"] is (index % 4 != 2)
        assert (steps["first_wrong"] is None) is (index % 4 in (0, 2))
        if index % 4 == 1:
            assert steps["first_wrong"]["text"] == "row 1 is surely right"
            assert steps["first_wrong"]["fault"]
        assert steps["hold"] <= steps["written"]


def test_examples_without_solutions_have_no_such_metrics(tmp_path):
    generate(GenerateConfig(out=tmp_path / "data", n=8, split="test"))
    benchmark = find("held_out")
    questions = benchmark.load(tmp_path / "data", "test")
    results = evaluate(Exam(benchmark, "test", questions, Format(), 64), Oracle(questions), tmp_path / "out")
    assert {one.metric for one in results} == {"denotation", "exact_match"}
    assert all("steps" not in line for line in read_lines(tmp_path / "out" / "predictions.jsonl"))


def test_show_prints_the_worked_completion(made):
    shown = symtune("show", made / "compact", "-n", 3, "--task", OWN, "--no-prompts").stdout
    assert shown.count("worked solution   compact") == 3
    assert shown.count("Answer: ") == 3


def test_the_report_marks_the_first_wrong_step(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_folder.write(tmp_path / "whole"), run)
    path = run / "evaluation" / "after" / "held_out" / "predictions.jsonl"
    lines = read_lines(path)
    first = {"step": 2, "text": "<b>second</b>", "fault": "expected 'another'"}
    for line in lines:
        line["text"] = "first\n  <b>second</b>\nthird\nAnswer: 4"
        line["steps"] = {"written": 3, "hold": 2, "left_out": 1, "first_wrong": first}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    page = report(run).read_text("utf-8")
    steps = ("right", "first"), ("wrong", "  &lt;b&gt;second&lt;/b&gt;"), ("unmarked", "third")
    shown = "".join(f'<li class="{mark}">{text}</li>' for mark, text in steps)
    worst, examples = (page.index(f"<h2>{title}") for title in ("The worst errors", "What the data looks like"))
    assert shown in page[worst:examples]
    assert shown in page[examples:]
    assert "2 of 4 steps hold; step 2: expected &#39;another&#39;" in page


def test_flags_say_what_is_wrong(tmp_path):
    done = symtune("generate", "--set", "solution=short", "--out", tmp_path / "x")
    assert done.returncode == 2
    assert "solution" in done.stderr
    assert "compact" in done.stderr
