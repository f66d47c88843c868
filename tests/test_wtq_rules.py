"""The official rules of WikiTableQuestions: handmade cases, and verdicts of the official evaluator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.benchmarks.wikitablequestions.asked import asked
from symtune.benchmarks.wikitablequestions.rules import alone_right, normalize, to_value, wtq_correct

NORMAL = [
    ("Léss", "less"),
    ("‘a’ “b”", "'a' \"b\""),  # not quotation marks around the whole
    ("“b”", "b"),
    ("1910–1913", "1910-1913"),
    ("Slovakia[3]", "slovakia"),
    ("Slovakia[citation needed]†*", "slovakia"),
    ("[citation needed]", "[citation needed]"),  # the whole text is no citation …
    ("[12]", ""),  # … unless it is a number
    ("a [b [c]", "a"),
    ("Mercury (planet)", "mercury"),
    ("Mercury (planet)[2] (x)", "mercury"),
    ("Mercury(planet)", "mercury(planet)"),
    ("(planet)", "(planet)"),
    ('"Intro" (remix)', "intro"),
    ('""Intro""', '""intro""'),
    ('"', '"'),
    ("Inc..", "inc."),
    ("Inc. †", "inc"),
    ("  a \t\n b  ", "a b"),
    ("ﬁne ½", "fine 1⁄2"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "normal"), NORMAL)
def test_normal_text(text: str, normal: str) -> None:
    assert normalize(text) == normal


MEANINGS = [
    ("5", "", 5),
    ("5.0", "", 5),
    ("5.0000001", "", 5),
    (" +5 ", "", 5),
    ("1e3", "", 1000),
    ("2.5", "", 2.5),
    ("10 years", "10.0", 10),
    ("27 September", "xxxx-09-27", (-1, 9, 27)),
    ("x", "XX-01-xx", (-1, 1, -1)),
    ("x", "2010-01-02", (2010, 1, 2)),
    ("x", "2010-xx-xx", 2010),
    ("xx-xx-xx", "", "xx-xx-xx"),
    ("2010-13-01", "", "2010-13-01"),
    ("2010-1-32", "", "2010-1-32"),
    ("1,000", "", "1,000"),
    ("1_000", "", "1_000"),
    ("1_0.5", "", "1_0.5"),
    ("nan", "", "nan"),
    ("inf", "", "inf"),
    ("1e999", "", "1e999"),
    ("0x10", "", "0x10"),
    ("9" * 5000, "", "9" * 5000),
]


@pytest.mark.parametrize(("text", "canonical", "meaning"), MEANINGS)
def test_what_an_item_means(text: str, canonical: str, meaning: object) -> None:
    assert to_value(text, canonical).meaning == meaning


VERDICTS = [
    (["10"], ["10 years"], ["10.0"], True),
    (["10"], ["10 years"], None, False),
    (["10 years."], ["10 years"], None, True),
    (["xx-09-27"], ["27 September"], ["xxxx-09-27"], True),
    (["2001-09-27"], ["27 September"], ["xxxx-09-27"], False),
    (["2"], ["2"], None, True),
    (["2.0000005"], ["2"], None, True),
    (["2.000002"], ["2"], None, False),
    (["1,947"], ["1947"], ["1947.0"], False),
    (["b", "a"], ["a", "b"], None, True),
    (["a", "A", "a."], ["a"], None, True),  # a set of values
    (["a", "a"], ["a", "b"], None, False),
    (["a", "b"], ["a"], None, False),
    (["1", "1.0", "2"], ["1", "2"], None, True),
    ([], ["a"], None, False),
    ([""], ["a"], None, False),
    ([], [], None, True),
    (["9" * 400], ["2.5"], None, False),  # out of the range of floats
    (["5"], [""], ["5"], True),
    (["a"], ["a", "b"], ["a"], False),
    (["São Paulo", "Brazil"], ["São Paulo, Brazil"], ["São Paulo, Brazil"], False),
]


@pytest.mark.parametrize(("prediction", "target", "canon", "correct"), VERDICTS)
def test_verdicts(prediction: list[str], target: list[str], canon: list[str] | None, correct: bool) -> None:
    assert wtq_correct(prediction, target, canon) is correct


texts = st.lists(st.text() | st.text(alphabet='[]() "*.12-x_e\u0301٣', max_size=9), max_size=3)


@given(texts, texts, st.none() | texts)
def test_any_item_has_a_verdict(prediction: list[str], target: list[str], canon: list[str] | None) -> None:
    assert wtq_correct(target, target, None)
    assert wtq_correct(prediction, target, canon) in (True, False)


@given(st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True), st.lists(st.sampled_from(["[1]", "†", " (x)", "[a [b]"])))
def test_a_normal_text_keeps_no_tail(text: str, tails: list[str]) -> None:
    assert normalize(text + "".join(tails)) == text


HOSTILE = ["[" * 50_000, "a" + "[x] (y)" * 10_000, "a\u0301\u0316" * 30_000, "\u0301" * 50_000, "9" * 200_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_items_cost_little(text: str) -> None:
    assert not wtq_correct([text], ["b"], ["5"])


def test_agrees_with_every_verdict_of_the_official_evaluator(shared: Path) -> None:
    path = shared / "WikiTableQuestions" / "official_verdicts.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    wrong = [
        line
        for line in lines
        if wtq_correct(line["prediction"], line["target"], line["target_canon"]) != line["correct"]
    ]
    assert len(lines) == 8_000
    assert wrong == []


@given(st.lists(st.sampled_from(["5", "5.0", "five", "Five[1]", "2010", "x", ""]), max_size=3), st.booleans())
def test_an_item_alone_is_judged_as_a_list_of_one(target: list[str], tagged: bool) -> None:
    canon = ["5.0"] * len(target) if tagged else None
    judge = alone_right(target, canon)
    for text in ("5", "five", "2010-xx-xx", "X", ""):
        assert judge(to_value(text)) == wtq_correct([text], target, canon)


ASKED = [
    ("in what year did oslo host?", "when"),
    ("what was the last year they came in 3rd place", "when"),
    ("jimmy johnson won how many awards?", "how many"),
    ("what is the total number of sacks?", "how many"),
    ("how long after fairfield was no. 1 built?", "how much"),
    ("how did they win?", "other"),
    ("which team won, and when?", "which or what"),
    ("who has more, gene or ric?", "who"),
    ("where was the next venue after athens?", "where"),
    ("list each code.", "name or list"),
    ("is capella brighter than vega?", "yes or no"),
    ("the last team to win the west?", "other"),
]


@pytest.mark.parametrize(("question", "kind"), ASKED)
def test_what_a_question_asks_for(question: str, kind: str) -> None:
    assert asked(question) == kind
