"""Near duplicates of a data set: lines that ask almost the same of almost the same table (extra `dedup`).

    found = near_duplicates((row, tables) for _, row, tables in lines)
    found.near, found.lines, THRESHOLD

A line is the set of its program's token triples and of its tables' rows; two lines are near where the Jaccard
similarity of their sets, estimated by MinHash, is THRESHOLD or more: as good as one table with a program that differs
in a constant at most, or one program on a table that differs in a row or two. Lines of one view with different
programs are not near: that is what a view is for. Memory is bounded: the first MOST lines are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from symtune.types import Table, need

THRESHOLD = 0.9
MOST = 100_000  # lines that are compared: some 100 MB
PERMUTATIONS, BANDS = 128, 16
_CANDIDATES = 64  # compared with one line
_SEED = 7
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """`near` of `lines` lines are near to an earlier one; `left_out` lines were not compared."""

    lines: int
    near: int
    left_out: int


def require() -> Any:
    """The package that compares. Raises MissingExtra: ask before hours of other work."""
    return need("rensa", "dedup", "finding near duplicates")


def near_duplicates(lines: Iterable[tuple[Mapping[str, Any], Mapping[str, Table]]]) -> NearDuplicates:
    """How many lines (row, the tables it refers to by id) are near to an earlier one. Raises MissingExtra."""
    rensa = require()
    index = rensa.RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
    kept: list[Any] = []
    near = left_out = 0
    for row, tables in lines:
        if len(kept) >= MOST:
            left_out += 1
            continue
        sketch = rensa.RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
        sketch.update(sorted(shingles(row, tables)))
        candidates = sorted(index.query(sketch))[-_CANDIDATES:]
        near += any(sketch.jaccard(kept[i]) >= THRESHOLD for i in candidates)
        index.insert(len(kept), sketch)
        kept.append(sketch)
    return NearDuplicates(len(kept), near, left_out)


def shingles(row: Mapping[str, Any], tables: Mapping[str, Table]) -> set[str]:
    """Token triples of the program, and the rows of the tables it runs on; of the prompt where there is no program."""
    try:
        info = json.loads(row.get("info") or "{}")
    except ValueError:
        info = {}
    program = info.get("sql") if isinstance(info, dict) else None
    if not isinstance(program, str):
        return _triples(str(row.get("prompt", "")))
    found = _triples(program)
    for said in info.get("tables") or ():
        table = tables.get(said) if isinstance(said, str) else None
        rows = [table.header, *table.rows] if table else said.get("rows", ()) if isinstance(said, dict) else ()
        found.update("\x1f".join(map(str, cells)) for cells in rows)
    return found


def _triples(text: str) -> set[str]:
    tokens = _TOKEN.findall(text)
    return {" ".join(tokens[i : i + 3]) for i in range(max(1, len(tokens) - 2))}
