"""The contract of a symbolic task, for every task because its file is in the folder, and for a user's own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from sql_cases import DISAGREE
from symtune.denotation import parse, render
from symtune.seeds import rng
from symtune.tables import TableSet, load_tables, tables_of_split
from symtune.tasks import Setting, SymbolicTask, find, names
from symtune.tokens import estimate
from symtune.types import Denotation, InputError, Rejected, Table, UnknownName

MINE = '''
"""Sort words: a task of a user's own."""

from symtune.prompts import PromptTemplate
from symtune.tasks import SymbolicTask
from symtune.types import Denotation, Rejected

WORDS = "ash birch cedar elm fir hazel juniper larch maple oak pine rowan spruce willow yew".split()


class SortWords(SymbolicTask):
    name, version = "sort_words", 1
    templates = (
        PromptTemplate("sort_words/plain", "Sort these words: {{ words }}"),
        PromptTemplate("sort_words/polite", "Please write in alphabetical order: {{ words }}"),
    )

    def sample(self, rng, setting):
        chosen = rng.sample(WORDS, rng.randint(1, 6))
        if len(chosen) == 1:
            raise Rejected("nothing to sort")
        return {"words": chosen}

    def execute(self, fields):
        if not fields["words"]:
            raise Rejected("empty")
        return Denotation(tuple((word,) for word in sorted(fields["words"])), ordered=True, kind="list[text]")

    def shown(self, fields):
        return {"words": ", ".join(fields["words"])}


