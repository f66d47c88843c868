"""The package in Python: names found by Tab and imported on use, and a page whose examples run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SURFACE = (
    "generate",
    "load",
    "mix",
    "train",
    "select_prompt",
    "evaluate",
    "compare",
    "score",
    "report",
    "tasks",
    "benchmarks",
)


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_name_is_found_and_survives_the_import_of_every_module(tmp_path):
    """A submodule with the same name would replace a function when it is imported."""
    script = f"""
import importlib, pkgutil, sys, symtune
assert not [name for name in ("pyarrow", "torch", "pydantic") if name in sys.modules]
assert set({SURFACE!r}) <= set(dir(symtune)), dir(symtune)
for found in pkgutil.walk_packages(symtune.__path__, "symtune."):
    importlib.import_module(found.name)
for name in {SURFACE[:-2]!r}:
    assert callable(getattr(symtune, name)), name
    assert getattr(symtune, name).__module__ == "symtune.api", name
assert symtune.tasks.find("sql_execution").name == "sql_execution"
assert "held_out" in symtune.benchmarks.names()
try:
    symtune.genrate
except AttributeError as error:
    assert "genrate" in str(error)
"""
    done = python(script, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_page_runs(tmp_path):
    pytest.importorskip("torch")
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    assert len(blocks) >= 7
    done = python("\n".join(blocks), tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Did you mean 'joins'?" in done.stdout


def test_the_types_are_shipped():
    import symtune

    assert (Path(symtune.__file__).parent / "py.typed").is_file()


def test_the_version_and_completion():
    done = python("from symtune.cli import main; import sys; sys.argv[1:] = ['--version']; main()", ROOT)
    assert (done.returncode, done.stdout) == (0, f"symtune {__import__('symtune').__version__}\n")
    done = python("from symtune.cli import main; import sys; sys.argv[1:] = ['--help']; main()", ROOT)
    assert "--install-completion" in done.stdout
