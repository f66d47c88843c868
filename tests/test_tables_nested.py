"""Tables inside JSON: every usual form, under which keys, and what is refused with the name of the key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from symtune.tables import load_tables
from symtune.types import InputError

HEADER, ROWS = ["City", "Land", "Pop"], [["Oslo", "N", "7"], ["Lund", "S", "1"]]
RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
COLUMNS = {name: [row[at] for row in ROWS] for at, name in enumerate(HEADER)}
LISTS = [HEADER, *ROWS]
TABLE = {"header": HEADER, "rows": ROWS}
QUESTION = {"id": "q1", "question": "which?", "answers": ["Oslo"]}

SPELLINGS = {  # under "table", of a line that holds a question too
    "header and rows": TABLE,
    "columns and data": {"columns": HEADER, "data": ROWS, "index": [0, 1]},
    "headers": {"Headers": HEADER, "Rows": ROWS, "title": "T"},
    "names": {"column_names": HEADER, "cell_values": ROWS},
    "fields and records": {"fields": [{"name": name, "type": "string"} for name in HEADER], "records": RECORDS},
    "table keys": {"table_header": HEADER, "table_rows": ROWS},
    "cells with links": {"header": [[name, []] for name in HEADER], "data": [[[c, ["x"]] for c in r] for r in ROWS]},
    "cells as objects": {"header": HEADER, "rows": [[{"value": c} for c in row] for row in ROWS]},
    "pandas table": {"schema": {"fields": [{"name": "City"}], "pandas_version": "1"}, "data": RECORDS},
    "pandas dict": {name: {"0": cells[0], "1": cells[1]} for name, cells in COLUMNS.items()},
    "pandas index": {"0": RECORDS[0], "1": RECORDS[1]},
    "lists": LISTS,
    "spans": [[{"value": c, "is_header": not at, "column_span": 1} for c in row] for at, row in enumerate(LISTS)],
    "records": RECORDS,
    "columns": COLUMNS,
    "inner": {"uid": "u", "table": LISTS},
    "json": json.dumps(TABLE),
    "json lists": json.dumps(LISTS),
    "markdown": "| City | Land | Pop |\n|---|:-:|--|\n| Oslo | N | 7 |\n| Lund | S | 1 |",
    "hashes": "City#Land#Pop\nOslo#N#7\nLund#S#1",
    "tabs": "City\tLand\tPop\nOslo\tN\t7\nLund\tS\t1\n",
}  # fmt: skip


def write(path: Path, *lines: Any) -> Path:
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    return path


def is_it(path: Path) -> bool:
    loaded = load_tables(path)
    return [(table.header, table.rows) for table in loaded.tables] == [(tuple(HEADER), tuple(map(tuple, ROWS)))]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_table_under_a_key_is_read_in_every_spelling(tmp_path: Path, spelling: str) -> None:
    line = {**QUESTION, "table": SPELLINGS[spelling]}
    path = write(tmp_path / "t.jsonl", line, {**line, "id": "q2"})
    assert is_it(path)
    assert load_tables(path).dropped == {"table that several lines hold: taken once": 1}
    assert is_it(write(tmp_path / "one.jsonl", line))
    deep = {"id": "q", "context": {"data_table": SPELLINGS[spelling]}}
    assert is_it(write(tmp_path / "deep.jsonl", deep, deep))


@pytest.mark.parametrize("spelling", [name for name in SPELLINGS if name not in ("cells with links", "pandas dict")])
def test_a_parquet_column_of_tables_is_read(tmp_path: Path, spelling: str) -> None:
    value = SPELLINGS[spelling]
    for name, cell in (("struct", value), ("text", value if isinstance(value, str) else json.dumps(value))):
        column = pyarrow.array([cell, cell])
        table = pyarrow.table({"id": ["q1", "q2"], "table": column, "n": [1, 2]})
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
        assert is_it(tmp_path / f"{name}.parquet")


@pytest.mark.parametrize("key", ["table", "page_table", "context", "evidence"])
def test_a_sure_table_is_one_under_any_key(tmp_path: Path, key: str) -> None:
    assert is_it(write(tmp_path / "t.jsonl", {**QUESTION, key: TABLE}, {**QUESTION, key: TABLE}))


def test_names_and_titles_of_nested_tables(tmp_path: Path) -> None:
    other = {"header": HEADER, "rows": ROWS[:1]}
    path = write(
        tmp_path / "t.jsonl",
        {**QUESTION, "table": {**TABLE, "name": "csv/1.csv", "page_title": "Cities"}},
        {**QUESTION, "table": other, "table_id": "t-2", "title": "One city"},
        {**QUESTION, "tables": None, "table": None},
        {**QUESTION, "table": {"header": HEADER, "rows": ROWS[1:]}},
    )
    loaded = load_tables(path)
    assert [(table.id, table.title) for table in loaded.tables] == [
        ("csv/1.csv", "Cities"), ("t-2", "One city"), ("t.jsonl:4", ""),
    ]  # fmt: skip
    assert loaded.dropped == {"line without a table under 'table'": 1}
    several = write(tmp_path / "s.jsonl", {**QUESTION, "tables": [TABLE, other]}, QUESTION)
    assert [table.id for table in load_tables(several).tables] == ["s.jsonl:1.1", "s.jsonl:1.2"]


HIDDEN = {  # what stands beside a question; the key that the refusal names
    "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
    "orders": RECORDS,
    "answers": {"text": ["a"], "answer_start": [3]},
    "pairs": [["a", "b"], ["c", "d"]],
    "table_text": "col : City | Land row 1 : Oslo | N",
    "html_table": "<table>\n<tr><td>Oslo</td></tr>\n</table>",
}


@pytest.mark.parametrize("key", HIDDEN)
def test_what_may_be_a_table_is_refused_by_its_key(tmp_path: Path, key: str) -> None:
    line = {"id": "q1", "question": "which?", key: HIDDEN[key]}
    path = write(tmp_path / "t.jsonl", line, line)
    with pytest.raises(InputError, match=rf"may be tables under the key '{key}'") as raised:
        load_tables(path)
    assert "\n" not in str(raised.value)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([line, line]), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=rf"may be tables under the key '{key}'"):
        load_tables(tmp_path / "t.parquet")
    write(tmp_path / "good.jsonl", {"n": 1}, {"n": 2})
    assert load_tables(tmp_path).dropped == {f"tables hidden under the key '{key}'": 2}


def test_what_is_no_table_leaves_a_file_of_rows(tmp_path: Path) -> None:
    lines = [
        {"n": number, "tags": ["a", "b"], "where": {"street": "x", "zip": 1}, "table": 5, "vector": [0.1, 0.2, 0.3],
         "boxes": [[1, 2, 3], [4, 5, 6]]}
        for number in range(3)
    ]  # fmt: skip
    (table,) = load_tables(write(tmp_path / "t.jsonl", *lines)).tables
    assert (table.header, table.rows) == (("n", "table"), (("0", "5"), ("1", "5"), ("2", "5")))


DOCUMENTS = {  # whole files
    "records": RECORDS,
    "lists": LISTS,
    "object": TABLE,
    "split": {"columns": HEADER, "data": ROWS},
    "columns": COLUMNS,
    "wrapped": {"meta": {"version": 1}, "records": RECORDS},
    "wrapped elsewhere": {"count": 2, "cities": RECORDS},
    "lines of tables": [{**QUESTION, "table": TABLE}, {**QUESTION, "table": TABLE}],
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_json_document_is_read(tmp_path: Path, name: str) -> None:
    for indent in (None, 2):
        for suffix in ("json", "jsonl"):
            path = tmp_path / f"{indent}.{suffix}"
            path.write_text(json.dumps(DOCUMENTS[name], indent=indent), "utf-8")
            assert is_it(path), (indent, suffix)


def test_json_in_other_encodings(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"город": f"Москва{n}", "имя": "Анна", "n": n}, ensure_ascii=False) for n in range(9))
    for name, encoding in (("utf-16", "UTF-16"), ("utf-16-le", ""), ("cp1251", "Windows-1251")):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(lines.encode(name))
        assert load_tables(path).tables[0].rows[0] == ("Москва0", "Анна", "0"), encoding
    (tmp_path / "late.jsonl").write_bytes(b'{"n": 1}\n' * 9_000 + '{"n": "é"}\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"late\.jsonl:9001: .*--encoding NAME"):
        load_tables(tmp_path / "late.jsonl")
    assert load_tables(tmp_path / "late.jsonl", encoding="latin-1").tables[0].rows[-1] == ("é",)
