"""The answer rule: the number rule, the law of render and parse, typed comparison."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.denotation import number_text, parse, render, same_answer
from symtune.types import Denotation, Rejected

NUMBERS = [
    (0, "0"),
    (-7, "-7"),
    (10**30, "1" + "0" * 30),
    (True, "1"),
    (5.0, "5"),
    (-0.0, "0"),
    (-0.00001, "0"),
    (0.1 + 0.2, "0.3"),
    (2 / 3, "0.6667"),
    (0.03125, "0.0312"),  # a tie in binary too: to even
    (0.09375, "0.0938"),
    (1e16, "10000000000000000"),
    (1e-9, "0"),
    (-1234.5, "-1234.5"),
    (100.0, "100"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_the_one_number_rule(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_only_finite_numbers_are_written(value: float) -> None:
    with pytest.raises(Rejected, match="not finite"):
        number_text(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_near_its_text_and_its_text_is_stable(value: float) -> None:
    text = number_text(value)
    assert math.isclose(float(text), value, rel_tol=1e-12, abs_tol=0.5001e-4)
    assert "e" not in text
    assert number_text(float(text)) == text


cells = st.text() | st.text(alphabet="ab|; \n\t,1.\u2028\xa0\x00\ud800", max_size=8)
tables = st.lists(st.lists(cells, max_size=4).map(tuple), max_size=5).map(tuple)


@given(tables)
def test_the_law_what_is_rendered_is_read_back(rows: tuple[tuple[str, ...], ...]) -> None:
    try:
        text = render(Denotation(rows))
    except Rejected:
        return
    assert parse(text) == rows
    assert text.splitlines() == [text]


@given(st.lists(st.lists(st.from_regex(r"[A-Za-z0-9,.()|;-]{1,9}", fullmatch=True), min_size=1), min_size=1))
def test_ordinary_cells_are_rendered(rows: list[list[str]]) -> None:
    plain = tuple(tuple(cell.replace("|", "/").replace(";", ":") for cell in row) for row in rows)
    assert parse(render(Denotation(plain))) == plain


@pytest.mark.parametrize("cell", ["a | b", "a ; b", "", " a", "a\xa0", "a\nb", "a\tb", "a\u2028b", "\ud800", "a\x00"])
def test_a_cell_that_cannot_be_read_back_is_refused(cell: str) -> None:
    with pytest.raises(Rejected, match="unrenderable"):
        render(Denotation((("x",), (cell,), ("y",))))


@pytest.mark.parametrize("cell", ["a|b", "a;b", "Smith, John", "a  b", ";", "🙂", "1,000", "{{ x }}", '"'])
def test_an_odd_cell_that_can_be_read_back_is_rendered(cell: str) -> None:
    rows = (("x", cell), (cell, "y"))
    assert parse(render(Denotation(rows))) == rows


def test_no_row_is_no_answer() -> None:
    with pytest.raises(Rejected, match="empty"):
        render(Denotation(()))


SAME = [
    ("1,000", "1000", False, True),
    ("1000.0", "1,000", False, True),
    ("+5", "5", False, True),
    ("-0", "0", False, True),
    (".5", "0.50", False, True),
    ("−3", "-3", False, True),
    ("1_000", "1000", False, False),
    ("1e3", "1000", False, False),
    ("0x10", "16", False, False),
    ("١٠", "10", False, False),  # only ASCII digits make a number
    ("inf", "Infinity", False, False),
    ("nan", "NaN", False, True),  # the same word
    ("10,00", "1000", False, False),
    ("0.333333333", "0.3333", False, True),
    ("0.33", "0.3333", False, False),
    ("0", "0.00001", False, False),
    ("0.00001", "0.00001000", False, True),
    ("oslo", "Oslo", False, True),
    ("Ｏslo", "Oslo", False, True),
    ("New   York", "New York", False, True),
    ("b | a", "a | b", False, True),
    ("b | a", "a | b", True, False),
    ("a | a", "a", False, False),
    ("a | a | b", "a | b | b", False, False),
    ("a ; 1 | b ; 2", "b ; 2.0 | a ; 1", False, True),
    ("1 ; a", "a ; 1", False, False),
    ("", "0", False, False),
    ("", "", False, True),
    ("Smith, John", "Smith, John", True, True),
]


@pytest.mark.parametrize(("prediction", "answer", "ordered", "same"), SAME)
def test_answers_are_compared_by_what_they_mean(prediction: str, answer: str, ordered: bool, same: bool) -> None:
    assert same_answer(prediction, answer, ordered) is same


@given(st.text(), st.text(), st.booleans())
def test_comparison_never_raises_and_is_reflexive(one: str, other: str, ordered: bool) -> None:
    assert same_answer(one, one, ordered)
    assert same_answer(one, other, True) <= same_answer(one, other, ordered)


@pytest.mark.parametrize("text", ["9" * 200_000, "1." + "3" * 200_000, "a\u0301\u0316" * 100_000, " | " * 100_000])
def test_hostile_predictions_cost_little(text: str) -> None:
    assert not same_answer(text, "1 | 2.5", False)
    assert not same_answer("1 | 2.5", text, False)
