"""Quotas: how many answers of a class one block may give, so that no class exceeds its share of a data set.

    quotas = Quotas(rng, count=16, bounds={"yes": 0.5})
    quotas.check(["yes"])    # raises Rejected("balance: yes") where one more is too many
    quotas.count(["yes"])    # it is written

A block of `count` examples gives at most floor(0.8 * bound * count + u) answers of a class, with u drawn once a block
and class from [0, 1): four fifths of the bound on average, and a block stays a pure function of its generator. The
last fifth is room for chance and for blocks that end early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from symtune.types import Rejected

ROOM = 0.8  # of a bound is what blocks aim at


class Quotas:
    """What is left of each class of answers in one block. Classes without a bound are not counted."""

    def __init__(self, rng: Random, count: int, bounds: Mapping[str, float]) -> None:
        self._left = {name: int(ROOM * bound * count + rng.random()) for name, bound in bounds.items()}

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
