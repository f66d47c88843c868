"""Randomness as a value: a generator keyed by the hash of a string, never `seed + index`.

Neighbouring integer seeds share most of their items in libraries that add an index to a seed. A hashed key
such as "sql_execution/1/train/7/42" (task, its version, split, seed, block) gives independent streams, the same on
every machine and under every PYTHONHASHSEED.
"""

from __future__ import annotations

import hashlib
from random import Random


def digest(*parts: object) -> bytes:
    """The 16-byte BLAKE2b hash of the parts, joined by "/"."""
    return hashlib.blake2b("/".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def rng(*parts: object) -> Random:
    """A random generator that depends only on the parts."""
    return Random(int.from_bytes(digest(*parts), "big"))
