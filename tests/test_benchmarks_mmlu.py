"""MMLU: the official layout, subjects and categories, shots, and releases that lack parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from official_releases import mmlu_release
from symtune import benchmarks
from symtune.benchmarks import Format
from symtune.benchmarks.mmlu.subjects import CATEGORIES, CATEGORY, SUBJECTS
from symtune.outcomes import Outcome, Prompt
from symtune.types import Completion, InputError, UnknownName

MMLU = benchmarks.find("mmlu")
# How many questions the published test file of each subject has, for some subjects.
PUBLISHED = {
    "abstract_algebra": 100,
    "clinical_knowledge": 265,
    "college_mathematics": 100,
    "conceptual_physics": 235,
    "formal_logic": 126,
    "high_school_computer_science": 100,
    "high_school_macroeconomics": 390,
    "high_school_psychology": 545,
    "human_aging": 223,
    "logical_fallacies": 163,
    "medical_genetics": 100,
    "nutrition": 306,
    "professional_law": 1_534,
    "security_studies": 245,
    "world_religions": 171,
}


def results(questions, said=lambda question: question.target[0]):
    """The results of the questions, answered in a certain way, by metric and group."""
    outcomes = []
    for question in questions:
        text = said(question)
        outcomes.append(Outcome(question, Prompt(""), Completion(text), MMLU.score(text, question).score))
    return {(one.metric, one.group): one for one in MMLU.aggregate("test", outcomes)}


def whole_release(folder: Path) -> Path:
    """A complete release, with two questions per subject."""
    for subject in SUBJECTS:
        path = folder / "data" / "test" / f"{subject}_test.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x?,p,q,r,s,A\ny?,p,q,r,s,B\n", "utf-8")
    return folder


def test_subjects_and_categories() -> None:
    assert len(SUBJECTS) == 57
    sizes = {category: len(subjects) for category, subjects in CATEGORIES.items()}
    assert sizes == {"STEM": 18, "humanities": 13, "social sciences": 12, "other": 14}


def test_cells_are_read_as_csv_writes_them(tmp_path: Path) -> None:
    questions = MMLU.load(mmlu_release(tmp_path / "r"), "test")
    assert [question.id for question in questions] == ["anatomy/test/1", "anatomy/test/2", "astronomy/test/1"]
    assert questions[2].fields["question"] == 'Which planet has "rings"?\nName it.'
    assert questions[2].fields["options"] == "A. Mars\nB. Venus\nC. Saturn\nD. Mercury"


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("C", 1),
        ("(C)", 1),
        ("C. Saturn", 1),
        ("The answer is C.", 1),
        ("Saturn", 1),
        ("c", 0),
        ("B", 0),
        ("B or C", 0),
        ("Saturn and Venus both do", 0),
        ("I do not know", 0),
        ("C\n\nQuestion: And which has none?\nAnswer: B", 1),
        (" C\n\nAnd which has none?\nA. Mars\nB. Saturn\nAnswer: A", 1),
        ("A. Mars has none.\nC. Saturn has some.\nThe answer is C.", 1),
    ],
)
def test_scores(tmp_path: Path, said: str, score: int) -> None:
    assert MMLU.score(said, MMLU.load(mmlu_release(tmp_path / "r"), "test")[2]).score == score


def test_a_release_that_lacks_subjects_has_no_score_over_all(tmp_path: Path) -> None:
    found = results(MMLU.load(mmlu_release(tmp_path / "r"), "test"), said=lambda question: "B")
    whole = found["option_match", ""]
    assert (whole.n, whole.score, whole.interval, whole.notes) == (3, None, None, {"release": "2 of 57 subjects"})
    assert found["mean over subjects", ""].score is None
    assert found["option_match", "anatomy"].score == 1.0
    assert found["option_match", "anatomy"].notes == {
        "chance": 0.25,
        "chance_how": "one of the four options at random",
        "majority": 1.0,
        "majority_answer": "B",
    }
    assert found["option_match", "STEM"].score == 0.0
    assert found["option_match", "STEM"].notes["release"] == "1 of 18 subjects"


def test_a_whole_release_is_scored_over_questions_subjects_and_categories(tmp_path: Path) -> None:
    data = whole_release(tmp_path / "r")
    (data / "data/test/virology_test.csv").write_text("x?,p,q,r,s,B\n" * 8, "utf-8")
    found = results(MMLU.load(data, "test"), said=lambda question: "A")
    assert found["option_match", ""].score == 56 / 120
    assert found["option_match", ""].notes["chance"] == 0.25
    assert found["mean over subjects", ""].score == pytest.approx(56 / 2 / 57)
    assert found["option_match", "STEM"].score == 0.5
    assert "release" not in found["option_match", "STEM"].notes
    assert len(found) == 2 + 4 + 57


def test_a_limit_counts_questions_and_takes_them_in_turn(tmp_path: Path) -> None:
    data = whole_release(tmp_path / "r")
    taken = Counter(question.part for question in MMLU.load(data, "test", limit=60))
    assert sorted(taken.values()) == [1] * 54 + [2] * 3
    assert results(MMLU.load(data, "test", limit=5))["option_match", ""].score == 1.0


def test_shots_come_from_dev_behind_the_introduction_and_are_dropped_to_fit(tmp_path: Path) -> None:
    data = mmlu_release(tmp_path / "r")
    question = MMLU.load(data, "test")[2]
    format = Format(shots=MMLU.shots(data, "test", 5))
    MMLU.check_format(format, [question])
    whole = MMLU.prompt(question, format, lambda text: True)
    assert whole.text.startswith(
        "Below are multiple-choice questions about astronomy, with their answers.\n\nShot 0 of"
    )
    assert whole.text.count("of astronomy?") == 5
    assert "anatomy" not in whole.text
    assert "\nD. s\nAnswer: A\n\nShot 1" in whole.text
    assert whole.text.endswith("D. Mercury\nAnswer:")
    shorter = MMLU.prompt(question, format, lambda text: len(text) < len(whole.text))
    assert (shorter.shots_dropped, shorter.text.count("of astronomy?")) == (1, 4)
    assert "Shot 3" in shorter.text
    assert "Shot 4" not in shorter.text
    assert MMLU.prompt(question, format, lambda text: False).text == MMLU.ask(question, format)


def test_every_template_shows_question_and_options(tmp_path: Path) -> None:
    question = MMLU.load(mmlu_release(tmp_path / "r"), "test")[2]
    for template in MMLU.templates:
        asked = MMLU.ask(question, Format(template.id))
        assert question.fields["question"] in asked
        assert question.fields["options"] in asked


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("x?,p,q,r,A", r"anatomy_test\.csv:1: got 5 columns, wanted 6"),
        ("x?,p,q,r,s,E", r"anatomy_test\.csv:1: the answer is 'E', wanted A, B, C, D"),
        ('"x?,p,q,r,s,A', r"anatomy_test\.csv:1: not csv"),
        ("x?,p,q,r,s,A\n\n\xff", r"anatomy_test\.csv: not UTF-8"),
        ("", r"anatomy_test\.csv: no questions in it"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, row: str, fault: str) -> None:
    data = mmlu_release(tmp_path / "r")
    (data / "data/test/anatomy_test.csv").write_text(row, "latin-1")
    with pytest.raises(InputError, match=fault):
        MMLU.load(data, "test")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    data = mmlu_release(tmp_path / "r")
    (data / "data/dev/astronomy_dev.csv").unlink()
    with pytest.raises(InputError, match=r"data/dev/astronomy_dev\.csv: no such file"):
        MMLU.shots(data, "test", 5)
    (data / "data/dev/anatomy_dev.csv").write_text("x?,p,q,r,s,A\n")
    with pytest.raises(InputError, match=r"anatomy_dev\.csv: 5 shots are wanted, but it has only 1"):
        MMLU.shots(data, "test", 5)
    (data / "data/val").rename(data / "data/validation")
    with pytest.raises(InputError, match=r"data/val/abstract_algebra_val\.csv: no such file"):
        MMLU.split(data, "validation")
    with pytest.raises(UnknownName, match="unknown split 'valid'"):
        MMLU.split(data, "valid")
    with pytest.raises(InputError, match="the questions of MMLU's dev split are the shots"):
        MMLU.shots(data, "dev", 1)


def test_the_real_release(shared: Path) -> None:
    data = shared / "mmlu"
    questions = MMLU.load(data, "test")
    assert Counter(question.part for question in questions) == PUBLISHED
    found = results(questions)
    assert found["option_match", ""].notes == {"release": "15 of 57 subjects"}
    assert {one.score for (_, group), one in found.items() if group} == {1.0}
    for template in ("The answer is {}.", "({})", "{}."):
        wrong = [one.id for one in questions if MMLU.score(template.format(one.target[0]), one).score != 1.0]
        assert wrong == []
    shots = MMLU.shots(data, "test", 5)
    assert Counter(shot.group for shot in shots) == dict.fromkeys(PUBLISHED, 5)
    assert set(PUBLISHED) < set(CATEGORY)
