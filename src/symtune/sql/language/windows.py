"""Window functions on one partition: `f(order, keys, arg, values, texts)` fills in `values` (and `texts`, if there are
any) for the rows of the partition, in `order`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from symtune.sql.language.vectors import Vector, same_key
from symtune.types import Rejected


def no_ties(order: list[int], keys: Sequence[Vector]) -> None:
    """Raise Rejected if there is no order, or if it leaves open which row comes first."""
    if not keys:
        raise Rejected("no order", "a window function that needs one")
    if any(same_key(keys, a, b) for a, b in pairwise(order)):
        raise Rejected("tie")


def row_number(order: list[int], keys: Any, arg: Any, values: list[Any], texts: Any) -> None:
    """1, 2, 3, …"""
    no_ties(order, keys)
    for position, i in enumerate(order):
        values[i] = position + 1


def rank(order: list[int], keys: Any, arg: Any, values: list[Any], texts: Any) -> None:
    """Rows that tie share a rank, and the next row has the rank of its position: 1, 2, 2, 4."""
    if not keys:
        raise Rejected("no order", "RANK")
    for position, i in enumerate(order):
        tied = position > 0 and same_key(keys, order[position - 1], i)
        values[i] = values[order[position - 1]] if tied else position + 1


def dense_rank(order: list[int], keys: Any, arg: Any, values: list[Any], texts: Any) -> None:
    """Ranks without gaps: 1, 2, 2, 3."""
    if not keys:
        raise Rejected("no order", "DENSE_RANK")
    found = 0
    for position, i in enumerate(order):
        found += position == 0 or not same_key(keys, order[position - 1], i)
        values[i] = found


def shift(step: int) -> Callable[..., None]:
    """The value this many rows further on in the order; NULL if there is no such row."""

    def shifted(order: list[int], keys: Any, arg: Vector, values: list[Any], texts: list[str] | None) -> None:
        no_ties(order, keys)
        for position, i in enumerate(order):
            source = position + step
            if 0 <= source < len(order):
                values[i] = arg.values[order[source]]
                if texts is not None and arg.texts is not None:
                    texts[i] = arg.texts[order[source]]

    return shifted


def over(aggregate: Callable[[list[Any]], Any]) -> Callable[..., None]:
    """An aggregate over a whole partition, or, with an order, over the rows up to and including the current one."""

    def running(order: list[int], keys: Any, arg: Vector | None, values: list[Any], texts: Any) -> None:
        if keys:
            no_ties(order, keys)
        for position, i in enumerate(order):
            seen = order[: position + 1] if keys else order
            known = seen if arg is None else [v for v in (arg.values[j] for j in seen) if v is not None]
            values[i] = aggregate(list(known))

    return running
