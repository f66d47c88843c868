"""What is known about a function, an aggregate or a window function: the form of the records in `functions.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symtune.sql.language.tree import ExprType


@dataclass(frozen=True, slots=True)
class Argument:
    """What an argument may be: of one of the `types` (empty: of any type), the first of which a slot of a template must
    have; something compared `by_size`; of the `same` type as the first argument; or a constant, a `whole` number in
    this range.
    """

    types: tuple[ExprType, ...] = ()
    by_size: bool = False
    same: bool = False
    whole: range | None = None


ANY, NUMBER, DATE = Argument(), Argument(("number",)), Argument(("date",))
TEXT = Argument(("text", "date"))  # a date can be read as its ISO text
ORDERED, SAME = Argument(by_size=True), Argument(same=True)


def _first(node: Any) -> list[Any]:
    return [node.this]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What all three have in common. `nodes` are sqlglot's classes for it; `arguments` returns the arguments of such a
    node, or None if the node means something else.
    """

    name: str
    nodes: tuple[type, ...]
    takes: tuple[Argument, ...] = (ANY,)  # the last one holds for all that follow
    gives: ExprType | None = None  # None: the type of the first argument
    construct: str = ""  # "": its name
    arguments: Callable[[Any], list[Any] | None] = _first
    calls: tuple[str, ...] = ()  # (): its name

    @property
    def label(self) -> str:
        """The name of the construct under which it is counted."""
        return self.construct or self.name

    @property
    def words(self) -> tuple[str, ...]:
        """The words that call it."""
        return self.calls or (self.name.lower(),)

    def argument(self, place: int) -> Argument:
        """What the argument in this position may be."""
        return self.takes[min(place, len(self.takes) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Record):
    """`evaluate` takes a vector for each argument and returns one value per row. As SQL, it is `NAME(a, b)` unless
    `sqlite` or `duckdb` says otherwise."""

    evaluate: Callable[..., list[Any]]
    sqlite: str = ""
    duckdb: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate(Record):
    """`evaluate` takes the values of a group that are not NULL. `sums`: the digits of its decimals depend on the order
    of the rows. `cells`: it yields one of the values, which is shown as its cell is written.
    """

    evaluate: Callable[[list[Any]], Any]
    sums: bool = False
    cells: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Record):
    """`evaluate(order, keys, arg, values, texts)` fills in the values of one partition, whose rows are given in order.
    `cells`: it yields cells of its argument as they are; `sums` as for aggregates.
    """

    evaluate: Callable[..., None]
    cells: bool = False
    sums: bool = False
