"""The data set folder: rows to parquet shards and back, and the tables that the shards show.

    data/train-00000-of-00005.parquet     one row an example, columns of docs/interface.md
    tables/train-00000-of-00005.parquet   the tables that those examples refer to by id, once each

Rows are plain dicts; writing the same rows gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from symtune.files import BATCH, read_parquet
from symtune.types import InputError, Split, Table

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("task", pa.string()),
        ("prompt", pa.string()),
        ("completion", pa.string()),
        ("answer", pa.string()),
        ("answer_type", pa.string()),
        ("table_id", pa.string()),
        ("template_id", pa.string()),
        ("difficulty", pa.float64()),
        ("info", pa.string()),
    ]
)
PUBLISHED_SCHEMA = pa.schema([("input", pa.string()), ("output", pa.string())])
TABLES_SCHEMA = pa.schema(
    [("id", pa.string()), ("source", pa.string()), ("content", pa.string()), ("table", pa.string())]
)
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_OPTIONS = {"compression": "zstd", "compression_level": 3, "use_dictionary": False, "write_statistics": False}

Row = dict[str, Any]


def write_rows(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Write rows as one parquet file. Row groups are what a reader holds at once."""
    with pq.ParquetWriter(path, schema, **_OPTIONS) as writer:
        for start in range(0, len(rows), BATCH):
            group = rows[start : start + BATCH]
            arrays = [_array([row[f.name] for row in group], f.type) for f in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """Texts or floats as an arrow array. `pa.array` would do, but it imports pandas wherever that is installed:
    a third of a second in every worker.
    """
    if type_ == pa.float64():
        return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(np.asarray(values, dtype=np.float64))])
    texts = [value.encode() for value in values]
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum(list(map(len, texts)), out=offsets[1:])
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))


def table_row(table: Table, content: str) -> Row:
    """The row of `tables/` for a shown table; `content` is the hash of the table that it was cut from."""
    return {"id": table.id, "source": table.source, "content": content, "table": _as_json(table.to_json())}


def info_text(info: Mapping[str, Any]) -> str:
    """The `info` column: a JSON object with its keys in their given order."""
    return _as_json(info)


@dataclass(frozen=True)
class Shard:
    """One file of examples and the file of the tables it refers to (None where examples hold their own)."""

    data: Path
    tables: Path | None


def shards(folder: Path, split: Split | None = None) -> list[Shard]:
    """The shards of a data set folder, in order. Raises InputError where there are none."""
    found = sorted((folder / "data").glob(f"{split or '*'}-*.parquet"))
    if not found:
        raise InputError(f"{folder}: no data/{split or '*'}-*.parquet here; wanted the output of `symtune generate`")
    return [Shard(path, other if (other := folder / "tables" / path.name).is_file() else None) for path in found]


def read_rows(folder: Path, split: Split | None = None, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of a data set folder in order, one at a time; of one split, or of all that are there."""
    for shard in shards(folder, split):
        yield from read_parquet(shard.data, columns)


def read_tables(path: Path | None) -> dict[str, Table]:
    """The tables of a shard by id."""
    if path is None:
        return {}
    return {row["id"]: Table.from_json(_json(row["table"], path)) for row in read_parquet(path, ["id", "table"])}


def fields_of(info: str, tables: Mapping[str, Table], where: str) -> Row:
    """The fields that an `info` text holds: `sql` and `tables` (looked up by id, or inlined). `where` names the line
    in errors. Raises InputError.
    """
    fields = _json(info, where)
    if not isinstance(fields, dict):
        raise InputError(f"{where}: info is not a JSON object")
    named = fields.get("tables")
    if named is None:
        return fields
    shown: list[Table] = []
    for entry in named if isinstance(named, list) else [named]:
        if isinstance(entry, Mapping):
            shown.append(Table.from_json(entry))
        elif entry in tables:
            shown.append(tables[entry])
        else:
            raise InputError(f"{where}: table {str(entry)[:80]!r} is not in tables/")
    return {**fields, "tables": tuple(shown)}


def _json(text: Any, where: object) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None


def contents(folder: Path) -> set[str]:
    """The content hashes of all tables a data set folder was made from: what leaks are looked for by."""
    paths: Iterable[Path] = sorted((folder / "tables").glob("*.parquet"))
    return {row["content"] for path in paths for row in read_parquet(path, ["content"])}
