"""SQL in any dialect -> the one form that SQLite and the typed tree use.

    text = admitted(sql)      # the counterpart, for SQL already in that form, is in `sql/language/bounds.py`

One pass over the tokens that the bounds let through, so the result stays within the bounds. It rewrites what differs
in wording but not in meaning: TOP n and FETCH FIRST n ROWS become LIMIT, ILIKE becomes LIKE, casts are left out
(numbers are numbers, and `/` is real division), YEAR(d) and EXTRACT(YEAR FROM d) read a date, a parameter (`?`,
`:name`, `$1`, `%s`) is an unknown value, and T1.'a name' and #temp are names. Anything else is left as it is, for the
parser to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from symtune.sql.language.bounds import Token, emitted, query_tokens
from symtune.sql.language.functions import DATE_PARTS
from symtune.types import Rejected

PARAMETER = "?"  # the text that stands for an unknown value
_RENAMED = {"ilike": "LIKE"}
_RENAMED_CALLS = {
    "len": "LENGTH", "char_length": "LENGTH", "character_length": "LENGTH", "ucase": "UPPER", "lcase": "LOWER",
    "mean": "AVG",
}  # fmt: skip
_DATE_PARTS = {name.lower(): f"'{form}'" for name, form in DATE_PARTS.items()}
_ROWS = ("row", "rows")
ESCAPED_QUOTE = re.compile(r"(?<=\w)\\'(?=\w)")  # MySQL's 'O\'Hare'
_COMPARES = frozenset(["=", "==", "<>", "!=", "<", "<=", ">", ">=", "like", "between"])
_SETS = ("union", "intersect", "except")


def admitted(sql: str) -> str:
    """A statement in any dialect, as text that is safe to parse. A double-quoted token where a value is expected
    (after a comparison operator, in an IN list) becomes a text, as SQLite reads it if no column has that name. Raises
    Rejected as the bounds do.
    """
    return emitted(list(_with_texts(common(query_tokens(ESCAPED_QUOTE.sub("''", sql))))))


def common(found: list[Token]) -> list[Token]:
    """The tokens of a statement in the common form."""
    return _limits(_Calls(found).rewritten())


def words(text: str) -> list[Token]:
    """The tokens of SQL written in this module: words, signs and texts, separated by spaces."""
    return [("text" if part[0] == "'" else "word" if part.isidentifier() else "sign", part) for part in text.split()]


class _Calls:
    """Rewrites calls, casts and constants. `ends` holds, for each open bracket, what its closing bracket becomes."""

    def __init__(self, found: list[Token]) -> None:
        self.found = found
        self.at = 0
        self.out: list[Token] = []
        self.ends: list[tuple[Token, ...]] = []
        self.skipping = [""]  # for each open bracket: the word or sign after which its contents are left out

    def word(self, ahead: int = 0) -> str:
        kind, text = self.found[self.at + ahead] if self.at + ahead < len(self.found) else ("", "")
        return text.lower() if kind in ("word", "sign") else ""

    def kind(self, ahead: int) -> str:
        return self.found[self.at + ahead][0] if self.at + ahead < len(self.found) else ""

    def rewritten(self) -> list[Token]:
        while self.at < len(self.found):
            word = self.word()
            step: Callable[[str], None] = self._bracket if word in ("(", ")") else self._token
            step(word)
        return self.out

    def _bracket(self, word: str) -> None:
        self.at += 1
        if word == "(":
            self._open(("sign", "("))
        elif self.ends:
            self.skipping.pop()
            self.out.extend(self.ends.pop())
        else:
            self.out.append(("sign", ")"))

    def _open(self, *begin: Token, end: tuple[Token, ...] = (("sign", ")"),), until: str = "") -> None:
        self.out.extend(begin)
        self.ends.append(end)
        self.skipping.append(until)

    def _token(self, word: str) -> None:
        called = self.word(1) == "("
        if word and word == self.skipping[-1]:
            self._skip()
        elif word == "::":
            self._skip_type()
        elif called and word in _DATE_PARTS:
            self.at += 2
            self._date_part(_DATE_PARTS[word])
        elif called and word == "extract" and self.word(2) in _DATE_PARTS and self.word(3) == "from":
            self.at += 4
            self._date_part(_DATE_PARTS[self.found[self.at - 2][1].lower()])
        elif called and word == "strftime" and self.kind(2) == "text" and self.word(3) == ",":
            self.at += 4
            self._date_part(self.found[self.at - 2][1])
        elif called and word == "cast":
            self.at += 2
            self._open(("sign", "("), until="as")
        elif word in ("date", "timestamp", "n", "e") and self.kind(1) == "text":
            self.at += 1  # DATE '2008-01-31', N'text'
        elif word == "nulls" and self.word(1) in ("first", "last"):
            self.at += 2  # sort keys are never NULL
        elif self.found[self.at][0] == "parameter":
            self._put("text", f"'{PARAMETER}'")
        elif self.found[self.at][0] == "temporary":
            self._put("quoted", f'"{self.found[self.at][1]}"')  # SQL Server's #temp
        elif self.found[self.at][0] == "text" and self.out and self.out[-1] == ("sign", "."):
            self._put("quoted", _as_name(self.found[self.at][1]))  # T1.'Free Meal Count', as SQLite reads it
        elif called and word in _RENAMED_CALLS:
            self._put("word", _RENAMED_CALLS[word])
        elif word in _RENAMED:
            self._put("word", _RENAMED[word])
        else:
            self._put(*self.found[self.at])

    def _put(self, kind: str, text: str) -> None:
        self.out.append((kind, text))
        self.at += 1

    def _date_part(self, form: str) -> None:
        self._open(*words(f"CAST ( strftime ( {form} ,"), end=tuple(words(") AS INTEGER )")))

    def _skip(self) -> None:
        """Leave out a type, up to the bracket that closes the current one."""
        depth = 0
        while self.at < len(self.found):
            kind, text = self.found[self.at]
            depth += (text == "(") - (text == ")")
            if depth < 0:
                return
            if depth > 1 or (kind not in ("word", "number") and text not in ("(", ")", ",", "-")):
                raise Rejected("beyond the typed tree", f"a cast with {text[:20]}")
            self.at += 1

    def _skip_type(self) -> None:
        """`::numeric(10, 2)`"""
        self.at += 2
        if self.word() == "(":
            self.at += 1
            self._skip()
            self.at += 1


def _as_name(text: str) -> str:
    return '"' + text[1:-1].replace("''", "'").replace('"', '""') + '"'


def _limits(found: list[Token]) -> list[Token]:
    """TOP n and FETCH FIRST n ROWS ONLY as LIMIT n at the end of the query they limit; OFFSET n ROWS as OFFSET n.
    Raises Rejected for TOP n PERCENT and TOP n WITH TIES.
    """
    out: list[Token] = []
    held: list[list[Token]] = [[]]  # for each open bracket: the clauses that go to the end of its query
    at = 0

    def ahead(n: int) -> str:
        return found[at + n][1].lower() if at + n < len(found) else ""

    def is_number(n: int) -> bool:
        return at + n < len(found) and found[at + n][0] == "number"

    while at < len(found):
        word, before = ahead(0), out[-1][1].lower() if out else ""
        bracket = ahead(1) == "("
        if word == "top" and before in ("select", "distinct", "all") and is_number(1 + bracket):
            held[-1] = [("word", "LIMIT"), found[at + 1 + bracket]]
            at += 4 if bracket else 2
            if ahead(0) == "percent" or (ahead(0), ahead(1)) == ("with", "ties"):
                raise Rejected("beyond the typed tree", f"TOP … {ahead(0).upper()}")
        elif word == "offset" and is_number(1) and ahead(2) in _ROWS:
            held[-1] = [("word", "OFFSET"), found[at + 1]]
            at += 3
        elif word == "fetch" and ahead(1) in ("first", "next"):
            size = [found[at + 2]] if is_number(2) else [("number", "1")]
            end = at + 2 + is_number(2)
            if [text.lower() for _, text in found[end : end + 2]] not in (["row", "only"], ["rows", "only"]):
                return found  # WITH TIES, PERCENT
            held[-1] = [("word", "LIMIT"), *size, *held[-1]]
            at = end + 2
        else:
            if word == "(":
                held.append([])
            elif word == ")" and len(held) > 1:
                out.extend(held.pop())
            elif word in _SETS or word == ";":
                out.extend(held[-1])
                held[-1] = []
            out.append(found[at])
            at += 1
    return out + held[0]


def _with_texts(found: list[Token]) -> Iterator[Token]:
    """The tokens, with double-quoted ones as texts where a value is expected."""
    before, listing, between = "", False, False
    for i, (kind, text) in enumerate(found):
        word = text.lower() if kind in ("word", "sign") else ""
        expected = before in _COMPARES or (listing and before in ("(", ",")) or (between and before == "and")
        dotted = found[i + 1 : i + 2] == [("sign", ".")]
        if kind == "quoted" and text[0] == '"' and expected and not dotted:
            kind, text = "text", "'" + text[1:-1].replace('""', '"').replace("'", "''") + "'"
        if before == "in" and word == "(":
            listing = True
        elif word in (")", "select"):
            listing = False
        if before == "and":
            between = False
        if word == "between":
            between = True
        before = word
        yield kind, text
