"""95 % intervals: of a score, and of the difference of two scores on the same examples.

    score_interval([1, 0, 1, 1])                         ->  (0.300…, 0.954…)
    paired_difference(before=[0, 0, 1], after=[1, 0, 1])  ->  (0.333…, (low, high))
    mcnemar(won=1, lost=0)                                ->  1.0
    above_expected(expected=[0.2, 0.5], scores=[1, 1])    ->  (0.65, (low, high))

Scores that are all 0 or 1 have closed forms (Wilson 1927; Newcombe 1998, method 10, for pairs). Other scores
are resampled (percentile bootstrap) with a generator keyed by the scores themselves, so that the same scores
always have the same interval. Examples are treated as independent; questions that share a table are not quite
independent, and then the true interval is somewhat wider.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from symtune.seeds import digest

Z = 1.959963984540054  # the normal quantile of 97.5 %
RESAMPLES = 2_000


def score_interval(scores: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean of scores in [0, 1]. Without any scores: (0, 1)."""
    if not scores:
        return (0.0, 1.0)
    if _binary(scores):
        return wilson(int(sum(scores)), len(scores))
    return _bootstrap(scores, 0.0)


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion `right / n`, without continuity correction; n > 0."""
    share, z2 = right / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low = 0.0 if right == 0 else max(0.0, middle - half)
    high = 1.0 if right == n else min(1.0, middle + half)
    return (low, high)


def mean_of_means(groups: Sequence[Sequence[float]]) -> tuple[float, tuple[float, float]]:
    """The mean of the means of groups of scores in [0, 1], and its 95 % interval; each group is resampled separately.
    Without any groups: (0, (0, 1)). Raises ValueError for an empty group.
    """
    if not groups:
        return (0.0, (0.0, 1.0))
    if not all(groups):
        raise ValueError("a group without scores has no mean")
    if len(groups) == 1:
        return (math.fsum(groups[0]) / len(groups[0]), score_interval(groups[0]))
    found = math.fsum(math.fsum(group) / len(group) for group in groups) / len(groups)
    resampled = [_resampled_means(group, str(place)) for place, group in enumerate(groups)]
    return (found, _quantiles(sum(resampled) / len(groups), 0.0))


def paired_difference(before: Sequence[float], after: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The mean of `after` minus the mean of `before`, scores of the same examples in the same order, and its 95 %
    interval. Raises ValueError if the lengths differ. Without any scores: (0, (-1, 1)).
    """
    if len(before) != len(after):
        raise ValueError(f"paired scores: {len(before)} before and {len(after)} after")
    if not before:
        return (0.0, (-1.0, 1.0))
    differences = [new - old for old, new in zip(before, after, strict=True)]
    difference = math.fsum(differences) / len(differences)
    if _binary(before) and _binary(after):
        return (difference, _newcombe(before, after))
    return (difference, _bootstrap(differences, -1.0))


def mcnemar(won: int, lost: int) -> float:
    """The two-sided p-value of McNemar's exact test: of the pairs that differ, `won` do so one way and `lost` the
    other; the hypothesis is that both ways are equally likely. 1.0 if no pair differs.
    """
    n, term, total = won + lost, 1, 0
    for k in range(min(won, lost) + 1):  # the binomial coefficients of n
        total += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * total / 2**n)


def above_expected(expected: Sequence[float], scores: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The mean of `scores` minus the mean expected for the same examples (a known chance, not a measurement), and the
    95 % interval of that difference, which is the interval of the score, shifted. Raises ValueError as above.
    """
    if len(expected) != len(scores):
        raise ValueError(f"paired scores: {len(expected)} expected and {len(scores)} measured")
    if not scores:
        return (0.0, (-1.0, 1.0))
    mean = math.fsum(expected) / len(expected)
    low, high = score_interval(scores)
    return (math.fsum(scores) / len(scores) - mean, (low - mean, high - mean))


def _binary(scores: Sequence[float]) -> bool:
    return all(score in (0, 1) for score in scores)


def _newcombe(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Newcombe's interval (Statistics in Medicine 17, 1998, 2635–2650, method 10): the two Wilson intervals
    combined by the correlation of the pairs, with a continuity correction if that is positive.
    """
    n = len(before)
    both = sum(1 for old, new in zip(before, after, strict=True) if old and new)
    won = int(sum(after)) - both
    lost = int(sum(before)) - both
    neither = n - both - won - lost
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    cross = both * neither - won * lost
    if cross > 0:
        cross = max(cross - n / 2, 0)  # type: ignore[assignment]
    phi = cross / math.sqrt(margins) if margins else 0.0
    p_after, p_before = (both + won) / n, (both + lost) / n
    low_after, high_after = wilson(both + won, n)
    low_before, high_before = wilson(both + lost, n)
    down, up = p_after - low_after, high_after - p_after
    down_before, up_before = p_before - low_before, high_before - p_before
    low = math.sqrt(max(0.0, down**2 - 2 * phi * down * up_before + up_before**2))
    high = math.sqrt(max(0.0, up**2 - 2 * phi * up * down_before + down_before**2))
    difference = p_after - p_before
    return (max(-1.0, difference - low), min(1.0, difference + high))


def _bootstrap(values: Sequence[float], lowest: float) -> tuple[float, float]:
    """The percentile bootstrap interval of a mean, within [lowest, 1]."""
    return _quantiles(_resampled_means(values), lowest)


def _resampled_means(values: Sequence[float], *key: str) -> Any:
    """The means of RESAMPLES samples of the values, as an array. `key` distinguishes groups with the same values."""
    import numpy

    array = numpy.asarray(values, dtype=numpy.float64)
    seed = int.from_bytes(digest("intervals/bootstrap", *key, array.tobytes().hex()), "big")
    generator = numpy.random.Generator(numpy.random.PCG64(seed))
    rows = max(1, 2**18 // len(array))  # resamples at a time, to bound memory
    means = [
        array[generator.integers(0, len(array), (min(rows, RESAMPLES - done), len(array)))].mean(axis=1)
        for done in range(0, RESAMPLES, rows)
    ]
    return numpy.concatenate(means)


def _quantiles(means: Any, lowest: float) -> tuple[float, float]:
    import numpy

    low, high = numpy.quantile(means, [0.025, 0.975])
    return (max(lowest, float(low)), min(1.0, float(high)))
