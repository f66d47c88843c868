"""The data set folder: examples to parquet shards and back, and the tables that the shards show.

    data/train-00000-of-00005.parquet     one row per example, columns of docs/interface.md
    tables/train-00000-of-00005.parquet   the tables that those examples refer to by id, each once

    for line in lines(Path("data/sql")):        # a data set folder, a parquet file or a jsonl file
        info = line.info()                      # the fields, with the tables themselves
        example = example_of(task, line)        # typed, as its task understands it

The same rows give the same bytes. Rows are counted from 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from symtune.files import BATCH, json_objects, read_parquet
from symtune.task import TABLES, Drawn, SymbolicTask
from symtune.types import FORMS, SPLITS, Example, InputError, Table, Traits, UnknownName

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("task", pa.string()),
        ("prompt", pa.string()),
        ("completion", pa.string()),
        ("answer", pa.string()),
        ("answer_type", pa.string()),
        ("table_id", pa.string()),
        ("prompt_template", pa.string()),
        ("linearization", pa.string()),
        ("difficulty", pa.float64()),
        ("info", pa.string()),
    ]
)
TABLES_SCHEMA = pa.schema(
    [("id", pa.string()), ("source", pa.string()), ("content", pa.string()), ("table", pa.string())]
)
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_OPTIONS = {"compression": "zstd", "compression_level": 3, "use_dictionary": False, "write_statistics": False}

Row = dict[str, Any]


# ---------------------------------------------------------------------------------------------------------- writing


def example_row(task: SymbolicTask, drawn: Drawn, *, self_contained: bool = False) -> Row:
    """The row of a drawn example, with its tables by id, or in full if it is self-contained. Raises InputError
    for fields that JSON cannot hold.
    """
    example = drawn.example
    info, tables = task.info(example), example.tables
    if tables:
        info[TABLES] = [table.to_json() if self_contained else table.id for table in tables]
    try:
        text = _as_json(info)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"task {task.name}: the fields of {example.id} cannot be stored as JSON: {error}") from None
    return {
        "id": example.id,
        "task": example.task,
        "prompt": drawn.prompt,
        "completion": drawn.completion,
        "answer": example.answer,
        "answer_type": example.answer_type,
        "table_id": tables[0].source if tables else "",
        "prompt_template": drawn.template,
        "linearization": drawn.linearization,
        "difficulty": example.traits.difficulty,
        "info": text,
    }


def table_row(table: Table, content: str) -> Row:
    """The row in `tables/` for a table that is shown; `content` is the hash of the table from which it was cut."""
    return {"id": table.id, "source": table.source, "content": content, "table": _as_json(table.to_json())}


def write_rows(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Write rows as one parquet file. Row groups are small, so that readers can stream."""
    with pq.ParquetWriter(path, schema, **_OPTIONS) as writer:
        for start in range(0, len(rows), BATCH):
            group = rows[start : start + BATCH]
            arrays = [_array([row[f.name] for row in group], f.type) for f in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """Texts or floats as an arrow array. `pa.array` would do, but it imports pandas if that is installed, which takes a
    third of a second in every worker.
    """
    if type_ == pa.float64():
        return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(np.asarray(values, dtype=np.float64))])
    texts = [value.encode() for value in values]
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum(list(map(len, texts)), out=offsets[1:])
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))


# ---------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True)
class Shard:
    """One file of examples, and the file of the tables it refers to (None if examples contain their tables)."""

    data: Path
    tables: Path | None

    @property
    def split(self) -> str:
        """The split, with which its name begins."""
        return self.data.name.partition("-")[0]


def shards(folder: Path, split: str | None = None) -> list[Shard]:
    """The shards of a data set folder, in order. Raises InputError if there are none."""
    found = sorted((folder / "data").glob(f"{split or '*'}-*.parquet"))
    if not found:
        raise InputError(f"{folder}: no data/{split or '*'}-*.parquet here; wanted the output of `symtune generate`")
    return [Shard(path, other if (other := folder / "tables" / path.name).is_file() else None) for path in found]


