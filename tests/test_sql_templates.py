"""SQL templates: statements to typed shapes, corpora in every layout, hostile SQL, instances; and answer balance."""

from __future__ import annotations

import contextlib
import gzip
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sql_cases import DISAGREE
from symtune.audit import audit
from symtune.cli import build as app
from symtune.dataset import Line, lines
from symtune.generation import GenerateConfig, generate
from symtune.near_duplicates import near_duplicates
from symtune.seeds import rng
from symtune.sql.corpus.abstraction import abstract
from symtune.sql.corpus.corpora import Corpus
from symtune.sql.corpus.shapes import shape_tree
from symtune.sql.corpus.slots import SLOT_TYPES, ValueSlot
from symtune.sql.corpus.statements import split_statements
from symtune.sql.corpus.templates import SqlTemplate, SqlTemplates, Statement, build, load, save
from symtune.sql.language import tree as t
from symtune.sql.language.bounds import CALLS, KEYWORDS
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.language.render import render
from symtune.sql.sampling.balance import ROWS, SHORTCUTS, Balance, bounds_for
from symtune.sql.sampling.draws import Draw
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.joins import split
from symtune.sql.sampling.sampler import Sampler, _material
from symtune.types import SPLITS, Denotation, InputError, Rejected, Table

TEAMS = Table(
    "teams",
    ("Team", "City", "Year", "Points", "Wins", "Founded"),
    ("text", "text", "number", "number", "number", "date"),
    tuple(
        (
            f"Team {i}",
            ["Oslo", "Rome", "Lima"][i % 3],
            str(2000 + i),
            str(10 * (i % 5)),
            str(3 + i % 4),
            f"19{10 + i}-0{1 + i % 9}-11",
        )
        for i in range(12)
    ),
)
COLUMN_TYPES = {"text": t.Column, "number": t.Column}