TASK = SortWords()
'''
BLOCKS = 6


@cache
def table_set() -> TableSet:
    return tables_of_split(load_tables(None), "train")


def setting(**changes) -> Setting:
    return Setting("train", table_set(), estimate, **changes)


@pytest.fixture(scope="module", params=[*names(), "a user's own"])
def task(request, tmp_path_factory) -> SymbolicTask:
    if request.param in names():
        return find(request.param)
    path = tmp_path_factory.mktemp("task") / "my_task.py"
    path.write_text(MINE, "utf-8")
    return find(str(path))


def block(task: SymbolicTask, number: int = 0, **changes):
    rejects: Counter[str] = Counter()
    return list(task.block(rng("contract", number), setting(**changes), f"key/{number}", rejects)), rejects


def blocks(task: SymbolicTask):
    return [item for number in range(BLOCKS) for item in block(task, number)[0]]


def digest_of(drawn) -> str:
    text = repr([(item.example.id, item.prompt, item.example.answer, dict(item.example.meta)) for item in drawn])
    return hashlib.sha256(text.encode()).hexdigest()


def test_it_says_what_it_is(task):
    assert task.name.isidentifier()
    assert isinstance(task.version, int)
    assert task.version >= 1
    ids = [template.id for template in task.templates]
    assert ids
    assert len(set(ids)) == len(ids)
    assert all(id.startswith(f"{task.name}/") for id in ids)


def test_every_prompt_template_takes_what_the_task_shows(task):
    shown = set()
    for item in blocks(task):
        fields = item.example.fields
        shown = set(task.shown(fields)) if "sql" not in fields else {"table", "sql"}
        break
    for template in task.templates:
        assert set(template.placeholders) == shown
        assert template.render(dict.fromkeys(shown, "{{ x }} {% y %}")).count("{{ x }}") >= len(shown)


def test_a_block_is_a_pure_function(task):
    for number in range(3):
        assert digest_of(block(task, number)[0]) == digest_of(block(task, number)[0])
        assert block(task, number)[1] == block(task, number)[1]
    assert digest_of(block(task, 1)[0]) != digest_of(block(task, 2)[0])


def test_a_draw_is_a_pure_function(task):
    def first(number):
        try:
            return repr(task.sample(rng("draw", number), setting()))
        except Rejected as error:
            return error.reason

    assert [first(number) for number in range(8)] == [first(number) for number in range(8)]
    assert len({first(number) for number in range(8)}) > 1


def test_every_answer_is_proven_again_and_no_other_is(task):
    drawn = blocks(task)
    assert drawn
    for item in drawn:
        example = item.example
        denotation = task.execute(example.fields)
        assert isinstance(denotation, Denotation)
        assert render(denotation) == example.answer != ""
        assert parse(example.answer) == denotation.rows
        assert task.check(example.fields, example.answer)
        assert not task.check(example.fields, example.answer + " and more")
        assert denotation.kind == example.meta["answer_type"]
        assert denotation.ordered == example.meta["info"]["ordered"]


def test_examples_are_in_their_budget_and_split(task):
    for item in blocks(task):
        assert estimate(item.prompt) + estimate(item.example.answer) <= setting().budget
        assert item.example.task == task.name
        key = task.split_key(item.example.fields)
        assert isinstance(key, str)
        assert key
    small = setting(budget=120)
    drawn = list(task.block(rng("small"), small, "key", Counter()))
    assert all(estimate(item.prompt) + estimate(item.example.answer) <= 120 for item in drawn)


def test_ids_are_unique_and_rejects_have_reasons(task):
    found = [block(task, number) for number in range(BLOCKS)]
    ids = [item.example.id for drawn, _ in found for item in drawn]
    assert len(set(ids)) == len(ids)
    rejects = sum((rejected for _, rejected in found), Counter())
    assert all(reason and reason == reason.strip() and count > 0 for reason, count in rejects.items())
    assert DISAGREE.isdisjoint(rejects)


def test_the_fields_are_frozen(task):
    """Nothing edits what it is given: executing and prompting leave the fields as they were."""
    for item in blocks(task):
        before = repr(item.example.fields)
        task.execute(item.example.fields)
        task.split_key(item.example.fields)
        assert repr(item.example.fields) == before


@pytest.mark.parametrize("name", names())
def test_hash_seeds_do_not_matter(name):
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_tasks import blocks, digest_of, find\n"
        f"print('DIGEST', digest_of(blocks(find({name!r}))))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("DIGEST")[1]
        for seed in ("1", "2")
    }
    assert said == {f" {digest_of(blocks(find(name)))}\n"}


def test_unknown_names_are_told_apart(tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'sql_execution'"):
        find("sql_executoin")
    with pytest.raises(InputError, match="no such file"):
        find(str(tmp_path / "absent.py"))
    for text, said in (
        ("x = 1\n", "defines no TASK"),
        ("x = 1\n\nx = = 2\n", r"broken\.py:3: SyntaxError"),
        ("\nraise ValueError('no')\n", r"broken\.py:2: ValueError: no"),
        ("TASK = 1\n", "defines no TASK"),
    ):
        (tmp_path / "broken.py").write_text(text, "utf-8")
        with pytest.raises(InputError, match=said):
            find(str(tmp_path / "broken.py"))


def test_prompt_templates_are_chosen_by_name():
    task = find("sql_execution")
    first = task.templates[0]
    short = first.id.rpartition("/")[2]
    assert task.chosen_templates(setting(templates=(first.id,))) == (first,)
    assert task.chosen_templates(setting(templates=(short,))) == (first,)
    assert task.chosen_templates(setting()) == task.templates
    with pytest.raises(UnknownName):
        task.chosen_templates(setting(templates=("nothing like it",)))


def test_held_out_prompt_templates_never_stand_in_train():
    task = find("sql_execution")
    train = task.chosen_templates(setting(held_out_templates=0.3))
    held = task.chosen_templates(Setting("validation", table_set(), estimate, held_out_templates=0.3))
    assert {*train, *held} == {*task.templates}
    assert not {*train} & {*held}
    assert held


def test_an_engine_that_a_task_does_not_have():
    with pytest.raises(UnknownName, match="Did you mean 'duckdb'"):
        find("sql_execution").disagreements("duckbd", [])


def test_duckdb_confirms_blocks_and_is_counted(monkeypatch):
    pytest.importorskip("duckdb")
    task = find("sql_execution")
    plain, _ = block(task)
    checked, rejects = block(task, verify="duckdb")
    assert digest_of(plain) == digest_of(checked)
    assert not rejects["duckdb disagrees"]
    fields = [item.example.fields for item in plain]
    assert task.disagreements("duckdb", fields) == {}
    from symtune.sql.language.second_opinion import SecondOpinion

    monkeypatch.setattr(SecondOpinion, "disagreements", lambda self, tables, queries: {0: "no", 2: "no"})
    left, rejects = block(task, verify="duckdb")
    assert rejects["duckdb disagrees"] == 2
    assert [item.example.id for item in left] == [item.example.id for n, item in enumerate(plain) if n not in (0, 2)]


def test_tables_that_serve_nothing_are_counted_not_fatal():
    lone = Table("one", ("a",), ("text",), (("x",), ("y",), ("z",)))
    tables = TableSet((lone,), content={"one": "0" * 32})
    rejects: Counter[str] = Counter()
    assert not list(find("sql_execution").block(rng("lone"), Setting("train", tables, len), "key", rejects))
    assert rejects
