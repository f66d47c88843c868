"""Answer balance: no answer, row or shortcut is right more often than its bound allows."""

from __future__ import annotations

from collections import Counter

import pytest

from symtune.dataset import lines
from symtune.generation import GenerateConfig, generate
from symtune.seeds import rng
from symtune.sql.sampling.balance import ROWS, SHORTCUTS, Balance, bounds_for
from symtune.types import Denotation, Rejected


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
