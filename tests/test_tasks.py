"""The contract of a symbolic task, for every task in the folder and for users' own tasks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import isfinite
from pathlib import Path

import pytest

from symtune.dataset import Line, example_of, example_row
from symtune.denotation import parse, render, same_answer
from symtune.seeds import digest, rng
from symtune.tables import TableSet, Views, load_tables, split_of, tables_of_split
from symtune.task import Setting, SymbolicTask, Tally, WorkedOptions
from symtune.tasks import find, find_all, names
from symtune.tokens import estimate
from symtune.types import FORMS, Denotation, InputError, Rejected, Table, UnknownName
from symtune.worked import joined, parted

OWN = Path(__file__).parent / "own_tasks"
TASKS = [*names(), *sorted(str(path) for path in OWN.glob("*.py"))]
BLOCKS = 6
HOSTILE = ("", " ", "\x00", "|", " | ", " ; ", "1e999", "nan", "[" * 9999, "\ud800", "=1+1", "é" * 5000, "9" * 9999)


@cache
def views() -> Views:
    return Views(tables_of_split(load_tables(None), "train"))


def setting(task: SymbolicTask, **changes) -> Setting:
    return task.ready(Setting("train", views=views() if task.needs_tables else None, **changes))


@pytest.fixture(scope="module", params=TASKS, ids=lambda name: Path(name).stem)
def task(request) -> SymbolicTask:
    return find(request.param)


def block(task: SymbolicTask, number: int = 0, **changes):
    tally = Tally()
    return list(task.block(rng("contract", number), setting(task, **changes), f"key/{number}", tally)), tally


def blocks(task: SymbolicTask):
    return [item for number in range(BLOCKS) for item in block(task, number)[0]]


def digest_of(drawn) -> str:
    """A hash of everything in the examples."""
    return hashlib.sha256(repr(drawn).encode("utf-8", "surrogatepass")).hexdigest()


def test_it_says_what_it_is(task):
    assert task.name.isidentifier()
    assert isinstance(task.version, int)
    assert task.version >= 1
    ids = [template.id for template in task.templates]
    assert ids
    assert len(set(ids)) == len(ids)
    assert all(id.startswith(f"{task.name}/") for id in ids)
    assert all(field.description and not field.is_required() for field in task.options.model_fields.values())
    assert task.stated(task.options()) is not None


def test_every_prompt_can_be_rendered_again(task):
    """The prompt has one home: what a block shows is what the task renders from the stored names."""
    for item in blocks(task):
        fields = item.example.fields
        template = task.template(item.template, fields)
        assert template is not None
        assert template.id == item.template
        assert bool(item.linearization) == task.needs_tables
        assert task.prompt(fields, template, item.linearization) == item.prompt
        shown = {*task.shown(fields), *(["table"] if task.needs_tables else [])}
        assert all(set(known.placeholders) == shown for known in task.templates_for(fields))
        assert "{{" not in template.render(dict.fromkeys(shown, "x"))


def test_a_prompt_can_be_shortened_as_far_as_it_has_rows(task):
    for item in blocks(task)[:8]:
        fields, template = item.example.fields, task.template(item.template, item.example.fields)
        assert task.shortened(fields, template, item.linearization, lambda prompt: True) == (item.prompt, 0)
        short, cut = task.shortened(fields, template, item.linearization, lambda prompt: False)
        assert cut == sum(len(table.rows) - 1 for table in item.example.tables)
        assert len(short) <= len(item.prompt)


def test_a_block_is_a_pure_function(task):
    for number in range(3):
        assert digest_of(block(task, number)[0]) == digest_of(block(task, number)[0])
        assert block(task, number)[1] == block(task, number)[1]
    assert digest_of(block(task, 1)[0]) != digest_of(block(task, 2)[0])


def test_blocks_may_interleave(task):
    """In one thread and in several, with and without an additional engine: a block keeps no state on the task."""
    for verify in ("", *task.engines):
        pytest.importorskip(verify or "symtune")
        apart = [digest_of(block(task, number, verify=verify)[0]) for number in range(4)]
        made: list[list] = [[] for _ in apart]
        shared = setting(task, verify=verify)
        running = {n: task.block(rng("contract", n), shared, f"key/{n}", Tally()) for n in range(4)}
        while running:
            for number in list(running):
                item = next(running[number], None)
                if item is None:
                    del running[number]
                else:
                    made[number].append(item)
                    assert task.check(made[0][0].example.fields, made[0][0].example.answer)
        assert [digest_of(items) for items in made] == apart
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(lambda n: digest_of(block(task, n, verify=verify)[0]), n) for n in range(4)]  # noqa: B023
            assert [job.result() for job in jobs] == apart


def test_a_draw_is_a_pure_function(task):
    def first(number):
        try:
            return repr(task.sample(rng("draw", number), setting(task)))
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
        assert (denotation.kind, denotation.ordered) == (example.answer_type, example.ordered)
        for fields in task.variants(example.fields):
            assert sorted(task.execute(fields).rows) == sorted(denotation.rows)


def test_scores_are_rewards(task):
    """Strict: the whole prediction means the answer, or scores 0. Pure, finite, in [0, 1], and never an exception."""
    for item in blocks(task)[:24]:
        example = item.example
        assert task.score(example.answer, example) == 1.0
        assert task.accepts(list(task.target(example)), example)
        wrong = [*HOSTILE, example.answer + " and more", f"The answer is {example.answer}, or not", item.prompt]
        wrong += [example.answer[:end] for end in range(len(example.answer))]
        for text in wrong:
            score = task.score(text, example)
            assert 0.0 <= score <= 1.0
            assert score == task.score(text, example)
            assert isfinite(score)
            if not same_answer(text, example.answer, example.ordered):
                assert score == 0.0, text
            assert task.accepts([text], example) in (True, False)


def test_what_is_known_of_an_example(task):
    bounds = task.bounds(setting(task))
    assert all(0 < bound <= 1 for bound in bounds.values())
    for item in blocks(task):
        traits = item.example.traits
        assert traits.chance is None or 0 <= traits.chance <= 1
        assert traits.difficulty >= 0
        assert all(isinstance(name, str) and name for name in (*traits.classes, *traits.operators))


def test_a_stored_example_is_the_example(task):
    for item in blocks(task)[:24]:
        row = example_row(task, item, self_contained=True)
        assert all(isinstance(value, str | float) for value in row.values())
        again = example_of(task, Line("here", row, {}))
        example = item.example
        assert json.dumps(again.fields, default=repr, sort_keys=True) == json.dumps(
            example.fields, default=repr, sort_keys=True
        )
        assert (again.id, again.answer, again.answer_type, again.ordered) == (
            example.id, example.answer, example.answer_type, example.ordered,
        )  # fmt: skip
        assert (again.traits.query_type, again.traits.chance) == (example.traits.query_type, example.traits.chance)


def test_examples_are_in_their_budget_and_split(task):
    for item in blocks(task):
        assert estimate(item.prompt) + estimate(item.example.answer) <= setting(task).budget
        assert item.example.task == task.name
        key = task.split_key(item.example.fields)
        assert isinstance(key, str)
        assert key
        if not task.needs_tables:
            assert split_of(digest(key).hex()) == "train"
    drawn, _ = block(task, budget=120)
    assert all(estimate(item.prompt) + estimate(item.example.answer) <= 120 for item in drawn)


def test_other_splits_are_counted_apart_and_never_executed(task, monkeypatch):
    if task.needs_tables:
        pytest.skip("tables are dealt to splits before anything is drawn from them")
    executed = []
    execute = type(task).execute
    monkeypatch.setattr(type(task), "execute", lambda self, fields: executed.append(fields) or execute(self, fields))
    tally = Tally()
    drawn = list(task.block(rng("other"), task.ready(Setting("test")), "key", tally))
    assert len(drawn) > 8  # of 16: other splits' draws do not use up a block
    assert tally.elsewhere > 10 * len(drawn)
    assert "another split's" not in tally.rejects
    assert {split_of(digest(task.split_key(fields)).hex()) for fields in executed} == {"test"}


def test_ids_are_unique_and_rejects_have_reasons(task):
    found = [block(task, number) for number in range(BLOCKS)]
    ids = [item.example.id for drawn, _ in found for item in drawn]
    assert len(set(ids)) == len(ids)
    rejects = sum((tally.rejects for _, tally in found), Counter())
    assert all(reason and reason == reason.strip() and count > 0 for reason, count in rejects.items())
    assert not any(rejects[reason] for reason in task.doubts)


def test_the_fields_are_frozen(task):
    """Executing, prompting and storing leave the fields unchanged."""
    for item in blocks(task):
        before = repr(item.example.fields)
        task.execute(item.example.fields)
        task.split_key(item.example.fields)
        task.info(item.example)
        task.program(item.example.fields)
        assert repr(item.example.fields) == before


@pytest.mark.parametrize("name", TASKS, ids=lambda name: Path(name).stem)
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


# --------------------------------------------------------------------------------------------- worked solutions


def worked(task: SymbolicTask, form: str) -> tuple[list, Tally]:
    if type(task).solution is SymbolicTask.solution:
        pytest.skip("it cannot show its work")
    tally, made = Tally(), []
    for number in range(BLOCKS):
        made += block(task, number, options=task.options(solution=form))[0]
        tally.add(block(task, number, options=task.options(solution=form))[1])
    return made, tally


@pytest.mark.parametrize("form", FORMS)
def test_a_completion_can_be_a_worked_solution(task, form):
    drawn, tally = worked(task, form)
    assert drawn
    assert not tally.rejects["solution does not hold"]
    for item in drawn:
        example = item.example
        steps, answer = parted(item.completion)
        assert answer == example.answer
        assert joined(steps, answer) == item.completion
        assert task.verify_solution(example.fields, steps).fault(form) == ""
        assert estimate(item.prompt) + estimate(item.completion) <= setting(task).budget
        row = example_row(task, item, self_contained=True)
        assert (row["completion"], row["answer"]) == (item.completion, example.answer)
        assert json.loads(row["info"])["solution"] == form
        assert example_of(task, Line("here", row, {})).traits.solution == form


def test_completions_without_a_solution_are_what_they_were(task):
    for item in blocks(task):
        assert item.completion == item.example.answer
        assert "solution" not in task.info(item.example)
    if issubclass(task.options, WorkedOptions):
        none = block(task, options=task.options(solution="none"))[0]
        assert digest_of(none) == digest_of(block(task)[0])


def test_the_process_of_a_worked_completion_is_told_apart(task):
    drawn, _ = worked(task, "compact")
    for item in drawn[:32]:
        example, lines = item.example, item.completion.split("\n")
        right = task.process(item.completion, example)
        assert (right.reward, right.is_proven, right.is_lucky) == (1.0, True, False)
        wrong_answer = task.process("\n".join([*lines[:-1], "Answer: something else"]), example)
        assert (wrong_answer.reward, wrong_answer.is_proven) == (0.5, False)
        wrong_step = task.process("\n".join([*lines[:-2], "I am sure of it.", lines[-1]]), example)
        assert wrong_step.is_lucky
        assert 0.5 <= wrong_step.reward < 1
        number, _, fault = wrong_step.steps.first_wrong
        assert 1 <= number <= len(lines)
        assert fault
        assert task.process(item.completion + "\n\nQuestion: and now?\nAnswer: 0", example).reward == 1.0
        for text in HOSTILE:
            assert 0 <= task.process(text, example).reward < 1


def test_solutions_are_drawn_apart_from_examples(task):
    """If there is room for everything, the examples with solutions are the same as with `none`."""
    worked(task, "full")
    for number in range(3):
        drawn, _ = block(task, number, budget=20_000, options=task.options(solution="full"))
        plain = {item.example.id: item for item in block(task, number, budget=20_000)[0]}
        assert drawn
        for item in drawn:
            twin = plain[item.example.id]
            assert (item.prompt, item.example.fields) == (twin.prompt, twin.example.fields)


def test_who_cannot_show_his_work_says_so():
    task = find(str(OWN / "add_up.py"))
    with pytest.raises(InputError, match="add_up writes no worked solutions"):
        task.ready(Setting(options=WorkedOptions(solution="full")))


# ------------------------------------------------------------------------------------------------ finding tasks


def test_unknown_names_are_told_apart(tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'sql_execution'"):
        find("sql_executoin")
    with pytest.raises(InputError, match="no such file"):
        find(str(tmp_path / "absent.py"))
    with pytest.raises(InputError, match="given twice"):
        find_all(["sql_execution", "sql_execution"])
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
    assert task.chosen_templates(Setting(templates=(first.id,))) == (first,)
    assert task.chosen_templates(Setting(templates=(short,))) == (first,)
    assert task.chosen_templates(Setting()) == task.templates
    with pytest.raises(UnknownName):
        task.chosen_templates(Setting(templates=("nothing like it",)))


def test_held_out_prompt_templates_never_stand_in_train():
    task = find("sql_execution")
    train = task.chosen_templates(Setting(held_out_templates=0.3))
    held = task.chosen_templates(Setting("validation", held_out_templates=0.3))
    assert {*train, *held} == {*task.templates}
    assert not {*train} & {*held}
    assert held


def test_fields_may_not_take_the_names_of_what_is_known(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text((OWN / "add_up.py").read_text("utf-8").replace('"numbers"', '"chance"'), "utf-8")
    task = find(str(path))
    with pytest.raises(InputError, match="a field is named 'chance'"):
        list(task.block(rng("taken"), task.ready(Setting()), "key", Tally()))


def test_bounds_of_a_users_own_task_hold():
    task = find(str(OWN / "sort_words.py"))
    drawn = [item for number in range(60) for item in block(task, number)[0]]
    share = sum(item.example.traits.query_type == "two words" for item in drawn) / len(drawn)
    assert 0.1 < share <= 0.2


def test_an_engine_that_a_task_does_not_have():
    with pytest.raises(UnknownName, match="Did you mean 'duckdb'"):
        find("sql_execution").disagreements("duckbd", [])
    with pytest.raises(UnknownName, match="Did you mean 'duckdb'"):
        find("sql_execution").ready(Setting(views=views(), verify="duckbd"))


def test_duckdb_confirms_blocks_and_is_counted(monkeypatch):
    pytest.importorskip("duckdb")
    task = find("sql_execution")
    plain, _ = block(task)
    checked, tally = block(task, verify="duckdb")
    assert digest_of(plain) == digest_of(checked)
    assert not tally.rejects["duckdb disagrees"]
    fields = [item.example.fields for item in plain]
    assert task.disagreements("duckdb", fields) == {}
    from symtune.sql.language.second_opinion import SecondOpinion

    monkeypatch.setattr(SecondOpinion, "disagreements", lambda self, tables, queries: {0: "no", 2: "no"})
    left, tally = block(task, verify="duckdb")
    assert tally.rejects["duckdb disagrees"] == 2
    assert [item.example.id for item in left] == [item.example.id for n, item in enumerate(plain) if n not in (0, 2)]


def test_tables_that_serve_nothing_are_counted_not_fatal():
    lone = Table("one", ("a",), ("text",), (("x",), ("y",), ("z",)))
    tables, tally, task = TableSet((lone,), content={"one": "0" * 32}), Tally(), find("sql_execution")
    assert not list(task.block(rng("lone"), task.ready(Setting(views=Views(tables))), "key", tally))
    assert tally.rejects
