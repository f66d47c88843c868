"""The scores of a run as rows of a table and lanes of a plot: read from its files, computed nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symtune.reporting.read import EVALUATIONS, Comparison, Run, Score

SERIES = ("chance", *EVALUATIONS)


@dataclass(frozen=True, slots=True)
class Mark:
    """A score and, unless it is an expectation, its 95 % interval; all in [0, 1]."""

    score: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One query type (or all) of a score table; `differences`: (difference, low, high) by what against."""

    group: str
    n: int
    marks: Mapping[str, Mark]
    differences: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Scores:
    """One benchmark and metric."""

    title: str
    series: tuple[str, ...]
    against: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(run: Run) -> Iterator[Scores]:
    """The scores of each benchmark and metric."""
    results = {
        (name, _key(score), score.group): score
        for name, evaluation in run.evaluations.items()
        for score in evaluation.results
    }
    for key in dict.fromkeys(key for _, key, _ in results):
        groups = sorted({group for _, found, group in results if found == key})
        rows = []
        for group in groups:
            of = {name: results[name, key, group] for name in EVALUATIONS if (name, key, group) in results}
            rows.append(_row(run, key, group, of))
        series = tuple(name for name in SERIES if any(name in row.marks for row in rows))
        against = tuple(name for name in SERIES if any(name in row.differences for row in rows))
        yield Scores(f"{key[0]}, {key[1]} split, metric {key[2]}", series, against, tuple(rows))


def _key(line: Score | Comparison) -> tuple[str, str, str]:
    return line.benchmark, line.split, line.metric


def _row(run: Run, key: tuple[str, str, str], group: str, found: Mapping[str, Score]) -> Row:
    chance = [score.notes["chance"] for score in found.values() if score.notes.get("chance") is not None]
    marks = {"chance": Mark(float(chance[0]))} if chance else {}
    marks |= {name: Mark(score.score, *score.interval) for name, score in found.items()}
    differences = {
        line.against: (line.difference, *line.interval)
        for line in run.comparisons
        if _key(line) == key and line.group == group and line.of == "after"
    }
    return Row(group, max(score.n for score in found.values()), marks, differences)
