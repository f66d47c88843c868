"""TabFact: statements with their tables, verdicts in various wordings, the official lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from symtune import benchmarks
from symtune.benchmarks.tabfact import read_verdict
from symtune.tables import load_tables
from symtune.types import InputError
from table_releases import STATEMENTS, tabfact_release

BENCHMARK = benchmarks.find("tabfact")

ENTAILED = [
    "entailed", "True.", "yes", "Yes, it is.", "1", "A", "(A)", "**True**", "supported", "It is true that x has no y.",
    "The statement is true, since 5 is not more than 6.", "Verdict: entailed", "This is not false.",
    "Yes, the statement is correct.", "Entailed because it is not refuted.", "<think>it is false</think>true",
    "true\n\nStatement: y is x\nfalse",
]  # fmt: skip
REFUTED = [
    "refuted", "False", "no", "No. There were 5.", "0", "(B)", "not true", "The table does not support the statement.",
    "It isn’t really supported", "The claim is unsupported.", "The statement contradicts the table.", "wrong",
    "The answer is: Refuted", "<answer>false</answer>",
]  # fmt: skip
NEITHER = ["", "entailed or refuted", "I cannot tell.", "there are 5", "\ud800", "<think>true", "01"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [(text, "entailed") for text in ENTAILED]
    + [(text, "refuted") for text in REFUTED]
    + [(text, None) for text in NEITHER],
)
def test_verdicts_are_read(text: str, verdict: str | None) -> None:
    assert read_verdict(text) == verdict


def test_the_release_is_read(tmp_path: Path) -> None:
    questions = BENCHMARK.load(tabfact_release(tmp_path / "r"), "validation")
    assert [one.id for one in questions] == ["2-1-1.html.csv_0", "2-1-1.html.csv_1", "2-1-2.html.csv_0"]
    assert [one.target for one in questions] == [("entailed",), ("refuted",), ("refuted",)]
    assert questions[1].fields == {"statement": "oslo be larger than bergen"}
    assert [one.groups for one in questions] == [("simple",), ("simple",), ("complex",)]
    assert {one.chance for one in questions} == {0.5}
    assert questions[0].table.header == ("city", 'size, "km"')  # nothing is quoted
    assert questions[0].table.rows[1] == ("bergen", '"7')
    assert BENCHMARK.notes(questions) == {}


def test_tables_are_those_that_are_kept_out_of_training(tmp_path: Path) -> None:
    release = tabfact_release(tmp_path / "r")
    tables = {table.id: table for table in load_tables(release).tables}
    assert all(one.table == tables[one.table.id] for one in BENCHMARK.load(release, "validation"))


def test_a_release_without_lists_says_so(tmp_path: Path) -> None:
    data = tabfact_release(tmp_path / "r")
    (data / "data/simple_ids.json").unlink()
    questions = BENCHMARK.load(data, "validation")
    assert [one.groups for one in questions] == [(), (), ("complex",)]
    notes = BENCHMARK.notes(questions)
    assert notes["in_no_list"] == 2
    assert "data/simple_ids.json" in notes["remark"]


def test_the_lists_of_the_test_split(tmp_path: Path) -> None:
    data = tabfact_release(tmp_path / "r", name="test_examples")
    for name, ids in (("simple_test", '["2-1-1.html.csv"]'), ("small_test", '["2-1-1.html.csv", "2-1-2.html.csv"]')):
        (data / f"data/{name}_id").with_suffix(".json").write_text(ids)
    assert [one.groups for one in BENCHMARK.load(data, "test")] == [
        ("simple", "small"), ("simple", "small"), ("complex", "small"),
    ]  # fmt: skip


def test_a_part_of_a_split_stands_for_it_where_the_whole_is_not_there(tmp_path: Path) -> None:
    data = tabfact_release(tmp_path / "r", name="train_examples.partial")
    assert len(BENCHMARK.load(data, "train")) == 3
    whole = {"2-1-1.html.csv": STATEMENTS["2-1-1.html.csv"]}
    (tabfact_release(tmp_path / "w", whole, "train_examples") / "tokenized_data/train_examples.json").rename(
        data / "tokenized_data/train_examples.json"
    )
    assert len(BENCHMARK.load(data, "train")) == 2
    with pytest.raises(InputError, match=r"test_examples\.json: no such file \(split test\); there are train$"):
        BENCHMARK.split(data, "test")


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        ({}, r"val_examples\.json: no statements in it"),
        ({"9.html.csv": [["x"], [1], ""]}, r"all_csv/9\.html\.csv, the table of 9\.html\.csv_0, is not there"),
        ({"t": "x"}, r"val_examples\.json: t: wanted \[statements, labels"),
        ({"t": [["x"], [1, 0], ""]}, "got 1 statements and 2 labels"),
        ({"t": [["x"], [2], ""]}, "got 'x' with label 2"),
        (["x"], "got a JSON text, wanted statements by table|wanted statements by table"),
    ],
)  # fmt: skip
def test_broken_statements_are_named(tmp_path: Path, statements: object, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        BENCHMARK.load(tabfact_release(tmp_path / "r", statements), "validation")


def test_the_folder_of_tables_is_named(tmp_path: Path) -> None:
    data = tabfact_release(tmp_path / "r")
    (data / "data").rename(data / "tables")
    with pytest.raises(InputError, match=r"data/all_csv: no such folder"):
        BENCHMARK.load(data, "validation")


@pytest.mark.parametrize(("split", "size", "entailed"), [("validation", 12_792, 6_478), ("train", 17_609, 8_788)])
def test_every_gold_answer_of_the_real_release_is_right(shared: Path, split: str, size: int, entailed: int) -> None:
    questions = BENCHMARK.load(shared / "TabFact", split)  # of train, a part
    assert len(questions) == size
    assert sum(one.target == ("entailed",) for one in questions) == entailed
    for words in (("entailed", "refuted"), ("True.", "False."), ("yes", "no"), ("supported", "not supported")):
        said = [(words[one.target == ("refuted",)], one) for one in questions]
        assert [one.id for text, one in said if BENCHMARK.score(text, one).score != 1] == []
