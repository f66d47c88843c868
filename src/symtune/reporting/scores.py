"""The scores of a run as rows of a table and lanes of a plot: read from its files, computed nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symtune.reporting.read import MODELS, Comparison, Run, Score

SERIES = ("chance", *MODELS)


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
    """One metric of one thing measured; `first`: it is the one that its predictions are judged by."""

    evaluation: str
    title: str
    first: bool
    series: tuple[str, ...]
    against: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(run: Run) -> Iterator[Scores]:
    """The scores of each thing measured, metric by metric."""
    for name, found in run.evaluations.items():
        results = {
            (model, _key(score), score.group): score
            for model, evaluation in found.items()
            for score in evaluation.results
        }
        for place, key in enumerate(dict.fromkeys(key for _, key, _ in results)):
            yield _table(run, name, key, results, first=place == 0)


def _table(
    run: Run, name: str, key: tuple[str, str, str], results: Mapping[tuple[str, tuple[str, str, str], str], Score], *,
    first: bool,
) -> Scores:  # fmt: skip
    rows = []
    for group in sorted({group for _, found, group in results if found == key}):
        of = {model: results[model, key, group] for model in MODELS if (model, key, group) in results}
        rows.append(_row(run, name, key, group, of))
    series = tuple(model for model in SERIES if any(model in row.marks for row in rows))
    against = tuple(model for model in SERIES if any(model in row.differences for row in rows))
    benchmark, split, metric = key
    title = f"{name if name == benchmark else f'{name} ({benchmark})'}, {split} split, metric {metric}"
    return Scores(name, title, first, series, against, tuple(rows))


def _key(line: Score | Comparison) -> tuple[str, str, str]:
    return line.benchmark, line.split, line.metric


def _row(run: Run, name: str, key: tuple[str, str, str], group: str, found: Mapping[str, Score]) -> Row:
    chance = [score.notes["chance"] for score in found.values() if score.notes.get("chance") is not None]
    marks = {"chance": Mark(float(chance[0]))} if chance else {}
    marks |= {
        model: Mark(score.score, *score.interval)
        for model, score in found.items()
        if score.score is not None and score.interval is not None
    }
    differences = {
        line.against: (line.difference, *line.interval)
        for line in run.comparisons
        if (line.evaluation, _key(line), line.group, line.of) == (name, key, group, "after")
    }
    return Row(group, max(score.n for score in found.values()), marks, differences)
