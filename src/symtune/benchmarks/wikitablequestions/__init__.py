r"""WikiTableQuestions (Pasupat and Liang 2015), read from its official release and scored by its official
rules.

    data/training.tsv, data/random-split-1-dev.tsv, data/pristine-unseen-tables.tsv, …   questions and answers
    csv/204-csv/590.csv                                                                  tables
    tagged/data/*.tagged                                                canonical values of the answers

Splits: train (`training`), validation (`random-split-1-dev`) and test (`pristine-unseen-tables`), or the name of any
file in `data/`. If no `.tagged` file contains a question, there is no canonical value for its answer: it is scored only
by its text, and the notes of the result count such questions.

A tsv cell writes a line break as `\n`, a vertical bar as `\p` and a backslash as `\\`; vertical bars separate the items
of a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symtune.benchmark import TableBenchmark
from symtune.benchmarks.wikitablequestions.asked import asked
from symtune.benchmarks.wikitablequestions.rules import alone_right, to_value, wtq_correct
from symtune.outcomes import RandomCell, TableQuestion, table_size
from symtune.prompts import load_templates
from symtune.releases import ReleaseTables, first_of, read_tsv, split_file
from symtune.types import InputError, Table, Verdict

FILES = {"train": "training", "validation": "random-split-1-dev", "test": "pristine-unseen-tables"}
PUBLISHED = {"train": 14_152, "validation": 2_831, "test": 4_344}
RELEASE = "the official release of WikiTableQuestions"
COLUMNS = ("id", "utterance", "context", "targetValue")
_ESCAPE = re.compile(r"\\([np\\])")
_NO_TABLE = Table("", (), (), ())
_ESCAPED = {"n": "\n", "p": "|", "\\": "\\"}


@dataclass(frozen=True, kw_only=True)
class WtqQuestion(TableQuestion):
    """A question; `canon` holds the canonical value of each answer, None if no `.tagged` file has them."""

    canon: tuple[str, ...] | None = None


class WikiTableQuestions(TableBenchmark[WtqQuestion]):
    """The benchmark."""

    name = "wikitablequestions"
    metric = "wtq"
    templates = load_templates("wikitablequestions")
    published = PUBLISHED

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default: the test split is reserved for the final measurement."""
        chosen = split or "validation"
        _file(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[WtqQuestion]:
        """The questions of a split, with their tables."""
        path = _file(data, split)
        if not (data / "csv").is_dir():
            raise InputError(f"{data / 'csv'}: no such folder; wanted the tables of the official release there")
        rows = first_of(path, read_tsv(path, COLUMNS), limit)
        tables, canon = ReleaseTables(data, "wtq"), _canonical_values(data, path.stem)
        cells, questions = RandomCell(to_value), []
        for where, row in rows:
            name = row["context"]
            table = tables.find(name, data / name, where=where, question=row["id"])
            questions.append(_question(where, row, table, canon, cells))
        return questions

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> WtqQuestion:
        """The target, and its canonical values if the line has them."""
        canon = line.get("target_canon")
        return WtqQuestion(id=str(line.get("id", "")), target=target, table=_NO_TABLE, canon=canon)

    def score(self, prediction: str, question: WtqQuestion) -> Verdict:
        """The official verdict on the items extracted from the prediction."""
        items = self.read(prediction, question)
        right = wtq_correct(items, question.target, question.canon)
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")

    def columns(self, question: WtqQuestion) -> Mapping[str, Any]:
        """`target_canon`: the canonical values."""
        return {"target_canon": None if question.canon is None else list(question.canon)}

    def notes(self, questions: Sequence[WtqQuestion]) -> Mapping[str, Any]:
        """How many answers had no canonical value."""
        without = sum(1 for question in questions if question.canon is None)
        if not without:
            return {"canonical_values": "all"}
        return {
            "canonical_values": "none" if without == len(questions) else "some",
            "without_canonical_value": without,
            "remark": "no .tagged file has these questions; their answers are compared as they are written, "
            'without the canonical values by which the official score also accepts "10" for "10 years"',
        }


def _file(data: Path, split: str) -> Path:
    return split_file(data / "data", split, FILES, ".tsv", RELEASE)


def _unescape(cell: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], cell)


def _items(cell: str) -> tuple[str, ...]:
    return tuple(_unescape(item) for item in cell.split("|"))


def _canonical_values(data: Path, stem: str) -> dict[str, tuple[str, ...]]:
    """question id -> canonical values: from the file of the split, else from all files (random splits are parts of the
    training questions).
    """
    folder = data / "tagged" / "data"
    own = folder / f"{stem}.tagged"
    found = {}
    for path in [own] if own.is_file() else sorted(folder.glob("*.tagged")):
        for _, row in read_tsv(path, ("id", "targetCanon")):
            found[row["id"]] = _items(row["targetCanon"])
    return found


def _question(
    where: str, row: Mapping[str, str], table: Table, canon: Mapping[str, tuple[str, ...]], cells: RandomCell
) -> WtqQuestion:
    target = _items(row["targetValue"])
    values = canon.get(row["id"])
    if values is not None and len(values) != len(target):
        raise InputError(f"{where}: question {row['id']} has {len(target)} answers, and {len(values)} in its .tagged")
    return WtqQuestion(
        id=row["id"],
        target=target,
        fields={"question": _unescape(row["utterance"])},
        groups=(f"asks: {asked(row['utterance'])}", table_size(table)),
        chance=cells.chance(table, alone_right(target, values)),
        chance_how=cells.how,
        table=table,
        canon=values,
    )


BENCHMARK = WikiTableQuestions()
