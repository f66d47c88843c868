"""Answers that are announced: "The answer to … is X", "Answer: X", "Final answer", "Result: X".

    announced(["So the answer is 5."])     ->  Announced(" 5.", [], several=False)

"Final answer" outweighs "answer", which outweighs "result". Among equals the last counts, because reasoning comes
before the answer; but an announcement does not count if it merely repeats the one before it, or comes after a further
question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_SAYS = (
    r"(?: choices?| options?)?(?: \([^()\n]{0,80}\))?(?: (?:to|for|of) [^:.\n]{1,120}?)?(?:, ?[^,.:\n]{1,30},)?"
    r"(?: (?:is|are|was|were|would be|should be|will be|must be)\b(?!(?:n't| not| in the)\b)(?: as follows)?"
    r"(?: therefore| thus)?:?(?: \([^()\n]{1,40}\):)?"
    r"|[*_`\"' ]{0,4} ?[:：=]|[*_]{0,3} [-–—](?= ))"
)
_ANSWER = re.compile(
    rf"\b(?P<final>final )?(?:answer(?P<several>s)?){_SAYS}"
    r"|\b(?:correct|right|best) (?:option|choice|statement)(?:s)? (?:is|are|would be)\b:?"
    r"|^\W*answer(?=\s[-+$€£]?\d)"
    r"|\b(?:antwort|antwoord|svar|svaret|respuesta|réponse|risposta|resposta|odpowiedź|ответ)"
    r"(?: (?:ist|lautet|is|är|er|es|est|è|é)\b| ?:):?"
    r"|(?:答案|回答)(?:是|为|為)?\s?[:：]?",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^\W*(?:final )?(?:(?:query )?results?|outputs?|values?|conclusion|prediction|ans|total|sum)[*_]{0,3} ?[:=](?!=)"
    r"|^[\s*_#>]*A[*_]{0,3}:",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"[\W_]*(?P<final>final )?(?:the |short |my )?(?:answer(?P<several>s)?|result|output)[\W_]*", re.IGNORECASE
)
_SOMETHING = re.compile(r"[ .:*_`\"']*[^ .:*_`\"']")
_ASKS = re.compile(r"\n\s*(?:[A-Z]|[*_#>]{1,4}\s?[A-Z])[^\n]{4,}\?[*_\s]*\n")
_REPEATS = re.compile(
    r"[^.\n]*(?:\.\d[^.\n]*)*[.\n][\s*#_]*(?:so |and )?(?:the |my )?(?:correct |final )?[*_]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Announced:
    """What follows an announcement on its line, the lines after it, and whether "answers" were announced."""

    tail: str
    following: Sequence[str]
    several: bool


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int
    start: int
    end: int
    weight: int
    several: bool


def announced(lines: Sequence[str]) -> Announced | None:
    """The announcement that counts, or None."""
    marks = _marks(lines)
    if not marks:
        return None
    weightiest = max(mark.weight for mark in marks)
    marks = [mark for mark in marks if mark.weight == weightiest]
    chosen = marks[0]
    for before, mark in pairwise(marks):
        between = _between(lines, before, mark)
        if _ASKS.search(between):
            break
        if not _REPEATS.fullmatch(between):
            chosen = mark
    return Announced(lines[chosen.line][chosen.end :], lines[chosen.line + 1 :], chosen.several)


def _marks(lines: Sequence[str]) -> list[_Mark]:
    """All announcements that are followed by something; the empty ones only if there are no others."""
    marks: list[_Mark] = []
    empty: list[_Mark] = []
    for number, line in enumerate(lines):
        alone = _ALONE.fullmatch(line)
        if alone and ":" not in line:
            if number + 1 < len(lines):
                marks.append(_Mark(number, 0, len(line), 3 if alone["final"] else 2, bool(alone["several"])))
            continue
        found = [(one, 3 if one["final"] else 2, bool(one["several"])) for one in _ANSWER.finditer(line)]
        if label := _LABEL.match(line):
            found.append((label, 1, False))
        for one, weight, several in found:
            mark = _Mark(number, one.start(), one.end(), weight, several)
            follows = _SOMETHING.match(line, one.end()) or number + 1 < len(lines)
            if follows:
                marks.append(mark)
            elif weight > 1:
                empty.append(mark)
    return marks or empty


def _between(lines: Sequence[str], one: _Mark, other: _Mark) -> str:
    """The text from the end of an announcement to the start of a later one."""
    if one.line == other.line:
        return lines[one.line][one.end : other.start]
    middle = lines[one.line + 1 : other.line]
    return "\n".join([lines[one.line][one.end :], *middle, lines[other.line][: other.start]])
