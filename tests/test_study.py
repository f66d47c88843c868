"""The study: its tables are what the script makes, its arms are sound recipes over the same examples."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from symtune.dataset import lines, read_tables
from symtune.generation import GenerateConfig, generate
from symtune.models.local import load
from symtune.recipe.model import Recipe
from symtune.sql.solutions.wordings import WORDINGS

STUDY = Path(__file__).parent.parent / "recipes" / "study"
BENCH = STUDY.parent.parent / "bench" / "study.py"
sys.path.insert(0, str(BENCH.parent))  # where the scripts find what they share
# Arms with the same examples: numbers of one digit, or of two.
DIGITS = ("digits-answers", "digits-compact", "digits-full")
HUNDREDS = ("hundreds-answers", "hundreds-full")
SAME = ("seed", "n", "budget", "programs", "rows", "columns", "templates", "linearizations", "tables")


@pytest.mark.parametrize(("greatest", "name"), [(99, "hundreds.jsonl"), (9, "digits.jsonl")])
def test_the_tables_are_what_the_script_prints(greatest: int, name: str) -> None:
    done = subprocess.run([sys.executable, STUDY / "tables.py", str(greatest)], capture_output=True, check=True)
    assert done.stdout == (STUDY / name).read_bytes()


def recipe(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((STUDY / f"{name}.yaml").read_text())
    return found


@pytest.mark.parametrize("arms", [DIGITS, HUNDREDS])
def test_the_arms_differ_in_their_completions_alone(arms: Sequence[str]) -> None:
    recipes = {name: recipe(name) for name in arms}
    first = recipes[arms[0]]
    for name, arm in recipes.items():
        assert {key: arm["generate"][key] for key in SAME} == {key: first["generate"][key] for key in SAME}, name
        for options in (arm["generate"]["options"], first["generate"]["options"]):
            options.pop("solution", None)
            options.pop("wording", None)
        assert arm["generate"]["options"] == first["generate"]["options"], name
        arm["train"].pop("snapshots", None)  # which change nothing
        for part in ("train", "heldout", "mix", "model", "seed"):
            assert arm[part] == first[part], name


def test_the_arm_of_two_stages_is_trained_as_long_on_programs_of_the_same_kind() -> None:
    staged, first = recipe("digits-two-stages"), recipe("digits-answers")
    assert staged["generate"]["options"] == first["generate"]["options"]
    assert staged["heldout"] == first["heldout"]
    assert staged["train"] == {**first["train"], "order": "as_given"}
    assert staged["evaluate"] == first["evaluate"]
    assert [step["options"]["solution"] for step in staged["generate"]["steps"] if "options" in step] == ["compact"]


def test_the_quick_start_practises_what_the_study_measures() -> None:
    demo, arm = yaml.safe_load((STUDY.parent / "quickstart.yaml").read_text()), recipe("digits-full")
    assert STUDY.parent / demo["generate"].pop("tables") == STUDY / arm["generate"].pop("tables")
    for name in ("n", "seed"):
        demo["generate"].pop(name, None)
        arm["generate"].pop(name)
    assert demo["generate"] == arm["generate"]
    changes = {"max_tokens": 0, "snapshots": 0}
    assert demo["train"] | changes == arm["train"] | changes


@pytest.mark.parametrize("arms", [DIGITS, HUNDREDS])
def test_every_arm_asks_the_same_questions(arms: Sequence[str], tmp_path: Path) -> None:
    asked = {}
    for name in arms:
        said = recipe(name)["generate"]
        said |= {"n": 120, "tables": STUDY / said["tables"], "out": tmp_path / name, "task": (said["task"],)}
        generate(GenerateConfig(**said))
        asked[name] = [line.row["prompt"] for line in lines(tmp_path / name)]
    assert len({tuple(prompts) for prompts in asked.values()}) == 1


def test_the_bench_prints_a_row_for_each_result(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["study.py"])
    runpy.run_path(str(BENCH), run_name="__main__")
    printed = capsys.readouterr().out.split("\n\n")[0].splitlines()
    results = sorted((STUDY / "results").iterdir())
    assert len(printed) == 2 + len(results)
    for line, folder in zip(printed[2:], results, strict=True):
        assert line.startswith(f"| {folder.name.rsplit('-', 1)[0]} |")
        assert json.loads((folder / "manifest.json").read_text())["symtune"] == "run"


def _different(one: Any, other: Any, place: str = "") -> set[str]:
    """The places in which two recipes differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        below = [_different(one.get(key), other.get(key), f"{place}.{key}") for key in {*one, *other}]
        return set().union(*below)
    return set() if one == other else {place.removeprefix(".")}


