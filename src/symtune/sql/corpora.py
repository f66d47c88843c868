"""Corpora of SQL, in the layouts that people publish -> statements for `sql/templates.py`.

    corpus = Corpus([Path("train.jsonl"), Path("train.tables.jsonl"), Path("queries.sql")])
    built = build(corpus.statements())

    .sql[.gz]          statements with `;` between
    .tsv[.gz]          a header with a column `sql` or `query`
    .jsonl[.gz]        a record a line, .json[.gz] a list of records:
        {"query": "SELECT …"} or {"sql": "SELECT …"}      (Spider, BIRD and most others; `db_id` names a schema)
        {"sql": {"sel": 3, "agg": 0, "conds": [[5, 0, "x"]]}, "table_id": …}       WikiSQL
        {"sql": [["Keyword", "select", []], ["Column", "c1", []], …], "tbl": …}    SQUALL

Files of schemas are known by what they hold: Spider's tables.json (`column_names_original`, `column_types`) and
WikiSQL's *.tables.jsonl (`header`, `types`). They make the types of columns known; nothing else of them is used.
A broken file raises InputError with its line; a statement that cannot be read is counted under a reason.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from symtune.output import sha256
from symtune.sql.abstraction import Schema
from symtune.sql.bounds import MAX_LENGTH
from symtune.sql.templates import Statement
from symtune.types import InputError

MAX_LINE = 4_000_000  # bytes of a jsonl line
MAX_JSON = 200_000_000  # bytes of a .json file, unpacked: it is read as a whole
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
            for text in split_statements(_chunks(path)):
                yield Statement(text)
        elif kind == ".tsv":
            yield from _tsv(path)
        else:
            for where, record in _records(path, kind):
                yield self._record(record, where)

    def _record(self, record: Any, where: str) -> Statement:
        if isinstance(record, str):
            return Statement(record)
        found = [record[name] for name in FIELDS if isinstance(record.get(name), (str, dict, list))]
        if not found:
            raise InputError(
                f"{where}: no field {' or '.join(FIELDS)} that holds SQL; it has {', '.join(record)[:200]}"
            )
        sql = found[0]
        if isinstance(sql, str):
            return Statement(sql, self._schemas.get(str(record.get("db_id"))))
        if isinstance(sql, dict):
            return _wikisql(sql, self._types.get(str(record.get("table_id")), []), where)
        return _squall(sql)

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


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """(file:line, the line), none longer than MAX_LINE."""
    try:
        with _open(path) as stream:
            number = 0
            while line := stream.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise InputError(f"{path}:{number}: a line of more than {MAX_LINE:,} bytes")
                yield f"{path}:{number}", line
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _chunks(path: Path) -> Iterator[str]:
    try:
        with _open(path) as stream:
            while chunk := stream.read(1 << 16):
                yield chunk.decode("utf-8", "replace")
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None


def _records(path: Path, kind: str) -> Iterator[tuple[str, Any]]:
    if kind == ".jsonl":
        for where, line in _lines(path):
            if line.strip():
                yield where, _json(line, where)
        return
    try:
        with _open(path) as stream:
            text = stream.read(MAX_JSON + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(text) > MAX_JSON:
        raise InputError(f"{path}: more than {MAX_JSON:,} bytes of JSON; write it as .jsonl, one record a line")
    body = _json(text, str(path))
    if not isinstance(body, list):
        raise InputError(f"{path}: wanted a list of records, got {type(body).__name__}")
    for number, record in enumerate(body, start=1):
        if not isinstance(record, (dict, str)):
            raise InputError(f"{path}: record {number}: wanted an object, got {type(record).__name__}")
        yield f"{path}: record {number}", record


def _json(text: bytes, where: str) -> Any:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from None
    if where.rpartition(":")[2].isdigit() and not isinstance(found, (dict, str)):
        raise InputError(f"{where}: wanted an object a line, got {type(found).__name__}")
    return found


def _tsv(path: Path) -> Iterator[Statement]:
    at = -1
    for where, line in _lines(path):
        cells = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
        if at < 0:
            names = [name.strip() for name in cells]
            at = next((names.index(name) for name in FIELDS if name in names), -1)
            if at < 0:
                raise InputError(f"{where}: no column {' or '.join(FIELDS)} in the header: {', '.join(names)[:200]}")
        elif len(cells) <= at:
            raise InputError(f"{where}: {len(cells)} cells; wanted {at + 1} or more")
        else:
            yield Statement(cells[at])


# ---------------------------------------------------------------------------------------------------- .sql

_MARK = re.compile(r"""[;'"`]|--|/\*""")
_ENDS = {"'": "'", '"': '"', "`": "`", "--": "\n", "/*": "*/"}


def split_statements(chunks: Iterator[str]) -> Iterator[str]:
    """Statements of a stream of text, cut at `;` outside quotes and comments; comments are left out.

    Of one that is longer than any parser is let see, no more than that is kept in memory.
    """
    kept: list[str] = []
    size, inside, rest = 0, "", ""

    def keep(text: str) -> None:
        nonlocal size
        if size <= MAX_LENGTH:
            kept.append(text[: MAX_LENGTH + 1])
        size += len(text)

    for chunk in chunks:
        text, at = rest + chunk, 0
        while True:
            if inside:
                end = text.find(_ENDS[inside], at)
                stop = len(text) if end < 0 else end + len(_ENDS[inside])
                if inside not in ("--", "/*"):
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
            else:
                inside = mark.group()
                keep(inside if inside not in ("--", "/*") else " ")
    keep(rest if inside != "/*" else "")
    yield from _whole(kept)


def _whole(kept: list[str]) -> Iterator[str]:
    text = "".join(kept).strip()
    if text:
        yield text


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


_COLUMN = re.compile(r"(c\d+)(?:_(number|year))?\Z")


def _squall(sql: Any) -> Statement:
    """SQUALL's list of [kind, token, …]. `c1_number` and `c1_year` are the column c1 read as a number; `id` (the row's
    place) has no column in a table, `agg` marks rows of totals, and other readings of a cell have no node."""
    parts, reject = [], ""
    for item in sql:
        if not isinstance(item, list) or len(item) < 2 or not all(isinstance(part, str) for part in item[:2]):
            return Statement("", reject="not SQUALL's form", example=json.dumps(sql)[:200])
        kind, token = item[0], item[1]
        if kind == "Column":
            found = _COLUMN.match(token)
            if found is None:
                suffix = token.partition("_")[2]
                reject = reject or f"SQUALL: a column's reading _{suffix}" if suffix else f"SQUALL: the column {token}"
            parts.append(token if found is None else f"{found[1]}")
        elif kind == "Literal.String":
            parts.append("'" + token.strip("'\"").replace("'", "''") + "'")
        else:
            parts.append(token)
    return Statement(" ".join(parts), reject=reject)
