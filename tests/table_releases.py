"""Releases of benchmarks about tables, as small as they can be, in the official layouts: three questions each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CITIES = {
    "id": "1-1-1",
    "header": ["City", "Size\r"],
    "types": ["text", "real"],
    "rows": [["Oslo \r", "1,000\r"], ["Bergen", 300], ["Bergen", "20.5"], ["-", 7]],
}
QUERIES = [
    {"sel": 1, "agg": 0, "conds": [[0, 0, "oslo\r"]]},
    {"sel": 1, "agg": 4, "conds": [[0, 0, "bergen"]]},
    {"sel": 0, "agg": 0, "conds": [[1, 2, "500"], [1, 1, 7]]},
]


def write_lines(path: Path, values: Sequence[Any]) -> None:
    """A file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")


def wikisql_release(
    folder: Path, queries: Sequence[Any] = QUERIES, tables: Sequence[Mapping[str, Any]] = (CITIES,), split: str = "dev"
) -> Path:
    """Questions whose answers are 1,000, then 320.5, then Bergen twice."""
    lines = [{"phase": 1, "table_id": "1-1-1", "question": f"q{n}\n?", "sql": sql} for n, sql in enumerate(queries)]
    write_lines(folder / "data" / f"{split}.jsonl", lines)
    write_lines(folder / "data" / f"{split}.tables.jsonl", tables)
    return folder
