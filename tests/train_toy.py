"""Small models, and a training set of small tables with several queries each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from symtune.seeds import rng

LLAMA = {
    "architecture": "llama",
    "tokenizer": "bytes",
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
}
T5 = {
    "architecture": "t5",
    "tokenizer": "bytes",
    "d_model": 48,
    "num_layers": 2,
    "num_heads": 2,
    "d_kv": 24,
    "d_ff": 96,
}


def records(tables: int = 6, queries: int = 5) -> list[dict[str, str]]:
    """Small tables with several queries each, whose answers are numbers from the table."""
    draw = rng("test_train")
    rows = []
    for table in range(tables):
        cells = [draw.randint(1, 99) for _ in range(6)]
        shown = f"Answer over the table.\n| n{table} |\n" + "".join(f"| {cell} |\n" for cell in cells)
        for query in range(queries):
            rows.append(
                {
                    "id": f"{table}/{query}",
                    "source": "sql",
                    "prompt": f"{shown}row {query + 1} of n{table}",
                    "completion": str(cells[query]),
                }
            )
    draw.shuffle(rows)
    return rows


def write(folder: Path, rows: Sequence[dict[str, Any]], split: str = "train") -> Path:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


def log_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
