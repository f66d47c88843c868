"""Recipes: all stages on tiny models, resuming after an interruption, and what is refused before anything runs."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from symtune import recipe as recipes
from symtune.config import load as load_config
from symtune.output import read_manifest
from symtune.recipe.board import TRUST, Board, Clock
from symtune.recipe.faults import load
from symtune.recipe.model import Recipe, model_of, shuffled_sources, train_data
from symtune.recipe.published import is_published
from symtune.recipe.runner import Stage, run_stages
from symtune.recipe.stages import stages
from symtune.recipe.summary import comparisons, verdict
from symtune.reporting.read import read_evaluations
from symtune.types import InputError, LeakError, OutputError, SymtuneError

RECIPES = Path(__file__).parents[1] / "recipes"


class Heard:
    """A watch that records what it is told."""

    def __init__(self) -> None:
        self.ends: dict[str, bool] = {}
        self.advances: list[tuple[str, int, int]] = []
        self.now = ""

    def begin(self, stage: Stage) -> None:
        self.now = stage.name

    def advance(self, done: int, of: int) -> None:
        self.advances.append((self.now, done, of))

    def end(self, stage: Stage, note: str, *, skipped: bool) -> None:
        self.ends[stage.name] = skipped

    def made(self) -> list[str]:
        return [name for name, skipped in self.ends.items() if not skipped]


def run(path: Path, out: Path, **options) -> Heard:
    heard = Heard()
    recipes.run(load(path), path, out, lambda stages: contextlib.nullcontext(heard), **options)
    return heard


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A complete run of the tiny encoder-decoder."""
    out = tmp_path_factory.mktemp("runs") / "t5"
    heard = run(RECIPES / "tiny-t5.yaml", out)
    return out, heard


ALL = [
    "data",
    "heldout",
    "mix",
    "evaluation/before/held_out",
    "model",
    "evaluation/after/held_out",
    "control",
    "evaluation/control/held_out",
]


@pytest.mark.xdist_group("runs")
def test_the_whole_line_on_an_encoder_decoder(finished):
    out, heard = finished
    assert heard.made() == ALL
    assert {name for name, _, _ in heard.advances} >= set(ALL) - {"mix"}
    manifest = read_manifest(out, "run")
    assert {line["against"] for line in manifest["comparisons"]} == {"before", "chance", "control"}
    assert read_manifest(out / "control", "train")["arguments"]["shuffle_answers"] == ["sql"]
    assert read_manifest(out / "control", "train")["tokens"] < read_manifest(out / "model", "train")["tokens"]
    html = (out / "report.html").read_text("utf-8")
    assert "This run is not complete" not in html
    assert "tiny-t5" in html
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


@pytest.mark.xdist_group("runs")
def test_comparisons_are_paired_and_those_of_the_predictions(finished):
    out, _ = finished
    found = read_evaluations(out)
    lines = comparisons(found)
    whole = {line.against: line for line in lines if not line.group}
    after = found["held_out"]["after"].predictions
    assert whole["before"].n == len(after) == 12
    chances = [line.chance for line in after.values()]
    right = [line.score for line in after.values()]
    assert whole["chance"].difference == pytest.approx((sum(right) - sum(chances)) / 12)
    assert verdict([]) == "There is nothing to compare with."


@pytest.mark.xdist_group("runs")
def test_a_finished_run_is_not_run_again(finished, tmp_path):
    out, _ = finished
    shutil.copytree(out, tmp_path / "run")
    assert run(RECIPES / "tiny-t5.yaml", tmp_path / "run").made() == []


@pytest.mark.xdist_group("runs")
def test_an_interrupted_run_goes_on(finished, tmp_path):
    out, _ = finished
    shutil.copytree(out, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "evaluation" / "after" / "held_out")
    (tmp_path / "run" / "control" / "manifest.json").unlink()  # a folder without a manifest is not whole
    before = (tmp_path / "run" / "evaluation" / "control" / "held_out" / "predictions.jsonl").read_bytes()
    heard = run(RECIPES / "tiny-t5.yaml", tmp_path / "run")
    assert heard.made() == ["evaluation/after/held_out", "control"]
    assert (tmp_path / "run" / "evaluation" / "control" / "held_out" / "predictions.jsonl").read_bytes() == before


