"""Symbolic tasks: one file or folder each, found because it is here. `symtune.task` says what a task is.

    task = find("sql_execution")      # of this folder
    task = find("./my_task.py")       # of your own: a file that ends in a line TASK = MyTask()
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symtune.registry import Registry
from symtune.task import SymbolicTask
from symtune.types import InputError

__all__ = ["SymbolicTask", "find", "find_all", "names"]

_TASKS: Registry[SymbolicTask] = Registry(__name__, "TASK", SymbolicTask, "task")


def names() -> list[str]:
    """The names of the tasks of this folder."""
    return _TASKS.names()


def find(name: str) -> SymbolicTask:
    """A task of this folder by name, or of a user's file by its path. Raises UnknownName or InputError."""
    return _TASKS.load(Path(name)) if name.endswith(".py") else _TASKS.find(name)


def find_all(given: Sequence[str]) -> list[SymbolicTask]:
    """The tasks that were asked for, in order. Raises InputError for two of one name."""
    found: dict[str, SymbolicTask] = {}
    for name in given:
        task = find(name)
        if task.name in found:
            raise InputError(f"task {task.name!r} is asked for twice; name each task once")
        found[task.name] = task
    return list(found.values())
