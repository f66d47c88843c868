"""The data set card: the contents of a data set in figures, for people and the hub (`README.md` with YAML `configs`).

Everything in it follows from the arguments and the rows, so the same arguments give the same card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from symtune import __version__
from symtune.generation.statistics import NO_PART, titles
from symtune.task import Words

_BIN = re.compile(r"\d+ (to \d+|or more)")


def plots_name(task: str) -> str:
    """The file of a task's plots, beside README.md."""
    return f"plots-{task}.svg"


def card(arguments: Mapping[str, Any], body: Mapping[str, Any], words: Sequence[Words]) -> str:
    """The text of README.md for a data set that `generate` wrote; `words` are those of its tasks."""
    split, tasks = arguments["split"], body["tasks"]
    names = " and ".join(task["name"] for task in tasks)
    parts = [
        f"---\n{_front(split, tasks, body['sha256'])}---\n",
        f"# {names}: {body['examples']:,} verified examples ({split})\n",
        f"Made by symtune {__version__}{_source(body)}. `symtune audit` executes every line again.\n",
        "```yaml\n" + _said(arguments) + "```\n",
    ]
    for task, spoken in zip(tasks, words, strict=True):
        parts += _of_task(task, spoken, arguments["n"], alone=len(tasks) == 1)
    for title, counts in (
        ("What was left out of the tables, by reason", body.get("tables_dropped")),
        ("What was repaired or guessed in the tables", body.get("tables_repaired")),
        ("What was passed over", body.get("tables_passed_over")),
    ):
        if counts:
            parts.append(_bars(title, counts, None))
    return "\n".join(parts)


def _front(split: str, tasks: Sequence[Mapping[str, Any]], files: Mapping[str, Any]) -> str:
    """The YAML at the top of the card, which the hub and `datasets` read."""
    folders = ["data", *(["tables"] if any(name.startswith("tables/") for name in files) else [])]
    configs = [
        {
            "config_name": "default" if name == "data" else name,
            "data_files": [{"split": split, "path": f"{name}/{split}-*.parquet"}],
        }
        for name in folders
    ]
    names = [task["name"] for task in tasks]
    front = {"configs": configs, "tags": ["symtune", *names], "pretty_name": f"{' and '.join(names)} ({split})"}
    return str(yaml.safe_dump(front, sort_keys=False))


def _source(body: Mapping[str, Any]) -> str:
    """What the examples were made from, in words."""
    tables = body.get("tables")
    if tables is None:
        return ""
    plural = "s" * (tables["count"] != 1)
    return f" from {tables['count']:,} table{plural} (layout {tables['layout']}, sha256 `{tables['sha256'][:16]}…`)"


def _of_task(task: Mapping[str, Any], words: Words, asked: int, *, alone: bool) -> Iterator[str]:
    """The figures of one task."""
    statistics, n = task["statistics"], task["examples"]
    said = f"Task `{task['name']}`, version {task['version']}."
    yield said + "\n" if alone else f"## {task['name']}: {n:,} examples\n\n{said}\n"
    if options := _said(task["options"]):
        yield f"```yaml\n{options}```\n"
    if task["stopped"]:
        of = f"{asked:,} were requested, " if alone else ""
        yield f"**{of}{n:,} found: stopped after {task['stopped']}.**\n"
    means = statistics["mean"]
    lengths = (
        f"A prompt has {means['prompt_characters']:,.0f} characters on average, an answer "
        f"{means['answer_characters']:,.1f}."
    )
    if "solution_length" in statistics:
        lengths += f" Completions are worked solutions of {means['completion_characters']:,.0f} characters on average."
    yield lengths + (f" {words.chance} {means['chance']:.0%}." if "chance" in means else "") + "\n"
    if "idle" in statistics:
        yield _idle(statistics["idle"], n) + "\n"
    yield f"![Plots of the figures below]({plots_name(task['name'])})\n"
    yield from [_bars(title, statistics[name], n) for name, title in titles(words).items() if name in statistics]
    if task["balance"]:
        yield _balance(task["balance"])
    if task["other_splits"]:
        yield f"{task['other_splits']:,} further draws belong to other splits.\n"
    if unsolved := task.get("unsolved"):
        yield _unsolved(unsolved)
    if task["rejects"]:
        yield _bars("Rejected draws, by reason", task["rejects"], None)


def _unsolved(unsolved: Mapping[str, float]) -> str:
    """Shares by construct, largest first."""
    ranked = sorted(unsolved.items(), key=lambda item: (-item[1], item[0]))
    lines = ["## Examples rejected for lack of a worked solution, or of room for one\n", "| | % |", "|---|---:|"]
    return "\n".join([*lines, *[f"| {name} | {100 * share:.1f} |" for name, share in ranked]]) + "\n"


def _idle(counts: Mapping[str, int], n: int) -> str:
    """How many programs have a part that nobody needs to read."""
    share = 1 - counts.get(NO_PART, 0) / n
    kinds = ", ".join([f"{kind} {count / n:.1%}" for kind, count in _in_order(counts) if kind != NO_PART])
    said = f"In {share:.1%} of the programs, a part can be dropped without changing the answer"
    return f"{said}: {kinds}." if kinds else f"{said}."


def _balance(balance: Mapping[str, Sequence[float]]) -> str:
    """Measured shares, with their bounds."""
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
    """The arguments that were given, one per line."""
    given = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in arguments.items()
        if value is not None and value is not False and value not in ("", [], ())
    }
    if not given:
        return ""
    return str(yaml.safe_dump(given, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000))


def _bars(title: str, counts: Mapping[str, int], n: int | None) -> str:
    """A table with a bar in each row; shares of n, or of the total if n is None."""
    total = n or sum(counts.values()) or 1
    largest = max(counts.values(), default=1)
    lines = [f"## {title}\n", "| | n | % | |", "|---|---:|---:|---|"]
    for name, count in _in_order(counts):
        bar = "█" * max(1, round(24 * count / largest))
        lines.append(f"| {name.replace('|', chr(92) + '|')} | {count:,} | {100 * count / total:.1f} | {bar} |")
    return "\n".join(lines) + "\n"


def _in_order(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """Bins in ascending order, everything else by size, largest first."""
    if all(_BIN.fullmatch(name) for name in counts):
        return sorted(counts.items(), key=lambda item: int(item[0].split()[0]))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
