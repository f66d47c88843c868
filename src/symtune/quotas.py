"""Quotas: how many answers of a class one block may give, so that no class exceeds its share of a data set.

    quotas = Quotas(rng, count=16, rates=aimed({"yes": 0.5}))
    quotas.check(["yes"])    # raises Rejected("balance: yes") where one more is too many
    quotas.count(["yes"])    # it is written

A block of `count` examples gives at most floor(rate * count + u) answers of a class, with u drawn once a block and
class from [0, 1): the rate on average, and a block stays a pure function of its generator. The rate is four fifths of
the class's bound; the last fifth is room for chance and for blocks that end early, so that the bound holds for 2,000
examples and more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from random import Random

from symtune.types import Rejected

ROOM = 0.8  # of a bound is what blocks aim at


def aimed(bounds: Mapping[str, float]) -> dict[str, float]:
    """The rates that blocks aim at for classes of these bounds."""
    return {name: ROOM * bound for name, bound in bounds.items()}


class Quotas:
    """What is left of each class of answers in one block. Classes without a rate, and those that are `free`, are not
    counted; a class that is free takes its number from the generator all the same.
    """

    def __init__(self, rng: Random, count: int, rates: Mapping[str, float], free: Collection[str] = ()) -> None:
        left = {name: int(rate * count + rng.random()) for name, rate in rates.items()}
        self._left = {name: number for name, number in left.items() if name not in free}

    def check(self, classes: Iterable[str]) -> None:
        """Raise Rejected where one more answer of these classes is too many."""
        for name in classes:
            if self._left.get(name, 1) < 1:
                raise Rejected(f"balance: {name}")

    def count(self, classes: Iterable[str]) -> None:
        """One more answer of these classes is written."""
        for name in classes:
            if name in self._left:
                self._left[name] -= 1
