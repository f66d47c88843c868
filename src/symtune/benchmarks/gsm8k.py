"""GSM8K (Cobbe et al. 2021): word problems of grade-school arithmetic, read from the official release.

    train.jsonl, test.jsonl     one problem per line: `question`, and `answer`, a worked solution that ends in "#### 72"

Splits: train and test (the default), or the name of any jsonl file there. An answer is right if the number extracted
from it (symtune.reading.read_number) has the value of the gold number. `official` is the official score, which takes
only the first number after "####" and compares it as text without commas. Shots are worked solutions of train, without
calculator annotations ("<<48/2=24>>").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune.benchmark import Benchmark, Shot
from symtune.denotation import same_answer
from symtune.files import json_objects
from symtune.outcomes import Question
from symtune.prompts import load_templates
from symtune.reading import read_number, unannotated
from symtune.releases import choose, first_of, split_file
from symtune.types import InputError, Verdict

TRAIN, TEST = "train", "test"
FILES = {TRAIN: "train", TEST: "test"}
PUBLISHED = {TRAIN: 7_473, TEST: 1_319}
_OFFICIAL = re.compile(r"#### (-?[0-9.,]+)")


@dataclass(frozen=True, kw_only=True)
class Problem(Question):
    """A problem with its worked solution."""

    solution: str = ""


class Gsm8k(Benchmark[Problem]):
    """The benchmark."""

    name = "gsm8k"
    metric = "number_match"
    templates = load_templates("gsm8k")
    max_new_tokens = 512
    most_shots = 16
    shots_template = "plain"
    published = PUBLISHED
    selection_split = TRAIN

    def split(self, data: Path, split: str | None) -> str:
        """`test` by default."""
        chosen = split or TEST
        _file(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[Problem]:
        """The problems of a split, in order."""
        path = _file(data, split)
        return first_of(path, _problems(path), limit, "problems")

    def shots(self, data: Path, split: str, number: int) -> tuple[Shot, ...]:
        """Problems from train."""
        if split == TRAIN:
            raise InputError(
                f"shots of {self.name} come from train, which is the split to measure; choose another split"
            )
        chosen = choose(self.load(data, TRAIN), number, lambda problem: problem.fields["question"])
        return tuple(Shot(problem, unannotated(problem.solution)) for problem in chosen)

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> Problem:
        """Scoring needs only the target."""
        return Problem(id=str(line.get("id", "")), target=target)

    def read(self, text: str, question: Problem) -> list[str]:
        """The number of the answer."""
        number = read_number(text)
        return [] if number is None else [number]

    def score(self, prediction: str, question: Problem) -> Verdict:
        """Whether the number extracted has the value of the gold number."""
        items = self.read(prediction, question)
        right = bool(items) and same_answer(items[0], question.target[0], ordered=False)
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")

    def other_scores(self, prediction: str, question: Problem) -> Mapping[str, float]:
        """`official`: the official score."""
        return {"official": float(official_number(prediction) == question.target[0])}


def official_number(text: str) -> str | None:
    """The number that the official score takes: the first after "#### ", without commas."""
    found = _OFFICIAL.search(text)
    return found[1].strip().replace(",", "") if found else None


def _file(data: Path, split: str) -> Path:
    """The file of a split. Raises InputError or UnknownName, with the files that exist."""
    return split_file(data, split, FILES, ".jsonl", "the official release of GSM8K")


def _problems(path: Path) -> Iterator[Problem]:
    for entry in json_objects(path, wanted="a problem"):
        texts = [entry.value.get(name) for name in ("question", "answer")]
        if not all(isinstance(text, str) for text in texts):
            raise InputError(f"{entry.where}: wanted `question` and `answer`, both texts")
        question, solution = map(str, texts)
        number = official_number(solution)
        if number is None:
            raise InputError(f'{entry.where}: the answer does not end in "#### " and a number')
        id = f"{path.stem}/{entry.number}"
        yield Problem(id=id, target=(number,), fields={"question": question}, solution=solution)


BENCHMARK = Gsm8k()
