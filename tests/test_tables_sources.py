"""Where tables come from: every format and every benchmark's release, tiny and (if available) complete."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from symtune.tables import ForeignKey, exclude_tables, load_tables, tables_of_split
from symtune.tables.model import Reading
from symtune.tables.sources import known
from symtune.types import InputError, Table


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="")
    return path


def test_every_source_in_the_folder_keeps_the_contract(tmp_path: Path) -> None:
    for name, source in known().items():
        assert isinstance(source.LAYOUT, bool), name
        assert source.detect(tmp_path) is False, name
        assert list(source.read(tmp_path, Reading(lambda reason, where: None))) == [], name


# Formats


def test_tsv_and_csv_and_jsonl_of_one_folder_are_read_together(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "n\n1\n")
    write(tmp_path / "b.tsv", 'n\tm\n"x\ty"\t2\n')
    write(tmp_path / "c.jsonl", json.dumps({"header": ["n"], "rows": [[1.5], [None], [True], ["a\rb"]], "title": "T"}))
    loaded = load_tables(tmp_path)
    assert loaded.layout == "csv+jsonl+tsv"
    assert [(table.id, table.rows) for table in loaded.tables] == [
        ("a.csv", (("1",),)),
        ("b.tsv", (("x\ty", "2"),)),
        ("c.jsonl:1", (("1.5",), ("",), ("true",), ("a b",))),
    ]
    assert loaded.tables[2].title == "T"
    assert [table.id for table in load_tables(tmp_path, layout="tsv").tables] == ["b.tsv"]


def test_parquet_values_become_text(tmp_path: Path) -> None:
    import datetime
    import decimal

    columns = {
        "i": [1, None],
        "f": [0.5, float("nan")],
        "d": [datetime.date(2008, 4, 13), None],
        "x": [decimal.Decimal("1.50"), None],
        "s": ["a|b", ""],
        "g": pyarrow.array([0.1, 1e10], type=pyarrow.float32()),
        "m": pyarrow.array([datetime.datetime(2008, 4, 13), None], type=pyarrow.timestamp("ns")),
        "t": [datetime.datetime(2008, 4, 13), datetime.datetime(2008, 4, 13, 9)],
        "l": [[1], [2]],
        "b": [b"x", None],
        "e": [datetime.timedelta(minutes=5), None],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    (table,) = load_tables(tmp_path).tables
    assert table.header == ("i", "f", "d", "x", "s", "g", "m", "t", "e")
    assert table.rows == (
        ("1", "0.5", "2008-04-13", "1.50", "a|b", "0.1", "2008-04-13", "2008-04-13T00:00:00", "0:05:00"),
        ("", "NaN", "", "", "", "10000000000.0", "", "2008-04-13T09:00:00", ""),
    )
    assert load_tables(tmp_path).repaired == {"column of lists, records or binary data: left out": 2}
    pyarrow.parquet.write_table(pyarrow.table({"n": [[1], [2]]}), tmp_path / "nested.parquet")
    assert load_tables(tmp_path).dropped == {"no column of plain values": 1}
    with pytest.raises(InputError, match="no column of plain values"):
        load_tables(tmp_path / "nested.parquet")


def test_a_jsonl_file_of_rows_is_one_table(tmp_path: Path) -> None:
    rows = [{"n": 1, "name": "x", "tags": ["a"]}, {"name": None, "old": True}, {"n": 2.5, "name": "\r"}]
    text = "\n\n".join(map(json.dumps, rows))
    write(tmp_path / "rows.jsonl", "\ufeff" + text)
    loaded = load_tables(tmp_path)
    assert [(table.id, table.header, table.rows) for table in loaded.tables] == [
        ("rows.jsonl", ("n", "name", "old"), (("1", "x", ""), ("", "", "true"), ("2.5", "", "")))
    ]
    assert loaded.repaired == {"column of lists, records or binary data: left out": 1}


SCHEMA = """
CREATE TABLE author (id INTEGER PRIMARY KEY, "full ""name"" x" TEXT);
CREATE TABLE book (title TEXT, author_id INTEGER REFERENCES author(id), "price $" REAL);
INSERT INTO author VALUES (1, 'Le Guin'), (2, NULL);
INSERT INTO book VALUES ('The Dispossessed', 1, 5.5), ('Untold', 2, NULL);
"""
KEYS = "author_id", "author", "id"


def test_a_sqlite_file_gives_every_table_under_its_name_with_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "my books.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        SCHEMA
        + """
        CREATE TABLE page (book TEXT, "author" INTEGER REFERENCES author, n INTEGER);
        INSERT INTO page VALUES ('x', 1, 3);
        CREATE TABLE picture (n INTEGER, data BLOB, by INTEGER REFERENCES AUTHOR(Id));
        INSERT INTO picture VALUES (1, x'00ff', 1);
        CREATE TABLE raw (data BLOB); INSERT INTO raw VALUES (x'00ff');
        CREATE VIRTUAL TABLE words USING fts5(body);
        CREATE TABLE hollow (x);
        CREATE VIEW v AS SELECT 1;
        CREATE TRIGGER t AFTER INSERT ON book BEGIN SELECT 1; END;
        """
    )
    connection.close()
    before = path.read_bytes()
    for source in (path, tmp_path):
        loaded = load_tables(source)
        assert loaded.layout == "sqlite"
        assert loaded.dropped == {"no column of plain values": 1, "no rows": 1}
        assert loaded.repaired == {"column of lists, records or binary data: left out": 1}
        author, book, page, picture = loaded.tables
        assert (picture.header, picture.rows) == (("n", "by"), (("1", "1"),))
        assert (author.name, book.name, page.name) == ("author", "book", "page")
        assert author.header == ("id", 'full "name" x')
        assert book.rows == (("The Dispossessed", "1", "5.5"), ("Untold", "2", ""))
        assert loaded.foreign_keys == (
            ForeignKey("my books.db/book", "author_id", "my books.db/author", "id"),
            ForeignKey("my books.db/page", "author", "my books.db/author", "id"),
            ForeignKey("my books.db/picture", "by", "my books.db/author", "id"),
        )
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["my books.db"]


def test_rows_that_wait_in_a_write_ahead_log_are_read(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "live.db")
    connection.execute("PRAGMA journal_mode = wal")
    connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES ('1'), ('2');")
    assert len(load_tables(tmp_path / "live.db").tables[0].rows) == 2
    connection.close()


def test_what_is_too_large_in_a_sqlite_file_costs_that_table_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "large.db")
    names = ", ".join(f"c{number}" for number in range(1_900))
    connection.executescript(
        f"""
        CREATE TABLE wide ({names});
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2700)
        INSERT INTO wide (c0) SELECT i FROM n;
        CREATE TABLE long (n, data); INSERT INTO long VALUES (1, zeroblob(20000000));
        CREATE TABLE small (n); INSERT INTO small VALUES (1);
        """
    )
    connection.close()
    loaded = load_tables(tmp_path)
    assert [table.name for table in loaded.tables] == ["small"]
    assert loaded.dropped == {"over 5,000,000 cells": 1, "value over 10,000,000 bytes": 1}


def test_a_damaged_sqlite_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    with pytest.raises(InputError, match=r"bad\.sqlite: not a readable SQLite file"):
        load_tables(path)


def test_a_duckdb_file_gives_every_table_with_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "books.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SCHEMA)
        connection.execute("CREATE TABLE odd (l INTEGER[]); INSERT INTO odd VALUES ([1])")
        connection.execute("CREATE SCHEMA a; CREATE TABLE a.author (id INTEGER, moment TIMESTAMPTZ, l DECIMAL(5, 2)[])")
        connection.execute("INSERT INTO a.author VALUES (1, '2008-04-13 10:00:00+02', [1.5])")
    monkeypatch.setenv("TZ", "America/New_York")
    loaded = load_tables(path)
    assert loaded.layout == "duckdb"
    assert [table.id for table in loaded.tables] == [
        "books.duckdb/a.author", "books.duckdb/author", "books.duckdb/book",
    ]  # fmt: skip
    assert [table.name for table in loaded.tables] == ["author", "author", "book"]
    assert loaded.tables[0].rows == (("1", "2008-04-13 08:00:00+00"),)
    assert loaded.tables[2].rows == (("The Dispossessed", "1", "5.5"), ("Untold", "2", ""))
    assert loaded.foreign_keys == (ForeignKey("books.duckdb/book", "author_id", "books.duckdb/author", "id"),)
    assert loaded.dropped == {"no column of plain values": 1}
    path.write_bytes(path.read_bytes()[:20] + b"\0" * 100)
    with pytest.raises(InputError, match="not a readable DuckDB file"):
        load_tables(path)


# Release layouts, in small


def test_the_wikitablequestions_layout(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"csv/200-csv/{number}.csv", f'"a\\"b","c\\\\d"\n"x\\"{number}","y\nz"\n')
    names = {"random-split-1-train": [0, 1], "random-split-1-dev": [2, 1], "training": [0, 2, 5],
             "pristine-unseen-tables": [3]}  # fmt: skip
    for name, numbers in names.items():
        lines = [f"nt-{number}\tq\\nr\tcsv/200-csv/{number}.csv\t1" for number in numbers]
        write(tmp_path / f"data/{name}.tsv", "id\tutterance\tcontext\ttargetValue\n" + "\n".join(lines) + "\n")
    loaded = load_tables(tmp_path)
    assert loaded.layout == "wtq"
    assert loaded.tables[0] == Table("csv/200-csv/0.csv", ('a"b', "c\\d"), ("text", "text"), (('x"0', "y z"),))
    splits = {id.split("/")[-1]: split for id, split in loaded.official.items()}
    assert splits == {"0.csv": "train", "1.csv": "validation", "2.csv": "validation", "3.csv": "test", "5.csv": "train"}
    assert load_tables(tmp_path / "csv").official == loaded.official


def test_the_sqa_layout_knows_its_tables_as_those_of_wikitablequestions(tmp_path: Path) -> None:
    write(tmp_path / "sqa/table_csv/204_590.csv", 'Year,"A ""b"""\n2001,"1,000"\n')
    write(tmp_path / "sqa/table_csv/204_7.csv", "Year\n2001\n")
    head = "id\tannotator\tposition\tquestion\ttable_file\tx\n"
    write(tmp_path / "sqa/random-split-1-dev.tsv", head + "nt-1\t0\t0\tq\ttable_csv/204_590.csv\tx\n")
    loaded = load_tables(tmp_path / "sqa")
    assert loaded.layout == "sqa"
    assert loaded.official == {"table_csv/204_590.csv": "validation"}
    assert loaded.tables[0].header == ("Year", 'A "b"')
    write(tmp_path / "wtq/csv/204-csv/590.csv", '"Other","cells"\n"1","2"\n')
    write(tmp_path / "wtq/csv/204-csv/591.csv", '"Other","cells"\n"1","3"\n')
    left = exclude_tables(load_tables(tmp_path / "wtq"), f"{tmp_path / 'sqa'}:validation")
    assert [table.id for table in left.tables] == ["csv/204-csv/591.csv"]


