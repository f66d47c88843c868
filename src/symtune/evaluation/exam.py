"""An exam: a benchmark, the questions of a split, and how they are asked; checked before a model is loaded."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune import benchmarks
from symtune.benchmark import Benchmark, Format
from symtune.evaluation.config import Asking
from symtune.evaluation.selection import Selection
from symtune.model import Model
from symtune.outcomes import Prompt
from symtune.splitting import check_same_splits, splits_of
from symtune.types import InputError


@dataclass(frozen=True)
class Exam:
    """Questions of a benchmark, to be asked in one format, with answers of up to `max_new_tokens` tokens and prompts of
    up to `budget` (None: as many as the model can read).
    """

    benchmark: Benchmark[Any]
    split: str
    questions: Sequence[Any]
    format: Format
    max_new_tokens: int
    budget: int | None = None
    selection: Selection | None = None  # from which the prompt comes, or with which it is compared

    def __post_init__(self) -> None:
        self.benchmark.check_format(self.format, self.questions)
        often = [id for id, count in Counter(question.id for question in self.questions).items() if count > 1]
        if often:
            raise InputError(
                f"{self.benchmark.name}: {len(often)} ids belong to several questions, {often[0]!r} among them; "
                "every id must be unique"
            )

    @property
    def shots(self) -> int:
        """How many shots precede a question, if they fit."""
        return max((len(self.benchmark.shots_of(question, self.format)) for question in self.questions), default=0)

    @property
    def format_in_words(self) -> str:
        """The format, with its shots, in words."""
        return self.benchmark.format_name(self.format) + (f", {self.shots} shots" if self.format.shots else "")

    def prompts(self, model: Model) -> list[Prompt]:
        """The prompt of each question, made short enough for the model if the benchmark can."""
        room = model.room(self.max_new_tokens)
        room = min(room, self.budget or room)
        return [
            self.benchmark.prompt(question, self.format, lambda text: model.measure(text) <= room)
            for question in self.questions
        ]

    def questions_sha256(self) -> str:
        """The digest of everything that determines verdicts besides the completions."""
        lines = [[one.id, one.target, dict(self.benchmark.columns(one))] for one in self.questions]
        return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()


def check_splits(model: object, data: Path) -> None:
    """Raise LeakError if a checkpoint was trained on data whose splits were made differently from those of `data`."""
    if isinstance(model, str | Path):
        check_same_splits({str(model): splits_of(Path(model)), str(data): splits_of(data)})


def prepare(asking: Asking, data: Path, tasks: Sequence[str] = (), *, selection: Selection | None = None) -> Exam:
    """The requested exam on the data. `tasks`: files of the user's own tasks that the data names; `selection`: the test
    split is asked as it has chosen, unless `asking` says otherwise. Raises InputError and UnknownName for anything
    wrong with it.
    """
    asking = selection.asking(asking) if selection else asking
    benchmark = benchmarks.find(asking.benchmark, tasks)
    split = benchmark.split(data, asking.split)
    shots = benchmark.shots(data, split, asking.shots) if asking.shots else ()
    format = Format(asking.template, asking.linearization, shots)
    questions = benchmark.load(data, split, asking.limit)
    return Exam(
        benchmark,
        split,
        questions,
        format,
        asking.max_new_tokens or benchmark.longest_answer(format, questions),
        asking.budget,
        selection,
    )