@pytest.mark.xdist_group("runs")
def test_other_arguments_are_refused_or_made_again_from_there(finished, tmp_path):
    out, _ = finished
    shutil.copytree(out, tmp_path / "run")
    changed = tmp_path / "changed.yaml"
    changed.write_text((RECIPES / "tiny-t5.yaml").read_text().replace("max_new_tokens: 8", "max_new_tokens: 4"))
    with pytest.raises(OutputError, match=r"max_new_tokens: was 8, is 4\); add --overwrite"):
        run(changed, tmp_path / "run")
    heard = run(changed, tmp_path / "run", overwrite=True)
    assert heard.made() == ["evaluation/before/held_out", "evaluation/after/held_out", "evaluation/control/held_out"]
    assert heard.ends["model"] is True


@pytest.mark.xdist_group("runs")
def test_a_full_control_trains_on_as_many_tokens_and_twice_gives_the_same(finished, tmp_path):
    out, _ = finished
    shutil.copytree(out, tmp_path / "run")
    heard = run(RECIPES / "tiny-t5.yaml", tmp_path / "run", control="full", overwrite=True)
    assert heard.made() == ["control", "evaluation/control/held_out"]
    tokens = [read_manifest(tmp_path / "run" / name, "train")["tokens"] for name in ("model", "control")]
    assert tokens[1] > 0.9 * tokens[0]
    assert "a shorter control" not in (tmp_path / "run" / "report.html").read_text("utf-8")


@pytest.mark.xdist_group("causal run")
def test_the_whole_line_on_a_decoder_only_model(tmp_path):
    text = (RECIPES / "tiny-llama.yaml").read_text().replace("max_tokens: 10000", "max_tokens: 8000")
    (tmp_path / "recipe.yaml").write_text(text)
    assert run(tmp_path / "recipe.yaml", tmp_path / "run").made() == ALL
    assert (tmp_path / "run" / "recipe.yaml").read_text() == text


def test_held_out_tables_that_were_trained_on_are_a_leak(finished, tmp_path):
    from symtune.recipe.stages import _check_apart

    out, _ = finished
    _check_apart(out / "data", out / "heldout")
    with pytest.raises(LeakError, match="of its tables are in"):
        _check_apart(out / "data", out / "data")


def test_a_curriculum_is_generated_step_by_step(tmp_path):
    steps = "generate: {n: 8, rows: [3, 4], steps: [{name: easy, n: 4}, {name: all, rows: [3, 9]}]}"
    text = GOOD.replace("generate: {n: 8}", steps)
    text = text.replace('"run:data"}', '"run:data/easy"}, {name: rest, path: "run:data/all"}')
    (tmp_path / "r.yaml").write_text(text)
    recipe = load(tmp_path / "r.yaml")
    easy, rest = train_data(recipe, tmp_path, tmp_path)
    assert (easy.n, easy.rows, easy.out) == (4, (3, 4), tmp_path / "data" / "easy")
    assert (rest.n, rest.rows, rest.out) == (8, (3, 9), tmp_path / "data" / "all")
    assert easy.seed != rest.seed
    assert shuffled_sources(recipe) == ("sql", "rest")
    planned = [stage.name for stage in stages(recipe, tmp_path, tmp_path)]
    assert planned == [
        "data/easy",
        "data/all",
        "heldout",
        "mix",
        "evaluation/before/held_out",
        "model",
        "evaluation/after/held_out",
    ]
    (tmp_path / "r.yaml").write_text(text.replace("name: all", "name: easy"))
    with pytest.raises(InputError, match="a name is used twice"):
        load(tmp_path / "r.yaml")


# Those of the release's line are another kind: tests/test_published_recipes.py.
@pytest.mark.parametrize(
    "path", [path for path in sorted(RECIPES.glob("*.yaml")) if not is_published(path)], ids=lambda path: path.name
)
def test_every_recipe_of_the_project_is_valid(path):
    recipe = load_config(path, Recipe)
    assert recipe.name == path.stem
    assert shuffled_sources(recipe)


