"""Audit finds lines that do not agree, in our own data and in data from elsewhere."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from symtune import dataset
from symtune.audit import audit
from symtune.cli import main
from symtune.files import read_parquet
from symtune.generation import GenerateConfig, generate
from symtune.types import InputError, Table, UnknownName
from test_executors import HOSTILE
from test_generate import symtune

TABLE = {
    "id": "x",
    "header": ["name", "age"],
    "types": ["text", "number"],
    "rows": [["Ana", "31"], ["Bo", "25"], ["Cid", "25"]],
}
GOOD = {"answer": "Ana", "info": {"sql": "SELECT name FROM w WHERE age > 30", "tables": [TABLE]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "data"
    generate(GenerateConfig(out=folder, n=200, seed=1))
    return folder


@pytest.fixture
def lines(tmp_path):
    """Write lines to a jsonl file and audit it."""

    def write(*rows: object, **options):
        path = tmp_path / "lines.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return audit(path, **options)

    return write


def changed(**info) -> dict:
    return {**GOOD, "info": {**GOOD["info"], **info}}


def test_our_own_data_holds(made):
    report = audit(made)
    assert (report.lines, report.agreed, report.agreement, report.duplicates) == (200, 200, 1.0, 0)
    assert not report.failures


def test_duckdb_confirms_it(made):
    pytest.importorskip("duckdb")
    assert audit(made, engine="duckdb").agreement == 1


def test_a_foreign_line_needs_only_its_fields(lines):
    report = lines(GOOD, {**GOOD, "info": json.dumps(GOOD["info"])}, {**GOOD, "prompt": "p"}, {**GOOD, "prompt": "p"})
    assert (report.agreed, report.lines, report.duplicates) == (4, 4, 1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**GOOD, "answer": "Bo"}, "answer differs"),
        ({**GOOD, "answer": "ana"}, "answer differs"),
        ({**GOOD, "completion": "Ana "}, "completion differs"),
        ({"answer": "Ana"}, "unreadable fields"),
        ({**GOOD, "answer": 5}, "no field"),
        ({**GOOD, "info": None}, "unreadable fields"),
        ({**GOOD, "info": "{"}, "unreadable fields"),
        ({**GOOD, "info": "[]"}, "unreadable fields"),
        ({**GOOD, "info": "{}"}, "unreadable fields"),
        ({**GOOD, "task": "sql_executoin"}, "unknown task"),
        ({**GOOD, "task": "../../evil.py"}, "unknown task"),
        (changed(sql=5), "unreadable fields"),
        (changed(sql=["SELECT 1"]), "unreadable fields"),
        (changed(sql="SELECT name FROM w WHERE age = 99"), "empty"),
        (changed(sql="SELECT name FROM w ORDER BY age LIMIT 1"), "tie"),
        (changed(sql="SELECT nmae FROM w"), "unknown column"),
        (changed(tables=[]), "unreadable fields"),
        (changed(tables=["x"]), "unreadable fields"),
        (changed(tables=[5]), "unreadable fields"),
        (changed(tables=[[1]]), "unreadable fields"),
        (changed(tables=[{**TABLE, "rows": [["Ana"]]}]), "unreadable fields"),
        (changed(tables=[{**TABLE, "types": ["text", "money"]}]), "unreadable fields"),
        (changed(tables=[{**TABLE, "header": ["name", "name"]}]), "table cannot be loaded"),
        (changed(tables=[{**TABLE, "header": ["name", "NAME"]}]), "table cannot be loaded"),
        (changed(tables=[{**TABLE, "rows": [["\ud800", "31"]]}]), "table cannot be loaded"),
        (changed(tables=[TABLE, TABLE]), "table cannot be loaded"),
        (changed(tables=[{**TABLE, "header": [], "types": [], "rows": []}]), "table cannot be loaded"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:80],
)
def test_what_does_not_hold_is_found(row, reason, lines):
    report = lines(GOOD, row, GOOD)  # and the lines beside it are none the worse
    assert (report.lines, report.agreed) == (3, 2)
    assert dict(report.failures) == {reason: 1}
    ((where, _, detail),) = report.first
    assert where.endswith("lines.jsonl:2")
    assert detail


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_programs_are_lines_that_do_not_hold(name, lines, tmp_path):
    sql = HOSTILE[name].replace("{folder}", str(tmp_path / "folder"))
    report = lines(changed(sql=sql), GOOD)
    assert report.lines - report.agreed == 1
    assert not (tmp_path / "folder").exists()


def tampered(made: Path, folder: Path, change) -> Path:
    """A copy of a data set with the first row changed, or its tables."""
    for kind, schema in (("data", dataset.SCHEMA), ("tables", dataset.TABLES_SCHEMA)):
        for path in sorted((made / kind).glob("*.parquet")):
            rows = list(read_parquet(path))
            change(kind, rows)
            (folder / kind).mkdir(parents=True, exist_ok=True)
            dataset.write_rows(folder / kind / path.name, rows, schema)
            if kind == "data":
                change = lambda kind, rows: None  # noqa: E731 - one row only
    return folder


def test_a_tampered_answer_is_found(made, tmp_path):
    def change(kind, rows):
        rows[0]["answer"] = rows[0]["completion"] = rows[0]["answer"] + "1"

    report = audit(tampered(made, tmp_path / "data", change))
    assert (report.lines, report.agreed) == (200, 199)
    assert report.failures["answer differs"] == 1
    done = symtune("audit", tmp_path / "data")
    assert done.returncode == 1
    assert "199 of 200 lines agree" in done.stdout
    assert "answer differs" in done.stdout


def test_a_prompt_that_was_cut_or_emptied_is_found(made, tmp_path):
    for name, spoil in (("cut", lambda text: text[: len(text) // 2]), ("empty", lambda text: "")):

        def change(kind, rows, spoil=spoil):
            if kind == "data":
                rows[0]["prompt"] = spoil(rows[0]["prompt"])

        report = audit(tampered(made, tmp_path / name, change))
        assert (report.agreed, dict(report.failures)) == (199, {"prompt differs": 1})
        assert "stored" in report.first[0][2]


def test_prompts_of_unknown_making_are_said(made, tmp_path, lines):
    def change(kind, rows):
        if kind == "data":
            rows[0]["prompt_template"], rows[1]["linearization"] = "mine", "morse"

    report = audit(tampered(made, tmp_path / "data", change))
    assert (report.agreed, report.unrendered) == (200, 2)
    assert "2 prompts were not checked" in symtune("audit", tmp_path / "data").stdout
    assert lines(GOOD).unrendered == 1


def test_the_order_of_an_unordered_answer_means_nothing(lines):
    both = {"sql": "SELECT name FROM w WHERE age = 25", "tables": [TABLE]}
    sorted_ = {"sql": "SELECT name FROM w WHERE age = 25 ORDER BY name", "tables": [TABLE]}
    assert lines({"answer": "Bo | Cid", "info": both}, {"answer": "Cid | Bo", "info": both}).agreed == 2
    assert lines({"answer": "Bo | Cid", "info": sorted_}, {"answer": "Cid | Bo", "info": sorted_}).agreed == 1
    assert (
        lines(
            {"answer": "Bo | Bo", "info": both}, {"answer": "Bo", "info": both}, {"answer": "Bo |Cid", "info": both}
        ).agreed
        == 0
    )


def test_a_tampered_program_is_found(made, tmp_path):
    def change(kind, rows):
        info = json.loads(rows[0]["info"])
        rows[0]["info"] = json.dumps({**info, "sql": "SELECT COUNT(*) FROM w WHERE 1 = 2"})

    assert audit(tampered(made, tmp_path / "data", change)).agreed == 199


def test_a_tampered_table_is_found(made, tmp_path):
    folder = tampered(made, tmp_path / "data", lambda kind, rows: None)
    for path in (folder / "tables").glob("*.parquet"):
        rows = list(read_parquet(path))
        for row in rows:
            table = json.loads(row["table"])
            table["rows"] = [["7" for _ in cells] for cells in table["rows"]]
            row["table"] = json.dumps(table)
        dataset.write_rows(path, rows, dataset.TABLES_SCHEMA)
    assert audit(folder).agreement < 0.5


def test_the_command_line_says_when_all_is_well(made):
    done = symtune("audit", made)
    assert done.returncode == 0
    assert "200 of 200 lines agree (100.00%); 0 duplicate prompts" in done.stdout


def test_data_never_chooses_what_code_runs(lines, tmp_path):
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", "utf-8")
    assert lines({**GOOD, "task": str(evil)}).failures == {"unknown task": 1}
    assert not (tmp_path / "ran").exists()


def test_duckdb_is_heard(made, monkeypatch):
    pytest.importorskip("duckdb")
    from symtune.sql.language.second_opinion import SecondOpinion

    monkeypatch.setattr(SecondOpinion, "disagreements", lambda self, tables, queries: {0: "DuckDB: []"})
    report = audit(made, engine="duckdb")
    assert 0 < report.agreed < 200
    assert report.failures == {"duckdb disagrees": 200 - report.agreed}


def test_wrong_input(tmp_path, lines):
    with pytest.raises(InputError, match="no such file or folder"):
        audit(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="symtune generate"):
        audit(tmp_path / "empty")
    for name, content, said in (
        ("x.jsonl", b"", "it has no lines"),
        ("x.jsonl", b'{"answer": \n', r"x\.jsonl:1: not JSON"),
        ("x.jsonl", b"[1]\n", "got a JSON number, wanted an example"),
        ("x.jsonl", b"[" * 100_000, r"x\.jsonl: record 1: not JSON"),
        ("x.jsonl", b'{"prompt": "' + b"x" * 17_000_000, r"x\.jsonl:1: a line of more than 16,777,216 bytes"),
        ("x.jsonl", b"\xff\xfe\n", r"x\.jsonl: not utf-16"),
        ("x.parquet", b"not parquet", "not a readable parquet file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said):
            audit(tmp_path / name)
    with pytest.raises(UnknownName, match="Did you mean 'duckdb'"):
        lines(GOOD, engine="duckbd")


@pytest.fixture
def command(monkeypatch, capsys):
    """The verb, run in this process: (status, stdout, stderr)."""

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["symtune", "audit", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code or 0, *capsys.readouterr()

    return run


def test_near_duplicates_are_counted(made, command):
    pytest.importorskip("rensa")
    status, out, _ = command(made, "--near-duplicates")
    assert status == 0
    assert re.search(r"\d+ of 200 lines are near duplicates \(MinHash .*, similarity 0.9 or more\)\n", out)


def test_the_extra_of_near_duplicates_is_asked_for_first(made, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "rensa", None)  # as if it were not installed
    said = (2, "", "symtune: finding near duplicates needs rensa: pip install 'symtune[dedup]'\n")
    assert command(made, "--near-duplicates") == said


def test_data_does_not_steer_the_terminal(tmp_path, command):
    table = Table("t", ("a",), ("text",), (("x",), ("y",))).to_json()
    info = {"sql": 'SELECT "\x1b[31mred" FROM w', "tables": [table]}
    line = {"id": "\x1b]0;owned\x07\x1b[2J", "answer": "x", "info": info}
    (tmp_path / "lines.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    status, out, _ = command(tmp_path / "lines.jsonl")
    assert status == 1
    assert "\\x1b]0;owned" in out
    assert not set(out) & {"\x1b", "\x07"}
