"""Files of SQL as people keep them: one statement per line, prose in between, scripts for SQL Server, quoted tables."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from symtune.cli import build as app
from symtune.sql.corpus.abstraction import abstract
from symtune.sql.corpus.corpora import Corpus
from symtune.sql.corpus.statements import split_statements
from symtune.sql.corpus.templates import Built, build
from symtune.types import InputError, Rejected

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"


def corpus(path: Path, content: str | bytes) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [" ".join((statement.sql or statement.example).split()) for statement in Corpus([path]).statements()]


def built(path: Path, content: str | bytes) -> Built:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return build(Corpus([path]).statements())


def split(text: str) -> list[str]:
    return [" ".join(sql.split()) for sql in split_statements([text])]


# Statements that are one line, and over several lines; prose; what ends a statement.
ONE_LINE = [
    "SELECT name FROM staff WHERE city = 'Lodi'",
    "select MAX(salary) from staff",
    "SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = 'x;y')",
    "WITH q AS (SELECT a FROM t) SELECT a FROM q",
    "(SELECT a FROM t) UNION (SELECT b FROM u)",
    "SELECT [a;b] FROM [t] WHERE [it's] = 5",
    "SELECT [Order #] FROM #temp WHERE b > 3",
    "SELECT \"don't\" FROM t WHERE b = '\"'",
]
SEVERAL_LINES = [
    "SELECT name,\n  age\nFROM staff\nWHERE city = 'Lodi'\nAND age > 3\nORDER BY age\nDESC\nLIMIT 3",
    "SELECT\nname\n, age\nFROM\nstaff\nGROUP BY\nname\nHAVING COUNT(*) > 3",
    "SELECT a FROM t\nUNION\n\nSELECT b FROM u\nUNION ALL\nSELECT c FROM v",
    "SELECT a FROM t WHERE b IN (\nSELECT c FROM u\n)\nAND d = 5",
    "SELECT a\nFROM t\nLEFT OUTER JOIN u\nON t.id = u.id\nWHERE EXISTS\n(SELECT c\nFROM v)",
    "WITH q AS (\nSELECT a FROM t\n),\nr AS (\nSELECT b FROM u\n)\nSELECT a FROM q",
    "SELECT CASE\nWHEN a > 1\nTHEN 'x'\nELSE 'y'\nEND\nFROM t",
    "SELECT a -- the first\nFROM t /* of\nall */ WHERE b = 1",
    "SELECT ROW_NUMBER() OVER (\nPARTITION BY a\nORDER BY b\nROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t",
    "INSERT INTO t (a, b)\nSELECT a, b FROM u",
    "CREATE VIEW v AS\nSELECT a FROM t",
    "CREATE TABLE t (\n  a INT,\n  b TEXT\n)",
    "SELECT 'two\n\nlines; here' FROM t",
]
PROSE = [
    "Here are the queries of the first week:",
    "It's the next one, and it isn't long",
    "1. Who is the oldest?",
    "From the table we see that nobody is",
    "And now for the salaries of all",
    "- the third question",
    "```sql",
    "=======",
    "Order of the rows does not matter.",
]


def plain(sql: str) -> str:
    """A statement as it is read, without comments."""
    return " ".join(sql.replace("-- the first", "").replace("/* of\nall */", "").split())


@pytest.mark.parametrize("sql", [*ONE_LINE, *SEVERAL_LINES])
@pytest.mark.parametrize("end", [";\n", "\n", "\nGO\n", ";\ngo\n", "\nGO 5\r\n", " ;;\n\n;\n"])
def test_a_statement_is_one_whatever_ends_it(sql, end):
    assert split(f"{sql}{end}SELECT z FROM z{end}") == [plain(sql), "SELECT z FROM z"]
    assert split(f"{sql}{end}".replace("\r", "").replace("\n", "\r\n")) == [plain(sql)]


@pytest.mark.parametrize("prose", PROSE)
@pytest.mark.parametrize("sql", [*ONE_LINE, SEVERAL_LINES[0]])
@pytest.mark.parametrize("end", ["\n", ";\n", "\n\n"])
def test_prose_costs_itself_alone(sql, prose, end):
    expected = [prose, plain(sql), prose, prose, plain(sql), prose]
    text = f"{prose}\n{sql}{end}{prose}\n{prose}{end}{sql}\n{prose}"
    assert split(text) == expected


MENDED = [
    ("SELECT a FROM t WHERE b = 'O'Brien'", "an odd quote"),
    ("SELECT (a FROM t", "an open bracket"),
    ("SELECT a FROM t WHERE b = \"x", "an open name"),
    ("SELECT a FROM t WHERE", "half of it"),
    ("SELECT a FROM", "less than half"),
]  # fmt: skip


@pytest.mark.parametrize("broken", [sql for sql, _ in MENDED], ids=[name for _, name in MENDED])
def test_a_broken_line_costs_itself_alone(broken):
    assert split(f"SELECT x FROM x\n{broken}\nSELECT y FROM y\nSELECT z FROM z;") == [
        "SELECT x FROM x",
        broken,
        "SELECT y FROM y",
        "SELECT z FROM z",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("USE x\nSELECT a FROM t\nSET NOCOUNT ON;\nWITH", ["USE x", "SELECT a FROM t", "SET NOCOUNT ON", "WITH"]),
        ("EXPLAIN\nSELECT a FROM t\nSELECT b FROM t", ["EXPLAIN SELECT a FROM t", "SELECT b FROM t"]),
        ("INSERT INTO t VALUES (1)\nSELECT a FROM t", ["INSERT INTO t VALUES (1)", "SELECT a FROM t"]),
        ("-- a comment; with 'marks\n# another's\nSELECT a FROM t # and\nWHERE b = 1", ["SELECT a FROM t WHERE b = 1"]),
        ("SELECT a FROM t; this is all of it\nSELECT b FROM t", ["SELECT a FROM t", "this is all of it",
                                                               "SELECT b FROM t"]),
        ("/* SELECT a FROM t;\nSELECT b\n*/ SELECT c FROM t", ["SELECT c FROM t"]),
        ("SELECT a FROM t /* no end\nSELECT b FROM t", ["SELECT a FROM t", "/* a comment that does not end"]),
        ("SELECT a FROM\n#temp\nWHERE b = 1", ["SELECT a FROM #temp WHERE b = 1"]),
    ],
)  # fmt: skip
def test_scripts(text, expected):
    assert split(text) == expected


@given(
    st.lists(st.tuples(st.sampled_from([*ONE_LINE, *SEVERAL_LINES, *PROSE]), st.sampled_from(["\n", ";\n", "\n\n"]))),
    st.integers(1, 40),
)
def test_nothing_is_glued_and_pieces_do_not_matter(parts, size):
    text = "".join(part + end for part, end in parts)
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    assert [" ".join(sql.split()) for sql in split_statements(chunks)] == [plain(part) for part, _ in parts]


@pytest.mark.parametrize("line", [";", "\n", ";\n", " ;", "/* */;", "-- x\n", "\t"])
def test_a_large_file_of_nothing_is_read_at_once(line):
    chunk = line * 10_000
    assert list(split_statements(chunk for _ in range(10 if len(line) > 2 else 1000))) == []


def test_long_lines_are_read_in_pieces():
    sql = "SELECT a FROM t WHERE b = 'it''s; -- no comment' /* ; */ AND c = [x;y]; "
    found = list(split_statements([sql * 5000]))
    assert len(found) == 5000
    assert len({" ".join(one.split()) for one in found}) == 1
    assert split("-- " + "no; comment's end " * 10_000 + "\nSELECT a FROM t") == ["SELECT a FROM t"]


# ---------------------------------------------------------------------------------------------- whole files


def test_rejects_of_a_file_of_lines(tmp_path):
    text = "SELECT a FROM t WHERE b = 'x'\nNow it's the next's turn\nSELECT c FROM t WHERE d = 'y';\nUSE shop\n"
    found = built(tmp_path / "a.sql", text)
    assert (found.statements, found.accepted, found.rejects) == (4, 2, {"not a query": 2})
    assert found.rejected["not a query"] == ["Now it's the next's turn", "USE shop"]


def test_a_schema_behind_a_tab(tmp_path):
    text = "SELECT a FROM t\tshop\nSome prose\nSELECT b FROM t WHERE c = 'it''s';\tshop\n"
    assert corpus(tmp_path / "a.sql", text) == ["SELECT a FROM t", "Some prose", "SELECT b FROM t WHERE c = 'it''s';"]
    assert corpus(tmp_path / "a.sql", "SELECT a FROM t\tshop") == ["SELECT a FROM t"]
    assert corpus(tmp_path / "a.sql", "SELECT\ta\nFROM\tt\n") == ["SELECT a FROM t"]


QUERIES = [
    "SELECT name FROM t WHERE city = \"Lodi\"",
    "SELECT COUNT(*) FROM t WHERE \"first name\" = 'Al'",
    "SELECT city,\n COUNT(*)\nFROM t\tGROUP BY city",
    "SELECT MAX(age) FROM t",
]  # fmt: skip


def written(rows: list[list[str]], **dialect) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue()


LAST = [["question", "db_id", "query"], *([f"q {i}", "d", sql] for i, sql in enumerate(QUERIES))]
MIDDLE = [["id", "sql", "note"], *([str(i), sql, 'a "note"'] for i, sql in enumerate(QUERIES))]
QUESTION = [["query", "SQL"], *(["How many are there, and where?", sql] for sql in QUERIES)]


@pytest.mark.parametrize("rows", [LAST, MIDDLE, QUESTION], ids=["last", "middle", "question"])
@pytest.mark.parametrize("encode", [str.encode, lambda text: codecs.BOM_UTF8 + text.encode(),
                                    lambda text: text.encode("utf-16"), lambda text: gzip.compress(text.encode())],
                         ids=["UTF-8", "mark", "UTF-16", "gz"])  # fmt: skip
@pytest.mark.parametrize(
    ("suffix", "dialect"),
    [
        ("tsv", {"delimiter": "\t"}),
        ("tsv", {"delimiter": "\t", "lineterminator": "\n"}),
        ("tsv", {"delimiter": "\t", "quoting": csv.QUOTE_ALL}),
        ("csv", {}),
        ("csv", {"delimiter": ";", "lineterminator": "\n"}),
        ("csv", {"quoting": csv.QUOTE_ALL}),
    ],
)
def test_quoted_tables(tmp_path, rows, encode, suffix, dialect):
    data = encode(written(rows, **dialect))
    name = f"a.{suffix}.gz" if data.startswith(b"\x1f\x8b") else f"a.{suffix}"
    assert corpus(tmp_path / name, data) == [" ".join(sql.split()) for sql in QUERIES]


def test_what_pandas_writes(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"question": ["q"] * 4, "query": QUERIES})
    for name, options in (("a.tsv", {"sep": "\t"}), ("b.csv", {}), ("c.tsv", {"sep": "\t", "index": False})):
        frame.to_csv(tmp_path / name, **options)
        assert corpus(tmp_path / name, (tmp_path / name).read_bytes()) == [" ".join(sql.split()) for sql in QUERIES]


def test_a_tsv_that_is_not_quoted(tmp_path):
    text = 'id\tsql\tnote\n1\tSELECT "a" FROM t\t"So he said\n2\tSELECT "b" FROM "t"\t12"\n3\tSELECT c FROM t\t"all"\n'
    assert corpus(tmp_path / "a.tsv", text) == ['SELECT "a" FROM t', 'SELECT "b" FROM "t"', "SELECT c FROM t"]


def test_excel_says_its_delimiter(tmp_path):
    assert corpus(tmp_path / "a.csv", "sep=|\r\nid|sql\r\n1|SELECT a, b FROM t\r\n") == ["SELECT a, b FROM t"]


def test_a_row_that_is_cut_wrongly_is_rejected_and_not_read_in_part(tmp_path):
    found = built(tmp_path / "a.csv", "id,sql\n1,SELECT a FROM t\n2,SELECT a, b FROM t\n3,SELECT c FROM t,\n")
    assert (found.statements, found.accepted) == (3, 2)
    assert found.rejects == {"a row of more cells than the header": 1}


def test_a_cell_longer_than_the_csv_module_likes(tmp_path):
    limit = csv.field_size_limit()
    text = written([["schema", "sql"], ["x, " * 100_000, "SELECT a FROM t"]])
    assert corpus(tmp_path / "a.csv", text) == ["SELECT a FROM t"]
    assert csv.field_size_limit() == limit


ONE, TWO = "SELECT a FROM t", "SELECT b FROM u"
RECORDS = {
    "a question in query.jsonl": [{"query": "Select the names of all", "sql": ONE}, {"query": "Who?", "sql": TWO}],
    "a question in sql.jsonl": [{"sql": "the names of all", "query": ONE}, {"SQL": TWO, "query": ""}],
    "a parse beside it.jsonl": [{"query": ONE, "sql": {"select": [0], "from": {}}}, {"query": TWO, "sql": [1]}],
    "several in one.jsonl": [{"sql": f"{ONE};\n{TWO};"}],
    "other names.jsonl": [{"Query": ONE}, {"gold_sql": TWO}],
    "object.json": {"q1": ONE, "q2": TWO},
    "object of records.json": {"1": {"sql": ONE, "db_id": "d"}, "2": {"sql": TWO, "db_id": "d"}},
    "list in an object.json": {"version": "1.0", "data": [{"query": ONE}, {"query": TWO}]},
    "texts in an object.json": {"queries": [ONE, TWO]},
    "one record.json": {"sql": [ONE, TWO]},
    "texts.json": [ONE, TWO],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", RECORDS)
def test_records(tmp_path, name, indent):
    held = RECORDS[name]
    lines = name.endswith("jsonl") and isinstance(held, list)
    text = "\n".join(json.dumps(row) for row in held) if lines else json.dumps(held, indent=indent)
    found = [sql for sql in corpus(tmp_path / name.replace(" ", "-"), text) if sql != "1.0"]
    assert found == [ONE, TWO]
    packed = pa.compress(text.encode(), codec="zstd", asbytes=True)
    assert [sql for sql in corpus(tmp_path / f"{name}.zst", packed) if sql != "1.0"] == found


FAULTS = [
    ("a.csv", "a,b\n1,2\n", r"a\.csv:1: no column query or sql or SQL in the header: a,b"),
    ("a.csv", "id,sql\n1\n", r"a\.csv:2: 1 cells; wanted 2 or more"),
    ("a.csv", 'id,sql\n1,"SELECT a FROM t\n', r"a\.csv:2: not a readable csv \(unexpected end of data\)"),
    ("a.csv", 'id,sql\n1,"SELECT" a FROM t\n', r"a\.csv:2: not a readable csv"),
    ("a.tsv", "", r"a\.tsv:1: no column query or sql or SQL"),
    ("a.json", '{"q1": "what?", "q2": 5}', r"a\.json:1: no field query or sql or SQL that contains SQL; it has q1, q2"),
    ("a.json", '{"query": "SELECT a FROM t", ', r"a\.json:1: not JSON"),
]


@pytest.mark.parametrize(("name", "text", "message"), FAULTS)
def test_broken_tables_and_objects_are_one_line(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message) as error:
        built(tmp_path / name, text)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------------------------------------- reasons


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT T1.'Free Meal Count' FROM frpm AS T1 WHERE T1.'x y' > 3", "SELECT c1 FROM w WHERE c2 > v1"),
        ("SELECT [Order #] FROM #temp WHERE [it's] = N'Blue'", "SELECT c1 FROM w WHERE c2 = v1"),
        ("SELECT MAX(x.Price) 'top price' FROM ##all x", "SELECT MAX(c1) FROM w"),
    ],
)
def test_names_of_other_dialects(sql, shape):
    assert abstract(sql).sql == shape


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT x.1 FROM x", "syntax: a column without a name"),
        ("SELECT x.* FROM x", "SELECT *"),
        ("Here's a line of prose", "not a query: Here"),
        ("SELECT IIF(a > 1, 1, 0) FROM t", "beyond the typed tree: the function IIF()"),
    ],
)
def test_reasons_name_what_is_wrong(sql, why):
    with pytest.raises(Rejected) as error:
        abstract(sql)
    assert str(error.value) == why


def test_the_terminal_says_what_is_wrong_with_the_first(tmp_path):
    (tmp_path / "a.sql").write_text("SELECT a FROM t;\nSELECT IIF(a, 1, 0) FROM t;\nSome prose\n")
    arguments = ["sql-templates", "build", str(tmp_path / "a.sql"), "--out", str(tmp_path / "out.json")]
    done = CliRunner().invoke(app(), arguments, env={"COLUMNS": "200"})
    assert "1 template from 1 of 3 statements" in done.output
    assert "SELECT IIF(a, 1, 0) FROM t (the function IIF())" in done.output
    assert "Some prose" in done.output


@pytest.mark.parametrize(
    ("name", "statements", "rejects"),
    [("one_a_line.sql", 10, {}), ("sql_server.sql", 9, {"not a query": 1}), ("sql_quoted.tsv", 5, {})],
)
def test_cases(name, statements, rejects):
    if not CASES.is_dir():
        pytest.skip("shared/cases is not beside this checkout")
    found = build(Corpus([CASES / name]).statements())
    assert (found.statements, found.rejects) == (statements, rejects)
