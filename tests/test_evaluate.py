"""Evaluation with a Generate that is a plain function; score files; the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from symtune import benchmarks, cli
from symtune.benchmarks import Format, find
from symtune.evaluation import Exam, evaluate, score_file
from symtune.evaluation.scoring import by_benchmark, by_metric
from symtune.intervals import wilson
from symtune.types import Completion, InputError, OutputError, Result, SymtuneError, UnknownName
from test_benchmarks import MADE, gsm8k_release, wtq_release

ROOM = 10_000


@dataclass
class Oracle:
    """A model that answers each prompt with the gold answer in prose, last prompt first; the `wrong` ones wrongly."""

    questions: Sequence[Any]
    wrong: Sequence[int] = ()
    reads: int = ROOM  # characters
    name: str = "gold"
    asked: list[int] = field(default_factory=list)

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, done: Collection[int] = ()
    ) -> Iterator[tuple[int, Completion]]:
        assert len(prompts) == len(self.questions)
        for index in reversed(range(len(prompts))):
            if index not in done:
                self.asked.append(index)
                yield index, self.completion(index, prompts[index])

    def completion(self, index: int, prompt: str) -> Completion:
        if index in self.wrong:
            return Completion("I do not know \ud800", "length", len(prompt), 5)
        return Completion(f"The answer is {' | '.join(self.questions[index].target)}.", "stop", len(prompt), 5)

    def measure(self, text: str) -> int:
        return len(text)

    def room(self, new: int) -> int:
        return self.reads

    def facts(self) -> dict[str, Any]:
        return {"name": self.name}


def exam_of(tmp_path: Path, name: str = "held_out", **settings: Any) -> Exam:
    benchmark, data = find(name), tmp_path / "data"
    if not data.exists():
        make = partial(wtq_release, rows=30) if name == "wikitablequestions" else MADE[name][0]
        make(data)
    split = benchmark.split(data, None)
    chosen = {"format": Format(), "max_new_tokens": 64, **settings}
    return Exam(benchmark, split, benchmark.load(data, split), **chosen)


def run(tmp_path: Path, name: str = "held_out", model: Any = None, **options: Any) -> list[Result]:
    exam = exam_of(tmp_path, name)
    return evaluate(exam, model or Oracle(exam.questions, wrong=[1]), tmp_path / "out", **options)


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_scores_groups_chance_and_files(tmp_path: Path) -> None:
    seen = []
    results = run(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert [(r.metric, r.group, r.n) for r in results] == [
        ("denotation", "", 3),
        ("exact_match", "", 3),
        ("denotation", "count", 1),
        ("denotation", "difficulty: 1 to 2", 3),
        ("denotation", "lookup", 2),
    ]
    assert [r.score for r in results] == [pytest.approx(2 / 3), 0.0, 1.0, pytest.approx(2 / 3), 0.5]
    assert results[0].interval == wilson(2, 3)
    assert results[0].notes["finish"] == {"length": 1, "stop": 2}
    assert [r.notes.get("chance") for r in results] == [0.25, None, 0.25, 0.25, 0.25]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "errors.jsonl", "manifest.json", "predictions.jsonl", "results.json",
    ]  # fmt: skip
    (error,) = read_lines(out / "errors.jsonl")
    assert (error["id"][-1], error["verdict"], error["question"]) == ("1", "truncated", "SELECT\n  City\nFROM w")
    assert (len(error["tables"][0]["rows"]), error["tables"][0]["of_rows"]) == (20, 20)
    stored = json.loads((out / "results.json").read_text("utf-8"))
    assert [line["score"] for line in stored] == [r.score for r in results]
    lines = read_lines(out / "predictions.jsonl")
    assert [line["id"][-1] for line in lines] == ["0", "1", "2"]  # as they were asked
    assert list(lines[0]) == [
        "id", "prompt_tokens", "completion_tokens", "text", "prediction", "target", "score", "correct", "verdict",
        "groups", "chance", "finish", "rows_cut", "shots_dropped",
    ]  # fmt: skip
    assert lines[2]["prediction"] == lines[2]["target"] == ["c0 ; 0", "c1 ; 1"]
    assert [line["correct"] for line in lines] == [True, False, True]
    assert [line["verdict"] for line in lines] == ["right", "truncated", "right"]
    assert results[0].notes["verdicts"] == {"right": 2, "truncated": 1}
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["symtune"] == "evaluate"
    assert manifest["model"] == {"name": "gold"}
    assert manifest["format"] == "stored"


def test_long_tables_are_cut_counted_and_scored(tmp_path: Path) -> None:
    exam = exam_of(tmp_path, "wikitablequestions")
    results = evaluate(exam, Oracle(exam.questions, wrong=[1], reads=300), tmp_path / "out")
    notes = results[0].notes
    assert notes["tables_cut"] == 3
    assert results[0].n == 3
    assert results[0].score == pytest.approx(2 / 3)
    lines = read_lines(tmp_path / "out/predictions.jsonl")
    assert sum(line["rows_cut"] for line in lines) == notes["rows_cut"] > 30
    assert max(line["prompt_tokens"] for line in lines) <= 300
    assert notes["without_canonical_value"] == 1


def test_a_benchmark_without_tables_with_shots(tmp_path: Path) -> None:
    data = gsm8k_release(tmp_path / "data")
    shots = find("gsm8k").shots(data, "test", 2)
    exam = exam_of(tmp_path, "gsm8k", format=Format("plain", shots=shots), budget=150)
    results = evaluate(exam, Oracle(exam.questions), tmp_path / "out")
    assert [(one.metric, one.score) for one in results] == [("number_match", 1.0), ("official", 0.0)]
    notes = results[0].notes
    assert (notes["shots"], "chance" in notes) == (2, False)
    assert 0 < notes["shots_dropped"] < 6


def test_the_same_answers_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path / name)
    for file in ("predictions.jsonl", "results.json"):
        assert (tmp_path / "one/out" / file).read_bytes() == (tmp_path / "two/out" / file).read_bytes()


@dataclass
class Told(Oracle):
    """A model that says what it is told to say, and may fail."""

    pairs: Sequence[int] = ()
    breaks: bool = False

    def generate(
        self, prompts: Sequence[str], max_new_tokens: int, done: Collection[int] = ()
    ) -> Iterator[tuple[int, Completion]]:
        for index in self.pairs:
            yield index, Completion("x")
        if self.breaks:
            raise MemoryError


def test_a_model_that_breaks_leaves_its_predictions_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        run(tmp_path, model=Told((), pairs=[2], breaks=True))
    assert not (tmp_path / "out").exists()
    assert json.loads((tmp_path / ".out.working" / "work.json").read_text("utf-8"))["benchmark"] == "held_out"
    assert len(read_lines(tmp_path / ".out.working" / "predictions.jsonl")) == 1


@pytest.mark.parametrize(
    ("indices", "fault"),
    [([0, 1], "no completion for 1 of 3"), ([0, 0, 1], "a second completion"), ([0, 1, 7], "prompt 7 of 3")],
)
def test_each_prompt_must_get_one_completion(tmp_path: Path, indices: list[int], fault: str) -> None:
    with pytest.raises(SymtuneError, match=fault):
        run(tmp_path, model=Told((), pairs=indices))
    assert not (tmp_path / "out").exists()


FILES = ("predictions.jsonl", "results.json")


@pytest.mark.parametrize("torn", ["", '{"id": "sql_execution/1/test/7/0/1", "te', "\x00\n", "[1]\n"])
def test_an_interrupted_evaluation_goes_on_from_its_predictions(tmp_path: Path, torn: str) -> None:
    exam = exam_of(tmp_path)
    evaluate(exam, Oracle(exam.questions, wrong=[1]), tmp_path / "whole")

    class Broken(Oracle):
        def completion(self, index: int, prompt: str) -> Completion:
            if index == 0:
                raise MemoryError
            return super().completion(index, prompt)

    with pytest.raises(MemoryError):
        evaluate(exam, Broken(exam.questions, wrong=[1]), tmp_path / "out")
    with (tmp_path / ".out.working" / "predictions.jsonl").open("a") as stream:
        stream.write(torn)
    again = Oracle(exam.questions, wrong=[1])
    evaluate(exam, again, tmp_path / "out")
    assert again.asked == [0]
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / ".out.working").exists()


def test_completions_of_another_evaluation_are_not_mixed_in(tmp_path: Path) -> None:
    exam = exam_of(tmp_path)
    with pytest.raises(MemoryError):
        evaluate(exam, Told(exam.questions, pairs=[2], breaks=True), tmp_path / "out")
    other = Oracle(exam.questions, name="another")
    with pytest.raises(OutputError, match=r'model\.name: was "gold", is "another"\).*--overwrite to discard it'):
        evaluate(exam, other, tmp_path / "out")
    shorter = replace(exam, max_new_tokens=9)
    with pytest.raises(OutputError, match="max_new_tokens: was 64, is 9"):
        evaluate(shorter, Oracle(exam.questions), tmp_path / "out")
    assert evaluate(exam, other, tmp_path / "out", overwrite=True)[0].score == 1.0
    assert other.asked == [2, 1, 0]


KILLED = """
import os, signal, sys
from pathlib import Path
from test_evaluate import Oracle, exam_of
from symtune.evaluation import evaluate

