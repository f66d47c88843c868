"""When a stream of examples has nothing new to give: the one rule by which `generate` and `selftest` stop early.

    run = Exhaustion()
    run.take([True, False, True], blocks=8)   # [0, 2]: which of the next blocks' examples are new
    run.reason                                # "" until the stream ends, then why it ended

It counts along the stream in the order of blocks, so it stops at the same example whichever worker computes what.
"""

from __future__ import annotations

from collections.abc import Sequence

DUPLICATES = 5_000  # proven examples in a row that are duplicates of earlier ones
EMPTY_BLOCKS = 1_000  # blocks in a row without any example


class Exhaustion:
    """Counts for how long the stream has given nothing new. The stream is over once `reason` is not empty."""

    def __init__(self) -> None:
        self._duplicates = 0  # in a row
        self._empty = 0  # blocks, since the last new example

    def take(self, new: Sequence[bool], blocks: int) -> list[int]:
        """Which of the next examples, from so many blocks, to keep: the new ones before the stream is over."""
        keep: list[int] = []
        for position, is_new in enumerate(new):
            if is_new:
                self._duplicates = 0
                keep.append(position)
                continue
            self._duplicates += 1
            if self._duplicates == DUPLICATES:
                break
        if keep:
            self._empty = 0
        elif not new:
            self._empty += blocks
        return keep

    @property
    def reason(self) -> str:
        """Why the stream is over; "" if it is not."""
        if self._duplicates >= DUPLICATES:
            return f"{DUPLICATES:,} duplicates in a row"
        if self._empty >= EMPTY_BLOCKS:
            return f"{EMPTY_BLOCKS:,} blocks in a row without an example"
        return ""
