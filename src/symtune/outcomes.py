"""Questions of benchmarks, what became of them, and the means that results are.

means("gsm8k", "test", "number_match", outcomes)     # the whole, further metrics, groups
mean_over_groups("bbh", "test", "mean over tasks", outcomes)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symtune.intervals import mean_of_means, score_interval
from symtune.types import Completion, Result, Table


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question of a benchmark. A benchmark with more to keep derives a class with typed fields of its own.

    target: the items of the gold answer, as results show them. fields: the texts of the prompt template's
    placeholders. groups: by which results are broken down (a subject, a query type), none, one or several. chance: the
    expected score of guessing, None where nobody knows; chance_how: what is guessed, in words.
    """

    id: str
    target: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    chance: float | None = None
    chance_how: str = ""


@dataclass(frozen=True, kw_only=True)
class TableQuestion(Question):
    """A question about one table, whose text fills the placeholder `table`."""

    table: Table


class RandomCell:
    """The guesser that answers every question with one cell of its table, picked at random. `value` makes of a cell
    what answers are compared as; the values of a table are counted once.
    """

    how = "a cell of the whole table, picked at random"

    def __init__(self, value: Callable[[str], Hashable]) -> None:
        self._value = value
        self._counts: dict[str, Counter[Any]] = {}

    def chance(self, table: Table, is_right: Callable[[Any], bool]) -> float:
        """The expected score: the share of the table's cells whose value is right."""
        if table.id not in self._counts:
            self._counts[table.id] = Counter(self._value(cell) for row in table.rows for cell in row)
        counts = self._counts[table.id]
        return sum(count for value, count in counts.items() if is_right(value)) / (counts.total() or 1)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads, and what had to be left out of it: rows of tables, shots."""

    text: str
    rows_cut: int = 0
    shots_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, answered and judged: its score, and further scores by metric."""

    question: Question
    prompt: Prompt
    completion: Completion
    score: float
    others: Mapping[str, float] = field(default_factory=dict)


def mean(benchmark: str, split: str, metric: str, scores: Sequence[float], group: str = "") -> Result:
    """The mean of scores as a result, with its 95 % interval."""
    found = math.fsum(scores) / len(scores) if scores else 0.0
    return Result(benchmark, split, metric, found, len(scores), score_interval(scores), group)


def means(benchmark: str, split: str, metric: str, outcomes: Sequence[Outcome]) -> list[Result]:
    """The mean of all scores, those of further metrics, and those of each group."""
    results = [_with_chance(mean(benchmark, split, metric, [outcome.score for outcome in outcomes]), outcomes)]
    for other in sorted({name for outcome in outcomes for name in outcome.others}):
        results.append(mean(benchmark, split, other, [outcome.others.get(other, 0.0) for outcome in outcomes]))
    for group, members in by_group(outcomes).items():
        of_group = mean(benchmark, split, metric, [outcome.score for outcome in members], group)
        results.append(_with_chance(of_group, members))
    return results


def mean_over_groups(benchmark: str, split: str, metric: str, outcomes: Sequence[Outcome]) -> Result:
    """The mean of the groups' means, each group counting alike, as a result of its own metric name."""
    groups = [[outcome.score for outcome in members] for members in by_group(outcomes).values()]
    found, interval = mean_of_means(groups)
    return Result(benchmark, split, metric, found, sum(map(len, groups)), interval)


def by_group(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes of each group, groups in alphabetical order."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for group in outcome.question.groups:
            found.setdefault(group, []).append(outcome)
    return dict(sorted(found.items()))


def _with_chance(result: Result, outcomes: Sequence[Outcome]) -> Result:
    """The result with the mean chance of the questions, where it is known of each of them."""
    chances = [outcome.question.chance for outcome in outcomes if outcome.question.chance is not None]
    if not chances or len(chances) < len(outcomes):
        return result
    return result.noting({"chance": math.fsum(map(float, chances)) / len(chances)})
