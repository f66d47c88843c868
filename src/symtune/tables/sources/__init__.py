"""Where tables come from: one file per layout in this folder, found automatically.

A source defines
    LAYOUT = True            for a folder with a fixed structure (a benchmark's release); False for a file format
    detect(path) -> bool     whether it reads this file or folder; quick: reads only a few bytes of a file
    read(path, reading) -> Iterator[RawTable]
A format reads one file, or every file of its kind in a folder (recursively, in the order of their paths). `read` raises
BrokenSource for a file without a readable table; inside a folder, it passes the reason to `reading.drop` and continues.
The layout of a release takes precedence over formats; a folder may contain several formats.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Protocol

from symtune.registry import modules
from symtune.tables.model import BrokenSource, Drop, RawTable, Reading
from symtune.types import InputError, UnknownName

OURS = "written by symtune: passed over"
HIDDEN = "hidden file or folder: passed over"
_MOST_OF_A_MANIFEST = 1 << 24  # bytes
# Formats that cannot be read, and the one in which such a file can be saved.
_SAVED = {".xls": ".xlsx", ".xlsb": ".xlsx", ".numbers": ".xlsx", ".fods": ".ods"}
# Unfinished work that stages keep beside their --out.
_PARTIAL = re.compile(r"^\..+\.(?:partial-\d+|working)$")


class Source(Protocol):
    """What a module in this folder defines."""

    LAYOUT: bool

    def detect(self, path: Path) -> bool: ...

    def read(self, path: Path, reading: Reading) -> Iterator[RawTable]: ...


@cache
def known() -> dict[str, Source]:
    """All sources by name."""
    return {name: importlib.import_module(f"{__name__}.{name}") for name in modules(__name__)}


def choose(path: Path, layout: str | None) -> dict[str, Source]:
    """The sources that read `path`, by name. Raises InputError if none does, UnknownName for a layout that
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
        wanted = f"wanted one of: {formats}; to read a file with another extension, name its format with --layout"
        if path.is_dir() and not any(path.iterdir()):
            raise InputError(f"{path}: an empty folder; {wanted}")
        counts, _ = passed_over(path)
        if counts:
            wanted = f"{', '.join(f'{count:,} {why}' for why, count in sorted(counts.items()))}; {wanted}"
        saved = _SAVED.get(path.suffix.lower())
        raise InputError(f"{path}: no tables that symtune can read; {f'save it as {saved}' if saved else wanted}")
    return found


def files_of(path: Path, *suffixes: str) -> list[Path]:
    """The file itself, or all files under the folder with one of the suffixes, sorted by relative path. Hidden files
    and folders, and whatever symtune wrote, are passed over (see `passed_over`).
    """
    if path.is_file():
        return [path] if path.name.lower().endswith(suffixes) else []
    found = [file for file, why in _walk(path) if not why and file.name.lower().endswith(suffixes)]
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())


def passed_over(path: Path) -> tuple[Counter[str], dict[str, str]]:
    """How many files and folders under a folder are passed over, and the first one of each kind."""
    counts, first = Counter[str](), dict[str, str]()
    for file, why in _walk(path) if path.is_dir() else ():
        if why:
            counts[why] += 1
            first.setdefault(why, file.relative_to(path).as_posix())
    return counts, first


def _walk(path: Path) -> Iterator[tuple[Path, str]]:
    """Every file under a folder, and every folder that is passed over, each with the reason ("": not passed over)."""
    for folder, folders, files in os.walk(path):
        here = Path(folder)
        kinds = {name: _why_not(here / name) for name in sorted(folders)}
        folders[:] = [name for name, why in kinds.items() if not why]
        yield from ((here / name, why) for name, why in kinds.items() if why)
        for name in sorted(files):
            yield here / name, OURS if _PARTIAL.search(name) else HIDDEN if name.startswith((".", "~$")) else ""


def _why_not(folder: Path) -> str:
    if _PARTIAL.search(folder.name) or made_by_symtune(folder):
        return OURS
    return HIDDEN if folder.name.startswith(".") else ""


def made_by_symtune(folder: Path) -> bool:
    """Whether a folder is an output of symtune: its manifest says so."""
    try:
        with (folder / "manifest.json").open("rb") as stream:
            manifest = json.loads(stream.read(_MOST_OF_A_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and "symtune" in manifest


def files_with_magic(path: Path, suffixes: tuple[str, ...], offset: int, magic: bytes) -> list[Path]:
    """The file itself, or the files with a suffix under the folder, if they contain `magic` at `offset`."""

    def holds(file: Path) -> bool:
        try:
            with file.open("rb") as stream:
                return stream.read(offset + len(magic))[offset:] == magic
        except OSError:
            return False

    return [file for file in ([path] if path.is_file() else files_of(path, *suffixes)) if holds(file)]


def id_of(file: Path, path: Path) -> str:
    """The id of the table in `file`: its path relative to the folder named by the user, or else its name."""
    return file.relative_to(path).as_posix() if path.is_dir() else file.name


def each_file(
    path: Path, files: list[Path], read: Callable[[Path, str], Iterator[RawTable]], drop: Drop
) -> Iterator[RawTable]:
    """The tables of every file, with ids made from its path. A broken file raises if it is the one named by the user;
    in a folder, it is dropped.
    """
    for file in files:
        try:
            yield from read(file, id_of(file, path))
        except BrokenSource as error:
            if path.is_file():
                raise
            drop(error.reason, error.where)
