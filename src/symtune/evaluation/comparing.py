"""Compares two evaluations of the same items: what changed, and whether the difference is more than chance.

    found = compare(Path("before"), Path("after"))
    found.whole.difference, found.whole.interval, found.whole.p       ->  (0.04, (0.01, 0.07), 0.012)

Each side is an evaluation folder, or a file of scored lines (predictions.jsonl, or what `symtune score` writes). Items
with the same id are the same; if their targets differ, the data differs, and the comparison is refused. `p` is the
p-value of McNemar's exact test on the items that only one side has right.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from symtune.evaluation.writing import PREDICTIONS
from symtune.files import json_objects
from symtune.intervals import mcnemar, paired_difference, score_interval
from symtune.output import MANIFEST, check_writable, new_file, read_manifest
from symtune.types import InputError


@dataclass(frozen=True, slots=True)
class Compared:
    """Scores of the same items on both sides, and the difference (second minus first) with its paired 95 % interval.
    `won` items are right only on the second side, `lost` items only on the first.
    """

    group: str
    n: int
    first: float
    first_interval: tuple[float, float]
    second: float
    second_interval: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    won: int
    lost: int
    p: float


@dataclass(frozen=True, slots=True)
class Changed:
    """An item whose scores differ between the sides."""

    id: str
    target: tuple[str, ...]
    first: Mapping[str, Any]  # text, prediction, score
    second: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The comparison: over all items and by group, and the items that changed, in the order of the first side. Items
    that only one side has are left out and counted.
    """

    benchmark: str
    whole: Compared
    groups: tuple[Compared, ...]
    changed: tuple[Changed, ...]
    only_first: int
    only_second: int


def compare(first: Path, second: Path) -> SideBySide:
    """Compare two evaluations. Raises InputError if they are not of the same items."""
    named = [_benchmark(side) for side in (first, second)]
    if all(named) and named[0] != named[1]:
        raise InputError(f"{first} is of {named[0]}, {second} of {named[1]}; compare evaluations of the same items")
    ours, theirs = _lines(first), _lines(second)
    both = [id for id in ours if id in theirs]
    if not both:
        raise InputError(f"{first} and {second} have no item in common; compare evaluations of the same items")
    for id in both:
        if ours[id]["target"] != theirs[id]["target"]:
            raise InputError(f"{second}: item {id!r} has another target than in {first}, so the data differs")
    pairs = [(ours[id], theirs[id]) for id in both]
    groups: dict[str, list[tuple[Any, Any]]] = {}
    for pair in pairs:
        for group in pair[0]["groups"]:
            groups.setdefault(group, []).append(pair)
    return SideBySide(
        benchmark=named[0] or named[1],
        whole=_compared("", pairs),
        groups=tuple(_compared(group, members) for group, members in sorted(groups.items())),
        changed=tuple(_changed(id, ours[id], theirs[id]) for id in both if ours[id]["score"] != theirs[id]["score"]),
        only_first=len(ours) - len(both),
        only_second=len(theirs) - len(both),
    )


def write(found: SideBySide, out: Path, *, overwrite: bool = False) -> None:
    """Write the comparison as JSON."""
    check_writable(out, overwrite=overwrite)
    text = json.dumps(asdict(found), indent=2, ensure_ascii=False) + "\n"
    with new_file(out, overwrite=overwrite) as temporary:
        temporary.write_text(text, "utf-8", errors="backslashreplace")


def _compared(group: str, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Compared:
    before, after = ([float(line["score"]) for line in side] for side in zip(*pairs, strict=True))
    difference, interval = paired_difference(before, after)
    won = sum(1 for old, new in zip(before, after, strict=True) if new == 1 > old)
    lost = sum(1 for old, new in zip(before, after, strict=True) if old == 1 > new)
    return Compared(
        group,
        len(pairs),
        _mean(before),
        score_interval(before),
        _mean(after),
        score_interval(after),
        difference,
        interval,
        won,
        lost,
        mcnemar(won, lost),
    )


def _mean(scores: Iterable[float]) -> float:
    values = list(scores)
    return math.fsum(values) / len(values)


def _changed(id: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Changed:
    sides = [{name: line.get(name) for name in ("text", "prediction", "score")} for line in (ours, theirs)]
    return Changed(id, tuple(ours["target"]), *sides)


def _benchmark(side: Path) -> str:
    """The benchmark and split of an evaluation folder; "" for a file of lines."""
    if not side.is_dir():
        return ""
    manifest = read_manifest(side, "evaluate")
    return f"{manifest.get('benchmark', '')}, {manifest.get('split', '')} split"


def _lines(side: Path) -> dict[str, dict[str, Any]]:
    """The scored lines, by id. Raises InputError with file and line."""
    path = side / PREDICTIONS if side.is_dir() else side
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted an evaluation folder ({MANIFEST}), or a file of scored lines")
    found: dict[str, dict[str, Any]] = {}
    for entry in json_objects(path, wanted="a scored line"):
        line, id = entry.value, entry.value.get("id")
        if not isinstance(id, str | int):
            raise InputError(f"{entry.where}: id: got {json.dumps(id)[:60]}, wanted a text; lines are compared by id")
        score = line.get("score")
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise InputError(
                f"{entry.where}: score: got {json.dumps(score)[:60]}, wanted 0 to 1; run `symtune score` first"
            )
        if str(id) in found:
            raise InputError(f"{entry.where}: the id {str(id)[:60]!r} is on an earlier line too; ids must be unique")
        target, groups = line.get("target"), line.get("groups")
        line["target"] = [target] if isinstance(target, str) else target if isinstance(target, list) else []
        line["groups"] = [str(group) for group in groups] if isinstance(groups, list) else []
        found[str(id)] = line
    if not found:
        raise InputError(f"{path}: no lines in it")
    return found
