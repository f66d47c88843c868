"""What SQL may look like before a parser sees it: bounded in length, tokens and depth, and made of known words.

    sqlglot.parse(admitted(sql), dialect="sqlite")

Hostile input can make a parser slow: sqlglot takes minutes over thirty nested `struct(` or forty joins. So a statement
is first cut into tokens in one linear pass. Anything too long or too deep is refused, as is every call of a function
for which the typed tree has no node, and a LIMIT that is not a number. Words that are not SQL keywords are passed on in
quotation marks: they can only be names. The rest is cheap: of 200,000 statements of random keywords, nested and in
sequence, the slowest took 0.16 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot

from symtune.sql.language.functions import RECORDS
from symtune.types import Rejected

Token = tuple[str, str]  # kind (a group of `_TOKEN`), text

MAX_LENGTH = 20_000  # characters of a statement
MAX_TOKENS = 1_500
MAX_DEPTH = 14  # of brackets and CASE together; sqlglot tries up to 2^depth ways to read some nestings
MAX_RUN = 20  # NOT, - and + in a row
MAX_JOINS = 8  # sqlglot tries 2^joins ways to read them

_TOKEN = re.compile(
    r"""
    (?P<space>  \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<text>   '[^']*(?:''[^']*)*' )
  | (?P<quoted> "[^"]*(?:""[^"]*)*" | `[^`]*` | \[[^\[\]]*\] )
  | (?P<number> (?: \d+ (?:\.\d*)? | \.\d+ ) (?: [eE][+-]?\d+ )? (?!\w) )
  | (?P<word>   [^\W\d]\w* )
  | (?P<parameter> \? \d* | [:$@] \w+ | %s | %\( \w+ \)s | \{ \w+ \} )
  | (?P<temporary> \#{1,2}[^\W\d]\w* )
  | (?P<sign>   <> | != | <= | >= | == | \|\| | :: | [-+*/%=<>(),.;] )
    """,
    re.VERBOSE | re.DOTALL,
)
KEYWORDS = frozenset(
    """
    select distinct all from where group order by having limit offset as on join inner left right full outer cross
    natural union intersect except and or not in between like escape is null exists case when then else end asc desc
    cast over partition rows with recursive nulls true false using
    """.split()
)
CALLS = frozenset([word for record in RECORDS for word in record.words])
_PAIRS = {"first": ("nulls",), "last": ("nulls",), "integer": ("as",)}  # words that are keywords only after these
_SIGNS = frozenset(["not", "-", "+"])
_QUERY_STARTS = ("select", "with", "(")


def tokens(sql: str) -> Iterator[Token]:
    """(kind, text) for every token except white space. Raises Rejected: too long, syntax."""
    if len(sql) > MAX_LENGTH:
        raise Rejected("too long", f"{len(sql)} characters; the limit is {MAX_LENGTH}")
    try:
        str.encode(sql)
    except UnicodeEncodeError:
        raise Rejected("syntax", "half a surrogate pair, which is not a character") from None
    position = count = 0
    while position < len(sql):
        found = _TOKEN.match(sql, position)
        if found is None:
            raise Rejected("syntax", f"no token starts with {sql[position : position + 10]!r}")
        position = found.end()
        if found.lastgroup == "space":
            continue
        count += 1
        if count > MAX_TOKENS:
            raise Rejected("too long", f"more than {MAX_TOKENS} tokens")
        yield str(found.lastgroup), found.group()


def admitted(sql: str) -> str:
    """The statement with every name quoted, safe to parse. Raises Rejected: too long, syntax, not a query, several
    statements, beyond the typed tree.
    """
    return emitted(query_tokens(sql))


def pretty(sql: str) -> str:
    """The statement spread over several lines, for people; unchanged if it exceeds what the parser may be given."""
    try:
        admitted(sql)
        return sqlglot.parse_one(sql, dialect="sqlite").sql(dialect="sqlite", pretty=True)
    except (Rejected, sqlglot.errors.SqlglotError, RecursionError):
        return sql


def query_tokens(sql: str) -> list[Token]:
    """The tokens of one query, without the `;` at its end. Raises Rejected: too long, syntax, not a query."""
    found: list[Token] = []
    for token in tokens(sql):
        if not found and token[1] != ";" and token[1].lower() not in _QUERY_STARTS:
            raise Rejected("not a query", token[1][:20])
        found.append(token)
    while found and found[-1][1] == ";":
        found.pop()
    if not found:
        raise Rejected("syntax", "an empty statement")
    return found


def emitted(found: list[Token]) -> str:
    """The tokens as text with every name quoted, if they are within the bounds. Raises Rejected: too long, syntax,
    several statements, beyond the typed tree.
    """
    _check(found)
    return " ".join(_emitted(found))


def _check(found: list[Token]) -> None:
    depth = run = joins = 0
    for i, (kind, text) in enumerate(found):
        if kind in ("parameter", "temporary") or text == "::":
            raise Rejected("syntax", f"no token starts with {text[:10]!r}")
        word = text.lower() if kind in ("word", "sign") else ""
        depth += (word in ("(", "case")) - (word in (")", "end"))
        run = run + 1 if word in _SIGNS else 0
        joins += word == "join"
        if joins > MAX_JOINS:
            raise Rejected("too long", f"more than {MAX_JOINS} joins")
        if depth > MAX_DEPTH:
            raise Rejected("too long", f"more than {MAX_DEPTH} levels of brackets and CASE")
        if run > MAX_RUN:
            raise Rejected("too long", f"more than {MAX_RUN} signs in a row")
        if word == ";":
            raise Rejected("several statements")
        if word in ("limit", "offset") and [kind for kind, _ in found[i + 1 : i + 2]] != ["number"]:
            raise Rejected("beyond the typed tree", f"{text} of something that is not a number")
        called = kind == "word" and found[i + 1 : i + 2] == [("sign", "(")]
        if called and word not in CALLS and word not in KEYWORDS and not _names_columns(found, i + 2):
            raise Rejected("beyond the typed tree", f"the function {text[:40]}()")


def _names_columns(found: list[Token], i: int) -> bool:
    """Whether names and then `) AS (` follow, as in WITH name (names) AS (SELECT …)."""
    while found[i : i + 1] and (found[i][0] in ("word", "quoted") or found[i][1] == ","):
        i += 1
    return [text.lower() for _, text in found[i : i + 3]] == [")", "as", "("]


def _emitted(found: list[Token]) -> Iterator[str]:
    before = ""
    for i, (kind, text) in enumerate(found):
        word = text.lower() if kind == "word" else ""
        called = word in CALLS and found[i + 1 : i + 2] == [("sign", "(")]
        known = not word or word in KEYWORDS or called or before in _PAIRS.get(word, ())
        yield text if known else f'"{text}"'
        before = word