# statement -> (shape, types of its column slots, uses of its value slots)
SHAPES = [
    (
        "SELECT Name FROM city WHERE State = 'Ohio' AND Pop > 1000",
        "SELECT c1 FROM w WHERE c2 = v1 AND c3 > v2", "any text number", "c2=0 c3>0",
    ),
    (
        'select T1.name from city as T1 where T1.state != "New York";',
        "SELECT c1 FROM w WHERE c2 <> v1", "any text", "c2<>0",
    ),
    ("SELECT a FROM t WHERE 5 < b", "SELECT c1 FROM w WHERE c2 > v1", "any number", "c2>0"),
    ("SELECT count(1) AS n FROM t", "SELECT COUNT(*) FROM w", "", ""),
    ("SELECT a, sum(b) FROM t GROUP BY 1 ORDER BY 2 DESC LIMIT 3",
     "SELECT c1, SUM(c2) FROM w GROUP BY c1 ORDER BY SUM(c2) DESC LIMIT 3", "any number", ""),
    ("SELECT a, count(*) AS n FROM t GROUP BY a HAVING n >= 3",
     "SELECT c1, COUNT(*) FROM w GROUP BY c1 HAVING COUNT(*) >= v1", "any", "c1count >=0"),
    ("SELECT name FROM t GROUP BY id HAVING avg(x) < 4",
     "SELECT c1 FROM w GROUP BY c1 HAVING AVG(c2) < v1", "any number", "c2<0"),
    ("SELECT a / b FROM t WHERE c BETWEEN 1 AND 2", "SELECT c1 * 1.0 / c2 FROM w WHERE c3 BETWEEN v1 AND v2",
     "number number number", "c3low0 c3high0"),
    ("SELECT a FROM t WHERE d > '2008-01-31' OR b LIKE 'x%'", "SELECT c1 FROM w WHERE c2 > v1 OR c3 LIKE 'v2%'",
     "any date text", "c2>0 c3like1"),
    ("SELECT a FROM t WHERE NOT b = 'x'", "SELECT c1 FROM w WHERE NOT (c2 = v1)", "any text", "c2<>0"),
    ("SELECT a FROM t WHERE b NOT LIKE 'x%'", "SELECT c1 FROM w WHERE c2 NOT LIKE 'v1%'", "any text", "c2not like0"),
    ("SELECT a FROM t WHERE NOT (b LIKE 'x' AND NOT (c < 2 OR d NOT LIKE '%y'))",
     "SELECT c1 FROM w WHERE NOT (c2 LIKE 'v1' AND NOT (c3 < v2 OR c4 NOT LIKE '%v3'))", "any text number text",
     "c2not like0 c3<0 c4not like1"),
    ("SELECT a FROM t WHERE b NOT IN (1, 2)", "SELECT c1 FROM w WHERE c2 NOT IN (v1, v2)", "any number",
     "c2not in0 c2not in0"),
    ("SELECT a FROM t WHERE b > (SELECT avg(b) FROM t WHERE c = 'y')",
     "SELECT c1 FROM w WHERE c2 > (SELECT AVG(c2) FROM w WHERE c3 = v1)", "any number text", "c3=0"),
    ("SELECT a FROM t WHERE b = 1 INTERSECT SELECT a FROM t WHERE b = 2",
     "SELECT c1 FROM w WHERE c2 = v1 INTERSECT SELECT c1 FROM w WHERE c2 = v2", "any number", "c2=0 c2=0"),
    ("SELECT a FROM t WHERE b = -4 UNION SELECT a FROM t WHERE b IS NULL",
     "SELECT c1 FROM w WHERE c2 = v1 UNION SELECT c1 FROM w WHERE c2 IS NULL", "any number", "c2=0"),
    ("SELECT a FROM t ORDER BY b DESC LIMIT 1", "SELECT c1 FROM w ORDER BY c2 DESC LIMIT 1", "any ordered", ""),
    ("SELECT max(a) - min(a) FROM t", "SELECT MAX(c1) - MIN(c1) FROM w", "number", ""),
    ("SELECT [my col], `b` FROM t WHERE \"c\" = 3", "SELECT c1, c2 FROM w WHERE c3 = v1", "any any number", "c3=0"),
    ("SELECT rank, year FROM t WHERE date = 'x'", "SELECT c1, c2 FROM w WHERE c3 = v1", "any any text", "c3=0"),
    ("SELECT T1.a FROM x AS T1 JOIN y AS T2 ON T1.id = T2.xid WHERE T2.b = 'q'",
     "SELECT c1 FROM w WHERE c2 = v1", "any1 text2", "c2=0"),
    ("SELECT T1.a FROM x AS T1 JOIN y AS T2 ON T1.id = T2.xid WHERE T1.b = 'q'",
     "SELECT c1 FROM w WHERE c2 = v1", "any text", "c2=0"),
    # joins in all their wordings; outer joins and subqueries over other tables are one wide table
    ("SELECT x.a, y.b FROM x, y WHERE x.id = y.xid AND y.c > 2", "SELECT c1, c2 FROM w WHERE c3 > v1",
     "any1 any2 number2", "c3>0"),
    ("SELECT x.a FROM x JOIN y USING (id) WHERE y.b = 'q'", "SELECT c1 FROM w WHERE c2 = v1", "any1 text2", "c2=0"),
    ("SELECT x.a, z.c FROM x JOIN y JOIN z ON x.id = y.id AND y.k = z.k WHERE y.b = 1",
     "SELECT c1, c2 FROM w WHERE c3 = v1", "any1 any2 number", "c3=0"),
    ("SELECT x.a FROM x LEFT JOIN y ON x.id = y.id WHERE y.b = 'q'", "SELECT c1 FROM w WHERE c2 = v1",
     "any text", "c2=0"),
    ("SELECT a FROM t WHERE id IN (SELECT tid FROM u WHERE c = 'x')",
     "SELECT c1 FROM w WHERE c2 IN (SELECT c2 FROM w WHERE c3 = v1)", "any any text", "c3=0"),
    ("SELECT a FROM t WHERE id NOT IN (SELECT tid FROM u)", "SELECT c1 FROM w WHERE c2 NOT IN (SELECT c3 FROM w)",
     "any any any", ""),
    # a table with itself, queries that look outside
    ("SELECT p.a FROM t p JOIN t q ON p.y = q.y + 1 WHERE q.a = 'x'",
     "SELECT x.c1 FROM w AS x JOIN w AS y ON x.c2 = (y.c2 + 1) WHERE y.c1 = v1", "text number", "c1=0"),
    ("SELECT p.a, q.a FROM t p, t q WHERE p.b = q.b AND p.n < q.n",
     "SELECT x.c1, y.c1 FROM w AS x JOIN w AS y ON x.c2 = y.c2 WHERE x.c3 < y.c3", "any any ordered", ""),
    ("SELECT a FROM t AS o WHERE b = (SELECT MAX(b) FROM t AS i WHERE i.c = o.c)",
     "SELECT x.c1 FROM w AS x WHERE x.c2 = (SELECT MAX(y.c2) FROM w AS y WHERE y.c3 = x.c3)", "any ordered any", ""),
    ("SELECT a FROM t o WHERE NOT EXISTS (SELECT * FROM t i WHERE i.b > o.b)",
     "SELECT x.c1 FROM w AS x WHERE NOT EXISTS (SELECT 1 FROM w AS y WHERE y.c2 > x.c2)", "any ordered", ""),
    # subqueries in FROM, common table expressions, windows
    ("SELECT a, total FROM (SELECT a, SUM(b) total FROM t GROUP BY a) s WHERE total > 10",
     "SELECT c1, n1 FROM (SELECT c1, SUM(c2) AS n1 FROM w GROUP BY c1) AS t WHERE n1 > v1", "any number", "c2>0"),
    ("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM t GROUP BY a)",
     "SELECT MAX(n1) FROM (SELECT COUNT(*) AS n1 FROM w GROUP BY c1) AS t", "any", ""),
    ("WITH s(k, n) AS (SELECT a, COUNT(*) FROM t GROUP BY a) SELECT k FROM s WHERE n >= 3",
     "WITH q1 AS (SELECT c1, COUNT(*) AS n1 FROM w GROUP BY c1) SELECT c1 FROM q1 WHERE n1 >= v1", "any",
     "c1count >=0"),
    ("SELECT a FROM (SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c DESC) AS r FROM t) WHERE r = 1",
     "SELECT c1 FROM (SELECT c1, ROW_NUMBER() OVER (PARTITION BY c2 ORDER BY c3 DESC) AS n1 FROM w) AS t WHERE n1 = 1",
     "any any any", ""),
    ("SELECT y, SUM(b) OVER (ORDER BY y) FROM t", "SELECT c1, SUM(c2) OVER (ORDER BY c1) FROM w", "any number", ""),
    # CASE and functions
    ("SELECT CASE WHEN b > 5 THEN 'high' ELSE 'low' END FROM t WHERE a = 'x'",
     "SELECT CASE WHEN c1 > v1 THEN 'high' ELSE 'low' END FROM w WHERE c2 = v2", "number text", "c1>0 c2=1"),
    ("SELECT COUNT(CASE a WHEN 'x' THEN 1 END) FROM t", "SELECT SUM(CASE WHEN c1 = v1 THEN 1 ELSE 0 END) FROM w",
     "text", "c1=0"),
    ("SELECT a FROM t WHERE YEAR(d) = 2010 AND LENGTH(a) > 3",
     "SELECT c1 FROM w WHERE CAST(strftime('%Y', c2) AS INTEGER) = v1 AND LENGTH(c1) > v2", "text date",
     "c2year =0 c1length >0"),
    ("SELECT id, name, COUNT(*) FROM t GROUP BY id", "SELECT c1, c2, COUNT(*) FROM w GROUP BY c1, c2", "any any", ""),
    ("SELECT 100.0 * a / b FROM t", "SELECT (100.0 * c1) * 1.0 / c2 FROM w", "number number", ""),
    # dialects
    ("SELECT TOP 3 a FROM [dbo].[t] ORDER BY b DESC", "SELECT c1 FROM w ORDER BY c2 DESC LIMIT 3", "any ordered", ""),
    ("SELECT a FROM t WHERE b IN (SELECT TOP (2) b FROM t ORDER BY c)",
     "SELECT c1 FROM w WHERE c2 IN (SELECT c2 FROM w ORDER BY c3 LIMIT 2)", "any any ordered", ""),
    ("SELECT a FROM s.t ORDER BY b OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY",
     "SELECT c1 FROM w ORDER BY c2 LIMIT 3 OFFSET 2", "any ordered", ""),
    ("SELECT a FROM t ORDER BY b LIMIT 2, 3", "SELECT c1 FROM w ORDER BY c2 LIMIT 3 OFFSET 2", "any ordered", ""),
    ("SELECT a::text FROM t WHERE b::numeric(10, 2) > 3 AND d >= DATE '2010-01-01' ORDER BY b NULLS LAST",
     "SELECT c1 FROM w WHERE c2 > v1 AND c3 >= v2 ORDER BY c2", "any number date", "c2>0 c3>=0"),
    ("SELECT ROUND(AVG(CAST(b AS REAL)), 2) FROM t WHERE a ILIKE '%x%'",
     "SELECT ROUND(AVG(c1), 2) FROM w WHERE c2 LIKE '%v1%'", "number text", "c2like0"),
    ("SELECT a FROM t WHERE EXTRACT(MONTH FROM d) = 5",
     "SELECT c1 FROM w WHERE CAST(strftime('%m', c2) AS INTEGER) = v1", "any date", "c2month =0"),
    ("SELECT a FROM t WHERE b = ? AND c > :low", "SELECT c1 FROM w WHERE c2 = v1 AND c3 > v2", "any any ordered",
     "c2=0 c3>0"),
    ("SELECT AVG(COALESCE(a, 0)) FROM t WHERE b = 'x'", "SELECT AVG(COALESCE(c1, 0)) FROM w WHERE c2 = v1",
     "number text", "c2=0"),
    ("SELECT IFNULL(a, 'none') FROM t", "SELECT COALESCE(c1, 'none') FROM w", "text", ""),
    ("SELECT COALESCE(a, b) FROM t WHERE b > 3", "SELECT COALESCE(c1, c2) FROM w WHERE c2 > v1",
     "number number", "c2>0"),
    ("SELECT a / NULLIF(b, 0) FROM t", "SELECT c1 * 1.0 / NULLIF(c2, 0) FROM w", "number number", ""),
    ("SELECT COUNT(NULLIF(a, b)) FROM t", "SELECT COUNT(NULLIF(c1, c2)) FROM w", "any any", ""),
    ("SELECT a FROM (SELECT a, DENSE_RANK() OVER (ORDER BY b) AS r FROM t) AS q WHERE r = 2",
     "SELECT c1 FROM (SELECT c1, DENSE_RANK() OVER (ORDER BY c2) AS n1 FROM w) AS t WHERE n1 = 2", "any any", ""),
    ("SELECT a FROM t WHERE b = 1 UNION ALL SELECT a FROM t WHERE b = 2",
     "SELECT c1 FROM w WHERE c2 = v1 UNION ALL SELECT c1 FROM w WHERE c2 = v2", "any number", "c2=0 c2=1"),
    (r"SELECT a FROM t WHERE b = 'O\'Hare'", "SELECT c1 FROM w WHERE c2 = v1", "any text", "c2=0"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "shape", "columns", "values"), SHAPES, ids=[case[0][:50] for case in SHAPES])
