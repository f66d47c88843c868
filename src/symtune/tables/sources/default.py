"""The tables bundled with symtune: 127 real, openly licensed ones (`tables/default/LICENSES.tsv` says
whose).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from symtune.tables.model import Drop, RawTable
from symtune.tables.sources import jsonl

LAYOUT = True
PATH = Path(__file__).resolve().parents[1] / "default"


def detect(path: Path) -> bool:
    """Whether this is the bundled folder."""
    return path.resolve() == PATH


def read(path: Path, drop: Drop) -> Iterator[RawTable]:
    """All bundled tables."""
    return jsonl.read(path, drop)
