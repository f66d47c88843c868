"""BIG-Bench Hard: the official layout, exact matches, worked examples, and releases that lack tasks."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from official_releases import bbh_release
from symtune import benchmarks
from symtune.benchmarks import Format
from symtune.benchmarks.bbh.tasks import TASKS
from symtune.outcomes import Outcome, Prompt
from symtune.types import Completion, InputError, UnknownName

BBH = benchmarks.find("bbh")


def results(questions, said=lambda question: question.target[0]):
    """The results of the questions, answered in a certain way, by metric and group."""
    outcomes = []
    for question in questions:
        text = said(question)
        score, others = BBH.score(text, question).score, BBH.other_scores(text, question)
        outcomes.append(Outcome(question, Prompt(""), Completion(text), score, others))
    return {(one.metric, one.group): one for one in BBH.aggregate("test", outcomes)}


def write(folder: Path, task: str, examples: list[tuple[str, str]]) -> None:
    """A task's file."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"canary": "…", "examples": [{"input": asked, "target": target} for asked, target in examples]}
    (folder / f"{task}.json").write_text(json.dumps(content), "utf-8")


def test_tasks() -> None:
    assert len(TASKS) == 27
    assert sum(TASKS.values()) == 6_511


@pytest.mark.parametrize(
    ("said", "with_parentheses", "without"),
    [
        ("(B)", 1, 1),
        ("B", 0, 1),
        ("B.", 0, 1),
        ("(B).", 1, 1),
        ("The answer is (B).", 1, 1),
        ("The answer is B.", 0, 1),
        ("(B) Bo", 0, 1),
        ("Ada is 3, Bo is 5.\nThe answer should be Bo. So the answer is (B).", 1, 1),
        ("(A)", 0, 0),
        ("(b)", 0, 0),
        ("(A) or (B)", 0, 0),
        ("Bo", 0, 0),
        ("", 0, 0),
        ("(B)\n\nQ: And who is 3?\nA: (A)", 1, 1),
    ],
)
def test_an_option_is_matched_with_and_without_parentheses(
    tmp_path: Path, said: str, with_parentheses: int, without: int
) -> None:
    question = BBH.load(bbh_release(tmp_path / "r"), "test")[1]
    assert BBH.score(said, question).score == with_parentheses
    assert BBH.other_scores(said, question) == {"exact_match_without_parentheses": without}


@pytest.mark.parametrize(
    ("target", "said", "score"),
    [
        ("Yes", "Yes", 1),
        ("Yes", "yes", 0),
        ("Yes", "No", 0),
        ("> ) ]", "> ) ]", 1),
        ("> ) ]", "So we need ), ]. So the answer is > ) ].", 1),
        (")", "]", 0),
        ("-35", "The answer is -35.", 1),
        ("-35", "35", 0),
        ("ant bee cat", "ant bee cat", 1),
        ("ant bee cat", "ant, bee, cat", 0),
    ],
)
def test_other_answers_are_matched_to_the_letter(tmp_path: Path, target: str, said: str, score: int) -> None:
    write(tmp_path, "word_sorting", [("?", target)])
    question = BBH.load(tmp_path, "test")[0]
    assert BBH.score(said, question).score == score
    assert BBH.other_scores(said, question) == {"exact_match_without_parentheses": score}


@pytest.mark.parametrize(
    ("examples", "chance"),
    [
        ([("Who?\nOptions:\n(A) Ada\n(B) Bo\n(C) Cy\n(D) Di", "(B)")], 0.25),
        ([("Home?\nOptions:\n- Yes\n- No", "No")], 0.5),
        ([("Plausible?", "yes"), ("And this?", "no")], 0.5),
        ([("Valid?", "valid"), ("And this?", "invalid")], 0.5),
        ([("1 + 1?", "2"), ("1 + 2?", "3")], 0.0),
        ([("Which?\nOptions:\n(A) x\n(B) y", "z")], 0.0),  # the release has targets that are no option
    ],
)
def test_chance(tmp_path: Path, examples: list[tuple[str, str]], chance: float) -> None:
    write(tmp_path, "snarks", examples)
    assert {question.chance for question in BBH.load(tmp_path, "test")} == {chance}


def test_a_release_that_lacks_tasks_has_no_score_over_all(tmp_path: Path) -> None:
    found = results(BBH.load(bbh_release(tmp_path / "r"), "test"))
    for metric in ("exact_match", "exact_match_without_parentheses", "mean over tasks"):
        whole = found[metric, ""]
        assert (whole.score, whole.interval, whole.n, whole.notes) == (None, None, 3, {"release": "2 of 27 tasks"})
    assert found["exact_match", "navigate"].score == 1.0
    assert found["exact_match", "penguins_in_a_table"].n == 2
    assert next(iter(found)) == ("exact_match", "")


