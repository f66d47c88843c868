"""The answer rule: how an answer is written, read back and compared. `symtune.reading` finds it in prose.

An answer is one line. Rows are separated by " | ", and the cells of a row by " ; "; numbers are written by the number
rule (`number_text`). Only this module knows these delimiters.

    render(Denotation((("Oslo", "3"), ("Bergen", "1"))))  ->  "Oslo ; 3 | Bergen ; 1"
    parse("Oslo ; 3 | Bergen ; 1")                        ->  (("Oslo", "3"), ("Bergen", "1"))
    same_answer("1000 | b", "B | 1,000.0", ordered=False)  ->  True

The law, enforced by a property test: whatever `render` returns, `parse` reads back to the same rows. Anything that
cannot be read back (a delimiter inside a cell, an empty cell, white space at its ends, a line break or another
character that does not print) is refused, never written.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal

from symtune.types import Denotation, Rejected

ROW_DELIMITER = " | "
CELL_DELIMITER = " ; "
DECIMALS = 4

_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NUMBER = re.compile(r"([+\-−]?)(?:(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d*))?|\.(\d+))", re.ASCII)
_LONG = 2_000  # characters; longer texts skip NFKC, which is quadratic in runs of combining marks


def number_text(value: int | float) -> str:
    """A number as an answer shows it: integers plain; other numbers rounded (half to even, on the exact
    binary value) to at most 4 decimals, without trailing zeros, exponent or "-0". Raises
    Rejected("not finite").
    """
    if isinstance(value, int):
        try:
            return str(int(value))
        except ValueError:  # Python refuses to write more than about 4,300 digits
            raise Rejected("unrenderable", "an integer of thousands of digits") from None
    if not math.isfinite(value):
        raise Rejected("not finite")
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def render(denotation: Denotation) -> str:
    """The answer text of a denotation. Raises Rejected("empty") if there is no row, and
    Rejected("unrenderable") if `parse` would not give the same rows back; if their order does not
    matter, the reverse order must read back too, so that the order does not decide what can be written.
    """
    rows = denotation.rows
    if not rows:
        raise Rejected("empty")
    text = ROW_DELIMITER.join([CELL_DELIMITER.join(row) for row in rows])
    if parse(text) != rows:
        raise Rejected("unrenderable")
    if not denotation.ordered and text.count("|") >= len(rows) > 1:  # a cell contains "|"
        backwards = ROW_DELIMITER.join([CELL_DELIMITER.join(row) for row in rows[::-1]])
        if parse(backwards) != rows[::-1]:
            raise Rejected("unrenderable")
    return text


def is_written(text: str, denotation: Denotation) -> bool:
    """Whether `text` is the text of the denotation, with its rows in any order if their order does not matter."""
    rows = parse(text)
    if text != ROW_DELIMITER.join([CELL_DELIMITER.join(row) for row in rows]):
        return False
    return rows == denotation.rows if denotation.ordered else Counter(rows) == Counter(denotation.rows)


def parse(text: str) -> tuple[tuple[str, ...], ...]:
    """The rows of cells in an answer text. Characters that do not print count as spaces, white space around a cell is
    ignored, and empty cells and rows are left out. So any text can be parsed, but only a text that `render` would write
    is parsed without loss.
    """
    if not text.isprintable():
        text = _INVISIBLE.sub(" ", text)
    rows = []
    for line in text.split(ROW_DELIMITER):
        if CELL_DELIMITER in line:
            cells = tuple([cell for part in line.split(CELL_DELIMITER) if (cell := part.strip())])
        else:
            line = line.strip()
            cells = (line,) if line else ()
        if cells:
            rows.append(cells)
    return tuple(rows)


def same_answer(prediction: str, answer: str, ordered: bool) -> bool:
    """Whether a predicted answer text means what the gold answer means. Pure; never raises.

    Rows are compared as a multiset, or in order if `ordered`; cells within a row, always in order. Numbers are compared
    by value ("1,000" = "1000.0"); a number consists of ASCII digits with an optional sign, thousands commas and decimal
    point, so "1_000", "1e3" and "nan" are texts. A predicted number with more decimals than the number rule writes is
    first rounded by it, unless a gold number has more too. Everything else is compared as text: NFKC, casefolded, with
    white space collapsed.
    """
    if prediction == answer:
        return True
    gold_rows, predicted_rows = parse(answer), parse(prediction)
    if len(gold_rows) != len(predicted_rows):
        return False
    gold = [tuple([meaning(cell) for cell in row]) for row in gold_rows]
    fine = any(len(value[3]) > DECIMALS for row in gold for value in row if value[0] == "number")
    predicted = [tuple([meaning(cell, rounded=not fine) for cell in row]) for row in predicted_rows]
    return gold == predicted if ordered else Counter(gold) == Counter(predicted)


def meaning(cell: str, rounded: bool = False) -> tuple[str, str, str, str]:
    """What a cell means in `same_answer`: ("number", sign, digits before the point, digits after it), without leading
    or trailing zeros, or ("text", text, "", ""). Digits stay text, so that a million of them need no arithmetic.
    """
    found = _NUMBER.fullmatch(cell.strip())
    if not found:
        return ("text", _fold(cell), "", "")
    sign, whole, after, bare = found.groups()
    whole, after = (whole or "").replace(",", ""), (after or bare or "")
    if rounded and len(after) > DECIMALS and len(whole) + len(after) < 100:
        exact = Decimal(f"{whole or '0'}.{after}")
        digits = f"{_round_half_even(exact):f}"
        whole, _, after = digits.partition(".")
    whole, after = whole.lstrip("0"), after.rstrip("0")
    negative = sign in ("-", "−") and bool(whole or after)
    return ("number", "-" if negative else "", whole, after)


def _round_half_even(value: Decimal) -> Decimal:
    """`value` rounded to the decimals of the number rule, half to even."""
    return (value * 10**DECIMALS).to_integral_value(ROUND_HALF_EVEN) / 10**DECIMALS


def _fold(cell: str) -> str:
    """A text without what is ignored: compatibility forms, case, the kind and amount of white space."""
    if not cell.isascii() and len(cell) <= _LONG:
        cell = unicodedata.normalize("NFKC", cell)
    return " ".join(cell.casefold().split())
