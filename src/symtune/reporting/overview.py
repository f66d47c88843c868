"""The table of everything measured: benchmarks by models, with intervals and with what readers must know about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symtune.outcomes import VERDICTS, truncation_warning
from symtune.reporting.evaluations import Evaluation, Score

Evaluations = Mapping[str, Mapping[str, Evaluation]]  # what is measured -> key of a model -> its evaluation


@dataclass(frozen=True, slots=True)
class Tag:
    """A mark on a score; `about` says more."""

    kind: str  # domain, prompt, cut
    text: str
    about: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A score over all questions. `best`: no other model has a higher one."""

    score: Score
    prompt: str
    tags: tuple[Tag, ...]
    best: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured, and the scores of the models, by key."""

    name: str
    metric: str
    chance: float | None
    majority: float | None
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of the answers of an evaluation: (verdict, count, share), and a warning if many are truncated."""

    name: str
    model: str
    n: int
    parts: tuple[tuple[str, int, float], ...]
    warning: str
    cut: str


def rows(evaluations: Evaluations, models: Sequence[str]) -> Iterator[Row]:
    """The table, row by row."""
    for name, found in evaluations.items():
        firsts = {key: found[key].results[0] for key in models if key in found and found[key].results}
        if not firsts:
            continue
        best = max((one.score for one in firsts.values() if one.score is not None), default=None)
        cells = {
            key: Cell(
                first,
                str(first.notes.get("format", "")).removeprefix(f"{first.benchmark}/"),
                tuple(_tags(found[key])),
                best is not None and first.score == best and len(firsts) > 1,
            )
            for key, first in firsts.items()
        }
        one = next(iter(firsts.values()))
        yield Row(name, one.metric, _known(firsts, "chance"), _known(firsts, "majority"), cells)


def endings(evaluations: Evaluations, models: Sequence[str]) -> Iterator[Ending]:
    """What became of the answers, evaluation by evaluation."""
    for name, found in evaluations.items():
        for key in models:
            notes = found[key].notes if key in found else {}
            counts = notes.get("verdicts")
            if not counts:
                continue
            n = sum(counts.values())
            parts = tuple((verdict, counts[verdict], counts[verdict] / n) for verdict in VERDICTS if verdict in counts)
            cut = [f"{notes[key]:,} {what}" for key, what in CUT.items() if notes.get(key)]
            yield Ending(name, key, n, parts, truncation_warning(notes.get("truncated", 0), n), ", ".join(cut))


CUT = {"tables_cut": "tables cut to fit", "shots_dropped": "shots dropped to fit"}


def _known(firsts: Mapping[str, Score], name: str) -> float | None:
    values = [first.notes[name] for first in firsts.values() if first.notes.get(name) is not None]
    return float(values[0]) if values else None


def _tags(evaluation: Evaluation) -> Iterator[Tag]:
    notes, n = evaluation.notes, evaluation.results[0].n
    whys = [why for found in notes.get("in_domain", {}).values() for why in found]
    if whys:
        yield Tag("domain", "in-domain", f"trained on {'; '.join(whys)}")
    said = notes.get("prompt_selection", {})
    if said.get("prompt") == "another than chosen":
        yield Tag("prompt", "not the chosen prompt", f"{said.get('chosen')} was chosen")
    if said.get("further_test_run"):
        yield Tag("prompt", "further test run", f"also asked with {', '.join(said['other_test_runs'])}")
    warning = truncation_warning(notes.get("truncated", 0), n)
    if warning:
        yield Tag("cut", f"{100 * notes['truncated'] / n:.0f} % truncated", warning)
    if notes.get("release"):
        yield Tag("cut", str(notes["release"]), "the release here lacks parts, so there is no overall score")
