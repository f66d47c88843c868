"""When generation stops early: after a stated number of duplicates in a row, wherever shards begin and end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune.exhaustion import DUPLICATES, EMPTY_BLOCKS, Exhaustion

NEW, OLD = True, False
runs = st.lists(st.tuples(st.booleans(), st.sampled_from([1, 2, 3, DUPLICATES - 1, DUPLICATES, DUPLICATES + 9])))


def kept(flags: list[bool], cuts: list[int]) -> tuple[list[int], str]:
    """What is kept from a stream that comes in parts, and why it stopped."""
    over, found = Exhaustion(), []
    for start, end in pairwise([0, *cuts, len(flags)]):
        found += [start + position for position in over.take(flags[start:end], blocks=1)]
        if over.reason:
            break
    return found, over.reason


@given(runs, st.data())
def test_how_the_stream_is_cut_into_shards_does_not_matter(runs, data):
    flags = [is_new for is_new, length in runs for _ in range(length)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(flags)), max_size=5)))
    assert kept(flags, cuts) == kept(flags, [])


STREAMS = [
    ([NEW] * 3, [0, 1, 2], ""),
    ([NEW] + [OLD] * (DUPLICATES - 1) + [NEW], [0, DUPLICATES], ""),
    ([NEW] + [OLD] * DUPLICATES + [NEW], [0], "5,000 duplicates in a row"),
    ([OLD] * DUPLICATES, [], "5,000 duplicates in a row"),
    ([], [], ""),
]


@pytest.mark.parametrize(("flags", "wanted", "reason"), STREAMS)
def test_duplicates_in_a_row(flags, wanted, reason):
    assert kept(flags, []) == (wanted, reason)


def test_blocks_without_an_example_end_the_stream_too():
    over = Exhaustion()
    over.take([], EMPTY_BLOCKS - 1)
    assert not over.reason
    over.take([NEW], 1)  # something came after all
    over.take([], EMPTY_BLOCKS - 1)
    assert not over.reason
    over.take([OLD], 1)  # nothing new: what was counted stands
    over.take([], 1)
    assert over.reason == "1,000 blocks in a row without an example"