def test_shape(sql, shape, columns, values):
    found = abstract(sql)
    assert found.sql == shape
    assert " ".join(f"{c.type}{c.table or ''}" for c in found.columns.values()) == columns
    assert " ".join(f"{v.column}{v.use}{v.row}" for v in found.values.values()) == values
    assert render(shape_tree(found)) == shape


REFUSED = [
    ("SELECT * FROM t", "SELECT *"),
    ("SELECT t.* FROM t", "SELECT *"),
    ("SELECT x.a FROM x, y", "several tables"),
    ("SELECT x.a FROM x JOIN y ON x.id > y.id", "several tables"),
    ("SELECT a FROM t EXCEPT SELECT a FROM t", "several tables"),
    ("SELECT a FROM x JOIN y ON x.id = y.id", "column of an unnamed table"),
    ("SELECT p.a FROM t p, t q", "self join"),
    ("SELECT p.a FROM t p LEFT JOIN t q ON p.a = q.b", "outer join"),
    ("SELECT MAX(a), b FROM t", "bare column"),
    ("SELECT MONTH(d), COUNT(*) FROM t GROUP BY YEAR(d)", "bare column"),
    ("SELECT a FROM t LIMIT 3", "no order"),
    ("SELECT DISTINCT a FROM t ORDER BY b", "no order"),
    ("SELECT a > 3 FROM t", "beyond the typed tree"),
    ("SELECT a FROM t WHERE b", "type mismatch"),
    ("SELECT a FROM t WHERE b = 1 AND 5", "type mismatch"),
    ("SELECT a FROM t WHERE MAX(b) = 1", "misplaced aggregate"),
    ("SELECT COUNT(*) FROM t GROUP BY COUNT(*)", "misplaced aggregate"),
    ("SELECT a FROM t ORDER BY COUNT(*) DESC LIMIT 1", "bare column"),
    ("SELECT a FROM t HAVING COUNT(*) > 2", "bare column"),
    ("SELECT a FROM t WHERE ROW_NUMBER() OVER (ORDER BY b) = 1", "misplaced window"),
    ("SELECT COALESCE(a) FROM t", "beyond the typed tree"),
    ("SELECT COALESCE(a, 'x') FROM t WHERE a > 3", "type mismatch"),
    ("SELECT ROUND(a, b) FROM t", "beyond the typed tree"),
    ("SELECT ROUND(a, -1) FROM t", "beyond the typed tree"),
    ("SELECT GREATEST(a, 0) FROM t", "beyond the typed tree"),
    ("SELECT a FROM t UNION ALL SELECT a FROM t", "several tables"),
    ("SELECT a FROM t EXCEPT ALL SELECT b FROM t", "beyond the typed tree"),
    ("WITH RECURSIVE q AS (SELECT a FROM t) SELECT a FROM q", "beyond the typed tree"),
    ("SELECT p.a FROM t p JOIN t q ON p.a = q.b JOIN t r ON q.a = r.b JOIN t s ON r.a = s.b", "too many steps"),
    ("SELECT a FROM t WHERE b = 'x' AND b > 3", "type mismatch"),
    ("SELECT 1 FROM t", "constant in the projection"),
    ("SELECT a FROM t WHERE 1 = 1", "constant condition"),
    ("SELECT a FROM t WHERE b LIKE '%x%y%'", "LIKE with an inner pattern"),
    ("SELECT a FROM t WHERE b LIKE c", "beyond the typed tree"),
    ("SELECT a FROM t LIMIT 1 + 1", "beyond the typed tree"),
    ("SELECT a FROM t LIMIT 99999999999999999999", "beyond the typed tree"),
    ("SELECT 1", "no table"),
    ("SELECT a FROM t; SELECT b FROM t", "several statements"),
    ("SELECT FROM WHERE", "syntax|no table"),
    ("SELECT a FROM t WHERE b IN (SELECT FROM u)", "syntax"),
    ("SELECT MAX(DISTINCT MAX(DISTINCT)) FROM t", "beyond the typed tree"),
    ("", "syntax"),
]


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_refused_under_a_reason(sql, reason):
    with pytest.raises(Rejected) as error:
        abstract(sql)
    assert error.value.reason in reason.split("|")


