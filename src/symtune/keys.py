"""A set of 128-bit keys at 16 bytes per key, to find exact duplicates; a Python set would need 98.

Keys arrive in batches and are kept in a few sorted runs, which are numpy arrays; runs of similar length are merged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PAIR = np.dtype([("high", ">u8"), ("low", ">u8")])
WIDTH = 16  # bytes per key

Run = NDArray[np.void]


class KeySet:
    """Keys seen so far. A key is 16 bytes, a batch their concatenation."""

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def add(self, batch: bytes) -> list[bool]:
        """Whether each key of the batch is new, in the batch and in the set; new keys are added."""
        if not batch:
            return []
        keys = np.frombuffer(batch, dtype=_PAIR).astype([("high", "u8"), ("low", "u8")])
        order = np.lexsort((keys["low"], keys["high"]))
        ranked = keys[order]
        new_ranked = np.ones(len(keys), dtype=bool)
        # lexsort is stable: of equal keys the first of the batch comes first.
        new_ranked[1:] = ranked[1:] != ranked[:-1]
        for run in self._runs:
            new_ranked &= ~_within(run, ranked)
        new = np.empty(len(keys), dtype=bool)
        new[order] = new_ranked
        self._keep(ranked[new_ranked])
        return [bool(flag) for flag in new]

    def _keep(self, run: Run) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            longer = self._runs.pop()
            run = np.insert(longer, np.searchsorted(longer["high"], run["high"]), run)  # no sorting, no third copy
        if len(run):
            self._runs.append(run)


def _within(run: Run, keys: Run) -> NDArray[np.bool_]:
    """For each key, whether the sorted run contains it."""
    high = run["high"]
    found = np.zeros(len(keys), dtype=bool)
    left = np.searchsorted(high, keys["high"], side="left")
    right = np.searchsorted(high, keys["high"], side="right")
    for i in np.nonzero(left < right)[0]:  # equal in the first 64 bits: true duplicates, or a chance of one in 2^64
        found[i] = bool(np.any(run["low"][left[i] : right[i]] == keys["low"][i]))
    return found
