"""What a column is to a person: its role, by a stated rule of its header, its type and its cells. docs/tables.md has
the rule in words, tests/roles.yaml as columns of real tables.

    roles_of(table)      # (Role("year"), Role("name"), Role("quantity", "km²"))

A role is of the whole table, as a type is: in a view of three rows a category may not repeat. What names a row
(`NAMING`) is what people look it up by; quantities alone are summed, and added where their units are one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Literal, NamedTuple

from symtune.tables import role_words as words_of
from symtune.tables.cells import is_missing, parse_number, without_footnotes
from symtune.tables.columns import parse_cell
from symtune.types import ColumnType, Table

RoleName = Literal["identifier", "year", "rank", "quantity", "category", "name", "date", "free text"]


class Role(NamedTuple):
    """What a column is; `unit` is that of a quantity, "" where none is known."""

    name: RoleName
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.unit})" if self.unit else self.name


# What names a row, where its values are unique.
NAMING: frozenset[str] = frozenset(["identifier", "year", "rank", "category", "name", "date"])
LOOKED_AT = 30  # rows: they say what a column is, and a long table costs no more than these
PATTERNS_AT = 12  # cells that are held against patterns
_OUTRIGHT = frozenset(["year", "years", "season", "seasons"])
LARGE = 2000  # what numbers rows or parts them is less
_DENSE = frozenset(["density", "per"])
YEARS = (1000, 2100)
PLAIN_YEARS = (1850, 2050)  # where no word of the header says so
OTHERWISE = 5  # one cell in as many may look otherwise than the rest
LONG, WORDY = 50, 8  # characters and spaces of a free text in the mean

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+|\d+|[#№%$€£¥°]")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_RANGE = re.compile(r"\d\s*(?:[-–—]|to)\s*\d")
_UNIT_WORD = re.compile(r"[^\W\d_]+\$?|[%$€£¥₹]|(?<!\d)(?:1000s?|000s?)(?!\d)")


def _years_text(year: str) -> re.Pattern[str]:
    """A year or a span of years, or several."""
    span = rf"{year}(?:\s?[-–—/]\s?(?:[0-9]{{2}}|[0-9]{{4}}|present)?)?"
    about = r"(?:~|c\.|ca\.|circa|about|prior to|before|after|since|from|until|by|early|late)\s?"
    return re.compile(rf"(?:{about})?{span}(?:\s?(?:[,;&]|and)\s?{span})*", re.I)


_YEARS_TEXT = _years_text("(?:1[0-9]|20)[0-9]{2}")
_PLAIN_YEARS_TEXT = _years_text("(?:18[5-9]|19[0-9]|20[0-4])[0-9]")  # where no word of the header says so
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DATE_TEXT = re.compile(  # searched for
    rf"\b{_MONTH}(?:\.?\s*[-–,']|\.?\s)\s*\d|\d(?:st|nd|rd|th)?[\s-]+{_MONTH}\b"
    r"|\A\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{4}|\A\d{4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}",
    re.I,
)
_DAY_TEXT = re.compile(r"\d{1,2}\s?[-/.]\s?\d{1,2}(?:\s?[-/.]\s?\d{2})?")  # a date, where the header says so
_CODE = re.compile(r"(?![WLDT]\s?\d+\s?[-–:])[A-Z]{1,5}[-\s/]?[0-9][0-9A-Z/-]*", re.I)  # but not `W 21-14`
_COUNTED = re.compile(r"#?[0-9]{1,6}\.?")
_PLACE = re.compile(r"[=#tT]?\s?-?[0-9]{1,4}(?:st|nd|rd|th|=|\.|[a-z])?(?:\s?\(.{1,12}\))?")


def roles_of(table: Table) -> tuple[Role, ...]:
    """The role of each column."""
    rows = table.rows[:LOOKED_AT]
    columns = zip(*rows, strict=True) if rows else [()] * len(table.header)
    return tuple([role_of(*column) for column in zip(table.header, table.types, columns, strict=True)])


def role_of(header: str, type: ColumnType, cells: Sequence[str]) -> Role:
    """The role of one column."""
    if type == "date":
        return Role("date")
    return _number(header, cells) if type == "number" else _text(header, cells)


@lru_cache(maxsize=4096)
def _words(header: str) -> tuple[str, ...]:
    """The words of a header, in small letters: a repeated header's number, and years in brackets, are none of them."""
    text = _BRACKETS.sub(" ", header)
    return tuple(_WORD.findall(_CAMEL.sub(" ", text if text.strip() else header).casefold()))


