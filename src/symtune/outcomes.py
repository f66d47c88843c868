"""Questions of benchmarks, their outcomes, and the means of these, which are the results.

means("gsm8k", "test", "number_match", outcomes)     # the whole, other metrics, groups
mean_over_groups("bbh", "test", "mean over tasks", outcomes)
of_parts(results, 14, 27, "tasks")                   # the whole has no score if parts are missing
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symtune.denotation import ROW_DELIMITER
from symtune.intervals import mean_of_means, score_interval
from symtune.reading import gives_none, unfinished_thought
from symtune.types import Completion, Result, Table


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question of a benchmark. A benchmark that needs more derives a class with additional typed fields.

    target: the items of the gold answer, as results show them. fields: the texts for the placeholders of the prompt
    template. groups: the groups by which results are broken down (a subject, a query type), any number of them.
    chance: the expected score of guessing, None if unknown; chance_how: how one would guess, in words.
    """

    id: str
    target: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    chance: float | None = None
    chance_how: str = ""


@dataclass(frozen=True, kw_only=True)
class PartQuestion(Question):
    """A question of a benchmark with many parts (tasks, subjects). at_hand: the parts in this copy of the release."""

    part: str
    at_hand: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableQuestion(Question):
    """A question about one table, whose text fills the placeholder `table`."""

    table: Table


def table_size(table: Table) -> str:
    """The group of questions about tables of this size."""
    rows = len(table.rows)
    ends = (10, 20, 50)
    for start, end in zip((0, *ends), ends, strict=False):
        if rows <= end:
            return f"table: {start + 1} to {end} rows"
    return f"table: over {ends[-1]} rows"


class RandomCell:
    """Guessing that answers every question with a cell of its table, picked at random. `value` turns a cell into the
    form in which answers are compared; the values of a table are counted only once.
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
    """What a model reads, and how much had to be left out: rows of tables, shots."""

    text: str
    rows_cut: int = 0
    shots_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, answered and judged: its score, and other scores by metric; the items extracted from the
    completion, and the verdict, one of VERDICTS.
    """

    question: Question
    prompt: Prompt
    completion: Completion
    score: float
    others: Mapping[str, float] = field(default_factory=dict)
    prediction: tuple[str, ...] = ()
    verdict: str = ""


# What became of an answer; each is counted separately. Truncated: cut off at the length limit, or inside a thought.
# Unanswered: the model says that it has no answer, says nothing outside a thought, or could not be asked. Unparsable:
# no answer can be extracted from what it says.
VERDICTS = ("right", "partly right", "wrong", "unparsable", "unanswered", "truncated")
MANY_TRUNCATED = 0.01  # the share of all answers above which the score says little, and a warning says so


def verdict_of(score: float, items: Sequence[str], text: str, finish: str = "stop") -> str:
    """The verdict on a text, given its score and the items extracted from it."""
    if score >= 1:
        return "right"
    if score > 0:
        return "partly right"
    if is_truncated(text, finish):
        return "truncated"
    if items and finish != "error":
        return "wrong"
    return "unanswered" if finish == "error" or gives_none(text) else "unparsable"


def is_truncated(text: str, finish: str = "stop") -> bool:
    """Whether the model was cut short, right or not."""
    return finish == "length" or unfinished_thought(text)


def truncation_warning(truncated: int, n: int) -> str:
    """A warning if many answers are truncated, else ""."""
    if truncated <= MANY_TRUNCATED * n:
        return ""
    return (
        f"{truncated:,} of {n:,} answers ({truncated / n:.1%}) were cut short, by --max-new-tokens or inside a "
        "thought; the score may be too low"
    )


def counted(verdicts: Iterable[str]) -> dict[str, int]:
    """How often each verdict occurs, in the order of VERDICTS."""
    counts = Counter(verdicts)
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def mean(benchmark: str, split: str, metric: str, scores: Sequence[float], group: str = "") -> Result:
    """The mean of scores as a result, with its 95 % interval."""
    found = math.fsum(scores) / len(scores) if scores else 0.0
    return Result(benchmark, split, metric, found, len(scores), score_interval(scores), group)


