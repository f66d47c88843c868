"""WikiSQL (Zhong et al. 2017), read from its official release and answered by executing its structured queries.

    data/train.jsonl, data/dev.jsonl, data/test.jsonl   one question per line: `table_id`, `question`, its query `sql`
    data/train.tables.jsonl, …                          the tables of each: `id`, `header`, `types`, `rows`

The files may also be in the folder itself. Splits: train, validation (`dev`, the default) and test, or the name of any
file of questions. The gold answer is what the query yields by the rules of TAPAS (`execution`); an answer given in the
line is ignored. If a query yields nothing, the gold answer is "none", as in TAPEX, and `notes` count such questions.

The metric, `execution`, is denotation accuracy: the values extracted from the prediction are those of the gold answer,
each equally often, in any order; numbers must be equal as Python floats. `denotation` compares by symtune's own answer
rule, which allows averages to be rounded to four decimals. Groups are the aggregations of the queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from symtune.benchmark import TableBenchmark
from symtune.benchmarks.wikisql.execution import AGGREGATIONS, Query, execute, meaning, same
from symtune.denotation import ROW_DELIMITER, same_answer
from symtune.files import Entry, json_objects
from symtune.outcomes import RandomCell, TableQuestion
from symtune.prompts import load_templates
from symtune.releases import ReleaseTables, split_file
from symtune.types import InputError, Table, Verdict

FILES = {"train": "train", "validation": "dev", "test": "test"}
QUESTIONS, TABLES = ".jsonl", ".tables.jsonl"
PUBLISHED = {"train": 56_355, "validation": 8_421, "test": 15_878}
RELEASE = "the official release of WikiSQL"
NOTHING = ("none",)
_NO_TABLE = Table("", (), (), ())


@dataclass(frozen=True, kw_only=True)
class WikiSqlQuestion(TableQuestion):
    """A question; `nothing`: whether its query yields nothing."""

    nothing: bool = False


class WikiSql(TableBenchmark[WikiSqlQuestion]):
    """The benchmark."""

    name = "wikisql"
    metric = "execution"
    templates = load_templates("wikisql")
    grouped_by = "aggregation"
    max_new_tokens = 128
    published = PUBLISHED

    def split(self, data: Path, split: str | None) -> str:
        """`validation` by default: the test split is reserved for the final measurement."""
        chosen = split or "validation"
        _file(data, chosen)
        return chosen

    def load(self, data: Path, split: str, limit: int | None = None) -> list[WikiSqlQuestion]:
        """The questions of a split, with their tables and the answers that their queries yield."""
        path = _file(data, split)
        file = path.with_name(path.name.removesuffix(QUESTIONS) + TABLES)
        if not file.is_file():
            raise InputError(f"{file}: no such file; wanted the tables of {path.name} there")
        tables, types, cells = ReleaseTables(file, "jsonl"), _types(file), RandomCell(meaning)
        questions = []
        for entry in islice(json_objects(path, wanted="a question"), limit):
            name = entry.value.get("table_id")
            if not isinstance(name, str) or not isinstance(entry.value.get("question"), str):
                raise InputError(f"{entry.where}: wanted `table_id` and `question`, both texts")
            table = tables.find(name, file, where=entry.where, question="this question")
            questions.append(_question(entry, f"{path.stem}-{entry.number - 1}", table, types[name], cells))
        if not questions:
            raise InputError(f"{path}: no questions in it")
        return questions

    def question_of(self, line: Mapping[str, Any], target: tuple[str, ...]) -> WikiSqlQuestion:
        """Scoring needs only the target."""
        return WikiSqlQuestion(id=str(line.get("id", "")), target=target, table=_NO_TABLE)

    def score(self, prediction: str, question: WikiSqlQuestion) -> Verdict:
        """Whether the values extracted are those of the gold answer."""
        if prediction.strip() == ROW_DELIMITER.join(question.target):  # even if a cell would be read as two items
            return Verdict(1.0, "right")
        items = self.read(prediction, question)
        right = same(items, question.target)
        return Verdict(float(right), "right" if right else "wrong" if items else "no answer")

    def other_scores(self, prediction: str, question: WikiSqlQuestion) -> Mapping[str, float]:
        """`denotation`: by symtune's own answer rule."""
        read, gold = ROW_DELIMITER.join(self.read(prediction, question)), ROW_DELIMITER.join(question.target)
        # The gold answer stands first: it is the one to be rounded, unless the prediction has more decimals.
        right = any(same_answer(gold, text, ordered=False) for text in (read, prediction.strip()))
        return {"denotation": float(right)}

    def notes(self, questions: Sequence[WikiSqlQuestion]) -> Mapping[str, Any]:
        """How many queries yield nothing."""
        return {"queries_without_answer": sum(question.nothing for question in questions)}


def _file(data: Path, split: str) -> Path:
    folder = data / "data" if (data / "data").is_dir() else data
    return split_file(folder, split, FILES, QUESTIONS, RELEASE, but=TABLES)


def _types(file: Path) -> dict[str, Sequence[str]]:
    """The column types of the release, by table id; its queries depend on them."""
    found: dict[str, Sequence[str]] = {}
    for entry in json_objects(file, wanted="a table"):
        types = entry.value.get("types")
        if not isinstance(types, list) or not all(type in ("text", "real") for type in types):
            raise InputError(f"{entry.where}: types: wanted a list of text and real, one for each column")
        found.setdefault(str(entry.value.get("id")), types)
    return found


def _question(entry: Entry, id: str, table: Table, types: Sequence[str], cells: RandomCell) -> WikiSqlQuestion:
    if len(types) != len(table.header):
        raise InputError(f"{entry.where}: table {table.id} has {len(table.header)} columns but {len(types)} types")
    try:
        query = Query.read(entry.value.get("sql"), len(types))
    except ValueError as error:
        raise InputError(f"{entry.where}: sql: {error}") from None
    answer = tuple(execute(query, table.rows, types))
    target = answer or NOTHING
    gold = meaning(target[0])
    return WikiSqlQuestion(
        id=id,
        target=target,
        fields={"question": " ".join(entry.value["question"].split())},
        groups=(AGGREGATIONS[query.aggregation],),
        chance=cells.chance(table, lambda value: value == gold) if len(target) == 1 else 0.0,
        chance_how=cells.how,
        table=table,
        nothing=not answer,
    )


BENCHMARK = WikiSql()
