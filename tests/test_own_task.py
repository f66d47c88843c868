"""A user's own task through all stages, verb by verb and with `symtune run`; and several tasks in one folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from symtune import cli
from symtune.benchmarks import find
from symtune.generation import GenerateConfig, generate
from symtune.output import read_manifest
from symtune.types import InputError

pytest.importorskip("torch", reason="the model needs symtune[train]")

ADD_UP = Path(__file__).parent / "own_tasks" / "add_up.py"
TINY = (
    "architecture: llama\ntokenizer: bytes\nhidden_size: 32\nintermediate_size: 64\nnum_hidden_layers: 2\n"
    "num_attention_heads: 4\nnum_key_value_heads: 2\nmax_position_embeddings: 2048\n"
)


def symtune(*arguments: object) -> None:
    """Run a command line as `symtune` does; it must end with exit status 0."""
    cli.build()(list(map(str, arguments)), standalone_mode=False)


def results_of(folder: Path) -> list[dict]:
    return json.loads((folder / "results.json").read_text("utf-8"))


def test_verb_by_verb(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ADD_UP, "add_up.py")
    Path("tiny.yaml").write_text(TINY)
    Path("mix.yaml").write_text("sources: [{name: sums, path: data}]")
    symtune("generate", "--task", "./add_up.py", "-n", 40, "--out", "data")
    symtune("generate", "--task", "./add_up.py", "-n", 12, "--split", "test", "--out", "heldout")
    symtune("mix", "mix.yaml", "--out", "mix")
    symtune("train", "--model", "tiny.yaml", "--data", "mix", "--out", "model", "--max-tokens", 3000)
    asked = ("evaluate", "--benchmark", "held_out", "--data", "heldout", "--model", "model", "--max-new-tokens", 4)
    with pytest.raises(InputError, match=r"'add_up'.* --task FILE"):
        symtune(*asked, "--out", "evaluation")
    symtune(*asked, "--out", "evaluation", "--task", "./add_up.py")
    first = results_of(Path("evaluation"))[0]
    assert (first["benchmark"], first["metric"], first["n"], first["group"]) == ("held_out", "denotation", 12, "")
    assert "chance" not in first["notes"]
    symtune(*asked, "--out", "asked", "--task", "./add_up.py", "--template", "ask")
    assert results_of(Path("asked"))[0]["notes"]["format"] == "ask+stored"
    with pytest.raises(InputError, match="none of these examples shows a table"):
        symtune(*asked, "--out", "x", "--task", "./add_up.py", "--linearization", "csv")
    predictions = "evaluation/predictions.jsonl"
    told = ("score", predictions, "--benchmark", "held_out", "--data", "heldout", "--out", "scored")
    symtune(*told, "--task", "./add_up.py")
    assert Path("scored").read_text() == Path(predictions).read_text()


RECIPE = f"""
name: sums
model: {{{", ".join(TINY.split(chr(10))[:-1])}}}
generate: {{n: 40, task: ./add_up.py, templates: [plain]}}
heldout: {{n: 12}}
mix: {{sources: [{{name: sums, path: "run:data"}}]}}
train: {{max_tokens: 3000}}
control: {{max_tokens: 1500}}
evaluate:
  - {{benchmark: held_out, max_new_tokens: 4}}
  - {{benchmark: gsm8k, data: gsm8k, split: test, max_new_tokens: 2, shots: 1, template: plain}}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A complete run of the recipe, which is in a separate folder with all files that it names."""
    from test_benchmarks import gsm8k_release

    base = tmp_path_factory.mktemp("own")
    shutil.copy(ADD_UP, base / "add_up.py")
    (base / "recipe.yaml").write_text(RECIPE)
    gsm8k_release(base / "gsm8k")
    symtune("run", base / "recipe.yaml", "--out", base / "run")
    return base


@pytest.mark.xdist_group("own run")
def test_a_recipe_of_it_with_two_benchmarks(finished):
    run = finished / "run"
    for model in ("before", "after", "control"):
        assert results_of(run / "evaluation" / model / "held_out")[0]["n"] == 12
        assert [one["metric"] for one in results_of(run / "evaluation" / model / "gsm8k")] == [
            "number_match",
            "official",
        ]
    lines = read_manifest(run, "run")["comparisons"]
    compared = {(line["evaluation"], line["against"], line["n"]) for line in lines}
    assert compared == {
        (name, against, n) for name, n in (("held_out", 12), ("gsm8k", 3)) for against in ("before", "control")
    }
    page = (run / "report.html").read_text("utf-8")
    assert "This run is not complete" not in page
    for said in (
        "Add up: ",
        "held_out, test split",
        "denotation",
        "gsm8k, test split",
        "number_match",
        "add_up",
    ):
        assert said in page
    assert "right column" not in page  # the words of another task


@pytest.mark.xdist_group("own run")
def test_its_run_is_kept_until_its_file_changes(finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "own")
    base = tmp_path / "own"
    symtune("run", base / "recipe.yaml", "--out", base / "run")
    assert capsys.readouterr().out.count("done before") == 11
    with (base / "add_up.py").open("a") as stream:
        stream.write("# changed\n")
    from symtune.types import OutputError

    with pytest.raises(OutputError, match=r"stage data was made with other arguments \(tasks_sha256"):
        symtune("run", base / "recipe.yaml", "--out", base / "run")


@pytest.mark.xdist_group("own run")
def test_its_report_never_runs_code_that_the_run_names(finished, tmp_path):
    from symtune.reporting import report

    known = report(finished / "run", tmp_path / "known.html", tasks=[str(finished / "add_up.py")]).read_text("utf-8")
    unknown = report(finished / "run", tmp_path / "unknown.html").read_text("utf-8")
    assert known == unknown == (finished / "run" / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A folder with examples of two tasks."""
    out = tmp_path_factory.mktemp("both") / "data"
    said = {"out": out, "task": ["sql_execution", str(ADD_UP)], "n": 24, "split": "test", "programs": 4, "rows": "3:5"}
    generate(GenerateConfig.of(said))
    return out


def test_two_tasks_in_a_folder_are_groups_and_so_are_their_query_types(both):
    benchmark = find("held_out", [str(ADD_UP)])
    questions = benchmark.load(both, "test")
    groups = {group for question in questions for group in question.groups}
    assert {"add_up", "sql_execution"} < groups
    assert any(group.startswith("sql_execution: ") for group in groups)
    assert all(group.startswith("sql_execution") for group in groups - {"add_up"})
    assert sum("add_up" in question.groups for question in questions) == 12
    limited = benchmark.load(both, "test", limit=5)
    assert [question.task.name for question in limited] == ["sql_execution"] * 3 + ["add_up"] * 2
    for question in questions:
        assert benchmark.score(question.example.answer, question).score == 1.0
        assert benchmark.score(f"The answer is {question.example.answer}.", question).reason in (
            "right",
            "right, in prose",
        )
        assert benchmark.score("no", question).score == 0.0
    with pytest.raises(InputError, match=r"'add_up'.* --task FILE"):
        find("held_out").load(both, "test")
