"""Prompt selection: every template on validation, one chosen, the test split asked with it, further runs marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from symtune import benchmarks
from symtune.evaluation import (
    Asking,
    SelectConfig,
    candidates,
    evaluate,
    prepare,
    read_selection,
    select,
)
from symtune.evaluation.selection import Selection
from symtune.intervals import wilson
from symtune.types import Completion, InputError, OutputError, UnknownName
from test_benchmarks import MADE, gsm8k_release
from test_evaluate import Oracle


class Reader(Oracle):
    """Right on question n of a template if `right` says so; fails at its `breaks`-th answer."""

    def __init__(self, right: dict[str, set[int]], exams: Any, breaks: int = -1, **facts: str) -> None:
        questions = next(iter(exams.values())).questions
        super().__init__(questions)
        self.right, self.breaks, self.said = right, breaks, {"name": "reader", **facts}
        self.template = {
            prompt.text: (name, index)
            for name, exam in exams.items()
            for index, prompt in enumerate(exam.prompts(self))
        }

    def completion(self, index: int, prompt: str) -> Completion:
        if len(self.asked) == self.breaks:
            raise KeyboardInterrupt
        name, place = self.template.get(prompt, ("", 0))
        return Completion(self.questions[index].target[0] if place in self.right.get(name, ()) else "no idea")

    def facts(self) -> dict[str, Any]:
        return self.said


RIGHT = {"gsm8k/plain": {0}, "gsm8k/03": {0, 2}, "gsm8k/05": {1, 2}}


def config_of(tmp_path: Path, **changed: Any) -> SelectConfig:
    data = tmp_path / "data"
    if not data.exists():
        gsm8k_release(data)
    said = {"benchmark": "gsm8k", "model": "reader", "data": data, "out": tmp_path / "prompt.json", **changed}
    return SelectConfig.of(said)


def chosen(tmp_path: Path, **facts: str) -> Selection:
    config = config_of(tmp_path)
    exams = candidates(config)
    return select(exams, Reader(RIGHT, exams, **facts), config)


def test_the_highest_score_is_chosen_and_of_several_the_first(tmp_path: Path) -> None:
    selection = chosen(tmp_path)
    assert read_selection(tmp_path / "prompt.json").model_copy(update={"path": ""}) == selection
    names = [template.id for template in benchmarks.find("gsm8k").templates]
    assert [score.template for score in selection.scores] == names
    assert selection.chosen == min(("gsm8k/03", "gsm8k/05"), key=names.index)
    assert (selection.split, selection.questions, selection.limit) == ("train", 3, 200)
    by_name = {score.template: score for score in selection.scores}
    assert by_name["gsm8k/03"].score == pytest.approx(2 / 3)
    assert by_name["gsm8k/03"].interval == wilson(2, 3)
    assert (selection.minimum, selection.maximum) == (0.0, pytest.approx(2 / 3))
    assert selection.mean == pytest.approx(5 / 3 / len(names))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "prompt.json"]
    before = (tmp_path / "prompt.json").read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        chosen(tmp_path)
    (tmp_path / "prompt.json").unlink()
    chosen(tmp_path)
    assert (tmp_path / "prompt.json").read_bytes() == before


def test_an_interrupted_selection_resumes(tmp_path: Path) -> None:
    whole = chosen(tmp_path)
    (tmp_path / "prompt.json").unlink()
    config = config_of(tmp_path)
    exams = candidates(config)
    with pytest.raises(KeyboardInterrupt):
        select(exams, Reader(RIGHT, exams, breaks=8), config)
    assert not (tmp_path / "prompt.json").exists()
    other = config_of(tmp_path, limit=2)
    with pytest.raises(OutputError, match="unfinished work with other arguments"):
        select(candidates(other), Reader(RIGHT, exams), other)
    again = Reader(RIGHT, exams)
    assert select(exams, again, config) == whole
    assert len(again.asked) == 3 * len(exams) - 7  # the eighth answer was never given


def test_the_test_split_is_asked_with_the_chosen_prompt_and_other_runs_are_marked(tmp_path: Path) -> None:
    selection = chosen(tmp_path)
    data, runs = tmp_path / "data", tmp_path / "runs"

    def run(folder: str, asking: Asking, given: Selection | None, **facts: str) -> dict[str, Any]:
        exam = prepare(asking, data, selection=given)
        model = Reader({}, {"": exam}, **facts)
        notes = evaluate(exam, model, runs / folder, overwrite=True)[0].notes
        assert json.loads((runs / folder / "results.json").read_text())[0]["notes"] == notes
        return {"split": exam.split, "format": notes["format"], **notes["prompt_selection"]}

    told = {
        "chosen": selection.chosen,
        "templates": len(selection.scores),
        "questions": 3,
        "minimum": selection.minimum,
        "mean": selection.mean,
        "maximum": selection.maximum,
    }
    asking = Asking(benchmark="gsm8k")
    first = run("first", asking, selection)
    assert first == {
        "split": "test",
        "selection_split": "train",
        **told,
        "prompt": "chosen",
        "format": selection.chosen,
    }
    other = Asking(benchmark="gsm8k", template="04")
    further = {"further_test_run": True, "other_test_runs": [selection.chosen]}
    second = {"prompt": "another than chosen", "format": "gsm8k/04", **further}
    assert run("second", other, selection) == {**first, **second}
    (tmp_path / "prompt.json").rename(runs / "prompt.json")  # found beside the output folder
    assert run("second", other, None) == {**first, **second}
    assert run("first", asking, selection)["other_test_runs"] == ["gsm8k/04"]
    assert run("second", asking, None)["prompt"] == "another than chosen"  # replaced, and still known
    assert run("second", asking, None)["other_test_runs"] == [selection.chosen, "gsm8k/04"]
    nobody = {"split": "test", "format": "gsm8k/04", "prompt": "none chosen"}
    assert run("third", other, None, name="another") == nobody
    scores = json.loads((runs / "first" / "manifest.json").read_text())["prompt_scores"]
    assert [score["template"] for score in scores] == [score.template for score in selection.scores]


def test_a_selection_is_of_one_benchmark_and_one_model(tmp_path: Path) -> None:
    selection = chosen(tmp_path, weights_sha256="ab" * 32).model_copy(update={"path": "prompt.json"})
    with pytest.raises(InputError, match=r"prompt\.json: selected for gsm8k, not svamp"):
        prepare(Asking(benchmark="svamp"), tmp_path / "data", selection=selection)
    exam = prepare(Asking(benchmark="gsm8k"), tmp_path / "data", selection=selection)
    model = Reader({}, {"": exam}, weights_sha256="cd" * 32)
    with pytest.raises(InputError, match=r"prompt\.json: selected for the model reader.*weights abab.*, not cdcd"):
        evaluate(exam, model, tmp_path / "out")
    assert model.asked == []
    renamed = Reader({}, {"": exam}, name="moved", weights_sha256="ab" * 32)
    assert evaluate(exam, renamed, tmp_path / "out")[0].notes["prompt_selection"]["prompt"] == "chosen"


@pytest.mark.parametrize("name", benchmarks.names())
def test_every_benchmark_selects_on_a_split_that_is_not_its_test(tmp_path: Path, name: str) -> None:
    make, _ = MADE[name]
    data = make(tmp_path / "data", split="validation") if name == "held_out" else make(tmp_path / "data")
    config = config_of(tmp_path, benchmark=name, limit=2)
    if name == "bbh":
        with pytest.raises(InputError, match="bbh has no questions outside its test split"):
            candidates(config)
        return
    exams = candidates(config)
    assert {exam.split for exam in exams.values()} == {"train" if name == "gsm8k" else "validation"}
    assert len(exams) >= 2
    formats = [exam.benchmark.template_name(exam.format) for exam in exams.values()]
    assert formats == list(exams)
    one = candidates(config_of(tmp_path, benchmark=name, templates=formats[1]))
    assert list(one) == formats[1:2]
    assert data.exists()


def test_what_cannot_be_selected_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="unknown prompt template 'nine'"):
        candidates(config_of(tmp_path, templates="nine"))
    MADE["mmlu"][0](tmp_path / "mmlu")
    for path in (tmp_path / "mmlu" / "data" / "val").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"val.*no such file"):
        candidates(config_of(tmp_path, benchmark="mmlu", data=tmp_path / "mmlu"))
    wrong = tmp_path / "wrong.json"
    for content in ("{", "[]", '{"symtune": "evaluate"}', "\xff"):
        wrong.write_bytes(content.encode("latin-1"))
        with pytest.raises(InputError, match=r"wrong\.json: not a selection"):
            read_selection(wrong)
    wrong.write_text('{"symtune": "select-prompt", "benchmark": 1}')
    with pytest.raises(InputError, match=r"wrong\.json: benchmark: "):
        read_selection(wrong)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_selection(tmp_path / "absent.json")
