"""One record of a file, in whatever layout, as an item: id, prompt, completion, and types if it has them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from symtune.records.layouts import SYSTEM, Layout, given, layout_of, refuse_unused
from symtune.records.turns import EMPTY_INPUTS, Turn, is_turns, render, texts_of, turns_of
from symtune.types import InputError, Rejected

TYPES = ("answer_type", "query_type")
COLUMNS = ("id", "source", "prompt", "completion", *TYPES)  # of a training set folder
ORIGINS = ("task", "task_name", "dataset", "dataset_name", "source", "subset", "origin")  # keys that name an origin
LONGEST_ORIGIN = 200  # characters
MOST_ORIGINS = 2_000
MOST_NAMES = 200  # ignored keys that are counted by name; a file may have a new one in each record
OTHER_NAMES = "(others)"


class Item(NamedTuple):
    """One record. The types, which only generated examples have, tell which answers look alike."""

    id: str
    prompt: str
    completion: str
    answer_type: str = ""
    query_type: str = ""


@dataclass
class Notes:
    """What happened to the records of a source: drops by reason, with the place of the first; ignored keys; the tasks
    or data sets from which records say they come (`origins`).
    """

    dropped: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)

    def drop(self, reason: str, where: str) -> None:
        """Count a record that is left out."""
        self.dropped[reason] += 1
        self.first.setdefault(reason, where)

    def ignore(self, key: str, count: int = 1) -> None:
        """Count records whose key is not read."""
        key = key[:100]
        self.ignored[key if key in self.ignored or len(self.ignored) < MOST_NAMES else OTHER_NAMES] += count

    def originate(self, row: Mapping[str, Any]) -> None:
        """Count the origin that a record names."""
        for value in {row[key] for key in ORIGINS if isinstance(row.get(key), str)}:
            if len(value) <= LONGEST_ORIGIN and (value in self.origins or len(self.origins) < MOST_ORIGINS):
                self.origins[value] += 1


def item_of(row: dict[str, Any], where: str, id: str, notes: Notes) -> Item:
    """The item that a record gives. Raises Rejected for a record that gives none, and InputError for one in an unknown
    layout, or whose prompt would lack a part.
    """
    layout = layout_of(row, where)
    before = [text for key in SYSTEM for text in texts_of(row.get(key), key, where)]
    before += texts_of(row.get("context"), "context", where)
    extra: Counter[str] = Counter()
    turns = turns_of(row.get("history"), "history", where, extra)
    turns += _turns(row, layout, where, extra)
    prompt, completion = render(before, turns, extra)
    fault = _fault(prompt, completion)
    if fault:
        raise Rejected(fault)
    notes.originate(row)
    refuse_unused(row, layout, prompt + "\n" + completion, where)
    read = {"id", *TYPES, "info"} if isinstance(row.get("info"), str) else {"id", *TYPES}  # a text: our own `info`
    for key in [*(key for key in row if key not in layout.keys and key not in read and given(row[key])), *extra]:
        notes.ignore(key)
    named = row.get("id")
    return Item(str(named) if isinstance(named, str | int) and named != "" else id, prompt, completion, *_types(row))


def _fault(prompt: str, completion: str) -> str:
    if not prompt.strip():
        return "empty prompt"
    if not completion.strip():
        return "empty completion"
    try:
        (prompt + completion).encode()
    except UnicodeEncodeError:
        return "unpaired surrogate"
    return ""


def _turns(row: dict[str, Any], layout: Layout, where: str, extra: Counter[str]) -> list[Turn]:
    if layout.chat:
        return turns_of(row[layout.chat], layout.chat, where, extra)
    prompt, answer = row[layout.prompt], row[layout.completion]
    if is_turns(prompt) or is_turns(answer):  # the prompt or the completion consists of messages
        asked = turns_of(prompt, layout.prompt, where, extra, role="user")
        return asked + turns_of(answer, layout.completion, where, extra, role="assistant")
    parts = texts_of(prompt, layout.prompt, where)
    for key in layout.more:
        parts += [text for text in texts_of(row.get(key), key, where) if text.strip().lower() not in EMPTY_INPUTS]
    return [Turn("user", "\n\n".join(parts)), Turn("assistant", _text(answer, layout.completion, where))]


def _text(value: Any, key: str, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{where}: {key} is {type(value).__name__}, wanted a text")
    return value


def _types(row: dict[str, Any]) -> tuple[str, str]:
    """Answer type and query type; a data set folder keeps the latter in `info`."""
    query_type = row.get("query_type")
    if query_type is None and isinstance(row.get("info"), str):
        try:
            query_type = json.loads(row["info"]).get("query_type")
        except (ValueError, RecursionError, AttributeError):  # a column of that name that is not ours
            query_type = None
    return str(row.get("answer_type") or ""), str(query_type or "")
