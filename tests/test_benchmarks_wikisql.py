"""WikiSQL: queries executed by the rules of TAPAS, values compared by them, the official layout."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symtune import benchmarks
from symtune.benchmarks.wikisql.execution import Query, execute, same, to_float
from symtune.files import json_objects
from symtune.tables import load_tables
from symtune.types import InputError
from table_releases import CITIES, QUERIES, wikisql_release, write_lines

BENCHMARK = benchmarks.find("wikisql")

NUMBERS = [
    ("5", 5),
    (" 5\r", 5),
    ("-5.50", -5.5),
    ("1,000.7", 1000.7),
    ("1,000", 1000),
    ("1,000\r", 1000),
    ("12,34,567", 1234567),
    ("5,5556", 5.5556),
    ("1,2", 1.2),
    ("1,2,3", 123),
    ("0.0.0.1", 1),
    ("1e3", 1000),
    ("+ 7", None),
    ("5 km", None),
    ("1.2.3,4", None),
    ("nan", None),
    ("", None),
    (",", None),
    ("9" * 5000, None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers_are_read_as_tapas_reads_them(text: str, number: float | None) -> None:
    assert to_float(text) == number


ROWS = [["Oslo", "1,000", "3"], ["oslo", "20", "4.5"], ["Bergen (B)", "x", "3"], ["-", "7", "1998"]]
TYPES = ["text", "text", "real"]
EXECUTED = [
    ((0, 0, []), ["Oslo", "oslo", "Bergen (B)", "-"]),
    ((2, 0, [[0, 0, " OSLO \r"]]), ["3", "4.5"]),
    ((0, 0, [[0, 0, "bergen ( b )"]]), ["Bergen (B)"]),  # the same words and signs
    ((0, 0, [[0, 0, "bergen b"]]), []),
    ((0, 0, [[2, 0, "3.0"]]), ["Oslo", "Bergen (B)"]),
    ((0, 0, [[2, 1, 3], [2, 2, 1998.0]]), ["oslo"]),
    ((0, 0, [[1, 1, "5"]]), ["Bergen (B)", "-"]),  # a column of texts is compared as texts
    ((0, 1, [[0, 0, "oslo"]]), ["oslo"]),
    ((2, 1, []), ["1998"]),
    ((2, 2, []), ["3"]),
    ((2, 2, [[2, 1, 9000]]), []),
    ((2, 3, []), ["4"]),
    ((0, 3, [[0, 0, "Rome"]]), ["0"]),
    ((2, 4, []), ["2008.5"]),
    ((2, 4, [[2, 0, 3]]), ["6"]),
    ((2, 5, [[0, 0, "oslo"]]), ["3.75"]),
    ((2, 5, [[0, 0, "Rome"]]), []),
    ((1, 4, [[0, 0, "oslo"]]), ["1,000", "20"]),  # a column of texts is not summed …
    ((1, 4, [[0, 0, "-"]]), ["7"]),  # … but for one cell
    ((1, 4, [[2, 0, "3"], [0, 0, "bergen (b)"]]), []),  # "x" is no number
    ((0, 0, [[2, 0, "three"]]), []),  # a text is not compared with numbers
]


@pytest.mark.parametrize(("query", "answer"), EXECUTED)
def test_queries_yield_what_tapas_says(query: tuple[int, int, list], answer: list[str]) -> None:
    column, aggregation, conditions = query
    read = Query.read({"sel": column, "agg": aggregation, "conds": conditions}, 3)
    assert execute(read, ROWS, TYPES) == answer


WORDS = st.sampled_from(["a", "b", "b c"])
SMALL = st.integers(-3, 3)


@given(
    st.lists(st.tuples(WORDS, SMALL), max_size=6),
    st.integers(0, 5),
    st.lists(st.one_of(st.tuples(st.just(0), st.just(0), WORDS), st.tuples(st.just(1), st.integers(0, 2), SMALL))),
)
def test_on_plain_tables_a_query_yields_what_sqlite_says(
    rows: list[tuple[str, int]], aggregation: int, conditions: list[tuple[int, int, str | int]]
) -> None:
    query = Query.read({"sel": 1, "agg": aggregation, "conds": [list(one) for one in conditions]}, 2)
    found = execute(query, [[word, str(number)] for word, number in rows], ["text", "real"])
    name = ("", "MAX", "MIN", "COUNT", "SUM", "AVG")[aggregation]
    where = " AND ".join([f"c{column} {'=><'[operator]} ?" for column, operator, _ in conditions]) or "1"
    with sqlite3.connect(":memory:") as engine:
        engine.execute("CREATE TABLE t (c0 TEXT, c1 REAL)")
        engine.executemany("INSERT INTO t VALUES (?, ?)", rows)
        answer = engine.execute(f"SELECT {name}(c1) FROM t WHERE {where}", [value for *_, value in conditions])
        wanted = [str(value) for (value,) in answer if value is not None]
    assert same(found, wanted)


@pytest.mark.parametrize(
    ("items", "gold", "right"),
    [
        (["1000.0"], ["1,000"], True),
        (["oslo"], ["Oslo"], True),
        (["a", "b"], ["B", "A"], True),
        (["a"], ["a", "a"], False),
        (["33.3333"], ["33.333333333333336"], False),
        ([], ["0"], False),
    ],
)
def test_answers_are_compared_as_tapas_compares_them(items: list[str], gold: list[str], right: bool) -> None:
    assert same(items, gold) == right


class TestRelease:
    """The official layout."""

    def test_is_read_and_executed(self, tmp_path: Path) -> None:
        questions = BENCHMARK.load(wikisql_release(tmp_path / "r"), "validation")
        assert [one.target for one in questions] == [("1,000",), ("320.5",), ("Bergen", "Bergen")]
        assert [one.groups for one in questions] == [("no aggregation",), ("sum",), ("no aggregation",)]
        assert [one.chance for one in questions] == [1 / 8, 0, 0]
        assert [one.id for one in questions] == ["dev-0", "dev-1", "dev-2"]
        assert questions[0].fields == {"question": "q0 ?"}
        assert questions[0].table.header == ("City", "Size")
        assert questions[0].table.rows[0] == ("Oslo", "1,000")

    def test_tables_are_those_that_are_kept_out_of_training(self, tmp_path: Path) -> None:
        release = wikisql_release(tmp_path / "r")
        (table,) = load_tables(release, layout="wikisql").tables
        assert BENCHMARK.load(release, "validation")[0].table == table

    def test_the_folder_itself_may_hold_the_files(self, tmp_path: Path) -> None:
        assert len(BENCHMARK.load(wikisql_release(tmp_path / "r") / "data", "dev")) == 3

    def test_averages_may_be_rounded_in_the_second_metric(self, tmp_path: Path) -> None:
        rows = [["a", 1], ["a", 1], ["a", 0]]
        data = wikisql_release(tmp_path / "r", [{"sel": 1, "agg": 5, "conds": []}], [{**CITIES, "rows": rows}])
        (question,) = BENCHMARK.load(data, "validation")
        for said, exact, denotation in (("0.6667", 0, 1), ("0.6666666666666666", 1, 1), ("0.66", 0, 0)):
            assert BENCHMARK.score(said, question).score == exact
            assert BENCHMARK.other_scores(said, question) == {"denotation": denotation}

    def test_a_query_that_yields_nothing_is_counted_and_asked(self, tmp_path: Path) -> None:
        data = wikisql_release(tmp_path / "r", [{"sel": 0, "agg": 0, "conds": [[0, 0, "Rome"]]}, QUERIES[0]])
        questions = BENCHMARK.load(data, "validation")
        assert questions[0].target == ("none",)
        assert [BENCHMARK.score(said, questions[0]).score for said in ("None.", "Rome", "")] == [1, 0, 0]
        assert BENCHMARK.notes(questions) == {"queries_without_answer": 1}

    def test_a_cell_with_the_mark_between_answers_is_right_as_it_stands(self, tmp_path: Path) -> None:
        data = wikisql_release(
            tmp_path / "r", [{"sel": 0, "agg": 0, "conds": []}], [{**CITIES, "rows": [["a | b", 1]]}]
        )
        (question,) = BENCHMARK.load(data, "validation")
        assert BENCHMARK.score("a | b", question).score == 1

    @pytest.mark.parametrize(
        ("query", "fault"),
        [
            (None, r"dev\.jsonl:1: sql: wanted sel, agg"),
            ({"sel": 2, "agg": 0, "conds": []}, r"dev\.jsonl:1: sql: got sel 2 and agg 0, wanted .* over 2 columns"),
            ({"sel": 0, "agg": 6, "conds": []}, "got sel 0 and agg 6"),
            ({"sel": True, "agg": 0, "conds": []}, "got sel True"),
            ({"sel": 0, "agg": 0, "conds": [[0, 3, "x"]]}, r"got the condition \[0, 3, 'x'\]"),
            ({"sel": 0, "agg": 0, "conds": [[0, 0, None]]}, r"got the condition \[0, 0, None\]"),
        ],
    )
    def test_a_broken_query_is_named(self, tmp_path: Path, query: object, fault: str) -> None:
        with pytest.raises(InputError, match=fault):
            BENCHMARK.load(wikisql_release(tmp_path / "r", [query]), "validation")

    @pytest.mark.parametrize(
        ("table", "fault"),
        [
            (
                {**CITIES, "id": "other"},
                r"dev\.jsonl:1: .*dev\.tables\.jsonl, the table of this question, is not there",
            ),
            ({**CITIES, "types": ["text", "number"]}, r"dev\.tables\.jsonl:1: types: wanted a list of text and real"),
            ({**CITIES, "types": ["text"]}, r"dev\.jsonl:1: table 1-1-1 has 2 columns but 1 types"),
        ],
    )
    def test_a_broken_table_is_named(self, tmp_path: Path, table: dict, fault: str) -> None:
        with pytest.raises(InputError, match=fault):
            BENCHMARK.load(wikisql_release(tmp_path / "r", tables=[table]), "validation")

    def test_what_is_not_there_is_named(self, tmp_path: Path) -> None:
        data = wikisql_release(tmp_path / "r")
        with pytest.raises(InputError, match=r"test\.jsonl: no such file \(split test\); there are dev$"):
            BENCHMARK.split(data, "test")
        (data / "data/dev.tables.jsonl").unlink()
        with pytest.raises(InputError, match=r"dev\.tables\.jsonl: no such file; wanted the tables of dev\.jsonl"):
            BENCHMARK.load(data, "validation")
        (data / "data/dev.jsonl").write_text("{}\n")
        write_lines(data / "data/dev.tables.jsonl", [CITIES])
        with pytest.raises(InputError, match=r"dev\.jsonl:1: wanted `table_id` and `question`"):
            BENCHMARK.load(data, "validation")


@pytest.mark.parametrize(
    ("split", "size", "agree", "nothing"), [("dev", 4_184, 4_181, 1), ("train", 35_665, 35_615, 27)]
)
def test_execution_agrees_with_the_answers_of_the_real_copy(
    shared: Path, split: str, size: int, agree: int, nothing: int
) -> None:
    """The copy is a reconstruction over lower-cased tables with answers of its own: where they differ, its numbers are
    rounded or hold a space behind their sign ("+ 7").
    """
    data = shared / "WikiSQL-reconstructed"
    questions = BENCHMARK.load(data, split)
    assert len(questions) == size
    assert [one.id for one in questions if BENCHMARK.score(" | ".join(one.target), one).score != 1] == []
    answers = [entry.value["answer"] for entry in json_objects(data / "data" / f"{split}.jsonl")]
    assert sum(same(one.target, answer) for one, answer in zip(questions, answers, strict=True)) == agree
    assert BENCHMARK.notes(questions)["queries_without_answer"] == nothing