HOSTILE = {
    "attach": "ATTACH DATABASE 'evil.db' AS e",
    "pragma": "PRAGMA writable_schema = 1",
    "insert": "INSERT INTO t VALUES (1)",
    "load_extension": "SELECT load_extension('x.so') FROM t",
    "readfile": "SELECT readfile('/etc/passwd') FROM t",
    "printf": "SELECT printf('%.*c', 900000000, 'x') FROM t",
    "recursive": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
    "recursive without columns": "WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
    "parentheses": "SELECT " + "(" * 1000 + "1" + ")" * 1000,
    "open parentheses": "SELECT " + "(" * 9000,
    "struct": "SELECT " + "struct(" * 60 + "1" + ")" * 60,
    "struct <": "SELECT CAST(a AS " + "struct<" * 60 + "a" + ">" * 60 + ") FROM t",
    "joins": "SELECT 1 FROM a" + " JOIN a" * 60,
    "limits": "SELECT 1 FROM t WHERE " + "limit lower(" * 30 + "1" + ")" * 30,
    "integers": "SELECT " + "integer (" * 30 + "1" + ")" * 30,
    "case": "SELECT " + "CASE WHEN 1 THEN " * 300 + "1" + " END" * 300,
    "not": "SELECT " + "NOT " * 5000 + "1",
    "minus": "SELECT " + "- " * 9000 + "1",
    "sum": "SELECT " + "+".join(["a"] * 9000) + " FROM t",
    "sum within bounds": "SELECT " + "+".join(["a"] * 700) + " FROM t",
    "and within bounds": "SELECT a FROM t WHERE " + " AND ".join(["b = 1"] * 300),
    "in": "SELECT a FROM t WHERE b IN (" + ",".join(map(str, range(100_000))) + ")",
    "unions": " UNION ".join(["SELECT a FROM t"] * 10_000),
    "unions within bounds": " UNION ".join(["SELECT a FROM t"] * 250),
    "dots": "SELECT " + "a." * 5000 + "b FROM t",
    "long text": "SELECT a FROM t WHERE b = '" + "x" * 3_000_000 + "'",
    "unterminated": "SELECT a FROM t WHERE b = 'x",
    "comment": "SELECT a /* " + "/*" * 8000,
    "positions": "SELECT " + "+".join(["a"] * 500) + " FROM t ORDER BY " + ",".join(["1"] * 200),
    "aliases": "SELECT a + a AS x FROM t GROUP BY " + ", ".join(["x + x"] * 200) + " HAVING " + "+".join(["x"] * 300),
    "self joins": "SELECT b0.a FROM t b0" + "".join(f" JOIN t b{i} ON b0.a <> b{i}.a" for i in range(1, 9)),
    "comma joins": "SELECT b0.a FROM " + ", ".join(f"t b{i}" for i in range(200)),
    "doubling": "WITH q0 AS (SELECT a FROM t)" + "".join(
        f", q{i} AS (SELECT x.a FROM q{i - 1} x JOIN q{i - 1} y ON x.a <> y.a)" for i in range(1, 8)
    ) + " SELECT a FROM q7",
    "nested EXISTS": "SELECT a FROM t WHERE " + "".join(
        f"EXISTS (SELECT 1 FROM t x{i} WHERE x{i}.a <> x{max(i - 1, 0)}.a AND " for i in range(12)
    ) + "1 = 1" + ")" * 12,
    "years": "SELECT " + "YEAR(" * 300 + "a" + ")" * 300 + " FROM t",
    "casts": "SELECT " + "CAST(" * 300 + "a" + " AS INTEGER)" * 300 + " FROM t",
    "rounds": "SELECT ROUND(a, " + "(" * 700 + ")" * 700 + ") FROM t",
    "coalesces": "SELECT " + "COALESCE(" * 300 + "a" + ", 0)" * 300 + " FROM t",
    "many for COALESCE": "SELECT COALESCE(" + ", ".join(["a"] * 700) + ", b = c) FROM t",
    "tops": "SELECT TOP 1 " * 300 + "a FROM t",
    "fetches": "SELECT a FROM t " + "FETCH FIRST 1 ROWS ONLY " * 200,
    "parameters": "SELECT " + "?," * 700 + "? FROM t",
    "items": "SELECT " + ",".join(["a"] * 740) + " FROM t",
    "windows": "SELECT " + ",".join(["SUM(a) OVER (ORDER BY a)"] * 110) + " FROM t",
    "nul": "SELECT \x00 FROM t",
    "surrogate": "SELECT \ud800 FROM t",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_statement_is_refused_cheaply(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    started, held = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Rejected) as error:
        abstract(HOSTILE[name])
    assert error.value.reason
    # CPU seconds and KiB: ten times what was measured, well below the 1.5 s and 512 MB that a statement may cost.
    assert time.process_time() - started < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 200_000
    assert not list(tmp_path.iterdir())


def test_a_hostile_corpus_fits_a_small_machine(tmp_path):
    """All of it through the verb, in a process with 20 CPU seconds and 512 MB; writes only the requested file."""
    corpus = [{"query": sql} for sql in [*HOSTILE.values(), "SELECT a FROM t"]]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))\n"
        "from symtune.cli import main\n"
        "sys.argv = ['symtune', 'sql-templates', 'build', 'q.jsonl', '--out', 'out.json']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {path.name for path in tmp_path.iterdir()} == {"q.jsonl", "out.json"}
    body = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert (body["accepted"], sum(body["rejects"].values())) == (1, len(HOSTILE))


