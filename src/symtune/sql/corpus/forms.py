"""Schemas, and SQL that a corpus does not write as text: the forms of Spider, WikiSQL and SQUALL."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symtune.sql.corpus.scopes import Schema
from symtune.sql.corpus.templates import Statement
from symtune.types import InputError

_TYPES = {"number": "number", "real": "number", "time": "date", "date": "date", "text": "text"}


def spider_schema(record: Any, path: Path) -> Schema:
    """The types of the columns of one of Spider's schemas. Raises InputError."""
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


def wikisql(sql: Any, types: Sequence[str], where: str) -> Statement:
    """WikiSQL's {sel, agg, conds}. Columns are renumbered and values replaced by one value for each type, so that
    statements of the same shape have the same text and are read once."""
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


def squall(sql: Any) -> Statement:
    """SQUALL's list of [kind, token, …]. `c1_number` and `c1_year` are column c1 read as a number, `c1_month` reads it
    as a date, and `id` (the position of the row) is a column of numbers. Rejected are `agg`, which marks rows of
    totals, and other readings of a cell (a list, a score), for which the tree has no node."""
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
