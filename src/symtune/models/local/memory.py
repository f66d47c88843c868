"""What libraries keep of memory that is no longer used. What the environment says of it is left as it is.

glibc keeps large buffers that are freed for later, in pieces: the packs of a training differ in length, and its memory
grew by half in 200 steps. So buffers go back to the system at once. But then the system clears every buffer that is
taken, which was a third of the CPU time of reading a long prompt, and a tenth to a sixth of that of training. So while
a batch is answered, and while a model is trained, all buffers are kept; what is free goes back to the system after each
batch, and after every few steps. Where there is no glibc, nothing is changed.

oneDNN, which multiplies matrices on a CPU, keeps what it has prepared for each of the last 1,024 shapes, and each pack
or batch has shapes of its own: another 15 to 30 MB a step. What is kept now is enough for one step.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from collections.abc import Iterator
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # of mallopt(3)
_GIVEN = {_MMAP_MAX: 2**16, _MMAP_THRESHOLD: 2**20, _TRIM_THRESHOLD: 2**20}
_KEPT = {_MMAP_MAX: 0, _TRIM_THRESHOLD: -1}  # no buffer has pages of its own, and none goes back
# Read when the first matrices are multiplied: the caches of oneDNN, and of what PyTorch puts around it.
_SHAPES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}


def bound() -> None:
    """Return large buffers to the system when they are freed, and keep few preparations for multiplying matrices."""
    _set(_GIVEN)
    for name, shapes in _SHAPES.items():
        os.environ.setdefault(name, shapes)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep freed buffers for the next one within the block; all go back to the system at its end."""
    _set(_KEPT)
    try:
        yield
    finally:
        _set(_GIVEN)
        give_back()


def give_back() -> None:
    """Return what is free to the system, also within `kept`."""
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
