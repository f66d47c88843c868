"""SQL corpora, in the layouts in which they are published -> statements for `sql/corpus/templates.py`.

    corpus = Corpus([Path("train.jsonl"), Path("train.tables.jsonl"), Path("queries.sql")])
    built = build(corpus.statements())

    .sql               statements (`statements.py`); or one per line, followed by a tab and a db_id
    .tsv, .csv         a header with a column `sql` or `query`, cells quoted or not (`delimited.py`)
    .jsonl, .json      one record per line, a list of records, or one object that holds them:
        {"query": "SELECT …"} or {"sql": "SELECT …"}      (Spider, BIRD and most others; `db_id` names a schema)
        {"query": "How many …?", "sql": "SELECT …"}       the field that begins like SQL
        {"sql": {"sel": 3, "agg": 0, "conds": [[5, 0, "x"]]}, "table_id": …}       WikiSQL
        {"sql": [["Keyword", "select", []], ["Column", "c1", []], …], "tbl": …}    SQUALL
        {"sql": ["SELECT …", "SELECT …"]}                                          several statements
        {"q1": "SELECT …", "q2": "SELECT …"}, {"data": [{"sql": …}]}               a whole .json file

Any of them may be compressed, as .gz or .zst. Schema files are recognized by their content: Spider's tables.json
(`column_names_original`, `column_types`) and WikiSQL's *.tables.jsonl (`header`, `types`). Only the column types are
taken from them. A broken file raises InputError with the line; a statement that cannot be read is counted under a
reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from symtune.files import Entry, json_values
from symtune.output import sha256
from symtune.sql.corpus.delimited import read_rows
from symtune.sql.corpus.forms import spider_schema, squall, wikisql
from symtune.sql.corpus.scopes import Schema
from symtune.sql.corpus.statements import is_query, split_statements
from symtune.sql.corpus.templates import Statement
from symtune.sql.corpus.text import read_chunks, read_lines
from symtune.sql.language.bounds import MAX_LENGTH
from symtune.types import InputError

FIELDS = ("query", "sql", "SQL")  # as messages name them; case is ignored when reading
_NAMES = ("sql", "query", "sql_query", "gold_sql", "gold_query")  # in order of preference
_KINDS = (".sql", ".tsv", ".csv", ".json", ".jsonl")
_PACKED = (".gz", ".zst")
_NO_QUERY = "not a query"
_GOLD = re.compile(r"(?:select|with)\b[^\t]*\bfrom\s[^\t]*\S[^\t]*\t[\w.-]+\s*\Z", re.IGNORECASE)
_BEGINS = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)


class Corpus:
    """The files of a corpus, schemas included. `inputs` (name, kind, sha256) is for the manifest."""

    def __init__(self, files: Sequence[Path]) -> None:
        for path in files:
            if not path.is_file():
                raise InputError(
                    f"{path}: no such file" if not path.exists() else f"{path}: is a folder; name the files in it"
                )
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
        elif kind in (".tsv", ".csv"):
            for where, record, fault in read_rows(path, kind, is_field):
                if fault:
                    yield Statement("", reject=fault, example=" ".join(record.values())[:MAX_LENGTH])
                else:
                    yield from self._record(record, where)
        else:
            for where, record in _records(path, kind):
                yield from self._record(record, where)

    def _sql(self, path: Path) -> Iterator[Statement]:
        chunks = read_chunks(path)
        start = list(islice(chunks, 2))
        if _names_schemas("".join(start[:1]), whole=not "".join(start[1:])):
            for _, line in read_lines(path):
                sql, _, schema = line.rstrip("\r\n").partition("\t")
                if sql.strip():
                    yield _found(sql, self._schemas.get(schema.strip()))
            return
        try:
            yield from map(_found, split_statements(chain(start, chunks)))
        except InputError as error:
            raise InputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None

    def _record(self, record: Any, where: str) -> Iterator[Statement]:
        if isinstance(record, str):
            yield from _statements([record], None)
            return
        sql = _sql_of(record)
        if sql is None:
            names = ", ".join(map(str, record))[:200]
            raise InputError(f"{where}: no field {' or '.join(FIELDS)} that contains SQL; it has {names}")
        if isinstance(sql, dict):
            yield wikisql(sql, self._types.get(str(record.get("table_id")), []), where)
        elif isinstance(sql, list) and not all(isinstance(one, str) for one in sql):
            yield squall(sql)
        else:
            yield from _statements([sql] if isinstance(sql, str) else sql, self._schemas.get(str(record.get("db_id"))))

    def _read_schemas(self, path: Path) -> bool:
        """Whether the file holds schemas; if so, they are kept."""
        kind = _kind(path)
        if kind not in (".json", ".jsonl"):
            return False
        for _, record in _records(path, kind):
            if not isinstance(record, dict):
                return False
            if "column_names_original" in record and "db_id" in record:
                self._schemas[str(record["db_id"])] = spider_schema(record, path)
            elif "header" in record and "types" in record and "id" in record:
                self._types[str(record["id"])] = list(map(str, record["types"]))
            else:
                return False
        return True


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = "".join(suffixes[-2:-1] if suffixes[-1:] and suffixes[-1] in _PACKED else suffixes[-1:])
    if kind not in _KINDS:
        raise InputError(f"{path}: wanted a .sql, .tsv, .csv, .json or .jsonl file, or one of them as .gz or .zst")
    return kind


def is_field(name: str) -> bool:
    """Whether a key or column of this name holds SQL."""
    return name.strip().lower() in _NAMES


def _found(sql: str, schema: Schema | None = None) -> Statement:
    """A statement of a .sql file, or the prose between two statements."""
    return Statement(sql, schema, reject="" if is_query(sql) else _NO_QUERY)


def _statements(texts: Iterable[str], schema: Schema | None) -> Iterator[Statement]:
    """The statements in the texts of one record; one text may hold several."""
    for text in texts:
        several = len(text) <= MAX_LENGTH and ";" in text.rstrip("; \t\r\n")
        for sql in (list(split_statements([text])) if several else []) or [text]:
            yield Statement(sql, schema)


def _sql_of(record: Mapping[str, Any]) -> Any:
    """The SQL of a record: a text that begins like a query, else a form of SQL (`forms.py`), else any text; None if
    no field has such a name."""
    fields = sorted((key for key in record if is_field(key)), key=lambda key: (_NAMES.index(key.strip().lower()), key))
    if not fields:
        return None
    held = [record[name] for name in fields]
    forms = [value for value in held if isinstance(value, (dict, list)) and value]
    texts = [value for value in held if isinstance(value, str)]
    return next((text for text in texts if is_query(text)), None) or next(
        chain(forms, [text for text in texts if text.strip()]), ""
    )


def _names_schemas(text: str, *, whole: bool) -> bool:
    """Whether a file that begins with this text has one statement per line, followed by a tab and the name of its
    schema, as Spider's gold files do."""
    lines = text.split("\n")
    lines = [line for line in (lines if whole else lines[:-1]) if _BEGINS.match(line)]
    return bool(lines) and all(_GOLD.match(line.lstrip()) for line in lines)


def _records(path: Path, kind: str) -> Iterator[tuple[str, Any]]:
    entries = json_values(path)
    first, second = next(entries, None), next(entries, None)
    if kind == ".json" and first is not None and second is None and isinstance(first.value, dict):
        yield from _whole_object(first)
        return
    for entry in chain([found for found in (first, second) if found is not None], entries):
        if not isinstance(entry.value, (dict, str)):
            got = type(entry.value).__name__
            raise InputError(f"{entry.where}: wanted a list of records or one object per line, got {got}")
        yield entry.where, entry.value


def _whole_object(entry: Entry) -> Iterator[tuple[str, Any]]:
    """The records of a file that is a single object: the object itself, or the values of its keys."""
    record = entry.value
    below = [
        (f"{entry.where}: {key[:40]!r}", one)
        for key, value in record.items()
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, (dict, str))
    ]
    holds_sql = any(is_query(one) if isinstance(one, str) else any(map(is_field, one)) for _, one in below)
    if any(map(is_field, record)) or not holds_sql:
        yield entry.where, record
        return
    for where, one in below:
        if isinstance(one, str) or any(map(is_field, one)):
            yield where, one
