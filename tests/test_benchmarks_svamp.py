"""SVAMP: the official layout, numbers filled in, the score of the release."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from official_releases import SVAMP_HEADER, svamp_release
from symtune import benchmarks
from symtune.benchmarks import Format
from symtune.types import InputError, UnknownName

SVAMP = benchmarks.find("svamp")


def test_numbers_take_their_places(tmp_path: Path) -> None:
    data = svamp_release(tmp_path / "r")
    problems = SVAMP.load(data, "test")
    assert [problem.fields["question"] for problem in problems] == [
        "Ann has 18 hens , and Bo has 10 . How many hens are there ?",
        "A kilo costs 2.5 dollars . What do 3.0 kilos cost ?",
        "4.0 of 4.0 birds fly away . How many stay ?",
    ]
    assert [problem.target for problem in problems] == [("28",), ("7.5",), ("0",)]
    assert SVAMP.load(data, "validation")[0].fields["question"].startswith("Once Ann")


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("28", 1),
        ("28.0", 1),
        ("18 + 10 = 28 hens", 1),
        ("The answer is twenty-eight.", 1),
        ("28.009", 1),  # the release takes what is within 0.01
        ("28.02", 0),
        ("-28", 0),
        ("18", 0),
        ("none", 0),
    ],
)
def test_scores(tmp_path: Path, said: str, score: int) -> None:
    assert SVAMP.score(said, SVAMP.load(svamp_release(tmp_path / "r"), "test")[0]).score == score


def test_seventeen_templates_each_show_the_problem(tmp_path: Path) -> None:
    problem = SVAMP.load(svamp_release(tmp_path / "r"), "test")[0]
    asked = {template.id: SVAMP.ask(problem, Format(template.id)) for template in SVAMP.templates}
    assert len(set(asked.values())) == 17
    assert all(problem.fields["question"] in text and "{" not in text for text in asked.values())


def test_shots_are_problems_of_train(tmp_path: Path) -> None:
    data = svamp_release(tmp_path / "r")
    problem = SVAMP.load(data, "test")[0]
    shots = SVAMP.shots(data, "test", 2)
    prompt = SVAMP.prompt(problem, Format(shots=shots), lambda text: True)
    assert prompt.text.endswith(f"Question: {problem.fields['question']}\nAnswer:")
    assert [f"Answer: {shot.answer}" in prompt.text for shot in shots] == [True, True]
    with pytest.raises(InputError, match=r"come from train\.csv"):
        SVAMP.shots(data, "validation", 2)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("x number1 ?,5,e,1.0,g,b,q", r"dev\.csv:2: number1 is in the question, but the length of Numbers is 1"),
        ("x number0 ?,5,e,nan,g,b,q", r"dev\.csv:2: Answer: got 'nan', wanted a number"),
        ("x number0 ?,5,e", r"dev\.csv:2: got 3 columns, wanted 7"),
        ('"x number0 ?,5,e', r"dev\.csv:2: not csv: unexpected end of data"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, fault: str) -> None:
    data = svamp_release(tmp_path / "r")
    (data / "data/mawps-asdiv-a_svamp/dev.csv").write_text(f"{SVAMP_HEADER}\n{row}\n", "utf-8")
    with pytest.raises(InputError, match=fault):
        SVAMP.load(data, "test")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    data = svamp_release(tmp_path / "r")
    (data / "data/mawps-asdiv-a_svamp/dev.csv").unlink()
    with pytest.raises(InputError, match=r"mawps-asdiv-a_svamp/dev\.csv: no such file"):
        SVAMP.split(data, "test")
    with pytest.raises(UnknownName, match="Did you mean 'validation'"):
        SVAMP.split(data, "valid")


@pytest.mark.parametrize(("split", "size"), [("validation", 3_138), ("test", 200)])
def test_every_gold_answer_of_the_real_release_is_right(shared: Path, split: str, size: int) -> None:
    problems = SVAMP.load(shared / "SVAMP", split)
    assert len(problems) == size
    assert [one.id for one in problems if SVAMP.score(one.target[0], one).score != 1.0] == []
    assert [one.id for one in problems if re.search(r"number\d", one.fields["question"])] == []
