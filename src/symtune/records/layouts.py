"""The published layouts of records, as a table: which keys hold the prompt, the completion, and the rest.

    messages, conversations, conversation                turns (`turns.py`): OpenAI, ShareGPT and the like
    instruction [input] | output, response, completion   Alpaca, Dolly
    prompt | completion, response                        may also consist of messages, as in TRL
    inputs | targets                                     FLAN, T0
    input | output                                       the layout that the paper published

A record has the first layout whose keys are all present and not empty. Every layout also reads `system` (or
`system_prompt`), `context` and `history`. A key of PARTS may hold a part of the prompt: if the record's layout has no
place for it, and its text is not in the prompt anyway, the record is refused and the key named, because a model would
otherwise be taught to answer from something it was not shown. All other keys are ignored and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symtune.types import InputError

SYSTEM = ("system", "system_prompt")
_ALWAYS = (*SYSTEM, "context", "history")


@dataclass(frozen=True)
class Layout:
    """Where the parts of a record are: in turns (`chat`), or in a prompt, `more` text for it, and a completion."""

    chat: str = ""
    prompt: str = ""
    completion: str = ""
    more: tuple[str, ...] = ()

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The keys that a record of this layout must have."""
        return (self.chat,) if self.chat else (self.prompt, self.completion)

    @cached_property
    def keys(self) -> frozenset[str]:
        """All keys that it reads."""
        return frozenset((*self.needed, *self.more, *_ALWAYS))


LAYOUTS = (
    Layout("messages"),
    Layout("conversations"),
    Layout("conversation"),
    Layout("", "instruction", "output", ("input",)),
    Layout("", "instruction", "response", ("input",)),
    Layout("", "instruction", "completion", ("input",)),
    Layout("", "prompt", "completion"),
    Layout("", "prompt", "response"),
    Layout("", "inputs", "targets"),
    Layout("", "input", "output"),
)
WANTED = (
    "prompt and completion, instruction and output, messages, conversations, inputs and targets, or input and output"
)
# fmt: off
PARTS = frozenset((
    "question", "questions", "query", "context", "contexts", "passage", "passages", "paragraph", "paragraphs",
    "article", "document", "documents", "evidence", "knowledge", "background", "reference_text", "source_text",
    "history", "dialogue", "dialog", "chat_history",
    "premise", "hypothesis", "sentence", "sentence1", "sentence2", "claim",
    "options", "choices", "table", "tables", "schema", "tools", "functions",
    "image", "images", "audio", "audios", "video", "videos",
    "system", "system_prompt", "system_message",
    "messages", "conversations", "conversation", "instruction", "instructions", "prompt", "input", "inputs",
))
# fmt: on
_READ = frozenset().union(*(layout.keys for layout in LAYOUTS))


def matters(key: str) -> bool:
    """Whether some layout reads or refuses a key."""
    return key in _READ or key.lower() in PARTS


def given(value: Any) -> bool:
    """Whether a key holds anything: if a record lacks it, parquet has a null, and other files an empty text."""
    if isinstance(value, str):
        return value.strip() not in ("", "[]", "{}")
    return value is not None and value not in ([], {})


def layout_of(row: Mapping[str, Any], where: str) -> Layout:
    """The layout of a record. Raises InputError for a record in no known layout."""
    for there in ({key for key in row if given(row[key])}, set(row)):
        for layout in LAYOUTS:
            if there.issuperset(layout.needed):
                return layout
    keys = ", ".join(key[:40] for key in list(row)[:8]) or "none"
    raise InputError(f"{where}: keys {keys}; wanted {WANTED}")


def refuse_unused(row: Mapping[str, Any], layout: Layout, shown: str, where: str) -> None:
    """Raise InputError for a key that may hold a part of the prompt but is neither read nor already in `shown`."""
    for key, value in row.items():
        if key in layout.keys or key.lower() not in PARTS or not given(value):
            continue
        if not all(text in shown for text in _texts(value)):
            needed = " and ".join(layout.needed)
            raise InputError(
                f"{where}: {key!r} may hold a part of the prompt, but a record of {needed} does not read it; "
                f"move its text to {layout.chat or layout.prompt} or to context, or remove it"
            )


def _texts(value: Any) -> list[str]:
    """All texts and numbers inside a JSON value."""
    found, open_values = [], [value]
    while open_values:
        value = open_values.pop()
        if isinstance(value, dict):
            open_values += value.values()
        elif isinstance(value, list):
            open_values += value
        elif value is not None:
            found.append(str(value))
    return found
