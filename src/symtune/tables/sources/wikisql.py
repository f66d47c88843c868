"""The layout of WikiSQL (Zhong et al. 2017): `data/{train,dev,test}.tables.jsonl`, one table per line.

The splits are those of the files. `origin` is the id that WikiSQL and TabFact share (`1-11677691-3`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from symtune.tables.model import RawTable, Reading
from symtune.tables.sources import each_file
from symtune.tables.sources.jsonl import read_lines
from symtune.types import Split

LAYOUT = True
SPLITS_OF_FILES: dict[str, Split] = {"train": "train", "dev": "validation", "test": "test"}


def detect(path: Path) -> bool:
    """Whether this is a folder of that layout (or its `data/`)."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted([*path.glob("*.tables.jsonl"), *path.glob("data/*.tables.jsonl")])


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table of every file."""

    def read_one(file: Path, id: str) -> Iterator[RawTable]:
        split = SPLITS_OF_FILES.get(file.name.split(".")[0])
        for table in read_lines(file, id, reading):
            yield replace(table, split=split, origin=f"wikitables:{table.id.removesuffix('.html.csv')}")

    return each_file(path, _files(path), read_one, reading.drop)
