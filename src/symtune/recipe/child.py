"""Runs a stage that computes with a model in a child process, whose memory is freed when it ends.

Training and the measurement after it would hold the memory of both if they ran in one process; only the end of a
process frees everything that libraries keep. The child is forked, so it inherits all imports and costs a few
milliseconds. On a system that cannot fork, the stage runs in this process.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection

from symtune.types import InputError, OutputError, SymtuneError

Advance = Callable[[int, int], None]  # (done, in all)
Work = Callable[[Advance], str]


def in_child(work: Work, advance: Advance) -> str:
    """What `work(advance)` returns, computed in a child process. User errors come back as InputError."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return work(advance)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run, args=(work, theirs), daemon=False)
    child.start()
    theirs.close()
    try:
        while True:
            kind, value = ours.recv()
            if kind == "advance":
                advance(*value)
            elif kind == "fault":
                raise InputError(value)
            else:
                return str(value)
    except EOFError:
        child.join()
        if child.exitcode is not None and child.exitcode < 0:
            why = f"was ended by signal {-child.exitcode} (out of memory?)"
            raise OutputError(f"the stage's process {why}; the same command resumes from here") from None
        raise RuntimeError("a stage failed; its message is above") from None
    finally:
        ours.close()
        if child.is_alive():
            child.join(timeout=5)
            child.terminate()
        child.join()


def _run(work: Work, pipe: Connection) -> None:
    try:
        pipe.send(("done", work(lambda done, of: pipe.send(("advance", (done, of))))))
    except SymtuneError as error:
        pipe.send(("fault", str(error)))
    except KeyboardInterrupt:  # the parent was interrupted too, and reports it
        pass
