"""Near duplicates in a data set: lines with almost the same program over almost the same table (extra `dedup`).

    found = near_duplicates(dataset.lines(Path("data/sql")))
    found.near, found.lines, THRESHOLD

A line stands for the set of token triples of its fields (of its prompt, if it has none) and the rows of its tables. Two
lines are near duplicates if the Jaccard similarity of their sets, estimated by MinHash, is THRESHOLD or more: in
practice, the same table and programs that differ in at most a constant, or the same program on tables that differ in a
row or two. Different programs over the same view are not near duplicates: a view is meant to be used for several.
Memory is bounded, because only the first MOST lines are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from symtune.dataset import Line
from symtune.task import TABLES, TRAITS
from symtune.types import InputError, Table, need

THRESHOLD = 0.9
MOST = 100_000  # lines that are compared: about 100 MB
PERMUTATIONS, BANDS = 128, 16
_CANDIDATES = 64  # earlier lines that are compared with one line
_SEED = 7
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """`near` of `lines` lines are near duplicates of an earlier one; `left_out` lines were not compared."""

    lines: int
    near: int
    left_out: int


def require() -> Any:
    """The package that compares. Raises MissingExtra, so call it before hours of other work."""
    return need("rensa", "dedup", "finding near duplicates")


def near_duplicates(lines: Iterable[Line]) -> NearDuplicates:
    """Count the lines that are near duplicates of an earlier one. Raises MissingExtra."""
    rensa = require()
    index = rensa.RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
    kept: list[Any] = []
    near = left_out = 0
    for line in lines:
        if len(kept) >= MOST:
            left_out += 1
            continue
        sketch = rensa.RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
        sketch.update(sorted(shingles(line)))
        candidates = sorted(index.query(sketch))[-_CANDIDATES:]
        near += any(sketch.jaccard(kept[i]) >= THRESHOLD for i in candidates)
        index.insert(len(kept), sketch)
        kept.append(sketch)
    return NearDuplicates(len(kept), near, left_out)


def shingles(line: Line) -> set[str]:
    """The token triples of the fields, and the rows of the tables; if the fields cannot be read, of the prompt."""
    try:
        info = line.info()
    except InputError:
        info = {}
    tables: Iterable[Table] = info.pop(TABLES, ())
    fields = [
        value if isinstance(value, str) else json.dumps(value) for name, value in info.items() if name not in TRAITS
    ]
    if not fields:
        return _triples(str(line.row.get("prompt", "")))
    found = _triples("\n".join(fields))
    for table in tables:
        found.update("\x1f".join(cells) for cells in (table.header, *table.rows))
    return found


def _triples(text: str) -> set[str]:
    tokens = _TOKEN.findall(text)
    return {" ".join(tokens[i : i + 3]) for i in range(max(1, len(tokens) - 2))}