def test_the_wikisql_layout(tmp_path: Path) -> None:
    for name in ("train", "dev", "test"):
        line = {"id": f"1-{name}", "header": ["a\r", "b"], "rows": [["x\r", 1]], "types": ["text", "real"]}
        write(tmp_path / f"data/{name}.tables.jsonl", json.dumps(line) + "\n")
    loaded = load_tables(tmp_path)
    assert loaded.layout == "wikisql"
    assert loaded.official == {"1-dev": "validation", "1-test": "test", "1-train": "train"}
    assert loaded.tables[0].header == ("a", "b")
    assert loaded.tables[0].rows == (("x", "1"),)


def test_the_tabfact_layout(tmp_path: Path) -> None:
    for name in ("1-1-1", "1-1-2", "1-1-3"):
        write(tmp_path / f"data/all_csv/{name}.html.csv", f'a "b#c, d\nx#{name}\n')
    write(tmp_path / "data/val_id.json", '["1-1-1.html.csv"]')
    write(tmp_path / "tokenized_data/train_examples.json", '{"1-1-2.html.csv": []}')
    loaded = load_tables(tmp_path)
    assert loaded.layout == "tabfact"
    assert loaded.official == {"1-1-1.html.csv": "validation", "1-1-2.html.csv": "train"}
    assert loaded.tables[0].header == ('a "b', "c, d")
    write(tmp_path / "data/val_id.json", "[")
    with pytest.raises(InputError, match=r"val_id\.json: not a JSON list"):
        load_tables(tmp_path)


