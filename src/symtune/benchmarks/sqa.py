"""SQA (Iyyer et al. 2017): conversations about tables of WikiTableQuestions, read from the official release.

    train.tsv, random-split-1-dev.tsv, test.tsv, …    one question per row, quoted like csv: may contain line breaks
    table_csv/203_149.csv, …                          tables

Splits: train, validation (`random-split-1-dev`, the default) and test, or the name of any tsv file there. A
conversation is a sequence of questions with the same `id` and `annotator`, by `position`. A question is asked with its
history: the earlier questions of its conversation, in order, joined by spaces (as in TAPEX), without their answers. So
nothing that a model answered before, right or wrong, affects its next answer.

The gold answer is the set of the texts of the answer's cells (`answer_text`); a prediction is right if its items are
the same set, by symtune's rule for numbers and texts; quotation marks around an item are ignored. The official score
compares coordinates of cells instead, so two cells with the same text are two answers there, and one here. Empty cells
have no text and are left out; if an answer has no other cells, it is "none".

The first result is the accuracy over all questions. `sequence_accuracy` counts conversations in which every question is
answered right, `first_question_accuracy` only first questions; groups are positions in the conversation. Under a limit,
a conversation may be cut short; it is then not counted as a sequence, and `notes` say so.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from symtune.benchmark import TableBenchmark
from symtune.denotation import ROW_DELIMITER, meaning
from symtune.outcomes import Outcome, RandomCell, TableQuestion, mean
from symtune.prompts import load_templates
from symtune.releases import ReleaseTables, first_of, read_csv, split_file
from symtune.types import InputError, Result, Table, Verdict

FILES = {"train": "train", "validation": "random-split-1-dev", "test": "test"}
COLUMNS = ("id", "annotator", "position", "question", "table_file", "answer_text")
PUBLISHED = {"train": 14_541, "validation": 2_265, "test": 3_012}
RELEASE = "the official release of SQA"
NOTHING = ("none",)
_NO_TABLE = Table("", (), (), ())


@dataclass(frozen=True, kw_only=True)
class SqaQuestion(TableQuestion):
    """The question at `position` (from 0) in a `sequence` of `length` questions."""

    sequence: str = ""
    position: int = 0
    length: int = 1


class Sqa(TableBenchmark[SqaQuestion]):
    """The benchmark."""

    name = "sqa"
    metric = "question_accuracy"
    templates = load_templates("sqa")
    grouped_by = "position in the conversation"
    max_new_tokens = 256  # one question in twenty asks for a whole column
    published = PUBLISHED

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default: the test split is reserved for the final measurement."""
        chosen = split or "validation"
        split_file(data, chosen, FILES, ".tsv", RELEASE)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[SqaQuestion]:
        """The questions of a split with their history, in the order of the release."""
        path = split_file(data, split, FILES, ".tsv", RELEASE)
        if not (data / "table_csv").is_dir():
            raise InputError(f"{data / 'table_csv'}: no such folder; wanted the tables of the official release there")
        rows = first_of(path, read_csv(path, COLUMNS, "\t"), None)
        tables, cells = ReleaseTables(data, "sqa"), RandomCell(_value)
        lengths = Counter(_sequence(row) for _, row in rows)
        asked: dict[str, list[str]] = {}
        questions = []
        for where, row in rows[:limit]:
            name, before = row["table_file"], asked.setdefault(_sequence(row), [])
            if row["position"] != str(len(before)):
                raise InputError(f"{where}: got position {row['position'][:20]!r} where {len(before)} comes next")
            table = tables.find(name, data / name, where=where, question=row["id"])
            questions.append(_question(where, row, table, " ".join(before), lengths[_sequence(row)], cells))
            before.append(questions[-1].fields["question"])
        return questions

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> SqaQuestion:
        """Scoring a question needs only the target."""
        return SqaQuestion(id=str(line.get("id", "")), target=target, table=_NO_TABLE)

    def score(self, prediction: str, question: SqaQuestion) -> Verdict:
        """Whether the items extracted are the answer's cells, as sets of texts."""
        items = self.read(prediction, question)
        same = _distinct(items).keys() == _distinct(question.target).keys()
        right = same or prediction.strip() == ROW_DELIMITER.join(question.target)  # a cell may be read as two items
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")

    def aggregate(self, split: str, outcomes: Sequence[Outcome]) -> list[Result]:
        """The accuracy over questions, over whole sequences, over first questions, and by position."""
        whole, *others = super().aggregate(split, outcomes)
        sequences: dict[str, list[tuple[SqaQuestion, float]]] = {}
        for outcome in outcomes:
            question = cast(SqaQuestion, outcome.question)
            sequences.setdefault(question.sequence, []).append((question, outcome.score))
        complete = [one for one in sequences.values() if len(one) == one[0][0].length]
        first = [one[:1] for one in sequences.values()]
        return [
            whole,
            self._all_right(split, "sequence_accuracy", complete),
            self._all_right(split, "first_question_accuracy", first),
            *others,
        ]

    def _all_right(self, split: str, metric: str, parts: Sequence[Sequence[tuple[SqaQuestion, float]]]) -> Result:
        """The share of the parts in which every question is answered right. Chance: that every guess is right."""
        result = mean(self.name, split, metric, [min(score for _, score in part) for part in parts])
        chances = [math.prod(question.chance or 0.0 for question, _ in part) for part in parts]
        if not chances:
            return result
        return result.noting({"chance": math.fsum(chances) / len(chances), "chance_how": RandomCell.how})

    def notes(self, questions: Sequence[SqaQuestion]) -> Mapping[str, Any]:
        """How many sequences there are, and how many of them are cut short."""
        asked = Counter(question.sequence for question in questions)
        lengths = {question.sequence: question.length for question in questions}
        return {
            "sequences": len(asked),
            "sequences_cut": sum(1 for name, count in asked.items() if count < lengths[name]),
        }


def _sequence(row: Mapping[str, str]) -> str:
    return f"{row['id']}-{row['annotator']}"


def _question(
    where: str, row: Mapping[str, str], table: Table, history: str, length: int, cells: RandomCell
) -> SqaQuestion:
    target = tuple(_distinct(_texts(row["answer_text"], where)).values()) or NOTHING
    gold, position = _value(target[0]), int(row["position"])
    return SqaQuestion(
        id=f"{_sequence(row)}_{position}",
        target=target,
        fields={"history": history, "question": " ".join(row["question"].split())},
        groups=(f"question {position + 1}",),
        chance=cells.chance(table, lambda value: value == gold) if len(target) == 1 else 0.0,
        chance_how=cells.how,
        table=table,
        sequence=_sequence(row),
        position=position,
        length=length,
    )


def _texts(written: str, where: str) -> list[str]:
    """The texts in a list, as Python writes it."""
    try:
        found = ast.literal_eval(written)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise InputError(f"{where}: answer_text: got {written[:60]!r}, wanted a list of texts: ['a', 'b']")
    return [" ".join(text.split()) for text in found]


def _distinct(items: Sequence[str]) -> dict[Any, str]:
    """The first item with each meaning; empty ones are left out."""
    first: dict[Any, str] = {}
    for item in items:
        if _bare(item):
            first.setdefault(_value(item), item)
    return first


def _value(item: str) -> Any:
    """What an item means. Quotation marks around it are ignored, since items extracted from a sentence have none."""
    return meaning(_bare(item))


def _bare(item: str) -> str:
    return item.strip().strip('"')


BENCHMARK = Sqa()
