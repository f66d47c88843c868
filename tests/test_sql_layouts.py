"""SQL corpora in the layouts that people publish them in, and the verb that builds templates from them."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from symtune.cli import build as app
from symtune.sql.corpus.corpora import Corpus
from symtune.sql.corpus.statements import split_statements
from symtune.sql.corpus.templates import Statement, build
from symtune.types import InputError


def statements(path, *more):
    return list(Corpus([path, *more]).statements())


def test_sql_file_is_cut_outside_quotes_and_comments(tmp_path):
    text = "SELECT 'a;b' FROM t; -- not; this\nSELECT \"c;\" /* nor; that */ FROM t ;;\n SELECT d -- end"
    path = tmp_path / "q.sql"
    path.write_text(text)
    assert [" ".join(s.sql.split()) for s in statements(path)] == [
        "SELECT 'a;b' FROM t",
        'SELECT "c;" FROM t',
        "SELECT d",
    ]
    # The same however the stream is cut.
    for size in (1, 2, 3, 7):
        pieces = (text[i : i + size] for i in range(0, len(text), size))
        assert [" ".join(s.split()) for s in split_statements(pieces)] == [
            "SELECT 'a;b' FROM t", 'SELECT "c;" FROM t', "SELECT d",
        ]  # fmt: skip


def test_schemas_that_are_made_for_each_statement_are_told_apart():
    def made():
        for i in range(400):
            yield Statement("SELECT a FROM t ORDER BY b DESC LIMIT 1", {"t": {"b": ("number", "date")[i % 2]}})

    counts = {x.shape.columns["c2"].type: x.count for x in build(made()).templates}
    assert counts == {"number": 200, "date": 200}


def test_long_statement_of_a_stream_is_not_kept_in_memory():
    chunks = ("x" * 65_536 for _ in range(60))
    (found,) = split_statements(chunks)
    assert len(found) < 200_000


def test_wikisql_form(tmp_path):
    path, tables = tmp_path / "dev.jsonl", tmp_path / "dev.tables.jsonl"
    record = {"table_id": "1", "question": "?", "sql": {"sel": 2, "agg": 5, "conds": [[0, 0, "x"], [1, 1, "3"]]}}
    path.write_text(json.dumps(record) + "\n")
    tables.write_text(json.dumps({"id": "1", "header": ["a", "b", "c"], "types": ["text", "real", "real"], "rows": []}))
    built = build(statements(path, tables))
    (template,) = built.templates
    assert template.shape.sql == "SELECT AVG(c1) FROM w WHERE c2 = v1 AND c3 > v2"
    assert [slot.type for slot in template.shape.columns.values()] == ["number", "text", "number"]
    assert template.example == "SELECT AVG(column2) FROM t WHERE column0 = 'x' AND column1 > '3'"


def test_squall_form(tmp_path):
    def squall(*tokens):
        return {"nt": "nt-1", "tbl": "200_1", "sql": [[kind, token, []] for kind, token in tokens]}

    word, column, text = "Keyword", "Column", "Literal.String"
    good = squall((word, "select"), (column, "c1"), (word, "from"), (word, "w"), (word, "where"), (column, "c2"),
                  (word, "="), (text, "'the \"x\"'"), (word, "order by"), (column, "c3_number"), (word, "desc"),
                  (word, "limit"), ("Literal.Number", "1"))  # fmt: skip
    by_place = squall((word, "select"), (column, "c1"), (word, "from"), (word, "w"), (word, "order by"), (column, "id"))
    as_list = squall((word, "select"), (column, "c1_list"), (word, "from"), (word, "w"))
    by_month = squall((word, "select"), (column, "c1"), (word, "from"), (word, "w"), (word, "where"),
                      (column, "c2_month"), (word, "="), ("Literal.Number", 3))  # fmt: skip
    path = tmp_path / "squall.json"
    path.write_text(json.dumps([good, by_place, as_list, by_month, {"sql": [1, 2]}]))
    built = build(statements(path))
    assert {template.shape.sql for template in built.templates} == {
        "SELECT c1 FROM w WHERE c2 = v1 ORDER BY c3 DESC LIMIT 1",
        "SELECT c1 FROM w ORDER BY c2",
        "SELECT c1 FROM w WHERE CAST(strftime('%m', c2) AS INTEGER) = v1",
    }
    assert built.rejects == {"SQUALL: a column's reading _list": 1, "not SQUALL's form": 1}


def test_spider_form_with_schemas(tmp_path):
    path, schemas = tmp_path / "train.jsonl.gz", tmp_path / "tables.json"
    rows = [
        {"db_id": "d", "query": "SELECT name FROM city ORDER BY pop DESC LIMIT 1"},
        {"db_id": "d", "query": "SELECT name FROM city WHERE pop = '7'"},
        {"db_id": "d", "query": "SELECT city.name FROM city JOIN lake ON city.id = lake.cid WHERE depth > 3"},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    schemas.write_text(json.dumps([{
        "db_id": "d", "table_names_original": ["City", "Lake"],
        "column_names_original": [[-1, "*"], [0, "Name"], [0, "Pop"], [0, "id"], [1, "cid"], [1, "Depth"]],
        "column_types": ["text", "text", "number", "number", "number", "number"],
    }]))  # fmt: skip
    built = build(statements(path, schemas))
    found = {tuple((s.type, s.table) for s in x.shape.columns.values()): x.shape.sql for x in built.templates}
    assert found == {
        (("any", 0), ("number", 0)): found[("any", 0), ("number", 0)],
        (("any", 1), ("number", 2)): "SELECT c1 FROM w WHERE c2 > v1",
    }
    assert Counter(x.shape.sql for x in built.templates)["SELECT c1 FROM w WHERE c2 = v1"] == 1  # '7' beside a number


TWO = ["SELECT a FROM t WHERE b = 'caf\u00e9'", "SELECT COUNT(*) FROM t WHERE c > 3"]
LAYOUTS = {
    "one a line.sql": "\n".join(TWO).encode(),
    "gold of Spider.sql": "".join(f"{sql}\tsome_db\n" for sql in TWO).encode(),
    "windows.sql": ";\r\n".join(TWO).encode(),
    "mark.sql": ("\ufeff" + ";".join(TWO)).encode(),
    "two bytes.sql": ";\n".join(TWO).encode("utf-16"),
    "mysql.sql": ("# don't; mind\n" + ";".join([TWO[0].replace("caf", r"o\'a"), TWO[1]])).encode(),
    "long.sql": ("-- " + "\u00e9" * 40_000 + "\n" + ";".join(TWO)).encode(),  # letters cut by reads
    "query.jsonl": "\n".join(json.dumps({"query": sql, "id": 1}) for sql in TWO).encode(),
    "texts.jsonl": "\n".join(map(json.dumps, TWO)).encode(),
    "SQL.json": json.dumps([{"SQL": sql, "db_id": "d"} for sql in TWO], indent=2).encode(),
    "lines.json": "\n".join(json.dumps({"sql": sql}) for sql in TWO).encode(),
    "several.json": json.dumps([{"sql": TWO, "variables": []}]).encode(),
    "big.json": json.dumps([{"sql": sql, "nl": ["x" * 50_000] * 4} for sql in TWO]).encode(),
    "table.tsv": ("id\tsql\n" + "".join(f"1\t{sql}\n" for sql in TWO)).encode(),
    "packed.sql.gz": gzip.compress(";".join(TWO).encode(), mtime=0),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_give_the_same_templates(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(LAYOUTS[name])
    built = build(statements(path))
    assert {template.shape.sql for template in built.templates} == {
        "SELECT c1 FROM w WHERE c2 = v1",
        "SELECT COUNT(*) FROM w WHERE c1 > v1",
    }
    assert (built.statements, built.accepted) == (2, 2)


def test_a_record_without_a_statement_is_counted(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"query": "SELECT a FROM t"}\n{"query": null}\n')
    assert build(statements(path)).rejects == {"syntax": 1}


FAULTS = [
    ("x.jsonl", '{"query": "SELECT a FROM t"}\n{"query": ', r"x\.jsonl:2: not JSON"),
    ("x.jsonl", '{"text": "SELECT a FROM t"}\n', r"x\.jsonl:1: no field query or sql or SQL"),
    ("x.jsonl", "[1]\n", r"x\.jsonl: record 1: wanted a list of records or one object per line, got int"),
    ("x.jsonl", '{"sql": {"sel": "?", "conds": []}}\n', r"x\.jsonl:1: not WikiSQL's form"),
    ("x.json", '{"data":\n [{"text": "SELECT a FROM t"}]}', r"x\.json:1: no field query or sql or SQL.*it has data"),
    ("x.json", "3", "wanted a list of records"),
    ("x.json", '[{"query": "SELECT a FROM t"}, {"query": ', r"x\.json: record 2: not JSON"),
    ("x.json", '[{"query": "SELECT a FROM t"} {"query": "SELECT a FROM t"}]', r"x\.json: record 1: not JSON"),
    ("x.json", "[" * 100_000, "not JSON"),
    ("x.tsv", "a\tb\n1\t2\n", r"x\.tsv:1: no column query or sql or SQL"),
    ("x.tsv", "a\tsql\n1\n", r"x\.tsv:2: 1 cells; wanted 2"),
    ("x.txt", "SELECT", "wanted a .sql, .tsv, .csv, .json or .jsonl"),
    ("x.sql.gz", "not gzip", "cannot be read"),
    ("x.sql", "PRAGMA x; DROP TABLE y", r"none of 2 statements gives a template: not a query \(2\)"),
    ("x.sql", "", "the corpus is empty"),
]


@pytest.mark.parametrize(("name", "text", "message"), FAULTS)
def test_broken_corpus_is_one_line(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        build(Corpus([path]).statements())
    assert "\n" not in str(error.value)


def test_build_verb_writes_the_same_bytes_and_counts_rejects(tmp_path):
    corpus = tmp_path / "q.sql"
    corpus.write_text("SELECT a FROM t WHERE b = 'x'; select c from u where d = 'y'; SELECT * FROM t; ATTACH 'x' AS y")
    runs = []
    for name in ("one.json", "two.json"):
        done = CliRunner().invoke(
            app(), ["sql-templates", "build", str(corpus), "--out", str(tmp_path / name), "--license", "CC0"]
        )
        assert done.exit_code == 0, done.output
        assert "not a query" in done.output
        runs.append((tmp_path / name).read_bytes())
    assert runs[0] == runs[1]
    body = json.loads(runs[0])
    assert body["license"] == "CC0"
    assert body["rejects"] == {"SELECT *": 1, "not a query": 1}
    assert body["inputs"][0]["name"] == "q.sql"
    assert len(body["inputs"][0]["sha256"]) == 64
    (template,) = body["templates"]
    assert (template["count"], template["sql"]) == (2, "SELECT c1 FROM w WHERE c2 = v1")


def test_the_terminal_is_shown_no_control_characters(tmp_path):
    corpus = [
        "SELECT \x1b[31m FROM t",
        "SELECT a FROM t WHERE b = '\ud800'",
        "SELECT CASE WHEN a > 1 THEN '\x1b]0;mine\x07' ELSE 'x' END FROM t",
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    out = str(tmp_path / "out.json")
    for arguments in (["build", str(tmp_path / "q.jsonl"), "--out", out], ["show", out]):
        done = CliRunner().invoke(app(), ["sql-templates", *arguments])
        assert done.exit_code == 0, done.output
        assert "\x1b" not in done.output
    body = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert (body["accepted"], body["rejects"]) == (1, {"syntax": 2})


@pytest.mark.parametrize("body", ["SELECT " + "a-/b " * 1_000_000, "SELECT '" + "x" * 5_000_000], ids=["code", "text"])
def test_a_statement_without_end_is_no_corpus(tmp_path, body):
    path = tmp_path / "long.sql"
    path.write_text("SELECT a FROM t;\n" + body, "utf-8")
    with pytest.raises(InputError, match=r"long\.sql: a statement of more than 4,000,000 characters"):
        list(Corpus([path]).statements())


def test_empty_statements_are_passed_over():
    assert list(split_statements(["; ;\n;SELECT 1;;", ";;", "; SELECT 2"])) == ["SELECT 1", "SELECT 2"]
