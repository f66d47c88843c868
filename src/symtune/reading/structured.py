"""Answers written as data: JSON, or a Python list, tuple or dict, complete or cut off at the end.

structured('{"answer": ["Oslo", "Bergen"]}')     ->  ["Oslo", "Bergen"]
structured("[('Oslo', 3), ('Bergen', 1)]")       ->  ["Oslo ; 3", "Bergen ; 1"]
structured("Bangkok, Thailand")                  ->  None: not data
"""

from __future__ import annotations

import json
import re

from symtune.denotation import CELL_DELIMITER, parse

Value = str | list["Value"] | dict[str, "Value"] | None

_DEEPEST = 6
_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(
    r'"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)(?P<end>"|$)'
    r"|'(?P<single>[^'\\]*(?:\\.[^'\\]*)*)(?P<stop>'|$)"
    r"|(?P<bare>[-+]?\d[\d.,]*(?:[eE][-+]?\d+)?(?<!,)%?|true|false|null|none|nan)(?![^\s,\]})])"
    r"|(?P<mark>[\[\](){},:])",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING = {"[": "]", "(": ")", "{": "}"}
_KEYS = ("final_answer", "finalanswer", "answer", "answers", "result", "results", "output", "value", "response")
_KEY = re.compile(
    r"""(["'])(final[_ ]?answers?|answers?|results?|output|response|denotation|prediction)\1\s*:\s*""", re.IGNORECASE
)


class _NotDataError(Exception):
    """The text is not data. Never leaves this module."""


def structured(text: str) -> list[str] | None:
    """The items of a text that consists only of data, else None."""
    text = text.strip()
    if text[:1] not in _CLOSING or text[:1] == "(":
        return None
    try:
        value, end = _value(text, 0, 0)
    except _NotDataError:
        return None
    items = _items(value)
    return items if not text[end:].strip(" \n\t.;") and (items or len(text) > 1) else None


def keyed(text: str) -> list[str] | None:
    """The items under the last key "answer" or "final_answer" anywhere in a text, or else under "result" and the like;
    None if there is no such key with a value.
    """
    keys = list(_KEY.finditer(text))
    keys = [key for key in keys if "answer" in key[2].lower()] or keys
    if not keys:
        return None
    try:
        return _items(_value(text, keys[-1].end(), 0)[0])
    except _NotDataError:
        return None


def _value(text: str, position: int, depth: int) -> tuple[Value, int]:
    """The value that begins at `position`, and where it ends."""
    token, position = _token(text, position)
    if token is None or depth > _DEEPEST:
        raise _NotDataError
    if token["mark"] in _CLOSING:
        return _container(text, position, depth, token["mark"])
    if token["mark"]:
        raise _NotDataError
    return _scalar(token), position


def _container(text: str, position: int, depth: int, mark: str) -> tuple[Value, int]:
    """A list, a tuple, a set or an object after its opening mark."""
    members: list[Value] = []
    pairs: dict[str, Value] = {}
    while True:
        token, after = _token(text, position)
        if token is None:
            if text[position:].strip():
                raise _NotDataError
            break
        if token["mark"] == _CLOSING[mark]:
            position = after
            break
        if token["mark"] == ",":
            position = after
            continue
        member, position = _value(text, position, depth + 1)
        token, after = _token(text, position)
        if mark == "{" and token is not None and token["mark"] == ":" and isinstance(member, str):
            if _gap(text, after) == len(text):
                break
            pairs[member], position = _value(text, after, depth + 1)
        else:
            members.append(member)
    return (pairs or members), position


def _token(text: str, position: int) -> tuple[re.Match[str] | None, int]:
    token = _TOKEN.match(text, _gap(text, position))
    return token, token.end() if token else position


def _gap(text: str, position: int) -> int:
    """Where the white space at `position` ends."""
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _scalar(token: re.Match[str]) -> Value:
    if token["bare"] is not None:
        return None if token["bare"].lower() in ("null", "none") else token["bare"]
    if token["single"] is not None:
        return re.sub(r"\\(.)", r"\1", token["single"], flags=re.DOTALL)
    try:
        return str(json.loads(f'"{token["double"]}"', strict=False))
    except ValueError:
        return token["double"]


def _items(value: Value) -> list[str]:
    """The items that a value stands for: members of a list are items, and members of a list inside it are cells."""
    if isinstance(value, dict):
        named = {name.lower().replace(" ", "_"): inner for name, inner in value.items()}
        chosen = next((named[name] for name in _KEYS if name in named), None)
        if chosen is not None:
            return _items(chosen)
        return [CELL_DELIMITER.join(cells)] if (cells := _cells(value)) else []
    if isinstance(value, list):
        return [CELL_DELIMITER.join(cells) for member in value if (cells := _cells(member))]
    return [CELL_DELIMITER.join(row) for row in parse(value or "")]


def _cells(value: Value) -> list[str]:
    """The texts in a value, from left to right."""
    if isinstance(value, str):
        cell = " ".join(value.split())
        return [cell] if cell else []
    inner = value.values() if isinstance(value, dict) else value or ()
    return [cell for member in inner for cell in _cells(member)]