GOOD = """
name: r
model: {architecture: t5, tokenizer: bytes, d_model: 32, d_kv: 8, d_ff: 64, num_layers: 1, num_heads: 2}
generate: {n: 8}
mix: {sources: [{name: sql, path: "run:data"}]}
"""

WRONG = [
    (("name: r", "name: ../r"), "r.yaml:2: name: got '../r'"),
    (("name: r", "nam: r"), "nam: unknown key. Did you mean 'name'?"),
    (("generate: {n: 8}", "generate: {n: 8, row: [3, 4]}"), "generate.row: unknown key. Did you mean 'rows'?"),
    (("generate: {n: 8}", "generate: {n: 0}"), "r.yaml:4: generate.n: got 0, wanted at least 1"),
    (("generate: {n: 8}", "generate: {n: 8, rows: [5, 3]}"), "r.yaml:4: generate.rows: got [5, 3], wanted LOW:HIGH"),
    (("generate: {n: 8}", "generate: {n: 8, task: sql_exec}"), "generate.task: unknown task 'sql_exec'. Did you"),
    (("generate: {n: 8}", "generate: {n: 8, tables: absent}"), "absent: no such file or folder"),
    (("generate: {n: 8}", "generate: {n: 8}\nheldout: {split: train}"), "r.yaml:5: heldout.split: got 'train'"),
    (("{n: 8}", "{n: 8, out: x}"), "r.yaml:4: generate.out: unknown key"),
    (("{n: 8}", "{n: 8, options: {joins: 2}}"), "r.yaml:4: generate: option joins: got 2, wanted at most 1"),
    (("{n: 8}", "{n: 8, options: {join: 1}}"), "unknown option of task sql_execution 'join'. Did you mean 'joins'?"),
    (("{n: 8}", "{n: 8}\nevaluate: []"), "evaluate: the list is empty"),
    (
        ("{n: 8}", "{n: 8}\nevaluate: {max_new_tokens: 8}"),
        "r.yaml:5: evaluate: got {'max_new_tokens': 8}, wanted a list",
    ),
    (("{n: 8}", "{n: 8}\nevaluate: [{benchmark: heldout}]"), "r.yaml:5: evaluate[0].benchmark: unknown benchmark"),
    (("{n: 8}", "{n: 8}\nevaluate: [{benchmark: gsm8k}]"), "r.yaml:5: evaluate[0]: no data; wanted the folder"),
    (("{n: 8}", "{n: 8}\nevaluate: [{benchmark: gsm8k, data: absent}]"), "evaluate[0]: r/absent: no such folder"),
    (("{n: 8}", "{n: 8}\nevaluate: [{benchmark: held_out, split: validation}]"), "this run holds out test"),
    (("{n: 8}", "{n: 8}\nevaluate: [{benchmark: held_out}, {benchmark: held_out}]"), "two entries have the same name"),
    (("run:data", "run:dat"), "none has the path run:data"),
    (('"run:data"}', '"run:data"}, {name: b, path: "run:mix"}'), "got run:mix; this run has run:data to mix"),
    (('"run:data"}', '"run:data"}, {name: b, path: absent.jsonl}'), "absent.jsonl: no such file"),
    (('"run:data"}', '"run:data"}, {name: b, path: "bundled:gsm"}'), "Did you mean 'gsm8k'?"),
    (("architecture: t5", "architecture: t6"), "unknown architecture 't6'"),
    (("tokenizer: bytes", "tokenizer: absent"), "tokenizer 'absent' is neither `bytes` nor a local folder"),
    (("d_ff", "d_fff"), "unknown key of the model t5 'd_fff'. Did you mean 'd_ff'?"),
    (("generate: {n: 8}", "generate: {n: 8}\ntrain: {learning_rate: 2}"), "train.learning_rate: got 2, wanted less"),
    (("generate: {n: 8}", "generate: {n: 8}\ncontrol: {max_token: 2}"), "Did you mean 'max_tokens'?"),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_recipes_are_refused_before_anything_runs(tmp_path, change, message):
    (tmp_path / "r.yaml").write_text(GOOD.replace(*change))
    with pytest.raises(SymtuneError) as caught:
        load(tmp_path / "r.yaml")
    assert message in str(caught.value).replace(f"{tmp_path}", "r")
    assert "\n" not in str(caught.value)


def test_the_tokenizer_of_a_new_model_is_found_beside_the_recipe(tmp_path):
    (tmp_path / "words").mkdir()
    (tmp_path / "r.yaml").write_text(GOOD.replace("tokenizer: bytes", "tokenizer: words"))
    assert model_of(load(tmp_path / "r.yaml"), tmp_path)["tokenizer"] == str(tmp_path / "words")


def test_faults_of_all_sections_are_told_at_once(tmp_path):
    text = GOOD.replace("n: 8", "n: 8, tables: absent, task: sql").replace("architecture: t5", "architecture: t6")
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load(tmp_path / "r.yaml")
    for part in ("3 errors", "r.yaml:4: generate.tables", "r.yaml:4: generate.task", "r.yaml:3: model"):
        assert part in str(caught.value)


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "r.yaml").write_text(GOOD)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match="is not a run folder"):
        run(tmp_path / "r.yaml", tmp_path / "mine")
    with pytest.raises(OutputError, match="is a file"):
        run(tmp_path / "r.yaml", tmp_path / "r.yaml")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def stage(name: str, follows: tuple[str, ...] = (), seconds: float = 10.0, **arguments) -> Stage:
    def work(folder: Path, advance) -> str:
        advance(1, 2)
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(arguments))
        return f"made {name}"

    return Stage(name, name, arguments, follows, seconds, work)


