"""Extracting answers from prose: tables of cases, texts that the rules were never tuned on, laws for any text."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from symtune import benchmarks
from symtune.benchmarks.wikitablequestions.rules import wtq_correct
from symtune.reading import continues, read_answer, read_number, read_option

HERE = Path(__file__).parent


def cases(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((HERE / name).read_text("utf-8"))


def named(case: dict[str, Any]) -> str:
    return case["text"][:40]


ANSWERS = cases("answers.yaml")


@pytest.mark.parametrize("case", ANSWERS, ids=named)
def test_an_answer_is_read_as_a_person_reads_it(case: dict) -> None:
    assert read_answer(case["text"]) == case["items"]


def test_there_are_many_kinds_of_phrasing() -> None:
    assert len({case["text"] for case in ANSWERS}) == len(ANSWERS) >= 300


def test_phrasings_that_the_rules_have_not_seen() -> None:
    unseen = cases("answers_unseen.yaml")
    assert not {case["text"] for case in unseen} & {case["text"] for case in ANSWERS}
    wrong = [case["text"] for case in unseen if read_answer(case["text"]) != case["items"]]
    assert len(wrong) / len(unseen) <= 0.05


@pytest.mark.parametrize("case", cases("numbers.yaml"), ids=named)
def test_the_number_of_a_worked_answer(case: dict) -> None:
    assert read_number(case["text"]) == case["number"]


@pytest.mark.parametrize("case", cases("options.yaml"), ids=named)
def test_the_option_that_is_chosen(case: dict) -> None:
    assert read_option(case["text"], case["options"]) == case["option"]


TURNS = [
    ("5", "5"),
    ("5\n\nQuestion: How many?", "5\n\n"),
    ("5\nQ: How many?\nA: 6", "5\n"),
    ("5\n**Question 2:** How many?", "5\n"),
    ("5\n### Instruction:\nCount.", "5\n"),
    ("5\n### Input\nCount.", "5\n"),
    ("5\nHuman: and now?", "5\n"),
    ("5\nUSER: and now?", "5\n"),
    ("5\n\nExample 2:\nCount.", "5\n\n"),
    ("5<|im_end|>\n<|im_start|>user", "5"),
    ("5</s>6", "5"),
    ("Question: How many?\nAnswer: 5", "Question: How many?\nAnswer: 5"),
    ("<|im_start|>assistant\n5<|im_end|>", "<|im_start|>assistant\n5"),
    ("<think>\nQuestion: how many?\n</think>5", "<think>\nQuestion: how many?\n</think>5"),
    ("The question: how many? 5", "The question: how many? 5"),
    ("Users: 5 in all", "Users: 5 in all"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "own"), TURNS)
def test_a_text_is_cut_where_it_runs_on(text: str, own: str) -> None:
    assert continues(text) == own


PIECES = (
    "The answer is ¦Answer: ¦####¦\\boxed{¦}¦<answer>¦</answer>¦<think>¦</think>¦So ¦because ¦is ¦are ¦5¦1,000¦$¦**¦\n"
    '¦\n\n¦- ¦1. ¦. ¦, ¦ and ¦(B)¦A¦B¦[¦{¦"answer": ¦"¦\'¦:¦=¦Question:¦<|im_end|>¦Oslo¦there are ¦---¦`¦```¦\\frac¦%'
    "¦?¦!¦\u0301¦\ud800¦\x00¦\u2028¦Yes¦-¦.5¦/¦_¦~~¦#¦>¦^¦€¦²¦١¦。¦ | ¦|¦ ; "
).split("¦")
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@given(st.text() | pieces)
def test_any_text_can_be_read(text: str) -> None:
    assert all(item.strip() for item in read_answer(text))
    number = read_number(text)
    assert number is None or float(number) == float(number)
    assert read_option(text, ("red", "A", "")) in (None, "A", "B", "C")
    assert text.startswith(continues(text))


@given(pieces)
def test_a_thought_that_never_ends_gives_no_answer(text: str) -> None:
    thought = "<think>" + text.replace("</think>", "")
    assert (read_answer(thought), read_number(thought), read_option(thought, ("a", "b"))) == ([], None, None)


HOSTILE = [
    "[", "(", "{", '{"answer":', '[{"a":', "\\boxed{", "\\frac{", "\\text{a", "9", "9,", "1,000,", "a\u0301", "\u0301",
    " ", "\n", "a ", "A\n", "Answer:", "answer to ", "answer is ", "The answer is 7.\n", "The is ", "`", "*", "**a",
    "~~", "|", "| a |\n", "- a\n", "--", '"', "'a' ", "<think>", "</think>", "<answer>", "<|im_end|>", "Question:\n",
    "St. ", "because ", "1=", "1 km, ", "there is ", "(A) or ", "A, ", "。", "?\n", ": ", "+-", "####", "#### a\n",
    "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_time_in_proportion_to_its_length(piece: str) -> None:
    """A quadratic rule would take minutes; the bound is far above what linear rules need."""
    for text in (piece * (100_000 // len(piece)), "The answer is " + piece * (20_000 // len(piece)) + "x"):
        began = time.process_time()
        read_answer(text)
        read_number(text)
        read_option(text, ("red", "green", "A"))
        assert time.process_time() - began < 10


PHRASINGS = [
    "The answer is {}.", "Answer: {}", "**Answer:** {}", "So the answer is **{}**.", "\\boxed{{{}}}", "#### {}",
    "<answer>{}</answer>", "The answer is {}, because it is so.", "{}\n\nExplanation: the table says so.",
    "<think>Is it 3?</think>\n\n{}", "{}\n\nQuestion: How many?\nAnswer: 3", "The table says so.\n\nFinal answer: {}",
]  # fmt: skip


def test_real_answers_are_read_in_many_phrasings(shared: Path) -> None:
    examples = benchmarks.find("wikitablequestions").load(shared / "WikiTableQuestions", "pristine-seen-tables", 1_000)
    gold = [example.target[0] for example in examples if len(example.target) == 1]
    wrong = [
        (phrasing, answer)
        for phrasing in PHRASINGS
        for answer in gold
        if not wtq_correct(read_answer(phrasing.format(answer)), [answer], None)
    ]
    assert len(wrong) <= 0.002 * len(PHRASINGS) * len(gold), wrong[:20]
