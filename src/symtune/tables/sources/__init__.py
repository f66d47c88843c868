"""Where tables come from: one file a layout in this folder, found because it is there.

A source defines
    LAYOUT = True            for a folder of a fixed shape (a benchmark's release); False for a file format
    detect(path) -> bool     whether it reads this file or folder; quick, reads at most a few bytes of a file
    read(path, drop) -> Iterator[RawTable]
A format reads one file, or in a folder every file of its kind (recursively, in the order of their paths).
`read` raises BrokenSource for a file that holds no readable table; inside a folder it passes the reason to
`drop` and goes on. A release's shape wins over formats; a folder may hold several formats.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Protocol

from symtune.tables.model import BrokenSource, Drop, RawTable
from symtune.types import InputError, UnknownName


class Source(Protocol):
    """What a module of this folder defines."""

    LAYOUT: bool

    def detect(self, path: Path) -> bool: ...

    def read(self, path: Path, drop: Drop) -> Iterator[RawTable]: ...


@cache
def known() -> dict[str, Source]:
    """All sources by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def choose(path: Path, layout: str | None) -> dict[str, Source]:
    """The sources that read `path`, by name. Raises InputError where none does, UnknownName for a layout that
    does not exist.
    """
    if layout is not None:
        if layout not in known():
            raise UnknownName("table layout", layout, known())
        return {layout: known()[layout]}
    found: dict[str, Source] = {}
    for name, source in sorted(known().items(), key=lambda item: (not item[1].LAYOUT, item[0])):
        if source.detect(path):
            if source.LAYOUT:
                return {name: source}
            found[name] = source
    if not found:
        formats = ", ".join(sorted(set(known()) - {"default"}))
        wanted = f"wanted one of: {formats}; a file with another ending is read where --layout names its format"
        if path.is_dir() and not any(path.iterdir()):
            raise InputError(f"{path}: an empty folder; {wanted}")
        raise InputError(f"{path}: holds no tables that symtune knows; {wanted}")
    return found


def files_of(path: Path, *suffixes: str) -> list[Path]:
    """The file itself, or all files under the folder with one of the suffixes, sorted by relative path;
    hidden files and folders are passed over.
    """
    if path.is_file():
        return [path] if path.name.lower().endswith(suffixes) else []
    found = [
        file
        for file in path.rglob("*")
        if file.name.lower().endswith(suffixes)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.is_file()
    ]
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())


def files_with_magic(path: Path, suffixes: tuple[str, ...], offset: int, magic: bytes) -> list[Path]:
    """The file itself, or the files with a suffix under the folder, that hold `magic` at `offset`."""

    def holds(file: Path) -> bool:
        try:
            with file.open("rb") as stream:
                return stream.read(offset + len(magic))[offset:] == magic
        except OSError:
            return False

    return [file for file in ([path] if path.is_file() else files_of(path, *suffixes)) if holds(file)]


def id_of(file: Path, path: Path) -> str:
    """The id of the table in `file`: its path relative to the folder named by the user, else its name."""
    return file.relative_to(path).as_posix() if path.is_dir() else file.name


def each_file(
    path: Path, files: list[Path], read: Callable[[Path, str], Iterator[RawTable]], drop: Drop
) -> Iterator[RawTable]:
    """The tables of every file, read with the id that its path gives. A broken file raises when it is the one
    named; in a folder it is dropped.
    """
    for file in files:
        try:
            yield from read(file, id_of(file, path))
        except BrokenSource as error:
            if path.is_file():
                raise
            drop(error.reason, error.where)
