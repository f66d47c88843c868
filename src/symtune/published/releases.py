"""A folder of official releases: each is recognized by its layout, whatever its name, and asked as in the release.

found = releases_in(Path("releases"))
found.folders                         # {"wikitablequestions": Path("releases/WTQ"), …}
found.asked("mmlu", "test", Prompts(), measure, budget=2048)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from symtune import benchmarks
from symtune.benchmark import Benchmark
from symtune.evaluation import Asking, prepare
from symtune.evaluation.exam import Exam
from symtune.evaluation.selection import Selection, read_selection
from symtune.types import InputError, Measure, UnknownName

SPLITS = ("validation", "test", "dev")  # dev: only MMLU has it
TABLES = ("wikitablequestions", "wikisql", "sqa", "tabfact")  # whose tables are kept out of training
SHOTS = {"mmlu": 5}  # as published; the others are asked without shots


@dataclass(frozen=True)
class Prompts:
    """The prompts for a scale, by benchmark: selections of select-prompt, or templates by name."""

    selections: Mapping[str, Selection] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)

    def joined(self, other: Prompts) -> Prompts:
        """Both together; those of `other` take precedence."""
        return Prompts({**self.selections, **other.selections}, {**self.templates, **other.templates})


def read_prompts(path: Path) -> Prompts:
    """A selection file, or a JSON object of benchmarks and prompt templates. Raises InputError and UnknownName."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON; wanted a selection, or an object of benchmarks and templates") from None
    if isinstance(found, dict) and "symtune" in found:
        selection = read_selection(path)
        return Prompts(selections={selection.benchmark: selection})
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise InputError(f"{path}: wanted a selection, or an object of benchmarks and templates")
    for name, template in found.items():
        benchmarks.find(name).template(template)
    return Prompts(templates=found)


@dataclass(frozen=True)
class TestFile:
    """The lines of one benchmark's split, as (input, items of the answer), and facts about them."""

    __test__: ClassVar[bool] = False  # tells pytest that this is not a test
    lines: list[tuple[str, tuple[str, ...]]]
    facts: Mapping[str, Any]


class _Reader:
    """As much of a model as is needed for cutting prompts."""

    def __init__(self, measure: Measure, budget: int) -> None:
        self.measure, self.budget = measure, budget

    def room(self, new: int) -> int:
        return self.budget


@dataclass(frozen=True)
class Releases:
    """The folder of each benchmark that is present, which of its splits are, and what is wrong with the others."""

    TESTS: ClassVar[Mapping[str, str]] = {
        "wtq": "wikitablequestions",
        "wikisql": "wikisql",
        "sqa": "sqa",
        "tabfact": "tabfact",
        "svamp": "svamp",
        "bbh": "bbh",
        "mmlu": "mmlu",
    }
    folders: Mapping[str, Path]
    splits: Mapping[str, tuple[str, ...]]
    faults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def why(self, name: str, split: str) -> str:
        """Why a release that is there lacks a split, in words; "" if no release of the benchmark is there."""
        return self.faults.get(name, {}).get(split, "")

    def asked(self, name: str, split: str, prompts: Prompts, measure: Measure, budget: int) -> TestFile | None:
        """The questions of a benchmark's split as lines; None if it is missing."""
        if split not in self.splits.get(name, ()):
            return None
        exam = self._exam(name, split, prompts)
        selection = prompts.selections.get(name)
        asked = exam.prompts(_Reader(measure, budget))  # type: ignore[arg-type]
        facts = {
            "benchmark": name,
            "split": split,
            "questions": len(exam.questions),
            "prompt": exam.format_in_words,
            "prompt chosen by": "select-prompt"
            if selection
            else "the user"
            if name in prompts.templates
            else "default",
            "tables cut": sum(1 for prompt in asked if prompt.rows_cut),
            "rows cut": sum(prompt.rows_cut for prompt in asked),
            "shots dropped": sum(prompt.shots_dropped for prompt in asked),
            "over the budget": sum(measure(prompt.text) > budget for prompt in asked),
        }
        lines = [(prompt.text, tuple(question.target)) for prompt, question in zip(asked, exam.questions, strict=True)]
        return TestFile(lines, facts)

    def _exam(self, name: str, split: str, prompts: Prompts) -> Exam:
        folder = self.folders[name]
        benchmark = benchmarks.find(name)
        said: dict[str, Any] = {"benchmark": name, "split": split}
        if name in prompts.templates:
            said["template"] = prompts.templates[name]
        if name in SHOTS and _shots_there(benchmark, folder, split):
            said["shots"] = SHOTS[name]
        return prepare(Asking.of(said), folder, selection=prompts.selections.get(name))


def _shots_there(benchmark: Benchmark[Any], folder: Path, split: str) -> bool:
    try:
        return bool(benchmark.shots(folder, split, SHOTS[benchmark.name]))
    except InputError:
        return False


def releases_in(folder: Path | None) -> Releases:
    """The releases in a folder: in its subfolders, or in itself. Raises InputError if it is not a folder, and if a
    split of a release is broken while another can be read.
    """
    folders: dict[str, Path] = {}
    splits: dict[str, tuple[str, ...]] = {}
    faults: dict[str, dict[str, str]] = {}
    if folder is not None and not folder.is_dir():
        raise InputError(f"--benchmarks {folder}: no such folder; wanted one that contains official releases")
    places = [] if folder is None else [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    for name in Releases.TESTS.values():
        for place in places:
            there, wrong = _splits(name, place)
            if there:
                broken = next((fault for fault in wrong.values() if re.search(r":\d+: ", fault)), None)
                if broken:  # a line is named only where a file is there and cannot be read
                    raise InputError(f"--benchmarks: {broken}")
                folders[name], splits[name], faults[name] = place, there, wrong
                break
    return Releases(folders, splits, faults)


def _splits(name: str, folder: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """The splits of a benchmark in a folder, none if the folder is that of another benchmark; and what is wrong with
    the other splits."""
    benchmark = benchmarks.find(name)
    found, wrong = [], {}
    for split in SPLITS:
        try:
            benchmark.load(folder, benchmark.split(folder, split), 1)
        except (InputError, UnknownName) as error:
            wrong[split] = str(error)
            continue
        found.append(split)
    return tuple(found), wrong
