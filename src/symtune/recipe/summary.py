"""The outcome of a run: each score compared with chance and with the control, question by question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from symtune.intervals import above_expected, paired_difference
from symtune.reporting.evaluations import Evaluation, Score
from symtune.reporting.read import Comparison

AGAINST = ("before", "chance", "control")

Found = Mapping[str, Mapping[str, Evaluation]]  # what is measured -> before, after or control -> the evaluation


def comparisons(found: Found) -> list[Comparison]:
    """`after` minus each of the others, for everything measured: over all questions and by group, with paired 95 %
    intervals. Only for the first metric, whose scores are in a benchmark's predictions.
    """
    return [line for name, of in found.items() for line in _compared(name, of)]


def _compared(name: str, found: Mapping[str, Evaluation]) -> Iterator[Comparison]:
    after = found.get("after")
    if after is None or not after.results:
        return
    first = after.results[0]
    for score in after.results:
        if score.metric != first.metric:
            continue
        for against in AGAINST:
            pairs = list(_pairs(found, against, score.group))
            if not pairs:
                continue
            compare = above_expected if against == "chance" else paired_difference
            difference, interval = compare([old for old, _ in pairs], [new for _, new in pairs])
            yield Comparison(
                evaluation=name,
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


def overall(found: Mapping[str, Evaluation]) -> dict[str, Score]:
    """The score of each evaluation over all questions."""
    return {name: score for name, evaluation in found.items() for score in evaluation.results[:1] if not score.group}


def _pairs(found: Mapping[str, Evaluation], against: str, group: str) -> Iterator[tuple[float, float]]:
    """(score against, score after) for each question of the group; chance is the expected score of guessing."""
    other = found.get(against)
    for id, line in found["after"].predictions.items():
        if group and group not in line.groups:
            continue
        if against == "chance":
            if line.chance is not None:
                yield line.chance, line.score
        elif other is not None and id in other.predictions:
            yield other.predictions[id].score, line.score


def verdict(lines: Sequence[Comparison]) -> str:
    """One honest sentence for each evaluation: what has been shown to be above what."""
    if not lines:
        return "There is nothing to compare with."
    names = list(dict.fromkeys(line.evaluation for line in lines))
    said = []
    for name in names:
        sentence = _verdict([line for line in lines if line.evaluation == name and not line.group])
        said.append(f"{name}: {sentence}" if len(names) > 1 else sentence)
    return "\n".join(said)


def _verdict(lines: Sequence[Comparison]) -> str:
    names = {"before": "its starting score", "chance": "chance", "control": "the control"}
    above = [names[line.against] for line in lines if line.interval[0] > 0]
    not_above = [names[line.against] for line in lines if line.interval[0] <= 0]
    parts = []
    if above:
        parts.append("above " + " and ".join(above))
    if not_above:
        parts.append("not shown to be above " + " or ".join(not_above))
    return f"After training the model is {', and '.join(parts)} (95 % intervals of the paired differences)."
