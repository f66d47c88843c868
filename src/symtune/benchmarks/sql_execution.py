"""SQL execution on held-out tables: a data set folder of `symtune generate`, used as a benchmark.

An answer is right if it means what the gold answer means (`symtune.denotation.same_answer`): as it stands,
or as it is read out of prose. Groups are query types; chance is what a guesser of the right column scores.

Every example keeps the prompt that it was generated with, unless another prompt template or linearization is
asked for. A table too long for the model is cut like any other, and the example still counts: its gold
answer is that of the whole table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symtune import dataset
from symtune.benchmarks import DatasetTask, Fits, Format
from symtune.denotation import CELL_DELIMITER, ROW_DELIMITER, parse, same_answer
from symtune.files import read_parquet
from symtune.prompts import LINEARIZATIONS, PromptTemplate, linearize_all, load_templates
from symtune.tables import cut_for_question
from symtune.types import SPLITS, Example, InputError, Table, UnknownName, Verdict


class SqlExecution(DatasetTask):
    """The benchmark; its templates are those that generation draws from."""

    name = "sql_execution"
    metric = "denotation"
    templates = load_templates("sql_execution")
    several = load_templates("sql_execution_several")

    def split(self, data: Path, split: str | None) -> str:
        """By default the most held-out split that the folder has."""
        if not data.is_dir():
            raise InputError(f"{data}: no such folder; wanted the output of `symtune generate`")
        if split is not None and split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        there = {shard.data.name.partition("-")[0] for shard in dataset.shards(data)}
        if split is not None and split not in there:
            raise InputError(f"{data}: no examples of split {split}; it has {', '.join(sorted(there))}")
        return split or next(name for name in (*reversed(SPLITS), *sorted(there)) if name in there)

    def load(self, data: Path, split: str, limit: int | None = None) -> list[Example]:
        """The examples of a split, in order."""
        examples: list[Example] = []
        for shard in dataset.shards(data, split):  # type: ignore[arg-type]
            tables = dataset.read_tables(shard.tables)
            for number, row in enumerate(read_parquet(shard.data, dataset.SCHEMA.names), start=1):
                if limit is not None and len(examples) >= limit:
                    return examples
                examples.append(_example(row, tables, f"{shard.data}: row {number}"))
        if not examples:
            raise InputError(f"{data}: no examples of split {split} in it")
        return examples

    def prompt(self, example: Example, format: Format, fits: Fits) -> tuple[str, int]:
        """The prompt as it was generated; rendered again where another is asked for or the table must be
        cut."""
        stored = str(example.meta["prompt"])
        if format == Format() and fits(stored):
            return stored, 0
        tables = list(example.fields["tables"])
        rendering = self._rendering(example, format, len(tables))
        if rendering is None:  # a prompt of unknown making cannot be made shorter
            return stored, 0
        template, how = rendering
        sql = example.fields["sql"]

        def render(place: int = 0, table: Table = tables[0]) -> str:
            shown = [*tables[:place], table, *tables[place + 1 :]]
            return template.render({"table": linearize_all(shown, how), "sql": sql})

        rows_cut = 0
        for place in sorted(range(len(tables)), key=lambda place: (-len(tables[place].rows), place)):
            kept, cut = cut_for_question(
                tables[place],
                sql,
                lambda table, place=place: fits(render(place, table)),  # type: ignore[misc]
            )
            tables[place] = kept
            rows_cut += cut
        return render(0, tables[0]), rows_cut

    def _rendering(self, example: Example, format: Format, tables: int) -> tuple[PromptTemplate, str] | None:
        """The prompt template and the linearization, of the format where it names them, else the stored
        ones."""
        stored, _, how = str(example.meta["template_id"]).partition("+")
        known = self.templates if tables == 1 else self.several
        wanted = self.template(format.template).id if format.template else stored
        # Templates for one table and for several go by the same keys; where one has no twin the first stands in.
        key = wanted.rpartition("/")[2]
        template = next((one for one in known if one.id.rpartition("/")[2] == key), None)
        if template is None and format.template:
            template = known[0]
        how = format.linearization or how
        return (template, how) if template and how in LINEARIZATIONS else None

    def format_name(self, format: Format) -> str:
        """`stored` for the prompts as they were generated."""
        if format == Format():
            return "stored"
        template = self.template(format.template).id if format.template else "stored"
        return f"{template}+{format.linearization or 'stored'}"

    def score(self, prediction: str, example: Example) -> Verdict:
        """Whether the prediction means the gold answer."""
        ordered = bool(example.meta["ordered"])
        if same_answer(prediction, example.answer, ordered):
            return Verdict(1.0, "right")
        items = self.read(prediction)
        right = same_answer(ROW_DELIMITER.join(items), example.answer, ordered)
        return Verdict(float(right), "right, in prose" if right else "wrong" if items else "no answer")

    def other_scores(self, prediction: str, example: Example) -> Mapping[str, float]:
        """`exact_match`: the gold answer to the letter."""
        return {"exact_match": float(prediction.strip() == example.answer)}


def _example(row: Mapping[str, Any], tables: Mapping[str, Table], where: str) -> Example:
    fields = dataset.fields_of(row["info"], tables, where)
    shown, sql, chance = fields.get("tables"), fields.get("sql"), fields.get("chance")
    if not isinstance(sql, str) or not shown:
        raise InputError(f"{where}: info holds no sql and tables; wanted examples of the task sql_execution")
    if chance is not None and not (isinstance(chance, int | float) and 0 <= chance <= 1):
        raise InputError(f"{where}: info.chance: got {chance!r}, wanted a number from 0 to 1")
    meta = {
        "target": tuple(map(CELL_DELIMITER.join, parse(row["answer"]))),
        "prompt": row["prompt"],
        "template_id": row["template_id"],
        "ordered": fields.get("ordered", False),
        "group": str(fields.get("query_type") or ""),
        "chance": chance,
    }
    return Example(row["id"], row["task"], {"sql": sql, "tables": shown}, row["answer"], meta)


BENCHMARK = SqlExecution()
