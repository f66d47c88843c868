"""Hostile SQL: each statement is refused with a reason, touches no file, and costs little."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from symtune.executors import ENGINES, Sqlite
from symtune.tables import typed_rows
from symtune.tasks import find
from symtune.types import Rejected, Table

ROWS = tuple(("a" * 60 + str(i), str(i), "b" * 30) for i in range(200))
WIDE = Table("hostile", ("a", "n", "name"), ("text", "number", "text"), ROWS)


def _chain(step: str, times: int, first: str = "SELECT n FROM w") -> str:
    """A query in which each common table expression joins the one before with itself."""
    parts = [f"c0 AS ({first})"] + [f"c{i} AS ({step.format(c=f'c{i - 1}')})" for i in range(1, times)]
    return f"WITH {', '.join(parts)} SELECT n FROM c{times - 1}"


NESTED_EXISTS = "".join(f"EXISTS (SELECT 1 FROM w AS x{i} WHERE x{i}.n <> x{max(i - 1, 0)}.n AND " for i in range(15))
# name -> statement, with {folder} for a folder that nothing may be written to or read from
HOSTILE = {
    "attach": "ATTACH DATABASE '{folder}/evil.db' AS evil",
    "vacuum into": "VACUUM INTO '{folder}/evil.db'",
    "pragma": "PRAGMA writable_schema=1",
    "pragma function": "SELECT * FROM pragma_table_info('w')",
    "schema": "SELECT sql FROM sqlite_master",
    "schema by its new name": "SELECT sql FROM sqlite_schema",
    "load extension": "SELECT load_extension('{folder}/x.so') FROM w",
    "read file": "SELECT readfile('{folder}/secret') FROM w",
    "drop": "DROP TABLE w",
    "delete": "DELETE FROM w",
    "insert": "INSERT INTO w VALUES (1, 2, 3)",
    "trigger": "CREATE TEMP TRIGGER x AFTER INSERT ON w BEGIN SELECT 1; END",
    "several statements": "SELECT n FROM w; DROP TABLE w",
    "transaction": "BEGIN EXCLUSIVE",
    "recursive": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
    "recursive in secret": "WITH c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
    "printf": "SELECT printf('%.*c', 900000000, 'x')",
    "format": "SELECT format('%.*c', 900000000, 'x')",
    "zeroblob": "SELECT hex(zeroblob(400000000))",
    "random blob": "SELECT LENGTH(randomblob(900000000))",
    "replace": "SELECT replace(replace(a, 'a', a), 'a', a) FROM w",
    "group concat": "SELECT group_concat(a) FROM w",
    "random": "SELECT random() FROM w",
    "1,000 brackets": "SELECT " + "(" * 1000 + "1" + ")" * 1000,
    "1,000 open brackets": "SELECT " + "(" * 1000,
    "nested calls": "SELECT " + "ABS(" * 300 + "n" + ")" * 300 + " FROM w",
    "nested CASE": "SELECT " + "CASE WHEN n > 1 THEN " * 300 + "1" + " ELSE 2 END" * 300 + " FROM w",
    "open CASE": "SELECT " + "CASE " * 3000,
    "nested queries": "SELECT " + "(SELECT " * 100 + "1" + ")" * 100,
    "nested EXISTS": f"SELECT n FROM w WHERE {NESTED_EXISTS}1 = 1" + ")" * 15,
    "cross join": "SELECT COUNT(*) FROM w AS a JOIN w AS b ON 1 = 1 JOIN w AS c ON 1 = 1 JOIN w AS d ON 1 = 1",
    "comma join": "SELECT COUNT(*) FROM w a, w b, w c, w d, w e",
    "unequal join": "SELECT COUNT(*) FROM w AS a JOIN w AS b ON a.n <> b.n JOIN w AS c ON b.n <> c.n AND a.n <> c.n",
    "doubling": _chain("SELECT a.n FROM {c} AS a JOIN {c} AS b ON a.n = b.n", 30),
    "squaring": _chain("SELECT a.n FROM {c} AS a JOIN {c} AS b ON a.n <> b.n", 6),
    "long sum": "SELECT " + "1+" * 9000 + "1",
    "long AND": "SELECT n FROM w WHERE " + "n = 1 AND " * 1900 + "n = 1",
    "many NOT": "SELECT n FROM w WHERE " + "NOT " * 4000 + "n = 1",
    "many minus": "SELECT " + "- " * 9000 + "1",
    "many UNION": "SELECT 1 " + "UNION SELECT 1 " * 1000,
    "many items": "SELECT " + "n, " * 6000 + "n FROM w",
    "long IN": "SELECT n FROM w WHERE n IN (" + "1, " * 6000 + "1)",
    "huge text": "SELECT '" + "x" * 5_000_000 + "'",
    "huge number": "SELECT n FROM w WHERE n > " + "9" * 400,
    "infinite number": "SELECT n FROM w WHERE n > 1e999",
    "huge LIMIT": "SELECT n FROM w ORDER BY n LIMIT 99999999999999999999",
    "LIKE that backtracks": "SELECT n FROM w WHERE a LIKE '" + "%a_" * 300 + "%zz'",
    "surrogate": "SELECT n FROM w WHERE a = '\ud800'",
    "surrogate as an answer": "SELECT '\ud800' FROM w WHERE n = 1",
    "NUL": "SELECT n FROM w WHERE a = 'a\0b'",
    "NUL as an answer": "SELECT 'a\0b' FROM w WHERE n = 1",
    "NUL at the end": "SELECT n FROM w WHERE n = 1\0; DROP TABLE w",
    "open text": "SELECT '",
    "open name": 'SELECT "' * 3000,
    "square brackets": "SELECT " + "[" * 5000,
    "braces": "SELECT {{ n }} FROM w",
    "nothing": "",
    "a comment": "-- SELECT n FROM w",
    "words": "please give me the answer",
    "bytes": "".join(map(chr, range(1, 256))),
    "a parameter": "SELECT ? FROM w",
    "a text for a name": "SELECT \"no such column\" FROM w WHERE n = 1",
}  # fmt: skip
SECONDS = 20  # of CPU for all of them together, in a process that also starts up; each has 1.5 by the promise


@pytest.mark.parametrize("name", HOSTILE)
def test_a_stored_program_is_refused(name, tmp_path):
    """The path of audit and of SQL corpora: bounds, parser, evaluator, SQLite."""
    sql = HOSTILE[name].replace("{folder}", str(tmp_path))
    with pytest.raises(Rejected) as caught:
        find("sql_execution").execute({"sql": sql, "tables": (WIDE,)})
    assert caught.value.reason
    assert len(str(caught.value)) < 600
    assert not list(tmp_path.iterdir())


REASONS = {
    "refused", "syntax", "too long", "too many steps", "too much memory", "unknown column", "unknown table",
    "several statements", "too many rows",
}  # fmt: skip
# SQLite itself answers these, within its limits; they name nothing but the loaded table.
HARMLESS_IN_SQLITE = {
    "nothing", "a comment", "many items", "huge number", "infinite number", "a text for a name", "LIKE that backtracks",
    "doubling", "long IN",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_sqlite_by_itself_refuses_it_too(name, tmp_path):
    """The second barrier: the hardened engine refuses whatever a parser lets through by mistake."""
    sqlite = Sqlite()
    sqlite.load([WIDE], [typed_rows(WIDE)])
    sql = HOSTILE[name].replace("{folder}", str(tmp_path))
    if name in HARMLESS_IN_SQLITE:
        try:
            sqlite.run(sql, max_rows=1000)
        except Rejected as error:
            reason = error.reason
        else:
            reason = "refused"
    else:
        with pytest.raises(Rejected) as caught:
            sqlite.run(sql, max_rows=1000)
        reason = caught.value.reason
    assert reason in REASONS
    assert not list(tmp_path.iterdir())
    assert sqlite.run("SELECT COUNT(*), SUM(n) FROM w") == [(200, 19900)]  # and it still works, with its table whole


def test_all_of_it_fits_a_small_machine(tmp_path):
    """Every hostile statement in one process, with a limit on CPU time; none needs 512 MB."""
    script = (
        "import resource, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))\n"
        "from test_executors import HOSTILE, WIDE\n"
        "from symtune.tasks import find\n"
        "from symtune.types import Rejected\n"
        "task = find('sql_execution')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for sql in HOSTILE.values():\n"
        "    try:\n"
        "        task.execute({'sql': sql, 'tables': (WIDE,)})\n"
        "    except Rejected:\n"
        "        pass\n"
        "print('GREW', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    assert int(done.stdout.rsplit("GREW", 1)[1]) * unit < 512 * 1024 * 1024
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_read_tables_as_they_are(engine):
    if engine == "duckdb":
        pytest.importorskip("duckdb")
    rows = (("1,200", "O'Hare {{ x }}", "2008-02-29"), ("—", "", "n/a"), ("0.5", "東京", "2020-01-31"))
    table = Table("x", ('say "hi"', "select", "d"), ("number", "text", "date"), rows)
    run = ENGINES[engine]()
    for _ in range(2):  # what was loaded before is replaced
        run.load([table], [typed_rows(table)])
        found = run.run('SELECT "say ""hi""", "select", "d" FROM w ORDER BY "d" IS NULL, "d"')
        assert found == [(1200, "O'Hare {{ x }}", "2008-02-29"), (0.5, "東京", "2020-01-31"), (None, None, None)]
    with pytest.raises(Rejected, match="too many rows"):
        run.run("SELECT 1 FROM w AS a JOIN w AS b ON 1 = 1", max_rows=5)
    assert run.run("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv_auto('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY w TO '{folder}/x.csv'",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "SELECT * FROM table_in_python",
        "SELECT getenv('HOME')",
    ],
)
def test_duckdb_reads_and_writes_no_file(sql, tmp_path):
    pytest.importorskip("duckdb")
    table_in_python = [1, 2, 3]  # noqa: F841 - what a replacement scan would find
    duckdb = ENGINES["duckdb"]()
    duckdb.load([WIDE], [typed_rows(WIDE)])
    with pytest.raises(Rejected):
        duckdb.run(sql.replace("{folder}", str(tmp_path)))
    assert not list(tmp_path.iterdir())
