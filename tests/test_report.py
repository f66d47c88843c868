"""The report: escaped, self-contained, true to the files, and honest about what is missing."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import pytest

import run_folder
from symtune.reporting import plots, report
from symtune.types import InputError, OutputError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_folder.write(tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def run(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def words(html: str) -> str:
    """The text of a page, with one space wherever there is space or a tag."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def page_of(folder) -> str:
    return report(folder).read_text("utf-8")


@pytest.mark.parametrize("is_run", [True, False])
def test_hostile_text_stays_text(run, is_run):
    html = page_of(run if is_run else run / "evaluation")
    reader = Reader(html)
    assert "script" not in reader.tags
    assert not {name for name in reader.attributes if name.startswith("on")}
    assert "<script>alert(1)</script>" in reader.text  # shown as written
    assert "{{ 7*7 }}" in reader.text
    assert "\x1b" not in html


@pytest.mark.parametrize("is_run", [True, False])
def test_no_request_to_anywhere(run, is_run):
    html = page_of(run if is_run else run / "evaluation")
    reader = Reader(html)
    assert not reader.attributes & {"src", "href", "srcset", "data", "action", "background"}
    assert not {"link", "iframe", "object", "img", "base"} & set(reader.tags)
    assert not re.search(r"url\(|@import|https?:", html)


def test_scores_and_differences_are_those_of_the_files(run):
    reader = Reader(page_of(run))
    for name in ("before", "control", "after"):
        for result in json.loads((run / "evaluation" / name / "held_out" / "results.json").read_text()):
            assert f"{100 * result['score']:.1f}\u00a0%" in reader.text
    for line in json.loads((run / "manifest.json").read_text())["comparisons"]:
        assert f"{100 * line['difference']:+.1f}".replace("-", "−") in reader.text


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [(0.01, 0.2, "yes"), (-0.1, 0.2, "no"), (-0.3, -0.1, "no"), (None, None, "open")],
)
def test_the_verdict_follows_the_interval(run, low, high, state):
    manifest = json.loads((run / "manifest.json").read_text())
    kept = [line for line in manifest["comparisons"] if line["against"] != "control" or low is not None]
    for line in kept:
        if line["against"] == "control":
            line["interval"] = [low, high]
    (run / "manifest.json").write_text(json.dumps(manifest | {"comparisons": kept}))
    html = page_of(run)
    assert re.search(rf'<div class="verdict {state}"><b>Above the control', html)


def test_a_shorter_control_is_called_shorter(run):
    text = Reader(page_of(run)).text
    assert "trained on 40 % of the tokens" in text
    assert "a shorter control" in text


def test_what_was_dropped_is_shown_with_its_reason(run):
    text = Reader(page_of(run)).text
    for reason in (
        "the answer is empty",
        "completion would be cut",
        "duplicate",
        "fewer records than its rate",
    ):
        assert reason in text


@pytest.mark.parametrize(
    "missing",
    ["heldout", "mix", "model", "control", "evaluation", "evaluation/after/held_out", "manifest.json", "stages.json"],
)
def test_a_partial_run_says_what_is_missing(run, missing):
    path = run / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    text = Reader(page_of(run)).text
    if "." in missing:
        assert "This run is not complete" not in text
    else:
        assert "This run is not complete" in text
        assert missing in text


def test_without_a_measurement_before_training_the_one_after_it_comes_first(run):
    shutil.rmtree(run / "evaluation" / "before")
    text = words(page_of(run))
    assert "Accuracy after training:" in text
    assert "went from" not in text


def test_a_run_that_has_only_its_recipe(tmp_path):
    (tmp_path / "recipe.yaml").write_text("name: new\n")
    text = Reader(page_of(tmp_path)).text
    assert "Nothing has been measured yet" in text


def test_same_folder_same_bytes(run):
    assert page_of(run) == page_of(run)
    assert page_of(run / "evaluation") == page_of(run / "evaluation")


@pytest.mark.parametrize("is_run", [True, False])
def test_what_a_reader_must_know_of_a_score(run, is_run):
    text = words(page_of(run if is_run else run / "evaluation"))
    for told in (
        "in-domain",
        "not the chosen prompt",
        "further test run",
        "5 % truncated",
        "2 of 40 answers (5.0%) were cut short",
        "12.5 % 33.3 % 62.5 %",  # minimum, mean and maximum of the prompts
        "76 more rows",  # of a table with an error
        "What the model reads",
    ):
        assert told in text, told
    assert "The worst errors" in text


