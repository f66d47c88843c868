"""Scores as rows of tables and lanes of plots, by what is measured: read from files, computed nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symtune.reporting.evaluations import Evaluation, Score
from symtune.reporting.overview import Evaluations
from symtune.reporting.read import Comparison

CHANCE = "chance"
KIND = ": "  # in the name of a group: what groups it stands before it
Key = tuple[str, str]  # metric, group


@dataclass(frozen=True, slots=True)
class Mark:
    """A score and, unless it is an expectation, its 95 % interval; all in [0, 1]."""

    score: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One metric or one group of questions; `differences`: (difference, low, high) by what against. `note`: why it has
    no score.
    """

    label: str
    n: int
    marks: Mapping[str, Mark]
    differences: Mapping[str, tuple[float, float, float]]
    note: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong together: the metrics over all questions, or the groups of a kind."""

    kind: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores of what is measured. `whole`: over all questions, by the metric that predictions are judged by.
    `series` and `against`: the models, and chance, that any row knows.
    """

    evaluation: str
    title: str
    whole: Row
    series: tuple[str, ...]
    against: tuple[str, ...]
    blocks: tuple[Block, ...]


def tables(evaluations: Evaluations, models: Sequence[str], comparisons: Sequence[Comparison] = ()) -> Iterator[Scores]:
    """The scores of each thing measured, in the order of its results."""
    for name, found in evaluations.items():
        lines = [line for line in comparisons if line.evaluation == name]
        scores = _scores(name, found, models, lines)
        if scores is not None:
            yield scores


def _scores(
    name: str, found: Mapping[str, Evaluation], models: Sequence[str], lines: Sequence[Comparison]
) -> Scores | None:
    results: dict[Key, dict[str, Score]] = {}
    for model in models:
        for score in found[model].results if model in found else ():
            results.setdefault((score.metric, score.group), {})[model] = score
    if not results:
        return None
    blocks: dict[str, list[Row]] = {}
    grouped_by = next((str(of.notes["grouped_by"]) for of in found.values() if of.notes.get("grouped_by")), "group")
    for key, of in results.items():
        metric, group = key
        kind, _, label = group.rpartition(KIND)
        row = _row(label if group else metric, key, of, lines)
        blocks.setdefault((kind or grouped_by) if group else "", []).append(row)
    rows = [row for block in blocks.values() for row in block]
    first = next(iter(results.values()))
    one = next(iter(first.values()))
    return Scores(
        name,
        f"{name if name.startswith(one.benchmark) else f'{name} ({one.benchmark})'}"
        + ("" if one.split in name else f", {one.split} split"),
        rows[0],
        tuple(model for model in (CHANCE, *models) if any(model in row.marks for row in rows)),
        tuple(model for model in (CHANCE, *models) if any(model in row.differences for row in rows)),
        tuple(Block(kind, tuple(rows)) for kind, rows in blocks.items()),
    )


def _row(label: str, key: Key, found: Mapping[str, Score], lines: Sequence[Comparison]) -> Row:
    chance = [score.notes[CHANCE] for score in found.values() if score.notes.get(CHANCE) is not None]
    marks = {CHANCE: Mark(float(chance[0]))} if chance else {}
    marks |= {
        model: Mark(score.score, *score.interval)
        for model, score in found.items()
        if score.score is not None and score.interval is not None
    }
    differences = {
        line.against: (line.difference, *line.interval)
        for line in lines
        if (line.metric, line.group, line.of) == (*key, "after")
    }
    lacking = [str(score.notes["release"]) for score in found.values() if score.score is None]
    note = f"no overall score: the release here has only {lacking[0]}" if lacking else ""
    return Row(label, max(score.n for score in found.values()), marks, differences, note)
