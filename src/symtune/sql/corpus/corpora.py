"""Corpora of SQL, in the layouts that people publish -> statements for `sql/corpus/templates.py`.

    corpus = Corpus([Path("train.jsonl"), Path("train.tables.jsonl"), Path("queries.sql")])
    built = build(corpus.statements())

    .sql[.gz]          statements with `;` between; or one a line, with or without a tab and a db_id behind it
    .tsv[.gz]          a header with a column `sql` or `query`
    .jsonl[.gz]        a record a line, .json[.gz] a list of records:
        {"query": "SELECT …"} or {"sql": "SELECT …"}      (Spider, BIRD and most others; `db_id` names a schema)
        {"sql": {"sel": 3, "agg": 0, "conds": [[5, 0, "x"]]}, "table_id": …}       WikiSQL
        {"sql": [["Keyword", "select", []], ["Column", "c1", []], …], "tbl": …}    SQUALL
        {"sql": ["SELECT …", "SELECT …"]}                                          several

Files of schemas are known by what they hold: Spider's tables.json (`column_names_original`, `column_types`) and
WikiSQL's *.tables.jsonl (`header`, `types`). They make the types of columns known; nothing else of them is used.
A broken file raises InputError with its line; a statement that cannot be read is counted under a reason.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from symtune.output import sha256
from symtune.sql.corpus.scopes import Schema
from symtune.sql.corpus.statements import a_statement_a_line, split_statements
from symtune.sql.corpus.templates import Statement
from symtune.types import InputError

MAX_LINE = 4_000_000  # bytes of a jsonl line, characters of a record of a .json file
FIELDS = ("query", "sql", "SQL")
_TYPES = {"number": "number", "real": "number", "time": "date", "date": "date", "text": "text"}


class Corpus:
    """The files of a corpus, with the schemas among them. `inputs` (name, kind, sha256) is for the manifest."""

    def __init__(self, files: Sequence[Path]) -> None:
        for path in files:
            if not path.is_file():
                raise InputError(f"{path}: no such file" if not path.exists() else f"{path}: a folder; name its files")
        self._files = list(files)
        self._schemas: dict[str, Schema] = {}  # Spider's, by db_id
        self._types: dict[str, list[str]] = {}  # WikiSQL's, by table_id
        self._holds_schemas = [path for path in files if self._read_schemas(path)]
        self.inputs = [
            {
                "name": path.name,
                "kind": "schemas" if path in self._holds_schemas else "statements",
                "sha256": sha256(path),
            }
            for path in files
        ]

    def statements(self) -> Iterator[Statement]:
        """Every statement of every file, in order."""
        for path in self._files:
            if path not in self._holds_schemas:
                yield from self._file(path)

    def _file(self, path: Path) -> Iterator[Statement]:
        kind = _kind(path)
        if kind == ".sql":
            yield from self._sql(path)
        elif kind == ".tsv":
            yield from _tsv(path)
        else:
            for where, record in _records(path, kind):
                yield from self._record(record, where)

    def _sql(self, path: Path) -> Iterator[Statement]:
        chunks = _chunks(path)
        first = next(chunks, "")
        if not a_statement_a_line(first):
            try:
                yield from map(Statement, split_statements(chain([first], chunks)))
            except InputError as error:
                raise InputError(f"{path}: {error}") from None
            return
        for _, line in _lines(path):
            sql, _, schema = line.rstrip("\r\n").partition("\t")
            if sql.strip():
                yield Statement(sql, self._schemas.get(schema.strip()))

    def _record(self, record: Any, where: str) -> Iterator[Statement]:
        if isinstance(record, str):
            yield Statement(record)
            return
        names = [name for name in FIELDS if name in record]
        if not names:
            raise InputError(
                f"{where}: no field {' or '.join(FIELDS)} that holds SQL; it has {', '.join(record)[:200]}"
            )
        found = [record[name] for name in names if isinstance(record[name], (str, dict, list))]
        sql = found[0] if found else ""
        if isinstance(sql, dict):
            yield _wikisql(sql, self._types.get(str(record.get("table_id")), []), where)
        elif isinstance(sql, list) and not all(isinstance(one, str) for one in sql):
            yield _squall(sql)
        else:
            for one in [sql] if isinstance(sql, str) else sql:
                yield Statement(one, self._schemas.get(str(record.get("db_id"))))

    def _read_schemas(self, path: Path) -> bool:
        """Whether the file holds schemas, which are then kept."""
        kind = _kind(path)
        if kind not in (".json", ".jsonl"):
            return False
        for _, record in _records(path, kind):
            if not isinstance(record, dict):
                return False
            if "column_names_original" in record and "db_id" in record:
                self._schemas[str(record["db_id"])] = _spider_schema(record, path)
            elif "header" in record and "types" in record and "id" in record:
                self._types[str(record["id"])] = list(map(str, record["types"]))
            else:
                return False
        return True


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    if kind not in (".sql", ".tsv", ".json", ".jsonl"):
        raise InputError(f"{path}: wanted a .sql, .tsv, .json or .jsonl file, or one of them in .gz")
    return kind


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _encoding(path: Path) -> str:
    """UTF-8, or what the mark at the beginning of the file says (Windows writes UTF-16)."""
    with _open(path) as stream:
        start = stream.read(3)
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    return next((name for mark, name in marks.items() if start.startswith(mark)), "utf-8")


def _chunks(path: Path) -> Iterator[str]:
    """The text of a file, piece by piece; what is no text becomes U+FFFD."""
    try:
        decoder = codecs.getincrementaldecoder(_encoding(path))("replace")
        with _open(path) as stream:
            while chunk := stream.read(1 << 16):
                yield decoder.decode(chunk)
        yield decoder.decode(b"", True)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """(file:line, the line), none longer than MAX_LINE."""
    rest, number = "", 0
    for chunk in _chunks(path):
        *lines, rest = (rest + chunk).split("\n")
        for line in lines:
            number += 1
            yield f"{path}:{number}", line
        if len(rest) > MAX_LINE:
            raise InputError(f"{path}:{number + 1}: a line of more than {MAX_LINE:,} characters")
    if rest:
        yield f"{path}:{number + 1}", rest


def _records(path: Path, kind: str) -> Iterator[tuple[str, Any]]:
    if kind == ".json":
        start = next((chunk.lstrip() for chunk in _chunks(path) if chunk.strip()), "")
        if start.startswith("["):
            yield from _list(path)
            return
        if not start.startswith("{"):
            raise InputError(f"{path}: wanted a list of records, or one a line")
    for where, line in _lines(path):
        if line.strip():
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                hint = "; wanted a list of records, or one a line" if kind == ".json" else ""
                raise InputError(f"{where}: not JSON: {error}{hint}") from None
            if not isinstance(record, (dict, str)):
                raise InputError(f"{where}: wanted an object a line, got {type(record).__name__}")
            yield where, record


def _list(path: Path) -> Iterator[tuple[str, Any]]:
    """The records of a JSON list, one at a time: a corpus is larger in memory than on disk."""
    decoder, chunks = json.JSONDecoder(), _chunks(path)
    text, at, number = next(chunks, "").lstrip(), 1, 0
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] == "]":
            return
        where = f"{path}: record {number + 1}"
        try:
            record, end = decoder.raw_decode(text, at)
            closed = _CLOSED.match(text, end)
            if closed is None:
                raise ValueError("neither , nor ] behind it")
        except RecursionError:
            raise InputError(f"{where}: not JSON: nested too deeply") from None
        except ValueError as error:
            more = _more(chunks, len(text) - at) if len(text) - at <= MAX_LINE else ""
            if not more:
                raise InputError(f"{where}: not JSON: {error}") from None
            text, at = text[at:] + more, 0
            continue
        if not isinstance(record, (dict, str)):
            raise InputError(f"{where}: wanted an object, got {type(record).__name__}")
        number += 1
        yield where, record
        at = closed.end()


_SPACE = re.compile(r"\s*")
_CLOSED = re.compile(r"\s*(?:,|(?=\]))")


def _more(chunks: Iterator[str], size: int) -> str:
    """At least so many characters more, if there are: reading on costs no more than what was read."""
    parts, got = [], 0
    for chunk in chunks:
        parts.append(chunk)
        got += len(chunk)
        if got >= size:
            break
    return "".join(parts)


def _tsv(path: Path) -> Iterator[Statement]:
    at = -1
    for where, line in _lines(path):
        cells = line.rstrip("\r\n").split("\t")
        if at < 0:
            names = [name.strip() for name in cells]
            at = next((names.index(name) for name in FIELDS if name in names), -1)
            if at < 0:
                raise InputError(f"{where}: no column {' or '.join(FIELDS)} in the header: {', '.join(names)[:200]}")
        elif len(cells) <= at:
            raise InputError(f"{where}: {len(cells)} cells; wanted {at + 1} or more")
        else:
            yield Statement(cells[at])


# ------------------------------------------------------------------------------------------- structured forms


def _spider_schema(record: Any, path: Path) -> Schema:
    try:
        tables: dict[str, dict[str, str]] = {str(name).lower(): {} for name in record["table_names_original"]}
        names = list(tables)
        for (table, name), type_ in zip(record["column_names_original"], record["column_types"], strict=True):
            if table >= 0:
                tables[names[table]][str(name).lower()] = _TYPES.get(str(type_), "")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: not a schema in Spider's layout: {type(error).__name__}: {error}") from None
    return tables


_AGGREGATES = ("", "MAX", "MIN", "COUNT", "SUM", "AVG")
_OPERATORS = ("=", ">", "<")


def _wikisql(sql: Any, types: Sequence[str], where: str) -> Statement:
    """WikiSQL's {sel, agg, conds}. Columns are numbered anew and values stand for their types, so that statements of
    one shape are one text and are read once."""
    try:
        aggregate = _AGGREGATES[int(sql.get("agg", 0))]
        conditions = [(int(c), int(op), value) for c, op, value in sql["conds"]]
        selected = int(sql["sel"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{where}: not WikiSQL's form: {type(error).__name__}: {error}") from None
    if any(not 0 <= op < len(_OPERATORS) for _, op, _ in conditions):
        return Statement("", reject="an operator that WikiSQL does not name", example=json.dumps(sql)[:200])
    if len(conditions) > 20:
        return Statement("", reject="too long", example=json.dumps(sql)[:200])
    names: dict[int, str] = {}

    def name(column: int) -> str:
        return names.setdefault(column, f"x{len(names) + 1}")

    def text(stand_in: bool) -> str:
        shown = name(selected) if stand_in else f"column{selected}"
        head = f"SELECT {aggregate}({shown}) FROM t" if aggregate else f"SELECT {shown} FROM t"
        parts = []
        for column, op, value in conditions:
            number = types[column : column + 1] == ["real"] or (op > 0 and _is_number(str(value)))
            constant = ("1" if number else "'x'") if stand_in else "'" + str(value).strip().replace("'", "''") + "'"
            parts.append(f"{name(column) if stand_in else f'column{column}'} {_OPERATORS[op]} {constant}")
        return head + (" WHERE " + " AND ".join(parts) if parts else "")

    return Statement(text(True), example=text(False))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True


_COLUMN = re.compile(r"(c\d+)(?:_(number|year|raw|parsed|month|day))?\Z")


def _squall(sql: Any) -> Statement:
    """SQUALL's list of [kind, token, …]. `c1_number` and `c1_year` are the column c1 read as a number, `c1_month` reads
    a date; `id` (the row's place) is a column of numbers. `agg` marks rows of totals, and other readings of a cell (a
    list, a score) have no node."""
    parts, reject = [], ""
    for item in sql:
        if not isinstance(item, list) or len(item) < 2 or not isinstance(item[1], (str, int, float)):
            return Statement("", reject="not SQUALL's form", example=json.dumps(sql)[:200])
        kind, token = item[0], str(item[1])
        if kind == "Column" and token != "id":
            found = _COLUMN.match(token)
            if found is None:
                suffix = token.partition("_")[2]
                reject = reject or f"SQUALL: a column's reading _{suffix}" if suffix else f"SQUALL: the column {token}"
                continue
            parts.append(f"{found[2]}({found[1]})" if found[2] in ("month", "day") else found[1])
        elif kind == "Literal.String":
            parts.append("'" + token.strip("'\"").replace("'", "''") + "'")
        else:
            parts.append(token)
    example = "" if parts else json.dumps(sql)
    return Statement(" ".join(parts), reject=reject, example=example[:200])
