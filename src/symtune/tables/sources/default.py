"""The tables bundled with symtune: 127 real, openly licensed tables (`tables/default/LICENSES.tsv` has their sources).

Their split is official: 75 % train, 10 % validation, 15 % test, by family. A family consists of the tables whose names
have the same first word after the publisher ("pddl/gdp-1980" and "pddl/gdp-2000", the weather of four cities). Such
tables share rows, or nearly so: one of them in training would give away another one in the test split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from symtune.seeds import digest
from symtune.tables.model import RawTable, Reading
from symtune.tables.sources import jsonl
from symtune.types import Split

LAYOUT = True
PATH = Path(__file__).resolve().parents[1] / "default"
_FAMILY = re.compile(r"[^/]+/[^/_-]+")


def detect(path: Path) -> bool:
    """Whether this is the bundled folder."""
    return path.resolve() == PATH


def read(path: Path, reading: Reading) -> Iterator[RawTable]:
    """All bundled tables."""
    for table in jsonl.read(path, reading):
        yield replace(table, split=_split(table.id))


def _split(id: str) -> Split:
    found = _FAMILY.match(id)
    percent = int.from_bytes(digest("bundled", found.group(0) if found else id), "big") % 100
    return "train" if percent < 75 else "validation" if percent < 85 else "test"
