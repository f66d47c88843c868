"""What the sampler draws is what a person might mean: it asks of columns what their roles allow."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from symtune.seeds import rng
from symtune.sql.corpus.shapes import shape_tree
from symtune.sql.corpus.templates import SqlTemplates, Statement, build
from symtune.sql.language import tree as t
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.sampling.computations import coalesce
from symtune.sql.sampling.draws import Draw
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.sampler import Program, Sampler, _material
from symtune.sql.sampling.views import View, draw_view
from symtune.tables import Role, TableSet, Views, load_tables, parse_cell, roles_of
from symtune.tables.roles import NAMING
from symtune.tokens import estimate
from symtune.types import Rejected, Table

SUMS = ("SUM", "AVG")


@dataclass(frozen=True)
class Drawn:
    """A program of the default mix, and what it was drawn over."""

    query: t.Query
    view: View
    sql: str = ""
    answer: str = ""
    query_type: str = ""

    def role(self, column: t.Column) -> Role | None:
        """The role of a column of the tables shown; None for what a query inside computes."""
        at = [column.table] if column.table in self.view.roles else list(self.view.roles)
        return next((self.view.roles[name][column.name] for name in at if column.name in self.view.roles[name]), None)


def _of(program: Program, view: View) -> Drawn:
    return Drawn(program.query, view, program.sql, program.answer, program.query_type)


def drawn(
    tables: TableSet,
    blocks: int,
    rejects: Counter[str],
    joins: float | None = None,
    *,
    meant: bool = True,
) -> Iterator[Drawn]:
    """Programs as generation draws them; or, unless they are `meant`, as it would if columns had no roles."""
    views, sampler = Views(tables), Sampler()
    for block in range(blocks):
        random = rng("roles", block)
        view = draw_view(
            random, views, joins=joins, key=str(block), how="csv", measure=estimate, budget=1024, rejects=rejects,
            meant=meant,
        )  # fmt: skip
        if view is None:
            continue
        context = Context(view.tables, links=view.links, max_rows=10)
        for program in sampler.programs(context, random, 12, rejects, view.roles if meant else {}):
            yield _of(program, view)


REJECTS: Counter[str] = Counter()


@cache
def meant() -> tuple[Drawn, ...]:
    return (*drawn(load_tables(None), 60, REJECTS), *drawn(load_tables(None), 10, REJECTS, 1.0))


@cache
def of_any_role() -> tuple[Drawn, ...]:
    """The control: what the rules below say of programs that know of no role."""
    return tuple(drawn(load_tables(None), 60, Counter(), meant=False))


def sums_by_role(example: Drawn) -> list[str]:
    """What is summed or averaged that is no quantity, except for what stands in for missing cells."""
    return [said for said, stands_in in _summed(example) if not stands_in]


def stand_ins(example: Drawn) -> list[str]:
    """What stands in for missing cells of what is summed or averaged, and is no quantity."""
    return [said for said, stands_in in _summed(example) if stands_in]


def _summed(example: Drawn) -> Iterator[tuple[str, bool]]:
    for node in t.walk(example.query):
        if isinstance(node, t.Aggregate | t.Window) and node.name in SUMS and node.arg is not None:
            calls = [below for below in t.walk(node.arg) if isinstance(below, t.Function) and below.name == "COALESCE"]
            instead = {below for call in calls for below in t.walk(call.args[1:])}
            for column in t.walk(node.arg):
                if isinstance(column, t.Column) and (role := example.role(column)) and role.name != "quantity":
                    yield f"{node.name} of {column.name}: {role}", column in instead


def _said(expr: t.Expr) -> t.Column | None:
    """The column whose cell a side of a sum is: itself, or what a query inside shows, under MIN or MAX too."""
    if isinstance(expr, t.ScalarQuery) and isinstance(expr.query, t.Select) and len(expr.query.items) == 1:
        expr = expr.query.items[0].expr
    if isinstance(expr, t.Aggregate) and expr.name in ("MIN", "MAX") and expr.arg is not None:
        expr = expr.arg
    return expr if isinstance(expr, t.Column) else None


def units(example: Drawn) -> list[str]:
    """Which columns are added or subtracted whose units are not one, or that count nothing."""
    found = []
    for node in t.walk(example.query):
        if isinstance(node, t.Arithmetic) and node.op in ("+", "-"):
            left, right = (side and example.role(side) for side in map(_said, (node.left, node.right)))
            if left and right and (left != right or left.name not in ("quantity", "year", "rank")):
                found.append(f"{left} {node.op} {right}")
            if left and right and node.op == "+" and left.name != "quantity":
                found.append(f"{left} + {right}")
    return found


def lookups(example: Drawn) -> list[str]:
    """By what rows are looked up that names none."""
    query = example.query
    if example.query_type != "lookup":
        return []
    assert isinstance(query, t.Select)
    assert isinstance(query.where, t.Compare)
    assert isinstance(query.where.left, t.Column)
    role = example.role(query.where.left)
    (table,) = example.view.tables
    cells = [row[table.header.index(query.where.left.name)] for row in table.rows]
    named = role and role.name in NAMING and len(set(cells)) == len(cells)
    return [] if named else [f"by {query.where.left.name}: {role}"]


def choices(example: Drawn) -> tuple[str, list[str]] | None:
    """The answer of MIN or MAX of a column, and the column's cells."""
    query = example.query
    if not (isinstance(query, t.Select) and isinstance(query.source, t.TableRef) and not query.ctes):
        return None
    expr = query.items[0].expr
    if len(query.items) > 1 or query.group or not (isinstance(expr, t.Aggregate) and expr.name in ("MIN", "MAX")):
        return None
    if not isinstance(expr.arg, t.Column):
        return None
    (table,) = example.view.tables
    place = table.header.index(expr.arg.name)
    return example.answer, [row[place].strip() for row in table.rows]


