"""Several tables: cut from one view, or linked by foreign keys in a real database; programs join what they name."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

import pytest

from sql_cases import DISAGREE
from symtune import dataset
from symtune.audit import audit
from symtune.generation import GenerateConfig, generate
from symtune.seeds import rng
from symtune.sql.language import tree as t
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.language.render import render
from symtune.sql.sampling.joins import narrowed, split
from symtune.sql.sampling.sampler import Sampler
from symtune.tables import Link
from symtune.types import Rejected, Table

CITIES = Table(
    "cities",
    ("city", "country", "people", "area", "founded"),
    ("text", "text", "number", "number", "number"),
    tuple((f"city {i}", f"country {i % 4}", str(1000 + 7 * i), str(90 - i), str(1200 + i * i)) for i in range(12)),
)


@pytest.mark.parametrize("parts", [2, 3])
def test_a_split_view_joins_to_itself(parts):
    tables, links = split(CITIES, rng("split", parts), parts)
    assert [table.name for table in tables] == [f"t{i + 1}" for i in range(parts)]
    key = links[0].left_column
    assert sorted(name for table in tables for name in table.header if name != key) == sorted({*CITIES.header} - {key})
    by_key = [
        {row[table.header.index(key)]: dict(zip(table.header, row, strict=True)) for row in table.rows}
        for table in tables
    ]
    for row in CITIES.rows:
        whole = dict(zip(CITIES.header, row, strict=True))
        assert {name: value for side in by_key for name, value in side[whole[key]].items()} == whole


def test_too_narrow_a_view_is_not_split():
    with pytest.raises(Rejected):
        split(Table("t", ("a", "b"), ("text", "text"), (("x", "1"), ("y", "2"))), rng("split"))


CHAIN = (Link("a", "b_id", "b", "id"), Link("b", "c_id", "c", "id"))
STAR = (Link("a", "id", "b", "id"), Link("a", "id", "c", "id"))
ROWS = (("1", "1", "1", "u"), ("2", "2", "2", "v"))
TABLES = tuple(Table(n, ("id", "b_id", "c_id", n), ("number", "number", "number", "text"), ROWS, n) for n in "abc")


@pytest.mark.parametrize(
    ("links", "shown", "tables"),
    [
        (CHAIN, "a.a, c.c", "abc"),
        (CHAIN, "a.a, b.b", "ab"),
        (CHAIN, "b.b, c.c", "bc"),
        (STAR, "a.a, c.c", "ac"),
        (STAR, "b.b, c.c", "abc"),
        (STAR, "a.a, b.b, c.c", "abc"),
    ],
)
def test_a_program_joins_what_it_names_and_what_links_it(links, shown, tables):
    context = Context(TABLES, links=links)
    ons = [f"JOIN {k.right} ON {k.left}.{k.left_column} = {k.right}.{k.right_column}" for k in links]
    query = parse_sql(f"SELECT {shown} FROM a {' '.join(ons)}", TABLES)
    found = narrowed(query, context.database, links)
    assert sorted(node.name for node in t.walk(found) if isinstance(node, t.TableRef)) == sorted(tables)
    assert parse_sql(render(found), TABLES) == found
    context.prove(found)


def test_a_program_over_one_table_is_no_join():
    context = Context(TABLES, links=CHAIN)
    with pytest.raises(Rejected, match="join not used"):
        narrowed(parse_sql("SELECT a.a FROM a JOIN b ON a.b_id = b.id", TABLES), context.database, CHAIN)


def test_most_draws_over_joined_tables_use_them():
    for parts in (2, 3):
        tables, links = split(CITIES, rng("drawn", parts), parts)
        rejects: Counter[str] = Counter()
        programs = list(Sampler().programs(Context(tables, links=links), rng("programs", parts), 16, rejects))
        used = [{node.name for node in t.walk(program.query) if isinstance(node, t.TableRef)} for program in programs]
        assert len(programs) == 16
        assert max(map(len, used)) == parts
        assert rejects["join not used"] < 32
        assert DISAGREE.isdisjoint(rejects)


def test_harder_programs_name_what_they_join():
    tables, links = split(CITIES, rng("harder"), 3)
    context = Context(tables, links=links)
    for program in Sampler(None, (14, 30)).programs(context, rng("harder"), 32, Counter()):
        q = program.query
        assert isinstance(q, t.Select)
        named = t.walk((q.items, q.where, q.group, q.having, q.order))
        joined = {node.name for node in t.walk(q.source) if isinstance(node, t.TableRef)}
        assert len(joined) > 1
        assert joined - {node.table for node in named if isinstance(node, t.Column)} <= {"t1"}  # which links the others


@pytest.fixture
def database(tmp_path):
    """Films, their directors, and the countries of these."""
    path = tmp_path / "films.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE country (code TEXT PRIMARY KEY, country_name TEXT, people INTEGER);
        CREATE TABLE director (id INTEGER PRIMARY KEY, name TEXT, born INTEGER, code TEXT REFERENCES country(code));
        CREATE TABLE film (title TEXT, year INTEGER, minutes INTEGER, director_id INTEGER REFERENCES director(id));
        """
    )
    connection.executemany("INSERT INTO country VALUES (?,?,?)", [(f"c{i}", f"land {i}", 100 + i) for i in range(5)])
    connection.executemany(
        "INSERT INTO director VALUES (?,?,?,?)", [(i, f"name {i}", 1900 + 3 * i, f"c{i % 5}") for i in range(12)]
    )
    connection.executemany(
        "INSERT INTO film VALUES (?,?,?,?)",
        [(f"film {i}", 1950 + i % 40, 80 + i * 7 % 60, i * 5 % 12) for i in range(60)],
    )
    connection.commit()
    connection.close()
    return path


def test_cells_of_linked_tables_are_short_too(database, tmp_path):
    connection = sqlite3.connect(database)
    connection.execute("ALTER TABLE director ADD COLUMN life TEXT")
    connection.execute("UPDATE director SET life = replace(hex(zeroblob(150)), '00', 'la ')")
    connection.commit()
    connection.close()
    generate(GenerateConfig(out=tmp_path / "data", tables=database, n=300, seed=1, max_cell=50, options={"joins": 1.0}))
    shown = [
        table for shard in dataset.shards(tmp_path / "data") for table in dataset.read_tables(shard.tables).values()
    ]
    assert {table.name for table in shown} >= {"film", "director"}
    assert max(len(cell) for table in shown for row in table.rows for cell in row) <= 50


def test_a_share_of_joins_is_what_was_asked_for(database, tmp_path):
    generate(GenerateConfig(out=tmp_path / "data", tables=database, n=800, seed=1, options={"joins": 0.0}))
    assert not any(" JOIN " in row["info"] for row in dataset.read_rows(tmp_path / "data"))


def test_foreign_keys_lead_to_two_and_three_tables(database, tmp_path):
    generate(GenerateConfig(out=tmp_path / "data", tables=database, n=3000, seed=2, budget=2000))
    infos = [json.loads(row["info"]) for row in dataset.read_rows(tmp_path / "data")]
    joined = Counter(info["sql"].count(" JOIN ") for info in infos)
    assert joined[1] > 50
    assert joined[2] > 5
    named = [info["sql"] for info in infos if " JOIN " in info["sql"]]
    assert any("film.director_id = director.id" in sql and "director.code = country.code" in sql for sql in named)
    report = audit(tmp_path / "data", engine="duckdb")
    assert report.agreement == 1.0