class Killed(Oracle):
    def completion(self, index, prompt):
        if index == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().completion(index, prompt)

exam = exam_of(Path(sys.argv[1]))
evaluate(exam, Killed(exam.questions, wrong=[1]), Path(sys.argv[1]) / "out")
"""


def test_a_killed_evaluation_goes_on_and_ends_with_the_same_results(tmp_path: Path) -> None:
    exam = exam_of(tmp_path)
    evaluate(exam, Oracle(exam.questions, wrong=[1]), tmp_path / "whole")
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=Path(__file__).parent, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(read_lines(tmp_path / ".out.working" / "predictions.jsonl")) == 2
    again = Oracle(exam.questions, wrong=[1])
    evaluate(exam, again, tmp_path / "out")
    assert again.asked == [0]
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_ids_that_stand_for_several_questions_are_refused(tmp_path: Path) -> None:
    exam = exam_of(tmp_path)
    with pytest.raises(InputError, match="1 ids belong to several questions"):
        replace(exam, questions=[exam.questions[0]] * 2)


def test_an_output_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    run(tmp_path)
    exam = exam_of(tmp_path)
    model = Oracle(exam.questions)
    with pytest.raises(OutputError, match="--overwrite"):
        evaluate(exam, model, tmp_path / "out")
    again = evaluate(exam, model, tmp_path / "out", overwrite=True)
    assert again[0].score == 1.0
    with pytest.raises(UnknownName, match="prompt template"):
        exam_of(tmp_path, format=Format("nine"))


SCORED = [
    ({"prediction": ["10"], "target": ["10 years"], "target_canon": ["10.0"]}, "right"),
    ({"prediction": ["10"], "target": ["10 years"], "target_canon": None, "id": "ß"}, "wrong"),
    ({"prediction": ["b", "A"], "target": ["a", "b"], "correct": "stale"}, "right"),
    ({"prediction": "The answer is b | A.", "target": "a | b"}, "right"),
    ({"prediction": [], "target": ["a"]}, "unanswered"),
    ({"text": "I do not know.", "target": ["a"]}, "unanswered"),
    ({"text": "The answer is", "target": ["a"]}, "unparsable"),
    ({"text": "First, the table", "target": ["a"], "finish": "length"}, "truncated"),
    ({"text": "<think>First, the table", "target": ["a"]}, "truncated"),
    ({"text": "<think>a?</think> b", "target": ["a"]}, "wrong"),
]


def test_score_adds_a_verdict_to_each_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "lines.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(json.dumps(line) for line, _ in SCORED) + "\n\n", "utf-8")
    command(["score", str(source), "--metric", "wtq", "--out", str(out)])
    assert read_lines(out) == [
        {**line, "score": float(verdict == "right"), "correct": verdict == "right", "verdict": verdict}
        for line, verdict in SCORED
    ]
    told = capsys.readouterr()
    assert "30.0% of 10 correct" in told.out
    assert "3 right, 2 wrong, 1 unparsable, 2 unanswered, 2 truncated; 9 lines have no target_canon" in told.out
    assert "2 of 10 answers (20.0%) were cut short" in told.err
    command(["score", str(source), "--metric", "wtq"])
    assert (tmp_path / "lines.scored.jsonl").read_bytes() == out.read_bytes()


BAD_LINES = [
    ("{", "lines.jsonl:2: not JSON"),
    ("[1]", "lines.jsonl:2: got a JSON list, wanted an object"),
    ('{"target": ["a"]}', "lines.jsonl:2: prediction: got nothing, wanted a list of texts"),
    ('{"prediction": {}, "target": ["a"]}', "prediction: got {}, wanted a list of texts"),
    ('{"prediction": [1], "target": ["a"]}', "prediction: got [1], wanted a list of texts"),
    ('{"prediction": [], "target": ["a"], "target_canon": []}', "target has 1 items and target_canon 0"),
    ('{"text": 1, "target": ["a"]}', "text: got 1, wanted a text"),
    ("\udcff", "lines.jsonl:2: not UTF-8"),
    ("[" * 100_000, "lines.jsonl:2: not JSON"),
]


@pytest.mark.parametrize(("line", "fault"), BAD_LINES)
def test_a_bad_line_is_named_and_nothing_is_written(tmp_path: Path, line: str, fault: str) -> None:
    source = tmp_path / "lines.jsonl"
    good = json.dumps(SCORED[0][0])
    source.write_bytes(f"{good}\n{line}\n{good}\n".encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        score_file(source, tmp_path / "out.jsonl", by_metric("wtq"))
    assert fault in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.jsonl"]


def command(arguments: list[str]) -> None:
    """Run a command line as `symtune` does; it must end with exit status 0."""
    cli.build()(arguments, standalone_mode=False)


def test_score_refuses_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'wtq'"):
        command(["score", "x.jsonl", "--metric", "wqt", "--out", str(tmp_path / "o")])
    with pytest.raises(InputError, match="no such file"):
        command(["score", str(tmp_path / "x.jsonl"), "--metric", "wtq", "--out", str(tmp_path / "o")])
    with pytest.raises(InputError, match="score by either a metric or a benchmark"):
        command(["score", str(tmp_path / "x.jsonl"), "--out", str(tmp_path / "o")])
    (tmp_path / "x.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no lines in it"):
        command(["score", str(tmp_path / "x.jsonl"), "--metric", "wtq", "--out", str(tmp_path / "o")])
    with pytest.raises(OutputError, match="exists already"):
        command(["score", str(tmp_path / "x.jsonl"), "--metric", "wtq", "--out", str(tmp_path / "x.jsonl")])


@pytest.mark.parametrize("name", benchmarks.names())
def test_predictions_of_an_evaluation_score_the_same_again(tmp_path: Path, name: str) -> None:
    run(tmp_path, name)
    predictions, data = str(tmp_path / "out/predictions.jsonl"), str(tmp_path / "data")
    command(["score", predictions, "--benchmark", name, "--data", data, "--out", str(tmp_path / "scored")])
    assert read_lines(tmp_path / "scored") == read_lines(tmp_path / "out/predictions.jsonl")
    if name == "held_out":
        with pytest.raises(InputError, match=r"jsonl:1: benchmark held_out scores by its data; give --data"):
            command(["score", predictions, "--benchmark", name, "--out", str(tmp_path / "again")])
    else:
        command(["score", predictions, "--benchmark", name, "--out", str(tmp_path / "again")])
        assert read_lines(tmp_path / "again") == read_lines(tmp_path / "scored")


def test_a_metric_scores_predictions_of_an_evaluation_as_they_are(tmp_path: Path) -> None:
    run(tmp_path, "wikitablequestions")
    score_file(tmp_path / "out/predictions.jsonl", tmp_path / "scored", by_metric("wtq"))
    assert read_lines(tmp_path / "scored") == read_lines(tmp_path / "out/predictions.jsonl")


def test_an_id_that_the_data_does_not_have_is_named(tmp_path: Path) -> None:
    exam = exam_of(tmp_path)
    (tmp_path / "x.jsonl").write_text('{"id": "nobody", "text": "1", "target": ["1"]}')
    with pytest.raises(InputError, match=r"x\.jsonl:1: id 'nobody' is not a question of this split of held_out"):
        score_file(tmp_path / "x.jsonl", tmp_path / "o", by_benchmark(exam.benchmark, exam.questions))


TINY = "architecture: t5\ntokenizer: bytes\nd_model: 16\nd_kv: 8\nd_ff: 16\nnum_layers: 1\nnum_heads: 2\n"


def test_the_command_line_with_a_tiny_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="the model needs symtune[train]")
    (tmp_path / "tiny.yaml").write_text(TINY, "utf-8")
    release = wtq_release(tmp_path / "release", rows=30)
    out = tmp_path / "runs" / "evaluation"
    command(
        ["evaluate", "--benchmark", "wikitablequestions", "--model", str(tmp_path / "tiny.yaml"), "--data",
         str(release), "--out", str(out), "--limit", "2", "--max-new-tokens", "4", "--budget", "300",
         "--template", "02", "--linearization", "markdown"]
    )  # fmt: skip
    assert "wikitablequestions, validation split" in capsys.readouterr().out
    results = json.loads((out / "results.json").read_text("utf-8"))
    assert (results[0]["n"], results[0]["metric"]) == (2, "wtq")
    assert results[0]["notes"]["format"] == "wikitablequestions/02+markdown"
    assert results[0]["notes"]["tables_cut"] == 2
    lines = read_lines(out / "predictions.jsonl")
    assert all(0 < line["prompt_tokens"] <= 300 for line in lines)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert len(manifest["model"]["weights_sha256"]) == 64
    assert manifest["arguments"]["split"] == "validation"
    assert not (tmp_path / "runs/.evaluation.working").exists()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"--benchmark": "wikitable"}, "unknown benchmark 'wikitable'. Did you mean 'wikitablequestions'"),
        ({"--data": "absent"}, "absent: no such folder"),
        ({"--split": "test"}, "pristine-unseen-tables.tsv: no such file"),
        ({"--limit": "0"}, "--limit: got 0, wanted at least 1"),
        ({"--template": "nine"}, "unknown prompt template 'nine'"),
        ({"--linearization": "tapx"}, "Did you mean 'tapex'"),
        ({"--model": "smolm2-135m-instruct"}, "Did you mean 'smollm2-135m-instruct'"),
        ({"--out": "tiny.yaml"}, "tiny.yaml exists already"),
    ],
)
def test_the_command_line_refuses_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, "utf-8")
    wtq_release(tmp_path / "release")
    options = {"--benchmark": "wikitablequestions", "--model": "tiny.yaml", "--data": "release", "--out": "out"}
    with pytest.raises(SymtuneError) as caught:
        command(["evaluate", *(word for pair in {**options, **changed}.items() for word in pair)])
    assert fault in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release", "tiny.yaml"]
