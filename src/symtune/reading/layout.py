"""Answers that are laid out: markdown tables, bulleted and numbered lists, bare lines.

tabled(["| City |", "|---|", "| Oslo |"])      ->  ["Oslo"]
listed(["They are:", "- Oslo", "- Bergen"])    ->  ["Oslo", "Bergen"]
lined(["Oslo", "Bergen", "Both are cities."])  ->  ["Oslo", "Bergen"]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symtune.denotation import CELL_DELIMITER, parse
from symtune.reading.marks import bare, unmarked
from symtune.reading.sentences import is_prose

_FENCE = re.compile(r"(?:```|~~~)\s?([\w+-]*)")
_TEXT = ("", "text", "txt", "json", "markdown", "md", "plaintext", "plain", "csv", "output", "xml", "yaml", "latex")
_RULE = frozenset("|:+=_-* \t")
_BULLET = re.compile(r"(?:[-*•‣–+]|\(?\d{1,3}[.)]|\(?[a-z]\))\s+(?=\S)")
_QUOTED = re.compile(r"(?:>\s|#{1,6}\s+|[→➡⇒✅✔☑👉🏆⭐🎯🎉💡📌🔹🔸▶►]\uFE0F?\s*)+(?=\S)")
_SUM = re.compile(r"[\d.,()]+(?: [-+*/×÷] [\d.,()]+)+")  # a step on the way to the answer below it
_LONG = 12  # words; a longer bullet or bare line is a sentence, not an item
_STEP = re.compile(r"(?:step|first|second|third|then|next|finally|now)\b|[^:]{1,60}:\s", re.IGNORECASE)


def lines_of(text: str) -> list[str]:
    """The lines of a text that are not empty, without surrounding white space, quotation and heading marks and code
    fences; and without fenced blocks in a programming language, if there is anything else.
    """
    kept: list[str] = []
    code: list[str] = []
    fenced, language = False, ""
    for line in text.splitlines():
        line = line.strip()
        if fence := _FENCE.match(line):
            fenced = not fenced
            language = fence[1].lower() if fenced else ""
            rest = line[fence.end() :].strip().removesuffix("```").strip()
            if not rest:
                continue
            fenced, line = fenced and not line.endswith("```"), rest if language in _TEXT else f"{fence[1]} {rest}"
        if quoted := _QUOTED.match(line):
            line = line[quoted.end() :].rstrip("# ")
        if line:
            (kept if language in _TEXT else code).append(line)
    return kept or code


def is_rule(line: str) -> bool:
    """Whether a line only draws a rule: "|---|---|", "+----+", "***"."""
    return ("--" in line or "==" in line or line[:3] == "***") and set(line) <= _RULE


def tabled(lines: Sequence[str]) -> list[str] | None:
    """The rows of the first table that has a rule under its header, or whose lines begin and end with a bar."""
    for number, line in enumerate(lines):
        if not is_rule(line) or number + 1 == len(lines):
            continue
        if "|" in line or "+" in line or (number == 1 and not is_prose(lines[2])):
            break
    else:
        return None
    barred = "|" in line or "+" in line
    head = number - 1 if number and ("|" in lines[number - 1] or not barred) else number
    rows = []
    for line in lines[head:]:
        if is_rule(line):
            continue
        if ("|" not in line) if barred else is_prose(line):
            break
        cells = [cell for part in line.strip("|").split("|") if (cell := bare(part))]
        rows.append(CELL_DELIMITER.join(cells))
    return [row for row in rows[1:] if row] or None


def listed(lines: Sequence[str], *, headed: bool) -> list[str] | None:
    """The items of a bulleted or numbered list: two or more, or one if a heading announces it. A list of sentences
    is reasoning, not an answer.
    """
    bullets = [line[found.end() :].strip() for line in lines if (found := _BULLET.match(line))]
    items = [item for bullet in bullets if (item := bare(bullet))]
    if not items or not (headed or len(items) > 1):
        return None
    last = max(number for number, line in enumerate(lines) if _BULLET.match(line))
    argues = any(len(one.split()) > _LONG or _STEP.match(one) or _tells(one) for one in bullets)
    return None if argues and last + 1 < len(lines) else items


def _tells(bullet: str) -> bool:
    return is_prose(bullet) or (bullet.endswith(".") and len(bullet.split()) > 2)


def is_bullet(line: str) -> bool:
    """Whether a line is an item of a list."""
    return bool(_BULLET.match(line))


def lined(lines: Sequence[str]) -> list[str] | None:
    """Bare lines at the beginning, up to the first line of prose: each is one item, or several separated by " | ".
    Lines that are all the same count as one.
    """
    items: list[str] = []
    if len([line for line in lines if is_bullet(line)]) > 1 or any(line.startswith("=") for line in lines):
        return None
    for number, line in enumerate(lines):
        if is_rule(line) and items:
            break
        if is_prose(line) or (number and len(line.split()) > _LONG):
            break
        items.append(alone(line))
    items = [item for item in items if not _SUM.fullmatch(item)] or items
    if len(items) > 1 and len(set(items)) == 1:
        items = items[:1]
    return [CELL_DELIMITER.join(row) for item in items for row in parse(item)] if items else None


def alone(line: str) -> str:
    """A line that is an answer and nothing else, without the markdown around it and the period after a number or a
    single word ("5.", "Oslo."; "U.S." and "Wal-Mart Stores, Inc." keep theirs).
    """
    line = unmarked(line)
    if line[:1] in "$\\" and line[-1:] in "$)]":
        line = bare(line)
    if re.fullmatch(
        r"[^\W\d_]{4,}\.|(?:yes|no)\.|\(?[A-Z]\)?\.|[-+−$€£¥]{0,2}\d[\d.,]*%?\.|\d[\d.,]* [a-z]{4,}\.", line, re.I
    ):
        line = line[:-1]
    return line
