"""The official rules of WikiTableQuestions: when is a predicted list of items right?

Reimplements the evaluator (version 1.0.2) that Pasupat and Liang (2015, "Compositional Semantic Parsing on
Semi-Structured Tables") released with the data. A released answer is a list of texts; its `.tagged` file adds a
canonical value for each ("10 years" -> "10.0", "27 September" -> "xxxx-09-27").

    wtq_correct(["10"], ["10 years"], ["10.0"])  ->  True
    wtq_correct(["10"], ["10 years"], None)      ->  False: without canonical values, only the text counts

An item is read as a number, a date or a text. Both lists are reduced to distinct values; they must be equally long, and
each target value must match a predicted value: by normalised text, by number within 1e-6, or by date with all fields
equal.

The release was written for Python 2; where the version of Python makes a difference, a text with an underscore between
digits is not a number here. Nothing here raises, and the time is linear in the length of the input.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

TOLERANCE = 1e-6

_ASCII_FORMS = str.maketrans("‘’´`“”‐‑‒–—−", "''''\"\"------")
_CITATION_SIGNS = frozenset("•♦†‡*#+")
_LONG = 2_000  # characters; normalising a long run of combining marks takes time quadratic in its length


@dataclass(frozen=True, slots=True)
class WtqValue:
    """One item: what it means (`meaning`: a number, a (year, month, day) with -1 for an open field, or the normalised
    text), and its normalised text. Values with the same meaning count as one value of a list.
    """

    meaning: int | float | tuple[int, int, int] | str
    text: str

    def matches(self, other: WtqValue) -> bool:
        """Whether a target value and a predicted value are the same, by text, number or date."""
        if self.text == other.text:
            return True
        mine, theirs = self.meaning, other.meaning
        if isinstance(mine, int | float) and isinstance(theirs, int | float):
            try:
                return abs(mine - theirs) < TOLERANCE
            except OverflowError:  # an integer beyond the range of floats, compared with a fraction
                return False
        return isinstance(mine, tuple) and mine == theirs


def wtq_correct(prediction: Sequence[str], target: Sequence[str], target_canon: Sequence[str] | None) -> bool:
    """The official verdict on a predicted list of items.

    `target` holds the released answer's items, `target_canon` the canonical value of each (None if the
    release has no `.tagged` file; items beyond its end have none). Predicted items are read as they are.
    """
    wanted = _wanted(target, target_canon)
    given = _distinct([to_value(text) for text in prediction])
    return len(wanted) == len(given) and all(any(one.matches(other) for other in given) for one in wanted)


def alone_right(target: Sequence[str], target_canon: Sequence[str] | None) -> Callable[[WtqValue], bool]:
    """Whether an item, predicted alone, is right: `wtq_correct` for one target and many items."""
    wanted = _wanted(target, target_canon)
    return wanted[0].matches if len(wanted) == 1 else lambda value: False


def _wanted(target: Sequence[str], target_canon: Sequence[str] | None) -> list[WtqValue]:
    canon = list(target_canon or ())
    canon += [""] * (len(target) - len(canon))
    return _distinct([to_value(text, value) for text, value in zip(target, canon, strict=False)])


def _distinct(values: Sequence[WtqValue]) -> list[WtqValue]:
    """The first value with each meaning."""
    first: dict[object, WtqValue] = {}
    for value in values:
        first.setdefault(value.meaning, value)
    return list(first.values())


def to_value(text: str, canonical: str = "") -> WtqValue:
    """An item as a number, a date (also "xx-09-27"; a year alone is a number) or a text, in this order, read from its
    canonical value if there is one.
    """
    source = canonical or text
    meaning: int | float | tuple[int, int, int] | None = _number(source)
    if meaning is None:
        meaning = _date(source)
        if meaning is not None and meaning[1:] == (-1, -1):
            meaning = meaning[0]
    if meaning is None:
        normal = normalize(text)
        return WtqValue(normal, normal)
    if isinstance(meaning, float) and abs(meaning - round(meaning)) < TOLERANCE:
        meaning = int(meaning)
    return WtqValue(meaning, normalize(text) if text else _plain(meaning))


def _plain(meaning: int | float | tuple[int, int, int]) -> str:
    """The text for a value whose own text is empty."""
    if not isinstance(meaning, tuple):
        return str(meaning)
    year, month, day = meaning
    return f"{'xx' if year == -1 else year}-{'xx' if month == -1 else month}-{day}"


def _integer(text: str) -> int | None:
    try:
        return None if "_" in text else int(text)
    except ValueError:
        return None


def _number(text: str) -> int | float | None:
    whole = _integer(text)
    if whole is not None or "_" in text:
        return whole
    try:
        amount = float(text)
    except ValueError:
        return None
    return amount if math.isfinite(amount) else None


def _date(text: str) -> tuple[int, int, int] | None:
    """ "yyyy-mm-dd" with "xx" (for a year also "xxxx") in an open field, not in all three."""
    if text.count("-") != 2:
        return None
    fields = text.lower().split("-")
    year = -1 if fields[0] in ("xx", "xxxx") else _integer(fields[0])
    month = -1 if fields[1] == "xx" else _integer(fields[1])
    day = -1 if fields[2] == "xx" else _integer(fields[2])
    if year is None or month is None or day is None or (year, month, day) == (-1, -1, -1):
        return None
    if not (month == -1 or 1 <= month <= 12) or not (day == -1 or 1 <= day <= 31):
        return None
    return (year, month, day)


def normalize(text: str) -> str:
    """A text without what the rules ignore: diacritics, the shape of quotation marks and dashes, citations at the end
    ("[3]", "[citation needed]", "†"), details in parentheses at the end, quotation marks around the whole, one final
    period, case, the kind and amount of white space. Citations, details and quotation marks are removed in turn until
    none are left; working with positions instead of copies keeps a text with a thousand citations cheap.
    """
    text = _without_marks(text).translate(_ASCII_FORMS)
    span = _trim(text, 0, len(text))
    while True:
        before = span
        span = _trim(text, span[0], _cut_citations(text, *span))
        span = _trim(text, span[0], _cut_details(text, *span))
        span = _trim(text, *_inside_quotes(text, *span))
        if span == before:
            break
    text = text[span[0] : span[1]].removesuffix(".")
    return " ".join(text.split()).lower()


def _without_marks(text: str) -> str:
    """`text` decomposed (NFKD) and without nonspacing marks."""
    if text.isascii():
        return text
    if len(text) > _LONG:  # character by character: only the order among marks can differ
        return "".join([_without_marks(char) for char in text])
    return "".join([c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn"])


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _cut_citations(text: str, start: int, end: int) -> int:
    """The end of text[start:end] before its longest tail of brackets and citation signs. At the very beginning of the
    text, only a sign or a number in brackets is a citation.
    """
    while end > start:
        if text[end - 1] in _CITATION_SIGNS:
            end -= 1
            continue
        if text[end - 1] != "]":
            break
        opened = text.find("[", max(text.rfind("]", start, end - 1) + 1, start), end - 1)
        if opened == start and not text[start + 1 : end - 1].isdecimal():
            opened = text.find("[", start + 1, end - 1)
        if opened < 0:
            break
        end = opened
    return end


def _cut_details(text: str, start: int, end: int) -> int:
    """The end of text[start:end] before its longest tail of " (…)"."""
    while end > start and text[end - 1] == ")":
        opened = text.find(" (", max(text.rfind(")", start, end - 1) + 1, start), end - 1)
        if opened < 0:
            break
        end = opened
    return end


def _inside_quotes(text: str, start: int, end: int) -> tuple[int, int]:
    """The span inside the quotation marks around text[start:end], if it contains no others."""
    if end - start >= 2 and text[start] == text[end - 1] == '"' and text.find('"', start + 1, end - 1) < 0:
        return start + 1, end - 1
    return start, end
