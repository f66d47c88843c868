"""The text of a .sql file -> statements: cut at `;`, at GO, and where a line begins a new one; comments are left out.

People write one statement per line, with `;` on some lines or on none, or one over many lines, with prose in between.
So each line that follows an unfinished statement is classified:

    begins with SELECT or WITH           a new statement, unless the one before needs it: after `(`, UNION and the
                                         like, WITH … AS (…), INSERT INTO t, CREATE VIEW v AS
    GO                                   ends the statement before it
    a continuation                       after an open bracket, a comma or a word that needs more; indented; or
                                         beginning with a clause (FROM, WHERE, AND, …) and not reading like English
    anything else                        prose: a separate statement, to be rejected because it is not a query

Statements that were joined by mistake would be lost without a trace, whereas one that was cut by mistake is counted.
A quotation mark or bracket that is still open where a line begins a new statement was never closed: it costs only the
statement it is in.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator

from symtune.sql.corpus.dialects import ESCAPED_QUOTE
from symtune.sql.language.bounds import KEYWORDS, MAX_LENGTH
from symtune.types import InputError

MAX_STATEMENT = 4_000_000  # characters; a file that holds a longer one is no corpus of SQL
LOOKED_AT = 400  # characters of a line that tell what it is
_LONG = 1 << 16  # characters; a longer line is read in pieces

# Where a text is cut: ; ' " ` [ # -- /*. Written so that the search goes by first characters, which is 4 times as fast.
_MARK = re.compile(r"""[-;'"`\[#/](?:(?<=[;'"`\[#])|(?<=-)-|(?<=/)\*)""")
_NAME = re.compile(r"\[[^\[\]\n]*\]")  # SQL Server's, which may hold any mark
_NOTHING, _SPACE = re.compile(r"[;\s]*"), re.compile(r"\s*")
_QUERY = re.compile(
    r"[\s(]*(?:select\b|with\s+(?!(?:rollup|cube|ties|check|no|data|time|ordinality)\b)[\w\"`\[]|with\s*\Z)",
    re.IGNORECASE,
)
_GO = re.compile(r"go(?:[ \t]+\d+)?[ \t]*;?[ \t]*\r?(?:\n|\Z)|/[ \t]*\r?(?:\n|\Z)", re.IGNORECASE)
_LAST = re.compile(r"(\w+|[^\w\s])\s*\Z")
_WORD = re.compile(r"\w+")
_MAIN = re.compile(r"\)\s*select\b", re.IGNORECASE)
_ROWS = re.compile(r"\b(?:select|values)\b", re.IGNORECASE)
_QUOTED = re.compile(r"""'[^'\n]*'?|"[^"\n]*"?|`[^`\n]*`?|\[[^\]\n]*\]?|(?:--|\#|/\*).*""")
_RULE = re.compile(r"[-=*_~+.|]{3,}\s*\Z")
_SENTENCE_END = re.compile(r"[^\W\d]\s*[.:!]\s*\Z")
_PLAIN = re.compile(r"[^\W\d]\w*(?:'\w+)?|\S")

# fmt: off
_VERBS = frozenset("""
    select with insert update delete merge replace create alter drop truncate rename pragma attach detach vacuum analyze
    explain describe show use set declare begin commit rollback start savepoint release grant revoke exec execute call
    print if while return end lock unlock copy load reindex values delimiter flush comment
""".split())
_WAITS = frozenset("""
    union all intersect except minus distinct then else begin explain analyze plan for do return
""".split())
_ASKS = frozenset("""
    select distinct all top from where and or not on using by in as join inner left right full outer cross natural union
    intersect except minus like ilike between is exists case when then else having limit offset over partition with
    set values into insert update delete table view recursive escape interval cast group order any some
    , ( = < > + - / % | . & ^ ~
""".split())
_CLAUSES = frozenset("""
    from where and or not on using join inner left right full outer cross natural straight_join lateral union intersect
    except minus group order having limit offset fetch window qualify as in is like ilike between escape over when then
    else end asc desc nulls collate for option pivot unpivot tablesample into set values
    , ) ( = < > + / % |
""".split())
_SQL_WORDS = KEYWORDS | _ASKS | _CLAUSES | frozenset("""
    apply at time zone first next row rows only ties percent rollup cube grouping sets range groups unbounded preceding
    following current filter within array unnest semi anti asof update share nowait skip locked of similar to rlike
    regexp glob match div mod xor binary separator index force ignore key partition sample seed year month day hour
    minute second
""".split())
_ENGLISH = frozenset("the an we this these those you your our please here are was were what which who how why".split())
# fmt: on


