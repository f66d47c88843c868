"""The figures of the study, from its results (`bench/study.py --figures`): its arms side by side, and learning curves.

Points are right answers in %, with 95 % intervals; dotted lines are chance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

KINDS = ("count", "aggregate", "superlative", "lookup")  # of questions
# The panels of the arms: title, and label -> the arm.
ARMS = {
    "Completions, with 180,000 tokens each": {
        "full solutions": "digits-full",
        "compact solutions": "digits-compact",
        "compact solutions, then answers alone": "digits-two-stages",
        "answers alone": "digits-answers",
    },
    "Full solutions, with one change": {
        "500,000 tokens": "digits-full+long",
        "computed in float32": "digits-full+float32",
        "eight queries a table": "digits-full+eight",
        "tables written as csv": "digits-full+csv",
        "all seven wordings": "digits-full+wordings",
        "columns of any role": "digits-full+noroles",
        "numbers below 100": "digits-full+hundreds",
        "numbers below 100, one digit first": "short-first",
    },
}
# The panels of the curves: title, and label -> the run with a learning curve, the group of questions.
CURVES = {
    "SmolLM2-135M, 180,000 tokens": {kind: ("digits-full-7", kind) for kind in KINDS},
    "SmolLM2-135M, 500,000 tokens": {kind: ("digits-full+long-7", kind) for kind in KINDS},
    "A decoder from random weights": {
        "full solutions": ("digits-full+scratch-7", ""),
        "compact solutions": ("digits-compact+scratch-7", ""),
        "answers alone": ("digits-answers+scratch-7", ""),
    },
}
# What a row of the arms shows: label -> what follows the name of the arm, and how it is marked.
MARKS: dict[str, tuple[str, dict[str, str]]] = {
    "a seed": ("", {"color": "C0"}),
    "the control": ("+control", {"color": "0.4", "markerfacecolor": "white"}),
}
SEED_APART = 0.28  # the distance of two seeds in a row of height 1


def draw(results: Path, out: Path) -> None:
    """Draw `arms.svg` and `curves.svg` in the folder `out`, from the results of finished runs."""
    out.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "study"}):  # the same bytes every time
        for name, figure in (("arms", arms(results)), ("curves", curves(results))):
            figure.savefig(out / f"{name}.svg", metadata={"Date": None})


def arms(results: Path) -> Figure:
    """Each arm's score over all questions: a dot for each seed, a ring for the control."""
    drawn = Figure(figsize=(11, 5), layout="constrained")
    heights = [len(rows) for rows in ARMS.values()]
    panels = drawn.subplots(len(ARMS), 1, sharex=True, height_ratios=heights)
    for axis, (title, rows) in zip(panels, ARMS.items(), strict=True):
        for row, arm in enumerate(rows.values()):
            for change, marked in MARKS.values():
                runs = sorted(results.glob(f"{arm}{change}-[0-9]*/results.json"))
                _dots(axis, [_scores(run)[""] for run in runs], row, marked)
        _chance(axis.axvline, _scores(results / "digits-full-7" / "results.json"))
        axis.set_yticks(range(len(rows)), list(rows))
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.set_title(title, loc="left", fontsize=10)
        _bare(axis)
    for label, (_, marked) in MARKS.items():
        panels[0].plot([], [], "o", label=label, **marked)
    panels[0].legend(frameon=False, fontsize=8, loc="lower right")
    panels[-1].set(xlim=(0, 100), xlabel="right answers (%), all 440 questions")
    return drawn


def curves(results: Path) -> Figure:
    """The learning curves of `CURVES`."""
    drawn = Figure(figsize=(11, 3.2), layout="constrained")
    axes = drawn.subplots(1, len(CURVES), sharey=True)
    for axis, (title, lines) in zip(axes, CURVES.items(), strict=True):
        for label, (run, group) in lines.items():
            curve = json.loads((results / run / "curve.json").read_text(encoding="utf-8"))
            scores = [next(s for s in point["scores"] if s["group"] == group) for point in curve]
            tokens = [point["tokens"] / 1000 for point in curve]
            axis.plot(tokens, [100 * score["score"] for score in scores], marker="o", markersize=3, label=label)
            low, high = zip(*(score["interval"] for score in scores), strict=True)
            axis.fill_between(tokens, [100 * end for end in low], [100 * end for end in high], alpha=0.12)
        _chance(axis.axhline, _scores(results / run / "results.json"))
        axis.set(title=title, xlabel="computed tokens (thousands)", ylim=(0, 100), xlim=(0, None))
        _bare(axis)
        axis.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("right answers (%)")
    return drawn


def _scores(results: Path) -> dict[str, dict[str, Any]]:
    """The scores of a run by group of questions, by the first metric of its benchmark."""
    scores: Sequence[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))
    return {score["group"]: score for score in scores if score["metric"] == scores[0]["metric"]}


def _dots(axis: Axes, scores: Sequence[Mapping[str, Any]], row: int, marked: Mapping[str, Any]) -> None:
    """The scores of the seeds of an arm, in its row, below one another."""
    for number, score in enumerate(scores):
        place = row + SEED_APART * (number - (len(scores) - 1) / 2)
        right, (low, high) = 100 * score["score"], (100 * end for end in score["interval"])
        ends = [[right - low], [high - right]]
        axis.errorbar(right, place, xerr=ends, fmt="o", markersize=5, elinewidth=1.2, **marked)


def _chance(line: Any, scores: Mapping[str, Mapping[str, Any]]) -> None:
    line(100 * scores[""]["notes"]["chance"], color="0.4", linestyle=":", linewidth=1)


def _bare(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
