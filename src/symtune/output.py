"""How every stage writes: under a temporary name that is renamed when the output is complete, with a manifest.

Nobody ever finds half a result in an output folder: `new_folder` yields a hidden sibling folder and renames it at the
end, and a failure leaves nothing behind. Work that an interrupted run can resume is kept in a `working_folder`, which
records what determines its outcome: it is never resumed with other arguments, and never mistaken for a result.
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
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from symtune import __version__
from symtune.types import InputError, OutputError, SymtuneError

MANIFEST = "manifest.json"


def check_writable(path: Path, *, overwrite: bool = False) -> None:
    """Raise OutputError now, before hours of work, if `path` cannot become an output (file or folder)."""
    if path.exists() and not overwrite and (path.is_file() or any(path.iterdir())):
        raise OutputError(f"{path} exists already; choose another --out, or add --overwrite to replace it")
    if path.exists() and overwrite and path.is_dir() and any(path.iterdir()) and not (path / MANIFEST).is_file():
        raise OutputError(f"{path} is not a symtune output (no {MANIFEST}); refusing to replace it")
    check_place(path)


def check_place(path: Path) -> None:
    """Raise OutputError if nothing can be written at `path`, whatever is there already."""
    probe = path.absolute().parent
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
        raise _fault(error, path, temporary) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _fault(error: OSError, path: Path, temporary: Path) -> SymtuneError:
    """What went wrong with the output `path`, or with another file that was being read meanwhile."""
    named = Path(os.fsdecode(error.filename)).absolute() if isinstance(error.filename, str | bytes) else temporary
    if any(named.is_relative_to(own) for own in (temporary, path.absolute())) or path.absolute().is_relative_to(named):
        return OutputError(f"cannot write {path}: {error.strerror or error}")
    return InputError(f"{named}: cannot be read: {error.strerror or error}")


WORK = "work.json"  # in a working folder: what determines the outcome of the work


@contextlib.contextmanager
def working_folder(
    out: Path, identity: Mapping[str, Any], *, worth: Callable[[Path], bool], overwrite: bool = False
) -> Iterator[Path]:
    """Yield the hidden folder beside `out` that keeps unfinished work, `.NAME.working`. It is removed when the block
    ends without an error; after an error it stays if `worth(folder)`, that is, if there is something to resume from.

    `identity` is everything that determines the outcome. If the folder holds work with another identity, raises
    OutputError, or, with `overwrite`, clears the folder.
    """
    folder = out.absolute().parent / f".{out.name}.working"
    said = json.loads(json.dumps(identity, default=str))
    try:
        before = _work_of(folder)
        if before is not None and before != said and not overwrite and worth(folder):
            raise OutputError(
                f"{folder} holds unfinished work with other arguments ({_difference(before, said)}); finish it "
                "with the same arguments, or add --overwrite to discard it"
            )
        if before != said:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / WORK).write_text(json.dumps(said, sort_keys=True), "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror}") from None
    try:
        yield folder
    except BaseException:
        if not worth(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first difference between two identities, in words."""
    before, after = _flat(was), _flat(now)
    name = next(key for key in sorted({*before, *after}) if before.get(key) != after.get(key))
    return f"{name}: was {_shown(before.get(name))}, is {_shown(after.get(name))}"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{name}.{key}" if name else str(key))
    return found


def _shown(value: Any, most: int = 40) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"


def _work_of(folder: Path) -> dict[str, Any] | None:
    """The identity recorded in a working folder, or None."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / WORK).read_text("utf-8"))
        return found if isinstance(found, dict) else None
    return None


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
        raise _fault(error, path, temporary) from error
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
    """Write `manifest.json`: the arguments and the outcome. Facts about this run (clock, host, workers) go into the
    block `run`, so that everything else is byte-identical whenever the arguments are the same.
    """
    manifest = {
        "symtune": verb,
        "arguments": dict(arguments),
        **body,
        "run": {"command": sys.argv, "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **run},
    }
    with new_file(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2, ensure_ascii=False, default=str) + "\n", "utf-8")


def read_manifest(folder: Path, verb: str) -> dict[str, Any]:
    """The manifest of an output of `verb`. Raises InputError if there is none, or if another verb wrote it."""
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
