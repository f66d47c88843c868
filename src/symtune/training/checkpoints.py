"""Checkpoints of a training that may be interrupted at any time: marked when complete, checked before use.

    checkpoint-200/complete.json     sizes and sha256 of all other files, and what the training was; written last

A checkpoint without this mark, or whose files do not match it, is skipped with a one-line message, and the newest
complete one is used. An older checkpoint is deleted only once a newer one has its mark.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from symtune.output import sha256
from symtune.types import OutputError

MARK = "complete.json"
PREFIX = "checkpoint-"

Say = Callable[[str], None]  # one line for the user


def step_of(checkpoint: Path | None) -> int:
    """The optimizer step of a checkpoint folder; 0 for none."""
    number = checkpoint.name.removeprefix(PREFIX) if checkpoint else "0"
    return int(number) if number.isdigit() else 0


def mark(folder: Path, training: Mapping[str, Any] | None = None) -> None:
    """Mark a checkpoint as complete. `training`: what determines the outcome, for a later run to compare."""
    files = {
        path.relative_to(folder).as_posix(): [path.stat().st_size, sha256(path)]
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARK
    }
    partial = folder / f".{MARK}.partial"
    partial.write_text(json.dumps({"files": files, "training": dict(training or {})}, indent=1) + "\n", "utf-8")
    partial.replace(folder / MARK)


def training_of(checkpoint: Path) -> Mapping[str, Any]:
    """What the mark of a complete checkpoint says about its training."""
    found: Mapping[str, Any] = json.loads((checkpoint / MARK).read_text("utf-8"))["training"]
    return found


def fault(checkpoint: Path) -> str:
    """Why a checkpoint is incomplete; "" if it is complete."""
    try:
        files = dict(json.loads((checkpoint / MARK).read_text("utf-8"))["files"])
        sizes = {name: (int(size), str(digest)) for name, (size, digest) in files.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return f"no {MARK}, which is written last"
    for name, (size, digest) in sizes.items():
        path = checkpoint / name
        got = path.stat().st_size if path.is_file() else None
        if got != size:
            return f"{name} is missing" if got is None else f"{name} has {got:,} of {size:,} bytes"
        if sha256(path) != digest:
            return f"{name} has changed"
    return ""


def newest_complete(folder: Path, say: Say = lambda line: None) -> Path | None:
    """The newest complete checkpoint in a folder, or None. If newer ones are incomplete, `say` reports why."""
    for path in sorted(folder.glob(f"{PREFIX}*"), key=step_of, reverse=True):
        if not path.is_dir() or not step_of(path):
            continue
        wrong = fault(path)
        if not wrong:
            return path
        say(f"{path} is incomplete ({wrong}) and is skipped")
    return None


@contextlib.contextmanager
def writing(folder: Path, *, clear: bool = True) -> Iterator[None]:
    """A context for everything that writes model weights or checkpoints: errors of the libraries become OutputError,
    and, with `clear`, nothing half written stays in `folder`.
    """
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        # torch.save reports a full disk as a RuntimeError about its stream, safetensors as a SafetensorError.
        if isinstance(error, RuntimeError) and not _of_a_file(error):
            raise
        if clear:
            shutil.rmtree(folder, ignore_errors=True)
        raise OutputError(f"cannot write {folder}: {_reason(error, folder)}") from None


def _of_a_file(error: RuntimeError) -> bool:
    words = str(error)
    return any(sign in words for sign in ("PytorchStreamWriter", "inline_container", "unexpected pos", "file write"))


def _reason(error: Exception, folder: Path) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    with contextlib.suppress(OSError):
        room = os.statvfs(folder.parent)
        if room.f_bavail * room.f_frsize < 2**20:
            return "No space left on device"
    return " ".join(str(error).split())[:200]
