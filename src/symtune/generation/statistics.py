"""Counts of what a data set contains, taken shard by shard; and the titles of the figures in the card and its plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from symtune.task import Words
from symtune.types import Traits

COUNTED = (
    "query_type",
    "operators",
    "answer_type",
    "linearization",
    "prompt_template",
    "difficulty",
    "prompt_length",
    "answer_length",
    "solution_length",
    "shortcut",
    "balance",
    "idle",
)
NO_PART = "none"  # what an example is counted under that has no idle part
SUMMED = ("prompt_characters", "completion_characters", "answer_characters", "chance")
LONG_ANSWER = 60  # characters; longer ones are counted together


def titles(words: Words) -> dict[str, str]:
    """Statistic -> its title; those without a title are only in the manifest."""
    return {
        "query_type": words.query_types,
        "operators": words.operators,
        "answer_type": "Answers",
        "shortcut": "Shortcuts: answers that need no reading",
        "difficulty": "Difficulty",
        "prompt_length": "Characters of a prompt",
        "answer_length": "Characters of an answer",
        "solution_length": "Characters of a worked solution",
        "linearization": "Linearizations",
    }


def _bin(number: float, width: int) -> str:
    """The name of a bin of the given width, by its number."""
    low = int(number) * width
    return f"{low} to {low + width}"


def _answer_bin(number: int) -> str:
    return f"{LONG_ANSWER} or more" if number * 5 == LONG_ANSWER else _bin(number, 5)


def _renamed(counts: Counter[Any], name: Callable[[Any], str]) -> Counter[str]:
    """The same counts under other names."""
    found: Counter[str] = Counter()
    for value, count in counts.items():
        found[name(value)] += count
    return found


@dataclass
class Statistics:
    """Counts over examples, added up shard by shard. Only names that exist are counted: a task without query types,
    difficulty or shortcuts has no such figures.
    """

    examples: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUMMED, 0.0))
    chances: int = 0  # examples whose chance is known

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], traits: Sequence[Traits]) -> Statistics:
        """The statistics of examples, given their rows and traits. Counting by column is several times faster than by
        row."""
        prompts = [len(row["prompt"]) for row in rows]
        completions = [len(row["completion"]) for row in rows]
        answers = [len(row["answer"]) for row in rows]
        worked = [length for length, trait in zip(completions, traits, strict=True) if trait.solution]
        hard = Counter([trait.difficulty // 2 for trait in traits if trait.difficulty])
        counts = {
            "query_type": Counter([trait.query_type for trait in traits]),
            "operators": Counter(chain.from_iterable([trait.operators for trait in traits])),
            "answer_type": Counter([row["answer_type"] for row in rows]),
            "linearization": Counter([row["linearization"] for row in rows]),
            "prompt_template": Counter([row["prompt_template"] for row in rows]),
            "difficulty": _renamed(hard, lambda n: _bin(n, 2)),
            "prompt_length": _renamed(Counter([n // 250 for n in prompts]), lambda n: _bin(n, 250)),
            "answer_length": _renamed(Counter([min(n, LONG_ANSWER) // 5 for n in answers]), _answer_bin),
            "solution_length": _renamed(Counter([n // 100 for n in worked]), lambda n: _bin(n, 100)),
            "shortcut": Counter([trait.shortcut or "none" for trait in traits]),
            "balance": Counter(chain.from_iterable([trait.classes for trait in traits])),
            "idle": Counter(chain.from_iterable([t.idle or (NO_PART,) for t in traits if t.idle is not None])),
        }
        for name in ("query_type", "linearization"):
            del counts[name][""]
        if list(counts["shortcut"]) == ["none"] and not counts["balance"]:
            counts["shortcut"] = Counter()
        chances = [trait.chance for trait in traits if trait.chance is not None]
        figures = [float(sum(lengths)) for lengths in (prompts, completions, answers)]
        sums = dict(zip(SUMMED, (*figures, sum(chances)), strict=True))
        return cls(len(rows), counts, sums, len(chances))

    def share(self, name: str, value: str) -> float:
        """The share of examples with this value."""
        return round(self.counts[name][value] / max(self.examples, 1), 4)

    def add(self, other: Statistics) -> None:
        """Add another shard's counts to these."""
        self.examples += other.examples
        self.chances += other.chances
        for name in COUNTED:
            self.counts[name].update(other.counts[name])
        for name in SUMMED:
            self.sums[name] += other.sums[name]

    def to_json(self) -> dict[str, Any]:
        """Counts by name, largest first, and means; that of chance only if the chance of every example is known."""
        n = max(self.examples, 1)
        counts = {
            name: dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
            for name, counter in self.counts.items()
            if counter
        }
        means = {name: round(total / n, 2) for name, total in self.sums.items()}
        if self.chances < n:
            del means["chance"]
        return {**counts, "mean": means}
