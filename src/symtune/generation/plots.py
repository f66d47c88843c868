"""The plots of a data set card: one SVG, written without a plotting library, so that the same figures give the same
bytes everywhere.

    Path("plots-add_up.svg").write_text(plots(manifest["tasks"][0], task.words), "utf-8")

The background is transparent and the colours are of medium brightness, so the plots are legible on light and dark
pages. Lengths are in pixels, in a drawing 880 wide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from symtune.generation.statistics import titles
from symtune.task import Words

WIDTH, GAP = 880, 40
PANEL = (WIDTH - GAP) // 2  # width of a panel; panels are in two columns
TITLE = 30  # height of a panel's title
ROW = 17  # height of a horizontal bar with its gap
LABEL = 160  # width of the labels beside horizontal bars
LONGEST = 27  # characters of such a label
VALUE = 88  # width of a value after a bar
TALL = 130  # height of a histogram's bars
MOST_BINS = 20

_STYLE = (
    "text{font:11px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#7a818a}"
    ".t{font-size:13px;font-weight:600}.e{text-anchor:end}.m{text-anchor:middle}"
    "rect{fill:#4a8fd9}.over{fill:#d9822b}line{stroke:#7a818a}.bound{stroke:#d9822b;stroke-width:2}"
)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # including what XML cannot contain
_HISTOGRAMS = ("difficulty", "prompt_length", "answer_length", "solution_length")
_BARS = ("answer_type", "linearization", "query_type", "operators")


@dataclass(frozen=True, slots=True)
class _Panel:
    """A plot, with its upper left corner at 0, 0."""

    height: int
    marks: tuple[str, ...]


def plots(task: Mapping[str, Any], words: Words) -> str:
    """The SVG of what the manifest says about a task's examples: what they contain, and shares with their bounds."""
    statistics, balance, examples = task["statistics"], task["balance"], task["examples"]
    named = titles(words)
    panels = [_histogram(named[name], statistics[name], examples) for name in _HISTOGRAMS if name in statistics]
    if balance:
        panels.append(_balance(balance))
    panels += [_bars(named[name], statistics[name], examples) for name in _BARS if name in statistics]
    placed, heights = list[str](), [0, 0]
    for panel in panels:
        column = heights.index(min(heights))  # the shorter column; if both are equal, the left one
        x, y = column * (PANEL + GAP), heights[column]
        placed += [f'<g transform="translate({x},{y})">', *panel.marks, "</g>"]
        heights[column] += panel.height + 16
    size = f'viewBox="0 0 {WIDTH} {max(heights)}" width="{WIDTH}" height="{max(heights)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Statistics of the data set">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *placed, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{_class(kind)}>{_escaped(text)}</text>'


def _rect(x: float, y: float, width: float, height: float, told: str, kind: str = "") -> str:
    """A bar with a tooltip."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f"<rect {place}{_class(kind)}><title>{_escaped(told)}</title></rect>"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{_class(kind)}/>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _escaped(text: str) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", text))


# ------------------------------------------------------------------------------------------ horizontal bars


def _bars(title: str, counts: Mapping[str, int], examples: int) -> _Panel:
    """A bar for each name, largest first."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _rows(title, [(name, count / max(examples, 1), None) for name, count in ranked])


def _balance(balance: Mapping[str, Sequence[float]]) -> _Panel:
    """A bar for each class of answers, with a mark at its bound."""
    title = "Classes of answers, and the bound of each"
    return _rows(title, [(name, share, bound) for name, (share, bound) in balance.items()])


def _rows(title: str, rows: Sequence[tuple[str, float, float | None]]) -> _Panel:
    """Bars of (name, share, bound)."""
    room = PANEL - LABEL - VALUE
    longest = max([max(share, bound or 0) for _, share, bound in rows], default=0) or 1
    marks = [_text(0, 14, title, "t")]
    for number, (name, share, bound) in enumerate(rows):
        y, width = TITLE + number * ROW, room * share / longest
        over = bound is not None and share > bound
        label = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        told = f"{name}: {share:.1%}" + ("" if bound is None else f", bound {bound:.0%}")
        marks.append(_text(LABEL - 6, y + 10, label, "e"))
        marks.append(_rect(LABEL, y, max(width, 0.5), ROW - 4, told, "over" if over else ""))
        value, end = f"{share:.1%}", width
        if bound is not None:
            x = room * bound / longest
            marks.append(_line(LABEL + x, y - 1, LABEL + x, y + ROW - 3, "bound"))
            value, end = f"{share:.1%} of {bound:.0%}", max(width, x)
        marks.append(_text(LABEL + end + 5, y + 10, value))
    return _Panel(TITLE + len(rows) * ROW, tuple(marks))


# ----------------------------------------------------------------------------------------------- histograms


def _histogram(title: str, counts: Mapping[str, int], examples: int) -> _Panel:
    """Bars along a number line, from counts by "LOW to HIGH" or "LOW or more"."""
    bins = _merged({int(name.split()[0]): count for name, count in counts.items()})
    largest = max(bins.values(), default=1)
    wide = PANEL / max(len(bins), 1)
    foot = TITLE + 12 + TALL
    marks = [_text(0, 14, title, "t"), _line(0, foot, PANEL, foot)]
    every = -(-len(bins) // 10)
    for number, (low, count) in enumerate(bins.items()):
        x, tall = number * wide, TALL * count / largest
        share = count / max(examples, 1)
        marks.append(_rect(x + 1, foot - tall, wide - 2, tall, f"from {low:,}: {share:.1%}"))
        if count == largest or (share >= 0.005 and wide >= 34):
            middle = min(max(x + wide / 2, 18), PANEL - 18)
            marks.append(_text(middle, foot - tall - 4, f"{share:.1%}", "m"))
        if number % every == 0:
            marks.append(_text(x + 1, foot + 13, f"{low:,}+" if f"{low} or more" in counts else f"{low:,}"))
    return _Panel(foot + 20, tuple(marks))


def _merged(counts: Mapping[int, int]) -> dict[int, int]:
    """Counts by lower bound, in order and without gaps; neighbours are joined until there are few enough."""
    lows = sorted(counts)
    if len(lows) < 2:
        return dict(counts)
    step = min(high - low for low, high in pairwise(lows))
    while (lows[-1] - lows[0]) // step >= MOST_BINS:
        step *= 2
    start = lows[0] // step * step
    bins = dict.fromkeys(range(start, lows[-1] + 1, step), 0)
    for low, count in counts.items():
        bins[start + (low - start) // step * step] += count
    return bins
