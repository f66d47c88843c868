"""The release of SQA (Iyyer et al. 2017): `table_csv/204_590.csv` and tsv files of questions.

Its tables are those of WikiTableQuestions in plain ASCII; the file name says which (`204_590` is
`csv/204-csv/590.csv`), and that is their `origin`. Splits: `random-split-1-train` is train, `random-split-1-dev`
validation, `test` test; other tables of `train.tsv` are train. A table in two files belongs to the more held-out split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from symtune.tables.delimited import read_delimited
from symtune.tables.model import RawTable, Reading
from symtune.tables.sources import each_file
from symtune.tables.sources.wtq import split_by_file
from symtune.types import Split

LAYOUT = True
SPLIT_FILES: tuple[tuple[str, Split], ...] = (
    ("train.tsv", "train"),
    ("random-split-1-train.tsv", "train"),
    ("random-split-1-dev.tsv", "validation"),
    ("test.tsv", "test"),
)


def detect(path: Path) -> bool:
    """Whether this is a folder of that release."""
    return path.is_dir() and any(path.glob("table_csv/*_*.csv"))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table of `table_csv/`."""
    splits = split_by_file(path, SPLIT_FILES, "table_file")

    def read_one(file: Path, id: str) -> Iterator[RawTable]:
        origin = f"wtq:{file.stem.replace('_', '/')}"
        yield replace(read_delimited(file, id), split=splits.get(id), origin=origin)

    return each_file(path, sorted(path.glob("table_csv/*.csv")), read_one, reading.drop)
