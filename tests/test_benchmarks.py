"""Benchmarks: reading their official layouts, prompts cut to fit, verdicts. One contract for all in the
folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from official_releases import bbh_release, mmlu_release, svamp_release
from symtune import benchmarks, dataset
from symtune.benchmarks import Benchmark, Format, Shot
from symtune.outcomes import Outcome, Prompt, Question, mean_over_groups
from symtune.releases import in_turn
from symtune.types import Completion, InputError, Table, UnknownName, Verdict
from table_releases import sqa_release, tabfact_release, wikisql_release

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
            "prompt_template": "sql_execution/01",
            "linearization": "tapex",
            "difficulty": 1.0,
            "info": json.dumps({**info, **changed}),
        }
        rows.append(row)
    dataset.write_rows(folder / "data" / f"{split}-00000-of-00001.parquet", rows, dataset.SCHEMA)
    tables = [dataset.table_row(TABLE, "0" * 32)]
    dataset.write_rows(folder / "tables" / f"{split}-00000-of-00001.parquet", tables, dataset.TABLES_SCHEMA)
    return folder


PROBLEMS = [
    ("How many legs have two cats?", "Two cats have 2 * 4 = <<2*4=8>>8 legs.\n#### 8"),
    ("A car for $1,200 and one for $34: how much?", "1200+34 = <<1200+34=1234>>1,234\n#### 1,234"),
    ("How cold is 5 below zero?", "It is -5.\n#### -5"),
]


def gsm8k_release(folder: Path) -> Path:
    """A tiny folder in the layout of the official release."""
    folder.mkdir(parents=True)
    for split, mark in (("train", "Once: "), ("test", "")):
        lines = [json.dumps({"question": mark + question, "answer": answer}) for question, answer in PROBLEMS]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


MADE = {
    "bbh": (bbh_release, "test"),
    "gsm8k": (gsm8k_release, "test"),
    "held_out": (data_set, "test"),
    "mmlu": (mmlu_release, "validation"),
    "sqa": (sqa_release, "validation"),
    "svamp": (svamp_release, "validation"),
    "tabfact": (tabfact_release, "validation"),
    "wikisql": (wikisql_release, "validation"),
    "wikitablequestions": (wtq_release, "validation"),
}


@pytest.mark.parametrize("name", benchmarks.names())
def test_contract(name: str, tmp_path: Path) -> None:
    make, split = MADE[name]
    data = make(tmp_path / "data")
    benchmark = benchmarks.find(name)
    assert benchmark.split(data, None) == split
    questions = benchmark.load(data, split)
    assert len({question.id for question in questions}) == len(questions) == 3
    few = benchmark.load(data, split, limit=2)  # the first, or in turn from the parts
    assert len(few) == 2
    assert [question for question in questions if question in few] == few
    for question in questions:
        gold = " | ".join(question.target)
        assert benchmark.score(gold, question).score == 1.0
        assert benchmark.score(f"The answer is {gold}.", question).score == 1.0
        for hostile in ("", "cannot say", "\ud800", "| ; |" * 1000, "9" * 5000, "<think>"):
            assert benchmark.score(hostile, question).score == 0.0
        prompt = benchmark.prompt(question, Format(), lambda text: True)
        assert (prompt, prompt.rows_cut) == (benchmark.prompt(question, Format(), lambda text: True), 0)
        assert benchmark.prompt(question, Format(), lambda text: False).text
        asked = [benchmark.prompt(question, Format(one.id), lambda text: True).text for one in benchmark.templates]
        assert len(set(asked)) == len(benchmark.templates)
        json.dumps(dict(benchmark.columns(question)))
    with pytest.raises(UnknownName):
        benchmark.check_format(Format("no-such-template"), questions)
    with pytest.raises(InputError, match="shots"):
        benchmark.check_format(Format(shots=(Shot(questions[0], "x"),) * (benchmark.most_shots + 1)), questions)
    with pytest.raises(UnknownName):
        benchmark.split(data, "no-such-split")
    with pytest.raises(InputError, match="no such folder"):
        benchmark.split(tmp_path / "absent", None)


@pytest.mark.parametrize("name", ["held_out", "sqa", "tabfact", "wikisql", "wikitablequestions"])
def test_contract_of_benchmarks_that_show_tables(name: str, tmp_path: Path) -> None:
    make, split = MADE[name]
    benchmark = benchmarks.find(name)
    questions = benchmark.load(make(tmp_path / "data"), split)
    for question in questions:
        prompt = benchmark.prompt(question, Format(), lambda text: True)
        for how in ("markdown", "json"):
            again = benchmark.prompt(question, Format(None, how), lambda text: True)
            assert again.rows_cut == 0
            assert again.text != prompt.text
        short = benchmark.prompt(question, Format(), lambda text: len(text) < 1)
        table = question.example.tables[0] if name == "held_out" else question.table
        assert short.rows_cut == len(table.rows) - 1
    with pytest.raises(UnknownName, match="Did you mean 'markdown'"):
        benchmark.check_format(Format(None, "markdwn"), questions)


def test_an_unknown_benchmark_gets_a_hint() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'held_out'"):
        benchmarks.find("heldout")


def test_tasks_of_the_users_own_are_for_held_out_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from symtune.tasks.sql_execution import SqlExecution\nTASK = SqlExecution()\n")
    assert benchmarks.find("held_out", [str(tmp_path / "mine.py")]).name == "held_out"
    with pytest.raises(InputError, match="uses no symbolic task"):
        benchmarks.find("gsm8k", [str(tmp_path / "mine.py")])


class Subjects(Benchmark[Question]):
    """A benchmark that aggregates its scores in its own way."""

    name, metric, templates = "subjects", "accuracy", ()

    def split(self, data, split):
        return "test"

    def load(self, data, split, limit=None):
        groups = ["a", "a", "a", "b"]
        return [Question(id=str(k), target=("x",), groups=(group,)) for k, group in enumerate(groups)][:limit]

    def score(self, prediction, question):
        return Verdict(float(prediction == "x"))

    def aggregate(self, split, outcomes):
        whole = super().aggregate(split, outcomes)
        return [*whole, mean_over_groups(self.name, split, "mean over subjects", outcomes)]


def test_a_benchmark_aggregates_in_its_own_way() -> None:
    benchmark = Subjects()
    outcomes = [
        Outcome(question, Prompt("?"), Completion("x"), float(question.id != "3"))
        for question in benchmark.load(Path(), "test")
    ]
    results = benchmark.aggregate("test", outcomes)
    assert [(one.metric, one.group, one.score, one.n) for one in results] == [
        ("accuracy", "", 0.75, 4),
        ("accuracy", "a", 1.0, 3),
        ("accuracy", "b", 0.0, 1),
        ("mean over subjects", "", 0.5, 4),
    ]
    low, high = results[-1].interval
    assert 0 <= low <= 0.5 <= high <= 1


def test_shots_come_before_the_question_and_are_dropped_to_fit(tmp_path: Path) -> None:
    benchmark = benchmarks.find("gsm8k")
    data = gsm8k_release(tmp_path / "g")
    question = benchmark.load(data, "test")[0]
    shots = benchmark.shots(data, "test", 2)
    assert all("<<" not in shot.answer and "####" in shot.answer for shot in shots)
    whole = benchmark.prompt(question, Format("plain", shots=shots), lambda text: True)
    assert whole.text.count("Question: Once: ") == 2
    assert whole.text.endswith("Question: How many legs have two cats?\nAnswer:")
    one = benchmark.prompt(question, Format("plain", shots=shots), lambda text: len(text) < len(whole.text))
    assert (one.shots_dropped, one.text.count("Once")) == (1, 1)
    none = benchmark.prompt(question, Format("plain", shots=shots), lambda text: False)
    assert (none.shots_dropped, none.text) == (2, benchmark.ask(question, Format("plain")))
    with pytest.raises(InputError, match="come from train, which is the split to measure"):
        benchmark.shots(data, "train", 2)
    with pytest.raises(InputError, match="9 are wanted"):
        benchmark.shots(data, "test", 9)


class TestWikiTableQuestions:
    """The official layout."""

    benchmark = benchmarks.find("wikitablequestions")

    def test_reads_the_release(self, tmp_path: Path) -> None:
        examples = self.benchmark.load(wtq_release(tmp_path / "r"), "random-split-1-dev")
        assert [example.target for example in examples] == [
            ("Bangkok, Thailand",),
            ("Oslo", "a|b\\n"),
            ("10 years",),
        ]
        assert [example.canon for example in examples] == [("Bangkok, Thailand",), None, ("10.0",)]
        assert examples[0].table.rows[1] == ('city 1, "x"', "1")
        assert self.benchmark.notes(examples)["without_canonical_value"] == 1
        assert self.benchmark.score("10", examples[2]).score == 1.0

    def test_chance_is_that_of_a_random_cell(self, tmp_path: Path) -> None:
        questions = [
            "nt-0\twhich?\tcsv/200-csv/1.csv\tcity 1, “X”",  # one of four cells, by the official rules
            "nt-1\thow large?\tcsv/200-csv/1.csv\t1.0",
            "nt-2\twhich?\tcsv/200-csv/1.csv\t0|1",
            "nt-3\twhere?\tcsv/200-csv/1.csv\tMars",
        ]
        asked = self.benchmark.load(
            wtq_release(tmp_path / "r", rows=2, questions=questions, tagged=False), "validation"
        )
        assert [question.chance for question in asked] == [0.25, 0.25, 0, 0]
        assert {question.chance_how for question in asked} == {"a cell of the whole table, picked at random"}

    def test_scores_without_canonical_values_and_says_so(self, tmp_path: Path) -> None:
        examples = self.benchmark.load(wtq_release(tmp_path / "r", tagged=False), "validation")
        assert self.benchmark.score("10", examples[2]).score == 0.0
        assert self.benchmark.score("10 years", examples[2]).score == 1.0
        notes = self.benchmark.notes(examples)
        assert (notes["canonical_values"], notes["without_canonical_value"]) == ("none", 3)

    def test_keeps_the_rows_that_the_question_is_about(self, tmp_path: Path) -> None:
        asked = "nt-0\thow large is city 17?\tcsv/200-csv/1.csv\t17"
        example = self.benchmark.load(wtq_release(tmp_path / "r", rows=40, questions=[asked]), "validation")[0]
        prompt = self.benchmark.prompt(example, Format(), lambda prompt: len(prompt) < 200)
        assert len(prompt.text) < 200
        assert "city 17" in prompt.text
        assert 30 < prompt.rows_cut < 40

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
        golds = [(" | ".join(one.target), one) for one in examples]
        assert [one.id for gold, one in golds if self.benchmark.read(gold, one) != [*one.target]] == []
        assert [one.id for gold, one in golds if self.benchmark.score(gold, one).score != 1.0] == []
        tagged = self.benchmark.notes(examples)["canonical_values"]
        assert tagged == ("all" if split == "pristine-seen-tables" else "none")


class TestHeldOut:
    """A data set folder as a benchmark."""

    benchmark = benchmarks.find("held_out")

    def test_groups_chance_and_order(self, tmp_path: Path) -> None:
        examples = self.benchmark.load(data_set(tmp_path / "d"), "test")
        hard = "difficulty: 1 to 2"
        assert [example.groups for example in examples] == [("count", hard), ("lookup", hard), ("lookup", hard)]
        assert [example.chance for example in examples] == [0.25] * 3
        assert self.benchmark.score("c0 | c1", examples[1]).score == 1.0
        assert self.benchmark.score("c1 ; 1 | c0 ; 0", examples[2]).score == 0.0
        assert self.benchmark.score("c0 ; 0 | c1 ; 1.0", examples[2]).score == 1.0
        assert self.benchmark.other_scores("c0 | c1", examples[1]) == {"exact_match": 0.0}

    def test_prompts_are_the_stored_ones_unless_asked(self, tmp_path: Path) -> None:
        example = self.benchmark.load(data_set(tmp_path / "d"), "test")[0]
        assert self.benchmark.prompt(example, Format(), lambda prompt: True) == Prompt(example.prompt)
        prompt = self.benchmark.prompt(example, Format(), lambda prompt: "stored" not in prompt and len(prompt) < 220)
        assert prompt.text.startswith("Execute this SQL query on the table")  # its own template, with fewer rows
        assert 0 < prompt.rows_cut < 20
        assert self.benchmark.format_name(Format()) == "stored"
        assert self.benchmark.format_name(Format("plain")) == "plain+stored"

    def test_a_stored_answer_of_prose_is_right_as_it_stands(self, tmp_path: Path) -> None:
        example = self.benchmark.load(data_set(tmp_path / "d"), "test")[0]
        prose = "The tree is a dogwood. It was planted in 1912."
        told = replace(example, example=msgspec.structs.replace(example.example, answer=prose))
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

    def test_tables_are_the_views_that_were_stored(self, tmp_path: Path) -> None:
        example = self.benchmark.load(data_set(tmp_path / "d"), "test")[0].example
        assert json.dumps(example.tables[0].to_json()) == json.dumps(TABLE.to_json())

    def test_a_task_that_nobody_knows_is_one_line_that_says_what_to_do(self, tmp_path: Path) -> None:
        data = data_set(tmp_path / "d")
        shard = data / "data" / "test-00000-of-00001.parquet"
        rows = [{**row, "task": "mine"} for row in dataset.read_rows(data)]
        dataset.write_rows(shard, rows, dataset.SCHEMA)
        with pytest.raises(InputError, match=r"'mine'.* --task FILE"):
            self.benchmark.load(data, "test")


class TestGsm8k:
    """The official layout and the official score."""

    benchmark = benchmarks.find("gsm8k")

    @pytest.mark.parametrize(
        ("said", "right", "official"),
        [
            ("1200 + 34\n#### 1,234", 1, 1),
            ("#### 1234", 1, 1),
            ("#### 1234.0", 1, 0),
            ("####1234", 1, 0),
            ("The answer is 1,234 dollars.", 1, 0),
            ("$1,234", 1, 0),
            ("#### 5\n#### 1234", 0, 0),
            ("#### 1234.", 1, 0),
            ("#### .\nThat is 1234.", 1, 0),
            ("<<1200+34=1234>>1234 dollars.", 1, 0),
            ("1234 or so\n#### 1235", 0, 0),
            ("", 0, 0),
        ],
    )
    def test_scores(self, tmp_path: Path, said: str, right: int, official: int) -> None:
        question = self.benchmark.load(gsm8k_release(tmp_path / "g"), "test")[1]
        assert self.benchmark.score(said, question).score == right
        assert self.benchmark.other_scores(said, question) == {"official": official}

    @pytest.mark.parametrize(
        ("line", "fault"),
        [
            ('{"question": "x"}', r"test\.jsonl:1: wanted `question` and `answer`"),
            ('{"question": "x", "answer": "72"}', r'test\.jsonl:1: the answer does not end in "#### "'),
            ("{", r"test\.jsonl:1: not JSON|test\.jsonl"),
            ("", "no problems in it"),
        ],
    )
    def test_a_broken_line_is_named(self, tmp_path: Path, line: str, fault: str) -> None:
        data = gsm8k_release(tmp_path / "g")
        (data / "test.jsonl").write_text(line)
        with pytest.raises(InputError, match=fault):
            self.benchmark.load(data, "test")

    def test_splits(self, tmp_path: Path) -> None:
        data = gsm8k_release(tmp_path / "g")
        (data / "test.jsonl").rename(data / "mine.jsonl")
        assert self.benchmark.split(data, "mine") == "mine"
        with pytest.raises(InputError, match=r"test\.jsonl: no such file \(split test\); there are mine, train"):
            self.benchmark.split(data, None)
        with pytest.raises(UnknownName, match="Did you mean 'mine'"):
            self.benchmark.split(data, "mines")

    def test_every_gold_answer_of_the_real_release_is_right(self, shared: Path) -> None:
        problems = self.benchmark.load(shared / "gsm8k", "train")
        assert len(problems) == 7_473
        assert [one.id for one in problems if self.benchmark.score(one.solution, one).score != 1.0] == []
        assert [one.id for one in problems if self.benchmark.other_scores(one.solution, one) != {"official": 1}] == []
        assert [one.id for one in problems if self.benchmark.score(one.target[0], one).score != 1.0] == []


@pytest.mark.parametrize(
    ("sizes", "limit", "taken"),
    [
        ([5, 1, 9], None, [5, 1, 9]),
        ([5, 1, 9], 6, [3, 1, 2]),
        ([5, 1, 9], 2, [1, 1, 0]),
        ([3], 9, [3]),
        ([2, 2], 4, [2, 2]),
    ],
)
def test_items_are_drawn_in_turn_over_groups(sizes: list[int], limit: int | None, taken: list[int]) -> None:
    assert in_turn(sizes, limit) == taken
