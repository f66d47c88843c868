"""The release of TabFact (Chen et al. 2020): `data/all_csv/*.html.csv`, with cells separated by `#`, never quoted.

Splits: `data/{train,val,test}_id.json` (lists of table files), or else the tables named in
`tokenized_data/{train,val,test}_examples*.json`. `origin` is the id shared with WikiSQL (`1-11677691-3`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from symtune.tables.delimited import read_delimited
from symtune.tables.model import BrokenSource, RawTable, Reading
from symtune.tables.sources import each_file
from symtune.types import Split

LAYOUT = True
NAMES: tuple[tuple[str, Split], ...] = (("train", "train"), ("val", "validation"), ("test", "test"))


def detect(path: Path) -> bool:
    """Whether this is a folder of that release."""
    return path.is_dir() and any(path.glob("data/all_csv/*.csv"))


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """Every table in `data/all_csv/`; ids are the file names, as in the release's own lists."""
    splits = _splits(path)

    def read_one(file: Path, id: str) -> Iterator[RawTable]:
        table = read_delimited(file, file.name, "#", quoting=csv.QUOTE_NONE)
        origin = f"wikitables:{file.name.removesuffix('.html.csv')}"
        yield replace(table, split=splits.get(file.name), origin=origin)

    return each_file(path, sorted(path.glob("data/all_csv/*.csv")), read_one, reading.drop)


def _splits(path: Path) -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for name, split in NAMES:  # later splits are more held out, and take precedence
        lists = sorted(path.glob(f"data/{name}_id.json"))
        for file in lists or sorted(path.glob(f"tokenized_data/{name}_examples*.json")):
            try:
                ids = json.loads(file.read_text("utf-8"))
            except (OSError, ValueError) as error:
                raise BrokenSource("broken list of tables", str(file), f"not a JSON list ({error})") from None
            splits.update({str(id): split for id in ids})
    return splits
