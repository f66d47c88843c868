"""How rows are referred to: by their number, and by the cell that tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from symtune.sql.solutions.wordings import LONGEST_NAME, Wording
from symtune.tables import typed_rows
from symtune.types import Table


def calls(table: Table, wording: Wording) -> list[str]:
    """How each row of a shown table is referred to. Its name is its cell in the leftmost column of texts, or else of
    any type, whose cells are all present, short and different. If there is no such column, rows have only numbers.
    """
    column = _naming_column(table)
    if column is None:
        return [wording.plain.format(n=number + 1) for number in range(len(table.rows))]
    return [wording.named.format(n=number, name=row[column]) for number, row in enumerate(table.rows, start=1)]


def _naming_column(table: Table) -> int | None:
    if not table.rows:
        return None
    columns = list(zip(*table.rows, strict=True))
    known = [None not in values for values in zip(*typed_rows(table), strict=True)]
    telling = [
        place
        for place, cells in enumerate(columns)
        if known[place] and len(set(cells)) == len(cells) and max(map(len, cells)) <= LONGEST_NAME
    ]
    texts = [place for place in telling if table.types[place] == "text"]
    return next(iter(texts + telling), None)


def calls_of_pairs(parts: Sequence[dict[str, str]], wording: Wording) -> list[str]:
    """How the rows of a join are referred to: by the row of the first table if no other pair has it, else by all."""
    whole = [{alias: wording.of.format(table=alias, row=row) for alias, row in part.items()} for part in parts]
    first = [next(iter(part.values())) for part in whole]
    often = Counter(first)
    return [one if often[one] == 1 else " + ".join(part.values()) for one, part in zip(first, whole, strict=True)]
