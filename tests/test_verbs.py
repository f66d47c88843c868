"""The command line of generate, mix, report and run: what they print, and one line for every user error."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import run_folder
from symtune.cli import main

MIXTURE = 'sources: [{name: "g [red]", path: "bundled:gsm8k", cap: 5, rate: 1}]\nsize: 9\n'


@pytest.fixture
def symtune(monkeypatch, capsys, tmp_path):
    """Run the command line in an empty folder; gives (exit status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["symtune", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code or 0, told.out, told.err

    return call


def test_mix_prints_shares_and_shortages(symtune, tmp_path):
    (tmp_path / "m.yaml").write_text(MIXTURE)
    status, out, _ = symtune("mix", "m.yaml", "--out", "mix")
    assert status == 0
    assert "g [red]" in out
    assert "5 of 9 wanted records (its cap)" in out


def test_report_prints_the_path(symtune, tmp_path):
    run_folder.write(tmp_path / "run")
    assert symtune("report", "run")[:2] == (0, "run/report.html\n")
    assert symtune("report", "run", "--out", "page.html")[:2] == (0, "page.html\n")
    status, _, err = symtune("report", "run", "--out", "page.html")
    assert status == 2
    assert "--overwrite" in err


WRONG = [
    (("mix", "absent.yaml", "--out", "o"), "absent.yaml: no such file"),
    (("mix", ".", "--out", "o"), "cannot be read"),
    (("mix", "broken.yaml", "--out", "o"), "broken.yaml:1: not YAML"),
    (("mix", "binary.yaml", "--out", "o"), "not UTF-8"),
    (("mix", "m.yaml", "--out", "m.yaml"), "m.yaml exists already"),
    (("mix", "m.yaml", "--out", "m.yaml/below"), "is not a folder"),
    (("mix", "m.yaml", "--out", "full"), "full exists already"),
    (("mix", "m.yaml", "--out", "full", "--overwrite"), "not a symtune output"),
    (("report", "absent"), "absent: no recipe.yaml here"),
    (("report", "full"), "full: no recipe.yaml here"),
    (("run", "absent.yaml"), "absent.yaml: no such file"),
    (("run", "broken.yaml"), "broken.yaml:1: not YAML"),
    (("run", "m.yaml"), "m.yaml: "),
    (("run", "r.yaml", "--control", "ful"), "Did you mean 'full'?"),
    (("run", "r.yaml", "--out", "full"), "full is not a run folder"),
    (("run", "r.yaml", "--out", "m.yaml"), "m.yaml is a file"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=[" ".join(arguments) for arguments, _ in WRONG])
def test_a_fault_of_the_users_is_one_line_and_status_2(symtune, tmp_path, arguments, message):
    (tmp_path / "m.yaml").write_text(MIXTURE)
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    recipe = 'name: r\nmodel: {architecture: t5}\ngenerate: {n: 8}\nmix: {sources: [{name: s, path: "run:data"}]}\n'
    (tmp_path / "r.yaml").write_text(recipe)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    status, _, err = symtune(*arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission(symtune, tmp_path):
    (tmp_path / "m.yaml").write_text(MIXTURE)
    (tmp_path / "closed").mkdir(mode=0o500)
    status, _, err = symtune("mix", "m.yaml", "--out", "closed/mix")
    assert status == 2
    assert "no permission" in err


@pytest.mark.parametrize("verb", ["train", "run"])
def test_without_torch_the_extra_is_named(symtune, tmp_path, monkeypatch, verb):
    for name in [name for name in sys.modules if name.split(".")[:2] in (["symtune", "models"], ["torch"])]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    recipe = Path(__file__).parents[1] / "recipes" / "tiny-t5.yaml"
    arguments = {"train": ("train", "--model", "m", "--data", "d", "--out", "o"), "run": ("run", recipe)}[verb]
    status, _, err = symtune(*arguments)
    assert status == 2
    assert "pip install 'symtune[train]'" in err
    assert not list(tmp_path.iterdir())


def test_generate_tells_what_it_could_not_read(symtune, tmp_path):
    (tmp_path / "tables").mkdir()
    for number in range(4):
        rows = "".join(f"x{row},{row * number}\n" for row in range(12))
        (tmp_path / f"tables/{number}.csv").write_text(f"name,n{number}\n{rows}", "utf-8")
    (tmp_path / "tables/ragged.csv").write_text("a,b\n1\n", "utf-8")
    status, out, _ = symtune("generate", "--tables", "tables", "-n", 8, "--out", "out")
    assert status == 0
    assert "4 tables (csv) left out: 1 × ragged row (first: ragged.csv:2)" in " ".join(out.split())