DIALECT = ["top", "fetch", "first", "rows", "only", "extract(", "year(", "round(", "cast(", "ilike", "::", "?", "nulls"]
WORDS = [
    *DIALECT,
    *sorted(KEYWORDS),
    *(f"{name}(" for name in sorted(CALLS)),
    *"(),.*+-/%=<>",
    "a",
    "'x'",
    "1",
    '"q"',
    "<>",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), st.integers(1, 40), st.booleans())
def test_repeated_words_never_stall_the_parser(words, times, closed):
    started = time.process_time()
    with contextlib.suppress(Rejected):
        abstract("select a from t where " + (" ".join(words) + " ") * times + "1" + " )" * (times if closed else 0))
    assert time.process_time() - started < 1.5


# ------------------------------------------------------------------------------------------------- corpora


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sql": "SELECT c9 FROM w"}, "unknown column"),
        ({"sql": "SELECT load_extension('x') FROM w"}, "beyond the typed tree"),
        ({"columns": {"c1": "blob"}}, "a column slot of type 'blob'"),
        ({"values": {"v1": ["c7", "=", 0]}}, "misplaced slot: v1 is of c7, which is no column slot"),
        ({"values": {"v1": [["c2"], "=", 0]}}, "TypeError: wanted a text"),
        ({"values": {"v1": ["c2", "=", 10**9]}}, "wanted a whole number"),
        ({"values": 3}, "AttributeError|TypeError"),
        ({"sql": "SELECT FROM w"}, "syntax"),
        ({"sql": "SELECT 1"}, "no table"),
        ({"sql": "ATTACH 'x' AS y"}, "not a query"),
        ({"sql": "SELECT c1 FROM w; ATTACH 'x' AS y"}, "several statements"),
        ({"sql": "SELECT c1 FROM w" + " JOIN w ON c1 = c2" * 8}, "type mismatch"),
        (
            {"sql": "SELECT x.c1 FROM w AS x" + "".join(f" JOIN w AS y{i} ON x.c1 <> y{i}.c1" for i in range(6))},
            "too many steps",
        ),
        ({"sql": "SELECT '\ud800' FROM w"}, "UnicodeEncodeError"),
        ({"count": 10**400}, "ValueError"),
        ({"count": float("inf")}, "ValueError"),
        ({"tables": {"c1": 7}}, "ValueError"),
        ({"columns": {"w": "any"}}, "a slot named 'w'"),
        # a use or a type that does not fit the place
        *(
            ({"values": {"v1": ["c2", use, 0]}}, f"v1 is compared with c2 by '=', not c2 by '{use}'")
            for use in ("like", "not like", "<>", "in", "low", "upper =", "none")
        ),
        ({"values": {"v1": ["c2", "count =", 0]}}, "type mismatch"),
        ({"columns": {"c1": "any", "c2": "number"}, "values": {"v1": ["c2", "count =", 0]}}, "not c2 by 'count ='"),
        ({"values": {"v1": ["c1", "=", 0]}, "columns": {"c1": "text", "c2": "text"}}, "with c2 by '=', not c1 by '='"),
        *(
            ({"columns": {"c1": "any", "c2": "number"}, "values": {"v1": ["c2", use, 0]}}, f"not c2 by '{use}'")
            for use in ("year =", "length =", "like")
        ),
        ({"sql": "SELECT c1 FROM w WHERE c2 LIKE '%v1%'"}, "v1 is compared with c2 by 'like', not c2 by '='"),
        *(
            (
                {
                    "sql": "SELECT c1 FROM w WHERE c2 LIKE '%v1%'",
                    "columns": {"c1": "any", "c2": type_},
                    "values": {"v1": ["c2", "like", 0]},
                },
                "type mismatch",
            )
            for type_ in ("number", "any", "date", "ordered")
        ),
        *(
            ({"sql": f"SELECT {item} FROM w", "columns": {"c1": type_}, "values": {}}, "type mismatch")
            for item, type_ in (
                ("LENGTH(c1)", "number"),
                ("LENGTH(c1)", "any"),
                ("UPPER(c1)", "any"),
                ("c1 + 1", "text"),
                ("c1 * 1.0 / 2", "ordered"),
                ("ABS(c1)", "any"),
                ("SUM(c1)", "any"),
                ("SUBSTR(c1, 1, 2)", "number"),
                ("c1 || 'x'", "any"),
                ("SUM(c1) OVER ()", "text"),
                ("CAST(strftime('%Y', c1) AS INTEGER)", "text"),
            )
        ),
        # a value where none can stand, twice, or nowhere
        ({"sql": "SELECT c1, v1 FROM w WHERE c2 = v1"}, "v1 is not what one column is compared with"),
        (
            {"sql": "SELECT c1 FROM w WHERE c2 = v1 OR c1 = 1 OR c2 = v1", "columns": {"c1": "number", "c2": "text"}},
            "v1 is not what one column",
        ),
        ({"sql": "SELECT c1 FROM w WHERE c2 = v1 ORDER BY v1 LIMIT 1"}, "v1 is not what one column"),
        ({"sql": "SELECT c1 FROM w WHERE v1 = c2"}, "v1 is not what one column"),
        ({"sql": "SELECT c1 FROM w"}, "v1 is not what one column"),
        ({"sql": "SELECT c1 FROM w WHERE c2 || 'x' = v1"}, "v1 is compared with no column"),
        (
            {"sql": "SELECT COUNT(*) FROM w HAVING COUNT(*) = v1", "values": {"v1": ["c2", "count =", 0]}},
            "v1 is compared with no column",
        ),
        ({"sql": "SELECT c1 FROM w WHERE NOT (c2 = v1)"}, "with c2 by '<>', not c2 by '='"),
        # more slots than a template has
        ({"columns": {f"c{i}": "text" for i in range(1, 14)}}, "too many slots"),
        (
            {
                "values": {f"v{i}": ["c2", "in", 0] for i in range(1, 14)},
                "sql": f"SELECT c1 FROM w WHERE c2 IN ({', '.join(f'v{i}' for i in range(1, 14))})",
            },
            "too many slots",
        ),
    ],
)
def test_broken_template_file_is_one_line(tmp_path, change, message):
    good = {"id": "", "sql": "SELECT c1 FROM w WHERE c2 = v1", "columns": {"c1": "any", "c2": "text"},
            "values": {"v1": ["c2", "=", 0]}, "count": 1}  # fmt: skip
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"symtune": "sql-templates", "version": 1, "templates": [good]}))
    assert len(load(str(path)).templates) == 1
    path.write_text(json.dumps({"symtune": "sql-templates", "version": 1, "templates": [good | change]}))
    with pytest.raises(InputError, match=message) as error:
        load(str(path))
    assert "\n" not in str(error.value)