# --------------------------------------------------------------------------------------------------- numbers


def _number(header: str, cells: Sequence[str]) -> Role:
    values = [value for value in map(parse_cell, cells, repeat("number")) if value is not None]
    unit = _symbol(header, next((cell for cell in cells if not is_missing(cell, typed=True)), ""))
    words = _words(header)
    if unit or not values or not {*map(type, values)} <= {int}:
        return Role("quantity", unit or _measure(words))
    plain = "," not in "".join(cells)
    low, high = min(values), max(values)
    if plain and _within(YEARS, low, high) and _says_year(words):
        return Role("year")
    numbered = values == list(range(1, len(values) + 1)) and len(values) > 4
    if _is_counted(words) and not numbered:
        return Role("quantity", _measure(words))
    if not words_of.RANKS.isdisjoint(words) and words_of.TH.isdisjoint(words) and low >= 0:  # type: ignore[operator]
        return Role("rank")
    unique = len(set(values)) == len(values) > 1
    if (plain and _is_identifier(words)) or (unique and _is_running(low, high, len(values))):
        return Role("identifier")
    if plain and len(values) > 2 and _within(PLAIN_YEARS, low, high):
        return Role("year")
    if not words_of.FLAGS.isdisjoint(words) and _within((0, 1), low, high):
        return Role("category")
    if high < LARGE and _ordinal(words):  # type: ignore[operator]
        return Role("identifier" if unique else "category")
    return Role("quantity", _measure(words))


def _within(years: tuple[int, int], low: object, high: object) -> bool:
    return years[0] <= low and high <= years[1]  # type: ignore[operator]


def _says_year(words: Sequence[str]) -> bool:
    """Whether a header names years: by such a word, and where it has figures (`30 to 34`), by one that says no more."""
    said = words_of.YEARS.intersection(words)
    return bool(said) and (bool(said & _OUTRIGHT) or not any(map(str.isdigit, words)))


def _is_running(low: object, high: object, count: int) -> bool:
    """Whether unique whole numbers are 1, 2, 3, … in some order."""
    return count > 4 and low in (0, 1) and high - low == count - 1  # type: ignore[operator]


def _is_counted(words: Sequence[str]) -> bool:
    """Whether a header says that something is counted or measured: `number of wins`, `num_polls`, `race points`."""
    if not words:
        return False
    last, more = words[-1], words[1:]
    if last in words_of.CALENDAR and words[-2:-1] == ("of",):
        return False
    if last in words_of.MEASURES or last in words_of.COUNTS or "of" in more or "per" in more:
        return True
    return bool(more) and words[0] in words_of.NUMBER and more[0] not in words_of.NUMBER_IN


def _is_identifier(words: Sequence[str]) -> bool:
    if not words:
        return False
    first, last = words[0], words[-1]
    if first in words_of.IDENTIFIERS or last in words_of.IDENTIFIERS or "".join(words[-2:]) in words_of.IDENTIFIERS:
        return True
    return len(last) > 3 and last.endswith("id") and last not in words_of.ENDS_IN_ID


def _ordinal(words: Sequence[str]) -> bool:
    return 0 < len(words) < 4 and words[-1] in words_of.ORDINALS and not any(map(str.isdigit, words))


def _symbol(header: str, cell: str) -> str:
    """The unit that cells carry, or that the header names in brackets or by a symbol; "" for none."""
    scale, unit = "", ""
    if cell and not (cell[0].isdigit() and cell[-1].isdigit()) and (parsed := parse_number(cell)):
        unit = _unit(parsed[1])
    for said in _BRACKETS.findall(header):
        found = _unit(said)
        if found.split(" ")[0] in words_of.SCALES:
            scale = found
        unit = unit or found
    words = _words(header)
    scale = scale or next((words_of.UNITS[word] for word in words if word in words_of.SCALE_WORDS), "")
    if not unit and words and not _DENSE.intersection(words):
        last = [word for word in (words[-1], "".join(words[-2:])) if word in words_of.SYMBOLS]
        symbols = [word for word in words if word in ("%", "$", "€", "£", "¥")]
        unit = _unit((last or symbols or [""])[0])
    if scale in words_of.SCALES and unit in ("", scale):
        unit = _measure(words)
    return " ".join(dict.fromkeys([*scale.split(), *unit.split()]))


