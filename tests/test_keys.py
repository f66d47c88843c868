"""The compact set of keys says the same about each key as a Python set would."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from symtune.keys import WIDTH, KeySet

# Few different halves, so that keys meet, and meet in their first half alone.
half = st.sampled_from([bytes(8), b"\xff" * 8, b"\x00" * 7 + b"\x01", b"\x80" + bytes(7), b"abcdefgh"])
keys = st.builds(bytes.__add__, half, half) | st.binary(min_size=WIDTH, max_size=WIDTH)


@given(st.lists(st.lists(keys, max_size=40), max_size=12))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_it_is_a_set(batches):
    seen: set[bytes] = set()
    found = KeySet()
    for batch in batches:
        wanted = []
        for key in batch:
            wanted.append(key not in seen)
            seen.add(key)
        assert found.add(b"".join(batch)) == wanted
        assert len(found) == len(seen)
