"""The rules by which an answer is read, in order: `RULES`.

A rule takes a model's reply and returns the items that it finds, or None if it does not apply.
"""

from __future__ import annotations

import re

from symtune.denotation import CELL_DELIMITER, parse
from symtune.reading.announcements import announced
from symtune.reading.layout import alone, is_bullet, lined, lines_of, listed, tabled
from symtune.reading.marks import bare, boxed, hashed, tagged
from symtune.reading.sentences import (
    answer_sentence,
    concludes,
    is_arithmetic,
    is_statement,
    refuses,
    sentences,
)
from symtune.reading.statements import stated, value_items, without_aside, without_hedge
from symtune.reading.structured import keyed, structured

_EQUALS = " = "
_YES_AND = re.compile(r"(yes|no|true|false), (?:it|they|he|she|there|the|this|that|because|since)\b", re.IGNORECASE)


def read_reply(text: str) -> list[str]:
    """The items found in a reply by the first rule that applies."""
    found = next((items for rule in RULES if (items := rule(text)) is not None), [])
    return [item for item in found if item.strip()]


def from_tag(text: str) -> list[str] | None:
    """<answer>…</answer>, read by the other rules."""
    inner = tagged(text)
    if inner is None or not inner.strip():
        return None
    return next((items for rule in RULES[1:] if (items := rule(inner)) is not None), None)


def from_box(text: str) -> list[str] | None:
    r"""\boxed{…}."""
    return [CELL_DELIMITER.join(row) for content in boxed(text) for row in parse(content)] or None


def from_hashes(text: str) -> list[str] | None:
    """ "#### 72", as GSM8K ends."""
    value = hashed(text)
    return [CELL_DELIMITER.join(row) for row in parse(value)] if value else None


def from_data(text: str) -> list[str] | None:
    """JSON or a Python list, alone or with the answer under a key of that name."""
    items = keyed(text)
    return items if items is not None else structured("\n".join(lines_of(text)))


def from_announcement(text: str) -> list[str] | None:
    """ "The answer is …", "Answer: …", "Result: …": what follows on the same line or the next ones."""
    found = announced(lines_of(text))
    if found is None:
        return None
    tail = found.tail
    if tail.strip(" :._*…") and not tail.rstrip().endswith(":"):
        return _value(tail, several=found.several)
    below = "\n".join(found.following)
    if found.several and len(found.following) == 1 and not is_bullet(below):
        return _value(below, several=True)
    for rule in (from_data, from_table, _from_headed_list, from_lines, from_sentences):
        items = rule(below)
        if items is not None:
            return items
    return []


def _value(tail: str, *, several: bool) -> list[str]:
    """The items of an announced value: all of it, including units, without the reason and the next sentence."""
    tail = tail.strip().lstrip(":").strip()
    data = structured(tail.rstrip("."))
    if data is not None:
        return data
    value = without_hedge(without_aside(sentences(tail)[0]))
    if yes := _YES_AND.match(tail):
        return [yes[1]]
    if (is_statement(value) or _EQUALS in value or is_arithmetic(value)) and (items := stated(value)):
        return items
    value = bare(value.replace("**", "") if value.count("**") == 2 else value)
    if several:
        return value_items(value, several=True)
    return [CELL_DELIMITER.join(row) for row in parse(value)]


def from_refusal(text: str) -> list[str] | None:
    """ "I cannot tell": no items."""
    lines = lines_of(text)
    return [] if lines and refuses(lines[0]) else None


def from_table(text: str) -> list[str] | None:
    """The rows of a table, without its header."""
    return tabled(lines_of(text))


def from_list(text: str) -> list[str] | None:
    """The items of a list, unless a conclusion follows it."""
    lines = lines_of(text)
    last = max((number for number, line in enumerate(lines) if is_bullet(line)), default=-1)
    if last < 0 or any(concludes(line) for line in lines[last + 1 :]):
        return None
    return listed(lines, headed=any(line.endswith((":", "：")) for line in lines[:last]))


def _from_headed_list(text: str) -> list[str] | None:
    return listed(lines_of(text), headed=True)


def from_lines(text: str) -> list[str] | None:
    """Bare lines at the beginning, after a heading."""
    lines = lines_of(text)
    if len(lines) > 1 and lines[0].endswith((":", "：")):
        lines = lines[1:]
    return lined(lines)


def from_sentences(text: str) -> list[str] | None:
    """The part that answers of the sentence that answers; the whole sentence if no part stands out."""
    lines = lines_of(text)
    if not lines:
        return None
    told = [line for line in lines if not is_bullet(line)] or lines
    sentence = answer_sentence([line for line in told if not line.endswith((":", "："))] or told)
    if sentence is None:
        return None
    if items := stated(sentence):
        return items
    return [CELL_DELIMITER.join(row) for row in parse(alone(lines[0] if len(lines) == 1 else sentence))]


RULES = (
    from_tag,
    from_box,
    from_hashes,
    from_data,
    from_announcement,
    from_refusal,
    from_table,
    from_list,
    from_lines,
    from_sentences,
)
