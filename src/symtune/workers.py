"""A pool of worker processes that all hold the same value, and whose results come back in order.

    with workers(shared, 4) as submit:
        for part in in_order(submit, compute, ahead=lambda: 8):    # compute(shared, 0), compute(shared, 1), …
            ...

With one worker, everything is computed in this process, on demand. If a worker dies, the error is one line.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import socket
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any

from symtune.types import OutputError

# Objects that are made before cycles among them are looked for, by default 700: work makes many objects and hardly any
# cycles, and looking for them often takes some 3 % of the time.
RARE = 50_000

Later = Callable[[], Any]  # gives the result of work that was submitted
Submit = Callable[..., Later]  # submit(function, *arguments): have a worker call function(shared, *arguments)

_shared: Any = None  # in a worker process; set once, when it starts


@contextmanager
def workers(shared: Any, processes: int) -> Iterator[Submit]:
    """Yields a function that submits work to processes that each hold `shared`. Raises OutputError if one dies."""
    if processes == 1:
        before = gc.get_threshold()
        gc.set_threshold(RARE)
        try:
            yield partial(_at_once, shared)
        finally:
            gc.set_threshold(*before)
        return
    context = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    with ProcessPoolExecutor(processes, context, _start, (shared,)) as pool:
        try:
            yield lambda function, *arguments: pool.submit(_do, function, *arguments).result
        except BrokenProcessPool:
            raise OutputError("a worker process died (out of memory?); try fewer --workers") from None
        finally:
            pool.shutdown(cancel_futures=True)


def in_order(submit: Submit, function: Callable[..., Any], ahead: Callable[[], int]) -> Iterator[Any]:
    """function(shared, 0), function(shared, 1), … without end, in order. `ahead()` says how many may be in progress."""
    running: deque[Later] = deque()
    numbers = count()
    while True:
        while len(running) < max(1, ahead()):
            running.append(submit(function, next(numbers)))
        yield running.popleft()()


def _start(shared: Any) -> None:
    global _shared
    _shared = shared
    gc.set_threshold(RARE)


def _do(function: Callable[..., Any], *arguments: object) -> Any:
    return function(_shared, *arguments)


def _at_once(shared: Any, function: Callable[..., Any], *arguments: object) -> Later:
    found = function(shared, *arguments)
    return lambda: found


PORTS = range(10_000, 32_000)  # below those that outgoing connections take at any moment


def free_port() -> int:
    """A port of this machine on which nothing listens, for processes that are started now. It is drawn at random, so
    that two that start at once do not choose the same.
    """
    draw = random.SystemRandom()
    while True:
        port = draw.choice(PORTS)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
