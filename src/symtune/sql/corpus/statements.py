"""The text of a .sql file -> statements: cut at `;` outside quotes and comments, or one a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from symtune.sql.corpus.dialects import ESCAPED_QUOTE
from symtune.sql.language.bounds import MAX_LENGTH
from symtune.types import InputError

# What cuts a text: ; ' " ` # -- /*, written so that the search runs over first characters, four times as fast.
_MARK = re.compile(r"""[-;'"`#/](?:(?<=[;'"`#])|(?<=-)-|(?<=/)\*)""")
_NOTHING = re.compile(r"[;\s]*")
MAX_STATEMENT = 4_000_000  # characters; a file that holds a longer one is no corpus of SQL
_ENDS = {"'": "'", '"': '"', "`": "`", "--": "\n", "#": "\n", "/*": "*/"}
_COMMENTS = ("--", "#", "/*")
_BEGINS = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)


def a_statement_a_line(text: str) -> bool:
    """Whether a file that begins so has a statement a line, as gold files of benchmarks do: every line begins with
    SELECT or WITH, and none ends with `;`."""
    lines = [line for line in text.splitlines() if line.strip()]
    whole = lines[:-1]  # the text may end inside a line
    return bool(whole) and all(_BEGINS.match(line) and not line.rstrip().endswith(";") for line in lines)


def split_statements(chunks: Iterable[str]) -> Iterator[str]:
    """Statements of a stream of text, cut at `;` outside quotes and comments; comments are left out.

    Of one that is longer than any parser is let see, no more than that is kept in memory. Raises InputError for one of
    more than MAX_STATEMENT characters.
    """
    kept: list[str] = []
    size, inside, rest = 0, "", ""

    def keep(text: str) -> None:
        nonlocal size
        if size <= MAX_LENGTH:
            kept.append(text[: MAX_LENGTH + 1])
        size += len(text)
        if size > MAX_STATEMENT:
            raise InputError(f"a statement of more than {MAX_STATEMENT:,} characters")

    for chunk in chunks:
        text, at = rest + chunk, 0
        if "\\'" in text:
            text = ESCAPED_QUOTE.sub("''", text)
        while True:
            if inside:
                end = text.find(_ENDS[inside], at)
                stop = len(text) if end < 0 else end + len(_ENDS[inside])
                if inside not in _COMMENTS:
                    keep(text[at : stop if end >= 0 else len(text)])
                if end < 0:
                    rest = text[-1:] if inside == "/*" else ""
                    break
                at, inside = stop, ""
                continue
            mark = _MARK.search(text, at)
            if mark is None:
                # A lone - or / may be the first half of a comment's mark.
                stop = len(text) - 1 if text[at:].endswith(("-", "/")) else len(text)
                keep(text[at:stop])
                rest = text[stop:]
                break
            keep(text[at : mark.start()])
            at = mark.end()
            if mark.group() == ";":
                yield from _whole(kept)
                kept, size = [], 0
                at = _NOTHING.match(text, at).end()  # type: ignore[union-attr]  # it always matches
            else:
                inside = mark.group()
                keep(inside if inside not in _COMMENTS else " ")
    keep(rest if inside != "/*" else "")
    yield from _whole(kept)


def _whole(kept: list[str]) -> Iterator[str]:
    text = "".join(kept).strip()
    if text:
        yield text
