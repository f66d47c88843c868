"""Statements and corpora that are made to cost time or memory, or to reach something, are refused cheaply."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symtune.sql.corpus.abstraction import abstract
from symtune.sql.language.bounds import CALLS, KEYWORDS
from symtune.types import Rejected

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
