r"""The official release of WikiTableQuestions (Pasupat and Liang 2015): `csv/NNN-csv/M.csv` and `data/*.tsv`.

Its csv escapes a quotation mark as `\"` and a backslash as `\\`, unlike RFC 4180. Table ids are those used in its
questions, `csv/204-csv/590.csv`. Splits: `random-split-1-train` is train, `random-split-1-dev` validation,
`pristine-unseen-tables` test; other tables of `training` and `pristine-seen-tables` are train. A table in none of these
files has no official split; one in two files belongs to the more held-out split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from symtune.tables.delimited import read_delimited, read_text
from symtune.tables.model import RawTable, Reading
from symtune.tables.sources import each_file
from symtune.types import SPLITS, Split

LAYOUT = True
SPLIT_FILES: tuple[tuple[str, Split], ...] = (
    ("training.tsv", "train"),
    ("pristine-seen-tables.tsv", "train"),
    ("random-split-1-train.tsv", "train"),
    ("random-split-1-dev.tsv", "validation"),
    ("pristine-unseen-tables.tsv", "test"),
)


def detect(path: Path) -> bool:
    """Whether this is a folder of that release, or its `csv/`."""
    return path.is_dir() and any(_root(path).glob("csv/*-csv"))


def _root(path: Path) -> Path:
    return path.parent if path.name == "csv" else path


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table of `csv/`."""
    root = _root(path)
    splits = split_by_file(root / "data", SPLIT_FILES, "context")

    def read_one(file: Path, _: str) -> Iterator[RawTable]:
        id = f"csv/{file.parent.name}/{file.name}"
        raw = read_delimited(file, id, doublequote=False, escapechar="\\")
        origin = f"wtq:{file.parent.name.removesuffix('-csv')}/{file.stem}"
        yield replace(raw, split=splits.get(id), origin=origin)

    return each_file(path, sorted(root.glob("csv/*-csv/*.csv")), read_one, reading.drop)


def split_by_file(folder: Path, files: tuple[tuple[str, Split], ...], column: str) -> dict[str, Split]:
    """table id -> split, read from the named column of tsv files of questions. The most held-out file takes
    precedence.
    """
    splits: dict[str, Split] = {}
    for name, split in files:
        if not (folder / name).is_file():
            continue
        lines = read_text(folder / name)[0].split("\n")
        header = lines[0].rstrip("\r").split("\t")
        if column not in header:
            continue
        position = header.index(column)
        ids = {line.split("\t", position + 1)[position].strip() for line in lines[1:] if line.count("\t") >= position}
        for id in sorted(ids):
            if SPLITS.index(split) >= SPLITS.index(splits.get(id, "train")):
                splits[id] = split
    return splits
