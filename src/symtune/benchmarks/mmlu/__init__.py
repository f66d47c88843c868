"""MMLU (Hendrycks et al. 2021): questions from 57 subjects, with four options each.

    data/dev/SUBJECT_dev.csv, data/val/SUBJECT_val.csv, data/test/SUBJECT_test.csv
        no header; question, option A, option B, option C, option D, the letter of the right one

Splits: validation (`val`; the default if the release at hand has it), test and dev. An answer is right if it chooses
the right option (symtune.reading.read_option), by its letter or by its full text. The first result weights all
questions equally, as the official score does; the mean over subjects, the four categories, and the subjects follow.
Shots are the first questions of the subject's dev file, at most five, after the official introduction; those that do
not fit are dropped, the last first. A release that lacks subjects is measured subject by subject, and has no overall
score.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune.benchmark import Benchmark, Shot
from symtune.benchmarks.mmlu.subjects import CATEGORIES, CATEGORY, SUBJECTS
from symtune.outcomes import Outcome, PartQuestion, at_hand, mean_over_groups, means, of_parts
from symtune.prompts import load_templates
from symtune.reading import read_option
from symtune.releases import csv_rows, take_in_turn
from symtune.types import InputError, Result, UnknownName, Verdict

VALIDATION, TEST = "validation", "test"
SHOTS = "dev"
FOLDERS = {VALIDATION: "val", TEST: "test", SHOTS: SHOTS}
LETTERS = ("A", "B", "C", "D")
PUBLISHED = {VALIDATION: 1_531, TEST: 14_042}
_ALONE = re.compile(r"\s*\(?([A-D])\)?\.?[ \t]*(?:\n|\Z)")
INTRODUCTION = load_templates("mmlu_introduction")[0]


@dataclass(frozen=True, kw_only=True)
class MmluQuestion(PartQuestion):
    """A question; `options`: their texts in the order of the letters."""

    options: tuple[str, ...]


class Mmlu(Benchmark[MmluQuestion]):
    """The benchmark."""

    name = "mmlu"
    metric = "option_match"
    templates = load_templates("mmlu")
    grouped_by = "subject"
    max_new_tokens = 32
    most_shots = 5
    shots_template = "plain"
    published = PUBLISHED

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default, if it exists: the test split is reserved for the final measurement."""
        chosen = split or (VALIDATION if _there(data, VALIDATION) else TEST)
        _subjects(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[MmluQuestion]:
        """The questions of a split, subject by subject; with a limit, taken from the subjects in turn."""
        subjects = _subjects(data, split)
        loaded = [list(_questions(data, FOLDERS[split], subject, subjects)) for subject in subjects]
        return take_in_turn(loaded, limit)

    def shots(self, data: Path, split: str, number: int) -> tuple[Shot, ...]:
        """The first questions of the dev file of each subject."""
        if split == SHOTS:
            raise InputError("the questions of MMLU's dev split are the shots; leave --shots out")
        shots = []
        for subject in _subjects(data, split):
            asked = list(_questions(data, SHOTS, subject))
            if number > len(asked):
                raise InputError(
                    f"{_path(data, SHOTS, subject)}: {number} shots are wanted, but it has only {len(asked)}"
                )
            introduction = INTRODUCTION.render({"subject": subject.replace("_", " ")})
            shots += [Shot(question, question.target[0], subject, introduction) for question in asked[:number]]
        return tuple(shots)

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> MmluQuestion:
        """The target, and the options if the line has them."""
        options = line.get("options") or ()
        if not isinstance(options, list | tuple) or not all(isinstance(option, str) for option in options):
            raise InputError(f"options: got {str(options)[:60]}, wanted a list of texts")
        return MmluQuestion(id=str(line.get("id", "")), target=target, part="", options=tuple(options))

    def read(self, text: str, question: MmluQuestion) -> list[str]:
        """The letter that is chosen. A letter alone on the first line is the answer, whatever follows: after shots, a
        model goes on with invented questions and answers.
        """
        alone = _ALONE.match(text)
        letter = alone[1] if alone else read_option(text, question.options)
        return [] if letter is None else [letter]

    def score(self, prediction: str, question: MmluQuestion) -> Verdict:
        """Whether the right option is chosen."""
        chosen = self.read(prediction, question)
        right = tuple(chosen) == question.target
        return Verdict(float(right), "right" if right else "wrong" if chosen else "no answer")

    def columns(self, question: MmluQuestion) -> Mapping[str, Any]:
        """`options`: their texts."""
        return {"options": list(question.options)}

    def aggregate(self, split: str, outcomes: Sequence[Outcome]) -> list[Result]:
        """Results over all questions, as the mean over subjects, by category, and by subject."""
        whole, *groups = means(self.name, split, self.metric, outcomes)
        over = mean_over_groups(self.name, split, "mean over subjects", outcomes, among=CATEGORY)
        there = at_hand(outcomes)
        categories = [_of_category(one, there) for one in groups if one.group in CATEGORIES]
        subjects = [one for one in groups if one.group in CATEGORY]
        return of_parts([whole, over, *categories, *subjects], len(there), len(SUBJECTS), "subjects")


def _of_category(result: Result, at_hand: frozenset[str]) -> Result:
    """The result of a category, with a note if it lacks subjects."""
    subjects = CATEGORIES[result.group]
    there = len(at_hand.intersection(subjects))
    return result if there == len(subjects) else result.noting({"release": f"{there} of {len(subjects)} subjects"})


def _path(data: Path, folder: str, subject: str) -> Path:
    return data / "data" / folder / f"{subject}_{folder}.csv"


def _there(data: Path, split: str) -> tuple[str, ...]:
    return tuple(subject for subject in SUBJECTS if _path(data, FOLDERS[split], subject).is_file())


def _subjects(data: Path, split: str) -> tuple[str, ...]:
    """The subjects that the release has in a split. Raises InputError or UnknownName."""
    if split not in FOLDERS:
        raise UnknownName("split", split, FOLDERS)
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; wanted the official release of MMLU")
    there = _there(data, split)
    if not there:
        first = _path(data, FOLDERS[split], SUBJECTS[0])
        raise InputError(f"{first}: no such file, nor that of another subject; wanted the official release of MMLU")
    return there


def _questions(data: Path, folder: str, subject: str, at_hand: tuple[str, ...] = ()) -> Iterator[MmluQuestion]:
    """The questions of a file. Raises InputError with file and line."""
    path = _path(data, folder, subject)
    if not path.is_file():
        raise InputError(f"{path}: no such file; wanted the official release of MMLU")
    number = 0
    for number, (where, cells) in enumerate(csv_rows(path), start=1):
        if len(cells) != len(LETTERS) + 2:
            raise InputError(f"{where}: got {len(cells)} columns, wanted {len(LETTERS) + 2}")
        question, *options, answer = cells
        if answer not in LETTERS:
            raise InputError(f"{where}: the answer is {answer[:60]!r}, wanted {', '.join(LETTERS)}")
        listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=True))
        yield MmluQuestion(
            id=f"{subject}/{folder}/{number}",
            target=(answer,),
            fields={"question": question, "options": listed},
            groups=(subject, CATEGORY[subject]),
            chance=1 / len(LETTERS),
            chance_how="one of the four options at random",
            part=subject,
            at_hand=at_hand,
            options=tuple(options),
        )
    if not number:
        raise InputError(f"{path}: no questions in it")


BENCHMARK = Mmlu()
