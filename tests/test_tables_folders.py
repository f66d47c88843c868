"""What is passed over in a folder, and what loading reports on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symtune.tables import load_tables
from symtune.types import InputError

OURS, HIDDEN = "written by symtune: passed over", "hidden file or folder: passed over"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_what_symtune_wrote_is_passed_over_and_said(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "a.csv", "n\n1\n")
    before = load_tables(tmp_path)
    for name, manifest in (
        ("data/train", {"symtune": "generate"}), ("mine/runs/model", {"arguments": {}, "symtune": "train"}),
    ):  # fmt: skip
        write(tmp_path / name / "manifest.json", json.dumps(manifest))
        write(tmp_path / name / "data" / "shard.jsonl", '{"id": "x", "prompt": "p"}\n')
        write(tmp_path / name / "more.csv", "x\n1\n")
    write(tmp_path / "data" / ".test.partial-123" / "data" / "shard.csv", "x\n1\n")
    write(tmp_path / ".model.working" / "log.csv", "x\n1\n")
    write(tmp_path / ".git" / "x.csv", "x\n1\n")
    write(tmp_path / "~$book.xlsx", "lock")
    loaded = load_tables(tmp_path)
    assert (loaded.tables, loaded.sha256, loaded.dropped) == (before.tables, before.sha256, {})
    assert loaded.passed_over == {OURS: 4, HIDDEN: 2}
    assert loaded.first == {HIDDEN: ".git", OURS: ".model.working"}
    assert before.passed_over == before.first == {}


@pytest.mark.parametrize("manifest", ["{", "[]", '{"name": "an app"}', '"symtune"'])
def test_other_manifests_are_no_ones_of_symtune(tmp_path: Path, manifest: str) -> None:
    write(tmp_path / "app" / "manifest.json", manifest)
    write(tmp_path / "app" / "a.csv", "n\n1\n")
    assert len(load_tables(tmp_path).tables) == 1
    assert len(load_tables(tmp_path / "app").tables) == 1


def test_an_output_of_symtune_is_no_source_of_tables(tmp_path: Path) -> None:
    write(tmp_path / "out" / "manifest.json", '{"symtune": "generate"}')
    write(tmp_path / "out" / "data" / "a.csv", "n\n1\n")
    for path in (tmp_path / "out", tmp_path / "out" / "data"):
        with pytest.raises(InputError, match=r"out was written by symtune; name a file or folder of your own tables"):
            load_tables(path)
    with pytest.raises(InputError, match="no tables that symtune can read; 1 written by symtune: passed over; wanted"):
        load_tables(tmp_path)
    assert len(load_tables(tmp_path / "out" / "data" / "a.csv").tables) == 1


def test_each_kind_is_counted_with_its_first_place(tmp_path: Path) -> None:
    for name in ("b.csv", "sub/a.csv"):
        write(tmp_path / name, "A title\n\nx,x,n\n1,2,3\n4,5\n6,7,8\n")
    write(tmp_path / "bad.csv", "a,b\n1,2,3\n1,2,3,4\n")
    write(tmp_path / "none.csv", "a,b\n")
    loaded = load_tables(tmp_path)
    above, short = "line above the header: left out", "row shorter than the header: filled up with empty cells"
    numbered = "repeated header: numbered"
    assert loaded.repaired == {above: 2, numbered: 2, short: 2}
    assert loaded.dropped == {"no rows": 1, "ragged row": 1}
    assert loaded.first == {
        above: "b.csv", numbered: "b.csv", short: "b.csv", "no rows": "none.csv", "ragged row": "bad.csv:2",
    }  # fmt: skip
