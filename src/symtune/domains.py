"""What training data has in common with benchmarks: their training questions, tasks that imitate them, their tables.

    mentioned("flan_gsm8k_cot")                  ->  ["gsm8k"]
    domains_of(Path("runs/quickstart/model"))    ->  {"gsm8k": ["instructions: bundled:gsm8k"], "sql_execution": […]}

A benchmark for which a model was trained is in-domain: its score says less about what the model can do elsewhere.
Manifests pass on what is known, under `in_domain`, from data sets to training sets to checkpoints: the name of a
benchmark or of a symbolic task, and the reason. It is inferred from the names of files, sources and the tasks that
records name, never from texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from symtune import benchmarks
from symtune.output import MANIFEST

ALSO_CALLED = {"wtq": "wikitablequestions", "bigbenchhard": "bbh", "gsm": "gsm8k"}
WORDS = 3  # the most words in a name: wiki_table_questions
Domains = dict[str, list[str]]  # a benchmark or a task -> reasons


def mentioned(text: str) -> list[str]:
    """The benchmarks that a name or a path mentions as whole words."""
    words = re.findall(r"[a-z]+[0-9]*[a-z]*|[0-9]+[a-z]*", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower())
    known = _known()
    joined = ["".join(words[at : at + n]) for n in range(1, WORDS + 1) for at in range(len(words) - n + 1)]
    return sorted({known[name] for name in joined if name in known})


def domains_of(folder: Path) -> Domains:
    """What the manifest of a data set, a training set or a checkpoint says; empty if there is none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        if manifest["symtune"] == "generate":
            return merged(_generated(manifest))
        return {str(name): [str(why) for why in whys] for name, whys in manifest.get("in_domain", {}).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def merged(found: Iterable[tuple[str, str]]) -> Domains:
    """Pairs of name and reason, grouped by name."""
    domains: Domains = {}
    for name, why in found:
        if why not in domains.setdefault(name, []):
            domains[name].append(why)
    return dict(sorted(domains.items()))


def each(domains: Mapping[str, Iterable[str]], of: str = "") -> Iterator[tuple[str, str]]:
    """The pairs (name, reason) of domains; `of` says whose they are."""
    for name, whys in domains.items():
        for why in whys:
            yield name, f"{of}: {why}" if of else why


def _generated(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for task in manifest["tasks"]:
        yield str(task["name"]), f"examples of {task['name']}"
        for name in task.get("imitates", ()):
            yield str(name), f"examples of {task['name']}, which imitates it"
    tables = manifest.get("arguments", {}).get("tables")
    for name in mentioned(str(tables or "")):
        yield name, f"questions about its tables ({tables})"


@cache
def _known() -> dict[str, str]:
    names = [name for name in benchmarks.names() if name != "held_out"]
    return {**ALSO_CALLED, **{re.sub(r"[^a-z0-9]", "", name): name for name in names}}
