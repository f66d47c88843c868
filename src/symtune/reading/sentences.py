"""Sentences: where they end, what they do, and which sentence of a text answers.

sentences("The city is St. Louis. It is old.")                  ->  ["The city is St. Louis.", "It is old."]
answer_sentence(["Tom has 3. Ann has 4. So the total is 7."])   ->  "So the total is 7."
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from symtune.denotation import ROW_DELIMITER
from symtune.reading import english
from symtune.reading.marks import bare

_INITIALS = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
_KEEP_PERIOD = ("...", "Inc.", "Jr.", "Sr.")
_TITLE = re.compile(r"The [A-Z]")  # "The Dark is Rising"
_VALUE_FOLLOWS = re.compile(r"[\d$€£\"“*]|[A-Z][a-z]")


def sentences(line: str) -> list[str]:
    """The sentences of a line. "St.", "D.C.", initials and the number of a numbered line do not end a sentence."""
    found, start = [], 0
    for end in english.SENTENCE_END.finditer(line):
        opens = english.OPENS_SENTENCE.match(line, end.end())
        word = line[max(start, end.start() - 24) : end.start()].rpartition(" ")[2].lstrip("\"“'(*_")
        numbered = word.isdigit() and end.start() - start <= 3
        mark = line[end.start()]
        if (mark == "!" or (mark == "." and numbered)) and not opens:
            continue
        if mark == "." and _abbreviated(word):
            continue
        found.append(line[start : end.end()].strip())
        start = end.end()
    rest = line[start:].strip()
    return [*found, rest] if rest else found


def _abbreviated(word: str) -> bool:
    """Whether a period after a word belongs to the word."""
    initial = len(word) == 1 and word.isalpha() and word != "I"
    return initial or word.lower() in english.ABBREVIATIONS or word.endswith(".") or bool(_INITIALS.fullmatch(word))


def is_prose(line: str) -> bool:
    """Whether a line is one sentence or more, rather than just an answer."""
    if ROW_DELIMITER in line or english.GOLF_CARD.fullmatch(line):
        return False
    words = line.split()
    ended = line.rstrip("*")[-1:] in (".", "!")
    if line.endswith((":", "：")) or english.STEP.match(line) or english.REFUSES.match(line) or is_arithmetic(line):
        return True
    if is_statement(line) or (
        (" = " in line.partition("(")[0] or line.startswith("=")) and english.EQUALS.search(line)
    ):
        return True
    if len(words) > 1 and ended and (english.YES_OR_NO.match(line) or english.PRONOUN.match(line)):
        return True
    if (len(words) > 2 and english.CONCLUDES.match(line)) or (" because " in line and english.ASIDE.search(line)):
        return True
    return _goes_on(line) or (len(words) > 3 and ended and not line.endswith(_KEEP_PERIOD) and has_verb(line))


def _goes_on(line: str) -> bool:
    """Whether a line goes on with a second sentence, and not just with words after a period."""
    told = sentences(line) if line[:1] not in ('"', "“") else []
    if len(told) < 2:
        return False
    return bool(english.OPENS_SENTENCE.match(told[1])) or (line[-1:] in ".!?" and has_verb(told[1]))


def is_statement(line: str) -> bool:
    """Whether a line says "the … is …" and ends with a period or has a name or a number after its verb."""
    if not english.DETERMINER.match(line):
        return False
    found = english.COPULA.search(line) or english.YIELDS.search(line)
    if not found:
        return False
    if line[-1:] in ".!":
        return True
    title = _TITLE.match(line) or found[0].startswith("'")
    return not title and bool(_VALUE_FOLLOWS.match(line, found.end()))


def is_arithmetic(line: str) -> bool:
    """Whether a line is a calculation and its result: "6-3=3"."""
    return bool(english.ARITHMETIC.fullmatch(line))


def has_verb(text: str) -> bool:
    """Whether a text contains what looks like a verb."""
    patterns = (english.COPULA, english.YIELDS, english.ACTS)
    return any(pattern.search(text) for pattern in patterns) or bool(english.YES_OR_NO.match(text))


def refuses(text: str) -> bool:
    """Whether a sentence says that there is no answer."""
    return bool(english.REFUSES.match(text)) or any(words in text for words in english.REFUSES_WITHIN)


def concludes(line: str) -> bool:
    """Whether a line draws a conclusion."""
    return any(english.CONCLUDES.match(one) for one in sentences(line))


def bold_items(sentence: str) -> list[str]:
    """What is bold in a sentence, without headings ("**Step 1:**")."""
    found = [bare(one[2]) for one in english.BOLD.finditer(sentence) if not one[2].rstrip().endswith(":")]
    return [item for item in found if item]


def answer_sentence(lines: Sequence[str]) -> str | None:
    """The sentence of prose that contains the answer: the last that concludes ("So …", "…, so …"), else one that
    begins with yes or no, else one with something in bold, else the last of a chain of reasoning, else the first.
    """
    told = [one for line in lines for one in sentences(line)]
    told = [one for one in told if not english.CHATS.match(one)] or told
    if not told:
        return None
    for one in reversed(told):
        within = max(english.CONCLUDES_WITHIN.finditer(one), key=re.Match.start, default=None)
        if within:
            return one[within.end() :]
        if english.CONCLUDES.match(one) and not one.endswith("?"):
            return one
    if english.YES_OR_NO.match(told[0]):
        return told[0]
    argued = bool(english.REASONS.match(told[0])) or any(english.EQUALS.search(one) for one in told)
    marked = [one for one in told if bold_items(one)] or told
    return marked[-1] if argued else marked[0]