def is_query(sql: str) -> bool:
    """Whether a statement begins like a query."""
    return bool(_QUERY.match(sql[:MAX_LENGTH]))


def split_statements(chunks: Iterable[str]) -> Iterator[str]:
    """The statements in a stream of text, including the prose between them.

    A statement that is longer than the parser accepts is kept in memory only up to that length. Raises InputError for
    one of more than MAX_STATEMENT characters.
    """
    splitter, text, fresh = _Splitter(), "", True
    for chunk in chunks:
        text += chunk
        at = 0
        while True:
            if fresh:  # blank lines, and between statements also `;`, are passed over at the speed of a search
                at = (_SPACE if splitter.open else _NOTHING).match(text, at).end()  # type: ignore[union-attr]
            end = text.find("\n", at) + 1
            if not end:
                if len(text) - at < _LONG:
                    break
                end = text.rfind(" ", at) + 1 or len(text)  # a mark of two characters stays whole
            yield from splitter.read(text[at:end], fresh, indented=text[max(at - 1, 0) : at] in (" ", "\t"))
            fresh, at = text[end - 1] == "\n", end
        text = text[max(at - fresh, 0) :]  # with what tells whether the line is indented
    yield from splitter.read(text.lstrip() if fresh else text, fresh, indented=text[:1] in (" ", "\t"))
    yield from splitter.close()


