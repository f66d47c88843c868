"""Completions so far: lines of predictions in a working folder, from which an interrupted evaluation resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from symtune.evaluation.judging import completion_of
from symtune.output import working_folder
from symtune.types import Completion, OutputError

FILE = "predictions.jsonl"  # in the working folder


class Partial:
    """The file while it is open. `known`: the completions left by an earlier run, by index of the question."""

    def __init__(self, stream: IO[str], known: Mapping[int, Completion]) -> None:
        self._stream, self.known = stream, known

    def add(self, line: str) -> None:
        """Store a line of predictions durably, even if the process ends right after. Raises OutputError."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self._stream.name}: {error.strerror or error}") from None


@contextmanager
def partial_file(
    out: Path, identity: Mapping[str, Any], ids: Sequence[str], *, overwrite: bool = False
) -> Iterator[Partial]:
    """The completions so far of an evaluation of the questions `ids` into the folder `out`, open for adding more; they
    are removed when the block ends without an error. `identity`: what the completions belong to: the questions, their
    prompts, the model. Raises OutputError if an evaluation with another identity left some, unless they may be
    overwritten.
    """
    with working_folder(out, identity, worth=_has_completions, overwrite=overwrite) as folder:
        path = folder / FILE
        try:
            kept, known = _read(path, ids)
            if path.exists():
                os.truncate(path, kept)
            # A lone surrogate, which UTF-8 cannot hold, becomes its JSON escape.
            stream = path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
        with stream:
            yield Partial(stream, known)


def _has_completions(folder: Path) -> bool:
    path = folder / FILE
    return path.is_file() and path.stat().st_size > 0


def _read(path: Path, ids: Sequence[str]) -> tuple[int, dict[int, Completion]]:
    """How many bytes of the file to keep, and the completions in them. An incomplete last line is not kept."""
    kept, known = 0, dict[int, Completion]()
    if not path.is_file():
        return kept, known
    index = {id: place for place, id in enumerate(ids)}
    with path.open("rb") as stream:
        for line in stream:
            try:
                row = json.loads(line)
                place, completion = index[row["id"]], completion_of(row)
            except (ValueError, KeyError, TypeError, RecursionError):
                break  # a line that a killed process left half written; nothing complete can follow it
            if not line.endswith(b"\n"):
                break
            known[place] = completion
            kept += len(line)
    return kept, known
