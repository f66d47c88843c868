"""The option that a model chose among several, for MMLU and BBH.

read_option("The answer is (C) blue.", ("red", "green", "blue"))   ->  "C"
read_option("It must be green.", ("red", "green", "blue"))         ->  "B"
read_option("(A) or (B)", ("red", "green", "blue"))                ->  None
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from symtune.reading.announcements import announced
from symtune.reading.layout import lines_of
from symtune.reading.marks import bare, boxed, hashed, tagged
from symtune.reading.rules import read_reply
from symtune.reading.sentences import concludes, sentences
from symtune.reading.statements import without_aside, without_hedge
from symtune.reading.structured import keyed
from symtune.reading.turns import reply

_BRACKETED = re.compile(r"\(([A-Z])\)|\[([A-Z])\]|\b(?:[Oo]ption|[Cc]hoice|[Aa]nswer) \(?\**([A-Z])\b(?!['’])")
_LISTED = re.compile(r"(?:,\s*|\s*(?:,\s*)?(?:and|or|&|/)\s*)\(?\**([A-Z])\**\)?(?![\w'’])")
_LEADING = re.compile(r"[\s*_\"'`$(\[{]*(?:(?:[Oo]ption|[Cc]hoice|[Ll]etter)s?\s+[\s*_(\[]*)?([A-Z])(?![\w'’])")
_AFTER = re.compile(r"[\s*_\"'`$]*(?:[.):\],;}]|[-–—]\s|$)")
_ARTICLES = ("A", "I")  # letters that are also words
_ANSWER_WORDS = ("yes", "no", "true", "false", "none", "all", "valid", "invalid")


def read_option(text: str, options: Sequence[str]) -> str | None:
    """The letter of the option that a model chose: "A" for the first of `options`, which are the texts in order.
    None if no option, or more than one, is chosen. Never raises.

    A letter counts if it is written as an option: "(B)", "B.", "B) Oslo", "Option B", or just B; "A" and "I" before a
    word are words. An option can also be chosen by its full text. The order of precedence is: what is marked
    (\\boxed{…}, <answer>), what is announced, a letter at the beginning, what `read_answer` reads, the sentence that
    concludes, the last sentence, the whole text. Without `options`, any letter may be chosen, and only by its letter.
    """
    for part, stated in _parts(reply(text)):
        chosen = _chosen(part, options, stated=stated)
        if chosen:
            return chosen.pop() if len(chosen) == 1 else None
    return None


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text that may choose, in order of precedence, and whether each is an answer and nothing else."""
    for content in (tagged(text), *boxed(text)[-1:], hashed(text), *(keyed(text) or ())[:1]):
        if content:
            yield content, True
    lines = lines_of(text)
    if found := announced(lines):
        told = sentences(found.tail) or [""]
        yield without_hedge(without_aside(told[0].lstrip(" :"))), True
        yield from ((line, True) for line in found.following[:2])
    if lines and (letter := _LEADING.match(lines[0])) and _AFTER.match(lines[0], letter.end()):
        yield lines[0], True
    for item in read_reply(text)[:1]:
        yield item, True
    told = [one for line in lines for one in sentences(line)]
    yield from ((one, False) for one in [one for one in reversed(told) if concludes(one)][:1])
    yield from ((one, False) for one in told[-1:])
    yield text, False


def _chosen(part: str, options: Sequence[str], *, stated: bool) -> set[str]:
    """The letters of the options that a part of the text chooses."""
    letters = ascii_uppercase[: len(options)] or ascii_uppercase
    chosen = _by_letter(part, options, letters, stated=stated) & set(letters)
    if chosen or not options:
        return chosen
    return {letters[number] for number in _by_text(part, options[: len(letters)], stated=stated)}


def _by_letter(part: str, options: Sequence[str], letters: str, *, stated: bool) -> set[str]:
    """Letters written as options: bracketed anywhere, else at the beginning of an answer."""
    bracketed = {next(filter(None, found.groups())) for found in _BRACKETED.finditer(part)} & set(letters)
    leading = _LEADING.match(part) if stated else None
    if not leading or leading[1] not in letters:
        return bracketed
    letter, after = leading[1], part[leading.end() :]
    rest = after.lstrip("*_\"'`$)]}")
    if letter in _ARTICLES and not _AFTER.match(after) and not _LISTED.match(rest):
        place = letters.index(letter)
        if place >= len(options) or not _fold(rest).startswith(_fold(options[place]) or "\0"):
            return bracketed
    chosen = {letter}
    while listed := _LISTED.match(rest):
        chosen.add(listed[1])
        rest = rest[listed.end() :].lstrip("*_)]")
    return chosen


def _by_text(part: str, options: Sequence[str], *, stated: bool) -> set[int]:
    """Options whose text is the part, begins it, or occurs in it outside the text of a longer option."""
    said = _fold(bare(part))
    texts = [_fold(bare(option)) for option in options]
    whole = {number for number, text in enumerate(texts) if text and text == said}
    if whole:
        return whole
    found: set[int] = set()
    taken: list[tuple[int, int]] = []
    for number in sorted(range(len(texts)), key=lambda number: (-len(texts[number]), number)):
        text = texts[number]
        if not text or (text in _ANSWER_WORDS and not (stated and said.startswith(text))):
            continue
        place = _place(said, text, taken)
        if place is not None:
            found.add(number)
            taken.append((place, place + len(text)))
    return found


def _place(said: str, text: str, taken: Sequence[tuple[int, int]]) -> int | None:
    """The position where `text` first occurs in `said` as whole words, outside the spans that are taken."""
    position = said.find(text)
    for _ in range(64):  # after so many occurrences inside other words, the search is given up
        if position < 0:
            return None
        end = position + len(text)
        inside = (position and said[position - 1].isalnum() and text[0].isalnum()) or (
            end < len(said) and said[end].isalnum() and text[-1].isalnum()
        )
        if not inside and not any(position < stop and start < end for start, stop in taken):
            return position
        position = said.find(text, position + 1)
    return None


def _fold(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .()")