def test_a_whole_release_is_scored_over_questions_and_tasks(tmp_path: Path) -> None:
    for task in TASKS:
        write(tmp_path / "bbh", task, [("x?\nOptions:\n(A) p\n(B) q", "(A)"), ("y?\nOptions:\n(A) p\n(B) q", "(B)")])
    write(tmp_path / "bbh", "snarks", [("x?\nOptions:\n(A) p\n(B) q", "(B)")] * 8)
    questions = BBH.load(tmp_path, "test")
    found = results(questions, said=lambda question: "A")
    assert found["exact_match", ""].score == 0.0
    assert found["exact_match_without_parentheses", ""].score == 26 / 60
    assert found["exact_match", ""].notes["chance"] == 0.5
    assert found["exact_match", ""].notes["majority"] == 34 / 60
    found = results(BBH.load(tmp_path, "test", limit=30), said=lambda question: "(A)")
    assert (found["exact_match", ""].n, found["exact_match", ""].score) == (30, 26 / 30)
    assert found["mean over tasks", ""].score == pytest.approx((23 + 3 * 0.5) / 27)


def test_shots_are_the_worked_examples_in_the_official_form(tmp_path: Path) -> None:
    data = bbh_release(tmp_path / "r")
    question = BBH.load(data, "test")[0]
    format = Format(shots=BBH.shots(data, "test", 3))
    prompt = BBH.prompt(question, format, lambda text: True)
    official = (data / "cot-prompts/navigate.txt").read_text("utf-8").partition("-----\n")[2]
    assert prompt.text == f"{official}\n\nQ: {question.fields['question']}\nA: Let's think step by step."
    assert BBH.longest_answer(format) > BBH.longest_answer(Format())
    shorter = BBH.prompt(question, format, lambda text: len(text) < len(prompt.text))
    assert (shorter.shots_dropped, shorter.text.count("Worked")) == (1, 2)
    BBH.check_format(format, [question])
    for shot in format.shots:
        assert BBH.read(shot.answer, question) == ["Yes"]


def test_every_template_shows_the_question(tmp_path: Path) -> None:
    question = BBH.load(bbh_release(tmp_path / "r"), "test")[1]
    assert all(question.fields["question"] in BBH.ask(question, Format(one.id)) for one in BBH.templates)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[]", r"navigate\.json: no questions in it"),
        ('{"canary": ""}', r"navigate\.json: no list of `examples`"),
        ('{"examples": []}', r"navigate\.json: no questions in it"),
        ('{"examples": [{"input": "x", "target": "y"}, {"input": "x"}]}', r"navigate\.json: example 2: wanted `input`"),
        ('{"examples": [1]}', r"navigate\.json: example 1: wanted `input`"),
        ('{"examples": [', r"navigate\.json:1: not JSON|navigate\.json:1: "),
        ("3", r"navigate\.json:1: got a JSON number"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, fault: str) -> None:
    data = bbh_release(tmp_path / "r")
    (data / "bbh/navigate.json").write_text(content)
    with pytest.raises(InputError, match=fault):
        BBH.load(data, "test")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    data = bbh_release(tmp_path / "r")
    (data / "cot-prompts/navigate.txt").write_text("What navigate is.\n\nQ: x?\nA: Let's think step by step.\nYes.")
    with pytest.raises(InputError, match=r"navigate\.txt: 3 shots are wanted, but it has only 1"):
        BBH.shots(data, "test", 3)
    (data / "cot-prompts/navigate.txt").write_text("What navigate is.\n\nQ: x?\n\nQ: y?")
    with pytest.raises(InputError, match=r"navigate\.txt: example 1 has no answer"):
        BBH.shots(data, "test", 3)
    (data / "cot-prompts/navigate.txt").unlink()
    with pytest.raises(InputError, match=r"cot-prompts/navigate\.txt: no such file"):
        BBH.shots(data, "test", 3)
    with pytest.raises(UnknownName, match="unknown split 'validation'"):
        BBH.split(data, "validation")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty/boolean_expressions\.json: no such file, nor that of another task"):
        BBH.split(tmp_path / "empty", None)


def test_the_real_release(shared: Path) -> None:
    questions = BBH.load(shared / "bbh", "test")
    sizes = Counter(question.part for question in questions)
    assert sizes == {task: TASKS[task] for task in sizes}
    found = results(questions)
    assert found["exact_match", ""].notes == {"release": f"{len(sizes)} of 27 tasks"}
    assert {one.score for (_, group), one in found.items() if group} == {1.0}
    concluded = results(questions, said=lambda question: f"One step.\nSo the answer is {question.target[0]}.")
    assert {one.score for (_, group), one in concluded.items() if group} == {1.0}
    with pytest.raises(InputError, match=r"cot-prompts/date_understanding\.txt: no such file"):
        BBH.shots(shared / "bbh", "test", 3)
