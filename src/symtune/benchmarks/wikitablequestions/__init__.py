r"""WikiTableQuestions (Pasupat and Liang 2015), read from its official release and scored by its official
rules.

    data/training.tsv, data/random-split-1-dev.tsv, data/pristine-unseen-tables.tsv, …   questions and answers
    csv/204-csv/590.csv                                                                  tables
    tagged/data/*.tagged                                                canonical values of the answers

Splits: train (`training`), validation (`random-split-1-dev`) and test (`pristine-unseen-tables`), or the name
of any file of `data/`. Without a `.tagged` file that knows a question there is no canonical value for its
answer: it is scored by text alone, and the result's notes count such questions.

A tsv cell writes a line break as `\n`, a vertical bar as `\p` and a backslash as `\\`; items of a list stand
between vertical bars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from symtune.benchmarks import DatasetTask, Fits, Format
from symtune.denotation import ROW_DELIMITER
from symtune.prompts import linearize, load_templates
from symtune.tables import cut_for_question, load_tables
from symtune.types import Example, InputError, Table, UnknownName, Verdict
from symtune.wtq_rules import wtq_correct

FILES = {"train": "training", "validation": "random-split-1-dev", "test": "pristine-unseen-tables"}
COLUMNS = ("id", "utterance", "context", "targetValue")
_ESCAPE = re.compile(r"\\([np\\])")
_ESCAPED = {"n": "\n", "p": "|", "\\": "\\"}


class WikiTableQuestions(DatasetTask):
    """The benchmark; rows of tables too long are kept by the words they share with the question."""

    name = "wikitablequestions"
    metric = "wtq"
    templates = load_templates("wikitablequestions")

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default: the test split is for the one last measurement."""
        chosen = split or "validation"
        _questions_file(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[Example]:
        """The examples of a split, with their tables."""
        path = _questions_file(data, split)
        if not (data / "csv").is_dir():
            raise InputError(f"{data / 'csv'}: no such folder; wanted the tables of the official release there")
        rows: list[tuple[str, dict[str, str]]] = []
        for where, row in _tsv(path, COLUMNS):
            if limit is not None and len(rows) >= limit:
                break
            rows.append((where, row))
        if not rows:
            raise InputError(f"{path}: no questions in it")
        loaded = load_tables(data, layout="wtq")
        tables = {table.id: table for table in loaded.tables}
        canon = _canonical_values(data, path.stem)
        for where, row in rows:
            if row["context"] not in tables:
                there = (data / row["context"]).is_file()
                why = f"is not a usable table ({', '.join(loaded.dropped)})" if there else "is not there"
                raise InputError(f"{where}: {data / row['context']}, the table of {row['id']}, {why}")
        return [_example(where, row, tables, canon) for where, row in rows]

    def prompt(self, example: Example, format: Format, fits: Fits) -> tuple[str, int]:
        """The table, with the rows that the question is about where it is too long, and the question."""
        template = self.template(format.template)
        how = format.linearization or self.linearization
        question = example.fields["question"]

        def render(table: Table) -> str:
            return template.render({"table": linearize(table, how), "question": question})

        table, cut = cut_for_question(example.fields["table"], question, lambda table: fits(render(table)))
        return render(table), cut

    def score(self, prediction: str, example: Example) -> Verdict:
        """The official verdict on the items that are read out of the prediction."""
        items = self.read(prediction)
        right = wtq_correct(items, example.meta["target"], example.meta["canon"])
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")

    def notes(self, examples: Sequence[Example]) -> Mapping[str, Any]:
        """How many answers had no canonical value."""
        without = sum(1 for example in examples if example.meta["canon"] is None)
        if not without:
            return {"canonical_values": "all"}
        return {
            "canonical_values": "none" if without == len(examples) else "some",
            "without_canonical_value": without,
            "remark": "no .tagged file knows these questions: their answers are compared as they are written, "
            'without the canonical values by which the official score also takes "10" for "10 years"',
        }


def _questions_file(data: Path, split: str) -> Path:
    """The tsv file of a split. Raises InputError or UnknownName with what is there."""
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; wanted the official release of WikiTableQuestions")
    there = sorted(file.stem for file in (data / "data").glob("*.tsv"))
    if not there:
        raise InputError(f"{data}: no data/*.tsv here; wanted the official release of WikiTableQuestions")
    path = data / "data" / f"{FILES.get(split, split)}.tsv"
    if path.is_file():
        return path
    if split in FILES:
        raise InputError(f"{path}: no such file (split {split}); files of questions there: {', '.join(there)}")
    raise UnknownName("split", split, [*FILES, *there])


def _tsv(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """("file:line", row) of a tsv file with a header, its cells as they are written."""
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable UTF-8 file: {error}") from None
    header = lines[0].rstrip("\r").split("\t")
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(f"{path}:1: no column {missing[0]!r}; wanted {', '.join(columns)}")
    for number, line in enumerate(lines[1:], start=2):
        cells = line.rstrip("\r").split("\t")
        if cells == [""]:
            continue
        if len(cells) != len(header):
            raise InputError(f"{path}:{number}: got {len(cells)} columns, wanted {len(header)} as in the header")
        yield f"{path}:{number}", dict(zip(header, cells, strict=True))


def _unescape(cell: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], cell)


def _items(cell: str) -> tuple[str, ...]:
    return tuple(_unescape(item) for item in cell.split("|"))


def _canonical_values(data: Path, stem: str) -> dict[str, tuple[str, ...]]:
    """question id -> canonical values: of the split's own file, else of all there are (random splits are
    parts of the training questions).
    """
    folder = data / "tagged" / "data"
    own = folder / f"{stem}.tagged"
    found = {}
    for path in [own] if own.is_file() else sorted(folder.glob("*.tagged")):
        for _, row in _tsv(path, ("id", "targetCanon")):
            found[row["id"]] = _items(row["targetCanon"])
    return found


def _example(
    where: str, row: Mapping[str, str], tables: Mapping[str, Table], canon: Mapping[str, tuple[str, ...]]
) -> Example:
    target = _items(row["targetValue"])
    values = canon.get(row["id"])
    if values is not None and len(values) != len(target):
        raise InputError(f"{where}: question {row['id']} has {len(target)} answers, and {len(values)} in its .tagged")
    fields = {"table": tables[row["context"]], "question": _unescape(row["utterance"])}
    meta = {"target": target, "canon": values}
    return Example(row["id"], WikiTableQuestions.name, fields, ROW_DELIMITER.join(target), meta)


BENCHMARK = WikiTableQuestions()
