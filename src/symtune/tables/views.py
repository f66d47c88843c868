"""Views: rows and columns chosen from a table; and the cut of a table too long for a model's prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from symtune.tables.model import TableSet
from symtune.tables.roles import LOOKED_AT, Role, role_of
from symtune.types import Table


@dataclass(frozen=True)
class Views:
    """What a task may show of tables: views of so many rows and columns (lowest and highest number), without columns
    that have a cell of more than `max_cell` characters, written in one of the linearizations (() is all).
    """

    tables: TableSet
    rows: tuple[int, int] = (3, 40)
    columns: tuple[int, int] = (2, 8)
    max_cell: int = 200
    linearizations: tuple[str, ...] = ()
    found: dict[tuple[str, str], Role] = field(default_factory=dict, repr=False, compare=False)

    def roles(self, table: Table, names: Sequence[str]) -> dict[str, Role]:
        """The roles of some of a table's columns, each found once, from the cells of the whole table."""
        roles = {}
        for name in names:
            role = self.found.get((table.id, name))
            if role is None:
                column = table.header.index(name)
                cells = [row[column] for row in table.rows[:LOOKED_AT]]
                role = self.found[table.id, name] = role_of(name, table.types[column], cells)
            roles[name] = role
        return roles


_WORD = re.compile(r"\w+")
# Words that occur in every question and say nothing about the row that answers it.
_STOP_WORDS = frozenset(
    """a all an and any are as at be been before after between by can did do does during each for from had has
    have he her him his how if in into is it its many more most much no not number of on one only or other out
    over she so some than that the their them then there these they this those to total two up was were what
    when where which while who whom whose why will with would you""".split()
)


def make_view(table: Table, rows: Sequence[int], columns: Sequence[int], *, id: str, name: str = "w") -> Table:
    """The table of the given rows and columns, in the given order. Types are the whole table's, `source` its
    id.

    Raises IndexError for a row or column that does not exist.
    """
    full = tuple(columns) == tuple(range(len(table.header)))
    body = table.rows
    chosen = [body[row] for row in rows]
    if not full:
        chosen = [tuple([row[column] for column in columns]) for row in chosen]
    return Table(
        id=id,
        header=table.header if full else tuple([table.header[column] for column in columns]),
        types=table.types if full else tuple([table.types[column] for column in columns]),
        rows=tuple(chosen),
        name=name,
        source=table.source or table.id,
        title=table.title,
    )


def cut_for_question(table: Table, question: str, fits: Callable[[Table], bool]) -> tuple[Table, int]:
    """The table with as many rows as fit, and the number of rows dropped. Deterministic; for benchmarks.

    Rows are worth keeping by the words they share with the question (each distinct word counts once, words in
    every question not at all), then from both ends inwards (first, last, second, …: questions ask for them);
    the kept rows stay in table order. `fits` must stay true when rows are taken away; it is asked about
    log2(rows) times. Where not even one row fits, the best row is kept: a prompt without any row asks
    nothing.
    """
    if fits(table):
        return table, 0
    order = _by_worth(table, question)
    low, high = (
        1,
        max(1, len(order) - 1),
    )  # the most rows that fit lie in [low, high]; `low` is kept regardless
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_with_rows(table, order[:middle])):
            low = middle
        else:
            high = middle - 1
    return _with_rows(table, order[:low]), len(table.rows) - min(low, len(table.rows))


def _with_rows(table: Table, rows: Sequence[int]) -> Table:
    return replace(table, rows=tuple([table.rows[row] for row in sorted(rows)]))


def _by_worth(table: Table, question: str) -> list[int]:
    words = set(_WORD.findall(question.casefold())) - _STOP_WORDS
    shared = [len(words.intersection(_WORD.findall(" ".join(row).casefold()))) for row in table.rows]
    last = len(table.rows) - 1
    return sorted(range(len(table.rows)), key=lambda row: (-shared[row], min(row, last - row), row))
