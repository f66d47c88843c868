"""Minimal releases of benchmarks about tables, in the official layouts, with three questions each."""

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


SQA_HEADER = "id\tannotator\tposition\tquestion\ttable_file\tanswer_coordinates\tanswer_text"
SQA_QUESTIONS = (
    "nt-1\t0\t0\twhich cities?\ttable_csv/203_1.csv\t['(0, 0)', '(1, 0)']\t['Oslo', 'Bergen']",
    # As the release has one: a line break within quotes, and quotes doubled.
    'nt-1\t0\t1\t"of those, which \nis larger?"\ttable_csv/203_1.csv\t[\'(0, 0)\']\t"[\'""Oslo""\']"',
    "nt-1\t2\t0\thow large is bergen?\ttable_csv/203_1.csv\t['(1, 1)']\t['1,000']",
)


def sqa_release(folder: Path, questions: Sequence[str] = SQA_QUESTIONS, name: str = "random-split-1-dev") -> Path:
    """Two conversations about one table, with two questions and with one."""
    (folder / "table_csv").mkdir(parents=True)
    rows = ["City,Size", '"""Oslo""",2000', 'Bergen,"1,000"', "Bergen,", "Rome,1000"]
    (folder / "table_csv/203_1.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / f"{name}.tsv").write_text("\n".join([SQA_HEADER, *questions]) + "\n", "utf-8")
    return folder


STATEMENTS = {
    "2-1-1.html.csv": [["oslo be a city", "oslo  be larger than bergen"], [1, 0], "cities"],
    "2-1-2.html.csv": [["there be no city"], [0], "none"],
}


def tabfact_release(folder: Path, statements: Mapping[str, Any] = STATEMENTS, name: str = "val_examples") -> Path:
    """Three statements about two tables; the first table's are simple."""
    tables = folder / "data" / "all_csv"
    tables.mkdir(parents=True)
    (tables / "2-1-1.html.csv").write_text('city#size, "km"\noslo#20\nbergen#"7\n', "utf-8")
    (tables / "2-1-2.html.csv").write_text("city#size\nrome#9\nparis#8\n", "utf-8")
    (folder / "data/simple_ids.json").write_text('["2-1-1.html.csv"]')
    (folder / "data/complex_ids.json").write_text('["2-1-2.html.csv"]')
    (folder / "tokenized_data").mkdir()
    (folder / f"tokenized_data/{name}.json").write_text(json.dumps(statements))
    return folder
