"""What table sources return (RawTable) and what loading turns it into (TableSet). Frozen values without behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symtune.types import InputError, Split, Table

MAX_CELLS = 5_000_000  # in one table; more would not fit into the memory of a small machine
TOO_LARGE = f"over {MAX_CELLS:,} cells"

Drop = Callable[[str, str], None]  # (reason, where: file or file:line): count a table that cannot be used


@dataclass(frozen=True, slots=True)
class Reading:
    """How sources read. `drop` counts a table that cannot be used; `encoding` is that of every text, if given by the
    user.
    """

    drop: Drop
    encoding: str | None = None


class BrokenSource(InputError):  # noqa: N818 - says what is broken
    """A file without a readable table. In a folder, `TableSet.dropped` counts it under `reason`."""

    def __init__(self, reason: str, where: str, detail: str) -> None:
        super().__init__(f"{where}: {detail}")
        self.reason = reason
        self.where = where


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as it is in a file, before headers and cells are cleaned and typed.

    `split` is what the layout's own files say. `origin` is an identity that stays the same if one release republishes
    the tables of another under new ids. `foreign_keys` holds (column, id of the referenced table, its column). `where`
    is the file (and line) for messages; `notes` counts what reading repaired or guessed.
    """

    id: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    name: str = "w"
    split: Split | None = None
    origin: str = ""
    foreign_keys: tuple[tuple[str, str, str], ...] = ()
    where: str = ""
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`column` of the table with id `table` refers to `references_column` of `references_table`."""

    table: str
    column: str
    references_table: str
    references_column: str


@dataclass(frozen=True, slots=True)
class Link:
    """`left.left_column = right.right_column`, on which two shown tables are joined. All names are those in SQL."""

    left: str
    left_column: str
    right: str
    right_column: str


@dataclass(frozen=True, slots=True)
class TableSet:
    """All usable tables of one source.

    tables: sorted by id. official: table id -> split, if the layout's own files give one. content: table id -> content
    hash (see `splits`). origin: table id -> identity across releases (if known). dropped: reason -> number of tables
    that could not be used. repaired: what was repaired or guessed -> how often. passed_over: what was passed over in a
    folder -> how often. first: any of these kinds -> the table or file where it first occurred. layout: the name(s) of
    the source(s) that read it. sha256: of ids, headers and cells as loaded.
    """

    tables: tuple[Table, ...]
    official: Mapping[str, Split] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    layout: str = ""
    sha256: str = ""
    foreign_keys: tuple[ForeignKey, ...] = ()
    content: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    repaired: Mapping[str, int] = field(default_factory=dict)
    passed_over: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
