"""The names and colours of models on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symtune.reporting.files import Json

COLOURS = 6  # in the style sheet, c0 to c5
GENERIC = ("model", "control", "checkpoint")  # last parts of names that say nothing by themselves


@dataclass(frozen=True, slots=True)
class Series:
    """The label of a model, and the class of its colour."""

    label: str
    css: str


def coloured(labels: Mapping[str, str]) -> dict[str, Series]:
    """Models by key: each gets the next colour."""
    return {key: Series(label, f"c{place % COLOURS}") for place, (key, label) in enumerate(labels.items())}


def key_of(facts: Json) -> str:
    """What identifies a model: its weights, or its name if they are not known."""
    return str(facts.get("weights_sha256") or facts.get("name") or "unknown")


def labels(found: Sequence[Json]) -> dict[str, str]:
    """Labels of models by key, in order: as much of the end of each name as distinguishes it from the others."""
    names = {key_of(facts): str(facts.get("name") or "unknown") for facts in found}
    parts = {key: [part for part in name.split("/") if part] or [name] for key, name in names.items()}
    longest = max((len(path) for path in parts.values()), default=0)
    for kept in range(1, longest + 1):
        short = {key: "/".join(path[-max(kept, _least(path)) :]) for key, path in parts.items()}
        if len(set(short.values())) == len(short):
            return short
    return {key: f"{name} ({key[:8]})" for key, name in names.items()}


def _least(path: Sequence[str]) -> int:
    """How many of the last parts of a name are needed for it to say something."""
    return 2 if path[-1] in GENERIC else 1


def facts_in_words(facts: Mapping[str, Any]) -> str:
    """What is known about a model, in one line."""
    said = []
    if isinstance(facts.get("parameters"), int):
        said.append(f"{facts['parameters'] / 1e6:,.1f}M parameters")
    said += [str(facts[name]) for name in ("kind", "dtype", "device") if facts.get(name)]
    return ", ".join(said)