def write_evaluation(folder, benchmark, model, score, **notes):
    folder.mkdir(parents=True)
    manifest = {"symtune": "evaluate", "model": {"name": model, "weights_sha256": model}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    result = {"benchmark": benchmark, "split": "test", "metric": "m", "score": score, "n": 9}
    line = {**result, "interval": None if score is None else [0, 1], "notes": notes}
    (folder / "results.json").write_text(json.dumps([line]))


def test_a_folder_of_evaluations_is_a_table_of_benchmarks_and_models(tmp_path):
    for place, (benchmark, model, score) in enumerate(
        [("bbh", "a/x/model", None), ("svamp", "a/x/model", 0.25), ("svamp", "b/y/model", 0.75), ("mmlu", "z", 0.5)]
    ):
        write_evaluation(tmp_path / "deep" / str(place), benchmark, model, score, release="1 of 27 tasks")
    another = {"prompt_selection": {"prompt": "another than chosen", "chosen": "p"}}
    write_evaluation(tmp_path / "a first one", "svamp", "a/x/model", 0.125, **another)
    write_evaluation(tmp_path / ".hidden.working" / "01", "svamp", "unfinished", 0.9)
    text = words(page_of(tmp_path))
    assert "3 models on 3 benchmarks: 5 evaluations." in text
    head = text.index("x/model y/model z bbh, test")
    cells = re.findall(r"no score|\d\d\.\d %|–", text[head : text.index("Scores in per cent")])
    # chance, then the three models: the run with the prompt that was not chosen is a row of its own
    whole = ["–", "no score", "–", "–"], ["–", "–", "–", "50.0 %"], ["–", "25.0 %", "75.0 %", "–"]
    assert cells == [cell for row in (*whole, ["–", "12.5 %", "–", "–"]) for cell in row]
    assert "unfinished" not in text
    one = words(page_of(tmp_path / "deep" / "1"))
    assert "1 model on 1 benchmark: 1 evaluation." in one


PREDICTION = '{"id": "a", "text": "1", "score": 1}'
WRONG = [
    ("recipe.yaml", "a: [", "recipe.yaml: not YAML"),
    ("recipe.yaml", "- 1", "recipe.yaml: wanted a mapping"),
    ("manifest.json", "{", "manifest.json: not JSON"),
    ("manifest.json", "[]", "manifest.json: got a JSON list"),
    ("evaluation/after/held_out/results.json", "{}", "results.json: got a JSON dict"),
    ("evaluation/after/held_out/results.json", '[{"score": 1}]', "results.json: result 1"),
    ("evaluation/after/held_out/predictions.jsonl", PREDICTION + "\n{", "predictions.jsonl:2: not JSON"),
    ("evaluation/after/held_out/predictions.jsonl", '{"id": "a"}', "predictions.jsonl: line 1: text: Field required"),
    (
        "evaluation/after/held_out/results.json",
        '[{"benchmark": "b", "split": "s", "metric": "m", "score": 1, "n": 1, "interval": [0, 1], '
        '"notes": {"verdicts": 1}}]',
        "results.json: notes of result 1: verdicts: Input should be a valid dictionary",
    ),
    ("evaluation/after/held_out/errors.jsonl", '{"id": "a"}', "errors.jsonl: line 1: groups: Field required"),
    ("model/log.jsonl", "x", "log.jsonl:1: not JSON"),
    ("heldout/data/test-00000-of-00001.parquet", "x", "not a readable parquet file"),
]


@pytest.mark.parametrize(("name", "content", "message"), WRONG)
def test_broken_files_are_named(run, name, content, message):
    (run / name).write_text(content)
    with pytest.raises(InputError) as caught:
        report(run)
    assert message in str(caught.value)
    assert not (run / "report.html").exists()


def test_wrong_folders(tmp_path):
    with pytest.raises(InputError, match=r"no recipe\.yaml here"):
        report(tmp_path / "absent")
    run_folder.write(tmp_path / "run")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        report(tmp_path / "run", tmp_path / "file" / "report.html")
    with pytest.raises(OutputError, match="--overwrite"):
        report(tmp_path / "run", tmp_path / "file", overwrite=False)


@pytest.mark.parametrize("largest", [0, 1e-9, 0.3, 1, 2.49, 7, 99_999, 1e12, float("inf"), float("nan")])
def test_axes_are_round_and_hold_their_data(largest):
    axis = plots.axis(largest)
    assert 3 <= len(axis.ticks) <= 8
    assert axis.ticks[0] == 0
    assert axis.top >= axis.ticks[-1]
    assert 0 <= axis.place(largest if largest == largest else 0) <= 100