def means(benchmark: str, split: str, metric: str, outcomes: Sequence[Outcome]) -> list[Result]:
    """The mean of all scores, of other metrics, and of each group. Each comes with what can be scored without reading:
    `chance`, and the score of always giving the `majority_answer`.
    """
    results = [_beside_guesses(mean(benchmark, split, metric, [outcome.score for outcome in outcomes]), outcomes)]
    for other in sorted({name for outcome in outcomes for name in outcome.others}):
        of_other = mean(benchmark, split, other, [outcome.others.get(other, 0.0) for outcome in outcomes])
        results.append(of_other.noting(_majority(outcomes)))
    for group, members in by_group(outcomes).items():
        of_group = mean(benchmark, split, metric, [outcome.score for outcome in members], group)
        results.append(_beside_guesses(of_group, members))
    return results


def mean_over_groups(
    benchmark: str, split: str, metric: str, outcomes: Sequence[Outcome], among: Container[str] | None = None
) -> Result:
    """The mean of the groups' means, with equal weights, as a result under a separate metric name. `among`: the groups
    that count (None: all).
    """
    groups = [members for group, members in by_group(outcomes).items() if among is None or group in among]
    found, interval = mean_of_means([[outcome.score for outcome in members] for members in groups])
    notes = [{**_chance(members), **_majority(members)} for members in groups]
    shared = set.intersection(*map(set, notes)) if notes else set()
    beside: dict[str, Any] = {
        name: math.fsum(note[name] for note in notes) / len(notes) for name in ("chance", "majority") if name in shared
    }
    if "chance" in beside:
        beside |= {name: how for name, how in _chance(outcomes).items() if name != "chance"}
    return Result(benchmark, split, metric, found, sum(map(len, groups)), interval, notes=beside)


def at_hand(outcomes: Sequence[Outcome]) -> frozenset[str]:
    """The parts that the release of the questions contains."""
    first = outcomes[0].question if outcomes else None
    return frozenset(first.at_hand if isinstance(first, PartQuestion) else ())


def of_parts(results: Sequence[Result], there: int, all_: int, kind: str) -> list[Result]:
    """The results for a release that has `there` of `all_` parts (`kind`: what they are called). If some are missing,
    groups keep their scores, but results over the whole have none, and their note `release` says why.
    """
    if there >= all_:
        return list(results)
    note = {"release": f"{there} of {all_} {kind}"}
    return [one if one.group else replace(one, score=None, interval=None, notes=note) for one in results]


def by_group(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes of each group; groups are in alphabetical order, with numbers in their names by value."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for group in outcome.question.groups:
            found.setdefault(group, []).append(outcome)
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _natural(text: str) -> list[Any]:
    """A sort key by which "4 to 8" comes before "16 to 32"."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"(\d+)", text))]


def _beside_guesses(result: Result, outcomes: Sequence[Outcome]) -> Result:
    return result.noting({**_chance(outcomes), **_majority(outcomes)})


def _chance(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The mean chance of the questions, and how one would guess, if chance is known for each of them."""
    chances = [outcome.question.chance for outcome in outcomes if outcome.question.chance is not None]
    if not chances or len(chances) < len(outcomes):
        return {}
    how = sorted({outcome.question.chance_how for outcome in outcomes} - {""})
    return {"chance": math.fsum(map(float, chances)) / len(chances), **({"chance_how": "; ".join(how)} if how else {})}


def _majority(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The most frequent gold answer (of several, the first in alphabetical order), and its share of the questions."""
    answers = Counter(ROW_DELIMITER.join(outcome.question.target) for outcome in outcomes)
    if not answers:
        return {}
    answer, often = min(answers.items(), key=lambda item: (-item[1], item[0]))
    return {"majority": often / len(outcomes), "majority_answer": answer}
