"""Engines are lent to one user at a time: blocks may interleave in one thread and run in several."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from sql_cases import TABLES
from symtune.executors import Sqlite
from symtune.seeds import rng
from symtune.sql.language.engines import ENGINES, Engines, Pool
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.language.second_opinion import SECOND_OPINIONS
from symtune.sql.sampling.sampler import Sampler
from symtune.tables import load_tables, make_view
from symtune.types import Rejected, Table

VIEWS = [
    make_view(table, range(min(12, len(table.rows))), range(min(6, len(table.header))), id=table.id)
    for table in load_tables(None).tables[:12]
]


def block(number):
    """The programs of one view, on engines from the pool."""
    with ENGINES.checked_out() as engines:
        context = Context([VIEWS[number]], engines)
        for program in Sampler().programs(context, rng("engines", number), 12, Counter()):
            yield program.sql, program.answer


@pytest.fixture(scope="module")
def alone():
    return [list(block(number)) for number in range(len(VIEWS))]


def test_blocks_interleave_in_one_thread(alone):
    running = [block(number) for number in range(len(VIEWS))]
    found = [[] for _ in running]
    while any(len(got) < len(wanted) for got, wanted in zip(found, alone, strict=True)):
        for got, generator in zip(found, running, strict=True):
            got.extend([made for made in [next(generator, None)] if made])
    assert found == alone


def test_blocks_run_in_several_threads(alone):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: list(block(number % len(VIEWS))), range(3 * len(VIEWS))))
    assert found == 3 * alone


def test_duckdb_in_several_threads():
    pytest.importorskip("duckdb")
    query = parse_sql("SELECT COUNT(*) FROM w", TABLES)

    def ask(_):
        with SECOND_OPINIONS.checked_out() as duckdb:
            return duckdb.disagreements(TABLES, [query])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(12))) == [{}] * 12


def test_what_is_lent_comes_back():
    pool = Pool(object)
    with pool.checked_out() as first, pool.checked_out() as second:
        assert first is not second
    with pool.checked_out() as third:
        assert third is first

    def holder():
        with pool.checked_out() as lent:
            yield lent

    running = holder()
    held = next(running)
    with pool.checked_out() as other:
        assert other is not held
    running.close()
    with pool.checked_out() as again:
        assert again is held


def test_tables_are_loaded_once(monkeypatch):
    loads = []
    load = Sqlite.load
    monkeypatch.setattr(Sqlite, "load", lambda self, *given: (loads.append(given), load(self, *given)))
    engines = Engines()
    for sql in ("SELECT COUNT(*) FROM w", "SELECT MAX(Age) FROM w"):
        Context(TABLES, engines).prove(parse_sql(sql, TABLES))
    assert len(loads) == 2  # as shown, and permuted


def test_a_context_whose_engines_hold_other_tables_takes_them_back():
    engines = Engines()
    first, second = Context(TABLES[:1], engines), Context([VIEWS[0]], engines)
    query = parse_sql("SELECT COUNT(*) FROM w", TABLES)
    for _ in range(2):
        assert first.prove(query)[1] == str(len(TABLES[0].rows))
        assert second.prove(query)[1] == str(len(VIEWS[0].rows))


def test_tables_that_cannot_be_loaded_leave_nothing_behind():
    engines = Engines()
    broken = Table("t", ("a", "A"), ("text", "text"), (("1", "2"),), "w")
    for _ in range(2):
        with pytest.raises(Rejected, match="table cannot be loaded"):
            Context([broken], engines)
    assert Context(TABLES, engines).prove(parse_sql("SELECT COUNT(*) FROM w", TABLES))
