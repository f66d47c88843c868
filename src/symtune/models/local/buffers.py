"""What glibc does with large buffers that are freed. Where there is no glibc, or the environment says what its malloc
shall do, nothing is changed.

By itself it keeps them for later, in pieces: the packs of a training differ in length, and its memory grew by half in
200 steps. So buffers go back to the system at once. But then the system clears every buffer that is taken, which was
a third of the CPU time of reading a long prompt; so while one batch is answered, buffers are kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_GIVEN = {_MMAP_THRESHOLD: 2**20, _TRIM_THRESHOLD: 2**20}
_KEPT = {_MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**28}  # 2^25 is the most that malloc takes


def give_back() -> None:
    """Return large buffers to the system when they are freed."""
    _set(_GIVEN)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep freed buffers for the next one within the block; all go back to the system at its end."""
    _set(_KEPT)
    try:
        yield
    finally:
        _set(_GIVEN)
        if libc := _libc():
            libc.malloc_trim(0)


def _set(thresholds: dict[int, int]) -> None:
    if libc := _libc():
        for parameter, value in thresholds.items():
            libc.mallopt(parameter, value)


@functools.cache
def _libc() -> Any:
    """glibc, or None."""
    if {"GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"} & set(os.environ):
        return None
    with contextlib.suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        if libc.mallopt and libc.malloc_trim:
            return libc
    return None