# Releases in full, where they are


def test_all_tables_of_wikitablequestions_and_sqa(shared: Path) -> None:
    wtq, sqa = load_tables(shared / "WikiTableQuestions"), load_tables(shared / "SQA")
    assert (len(wtq.tables), len(sqa.tables)) == (1687, 797)
    assert wtq.dropped == sqa.dropped == {}
    assert Counter(wtq.official.values()) == {"train": 1341, "validation": 346}
    assert Counter(sqa.official.values()) == {"train": 649, "validation": 148}
    assert wtq.repaired == {"empty header: named by its position": 66, "repeated header: numbered": 134}
    contents = set(wtq.content.values())
    # 736 by content alone; SQA's own copies of the others differ in cells, and are known by their origin
    assert sum(content in contents for content in sqa.content.values()) == 736
    assert set(sqa.origin.values()) <= set(wtq.origin.values())
    train, held = tables_of_split(wtq, "train"), tables_of_split(wtq, "validation")
    assert train.dropped == {"duplicate content of a held-out table": 1}
    assert not set(train.content.values()) & set(held.content.values())
    left = exclude_tables(train, f"{shared / 'SQA'}:validation")
    assert not set(left.origin.values()) & set(tables_of_split(sqa, "validation").origin.values())


def test_wikisql_and_tabfact_share_contents_under_shared_names(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "wikisql").mkdir()
    (tmp_path / "wikisql/dev.tables.jsonl").symlink_to(shared / "WikiSQL-reconstructed/data/dev.tables.jsonl")
    wikisql = load_tables(tmp_path / "wikisql")
    assert len(wikisql.tables) == 1519
    assert set(wikisql.official.values()) == {"validation"}
    (tmp_path / "tabfact/data/all_csv").mkdir(parents=True)
    for table in wikisql.tables:
        if (file := shared / "TabFact/data/all_csv" / table.id).is_file():
            (tmp_path / "tabfact/data/all_csv" / table.id).symlink_to(file)
    tabfact = load_tables(tmp_path / "tabfact")
    assert len(tabfact.tables) == 1519
    assert tabfact.content == {table.id: wikisql.content[table.id] for table in tabfact.tables}
    assert set(tabfact.origin.values()) <= set(wikisql.origin.values())
