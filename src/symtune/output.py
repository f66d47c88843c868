"""Where every stage writes: a temporary name first, renamed when whole; and the manifest that says how.

A reader of an output folder never meets half a result: `new_folder` yields a hidden sibling folder and renames
it at the end, and a failure inside leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from symtune import __version__
from symtune.types import InputError, OutputError

MANIFEST = "manifest.json"


def check_writable(path: Path, *, overwrite: bool = False) -> None:
    """Raise OutputError now, before hours of work, if `path` cannot become an output (file or folder)."""
    parent = path.absolute().parent
    if path.exists() and not overwrite and (path.is_file() or any(path.iterdir())):
        raise OutputError(f"{path} exists already; choose another --out, or add --overwrite to replace it")
    if path.exists() and overwrite and path.is_dir() and any(path.iterdir()) and not (path / MANIFEST).is_file():
        raise OutputError(f"{path} is not a symtune output (no {MANIFEST}); refusing to replace it")
    probe = parent
    while not probe.exists():
        probe = probe.parent
    if not probe.is_dir():
        raise OutputError(f"cannot write {path}: {probe} is not a folder")
    if not os.access(probe, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {path}: no permission to write in {probe}")


@contextlib.contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` when the block ends without an error."""
    check_writable(path, overwrite=overwrite)
    temporary = path.absolute().parent / f".{path.name}.partial-{os.getpid()}"
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary file name that becomes `path` when the block ends without an error."""
    check_writable(path, overwrite=overwrite)
    temporary = path.absolute().parent / f".{path.name}.partial-{os.getpid()}"
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of symtune, Python and the named packages (those that are absent are left out)."""
    found = {"symtune": __version__, "python": platform.python_version()}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def write_manifest(
    folder: Path, verb: str, arguments: Mapping[str, Any], body: Mapping[str, Any], run: Mapping[str, Any]
) -> None:
    """Write `manifest.json`: what was asked for and what came of it; facts of this run (clock, host, workers)
    stand in the block `run`, so that all the rest is the same bytes whenever the arguments are the same.
    """
    manifest = {
        "symtune": verb,
        "arguments": dict(arguments),
        **body,
        "run": {"command": sys.argv, "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **run},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False, default=str) + "\n", "utf-8")


def read_manifest(folder: Path, verb: str) -> dict[str, Any]:
    """The manifest of an output of `verb`. Raises InputError where there is none, or it is another verb's."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
        made_by = manifest["symtune"]
    except FileNotFoundError:
        raise InputError(f"{folder}: no {MANIFEST} here; expected the output of `symtune {verb}`") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: not a symtune manifest") from None
    if made_by != verb:
        raise InputError(f"{folder}: made by `symtune {made_by}`; expected the output of `symtune {verb}`")
    return dict(manifest)
