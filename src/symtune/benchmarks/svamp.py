"""SVAMP (Patel et al. 2021): arithmetic word problems with one step, varied so that shallow reading fails.

    data/mawps-asdiv-a_svamp/train.csv   3,138 problems from MAWPS and ASDiv-A: the split `validation`, the default
    data/mawps-asdiv-a_svamp/dev.csv     the 1,000 problems of SVAMP itself: the split `test`

Numbers are kept apart from the text: `number0` in the column `Question` stands for the first number in the column
`Numbers` and is replaced by it as it is written there. An answer is right if the number extracted from it
(symtune.reading.read_number) is within 0.01 of the gold number, as in the release's scoring. Shots are problems of
train.csv with their numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from symtune.benchmark import Benchmark, Shot
from symtune.denotation import number_text
from symtune.outcomes import Question
from symtune.prompts import load_templates
from symtune.reading import read_number
from symtune.releases import choose, first_of, read_csv, split_file
from symtune.types import InputError, Verdict

VALIDATION, TEST = "validation", "test"
FILES = {VALIDATION: "train", TEST: "dev"}
PUBLISHED = {VALIDATION: 3_138, TEST: 1_000}
FOLDER = "data/mawps-asdiv-a_svamp"
COLUMNS = ("Question", "Numbers", "Answer")
TOLERANCE = 0.01
_PLACEHOLDER = re.compile(r"number(\d{1,3})(?!\d)")


class Svamp(Benchmark[Question]):
    """The benchmark."""

    name = "svamp"
    metric = "number_match"
    templates = load_templates("svamp")
    max_new_tokens = 256
    most_shots = 16
    shots_template = "plain"
    published = PUBLISHED

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default: the test split is reserved for the final measurement."""
        chosen = split or VALIDATION
        _file(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[Question]:
        """The problems of a split, in order."""
        path = _file(data, split)
        return first_of(path, _problems(path), limit, "problems")

    def shots(self, data: Path, split: str, number: int) -> tuple[Shot, ...]:
        """Problems from train.csv."""
        if _file(data, split) == _file(data, VALIDATION):
            raise InputError(
                f"shots of {self.name} come from train.csv, which is the split to measure; use --split test"
            )
        problems = self.load(data, VALIDATION)
        chosen = choose(problems, number, lambda problem: problem.fields["question"])
        return tuple(Shot(problem, problem.target[0]) for problem in chosen)

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> Question:
        """Scoring needs only the target."""
        if len(target) != 1 or _value(target[0]) is None:
            raise InputError(f"target: got {list(target)}, wanted one number")
        return Question(id=str(line.get("id", "")), target=target)

    def read(self, text: str, question: Question) -> list[str]:
        """The number of the answer."""
        number = read_number(text)
        return [] if number is None else [number]

    def score(self, prediction: str, question: Question) -> Verdict:
        """Whether the number extracted is the gold number."""
        items = self.read(prediction, question)
        said, gold = _value(items[0]) if items else None, _value(question.target[0])
        right = said is not None and gold is not None and abs(said - gold) <= TOLERANCE
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")


def _value(text: str) -> float | None:
    """A number that is finite, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _file(data: Path, split: str) -> Path:
    """The file of a split. Raises InputError or UnknownName, with the files that exist."""
    return split_file(data / FOLDER, split, FILES, ".csv", f"the official release of SVAMP in {data}")


def _problems(path: Path) -> Iterator[Question]:
    for number, (where, row) in enumerate(read_csv(path, COLUMNS), start=1):
        answer = _value(row["Answer"])
        if answer is None:
            raise InputError(f"{where}: Answer: got {row['Answer']!r}, wanted a number")
        question = _numbered(row["Question"], row["Numbers"].split(), where)
        yield Question(id=f"{path.stem}/{number}", target=(number_text(answer),), fields={"question": question})


def _numbered(question: str, numbers: list[str], where: str) -> str:
    """The question with its numbers filled in."""

    def number(place: re.Match[str]) -> str:
        if int(place[1]) >= len(numbers):
            raise InputError(f"{where}: {place[0]} is in the question, but the length of Numbers is {len(numbers)}")
        return numbers[int(place[1])]

    return _PLACEHOLDER.sub(number, question)


BENCHMARK = Svamp()
