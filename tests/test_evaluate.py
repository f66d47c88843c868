"""Evaluation with a Generate that is a plain function; score files; the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from symtune import cli
from symtune.benchmarks import Format, find
from symtune.evaluation import evaluate, score_file
from symtune.intervals import wilson
from symtune.types import Completion, Example, Generate, InputError, OutputError, Result, SymtuneError, UnknownName
from test_benchmarks import data_set, wtq_release


def oracle(examples: Sequence[Example], *, wrong: Sequence[int] = ()) -> Generate:
    """Answers each prompt with its gold in prose, last prompt first; the `wrong` ones otherwise."""

    def generate(prompts: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        assert len(prompts) == len(examples)
        for index in reversed(range(len(prompts))):
            text = "I do not know \ud800" if index in wrong else f"The answer is {examples[index].answer}."
            yield index, Completion(text, "length" if index in wrong else "stop", len(prompts[index]), 5)

    return generate


def run(tmp_path: Path, name: str = "sql_execution", room: int = 10_000, **options: object) -> list[Result]:
    benchmark = find(name)
    data = data_set(tmp_path / "data") if name == "sql_execution" else wtq_release(tmp_path / "data", rows=30)
    split = benchmark.split(data, None)
    examples = benchmark.load(data, split)
    generate = options.pop("generate", None) or oracle(examples, wrong=[1])
    return evaluate(benchmark, examples, generate, split=split, out=tmp_path / "out", measure=len, room=room, **options)


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_scores_groups_chance_and_files(tmp_path: Path) -> None:
    seen = []
    results = run(tmp_path, progress=lambda done, total: seen.append((done, total)), facts={"model": {"name": "gold"}})
    assert [(r.metric, r.group, r.n) for r in results] == [
        ("denotation", "", 3),
        ("exact_match", "", 3),
        ("denotation", "count", 1),
        ("denotation", "lookup", 2),
    ]
    assert [r.score for r in results] == [pytest.approx(2 / 3), 0.0, 1.0, 0.5]
    assert results[0].interval == wilson(2, 3)
    assert results[0].notes["finish"] == {"length": 1, "stop": 2}
    assert [r.notes.get("chance") for r in results] == [0.25, None, 0.25, 0.25]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["manifest.json", "predictions.jsonl", "results.json"]
    stored = json.loads((out / "results.json").read_text("utf-8"))
    assert [line["score"] for line in stored] == [r.score for r in results]
    lines = read_lines(out / "predictions.jsonl")
    assert [line["id"][-1] for line in lines] == ["2", "1", "0"]  # as they came
    assert list(lines[0]) == [
        "id", "prompt_tokens", "text", "prediction", "target", "correct", "group", "chance", "finish", "rows_cut",
    ]  # fmt: skip
    assert lines[0]["prediction"] == lines[0]["target"] == ["c0 ; 0", "c1 ; 1"]
    assert [line["correct"] for line in lines] == [True, False, True]
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["symtune"] == "evaluate"
    assert manifest["model"] == {"name": "gold"}
    assert manifest["format"] == "stored"


def test_long_tables_are_cut_counted_and_scored(tmp_path: Path) -> None:
    results = run(tmp_path, "wikitablequestions", room=300)
    notes = results[0].notes
    assert notes["tables_cut"] == 3
    assert results[0].n == 3
    assert results[0].score == pytest.approx(2 / 3)
    lines = read_lines(tmp_path / "out/predictions.jsonl")
    assert sum(line["rows_cut"] for line in lines) == notes["rows_cut"] > 30
    assert max(line["prompt_tokens"] for line in lines) <= 300
    assert notes["without_canonical_value"] == 1


def test_the_same_answers_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path / name)
    for file in ("predictions.jsonl", "results.json"):
        assert (tmp_path / "one/out" / file).read_bytes() == (tmp_path / "two/out" / file).read_bytes()


def test_a_model_that_breaks_leaves_its_predictions_and_no_folder(tmp_path: Path) -> None:
    def breaks(prompts: Sequence[str]) -> Iterator[tuple[int, Completion]]:
        yield 2, Completion("c0")
        raise MemoryError

    with pytest.raises(MemoryError):
        run(tmp_path, generate=breaks)
    assert not (tmp_path / "out").exists()
    assert len(read_lines(tmp_path / "out.partial.jsonl")) == 1


@pytest.mark.parametrize(
    ("indices", "fault"),
    [([0, 1], "no completion for 1 of 3"), ([0, 0, 1], "a second completion"), ([0, 1, 7], "prompt 7 of 3")],
)
def test_each_prompt_must_get_one_completion(tmp_path: Path, indices: list[int], fault: str) -> None:
    with pytest.raises(SymtuneError, match=fault):
        run(tmp_path, generate=lambda prompts: ((index, Completion("x")) for index in indices))
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    run(tmp_path)
    benchmark = find("sql_execution")
    examples = benchmark.load(tmp_path / "data", "test")
    settings = {"split": "test", "out": tmp_path / "out", "measure": len, "room": 9}
    with pytest.raises(OutputError, match="--overwrite"):
        evaluate(benchmark, examples, oracle(examples), **settings)
    again = evaluate(benchmark, examples, oracle(examples), **settings, overwrite=True)
    assert again[0].score == 1.0
    with pytest.raises(UnknownName, match="prompt template"):
        evaluate(benchmark, examples, oracle(examples), **settings, overwrite=True, format=Format("nine"))


SCORED = [
    ({"prediction": ["10"], "target": ["10 years"], "target_canon": ["10.0"]}, True),
    ({"prediction": ["10"], "target": ["10 years"], "target_canon": None, "id": "ß"}, False),
    ({"prediction": ["b", "A"], "target": ["a", "b"], "correct": "stale"}, True),
    ({"prediction": [], "target": ["a"]}, False),
]


def test_score_adds_a_verdict_to_each_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "lines.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(json.dumps(line) for line, _ in SCORED) + "\n\n", "utf-8")
    command(["score", str(source), "--metric", "wtq", "--out", str(out)])
    assert read_lines(out) == [{**line, "correct": verdict} for line, verdict in SCORED]
    assert "50.0% of 4 correct" in capsys.readouterr().out


BAD_LINES = [
    ("{", "lines.jsonl:2: not JSON"),
    ("[1]", "lines.jsonl:2: got list, wanted an object"),
    ('{"target": ["a"]}', "lines.jsonl:2: prediction: got nothing, wanted a list of texts"),
    ('{"prediction": "a", "target": ["a"]}', 'prediction: got "a", wanted a list of texts'),
    ('{"prediction": [1], "target": ["a"]}', "prediction: got [1], wanted a list of texts"),
    ('{"prediction": [], "target": ["a"], "target_canon": []}', "target has 1 items and target_canon 0"),
    ("\udcff", "lines.jsonl:2: not JSON"),
    ("[" * 100_000, "lines.jsonl:2: not JSON"),
]


@pytest.mark.parametrize(("line", "fault"), BAD_LINES)
def test_a_bad_line_is_named_and_nothing_is_written(tmp_path: Path, line: str, fault: str) -> None:
    source = tmp_path / "lines.jsonl"
    good = json.dumps(SCORED[0][0])
    source.write_bytes(f"{good}\n{line}\n{good}\n".encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        score_file(source, tmp_path / "out.jsonl")
    assert fault in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.jsonl"]


def command(arguments: list[str]) -> None:
    """A command line, as `symtune` runs it, its exit status 0 taken for granted."""
    cli.build()(arguments, standalone_mode=False)


def test_score_refuses_wrong_input(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'wtq'"):
        command(["score", "x.jsonl", "--metric", "wqt", "--out", str(tmp_path / "o")])
    with pytest.raises(InputError, match="no such file"):
        command(["score", str(tmp_path / "x.jsonl"), "--out", str(tmp_path / "o")])
    (tmp_path / "x.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no lines in it"):
        command(["score", str(tmp_path / "x.jsonl"), "--out", str(tmp_path / "o")])
    with pytest.raises(OutputError, match="exists already"):
        command(["score", str(tmp_path / "x.jsonl"), "--out", str(tmp_path / "x.jsonl")])


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
    assert not (tmp_path / "runs/evaluation.partial.jsonl").exists()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"--benchmark": "wikitable"}, "unknown benchmark 'wikitable'. Did you mean 'wikitablequestions'"),
        ({"--data": "absent"}, "absent: no such folder"),
        ({"--split": "test"}, "pristine-unseen-tables.tsv: no such file"),
        ({"--limit": "0"}, "--limit: got 0, wanted 1 or more"),
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
