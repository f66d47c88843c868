"""SQA: conversations with their history, answers as sets of cells, accuracy of questions and of sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from symtune import benchmarks
from symtune.benchmarks import Format
from symtune.outcomes import Outcome, Prompt
from symtune.prompts import load_templates
from symtune.tables import load_tables
from symtune.types import Completion, InputError
from table_releases import SQA_HEADER, SQA_QUESTIONS, sqa_release

BENCHMARK = benchmarks.find("sqa")


def test_the_release_is_read_with_its_history(tmp_path: Path) -> None:
    questions = BENCHMARK.load(sqa_release(tmp_path / "r"), "validation")
    assert [one.id for one in questions] == ["nt-1-0_0", "nt-1-0_1", "nt-1-2_0"]
    assert [one.target for one in questions] == [("Oslo", "Bergen"), ('"Oslo"',), ("1,000",)]
    assert [one.fields["history"] for one in questions] == ["", "which cities?", ""]
    assert questions[1].fields["question"] == "of those, which is larger?"
    assert [one.groups for one in questions] == [("question 1",), ("question 2",), ("question 1",)]
    assert [one.chance for one in questions] == [0, 1 / 8, 2 / 8]  # "1,000" and "1000" are one answer
    assert BENCHMARK.notes(questions) == {"sequences": 2, "sequences_cut": 0}


def test_tables_are_those_that_are_kept_out_of_training(tmp_path: Path) -> None:
    release = sqa_release(tmp_path / "r")
    (table,) = load_tables(release).tables
    assert BENCHMARK.load(release, "validation")[0].table == table


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("Oslo | Bergen", 1),
        ("bergen | OSLO | Bergen", 1),  # a set
        ("- Bergen\n- Oslo", 1),
        ("The answers are Oslo and Bergen.", 1),
        ("Oslo", 0),
        ("Oslo | Bergen | Rome", 0),
        ("", 0),
    ],
)
def test_answers_are_sets(tmp_path: Path, said: str, score: int) -> None:
    assert BENCHMARK.score(said, BENCHMARK.load(sqa_release(tmp_path / "r"), "validation")[0]).score == score


def test_empty_cells_are_no_answer(tmp_path: Path) -> None:
    questions = [
        "nt-1\t0\t0\tq\ttable_csv/203_1.csv\t['(1, 1)', '(2, 1)']\t['1,000', '']",
        "nt-1\t0\t1\tq\ttable_csv/203_1.csv\t['(2, 1)']\t['']",
    ]
    some, none = BENCHMARK.load(sqa_release(tmp_path / "r", questions), "validation")
    assert (some.target, none.target) == (("1,000",), ("none",))
    assert BENCHMARK.score("1000", some).score == BENCHMARK.score("None.", none).score == 1
    assert BENCHMARK.score("", none).score == 0


def test_accuracy_of_questions_sequences_and_first_questions(tmp_path: Path) -> None:
    questions = BENCHMARK.load(sqa_release(tmp_path / "r"), "validation")

    def results(*scores: float) -> list[tuple[str, str, float, int]]:
        outcomes = [
            Outcome(question, Prompt("?"), Completion("x"), score)
            for question, score in zip(questions, scores, strict=False)
        ]
        return [(one.metric, one.group, one.score, one.n) for one in BENCHMARK.aggregate("validation", outcomes)]

    assert results(1, 0, 1) == [
        ("question_accuracy", "", 2 / 3, 3),
        ("sequence_accuracy", "", 1 / 2, 2),
        ("first_question_accuracy", "", 1, 2),
        ("question_accuracy", "question 1", 1, 2),
        ("question_accuracy", "question 2", 0, 1),
    ]
    assert results(1)[1] == ("sequence_accuracy", "", 0, 0)  # cut short by a limit
    outcomes = [Outcome(replace(question, chance=1 / 2), Prompt("?"), Completion("x"), 0) for question in questions]
    chances = [one.notes.get("chance") for one in BENCHMARK.aggregate("validation", outcomes)]
    assert chances == [1 / 2, (1 / 4 + 1 / 2) / 2, 1 / 2, 1 / 2, 1 / 2]  # a sequence: that every guess is right


def test_a_limit_may_cut_a_sequence_and_says_so(tmp_path: Path) -> None:
    questions = BENCHMARK.load(sqa_release(tmp_path / "r"), "validation", limit=1)
    assert BENCHMARK.notes(questions) == {"sequences": 1, "sequences_cut": 1}


def test_prompts_show_the_history_where_there_is_one(tmp_path: Path) -> None:
    first, second, _ = BENCHMARK.load(sqa_release(tmp_path / "r"), "validation")
    for template in load_templates("sqa"):
        alone, after = (BENCHMARK.ask(one, Format(template.id)) for one in (first, second))
        blank = template.render({"table": "", "history": "", "question": ""})
        assert "which cities?" in alone
        assert "which cities?" in after
        assert "of those, which is larger?" in after
        with_history = template.render({"table": "", "history": "h", "question": ""})
        assert "\n\n\n\n" not in alone
        assert len(with_history) > len(blank) + len("h")
    plain = BENCHMARK.ask(second, Format("plain"))
    assert plain.endswith("\nwhich cities? of those, which is larger?")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (SQA_QUESTIONS[0].replace("203_1", "203_9"), r"dev\.tsv:2: .*203_9\.csv, the table of nt-1, is not there"),
        (SQA_QUESTIONS[1], r"dev\.tsv:2: got position '1' where 0 comes next"),
        (SQA_QUESTIONS[0].replace("['Oslo', 'Bergen']", "Oslo"), r"dev\.tsv:2: answer_text: got 'Oslo', wanted a list"),
        (SQA_QUESTIONS[0].replace("['Oslo', 'Bergen']", "[" * 900), r"dev\.tsv:2: answer_text: got '\[\["),
        ("nt-1\t0\t0\tq", r"dev\.tsv:2: got 4 columns, wanted 7"),
        ('nt-1\t0\t0\t"q', r"dev\.tsv:2: not csv"),  # a quote that never ends
    ],
)  # fmt: skip
def test_a_broken_row_is_named(tmp_path: Path, row: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        BENCHMARK.load(sqa_release(tmp_path / "r", [row]), "validation")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    data = sqa_release(tmp_path / "r")
    with pytest.raises(InputError, match=r"test\.tsv: no such file \(split test\); there are random-split-1-dev"):
        BENCHMARK.split(data, "test")
    file = data / "random-split-1-dev.tsv"
    file.write_text(SQA_HEADER + "\n")
    with pytest.raises(InputError, match=r"dev\.tsv: no questions in it"):
        BENCHMARK.load(data, "validation")
    file.write_text("id\tquestion\n")
    with pytest.raises(InputError, match=r"dev\.tsv:1: no column 'annotator'"):
        BENCHMARK.load(data, "validation")
    file.write_bytes(b"id\t\xff\n")
    with pytest.raises(InputError, match=r"dev\.tsv"):
        BENCHMARK.load(data, "validation")
    (data / "table_csv").rename(data / "tables")
    with pytest.raises(InputError, match="table_csv: no such folder"):
        BENCHMARK.load(data, "validation")


@pytest.mark.parametrize(
    ("split", "size", "sequences"),
    [("train", 14_541, 5_041), ("random-split-1-train", 12_276, 4_257), ("validation", 2_265, 784)],
)
def test_every_gold_answer_of_the_real_release_is_right(shared: Path, split: str, size: int, sequences: int) -> None:
    questions = BENCHMARK.load(shared / "SQA", split)
    assert (len(questions), BENCHMARK.published.get(split, size)) == (size, size)
    assert BENCHMARK.notes(questions) == {"sequences": sequences, "sequences_cut": 0}
    assert [one.id for one in questions if BENCHMARK.score(" | ".join(one.target), one).score != 1] == []
    asked = {one.fields["question"] for one in questions}  # one holds a line break in quotes
    broken = "who performed more laps out of hiroshi aoyama and marco simoncelli?"
    assert (broken in asked) == (split != "random-split-1-train")