EDITED_USES = ["=", "<>", "<", ">=", "in", "not in", "low", "high", "like", "not like", "count =", "year =", "length >",
               "upper ="]  # fmt: skip


@settings(max_examples=400)
@given(st.data())
def test_an_edited_template_is_refused_or_drawn(data):
    """Whatever types and uses someone writes into a template, it is refused in one line, or its instances run."""
    shape = abstract(data.draw(st.sampled_from([case[0] for case in SHAPES if "any1" not in case[2]])))
    columns, values = dict(shape.columns), dict(shape.values)
    for name in data.draw(st.sets(st.sampled_from(list(columns)))) if columns else ():
        columns[name] = replace(columns[name], type=data.draw(st.sampled_from(SLOT_TYPES)))
    for name in data.draw(st.sets(st.sampled_from(list(values)))) if values else ():
        use = data.draw(st.sampled_from(EDITED_USES))
        values[name] = ValueSlot(data.draw(st.sampled_from(list(columns))), use, data.draw(st.integers(0, 2)))
    edited = replace(shape, columns=columns, values=values)
    try:
        tree = shape_tree(edited)
    except Rejected:
        assert edited != shape
        return
    template = SqlTemplate("x", edited, 1, (), "")
    instances, context = Instances(SqlTemplates("test", "", (template,), (tree,))), Context([TEAMS])
    for number in range(4):
        with contextlib.suppress(Rejected):
            context.prove(instances.draw(Draw(rng("edited", number), _material(context, {})))[0])


def test_no_such_template_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load(str(tmp_path / "none.json"))


# ----------------------------------------------------------------------------------------------- instances


