"""Metrics by name: each on handmade pairs, and all on arbitrary texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.metrics import METRICS, get_denotation_accuracy

VERDICTS = [
    ("denotation", ["1,000"], "", ["1000.0"], None, 1),
    ("denotation", ["b", "a"], "", ["a", "b"], None, 1),
    ("denotation", ["a"], "", ["a", "a"], None, 0),
    ("exact_match", [], " a | b\n", ["a", "b"], None, 1),
    ("exact_match", ["a", "b"], "b | a", ["a", "b"], None, 0),
    ("option_match", [], "The answer is (B) blue.", ["B"], None, 1),
    ("option_match", [], "B", ["(B)"], None, 1),
    ("option_match", [], "(A) or (B)", ["(B)"], None, 0),
    ("option_match", [], "A blue one", ["(A)"], None, 0),
    ("option_match", ["yes"], "So the answer is yes.", ["Yes"], None, 1),
    ("option_match", ["no"], "no", ["Yes"], None, 0),
    ("option_match", [], "B", [], None, 0),
    ("wtq", ["10"], "", ["10 years"], ["10.0"], 1),
    ("wtq", ["10"], "", ["10 years"], None, 0),
    # The metric of the paper, with its faults.
    ("get_denotation_accuracy", [], "b, A", ["a", "b"], None, 1),
    ("get_denotation_accuracy", [], "1,000", ["1000"], None, 0),
    ("get_denotation_accuracy", [], "000, 1", ["1,000"], None, 1),
    ("get_denotation_accuracy", [], "1_000", ["1000"], None, 1),
    ("get_denotation_accuracy", [], "1e3", ["1000.0"], None, 1),
    ("get_denotation_accuracy", [], "Thailand, Bangkok", ["Bangkok, Thailand"], None, 1),
    ("get_denotation_accuracy", [], "a | b", ["a", "b"], None, 0),
    ("get_denotation_accuracy", [], "The answer is a.", ["a"], None, 0),
    ("get_denotation_accuracy", [], "a, a", ["a"], None, 0),
    ("get_denotation_accuracy", [], "9" * 400, ["8" * 400], None, 1),
    ("get_denotation_accuracy", [], "nan", ["nan"], None, 0),
]


@pytest.mark.parametrize(("name", "prediction", "text", "target", "canon", "right"), VERDICTS)
def test_verdicts(
    name: str, prediction: list[str], text: str, target: list[str], canon: list[str] | None, right: int
) -> None:
    assert METRICS[name](prediction, text, target, canon) == right


def test_the_metric_of_the_paper_is_a_share() -> None:
    assert get_denotation_accuracy(["a", "b, a", "c", "d"], ["A", "a, b", "d", "d"]) == 0.75
    assert get_denotation_accuracy([], []) == 0.0


texts = st.text() | st.text(alphabet="(AB). ,|1_\ud800", max_size=8)


@given(st.sampled_from(sorted(METRICS)), st.lists(texts, max_size=3), texts, st.lists(texts, max_size=3), st.booleans())
def test_any_pair_has_a_verdict(name: str, prediction: list[str], text: str, target: list[str], canon: bool) -> None:
    assert METRICS[name](prediction, text, target, target if canon else None) in (0, 1)
