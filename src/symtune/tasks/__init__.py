"""Symbolic tasks: one file or folder each, found automatically. `symtune.task` says what a task is.

task = find("sql_execution")      # a task in this folder
task = find("./my_task.py")       # your own task: a file that ends with the line TASK = MyTask()
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from symtune.registry import Registry
from symtune.task import SymbolicTask
from symtune.types import InputError

__all__ = ["Known", "SymbolicTask", "find", "find_all", "names"]

DEFAULT = "sql_execution"  # the task if none is named

_TASKS: Registry[SymbolicTask] = Registry(__name__, "TASK", SymbolicTask, "task")  # type: ignore[type-abstract]


def names() -> list[str]:
    """The names of the tasks in this folder."""
    return _TASKS.names()


def find(name: str) -> SymbolicTask:
    """A task in this folder, by name, or in a user's file, by its path. Raises UnknownName or InputError."""
    return _TASKS.load(Path(name)) if name.endswith(".py") else _TASKS.find(name)


def find_all(given: Sequence[str]) -> list[SymbolicTask]:
    """The requested tasks, in order. Raises InputError if two have the same name."""
    found: dict[str, SymbolicTask] = {}
    for name in given:
        task = find(name)
        if task.name in found:
            raise InputError(f"task {task.name!r} is given twice; name each task once")
        found[task.name] = task
    return list(found.values())


class Known:
    """The tasks that stored examples may name: those in this folder, and the user's own in the files given. Data names
    tasks, never files, so that it does not choose what code runs.
    """

    def __init__(self, own: Sequence[str] = ()) -> None:
        self._found: dict[str, SymbolicTask] = {task.name: task for task in find_all(own)}
        self._there = set(names())

    def get(self, name: str) -> SymbolicTask | None:
        """The task with this name; None if it is unknown."""
        if name not in self._found and name in self._there:
            self._found[name] = find(name)
        return self._found.get(name)

    def engines(self) -> list[str]:
        """The names of the additional engines that any of these tasks has."""
        tasks = [*self._found.values(), *(find(name) for name in self._there - set(self._found))]
        return sorted({engine for task in tasks for engine in task.engines})

    def __getitem__(self, name: str) -> SymbolicTask:
        """The task with this name. Raises InputError if it is unknown."""
        task = self.get(name)
        if task is None:
            raise InputError(f"task {name!r} is not a task of symtune; give the file of your own task with --task FILE")
        return task
