"""Turns of a conversation -> one prompt and one completion.

The rule: the last turn of the assistant is the completion, and whatever follows is left out. The prompt is what comes
before: first the system message and the context, then

    one turn of the user:  its text
    several turns:         "User: …", "Assistant: …", … and at the end "Assistant:"

with an empty line between parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from symtune.types import InputError, Rejected

# fmt: off
ROLES = {
    "user": "user", "human": "user", "prompter": "user", "question": "user", "input": "user", "prompt": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "ai": "assistant", "bard": "assistant", "bing": "assistant", "claude": "assistant", "chatbot": "assistant",
    "output": "assistant", "answer": "assistant", "response": "assistant",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "observation": "tool", "ipython": "tool",
}
# fmt: on
LABELS = {"user": "User: ", "assistant": "Assistant: ", "system": "System: ", "tool": "Tool: ", "": ""}
ROLE_KEYS, TEXT_KEYS = ("role", "from", "speaker"), ("content", "value", "text")
CALLS = ("tool_calls", "function_call")
EMPTY_INPUTS = ("<noinput>", "<no input>")  # what Alpaca's generator writes for an empty input
AFTER = "(turns after the last answer)"


class Turn(NamedTuple):
    """A role and what it says. A text without a role goes into the prompt as it is."""

    role: str
    text: str


def is_turns(value: Any) -> bool:
    """Whether a value is a list of messages rather than a text."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def texts_of(value: Any, key: str, where: str) -> list[str]:
    """The text, or list of texts, that a key holds; empty ones are left out. Raises InputError for anything else."""
    values = value if isinstance(value, list) else [value]
    for one in values:
        if one is not None and not isinstance(one, str):
            raise InputError(f"{where}: {key} is {type(one).__name__}, wanted a text")
    return [one for one in values if one and one.strip()]


def turns_of(value: Any, key: str, where: str, extra: Counter[str], role: str = "") -> list[Turn]:
    """The turns in a list of messages, of pairs (user, assistant), or of texts that alternate; a plain text is one
    turn of `role`. Keys of messages that are not read are counted in `extra`. Raises Rejected for a turn without text
    or of an unknown role, and InputError for anything else.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str) and (role or key == "history"):
        return [Turn(role, value)]
    if not isinstance(value, list):
        raise InputError(f"{where}: {key} is {type(value).__name__}, wanted a list of turns")
    turns: list[Turn] = []
    for number, entry in enumerate(value):
        if isinstance(entry, dict):
            turns += _message(entry, key, extra)
        elif isinstance(entry, list) and len(entry) <= 2:
            turns += [Turn(who, _text(text)) for who, text in zip(("user", "assistant"), entry, strict=False) if text]
        elif isinstance(entry, str):
            turns.append(Turn("assistant" if number % 2 else "user", entry))
        else:
            raise InputError(f"{where}: {key}: turn {number + 1} is {type(entry).__name__}, wanted a message")
    return turns


def _message(entry: dict[str, Any], key: str, extra: Counter[str]) -> list[Turn]:
    name = next((name for name in ROLE_KEYS if entry.get(name)), "")
    if not name:  # {"human": …, "assistant": …}
        pairs = [(ROLES[who.lower()], text) for who, text in entry.items() if who.lower() in ROLES and text]
        if not pairs:
            raise Rejected("a turn without a role")
        return [Turn(who, _text(text)) for who, text in pairs]
    if any(entry.get(call) for call in CALLS) or str(entry[name]).lower() in CALLS:
        raise Rejected("a turn that calls a tool")
    role = ROLES.get(str(entry[name]).strip().lower())
    if role is None:
        raise Rejected("a turn of an unknown role")
    held = next((text for text in TEXT_KEYS if entry.get(text) is not None), "")
    for other, value in entry.items():
        if other not in (name, held, *CALLS) and value is not None:
            extra[f"{key}[].{other}"] = 1
    return [Turn(role, _text(entry.get(held)))]


def _text(content: Any) -> str:
    """The text of a message, which may come in parts, as in OpenAI's layout."""
    if isinstance(content, str):
        return content
    if content is None:
        raise Rejected("a turn without text")
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    whole = [text for text in texts if isinstance(text, str)]
    if len(whole) < len(texts):
        raise Rejected("a turn that is not text")
    return "\n\n".join(whole)


def render(before: Sequence[str], turns: Sequence[Turn], extra: Counter[str]) -> tuple[str, str]:
    """Prompt and completion, by the rule above; `before` are the texts with which the prompt begins. Raises Rejected if
    there is no answer or no question.
    """
    last = max((k for k, turn in enumerate(turns) if turn.role == "assistant"), default=-1)
    if last < 0:
        raise Rejected("no turn of the assistant")
    if turns[last + 1 :]:
        extra[AFTER] = 1
    asked, parts = list(turns[:last]), list(before)
    while asked and asked[0].role == "system":
        parts.append(asked.pop(0).text)
    if asked and not asked[-1].text.strip():
        raise Rejected("empty prompt")
    if len(asked) == 1 and asked[0].role == "user":
        parts.append(asked[0].text)
    elif asked:
        parts += [LABELS[turn.role] + turn.text for turn in asked] + [LABELS["assistant"].strip()]
    return "\n\n".join(part for part in parts if part.strip()), turns[last].text