@lru_cache(maxsize=4096)
def _unit(text: str) -> str:
    """The unit that a text names, in one way of writing; "" for a text that names none."""
    text = text.casefold().strip().removeprefix("in ").strip(" .").replace(" / ", "/")
    if text.startswith("/") and (below := words_of.UNITS.get(text[1:].strip())):
        return f"per {below}"
    if text.startswith("per ") or ("/" in text and text not in words_of.UNITS and text[0].isalpha()):
        return text
    found = words_of.UNITS.get(text.replace(" ", "").replace(".", ""))
    if found:
        return found
    if _RANGE.search(text):  # `14 - 17 years`: whose, not in what
        return ""
    words = [word for word in _UNIT_WORD.findall(text) if word not in ("in", "of", "x")]
    parts = {words_of.UNITS.get(word, "") for word in words} or {""}
    if "m" in parts and not parts.isdisjoint(words_of.MONEY):
        parts = parts - {"m"} | {"million"}
    return "" if "" in parts else " ".join(sorted(parts, key=lambda part: (part not in words_of.SCALES, part)))


def _measure(words: Sequence[str]) -> str:
    """What a header says is measured, by its word nearest the end; "" where it says nothing."""
    if "per" in words[1:-1]:
        place = words.index("per")
        return f"{_measure(words[:place])} per {words[place + 1]}".strip()
    if "density" in words:
        return "density"
    said = [word for word in reversed(words) if word in words_of.MEASURES]
    strong = [word for word in said if word not in words_of.WEAK]
    return words_of.MEASURES[(strong or said)[0]] if said else ""


# ----------------------------------------------------------------------------------------------------- texts


def _text(header: str, cells: Sequence[str]) -> Role:
    named = _words(header)
    words = set(named)
    counts = Counter(cells)
    variety = [cell for cell in counts if not is_missing(cell)]  # in the order of the cells
    if not variety or not words_of.NOTES.isdisjoint(words):
        return Role("free text")
    some = variety[:PATTERNS_AT]
    joined = "".join(some)
    if len(joined) > LONG * len(some) or joined.count(" ") > WORDY * len(some):
        return Role("free text")
    known = sum([counts[cell] for cell in variety])
    digits = sum(map(joined.count, "0123456789"))
    counted, figures = _is_counted(named), digits >= len(some)
    if figures:
        forms = [without_footnotes(cell) for cell in some]
        if found := _figures(named, forms, unique=len(variety) == known > 2 and not counted):
            return found
    if _is_identifier(named) and not counted and (figures or named[-1] not in words_of.NUMBER):  # not `opponent #`
        return Role("identifier")
    if counted and sum([parse_number(cell) is not None for cell in some]) * 2 >= len(some):
        return Role("quantity", _measure(named))
    last = named[-1] if named else ""
    says_names = last in words_of.NAMES
    if not says_names and digits * 4 > len(joined) and digits > sum(map(str.isalpha, joined)):
        # Scores, times, ranges: no plain number, and no name.
        return Role("quantity", _measure(named) if counted else "")
    if len(variety) < 3 and words_of.ANSWERS.issuperset(map(str.casefold, variety)):
        return Role("category")
    if says_names or len(variety) == known:
        return Role("name")
    return Role("category" if last in words_of.KINDS or (len(variety) * 2 <= known and known > 3) else "name")


def _figures(words: Sequence[str], cells: Sequence[str], *, unique: bool) -> Role | None:
    """The role of texts that hold figures, by their form."""
    if _most(cells, (_PLAIN_YEARS_TEXT if words_of.YEARS.isdisjoint(words) else _YEARS_TEXT).fullmatch):
        return Role("year")
    if _most(cells, _DATE_TEXT.search) or (not words_of.DATES.isdisjoint(words) and _most(cells, _DAY_TEXT.fullmatch)):
        return Role("date")
    if not words_of.RANKS.isdisjoint(words) and _most(cells, _PLACE.fullmatch):
        return Role("rank")
    return (
        Role("identifier") if unique and (_most(cells, _CODE.fullmatch) or _most(cells, _COUNTED.fullmatch)) else None
    )


def _most(cells: Sequence[str], has: Callable[[str], object]) -> bool:
    """Whether most of the cells have a form."""
    misses = len(cells) // OTHERWISE
    for cell in cells:
        if not has(cell):
            misses -= 1
            if misses < 0:
                return False
    return True
