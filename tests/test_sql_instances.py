"""Instances of SQL templates: programs over a table, and the data sets made of them."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice

import pytest
from typer.testing import CliRunner

from sql_cases import DISAGREE
from sql_shapes import SHAPES, TEAMS
from symtune.audit import audit
from symtune.cli import build as app
from symtune.dataset import lines
from symtune.generation import GenerateConfig, generate
from symtune.seeds import rng
from symtune.sql.corpus.corpora import Corpus
from symtune.sql.corpus.shapes import shape_tree
from symtune.sql.corpus.templates import SqlTemplate, SqlTemplates, Statement, build, load, save
from symtune.sql.language import tree as t
from symtune.sql.language.parse import parse_sql
from symtune.sql.language.proof import Context
from symtune.sql.language.render import render
from symtune.sql.sampling.draws import Draw
from symtune.sql.sampling.instances import Instances
from symtune.sql.sampling.joins import split
from symtune.sql.sampling.sampler import Sampler, _material
from symtune.types import SPLITS, InputError, Rejected


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
