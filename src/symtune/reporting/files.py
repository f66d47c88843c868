"""Reads our own files for a page: JSON and JSON lines, checked; a missing file gives None or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from symtune.files import json_objects
from symtune.types import InputError

Json = Mapping[str, Any]
Checked = TypeVar("Checked", bound=BaseModel)


def checked(model: type[Checked], lines: Sequence[Any], place: str) -> tuple[Checked, ...]:
    """The lines as instances of `model`. Raises InputError that names the first fault."""
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(model.model_validate(line))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            name = ".".join(map(str, fault["loc"]))
            raise InputError(f"{place} {number}: {name}: {fault['msg']}") from None
    return tuple(found)


def checked_lines(model: type[Checked], path: Path, having: str = "") -> tuple[Checked, ...]:
    """The lines of a jsonl file, or only those with the key `having`; none if there is no file."""
    if not path.is_file():
        return ()
    values = [entry.value for entry in json_objects(path) if not having or having in entry.value]
    return checked(model, values, f"{path}: line")


def read_json(path: Path, of: type = dict) -> Any:
    """The JSON value of a file, which must be of the given type; None if there is no file. Raises InputError."""
    if not path.is_file():
        return None
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, of):
        raise InputError(f"{path}: got a JSON {type(value).__name__}, wanted {of.__name__}")
    return value


def read_text(path: Path) -> str:
    """The text of a file. Raises InputError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
