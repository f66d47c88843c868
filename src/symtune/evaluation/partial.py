"""Completions on their way: `OUT.partial.jsonl`, from which an interrupted evaluation goes on.

Its first line says what the completions answer: the questions, their prompts, the model. An evaluation of the same goes
on from the lines that are whole; one of anything else is refused, since its completions would be mixed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from symtune.evaluation.judging import completion_of
from symtune.types import Completion, OutputError

HEAD = "evaluation"  # key of the first line
SHOWN = 40  # characters of a value in a message


class Partial:
    """The file while it is open: `known` are the completions that an earlier run left, by index of the question."""

    def __init__(self, stream: IO[str], known: Mapping[int, Completion]) -> None:
        self._stream, self.known = stream, known

    def add(self, line: str) -> None:
        """Keep a line of predictions, also where the next moment ends the process. Raises OutputError."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self._stream.name}: {error.strerror or error}") from None


def partial_path(out: Path) -> Path:
    """Where the completions of an evaluation into the folder `out` are kept until all are there."""
    return out.absolute().parent / f"{out.name}.partial.jsonl"


@contextmanager
def partial_file(
    out: Path, head: Mapping[str, Any], ids: Sequence[str], *, overwrite: bool = False
) -> Iterator[Partial]:
    """The partial file of an evaluation of the questions `ids`, open to be added to. Raises OutputError where it holds
    completions of another evaluation, unless they may be overwritten, and where it cannot be written.
    """
    path = partial_path(out)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept, known = _read(path, head, ids, overwrite=overwrite)
        if kept:
            os.truncate(path, kept)
        # A lone surrogate, which UTF-8 cannot hold, becomes its JSON escape.
        stream = path.open("a" if kept else "w", encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    with stream:
        partial = Partial(stream, known)
        if not kept:
            partial.add(json.dumps({HEAD: head}, ensure_ascii=False))
        yield partial


def _read(
    path: Path, head: Mapping[str, Any], ids: Sequence[str], *, overwrite: bool
) -> tuple[int, dict[int, Completion]]:
    """How many bytes of the file to keep, and the completions in them. A last line that is torn is not kept."""
    if not path.is_file():
        return 0, {}
    with path.open("rb") as stream:
        first = stream.readline()
        difference = _difference(first, head)
        if difference:
            if overwrite:
                return 0, {}
            raise OutputError(
                f"{path} holds completions of another evaluation ({difference}); add --overwrite to begin anew, or "
                "choose another --out"
            )
        kept, known = len(first), dict[int, Completion]()
        index = {id: place for place, id in enumerate(ids)}
        for line in stream:
            try:
                row = json.loads(line)
                known[index[row["id"]]] = completion_of(row)
            except (ValueError, KeyError, TypeError, RecursionError):
                break  # what a killed process left half written, and nothing whole can follow it
            if not line.endswith(b"\n"):
                break
            kept += len(line)
    return kept, known


def _difference(first: bytes, head: Mapping[str, Any]) -> str:
    """In what the head of a partial file differs; "" where it does not."""
    try:
        was = json.loads(first)[HEAD]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "its first line says of none"
    now = json.loads(json.dumps(head))
    found = _flat(was), _flat(now)
    for name in sorted({*found[0], *found[1]}):
        if found[0].get(name) != found[1].get(name):
            return f"{name}: was {_shown(found[0].get(name))}, is {_shown(found[1].get(name))}"
    return ""


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        found |= _flat(inner, f"{name}.{key}" if name else str(key))
    return found


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
