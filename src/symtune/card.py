"""The data set card: what a data set holds, in figures, for people and for the hub (`README.md` with YAML `configs`).

Everything in it follows from the arguments and the rows, so the same arguments give the same card.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from symtune import __version__

_COUNTED = (
    "query_type",
    "operators",
    "answer_type",
    "linearization",
    "prompt_template",
    "difficulty",
    "prompt_length",
    "answer_length",
    "shortcut",
    "balance",
)
_SUMMED = ("prompt_characters", "completion_characters", "chance")

PLOTS = "plots.svg"  # beside README.md
LONG_ANSWER = 60  # characters; longer ones are counted together

_BIN = re.compile(r"\d+ (to \d+|or more)")


def _bin(value: float, width: int, last: int | None = None) -> str:
    """The name of the bin of so many units that a value falls into; `last` is where the bin without an end begins."""
    low = int(value // width) * width
    return f"{low} or more" if low == last else f"{low} to {low + width}"


@dataclass
class Statistics:
    """Counts over examples, added up shard by shard."""

    examples: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _COUNTED})
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_SUMMED, 0.0))

    def see(self, row: Mapping[str, Any], info: Mapping[str, Any], shortcut: str, classes: Sequence[str] = ()) -> None:
        """Count one example: its row, its fields, the shortcut that would answer it ("" for none), and the bounded
        classes that its answer belongs to."""
        self.examples += 1
        counts = self.counts
        counts["query_type"][str(info.get("query_type", row["task"]))] += 1
        for name in info.get("operators", ()):  # not Counter.update: it asks each time what it is given
            counts["operators"][name] += 1
        counts["answer_type"][row["answer_type"]] += 1
        template, _, linearization = row["template_id"].partition("+")
        counts["prompt_template"][template] += 1
        if linearization:
            counts["linearization"][linearization] += 1
        counts["difficulty"][_bin(row["difficulty"], 2)] += 1
        counts["prompt_length"][_bin(len(row["prompt"]), 250)] += 1
        counts["answer_length"][_bin(min(len(row["completion"]), LONG_ANSWER), 5, LONG_ANSWER)] += 1
        counts["shortcut"][shortcut or "none"] += 1
        for name in classes:
            counts["balance"][name] += 1
        self.sums["prompt_characters"] += len(row["prompt"])
        self.sums["completion_characters"] += len(row["completion"])
        self.sums["chance"] += info.get("chance", 0.0)

    def share(self, name: str, value: str) -> float:
        """The share of examples that are counted under a value."""
        return round(self.counts[name][value] / max(self.examples, 1), 4)

    def add(self, other: Statistics) -> None:
        """Add another shard's counts to these."""
        self.examples += other.examples
        for name in _COUNTED:
            self.counts[name].update(other.counts[name])
        for name in _SUMMED:
            self.sums[name] += other.sums[name]

    def to_json(self) -> dict[str, Any]:
        """Counts by name, largest first, and means."""
        n = max(self.examples, 1)
        counts = {
            name: dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
            for name, counter in self.counts.items()
            if counter
        }
        return {**counts, "mean": {name: round(total / n, 2) for name, total in self.sums.items()}}


def card(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """The text of README.md for a data set that `generate` made."""
    split, n, statistics = arguments["split"], body["examples"], body["statistics"]
    names = ["data", *(["tables"] if any(name.startswith("tables/") for name in body["sha256"]) else [])]
    configs = [
        {
            "config_name": "default" if name == "data" else name,
            "data_files": [{"split": split, "path": f"{name}/{split}-*.parquet"}],
        }
        for name in names
    ]
    task, tables = body["task"], body["tables"]
    front = yaml.safe_dump(
        {"configs": configs, "tags": ["symtune", task["name"]], "pretty_name": f"{task['name']} ({split})"},
        sort_keys=False,
    )
    parts = [
        f"---\n{front}---\n",
        f"# {task['name']}: {n:,} verified examples ({split})\n",
        f"Made by symtune {__version__}, task version {task['version']}, from {tables['count']:,} "
        f"table{'s' * (tables['count'] != 1)} (layout {tables['layout']}, sha256 `{tables['sha256'][:16]}…`). "
        "`symtune audit` executes every line again.\n",
        "```yaml\n" + _said(arguments) + "```\n",
    ]
    if body["exhausted"]:
        parts.append(f"**{arguments['n']:,} were asked for, {n:,} found: stopped after {body['stopped']}.**\n")
    means = statistics["mean"]
    said = (
        f"A prompt has {means['prompt_characters']:,.0f} characters in the mean, an answer "
        f"{means['completion_characters']:,.1f}."
    )
    if means["chance"]:
        said += f" A guesser who knows the kind of program and the right column scores {means['chance']:.0%}."
    parts.append(said + "\n")
    parts.append(f"![Plots of the figures below]({PLOTS})\n")
    titles = {
        "query_type": "Kinds of program",
        "operators": "Constructs (share of programs that use them)",
        "answer_type": "Answers",
        "shortcut": "Shortcuts: what would answer without reading",
        "difficulty": "Difficulty",
        "prompt_length": "Characters of a prompt",
        "answer_length": "Characters of an answer",
        "linearization": "Linearizations",
    }
    parts += [_bars(title, statistics[name], n) for name, title in titles.items() if name in statistics]
    if body.get("balance"):
        parts.append(_balance(body["balance"]))
    for title, counts in (
        ("Draws that were rejected, by reason", body["rejects"]),
        ("What was left out of the tables, by reason", body["tables_dropped"]),
        ("What was mended in the tables", body["tables_repaired"]),
    ):
        if counts:
            parts.append(_bars(title, counts, None))
    return "\n".join(parts)


def _balance(balance: Mapping[str, Sequence[float]]) -> str:
    """Measured shares beside their bounds."""
    lines = [
        "## Balance: classes of answers, and the largest share that each may have\n",
        "| | % | bound % |",
        "|---|---:|---:|",
    ]
    for name, (share, bound) in balance.items():
        shown = f"**{100 * share:.1f}: over its bound**" if share > bound else f"{100 * share:.1f}"
        lines.append(f"| {name} | {shown} | {100 * bound:.0f} |")
    return "\n".join(lines) + "\n"


def _said(arguments: Mapping[str, Any]) -> str:
    """The arguments that were given, a line each."""
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in arguments.items()
        if value is not None and value is not False and value not in ("", [], ())
    }
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)


def _bars(title: str, counts: Mapping[str, int], n: int | None) -> str:
    """A table with a bar a row; shares of n, or of the whole where n is None."""
    total = n or sum(counts.values()) or 1
    largest = max(counts.values(), default=1)
    lines = [f"## {title}\n", "| | n | % | |", "|---|---:|---:|---|"]
    for name, count in _in_order(counts):
        bar = "█" * max(1, round(24 * count / largest))
        lines.append(f"| {name.replace('|', chr(92) + '|')} | {count:,} | {100 * count / total:.1f} | {bar} |")
    return "\n".join(lines) + "\n"


def _in_order(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Bins from the lowest, all else largest first."""
    if all(_BIN.fullmatch(name) for name in counts):
        return sorted(counts.items(), key=lambda item: int(item[0].split()[0]))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