def views(example: Drawn) -> list[str]:
    """A view of one column that holds a single value, and one other."""
    table = example.view.tables[0]
    if len(example.view.tables) > 1 or len(table.header) != 2:
        return []
    held = [
        len({parse_cell(cell, type) for cell in cells} - {None})
        for type, cells in zip(table.types, zip(*table.rows, strict=True), strict=True)
    ]
    return [] if min(held) > 1 else ["a column of one value beside one other"]


RULES = (sums_by_role, units, lookups, views)


@pytest.mark.parametrize("rule", RULES)
def test_the_default_mix_obeys_the_roles_of_columns(rule):
    assert len(meant()) > 600
    assert [(said, example.sql) for example in meant() for said in rule(example)] == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_find_what_is_not_meant(rule):
    assert [said for example in of_any_role() for said in rule(example)]


def test_what_the_rules_refuse_is_counted():
    assert meant()
    told = {reason for reason in REJECTS if reason.startswith("role: ")}
    assert {"role: no lookup", "role: no arithmetic", "role: no column that names a row"} <= told
    assert REJECTS["table: a column of one value beside one other"]


def test_the_default_mix_still_sums_and_subtracts_and_looks_up():
    found = Counter(node.name for e in meant() for node in t.walk(e.query) if isinstance(node, t.Aggregate))
    assert found["SUM"] > 10 < found["AVG"]
    signs = Counter(node.op for e in meant() for node in t.walk(e.query) if isinstance(node, t.Arithmetic))
    assert signs["+"] > 5 < signs["-"]
    assert sum(e.query_type == "lookup" for e in meant()) > 20


def test_the_least_and_the_greatest_answer_with_a_cell():
    found = [chosen for example in meant() if (chosen := choices(example))]
    assert len(found) > 10
    assert [(answer, cells) for answer, cells in found if answer not in cells] == []


MEASURED = Table(
    "measured",
    ("name", "n", "m"),
    ("text", "number", "number"),
    (("a", "0.10355", "9.5"), ("b", "1,234", "2.0"), ("c", "0.5", "9.50"), ("d", "7", "2.0")),
)


def answer(sql: str, table: Table = MEASURED) -> str:
    return Context([table]).answer(parse_sql(sql, [table]))[1]


def test_a_cell_is_answered_as_it_is_written():
    assert answer("SELECT MIN(n) FROM w") == "0.10355"
    assert answer("SELECT MAX(n) FROM w") == "1,234"
    assert answer("SELECT MIN(m) FROM w") == "2.0"
    assert answer("SELECT MIN(n) FROM w WHERE n > 0.2") == "0.5"
    assert answer("SELECT MAX(n) - MIN(n) FROM w") == "1233.8964"  # computed
    assert answer("SELECT MIN(n * 1) FROM w") == "0.1036"


def test_a_value_that_is_written_in_two_ways_is_refused():
    with pytest.raises(Rejected) as refused:
        answer("SELECT MAX(m) FROM w")
    assert refused.value.reason == "several texts"
    assert answer("SELECT MAX(m) FROM w WHERE name = 'a'") == "9.5"


def test_what_stands_in_for_missing_cells_is_summed_only_if_it_is_a_quantity():
    table = Table(
        "teams",
        ("Team", "Points", "Year"),
        ("text", "number", "number"),
        tuple((f"Team {n}", str(n * n % 17) if n % 3 else "", str(1990 + n % 4)) for n in range(10)),
    )
    roles = {"w": dict(zip(table.header, roles_of(table), strict=True))}
    material, view = _material(Context([table]), roles), View((table,), (), "", roles)
    found = []
    for number in range(300):
        with contextlib.suppress(Rejected):
            found.append(coalesce(Draw(rng("stand-ins", number), material)))
    sums = [query for query in found if any(isinstance(n, t.Aggregate) and n.name in SUMS for n in t.walk(query))]
    assert len(sums) > 20
    assert [said for query in sums for said in stand_ins(Drawn(query, view))] == []


# Nothing of it may be summed: rounds, years, ranks. Only the name and the rank name a row.
RACES = Table(
    "races",
    ("Rank", "Year", "Round", "Driver"),
    ("number", "number", "number", "text"),
    tuple((str(n), str(1990 + n % 4), str(1 + n % 3), f"Driver {'ABCDEFGHIJ'[n - 1]}") for n in range(1, 11)),
)


def of_races(sampler: Sampler, blocks: int = 30) -> list[Drawn]:
    context, roles = Context([RACES]), {"w": dict(zip(RACES.header, roles_of(RACES), strict=True))}
    view = View((RACES,), (), "", roles)
    programs = (sampler.programs(context, rng("races", block), 4, Counter(), roles) for block in range(blocks))
    return [_of(program, view) for some in programs for program in some]


def test_a_table_without_quantities_is_not_summed():
    assert [role.name for role in roles_of(RACES)] == ["rank", "year", "category", "name"]
    assert [said for example in of_races(Sampler()) for rule in RULES for said in rule(example)] == []


def test_query_types_of_ones_own_are_left_as_they_are():
    found = of_races(Sampler({"aggregate": 1.0, "arithmetic": 1.0}))
    assert any(map(sums_by_role, found))
    assert any(map(units, found))


def test_sql_templates_are_left_as_they_are():
    built = build([Statement("SELECT SUM(a) FROM t WHERE b = 'x'")])
    trees = tuple(shape_tree(template.shape) for template in built.templates)
    instances = Instances(SqlTemplates("test", "", tuple(built.templates), trees))
    found = of_races(Sampler(None, None, (instances, 1.0)))
    assert found
    assert {example.query_type for example in found} == {"template"}
    assert any(map(sums_by_role, found))
