"""`symtune show`: table, program, answer and prompt, whatever anyone wrote into them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from symtune import dataset
from symtune.cli import harmless
from symtune.tables.sources import default
from symtune.types import Table
from test_generate import symtune

CELLS = ("\x1b[31mred\x1b[0m", "[bold]b[/bold]", "東京タワー", "x" * 200, "\u202eabc", "[/]", "\x9b31mC1", "a | b")
TABLE = Table("t", ("name\x1b[2J", "[red]n[/]"), ("text", "text"), tuple(zip(CELLS[::2], CELLS[1::2], strict=True)))
SQL = 'SELECT "[red]n[/]" FROM w WHERE "name\x1b[2J" = \'\x1b[31mred\x1b[0m\''
PARTS = (
    "1 of 2", "table w", r"\x1b[31mred\x1b[0m", "[bold]b[/bold]", "東京タワー", r"\u202eabc", "program", "SELECT",
    "query type lookup, difficulty 3", "answer", "prompt", "What is this?", "template mine",
)  # fmt: skip


def write(folder: Path, *, sql: str = SQL, count: int = 3) -> Path:
    """A data set folder as another program might have made it."""
    for name in ("data", "tables"):
        (folder / name).mkdir(parents=True)
    rows = [
        {
            "id": f"line {i}", "task": "sql_execution", "prompt": f"What is this?\n{TABLE.rows[0][0]}\n{sql}",
            "completion": "[bold]b[/bold]", "answer": "[bold]b[/bold]", "answer_type": "text", "table_id": "t",
            "prompt_template": "mine", "linearization": "tapex", "difficulty": 3.0,
            "info": json.dumps({"sql": sql, "tables": ["t"], "query_type": ("lookup", "count")[i % 2]}),
        }
        for i in range(count)
    ]  # fmt: skip
    name = "train-00000-of-00001.parquet"
    dataset.write_rows(folder / "data" / name, rows, dataset.SCHEMA)
    dataset.write_rows(folder / "tables" / name, [dataset.table_row(TABLE, "")], dataset.TABLES_SCHEMA)
    return folder


@pytest.mark.parametrize("columns", ["80", "140"])
def test_all_parts_are_shown_and_nothing_steers_the_terminal(tmp_path, columns):
    done = symtune("show", write(tmp_path / "data"), "-n", 2, COLUMNS=columns, FORCE_COLOR="1")
    assert done.returncode == 0, done.stderr
    plain = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)
    assert all(len(line) <= int(columns) for line in plain.splitlines())
    for part in PARTS:
        assert part in plain, part


def test_the_prompt_can_be_left_out_and_a_kind_asked_for(tmp_path):
    data = write(tmp_path / "data")
    done = symtune("show", data, "--no-prompts", "--query-type", "count")
    assert "1 of 1   line 1" in done.stdout
    assert "What is this?" not in done.stdout
    done = symtune("show", data, "--query-type", "cuont")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Did you mean 'count'?" in done.stderr


def test_the_seed_chooses(tmp_path):
    data = write(tmp_path / "data", count=60)
    shown = {seed: symtune("show", data, "-n", 3, "--seed", seed, "--no-prompts").stdout for seed in (5, 6)}
    assert symtune("show", data, "-n", 3, "--seed", 5, "--no-prompts").stdout == shown[5] != shown[6]
    assert shown[5].count("of 3   line ") == 3


def test_a_hostile_program_is_shown_as_it_is(tmp_path):
    sql = "SELECT " + "struct(" * 200 + "1" + ")" * 200
    done = symtune("show", write(tmp_path / "data", sql=sql), "-n", 1)
    assert done.returncode == 0, done.stderr
    assert "struct(struct(" in done.stdout


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def cut(folder: Path) -> None:
    path = next((folder / "data").iterdir())
    path.write_bytes(path.read_bytes()[:300])


def without_tables(folder: Path) -> None:
    shutil.rmtree(folder / "tables")


BROKEN = [
    (empty, "wanted the output of `symtune generate`"),
    (shutil.rmtree, "no such file or folder"),
    (cut, "not a readable parquet file"),
    (without_tables, "row 1: table 't' is not in tables/"),
]


@pytest.mark.parametrize(("spoil", "told"), BROKEN)
def test_a_broken_folder_is_told_in_one_line(tmp_path, spoil, told):
    data = write(tmp_path / "data")
    spoil(data)
    done = symtune("show", data)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


def test_no_examples(tmp_path):
    done = symtune("show", write(tmp_path / "data", count=0))
    assert (done.returncode, done.stderr) == (2, f"symtune: {tmp_path / 'data'}: no examples in it\n")


# ------------------------------------------------------------------------------------------------- tables

HOSTILE = "year,[red]name[/],area (km²),\x1b[31mred\n1999,Ada\x1b[2J,5 km²,[bold]b[/bold]\n2001,\u202eabc,7 km²,[/]\n"


@pytest.mark.parametrize("columns", ["80", "140"])
def test_tables_are_shown_with_the_roles_of_their_columns(tmp_path, columns):
    path = tmp_path / "mine.csv"
    path.write_text(HOSTILE, "utf-8")
    done = symtune("show", "--tables", path, COLUMNS=columns, FORCE_COLOR="1")
    assert done.returncode == 0, done.stderr
    plain = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)
    assert all(len(line) <= max(int(columns), 20 + len(str(path))) for line in plain.splitlines())
    rows = [[part.strip() for part in line.split("│")[1:-1]] for line in plain.splitlines() if "│" in line]
    assert rows == [
        ["column", "type", "role", "cells"],
        ["year", "number", "year", "1999 | 2001"],
        ["[red]name[/]", "text", "name", r"Ada\x1b[2J | \u202eabc"],
        ["area (km²)", "number", "quantity (km²)", "5 km² | 7 km²"],
        [r"\x1b[31mred", "text", "name", "[bold]b[/bold] | [/]"],
    ]
    assert "1 of 1   mine" in plain
    assert "2 rows, 4 columns" in plain
    assert "1 table in " in plain


def test_some_of_many_tables_are_shown_by_the_seed(tmp_path):
    for number in range(12):
        (tmp_path / f"t{number:02}.csv").write_text(f"a,b\nx,{number}\ny,2\n", "utf-8")
    (tmp_path / "empty.csv").write_text("a,b\n", "utf-8")
    shown = {seed: symtune("show", "--tables", tmp_path, "-n", 3, "--seed", seed).stdout for seed in (1, 2)}
    assert symtune("show", "--tables", tmp_path, "-n", 3, "--seed", 1).stdout == shown[1] != shown[2]
    assert [len(re.findall(r"of 3   t\d\d", text)) for text in shown.values()] == [3, 3]
    assert "12 tables in " in shown[1]
    assert "left out: 1 × no rows (first: empty.csv)" in shown[1]
    train = symtune("show", "--tables", tmp_path, "-n", 12, "--split", "train").stdout
    assert 0 < len(re.findall(r"of \d+   t\d\d", train)) <= 12


def test_the_encoding_of_tables_can_be_said(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_bytes("имя,n\nАня,1\nОля,2\n".encode("cp1251"))
    assert "Аня | Оля" in symtune("show", "--tables", path, "--encoding", "cp1251").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "got neither; name a data set folder"),
        (("data", "--tables", "x.csv"), "got both; name a data set folder"),
        (("--tables", "x.csv", "--query-type", "count"), "--query-type is for examples; leave it out"),
        (("--tables", "x.csv", "--no-prompts"), "--prompts is for examples; leave it out"),
        (("data", "--split", "train"), "--split is for tables; leave it out"),
        (("--tables", "x.csv"), "no such file or folder"),
        (("--tables", str(Path(__file__)), "--layout", "csvv"), "Did you mean 'csv'?"),
        (("--tables", default.PATH, "--split", "tset"), "unknown split 'tset'. Did you mean 'test'?"),
    ],
)
def test_wrong_uses_are_told_in_one_line(arguments, told):
    done = symtune("show", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [("é 東\t\n", "é 東\\t\\n"), ("\x1b]0;x\x07", "\\x1b]0;x\\x07"), ("\u2066\ud800", "\\u2066\\ud800")],
)
def test_harmless(text, shown):
    assert harmless(text) == shown
    assert harmless("a\tb\n", keep="\t\n") == "a\tb\n"
