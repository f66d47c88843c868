"""The package as people install it: wheel and sdist are built, the core installs and generates without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: object, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.mark.xdist_group("package")
def test_the_wheel_holds_the_data_of_the_package(built):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "py.typed",
        "prompts/sql_execution.yaml",
        "instructions/gsm8k.jsonl.gz",
        "reporting/templates/page.html",
    ):
        assert f"symtune/{name}" in names
    assert any(name.startswith("symtune/tables/default/") for name in names)
    assert not [name for name in names if name.startswith("tests/")]
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        inside = {name.partition("/")[2] for name in packed.getnames()}
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "docs/python.md", "recipes/quickstart.yaml"):
        assert name in inside


@pytest.mark.xdist_group("package")
def test_the_core_generates_without_torch(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=tmp_path)
    symtune = tmp_path / "venv" / "bin" / "symtune"
    assert "verified examples" in run(symtune, "generate", "-n", 60, "--out", "data", cwd=tmp_path)
    assert "60 of 60 lines agree" in run(symtune, "audit", "data", cwd=tmp_path)
    listed = run(python, "-m", "pip", "list", "--format", "freeze", cwd=tmp_path)
    assert "torch" not in listed
    assert "pandas" not in listed
