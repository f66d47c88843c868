"""Benchmarks: reading their official layouts, prompts cut to fit, verdicts. One contract for all in the
folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symtune import benchmarks, dataset
from symtune.benchmarks import Format
from symtune.types import Example, InputError, Table, UnknownName

HEADER = "id\tutterance\tcontext\ttargetValue"
QUESTIONS = [
    "nt-0\twhich city is largest?\tcsv/200-csv/1.csv\tBangkok, Thailand",
    r"nt-1	which cities?	csv/200-csv/1.csv	Oslo|a\pb\\n",
    "nt-2\thow long?\tcsv/200-csv/1.csv\t10 years",
]


def wtq_release(folder: Path, *, rows: int = 3, questions: list[str] = QUESTIONS, tagged: bool = True) -> Path:
    """A tiny folder in the layout of the official release."""
    (folder / "data").mkdir(parents=True)
    (folder / "csv" / "200-csv").mkdir(parents=True)
    lines = [f'"city {number}, \\"x\\"","{number}"' for number in range(rows)]
    (folder / "csv/200-csv/1.csv").write_text("\n".join(['"City","Size"', *lines]) + "\n", "utf-8")
    (folder / "data/random-split-1-dev.tsv").write_text("\n".join([HEADER, *questions]) + "\n", "utf-8")
    if tagged:
        (folder / "tagged/data").mkdir(parents=True)
        (folder / "tagged/data/training.tagged").write_text(
            "id\ttargetValue\ttargetCanon\nnt-0\t-\tBangkok, Thailand\nnt-2\t10 years\t10.0\n", "utf-8"
        )
    return folder


TABLE = Table("view", ("City", "Size"), ("text", "number"), tuple((f"c{n}", str(n)) for n in range(20)), source="t")


def data_set(folder: Path, *, split: str = "test", **changed: object) -> Path:
    """A data set folder of three examples over one table."""
    (folder / "data").mkdir(parents=True)
    (folder / "tables").mkdir()
    rows = []
    for number, (sql, answer, kind) in enumerate(
        [("SELECT COUNT(*) FROM w", "20", "count"), ("SELECT City FROM w", "c1 | c0", "lookup"),
         ("SELECT City, Size FROM w ORDER BY Size", "c0 ; 0 | c1 ; 1", "lookup")]
    ):  # fmt: skip
        info = {"sql": sql, "tables": ["view"], "ordered": number == 2, "query_type": kind, "chance": 0.25}
        row = {
            "id": f"sql_execution/1/{split}/7/0/{number}",
            "task": "sql_execution",
            "prompt": f"stored prompt {number}: {sql}",
            "completion": answer,
            "answer": answer,
            "answer_type": "number",
            "table_id": "t",
            "template_id": "sql_execution/01+tapex",
            "difficulty": 1.0,
            "info": dataset.info_text({**info, **changed}),
        }
        rows.append(row)
    dataset.write_rows(folder / "data" / f"{split}-00000-of-00001.parquet", rows, dataset.SCHEMA)
    tables = [dataset.table_row(TABLE, "0" * 32)]
    dataset.write_rows(folder / "tables" / f"{split}-00000-of-00001.parquet", tables, dataset.TABLES_SCHEMA)
    return folder


MADE = {"wikitablequestions": (wtq_release, "validation"), "sql_execution": (data_set, "test")}


@pytest.mark.parametrize("name", benchmarks.names())
def test_contract(name: str, tmp_path: Path) -> None:
    make, split = MADE[name]
    data = make(tmp_path / "data")
    benchmark = benchmarks.find(name)
    assert benchmark.split(data, None) == split
    examples = benchmark.load(data, split)
    assert len({example.id for example in examples}) == len(examples) == 3
    assert benchmark.load(data, split, limit=2) == examples[:2]
    for example in examples:
        assert benchmark.score(example.answer, example).score == 1.0
        assert benchmark.score(f"The answer is {example.answer}.", example).score == 1.0
        for hostile in ("", "no", "\ud800", "| ; |" * 1000, "9" * 5000, "<think>"):
            assert benchmark.score(hostile, example).score == 0.0
        prompt, cut = benchmark.prompt(example, Format(), lambda prompt: True)
        assert (benchmark.prompt(example, Format(), lambda prompt: True), cut) == ((prompt, 0), 0)
        for template in benchmark.templates:
            for how in ("markdown", "json"):
                again, cut = benchmark.prompt(example, Format(template.id, how), lambda prompt: True)
                assert cut == 0
                assert again != prompt
        short, cut = benchmark.prompt(example, Format(), lambda prompt: len(prompt) < 1)
        assert cut == len(_tables(example)[0].rows) - 1
        assert len(short) > 0
    with pytest.raises(UnknownName):
        benchmark.check_format(Format("no-such-template"))
    with pytest.raises(UnknownName, match="Did you mean 'markdown'"):
        benchmark.check_format(Format(None, "markdwn"))
    with pytest.raises(UnknownName):
        benchmark.split(data, "no-such-split")
    with pytest.raises(InputError, match="no such folder"):
        benchmark.split(tmp_path / "absent", None)


def _tables(example: Example) -> tuple[Table, ...]:
    return example.fields["tables"] if "tables" in example.fields else (example.fields["table"],)


def test_an_unknown_benchmark_gets_a_hint() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'sql_execution'"):
        benchmarks.find("sql_executoin")


class TestWikiTableQuestions:
    """The official layout."""

    benchmark = benchmarks.find("wikitablequestions")

    def test_reads_the_release(self, tmp_path: Path) -> None:
        examples = self.benchmark.load(wtq_release(tmp_path / "r"), "random-split-1-dev")
        assert [example.meta["target"] for example in examples] == [
            ("Bangkok, Thailand",),
            ("Oslo", "a|b\\n"),
            ("10 years",),
        ]
        assert [example.meta["canon"] for example in examples] == [("Bangkok, Thailand",), None, ("10.0",)]
        assert examples[0].fields["table"].rows[1] == ('city 1, "x"', "1")
        assert self.benchmark.notes(examples)["without_canonical_value"] == 1
        assert self.benchmark.score("10", examples[2]).score == 1.0

    def test_scores_without_canonical_values_and_says_so(self, tmp_path: Path) -> None:
        examples = self.benchmark.load(wtq_release(tmp_path / "r", tagged=False), "validation")
        assert self.benchmark.score("10", examples[2]).score == 0.0
        assert self.benchmark.score("10 years", examples[2]).score == 1.0
        notes = self.benchmark.notes(examples)
        assert (notes["canonical_values"], notes["without_canonical_value"]) == ("none", 3)

    def test_keeps_the_rows_that_the_question_is_about(self, tmp_path: Path) -> None:
        asked = "nt-0\thow large is city 17?\tcsv/200-csv/1.csv\t17"
        example = self.benchmark.load(wtq_release(tmp_path / "r", rows=40, questions=[asked]), "validation")[0]
        prompt, cut = self.benchmark.prompt(example, Format(), lambda prompt: len(prompt) < 200)
        assert len(prompt) < 200
        assert "city 17" in prompt
        assert 30 < cut < 40

    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            ("nt-1\tx\tcsv/200-csv/9.csv\t1", r"dev\.tsv:3: .*csv/200-csv/9\.csv, the table of nt-1, is not there"),
            ("nt-1\tx\tcsv/200-csv/1.csv", r"dev\.tsv:3: got 3 columns, wanted 4"),
            ("nt-2\tx\tcsv/200-csv/1.csv\t1|2", r"dev\.tsv:3: question nt-2 has 2 answers, and 1 in its \.tagged"),
        ],
    )
    def test_a_broken_line_is_named(self, tmp_path: Path, line: str, fault: str) -> None:
        data = wtq_release(tmp_path / "r", questions=[QUESTIONS[0], line])
        with pytest.raises(InputError, match=fault):
            self.benchmark.load(data, "validation")

    def test_what_is_not_there_is_named(self, tmp_path: Path) -> None:
        data = wtq_release(tmp_path / "r")
        with pytest.raises(InputError, match=r"pristine-unseen-tables\.tsv: no such file .*random-split-1-dev"):
            self.benchmark.split(data, "test")
        (data / "data/random-split-1-dev.tsv").write_text("id\tquestion\n", "utf-8")
        with pytest.raises(InputError, match=r"dev\.tsv:1: no column 'utterance'"):
            self.benchmark.load(data, "validation")
        (data / "csv").rename(data / "tables")
        with pytest.raises(InputError, match="csv: no such folder"):
            self.benchmark.load(data, "validation")

    @pytest.mark.parametrize(("split", "size"), [("train", 14_152), ("pristine-seen-tables", 3_537)])
    def test_every_gold_answer_of_the_real_release_is_right(self, shared: Path, split: str, size: int) -> None:
        examples = self.benchmark.load(shared / "WikiTableQuestions", split)
        assert len(examples) == size
        assert [one.id for one in examples if self.benchmark.read(one.answer) != [*one.meta["target"]]] == []
        assert [one.id for one in examples if self.benchmark.score(one.answer, one).score != 1.0] == []
        tagged = self.benchmark.notes(examples)["canonical_values"]
        assert tagged == ("all" if split == "pristine-seen-tables" else "none")


class TestSqlExecution:
    """A data set folder as a benchmark."""

    benchmark = benchmarks.find("sql_execution")

    def test_groups_chance_and_order(self, tmp_path: Path) -> None:
        examples = self.benchmark.load(data_set(tmp_path / "d"), "test")
        assert [example.meta["group"] for example in examples] == ["count", "lookup", "lookup"]
        assert [example.meta["chance"] for example in examples] == [0.25] * 3
        assert self.benchmark.score("c0 | c1", examples[1]).score == 1.0
        assert self.benchmark.score("c1 ; 1 | c0 ; 0", examples[2]).score == 0.0
        assert self.benchmark.score("c0 ; 0 | c1 ; 1.0", examples[2]).score == 1.0
        assert self.benchmark.other_scores("c0 | c1", examples[1]) == {"exact_match": 0.0}

    def test_prompts_are_the_stored_ones_unless_asked(self, tmp_path: Path) -> None:
        example = self.benchmark.load(data_set(tmp_path / "d"), "test")[0]
        assert self.benchmark.prompt(example, Format(), lambda prompt: True) == (example.meta["prompt"], 0)
        prompt, cut = self.benchmark.prompt(
            example, Format(), lambda prompt: "stored" not in prompt and len(prompt) < 220
        )
        assert prompt.startswith("Execute this SQL query on the table")  # its own template, with fewer rows
        assert 0 < cut < 20
        assert self.benchmark.format_name(Format()) == "stored"
        assert self.benchmark.format_name(Format("plain")) == "sql_execution/plain+stored"

    def test_a_stored_answer_of_prose_is_right_as_it_stands(self, tmp_path: Path) -> None:
        example = self.benchmark.load(data_set(tmp_path / "d"), "test")[0]
        prose = "The tree is a dogwood. It was planted in 1912."
        told = Example(example.id, example.task, example.fields, prose, example.meta)
        assert self.benchmark.score(prose, told).score == 1.0

    @pytest.mark.parametrize(
        ("changed", "fault"),
        [
            ({"chance": 2}, r"parquet: row 1: info\.chance: got 2"),
            ({"sql": None}, "row 1: info holds no sql and tables"),
            ({"tables": ["other"]}, "table 'other' is not in tables/"),
        ],
    )
    def test_a_broken_row_is_named(self, tmp_path: Path, changed: dict, fault: str) -> None:
        with pytest.raises(InputError, match=fault):
            self.benchmark.load(data_set(tmp_path / "d", **changed), "test")

    def test_splits(self, tmp_path: Path) -> None:
        data = data_set(tmp_path / "d", split="train")
        assert self.benchmark.split(data, None) == "train"
        with pytest.raises(InputError, match="no examples of split test; it has train"):
            self.benchmark.split(data, "test")
        (tmp_path / "empty").mkdir()
        with pytest.raises(InputError, match="symtune generate"):
            self.benchmark.split(tmp_path / "empty", None)


def test_tables_are_the_views_that_were_stored(tmp_path: Path) -> None:
    example = benchmarks.find("sql_execution").load(data_set(tmp_path / "d"), "test")[0]
    assert json.dumps(example.fields["tables"][0].to_json()) == json.dumps(TABLE.to_json())
