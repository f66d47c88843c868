"""Intervals against published values and laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.intervals import above_expected, mcnemar, paired_difference, score_interval, wilson

# Newcombe 1998 (Statistics in Medicine 17, 857–872), Table I, method 3: the score method without correction.
WILSON = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("right", "n", "low", "high"), WILSON)
def test_wilson_as_published(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(won: int, lost: int) -> None:
    stats = pytest.importorskip("scipy.stats", reason="the reference is scipy's")
    wanted = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert mcnemar(won, lost) == mcnemar(lost, won) == pytest.approx(wanted, rel=1e-9)


# Newcombe 1998 (Statistics in Medicine 17, 2635–2650), Table III, method 10: counts (both, first only, second
# only, neither) and the interval of first minus second.
PAIRED = [
    ((36, 12, 2, 0), 0.0569, 0.3404),
]


@pytest.mark.parametrize(("counts", "low", "high"), PAIRED)
def test_paired_difference_as_published(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    both, first, second, neither = counts
    after = [1] * both + [1] * first + [0] * second + [0] * neither
    before = [1] * both + [0] * first + [1] * second + [0] * neither
    difference, interval = paired_difference(before, after)
    assert difference == pytest.approx((first - second) / sum(counts))
    assert interval == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


shares = st.floats(0, 1)
scores = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=30) | st.lists(shares, min_size=1, max_size=9)


@given(scores)
def test_an_interval_holds_its_score_and_stays_in_range(values: list[float]) -> None:
    low, high = score_interval(values)
    mean = math.fsum(values) / len(values)
    assert 0 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    assert score_interval(values) == (low, high)


@given(st.lists(st.tuples(shares, shares) | st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=20))
def test_a_difference_turns_round_with_its_sides(pairs: list[tuple[float, float]]) -> None:
    before, after = [a for a, _ in pairs], [b for _, b in pairs]
    difference, (low, high) = paired_difference(before, after)
    back, _ = paired_difference(after, before)
    assert back == pytest.approx(-difference)
    assert -1 <= low <= difference + 1e-9
    assert difference - 1e-9 <= high <= 1


def test_pairs_tell_more_than_two_separate_scores() -> None:
    before = [0, 1] * 100
    after = [1 if place % 20 == 0 else score for place, score in enumerate(before)]
    difference, (low, high) = paired_difference(before, after)
    assert difference == pytest.approx(0.05)
    assert 0 < low < 0.05 < high < 0.1


def test_no_scores_and_unequal_scores() -> None:
    assert score_interval([]) == (0.0, 1.0)
    assert paired_difference([], []) == (0.0, (-1.0, 1.0))
    with pytest.raises(ValueError, match="paired scores: 1 before and 0 after"):
        paired_difference([1], [])


def test_the_difference_from_chance_is_never_more_certain_than_the_score() -> None:
    difference, (low, high) = above_expected([1 / 6] * 3, [0, 0, 0])
    assert difference == pytest.approx(-1 / 6)
    assert low == pytest.approx(-1 / 6)
    assert high > 0.2  # three wrong answers show little
    low, high = score_interval([1, 0, 1, 1])
    assert above_expected([0.25] * 4, [1, 0, 1, 1]) == (0.5, (low - 0.25, high - 0.25))
