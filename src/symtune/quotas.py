"""Quotas: how many answers of a class one block may give, so that no class exceeds its share of a data set.

    quotas = Quotas(rng, count=16, rates=aimed({"yes": 0.5}))
    quotas.check(["yes"])    # raises Rejected("balance: yes") if one more would be too many
    quotas.count(["yes"])    # counts one that is written

A block of `count` examples gives at most floor(rate * count + u) answers of a class, where u is drawn from [0, 1) once
per block and class: on average this is the rate, and a block stays a pure function of its generator. The rate is four
fifths of the bound of the class; the last fifth leaves room for chance and for blocks that end early, so that the bound
holds for 2,000 examples and more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from random import Random

from symtune.types import Rejected

ROOM = 0.8  # the share of a bound at which blocks aim


def aimed(bounds: Mapping[str, float]) -> dict[str, float]:
    """The rates at which blocks aim for classes with these bounds."""
    return {name: ROOM * bound for name, bound in bounds.items()}


class Quotas:
    """The answers of each class that one block may still give. Classes without a rate, and those that are `free`, are
    not limited; a free class still draws its number from the generator.
    """

    def __init__(self, rng: Random, count: int, rates: Mapping[str, float], free: Collection[str] = ()) -> None:
        left = {name: int(rate * count + rng.random()) for name, rate in rates.items()}
        self._left = {name: number for name, number in left.items() if name not in free}

    def check(self, classes: Iterable[str]) -> None:
        """Raise Rejected if one more answer of these classes would be too many."""
        for name in classes:
            if self._left.get(name, 1) < 1:
                raise Rejected(f"balance: {name}")

    def count(self, classes: Iterable[str]) -> None:
        """Count one more answer of these classes as written."""
        for name in classes:
            if name in self._left:
                self._left[name] -= 1