def test_a_change_reaches_what_follows_and_nothing_else(tmp_path):
    def made(x: int, **options) -> list[str]:
        heard = Heard()
        chain = [stage("a", x=x), stage("b"), stage("c", ("a",)), stage("d", ("c",)), stage("e", ("b",))]
        run_stages(chain, tmp_path, heard, **options)
        return heard.made()

    assert made(1) == ["a", "b", "c", "d", "e"]
    assert made(1) == []
    with pytest.raises(OutputError, match=r"stage a was made with other arguments \(x: was 1, is 2\)"):
        made(2)
    assert made(2, overwrite=True) == ["a", "c", "d"]
    (tmp_path / "stages.json").write_text("{")  # broken: nothing is known of any stage
    with pytest.raises(OutputError, match="by hand or by another version"):
        made(2)


def test_a_stage_that_fails_is_run_again(tmp_path):
    def fail(folder: Path, advance) -> str:
        raise InputError("no")

    broken = Stage("a", "a", {}, (), 1.0, fail)
    with pytest.raises(InputError):
        run_stages([broken], tmp_path, Heard())
    heard = Heard()
    run_stages([stage("a")], tmp_path, heard)
    assert heard.made() == ["a"]


def test_the_time_left_begins_with_a_guess_and_follows_the_machine():
    now = [0.0]
    two = [stage("a", seconds=100), stage("b", seconds=300)]
    clock = Clock(two, lambda: now[0])
    assert clock.left() == 400
    clock.begin(two[0])
    clock.share, now[0] = 0.5, 100.0  # twice as slow as guessed
    assert clock.left() == pytest.approx(350 * (100 + TRUST) / (50 + TRUST))
    clock.end(two[0], skipped=False)
    clock.end(two[1], skipped=True)
    assert clock.left() == 0


def test_a_slow_benchmark_makes_only_its_own_stages_long():
    now = [0.0]
    kinds = {"model": "train", "before/wtq": "wtq", "after/wtq": "wtq", "control": "train"}
    stages = [replace(stage(name, seconds=100), kind=kind) for name, kind in kinds.items()]
    clock = Clock(stages, lambda: now[0])
    for passed, one in zip((100.0, 1000.0), stages[:2], strict=True):
        clock.begin(one)
        now[0] += passed
        clock.end(one, skipped=False)
    assert clock.left() == pytest.approx(100 + 100 * (1000 + TRUST) / (100 + TRUST))


@pytest.mark.parametrize("terminal", [True, False])
def test_the_board_shows_stages_counts_and_time_left(tmp_path, terminal):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100)
    two = [stage("a [red]", seconds=60), stage("b", seconds=600)]
    with partial(Board, console=console)(two) as board:
        run_stages(two, tmp_path, board)
    text = stream.getvalue()
    assert "a [red]" in text
    assert "made b" in text
    assert ("in all" in text) is True