class _Splitter:
    """The statement being read. `inside` is the quotation mark or comment that is open."""

    def __init__(self) -> None:
        self.inside = ""
        self._prose = False
        self._start()

    def _start(self) -> None:
        self._kept: list[str] = []
        self._size = self._depth = 0
        self._tail = ""  # the end of the code read so far, without comments

    @property
    def open(self) -> bool:
        """Whether any part of a statement has been read."""
        return bool(self._size) or bool(self.inside)

    def close(self) -> Iterator[str]:
        """The last statement of the text. An unterminated comment counts as one, since nothing after it is read."""
        if self.inside == "/*":
            yield from self._whole()
            self._keep("/* a comment that does not end")
        yield from self._whole()

    def read(self, line: str, fresh: bool, indented: bool) -> Iterator[str]:
        """Read a line, or a piece of one (`fresh`: its beginning), and yield the statements that it ends."""
        if "\\'" in line:
            line = ESCAPED_QUOTE.sub("''", line)
        at = 0
        while at < len(line):
            if self.inside == "--":  # in a line that is read in pieces
                self.inside = "" if line.endswith("\n") else "--"
                return
            if self.inside == "/*":
                end = line.find("*/", at)
                if end < 0:
                    return
                self.inside, at, fresh, indented = "", end + 2, True, True
                at = _SPACE.match(line, at).end()  # type: ignore[union-attr]  # it always matches
                continue
            if fresh:
                fresh = False
                if _GO.match(line, at):
                    yield from self._whole()
                    return
                if not self._goes_on(line[at : at + LOOKED_AT], indented):
                    yield from self._whole()
                self._prose = not self.open and not self._begins(line[at : at + LOOKED_AT])
            if self._prose:
                at = yield from self._read_prose(line, at)
            elif self.inside:
                at = self._read_quoted(line, at)
            else:
                at = yield from self._read_code(line, at)
            if at < len(line) and not self.open:  # behind `;`
                at = _NOTHING.match(line, at).end()  # type: ignore[union-attr]  # it always matches
                fresh, indented = True, False
        if self._prose and line.endswith("\n"):
            yield from self._whole()

    def _read_prose(self, line: str, at: int) -> Generator[str, None, int]:
        end = line.find(";", at)
        self._keep(line[at : end if end >= 0 else len(line)])
        if end < 0:
            return len(line)
        yield from self._whole()
        return end + 1

    def _read_quoted(self, line: str, at: int) -> int:
        end = line.find(self.inside, at) + 1
        self._keep(line[at : end or len(line)])
        if end:
            self.inside = ""
        return end or len(line)

    def _read_code(self, line: str, at: int) -> Generator[str, None, int]:
        mark = _MARK.search(line, at)
        end = mark.start() if mark else len(line)
        code = line[at:end]
        self._keep(code)
        self._depth += code.count("(") - code.count(")")
        self._tail = (self._tail + code)[-80:]
        if mark is None:
            return end
        found, at = mark.group(), mark.end()
        if found == ";":
            yield from self._whole()
        elif found == "/*" or found == "--" or (found == "#" and self._is_comment(line, end)):
            if self._size:
                self._keep(" ")
            if found != "/*" and line.endswith("\n"):
                return len(line) - 1
            self.inside = "/*" if found == "/*" else "--"
        elif found == "[":
            name = _NAME.match(line, end)
            at = name.end() if name else at
            self._keep(line[end:at])
            self._tail += "]"
        elif found == "#":
            self._keep(found)
        else:
            self._keep(found)
            self._tail += found
            self.inside = found
        return at

    def _keep(self, text: str) -> None:
        if self._size <= MAX_LENGTH:
            self._kept.append(text[: MAX_LENGTH + 1])
        self._size += len(text)
        if self._size > MAX_STATEMENT:
            raise InputError(f"a statement of more than {MAX_STATEMENT:,} characters")

    def _whole(self) -> Iterator[str]:
        text = "".join(self._kept).strip()
        self._start()
        self.inside, self._prose = "", False
        if text:
            yield text

    # ---------------------------------------------------------------------------------- what a line is

    def _begins(self, line: str) -> bool:
        """Whether a line between statements begins a statement and is not prose."""
        word = _WORD.match(line.lstrip(" \t("))
        return bool(word and word[0].lower() in _VERBS) or line.startswith(("--", "/*", "#"))

    def _goes_on(self, line: str, indented: bool) -> bool:
        """Whether a line belongs to the statement before it."""
        if not self.open or line.startswith(("--", "/*", "#")):
            return True
        begins = bool(_QUERY.match(line))
        if self.inside:
            return indented or not begins
        before = self._before()
        if begins:
            asked = before in _WAITS or before == "(" or (line[0] == "(" and before in _ASKS)
            return asked or self._owes_a_query(before)
        queries = is_query(self._kept[0])
        if queries and _is_english(line):
            return False
        first = _PLAIN.match(line)
        word = first[0].lower() if first else ""
        clause = word in _CLAUSES and not (queries and word in ("set", "values"))
        return self._depth > 0 or indented or clause or before in _ASKS

    def _owes_a_query(self, before: str) -> bool:
        """Whether the statement still needs its SELECT."""
        text = "".join(self._kept)
        first = _WORD.search(text)
        verb = first[0].lower() if first else ""
        if verb == "with":
            return before == ")" and not _MAIN.search(text)
        if verb in ("insert", "replace"):
            return not _ROWS.search(text)
        if verb == "explain":
            return not _ROWS.search(text)
        return before == "as" and verb in ("create", "alter")

    def _is_comment(self, line: str, at: int) -> bool:
        """Whether `#` begins a comment, as in MySQL, rather than a name, like SQL Server's #temp."""
        begins = not line[:at].strip() and self._before() not in _ASKS
        return begins or line[at + 1 : at + 2] in ("", " ", "\t", "\n", "\r")

    def _before(self) -> str:
        """The last word or sign of the statement so far."""
        found = _LAST.search(self._tail)
        return found[1].lower() if found else ""


def _is_english(line: str) -> bool:
    """Whether a line reads like a sentence (three words in a row that are not SQL keywords, a word that SQL does not
    use, the end of a sentence) or is a rule drawn across the page."""
    text = _QUOTED.sub("'", line.partition("\n")[0])
    run = 0
    for word in _PLAIN.findall(text):
        word = word.lower()
        plain = (word[0].isalpha() or word[0] == "_") and word not in _SQL_WORDS
        run = run + 1 if plain else 0
        if run == 3 or word in _ENGLISH:
            return True
    return bool(_SENTENCE_END.search(text) or _RULE.match(text))