CHANGES = {
    "control": {"train.shuffle_answers"},
    "long": {"train.max_tokens"},
    "float32": {"train.bf16"},
    "scratch": {
        *("model", "generate.n", "generate.rows", "generate.columns"),
        *("train.max_tokens", "train.learning_rate"),
    },
    "csv": {"generate.linearizations"},
    "hundreds": {"generate.tables"},
    "eight": {"generate.programs", "heldout.programs"},
    "wordings": {"generate.options.wording", "evaluate"},
    "noroles": {"generate.options.roles", "heldout.options.roles"},
}


def test_a_change_of_an_arm_is_one_change(tmp_path: Path) -> None:
    bench = runpy.run_path(str(BENCH))
    bench["recipe_of"].__globals__["RUNS"] = tmp_path

    def made(arm: str) -> dict[str, Any]:
        path = bench["recipe_of"](arm, 8)
        Recipe.model_validate(found := yaml.safe_load(path.read_text()))
        for part in (found["generate"], *found["generate"].get("steps", ())):
            assert "tables" not in part or (path.parent / part["tables"]).is_file()
        assert isinstance(found["model"], str) or (path.parent / found["model"]["tokenizer"]).is_dir()
        assert found.pop("name") == f"study-{arm}".replace("+", "-")
        return found

    arm = made("digits-full")
    assert {change: _different(arm, made(f"digits-full+{change}")) for change in bench["CHANGES"]} == CHANGES
    parts = {"generate.n", "generate.steps", "mix.order", "mix.seed", "mix.sources", "train.order"}
    assert _different(made("digits-full+hundreds"), made("short-first")) == parts


def test_only_the_seed_of_a_recipe_leaves_a_learning_curve(tmp_path: Path) -> None:
    bench = runpy.run_path(str(BENCH))
    bench["recipe_of"].__globals__["RUNS"] = tmp_path
    runs = {("digits-full", 7): 4, ("digits-full", 8): None, ("digits-full+csv", 7): None, ("digits-full+long", 7): 4}
    assert {run: yaml.safe_load(bench["recipe_of"](*run).read_text())["train"].get("snapshots") for run in runs} == runs


def test_a_finished_arm_leaves_its_results_and_its_learning_curve(tmp_path: Path) -> None:
    """`--run` for real, of an arm that is made small."""
    small = recipe("digits-full")
    small["model"] = yaml.safe_load((STUDY.parent / "tiny-llama.yaml").read_text())["model"]
    small["generate"] |= {"n": 80, "tables": str(STUDY / small["generate"]["tables"])}
    small["heldout"]["n"] = 12
    small["train"] |= {"max_tokens": 12_000, "snapshots": 2}
    small["evaluate"][0]["max_new_tokens"] = 4
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small))
    bench = runpy.run_path(str(BENCH))
    bench["run"].__globals__.update(ARMS=tmp_path, RUNS=tmp_path / "runs", RESULTS=tmp_path / "results")
    bench["run"]("small", 7)
    kept = {path.name: json.loads(path.read_text()) for path in (tmp_path / "results" / "small-7").iterdir()}
    assert sorted(kept) == ["curve.json", "first_wrong.json", "manifest.json", "results.json", "training.json"]
    assert kept["training.json"]["tokens"] == kept["curve.json"][-1]["tokens"]
    tokens = [point["tokens"] for point in kept["curve.json"]]
    assert 0 < tokens[0] < tokens[1] < tokens[2] <= 12_000
    assert [point["scores"][0]["n"] for point in kept["curve.json"]] == [12, 12, 12]
    assert sum(kept["first_wrong.json"].values()) == 12
    assert bench["curve_table"]().count("\n") == 4
    assert bench["table"]().splitlines()[2].startswith("| small | 7 | 12,000 |")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("arms", {"full solutions", "numbers below 100", "the control"}),
        ("curves", {"SmolLM2-135M, 500,000 tokens", "answers alone"}),
    ],
)
def test_the_figures_are_what_the_bench_draws(name: str, said: set[str], tmp_path: Path) -> None:
    runpy.run_path(str(BENCH))["draw"](STUDY / "results", tmp_path)
    text = (tmp_path / f"{name}.svg").read_text()
    kept = (BENCH.parent.parent / f"docs/figures/{name}.svg").read_text()
    words = re.findall(r"<text[^>]*>([^<]*)</text>", kept)
    assert said <= set(words)
    assert re.findall(r"<text[^>]*>([^<]*)</text>", text) == words
    assert _lines(text)
    assert _lines(text) == _lines(kept)


def test_every_arm_of_the_figures_has_results() -> None:
    figures = runpy.run_path(str(BENCH.parent / "figures.py"))
    drawn = {arm for rows in figures["ARMS"].values() for arm in rows.values()}
    measured = {path.name.rsplit("-", 1)[0] for path in (STUDY / "results").iterdir()}
    assert drawn <= measured


