"""What a run comes to: each score beside chance and the control, and the differences question by question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from symtune.intervals import above_expected, paired_difference
from symtune.reporting.read import Comparison, Evaluation, Score, read_evaluation

AGAINST = ("before", "chance", "control")
METRIC_OF_PREDICTIONS = 0  # predictions.jsonl holds the verdicts of the first metric of results.json


def evaluations(out: Path) -> dict[str, Evaluation]:
    """The evaluations of the run folder `out` by name: before, after, control."""
    folders = sorted((out / "evaluation").glob("*/manifest.json"))
    return {path.parent.name: read_evaluation(path.parent) for path in folders}


def comparisons(found: Mapping[str, Evaluation]) -> list[Comparison]:
    """`after` minus each of the others, over all questions and by group, with paired 95 % intervals."""
    after = found.get("after")
    if after is None or not after.results:
        return []
    lines = []
    for score in after.results:
        if score.metric != after.results[METRIC_OF_PREDICTIONS].metric:
            continue
        for against in AGAINST:
            pairs = list(_pairs(found, against, score.group))
            if pairs:
                compare = above_expected if against == "chance" else paired_difference
                difference, interval = compare([old for old, _ in pairs], [new for _, new in pairs])
                lines.append(
                    Comparison(
                        benchmark=score.benchmark,
                        split=score.split,
                        metric=score.metric,
                        group=score.group,
                        of="after",
                        against=against,
                        difference=difference,
                        interval=interval,
                        n=len(pairs),
                    )
                )
    return lines


def overall(found: Mapping[str, Evaluation]) -> dict[str, Score]:
    """The score of each evaluation over all questions."""
    return {name: score for name, evaluation in found.items() for score in evaluation.results[:1] if not score.group}


def _pairs(found: Mapping[str, Evaluation], against: str, group: str) -> Iterator[tuple[float, float]]:
    """(score against, score after) of each question of the group; chance is what a guesser is expected to score."""
    other = found.get(against)
    for id, line in found["after"].predictions.items():
        if group and line.get("group") != group:
            continue
        new = float(line["correct"])
        if against == "chance":
            if line.get("chance") is not None:
                yield float(line["chance"]), new
        elif other is not None and id in other.predictions:
            yield float(other.predictions[id]["correct"]), new


def verdict(lines: Sequence[Comparison]) -> str:
    """One honest sentence on what is shown above what."""
    whole = {line.against: line for line in lines if not line.group}
    above = [name for name, line in whole.items() if line.interval[0] > 0]
    not_above = [name for name in whole if name not in above]
    if not whole:
        return "Nothing to compare with."
    names = {"before": "where it began", "chance": "chance", "control": "the control"}
    parts = []
    if above:
        parts.append("above " + " and ".join(names[name] for name in above))
    if not_above:
        parts.append("not shown to be above " + " or ".join(names[name] for name in not_above))
    return f"After training the model is {', and '.join(parts)} (95 % intervals of the paired differences)."
