r"""TabFact (Chen et al. 2020): statements that a table entails or refutes, read from the official release.

    tokenized_data/train_examples.json, val_examples.json, …    by table: statements, labels, caption
    data/all_csv/2-1859269-1.html.csv, …                        tables, with cells separated by "#"
    data/simple_ids.json, complex_ids.json                      the tables whose statements are simple, complex
    data/{simple,complex,small}_test_id.json                    the same for the test split, and its small part

Splits: train, validation (`val`, the default) and test, or the part before `_examples` in the name of any such file (a
part of a split, `train_examples.partial.json`, is used if the whole split is missing). Statements are asked as the
release tokenized them, without the captions of tables.

The metric is accuracy: the verdict extracted is the label. Verdicts may be worded as entailed or refuted, true or
false, yes or no, supported or not supported, correct or incorrect, as 1 or 0 like the labels of the release, and as A
or B if the options have these letters. A text with no verdict, or with both, is wrong.

Groups are `simple`, `complex` and `small`, as far as the release at hand has the lists. Chance is that of picking one
of the two verdicts at random.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from symtune.benchmark import TableBenchmark
from symtune.files import json_objects, json_values
from symtune.outcomes import TableQuestion
from symtune.prompts import load_templates
from symtune.reading import read_option
from symtune.releases import ReleaseTables, first_of, split_file
from symtune.types import InputError, Table, Verdict

FILES = {"train": "train", "validation": "val", "test": "test"}
EXAMPLES = "_examples"
LISTS = {
    "simple": ("simple_ids.json", "simple_test_id.json"),
    "complex": ("complex_ids.json", "complex_test_id.json"),
    "small": ("small_test_id.json",),
}
PUBLISHED = {"train": 92_283, "validation": 12_792, "test": 12_779}
RELEASE = "the official release of TabFact"
VERDICTS = ("entailed", "refuted")  # of label 1, of label 0
UNSORTED = (
    "some of these statements are in no list of the release (data/simple_ids.json, data/complex_ids.json); the scores "
    "for simple and complex ones leave them out"
)
_NO_TABLE = Table("", (), (), ())

# "not supported", "doesn't really support" and "unsupported" refute; "not false" entails.
_STANCE = re.compile(
    r"(?P<not>\b(?:not|never|cannot be|isn['’]t|is no)\s+(?:\w+ly\s+|be\s+)?|n['’]t\s+(?:\w+ly\s+|be\s+)?)?"
    r"\b(?:(?P<for>true|correct|accurate|valid|supported|supports?|entail(?:ed|s|ment)?|verified|confirmed|confirms)"
    r"|(?P<against>false|untrue|incorrect|inaccurate|invalid|wrong|unsupported|refut(?:ed|es?)|contradict(?:ed|s|ion)?"
    r"|disproved|disproves))\b",
    re.IGNORECASE,
)


class TabFact(TableBenchmark[TableQuestion]):
    """The benchmark."""

    name = "tabfact"
    metric = "accuracy"
    templates = load_templates("tabfact")
    grouped_by = "list of the release"
    published = PUBLISHED

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default: the test split is reserved for the final measurement."""
        chosen = split or "validation"
        _file(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[TableQuestion]:
        """The statements of a split, in the order of the release."""
        path, folder = _file(data, split), data / "data" / "all_csv"
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; wanted the tables of the official release there")
        lists = {group: _listed(data / "data", names) for group, names in LISTS.items()}
        statements = first_of(path, _statements(path), limit, "statements")
        tables = ReleaseTables(data, "tabfact")
        return [
            TableQuestion(
                id=f"{name}_{number}",
                target=(VERDICTS[1 - label],),
                fields={"statement": statement},
                groups=tuple(group for group, names in lists.items() if name in names),
                chance=1 / len(VERDICTS),
                chance_how="one of the two verdicts, picked at random",
                table=tables.find(name, folder / name, where=str(path), question=f"{name}_{number}"),
            )
            for name, number, statement, label in statements
        ]

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> TableQuestion:
        """Scoring needs only the target."""
        return TableQuestion(id=str(line.get("id", "")), target=target, table=_NO_TABLE)

    def read(self, text: str, question: TableQuestion) -> list[str]:
        """The verdict, as entailed or refuted."""
        verdict = read_verdict(text)
        return [] if verdict is None else [verdict]

    def score(self, prediction: str, question: TableQuestion) -> Verdict:
        """Whether the verdict extracted is the label."""
        found = self.read(prediction, question)
        right = tuple(found) == question.target
        return Verdict(float(right), "right" if right else "wrong" if found else "no answer")

    def notes(self, questions: Sequence[TableQuestion]) -> Mapping[str, Any]:
        """How many statements are in no list."""
        unsorted = sum(1 for question in questions if not question.groups)
        return {"in_no_list": unsorted, "remark": UNSORTED} if unsorted else {}


def read_verdict(text: str) -> str | None:
    """The verdict of what a model wrote, or None if it gives none or both. Never raises."""
    alone = text.strip().rstrip(".")
    if alone in ("1", "0"):
        return VERDICTS[1 - int(alone)]
    letter = read_option(_STANCE.sub(_in_one_word, text), VERDICTS) or read_option(text, ("yes", "no"))
    return None if letter is None else VERDICTS["AB".index(letter)]


def _in_one_word(found: re.Match[str]) -> str:
    return f" {VERDICTS[bool(found['not']) != bool(found['against'])]}"


def _file(data: Path, split: str) -> Path:
    folder, name = data / "tokenized_data", f"{FILES.get(split, split)}{EXAMPLES}"
    parts = sorted(path for path in folder.glob(f"*{EXAMPLES}.*.json") if path.name.startswith(f"{name}."))
    if parts and not (folder / f"{name}.json").is_file():
        return parts[0]
    return split_file(folder, split, FILES, f"{EXAMPLES}.json", RELEASE)


def _listed(folder: Path, names: Sequence[str]) -> set[str]:
    """The tables in those of the lists that exist."""
    return {str(entry.value) for name in names if (folder / name).is_file() for entry in json_values(folder / name)}


def _statements(path: Path) -> Iterator[tuple[str, int, str, int]]:
    """(table, number within it, statement, label)."""
    for entry in json_objects(path, wanted="statements by table"):
        for name, value in entry.value.items():
            wanted = f"{path}: {name}: wanted [statements, labels (1 or 0), caption]"
            if not isinstance(value, list) or len(value) < 2 or not all(isinstance(part, list) for part in value[:2]):
                raise InputError(wanted)
            statements, labels = value[:2]
            if len(statements) != len(labels):
                raise InputError(f"{wanted}, got {len(statements)} statements and {len(labels)} labels")
            for number, (statement, label) in enumerate(zip(statements, labels, strict=True)):
                if not isinstance(statement, str) or label not in (0, 1):
                    raise InputError(f"{wanted}, got {str(statement)[:40]!r} with label {str(label)[:20]}")
                yield name, number, " ".join(statement.split()), int(label)


BENCHMARK = TabFact()
