"""Plug-ins: a task, a benchmark or another plug-in is found because its file is in a certain folder.

tasks = Registry("symtune.tasks", "TASK", SymbolicTask, "task")
tasks.names()                  # ["sql_execution"]
tasks.find("sql_execution")    # the instance TASK of symtune/tasks/sql_execution/__init__.py
tasks.load(Path("my_task.py")) # the instance TASK of a user's own file
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from symtune.seeds import digest
from symtune.types import InputError, UnknownName

Plugin = TypeVar("Plugin")


def modules(package: str) -> list[str]:
    """The names of the modules and packages in the folder of `package`, in alphabetical order."""
    return sorted(found.name for found in pkgutil.iter_modules(importlib.import_module(package).__path__))


class Registry(Generic[Plugin]):
    """The plug-ins in the folder of `package`: each file defines `attribute`, an instance of `base`. `kind` is the
    word for one of them in messages.
    """

    def __init__(self, package: str, attribute: str, base: type[Plugin], kind: str) -> None:
        self._package, self._attribute, self._base, self.kind = package, attribute, base, kind

    def names(self) -> list[str]:
        """The names of the plug-ins in the folder."""
        return modules(self._package)

    def find(self, name: str) -> Plugin:
        """A plug-in of the folder by name. Raises UnknownName."""
        if name not in self.names():
            raise UnknownName(self.kind, name, self.names())
        return self._instance(importlib.import_module(f"{self._package}.{name}"), f"{self.kind} {name}")

    def load(self, path: Path) -> Plugin:
        """The plug-in that a user's own file defines. Raises InputError, with the line, if anything in it fails."""
        if not path.is_file():
            raise InputError(f"{self.kind} {path}: no such file")
        name = f"symtune_own_{path.stem}_{digest(path.resolve()).hex()[:8]}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise InputError(f"{self.kind} {path}: not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pydantic look up annotations there
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # the file is the user's, so whatever it raises is a user error
            del sys.modules[name]
            line = _line_of(error, path)
            raise InputError(f"{self.kind} {path}:{line}: {type(error).__name__}: {error}") from None
        return self._instance(module, f"{self.kind} {path}")

    def _instance(self, module: ModuleType, where: str) -> Plugin:
        found = getattr(module, self._attribute, None)
        if not isinstance(found, self._base):
            raise InputError(f"{where}: defines no {self._attribute} that is a {self._base.__name__}")
        return found


def _line_of(error: BaseException, path: Path) -> int:
    """The last line of the file that an error passed through; for a syntax error, the line that it names."""
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    return line