def source(*corpus: str) -> SqlTemplates:
    built = build(Statement(sql) for sql in corpus)
    trees = tuple(shape_tree(template.shape) for template in built.templates)
    return SqlTemplates("test", "", tuple(built.templates), trees)


@pytest.mark.parametrize("sql", [case[0] for case in SHAPES if "any1" not in case[2]])
def test_instances_are_programs_over_the_table(sql):
    context = Context([TEAMS], max_rows=200)  # pairs of rows of the table, too, are an answer
    instances, material = Instances(source(sql)), _material(context, {})
    outcomes = Counter()
    for number in range(60):
        try:
            query, _ = instances.draw(Draw(rng("instance", sql, number), material))
            context.prove(query)
        except Rejected as error:
            outcomes[error.reason] += 1
            continue
        outcomes["proven"] += 1
        names = {node.name for node in t.walk(query) if isinstance(node, t.Column)}
        assert names <= {*TEAMS.header, "n1"}
        assert parse_sql(render(query), [TEAMS]) == query
    assert outcomes["proven"]
    assert DISAGREE.isdisjoint(outcomes)
    assert not outcomes["unknown column"]


def test_witness_rows_satisfy_the_conditions():
    templates = source("SELECT a FROM t WHERE b = 'x' AND c > 3 AND d <> 'y' AND e <= 9")
    context = Context([TEAMS])
    material = _material(context, {})
    reasons = Counter()
    for number in range(100):
        try:
            context.prove(Instances(templates).draw(Draw(rng("witness", number), material))[0])
        except Rejected as error:
            reasons[error.reason] += 1
    assert reasons["empty"] == 0


def test_joined_templates():
    tables, links = split(TEAMS, rng("teams"))
    context = Context(tables, links=links)
    instances = Instances(source("SELECT T1.a FROM x AS T1 JOIN y AS T2 ON T1.id = T2.xid WHERE T2.b = 'q'"))
    spread = Instances(source("SELECT a FROM t WHERE b = 'x'"))  # of one table, over both
    material = _material(context, {})
    assert not instances.serves(_material(Context([TEAMS]), {}))
    assert not Instances(source("SELECT COUNT(DISTINCT a) FROM t")).serves(material)
    assert not Instances(source("SELECT a FROM t WHERE b = (SELECT MAX(b) FROM t)")).serves(material)
    programs = []
    for served in (instances, spread):
        assert served.serves(material)
        found = list(Sampler(instances=(served, 1.0)).programs(context, rng("joined"), 5, Counter()))
        assert found
        assert all(program.query_type == "template" for program in found)
        programs += found
    for program in programs:
        sides = {
            node.table for node in t.walk((program.query.items, program.query.where)) if isinstance(node, t.Column)
        }
        assert sides == {table.name for table in tables}


def test_default_templates_are_shipped_and_split():
    templates = load("default")
    assert len(templates.templates) > 300
    assert sum(template.count for template in templates.templates) > 30_000
    parts = [templates.of_split(name).templates for name in SPLITS]
    texts = [{template.shape.sql for template in part} for part in parts]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]
    assert sum(map(len, parts)) == len(templates.templates)
    assert all(isinstance(template, SqlTemplate) for template in parts[2])


def test_generate_with_templates_is_deterministic_and_audited(tmp_path):
    made = {}
    for workers in (1, 2):
        out = tmp_path / f"w{workers}"
        options = {"sql_templates": "default", "sql_template_share": 0.5}
        generate(GenerateConfig(out=out, n=300, seed=3, options=options, workers=workers))
        made[workers] = {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}
    assert made[1] == made[2]
    assert audit(tmp_path / "w1").agreement == 1.0
    known = {template.id: template for template in load("default").templates}
    infos = [line.info() for line in lines(tmp_path / "w1")]
    drawn = [info for info in infos if info["query_type"] == "template"]
    assert 0.3 < len(drawn) / len(infos) < 0.6
    assert all(info["sql_template"] in known for info in drawn)
    assert not any("sql_template" in info for info in infos if info["query_type"] != "template")


def test_a_file_of_one_template_leaves_blocks_as_full_as_ever(tmp_path):
    """It gives only one program over a view; the sampler fills the rest of its share."""
    (tmp_path / "q.sql").write_text("SELECT COUNT(*) FROM w")
    file = str(tmp_path / "one.json")
    done = CliRunner().invoke(app(), ["sql-templates", "build", str(tmp_path / "q.sql"), "--out", file])
    assert done.exit_code == 0, done.output
    blocks = {}
    for name, options in (("sampler", {}), ("file", {"sql_templates": file, "sql_template_share": 0.3})):
        generate(GenerateConfig(out=tmp_path / name, n=640, options=options))
        blocks[name] = len({line.row["id"].rpartition("/")[0] for line in lines(tmp_path / name)})
    assert 40 <= blocks["file"] <= blocks["sampler"] + 2  # of 16 programs, but for what the budget of tokens drops


def test_held_out_templates_are_never_drawn_for_another_split(tmp_path):
    drawn = {}
    for name in ("train", "test"):
        options = {"sql_templates": "default", "sql_template_share": 1.0, "sql_templates_split": True}
        generate(GenerateConfig(out=tmp_path / name, n=120, split=name, options=options))
        infos = [line.info() for line in lines(tmp_path / name)]
        drawn[name] = {info["sql_template"] for info in infos if info["query_type"] == "template"}
    splits = {template.id: template.split for template in load("default").templates}
    for name, ids in drawn.items():
        assert ids
        assert {splits[id] for id in ids} == {name}


def test_a_share_without_templates_is_a_fault(tmp_path):
    with pytest.raises(InputError, match="needs sql_templates: name a file, or `default`"):
        generate(GenerateConfig(out=tmp_path / "x", n=1, options={"sql_template_share": 0.5}))