def held_out_split(folder: Path, split: str | None = None) -> str:
    """The requested split, or the most held-out one in a data set folder. Raises InputError, UnknownName."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; wanted the output of `symtune generate`")
    if split is not None and split not in SPLITS:
        raise UnknownName("split", split, SPLITS)
    there = {shard.split for shard in shards(folder)}
    if split is not None and split not in there:
        raise InputError(f"{folder}: no examples of split {split}; it has {', '.join(sorted(there))}")
    return split or next(name for name in (*reversed(SPLITS), *sorted(there)) if name in there)


def read_rows(folder: Path, split: str | None = None, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of a data set folder, in order, one at a time; of one split, or of all."""
    for shard in shards(folder, split):
        yield from read_parquet(shard.data, columns)


class Line(NamedTuple):
    """A stored example: where it is, its columns, and the tables of its shard by id."""

    where: str
    row: Row
    tables: Mapping[str, Table]

    def info(self) -> Row:
        """The fields and whatever else `info` holds, with inlined tables and table ids as Table. Raises InputError."""
        info = self.row.get("info")
        info = info if isinstance(info, dict) else _json(info, f"{self.where}: info")
        if not isinstance(info, dict):
            raise InputError(f"{self.where}: info is not a JSON object")
        named = info.get(TABLES)
        if named is None:
            return info
        return {**info, TABLES: tuple(map(self._table, named if isinstance(named, list) else [named]))}

    def _table(self, entry: Any) -> Table:
        if isinstance(entry, Mapping):
            return Table.from_json(entry)
        if entry not in self.tables:
            raise InputError(f"{self.where}: table {str(entry)[:80]!r} is not in tables/")
        return self.tables[entry]


def lines(path: Path, split: str | None = None, columns: Sequence[str] | None = None) -> Iterator[Line]:
    """The stored examples of a data set folder, a parquet file or a jsonl file. Raises InputError."""
    if path.is_dir():
        for shard in shards(path, split):
            yield from _parquet_lines(shard.data, columns, read_tables(shard.tables))
    elif not path.exists():
        raise InputError(f"{path}: no such file or folder")
    elif path.suffix == ".parquet":
        yield from _parquet_lines(path, columns, {})
    else:
        for entry in json_objects(path, wanted="an example"):
            yield Line(entry.where, entry.value, {})


def _parquet_lines(path: Path, columns: Sequence[str] | None, tables: Mapping[str, Table]) -> Iterator[Line]:
    for number, row in enumerate(read_parquet(path, columns), start=1):
        yield Line(f"{path}: row {number}", row, tables)


def read_tables(path: Path | None) -> dict[str, Table]:
    """The tables of a shard by id."""
    if path is None:
        return {}
    return {row["id"]: Table.from_json(_json(row["table"], path)) for row in read_parquet(path, ["id", "table"])}


def example_of(task: SymbolicTask, line: Line) -> Example:
    """The stored example as its task understands it. Raises InputError if it is not an example of the task."""
    info = line.info()
    chance, ordered, operators = info.get("chance"), info.get("ordered", False), info.get("operators", ())
    if chance is not None and not (isinstance(chance, int | float) and 0 <= chance <= 1):
        raise InputError(f"{line.where}: info.chance: got {chance!r}, wanted a number from 0 to 1")
    if not isinstance(operators, list | tuple):
        raise InputError(f"{line.where}: info.operators: got {operators!r}, wanted a list of names")
    try:
        fields = task.fields_of(info)
    except InputError as error:
        raise InputError(f"{line.where}: {error}") from None
    form = info.get("solution")
    if form not in (None, "none", *FORMS):
        raise InputError(f"{line.where}: info.solution: got {form!r}, wanted one of none, {', '.join(FORMS)}")
    kind = str(info.get("query_type") or "")
    traits = Traits(kind, tuple(map(str, operators)), chance, solution="" if form == "none" else form or "")
    row = line.row
    return Example(row["id"], row["task"], fields, row["answer"], row["answer_type"], bool(ordered), traits)


def contents(folder: Path) -> set[str]:
    """The content hashes of all tables from which a data set folder was made, by which leaks are found."""
    paths: Iterable[Path] = sorted((folder / "tables").glob("*.parquet"))
    return {row["content"] for path in paths for row in read_parquet(path, ["content"])}


def _json(text: Any, where: object) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
