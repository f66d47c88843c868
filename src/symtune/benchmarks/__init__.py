"""Held-out benchmarks: finite, each with its official metric. One file a benchmark in this folder, found
because it is there.

A benchmark is a module-level instance named `BENCHMARK` of a class that derives from `DatasetTask`:

    benchmark = find("wikitablequestions")
    examples = benchmark.load(Path("WikiTableQuestions"), "validation", limit=100)
    prompt, rows_cut = benchmark.prompt(examples[0], Format(), fits=lambda prompt: len(prompt) < 4000)
    benchmark.score("The answer is 5.", examples[0])          ->  Verdict(1.0, "right")

An example's `fields` hold what the prompt shows, its `answer` the gold answer text, its `meta` at least
`target` (the gold items) and, where there is one, `group` (a query type, say) and `chance` (what a guesser
scores on it).
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune.prompts import LINEARIZATIONS, PromptTemplate
from symtune.reading import read_answer
from symtune.types import Example, InputError, UnknownName, Verdict

Fits = Callable[[str], bool]  # whether a prompt is short enough for the model


@dataclass(frozen=True, slots=True)
class Format:
    """How examples are prompted: a prompt template by id or key, and a linearization. None: the benchmark's
    own choice.
    """

    template: str | None = None
    linearization: str | None = None


class DatasetTask(ABC):
    """A benchmark. `templates` are its prompt templates, the first is the default; `metric` names its
    score."""

    name: str
    metric: str
    templates: tuple[PromptTemplate, ...]
    linearization: str = "tapex"

    @abstractmethod
    def split(self, data: Path, split: str | None) -> str:
        """The name of the split asked for, or of the default one. Raises InputError or UnknownName."""

    @abstractmethod
    def load(self, data: Path, split: str, limit: int | None = None) -> list[Example]:
        """The first `limit` examples of a split, in the order of the release. Raises InputError with file and
        line for what is missing or broken.
        """

    @abstractmethod
    def prompt(self, example: Example, format: Format, fits: Fits) -> tuple[str, int]:
        """The prompt, its table cut by a rule that knows the question until `fits`, and the rows cut."""

    @abstractmethod
    def score(self, prediction: str, example: Example) -> Verdict:
        """The verdict on what a model wrote. Pure, never raises, in [0, 1], quick."""

    def read(self, text: str) -> list[str]:
        """The items of the answer in what a model wrote."""
        return read_answer(text)

    def other_scores(self, prediction: str, example: Example) -> Mapping[str, float]:
        """Further metrics, by name, that are reported beside the score."""
        return {}

    def notes(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """What a reader of the score must know about the data."""
        return {}

    def check_format(self, format: Format) -> None:
        """Raise UnknownName for a prompt template or a linearization that does not exist."""
        if format.template is not None:
            self.template(format.template)
        if format.linearization is not None and format.linearization not in LINEARIZATIONS:
            raise UnknownName("linearization", format.linearization, LINEARIZATIONS)

    def template(self, name: str | None) -> PromptTemplate:
        """A prompt template by its id ("wikitablequestions/01") or key ("01"); the first one for None."""
        if name is None:
            return self.templates[0]
        for template in self.templates:
            if name in (template.id, template.id.rpartition("/")[2]):
                return template
        raise UnknownName("prompt template", name, [one.id.rpartition("/")[2] for one in self.templates])

    def format_name(self, format: Format) -> str:
        """The format in words for results: `TEMPLATE+LINEARIZATION`."""
        return f"{self.template(format.template).id}+{format.linearization or self.linearization}"


def names() -> list[str]:
    """The names of the benchmarks of this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> DatasetTask:
    """A benchmark of this folder by name. Raises UnknownName."""
    if name not in names():
        raise UnknownName("benchmark", name, names())
    benchmark = getattr(importlib.import_module(f"{__name__}.{name}"), "BENCHMARK", None)
    if not isinstance(benchmark, DatasetTask):
        raise InputError(f"benchmark {name}: its file defines no BENCHMARK that is a DatasetTask")
    return benchmark
