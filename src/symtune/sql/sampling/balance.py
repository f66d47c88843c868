"""Answer balance: no shortcut pays. The bounds of a block, and the one rule by which they are kept.

    balance = Balance(rng, count, rows)
    classes = balance.check(denotation, text, …)   # raises Rejected("balance: …") where it would exceed a quota
    balance.count(text, classes)                   # an answer that was checked is written

Blocks keep quotas (`symtune.quotas`), whatever the table offers. The cell of the first row (or the last) may answer as
often as that of any other row: in a table of r rows its rate is never less than 1/r, else the ends of a small table
would be where answers never are. docs/sql.md has the measured shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random
from statistics import fmean

from symtune.quotas import ROOM, Quotas, aimed
from symtune.types import Denotation, Rejected

BOUNDS = {  # class of answers -> its largest share of a data set
    "0": 0.05,
    "1": 0.05,
    "yes or no": 0.02,
    "first row": 0.1,
    "last row": 0.1,
    "most cells": 0.05,
    "answer type: number": 0.85,
    "answer type: text": 0.85,
    "values: two or three": 0.5,
    "values: four or more": 0.35,
    "characters: 40 or more": 0.4,
}
SHORTCUTS = ("0", "1", "yes or no", "first row", "last row", "most cells")  # the rest is kinds of answers
ROWS = ("first row", "last row")
SAME_ANSWER = 8  # programs of a block for each time that one answer may be given


class Balance:
    """What the answers of one block of up to `count` programs over `rows` rows have been. `kinds`: bound the kinds of
    answers too, not only shortcuts."""

    def __init__(self, rng: Random, count: int, rows: int, *, kinds: bool = True) -> None:
        free = () if kinds else tuple(name for name in BOUNDS if name not in SHORTCUTS)
        self._quotas = Quotas(rng, count, _rates(rows), free)
        self._same = -(-count // SAME_ANSWER)
        self._answers: dict[str, int] = {}

    def check(self, denotation: Denotation, text: str, chance: float, shortcut: str) -> tuple[str, ...]:
        """The classes of an answer. Raises Rejected if one more of them is too many. `chance` and `shortcut` are
        what `measures.guess` says of it."""
        if chance == 1.0:
            raise Rejected("balance: needs no reading", "every cell of the column is the answer")
        found = classes(denotation, text, chance, shortcut)
        self._quotas.check(found)
        if self._answers.get(text, 0) >= self._same:
            raise Rejected("balance: same answer again")
        return found

    def count(self, text: str, classes: Iterable[str]) -> None:
        """An answer of these classes is written."""
        self._answers[text] = self._answers.get(text, 0) + 1
        self._quotas.count(classes)


def _rates(rows: int) -> dict[str, float]:
    """The share of a block's answers that each class may have, over a table of so many rows."""
    return {name: max(rate, 1 / max(rows, 1) if name in ROWS else 0) for name, rate in aimed(BOUNDS).items()}


def bounds_for(rows: tuple[int, int], sizes: Iterable[int] = (), *, kinds: bool = True) -> dict[str, float]:
    """The bounds of a data set whose views have between rows[0] and rows[1] rows, of tables of so many rows (`sizes`;
    none: of tables that are large enough).
    """
    low, high = max(rows[0], 1), max(rows[1], rows[0], 1)
    served = Counter([min(size, high) for size in sizes if size >= low]) or {high: 1}
    shares = {size: fmean([1 / min(r, size) for r in range(low, high + 1)]) for size in served}
    fair = fmean(shares.values(), served.values())
    found = {name: bound for name, bound in BOUNDS.items() if kinds or name in SHORTCUTS}
    return found | {name: round(max(BOUNDS[name], fair / ROOM), 4) for name in ROWS}


def classes(denotation: Denotation, text: str, chance: float, shortcut: str) -> tuple[str, ...]:
    """The bounded classes that an answer belongs to."""
    found = [shortcut] if shortcut else []
    if chance > 0.5:
        found.append("most cells")
    if denotation.kind in ("number", "text"):
        found.append(f"answer type: {denotation.kind}")
    values = len(denotation.rows) * len(denotation.rows[0])
    if values > 1:
        found.append("values: two or three" if values < 4 else "values: four or more")
    if len(text) >= 40:
        found.append("characters: 40 or more")
    return tuple(found)