def _lines(svg: str) -> list[list[float]]:
    """The numbers of each curve; another version of the library may round them otherwise."""
    return [
        [round(float(x)) for x in re.findall(r"-?[0-9.]+", path)]
        for path in re.findall(r'<path d="(M[^"]*)" clip', svg)
    ]


WRONG = [
    ("- plums: weight 9 sum 16", "expected 18 where it says 16", "a running sum or count"),
    ("- Ana: assists 5 >= 4 no", "expected '- Ana: assists 5 >= 4 yes 1'", "a comparison"),
    ("- Oslo: town Oslo = 'Osaka' yes 1", "expected \"- Oslo: town Oslo = 'Osaka' no\"", "a comparison"),
    ("- Milan: snow 9 < 3 no", "expected '- Milan: snow 6 < 3 no'", "what is read"),
    ("- Porto: wind 9 = 9 yes 1, snow 6", "expected '- Porto: wind 9 = 9 yes 1, snow 0'", "what is read"),
    ("", "leaves out '- Milan: snow 6 < 3 no'", "a step that is left out, or too many"),
]  # fmt: skip


def test_first_wrong_steps_are_told_apart(tmp_path: Path) -> None:
    steps = [{"first_wrong": {"step": 1, "text": text, "fault": fault}} for text, fault, _ in WRONG]
    written = [{"steps": found} for found in [*steps, {"first_wrong": None}]] + [{"steps": None}]
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in written))
    kinds = Counter(kind for _, _, kind in WRONG) + Counter(none=1)
    assert runpy.run_path(str(BENCH))["first_wrong"](path) == kinds


def test_the_tokenizer_writes_every_digit_and_most_words_as_one_token() -> None:
    tokenizer = load(
        {**runpy.run_path(str(BENCH))["CHANGES"]["scratch"]["model"], "tokenizer": STUDY / "tokenizer"}
    ).tokenizer
    tables = [json.loads(line) for line in (STUDY / "digits.jsonl").read_text().splitlines()[:200]]
    words = {f" {word}" for table in tables for row in table["rows"] for word in row[0].split()}
    lengths = [len(tokenizer(word)["input_ids"]) for word in words]
    assert sum(length == 1 for length in lengths) > 0.8 * len(lengths)
    text = "SELECT SUM(wins) FROM w WHERE club >= 'Łódź 1904'\n- a: 27 sum 36\nAnswer: 1024"
    pieces = [tokenizer.decode([token]) for token in tokenizer(text)["input_ids"]]
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert {piece for piece in pieces if any(map(str.isdigit, piece))} == set("0123456789") & set(text)


def _made(out: Path, **options: object) -> Path:
    query_types = {"aggregate": 1, "superlative": 1, "lookup": 1}
    generate(GenerateConfig(out=out, n=200, seed=3, options={"joins": 0, "query_types": query_types, **options}))
    return out


def test_no_number_is_longer_than_asked(tmp_path: Path) -> None:
    def longest(folder: Path) -> int:
        shown = read_tables(next((folder / "tables").iterdir())).values()
        columns = [column for table in shown for column in zip(table.types, zip(*table.rows, strict=True), strict=True)]
        return max(len(cell) for kind, cells in columns if kind == "number" for cell in cells)

    assert longest(_made(tmp_path / "short", longest_number=3)) == 3
    assert longest(_made(tmp_path / "any")) > 3


def test_one_wording_can_be_asked_for(tmp_path: Path) -> None:
    for wording in (1, 3):
        folder = _made(tmp_path / str(wording), solution="compact", wording=wording)
        heads = {line.row["completion"].splitlines()[0] for line in lines(folder)}
        others = {head for k, other in enumerate(WORDINGS, start=1) if k != wording for head in other.heads.values()}
        assert heads
        assert not heads & (others - set(WORDINGS[wording - 1].heads.values()))


def test_a_mix_of_ones_own_can_go_by_roles(tmp_path: Path) -> None:
    def sums(folder: Path) -> list[str]:
        return [sql for line in lines(folder) if "SUM(id)" in (sql := line.info()["sql"])]

    table = tmp_path / "tables" / "t.csv"
    table.parent.mkdir()
    rows = [f"{1000 + i},name {i},{(7 * i) % 50}" for i in range(40)]
    table.write_text("\n".join(["id,name,points", *rows]))
    made = {}
    for roles in (None, True):
        config = GenerateConfig(
            out=tmp_path / str(roles), tables=table.parent, n=100, seed=1, split_rows=True,
            options={"query_types": {"aggregate": 1}, **({"roles": True} if roles else {})},
        )  # fmt: skip
        generate(config)
        made[roles] = sums(tmp_path / str(roles))
    assert made[None]
    assert not made[True]
