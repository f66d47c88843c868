"""Numbers for the plots of the page: positions on an axis in per cent, so that the SVG stretches to any width.

The page draws them as inline SVG, with colours from the variables of the page (light and dark).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

SMOOTH_FROM = 40  # points; a shorter curve is shown as it is


@dataclass(frozen=True, slots=True)
class Axis:
    """From 0 to `top`, with ticks at round values."""

    top: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """The position of `value`, in per cent of the axis."""
        return round(100 * min(max(value / self.top, 0.0), 1.0), 2)


@dataclass(frozen=True, slots=True)
class Curve:
    """One loss curve: `raw` and `smooth` are the points attribute of an SVG polyline in a 100 by 100 box."""

    name: str
    label: str
    raw: str
    smooth: str
    last: float


@dataclass(frozen=True, slots=True)
class LossPlot:
    """Loss against trained tokens."""

    x: Axis
    y: Axis
    curves: tuple[Curve, ...]


def axis(largest: float) -> Axis:
    """An axis from 0 to just above `largest`, with three to six round ticks."""
    if not isfinite(largest) or largest <= 0:
        largest = 1.0
    power = 10 ** floor(log10(largest))
    step = next(power * factor for factor in (0.2, 0.5, 1, 2, 5) if largest / (power * factor) <= 6)
    count = int(largest / step + 1e-9)
    ticks = tuple(round(step * k, 12) for k in range(count + 1))
    return Axis(max(largest, ticks[-1]), ticks)


def loss_plot(logs: Sequence[tuple[str, str, Sequence[tuple[float, float]]]]) -> LossPlot | None:
    """The plot of `(name, label, points)`, a point being (tokens, loss); None if there is nothing to draw."""
    logs = [(name, label, points) for name, label, points in logs if len(points) > 1]
    if not logs:
        return None
    x = axis(max(point[0] for _, _, points in logs for point in points))
    y = axis(max(point[1] for _, _, points in logs for point in points))
    curves = []
    for name, label, points in logs:
        smooth = _smooth(points) if len(points) >= SMOOTH_FROM else points
        curves.append(Curve(name, label, _polyline(points, x, y), _polyline(smooth, x, y), smooth[-1][1]))
    return LossPlot(x, y, tuple(curves))


def _polyline(points: Sequence[tuple[float, float]], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.place(tokens)},{round(100 - y.place(loss), 2)}" for tokens, loss in points)


def _smooth(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A centred running mean over a tenth of the curve."""
    half = max(1, len(points) // 20)
    windows = [points[max(0, k - half) : k + half + 1] for k in range(len(points))]
    return [
        (point[0], sum(loss for _, loss in window) / len(window)) for point, window in zip(points, windows, strict=True)
    ]
