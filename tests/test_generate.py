"""From tables to a data set folder: the same bytes, nothing shared, nothing half-written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from math import inf, nan
from pathlib import Path

import pytest

from symtune import dataset
from symtune.audit import audit
from symtune.denotation import parse
from symtune.generation import GenerateConfig, generate
from symtune.output import MANIFEST, sha256
from symtune.tables import content_hash, load_tables, split_of
from symtune.types import InputError, OutputError, UnknownName
from test_tasks import OWN


def symtune(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a separate process."""
    return subprocess.run(
        [sys.executable, "-m", "symtune", *map(str, arguments)],
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder except the manifest, by name."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def manifest(folder: Path) -> dict:
    return json.loads((folder / MANIFEST).read_text("utf-8"))


def config(out: Path, **said) -> GenerateConfig:
    """Settings of a user, checked like flags and YAML."""
    return GenerateConfig.of({"out": out, **said})


def make(folder: Path, **changes) -> list[dict]:
    """Generate and read back."""
    generate(config(folder, **changes))
    return list(dataset.read_rows(folder))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A small data set over the bundled tables."""
    folder = tmp_path_factory.mktemp("made") / "data"
    generate(config(folder, n=600, seed=7))
    return folder


def left_behind(folder: Path) -> list[str]:
    """What is in a folder, including hidden files."""
    return sorted(path.name for path in folder.iterdir())


def small_csv(folder: Path, split: str = "train") -> Path:
    """A csv of 3 rows and 3 columns whose content falls into a split."""
    for number in range(1000):
        path = folder / "small.csv"
        path.write_text(f"name,age,city\nAna,3{number},Oslo\nBo,41,Rome\nCid,52,Lima\n", "utf-8")
        table = load_tables(path).tables[0]
        if split_of(content_hash(table)) == split:
            return path
    raise LookupError(split)


# ------------------------------------------------------------------------------------------ what is written


def test_rows(made):
    rows = list(dataset.read_rows(made))
    assert len(rows) == 600
    assert list(rows[0]) == dataset.SCHEMA.names
    assert len({row["prompt"] for row in rows}) == 600
    assert len({row["id"] for row in rows}) == 600
    for row in rows:
        info = json.loads(row["info"])
        assert row["completion"] == row["answer"] != ""
        assert 1 <= len(parse(row["answer"])) <= 10
        assert info["sql"] in row["prompt"]
        assert 0 <= info["chance"] <= 1
        assert row["answer_type"].removeprefix("list[").removesuffix("]") in {"number", "date", "text", "row"}
        assert row["difficulty"] > 0


def test_manifest_says_what_is_there(made):
    said = manifest(made)
    assert said["symtune"] == "generate"
    assert said["examples"] == 600
    assert (said["exhausted"], said["stopped"]) == (False, "")
    assert set(said["sha256"]) == set(files(made))
    assert all(sha256(made / name) == digest for name, digest in said["sha256"].items())
    assert "engines disagree" not in said["tasks"][0]["rejects"]
    assert set(said["run"]) >= {"workers", "command", "finished"}
    assert "workers" not in said["arguments"]


def test_the_card_has_statistics_and_plots(made):
    card, said = (made / "README.md").read_text("utf-8"), manifest(made)["tasks"][0]["statistics"]
    assert "![Plots of the figures below](plots-sql_execution.svg)" in card
    assert (made / "plots-sql_execution.svg").read_text("utf-8").startswith("<svg ")
    for name in ("difficulty", "prompt_length", "answer_length", "answer_type", "linearization", "shortcut"):
        assert sum(said[name].values()) == 600, name
    lows = [
        int(low)
        for low in re.findall(r"^\| (\d+) to \d+ \|", card.partition("## Difficulty")[2].partition("##")[0], re.M)
    ]
    assert lows == sorted(lows)
    assert len(lows) > 3
    assert "\nseed: 7\n" in card


def test_every_line_can_be_executed_again(made):
    report = audit(made)
    assert (report.agreed, report.lines, report.duplicates) == (600, 600, 0)


def test_datasets_loads_it(made, tmp_path):
    script = (
        "from datasets import load_dataset\n"
        f"data = load_dataset({str(made)!r})\n"
        f"tables = load_dataset({str(made)!r}, 'tables')\n"
        "print('ROWS', data['train'].num_rows, data['train'].column_names, tables['train'].num_rows > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-800:]
    assert done.stdout.split("ROWS ")[1].strip() == f"600 {dataset.SCHEMA.names} True"


def test_self_contained_lines_hold_their_tables(tmp_path):
    rows = make(tmp_path / "data", n=40, self_contained=True)
    assert not (tmp_path / "data" / "tables").exists()
    assert all(json.loads(row["info"])["tables"][0]["rows"] for row in rows)
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert audit(lines).agreement == 1


def test_the_published_layout(tmp_path):
    ours = make(tmp_path / "data", n=40)
    done = symtune("export", tmp_path / "data", "--to", "input-output", "--out", tmp_path / "published")
    assert done.returncode == 0, done.stderr
    rows = list(dataset.read_rows(tmp_path / "published"))
    assert [list(row) for row in rows] == [["input", "output"]] * 40
    assert [(row["prompt"], row["completion"]) for row in ours] == [(row["input"], row["output"]) for row in rows]
    for arguments, said in (
        (("--to", "input_output"), "Did you mean 'input-output'"),
        (("--to", "input-output"), "exists already"),
    ):
        done = symtune("export", tmp_path / "data", *arguments, "--out", tmp_path / "published")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert said in done.stderr
    done = symtune("export", tmp_path / "published", "--to", "input-output", "--out", tmp_path / "again")
    assert "made by `symtune export`" in done.stderr


def test_difficulty_and_kind_can_be_asked_for(tmp_path):
    rows = make(tmp_path / "data", n=60, options={"difficulty": (6, 9), "query_types": {"count": 1, "filter": 2}})
    assert all(6 <= row["difficulty"] <= 9 for row in rows)
    assert {json.loads(row["info"])["query_type"] for row in rows} <= {"count", "filter", "join"}


def test_constructs_can_be_asked_for_by_name(tmp_path):
    rows = make(tmp_path / "data", n=60, options={"constructs": "COUNT,=,LIKE", "joins": 0})
    assert {name for row in rows for name in json.loads(row["info"])["operators"]} <= {"COUNT", "=", "LIKE"}
    done = symtune("generate", "-n", 5, "--set", "constructs=COUNT,LIK", "--out", tmp_path / "none")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "unknown construct 'LIK'. Did you mean 'LIKE'?" in done.stderr


# ------------------------------------------------------------------------------------------ the same bytes


def test_workers_and_hash_seeds_change_nothing(tmp_path):
    common = ("generate", "-n", 300, "--seed", 3, "--programs", 4)
    runs = {
        "one": symtune(*common, "--out", tmp_path / "one", PYTHONHASHSEED="1"),
        "two": symtune(*common, "--out", tmp_path / "two", "--workers", 2, PYTHONHASHSEED="2"),
    }
    assert all(run.returncode == 0 for run in runs.values()), [run.stderr for run in runs.values()]
    assert files(tmp_path / "one") == files(tmp_path / "two")
    one, two = (manifest(tmp_path / name) for name in runs)
    assert one.pop("run") != two.pop("run")
    assert one == two
    assert len(dataset.shards(tmp_path / "one")) > 1


def test_more_of_the_same_begins_with_the_same(tmp_path):
    """Block by block: requesting more changes how blocks are divided into shards, not what they contain."""
    few, many = make(tmp_path / "few", n=50, seed=5), make(tmp_path / "many", n=200, seed=5)
    assert [row["prompt"] for row in many[:50]] == [row["prompt"] for row in few]


def test_seeds_share_no_prompt(made, tmp_path):
    seven = {row["prompt"] for row in dataset.read_rows(made)}
    eight = {row["prompt"] for row in make(tmp_path / "eight", n=600, seed=8)}
    assert not seven & eight


def test_splits_share_no_table(made, tmp_path):
    make(tmp_path / "validation", n=100, split="validation")
    make(tmp_path / "test", n=100, split="test")
    train, validation, test = (dataset.contents(folder) for folder in (made, *sorted(tmp_path.iterdir(), reverse=True)))
    assert train
    assert validation
    assert test
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_a_small_source_is_exhausted_and_says_so(tmp_path):
    """It stops at the same example on any number of workers; the terminal, the manifest and the card say so."""
    common = (
        "generate", "--tables", small_csv(tmp_path), "-n", 100_000, "--rows", "3:3", "--columns", "2:2",
        "--linearizations", "tapex", "--templates", "plain", "--set", "query_types=lookup=1", "--set", "joins=0",
    )  # fmt: skip
    for workers in (1, 2):
        done = symtune(*common, "--out", tmp_path / f"data{workers}", "--workers", workers)
        assert done.returncode == 0, done.stderr
    said = manifest(tmp_path / "data1")
    found = said["examples"]
    assert 10 < found < 1000
    assert (said["exhausted"], said["stopped"]) == (True, "5,000 duplicates in a row")
    assert said["tasks"][0]["rejects"]["duplicate of another block"] >= 5_000
    told = f"{found:,} found: stopped after 5,000 duplicates in a row"
    assert told in (tmp_path / "data1" / "README.md").read_text("utf-8")
    assert f"asked for 100,000, found {found:,}: stopped after 5,000 duplicates in a row" in done.stdout
    assert files(tmp_path / "data1") == files(tmp_path / "data2")
    assert len({row["prompt"] for row in dataset.read_rows(tmp_path / "data1")}) == found


@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_that_give_nothing_end_with_a_message(workers, tmp_path):
    done = symtune(
        "generate", "--tables", small_csv(tmp_path), "--set", "query_types=dates", "-n", 100_000, "--workers", workers,
        "--out", tmp_path / "data",
    )  # fmt: skip
    assert done.returncode == 2
    assert "1,000 blocks in a row without an example: context: serves no query type" in done.stderr
    assert "change --set query_types" in done.stderr
    assert left_behind(tmp_path) == ["small.csv"]


# ------------------------------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"tables": Path("absent")}, InputError, "no such file or folder"),
        ({"task": "sql_executoin"}, UnknownName, "Did you mean 'sql_execution'"),
        ({"split": "dev"}, InputError, "split: got 'dev', wanted 'train', 'validation' or 'test'"),
        ({"linearizations": ("tapx",)}, UnknownName, "Did you mean 'tapex'"),
        ({"templates": ("plian",)}, UnknownName, "unknown prompt template"),
        ({"options": {"query_types": {"cuont": 1.0}}}, InputError, "Did you mean 'count'"),
        (
            {"options": {"query_typse": "count"}},
            UnknownName,
            "option of task sql_execution.*Did you mean 'query_types'",
        ),
        ({"options": {"add_up.low": 3}}, UnknownName, "unknown task of an option 'add_up'"),
        ({"verify": "duckbd"}, UnknownName, "Did you mean 'duckdb'"),
        ({"n": 0}, InputError, "n: got 0, wanted at least 1"),
        ({"workers": 0}, InputError, "workers: got 0"),
        ({"budget": 8}, InputError, "budget: got 8, wanted at least 32"),
        ({"budget": 40}, InputError, "no example could be generated.*raise --budget"),
        ({"rows": (9, 3)}, InputError, "wanted LOW:HIGH with 1 <= LOW <= HIGH"),
        ({"columns": (0, 1)}, InputError, "wanted LOW:HIGH with 2 <= LOW"),
        ({"max_cell": 0}, InputError, "max_cell: got 0"),
        ({"options": {"difficulty": (3, inf)}}, InputError, "option difficulty.*finite number"),
        ({"options": {"query_types": {"count": nan}}}, InputError, "finite number"),
        ({"options": {"query_types": {"count": 0.0}}}, InputError, "above 0"),
        ({"options": {"joins": 2.0}}, InputError, "option joins: got 2.0, wanted at most 1"),
        ({"options": {"query_types": {}}}, InputError, "above 0"),
        ({"options": {"difficulty": (900, 901)}}, InputError, "no example could be generated"),
        ({"exclude_tables": ("nowhere:test",)}, InputError, "no such file or folder"),
    ],
    ids=str,
)
def test_wrong_arguments(changes, error, said, tmp_path):
    with pytest.raises(error, match=said) as caught:
        generate(config(tmp_path / "data", **{"n": 20, "tables": small_csv(tmp_path), **changes}))
    assert "\n" not in str(caught.value)
    assert left_behind(tmp_path) == ["small.csv"]


def test_wrong_tables(tmp_path):
    empty, two_by_two = tmp_path / "empty", tmp_path / "two.csv"
    empty.mkdir()
    two_by_two.write_text("a,b\n1,2\n3,4\n", "utf-8")
    with pytest.raises(InputError):
        generate(config(tmp_path / "data", tables=empty))
    with pytest.raises(InputError, match=r"no example could be generated|no table of the split"):
        generate(config(tmp_path / "data", tables=two_by_two, n=1_000_000))
    assert left_behind(tmp_path) == ["empty", "two.csv"]


def test_wrong_outputs(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious", "utf-8")
    with pytest.raises(OutputError, match="exists already"):
        generate(config(tmp_path / "full", n=10))
    with pytest.raises(OutputError, match="not a symtune output"):
        generate(config(tmp_path / "full", n=10, overwrite=True))
    with pytest.raises(OutputError, match="is not a folder"):
        generate(config(tmp_path / "full" / "mine.txt" / "data", n=10))
    assert left_behind(tmp_path / "full") == ["mine.txt"]
    first = make(tmp_path / "data", n=20, seed=1)
    assert first != make(tmp_path / "data", n=20, seed=2, overwrite=True)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission"):
        generate(config(tmp_path / "data", n=10))


@pytest.mark.parametrize("text", ["nan:nan", "5:", ":5", "2.5:7", "inf:inf", "a:b", ""])
def test_ranges_are_whole_numbers(text, tmp_path):
    done = symtune("generate", "--rows", text, "--out", tmp_path / "data")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "wanted whole numbers, LOW:HIGH" in done.stderr


def test_the_command_line_says_it_in_one_line(tmp_path):
    done = symtune("generate", "--tables", tmp_path / "absent", "--out", tmp_path / "data")
    assert done.returncode == 2
    assert done.stderr.startswith("symtune: ")
    assert done.stderr.count("\n") == 1
    assert left_behind(tmp_path) == []


# ------------------------------------------------------------------------------------------ failures half-way


MINE = (OWN / "sort_words.py").read_text("utf-8")
FAILS = MINE.replace(
    "        chosen = rng.sample",
    "        if rng.random() < 0.002:\n            HOW\n        chosen = rng.sample",
)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bug_half_way_leaves_nothing(workers, tmp_path):
    task = tmp_path / "task.py"
    task.write_text(FAILS.replace("HOW", "raise RuntimeError('a bug')"), "utf-8")
    done = symtune("generate", "--task", task, "-n", 5000, "--out", tmp_path / "data", "--workers", workers)
    assert done.returncode not in (0, 2)
    assert "a bug" in done.stderr
    assert left_behind(tmp_path) == ["task.py"]


def test_an_interruption_is_told_and_leaves_nothing(tmp_path):
    task = tmp_path / "task.py"
    task.write_text(FAILS.replace("HOW", "raise KeyboardInterrupt"), "utf-8")
    done = symtune("generate", "--task", task, "-n", 5000, "--out", tmp_path / "data")
    assert (done.returncode, done.stderr.count("\n")) == (130, 1)
    assert "symtune: interrupted; nothing half-written was kept" in done.stderr
    assert left_behind(tmp_path) == ["task.py"]


def test_a_worker_that_dies_leaves_nothing(tmp_path):
    task = tmp_path / "task.py"
    task.write_text("import os\n" + FAILS.replace("HOW", "os._exit(9)"), "utf-8")
    done = symtune("generate", "--task", task, "-n", 5000, "--out", tmp_path / "data", "--workers", 2)
    assert done.returncode == 2
    assert "a worker process died" in done.stderr
    assert left_behind(tmp_path) == ["task.py"]


# ------------------------------------------------------------------------------------------ a task of one's own


def test_a_task_of_ones_own_goes_all_the_way(tmp_path):
    """Without tables: none is loaded or mentioned, and the fields determine the split."""
    task = OWN / "add_up.py"
    for split in ("train", "test"):
        out = tmp_path / split
        done = symtune("generate", "--task", task, "-n", 100, "--split", split, "--out", out)
        assert done.returncode == 0, done.stderr
        assert "table" not in done.stdout
        rows, said = list(dataset.read_rows(out)), manifest(out)
        assert len(rows) == 100
        assert {(row["task"], row["linearization"], row["table_id"]) for row in rows} == {("add_up", "", "")}
        assert {row["prompt_template"] for row in rows} == {"add_up/plain", "add_up/ask"}
        assert not (out / "tables").exists()
        assert "tables" not in said
        assert (said["tasks"][0]["rejects"], said["tasks"][0]["other_splits"] > 0) == ({}, True)
        card = (out / "README.md").read_text("utf-8")
        assert not re.search("table|SQL|column|program[^s]", card)
        assert "further draws belong to other splits" in card
    assert not {row["prompt"] for row in dataset.read_rows(tmp_path / "train")} & {
        row["prompt"] for row in dataset.read_rows(out)
    }
    done = symtune("audit", out, "--task", task)
    assert done.returncode == 0, done.stdout
    assert "100 of 100 lines agree" in done.stdout
    done = symtune("audit", out)
    assert done.returncode == 1
    assert "--task FILE" in done.stdout
    done = symtune("show", out, "-n", 1, "--task", task)
    assert "numbers: [" in done.stdout


def test_options_are_typed_and_told(tmp_path):
    task = OWN / "sort_words.py"
    done = symtune("generate", "--task", task, "-n", 50, "--set", "words=2:3", "--out", tmp_path / "data")
    assert done.returncode == 0, done.stderr
    assert {len(row["answer"].split(" | ")) for row in dataset.read_rows(tmp_path / "data")} == {2, 3}
    assert manifest(tmp_path / "data")["tasks"][0]["options"] == {"words": [2, 3]}
    for option, said in (
        ("wrods=2:3", "Did you mean 'words'"),
        ("words=two", "option words: got 'two', wanted whole numbers, LOW:HIGH"),
        ("words", "wanted NAME=VALUE"),
    ):
        done = symtune("generate", "--task", task, "--set", option, "--out", tmp_path / "other")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert said in done.stderr
    assert "Words to sort, LOW:HIGH." in symtune("tasks", "show", task).stdout
    shown = " ".join(re.sub("[│┃]", " ", symtune("tasks", "show", "sql_execution").stdout).split())
    assert all(name in shown for name in ("query_types", "lookup by name", "difficulty", "joins", "sql_templates"))


@pytest.mark.parametrize(
    "flags",
    [
        ("--rows", "3:5"), ("--tables", "."), ("--layout", "csv"), ("--exclude-tables", "x"), ("--columns", "2:3"),
        ("--max-cell", 9), ("--linearizations", "csv"), ("--self-contained",), ("--verify", "duckdb"),
    ],
    ids=lambda flags: flags[0],
)  # fmt: skip
def test_flags_that_a_task_has_no_use_for_are_refused(flags, tmp_path):
    done = symtune("generate", "--task", OWN / "add_up.py", *flags, "--out", tmp_path / "data")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert flags[0] in done.stderr
    assert "leave it out" in done.stderr
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_several_tasks_in_one_folder(workers, tmp_path):
    """Equal shares, with a separate stream for each task: the same examples that it has alone."""
    task, out = OWN / "add_up.py", tmp_path / "both"
    done = symtune(
        "generate", "--task", "sql_execution", "--task", task, "-n", 101, "--seed", 5, "--workers", workers,
        "--set", "joins=0", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows, said = list(dataset.read_rows(out)), manifest(out)
    assert [(found["name"], found["examples"]) for found in said["tasks"]] == [("sql_execution", 51), ("add_up", 50)]
    assert said["examples"] == len(rows) == 101
    alone = [
        *make(tmp_path / "sql", n=51, seed=5, options={"joins": 0}),
        *make(tmp_path / "sums", n=50, seed=5, task=str(task)),
    ]
    assert rows == alone
    card = (out / "README.md").read_text("utf-8")
    assert "## sql_execution: 51 examples" in card
    assert "## add_up: 50 examples" in card
    assert (out / "plots-add_up.svg").is_file()
    assert audit(out, tasks=[str(task)]).agreement == 1
    report = audit(out, engine="duckdb", tasks=[str(task)])
    assert (report.agreed, report.unasked) == (101, 50)
    with pytest.raises(UnknownName, match="Did you mean 'duckdb'"):
        audit(out, engine="duckbd")
    with pytest.raises(InputError, match="given twice"):
        make(tmp_path / "twice", task=["sql_execution", "sql_execution"])
