"""The data set card: what a data set holds, in figures, for people and for the hub (`README.md` with YAML `configs`).

Everything in it follows from the arguments and the rows, so the same arguments give the same card.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
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


def _bin(number: float, width: int) -> str:
    """The name of a bin of so many units by its number."""
    low = int(number) * width
    return f"{low} to {low + width}"


def _answer_bin(number: int) -> str:
    return f"{LONG_ANSWER} or more" if number * 5 == LONG_ANSWER else _bin(number, 5)


def _renamed(counts: Counter[Any], name: Callable[[Any], str]) -> Counter[str]:
    """The same counts under other names; those under an empty name are left out."""
    found: Counter[str] = Counter()
    for value, count in counts.items():
        if called := name(value):
            found[called] += count
    return found


@dataclass
class Statistics:
    """Counts over examples, added up shard by shard."""

    examples: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _COUNTED})
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_SUMMED, 0.0))

    @classmethod
    def of(
        cls,
        rows: Sequence[Mapping[str, Any]],
        infos: Sequence[Mapping[str, Any]],
        marks: Sequence[tuple[str, Sequence[str]]],
    ) -> Statistics:
        """Of examples: their rows, their fields, and of each the shortcut that would answer it ("" for none) and the
        bounded classes of its answer. Counted by column, which is several times faster than by row.
        """
        prompts = [len(row["prompt"]) for row in rows]
        answers = [len(row["completion"]) for row in rows]
        templates = Counter([row["template_id"] for row in rows])
        counts = {
            "query_type": Counter(
                [str(info.get("query_type", row["task"])) for row, info in zip(rows, infos, strict=True)]
            ),
            "operators": Counter(chain.from_iterable([info.get("operators", ()) for info in infos])),
            "answer_type": Counter([row["answer_type"] for row in rows]),
            "linearization": _renamed(templates, lambda id: id.partition("+")[2]),
            "prompt_template": _renamed(templates, lambda id: id.partition("+")[0]),
            "difficulty": _renamed(Counter([row["difficulty"] // 2 for row in rows]), lambda n: _bin(n, 2)),
            "prompt_length": _renamed(Counter([n // 250 for n in prompts]), lambda n: _bin(n, 250)),
            "answer_length": _renamed(Counter([min(n, LONG_ANSWER) // 5 for n in answers]), _answer_bin),
            "shortcut": Counter([shortcut or "none" for shortcut, _ in marks]),
            "balance": Counter(chain.from_iterable([classes for _, classes in marks])),
        }
        chance = sum([info.get("chance", 0.0) for info in infos])
        sums = dict(zip(_SUMMED, (float(sum(prompts)), float(sum(answers)), chance), strict=True))
        return cls(len(rows), counts, sums)

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