def test_spider_is_read(shared):
    folder = shared / "sql"
    built = build(Corpus([folder / "spider_single_table_sql.tsv"]).statements())
    assert built.accepted / built.statements > 0.98
    every = Corpus([folder / "spider_train.jsonl.gz", folder / "spider_tables.json.gz"]).statements()
    built = build(islice(every, 2000))
    assert built.accepted / built.statements > 0.96


def test_default_file_is_what_the_command_builds(shared, tmp_path):
    folder = shared / "WikiSQL-reconstructed" / "data"
    corpus = Corpus([folder / "train.jsonl", folder / "train.tables.jsonl"])
    shipped = json.loads((load.__globals__["DEFAULT"]).read_text("utf-8"))
    save(tmp_path / "x.json", build(corpus.statements()), corpus.inputs, license=shipped["license"])
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == shipped


# ------------------------------------------------------------------------------------------------- balance


def _folder(tmp_path, tables=None):
    return generate(GenerateConfig(out=tmp_path / "data", tables=tables, n=2000, seed=5))["tasks"][0]


def _holds(task):
    assert set(task["balance"]) == set(bounds_for((3, 40)))
    for name, (share, bound) in task["balance"].items():
        assert 0 <= share <= bound, f"{name}: {share} of at most {bound}"


def test_bounds_hold_on_the_bundled_tables(tmp_path):
    _holds(_folder(tmp_path))
    card = (tmp_path / "data" / "README.md").read_text("utf-8")
    assert "## Balance" in card
    assert all(f"| {name} |" in card for name in bounds_for((3, 40)))
    infos = [line.info() for line in lines(tmp_path / "data")]
    assert max(info["chance"] for info in infos) < 1


def test_bounds_hold_on_real_tables(tmp_path, shared):
    _holds(_folder(tmp_path, shared / "WikiTableQuestions"))


def test_a_shortcut_fills_its_quota_and_no_more():
    accepted, refused, blocks = 0, Counter(), 400
    for number in range(blocks):
        balance = Balance(rng("quota", number), 16, 20)
        for draw in range(16):
            try:
                classes = balance.check(Denotation(((str(draw),),), kind="number"), str(draw), 0.1, "1")
            except Rejected as error:
                refused[error.reason] += 1
                continue
            balance.count(str(draw), classes)
            accepted += 1
    assert set(refused) == {"balance: 1"}
    assert 0.7 * bounds_for((3, 40))["1"] < accepted / (16 * blocks) < 0.9 * bounds_for((3, 40))["1"]


def test_ends_of_a_small_table_answer_as_often_as_any_row():
    bounds = bounds_for((4, 4))
    assert all(bounds[name] >= 0.25 for name in ROWS)
    got = 0
    for number in range(300):
        balance = Balance(rng("ends", number), 16, 4)
        for draw in range(16):
            try:
                classes = balance.check(Denotation(((str(draw),),)), str(draw), 0.25, "first row")
            except Rejected:
                break
            balance.count(str(draw), classes)
            got += 1
    assert 0.25 <= got / (300 * 16) < 0.3


def test_one_answer_is_not_given_again_and_again():
    balance = Balance(rng("same"), 16, 20, kinds=False)
    for _ in range(2):
        balance.count("x", balance.check(Denotation((("x",),)), "x", 0.1, ""))
    with pytest.raises(Rejected) as error:
        balance.check(Denotation((("x",),)), "x", 0.1, "")
    assert error.value.reason == "balance: same answer again"


def test_a_mix_of_the_users_own_bounds_shortcuts_alone(tmp_path):
    options = {"query_types": {"count": 1.0}}
    (task,) = generate(GenerateConfig(out=tmp_path / "x", n=200, options=options))["tasks"]
    assert set(task["balance"]) == set(SHORTCUTS)
    assert task["statistics"]["answer_type"] == {"number": 200}


# ----------------------------------------------------------------------------------------- near duplicates


def test_near_duplicates():
    pytest.importorskip("rensa")
    other = Table(TEAMS.id, TEAMS.header, TEAMS.types, TEAMS.rows[::-1])
    far = Table("far", ("A", "B"), ("text", "text"), (("x", "y"), ("z", "u")))
    tables = {"a": TEAMS, "b": other, "c": far}

    def line(sql, table):
        return Line("here", {"info": {"sql": sql, "tables": [table]}}, tables)

    program = "SELECT Team FROM w WHERE City = 'Oslo' AND Year > 2003"
    found = near_duplicates([
        line(program, "a"),
        line("SELECT COUNT(*), SUM(Points) FROM w GROUP BY Founded HAVING AVG(Points) < 30", "a"),  # another program
        line(program, "c"),  # another table
        line(program, "b"),  # the same rows in another order
    ])  # fmt: skip
    assert (found.lines, found.near) == (4, 1)


@pytest.mark.parametrize("body", ["SELECT " + "a-/b " * 1_000_000, "SELECT '" + "x" * 5_000_000], ids=["code", "text"])
def test_a_statement_without_end_is_no_corpus(tmp_path, body):
    path = tmp_path / "long.sql"
    path.write_text("SELECT a FROM t;\n" + body, "utf-8")
    with pytest.raises(InputError, match=r"long\.sql: a statement of more than 4,000,000 characters"):
        list(Corpus([path]).statements())


def test_empty_statements_are_passed_over():
    assert list(split_statements(["; ;\n;SELECT 1;;", ";;", "; SELECT 2"])) == ["SELECT 1", "SELECT 2"]
