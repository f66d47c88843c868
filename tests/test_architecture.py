"""The rules of docs/architecture.md that a machine can check: who may import whom, and what is light."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import symtune

ROOT = Path(symtune.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# A module imports from the layers above it in this table, and from its own package. Nothing else of ours.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("types", "seeds", "tokens", "keys", "exhaustion"),
    ("config", "output", "files", "denotation", "intervals", "quotas", "workers", "progress", "model"),
    ("flags", "registry", "reading"),
    ("outcomes",),
    ("tables", "prompts", "executors", "worked"),
    ("sql",),
    ("task",),
    ("tasks", "dataset", "releases", "splitting"),
    ("benchmark",),
    ("benchmarks",),
    ("metrics",),
    ("records", "near_duplicates", "domains"),
    ("models",),
    ("generation", "audit", "selftest", "export", "mixture", "evaluation", "reporting", "fetching"),
    ("packing",),
    ("training",),
    ("published",),
    ("recipe",),
    ("api",),
    ("cli",),
    ("__main__",),
)
SQL_ROOMS = ("language", "corpus", "sampling", "solutions")  # of sql/: a room imports from those before it
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
SELF_CONTAINED = ("tasks", "benchmarks")  # one file or folder each, found because it is there
KNOW_SQL = ("sql", "tasks.sql_execution", "cli.sql_templates")  # who alone imports symtune.sql
TRAINING = {"torch", "transformers", "accelerate", "trl", "peft", "gguf", "tokenizers", "safetensors"}
MAY_TRAIN = ("models.local", "training", "published")
HEAVY = ("torch", "transformers", "duckdb", "ray", "pandas", "matplotlib", "scipy", "datasets", "sqlglot")


def name_of(path: Path) -> str:
    """The dotted name below `symtune`: "tables.views"; "" for the package itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> set[str]:
    """The dotted names of all modules imported at any level, including by need("…") and import_module("…")."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("need", "import_module", "__import__") and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return found


def ours(names: set[str]) -> set[str]:
    """Those that are our modules, below `symtune`."""
    return {name.removeprefix("symtune.") for name in names if name.startswith("symtune.")}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module(path):
    tree, name = parsed(path), name_of(path)
    package = name.split(".")[0]
    found = imports(tree)
    if name:
        assert package in LEVEL, f"{package} is in no layer: add it to LAYERS and to docs/architecture.md"
        for other in ours(found):
            target = other.split(".")[0]
            if target == package or target not in LEVEL:  # `from symtune import __version__`
                continue
            assert LEVEL[target] < LEVEL[package], f"{name} imports {other}: against the one direction"
        if not any(name == may or name.startswith(f"{may}.") for may in MAY_TRAIN):
            used = {other.split(".")[0] for other in found} & TRAINING
            assert not used, f"{name} imports {used}: only {MAY_TRAIN} may"
    if package in SELF_CONTAINED and "." in name:
        plugins = {other.name for other in pkgutil.iter_modules([str(ROOT / package)])}
        used = {other.split(".")[1] for other in ours(found) if other.startswith(f"{package}.")}
        siblings = used & plugins - {name.split(".")[1]}
        assert not siblings, f"{name} imports {siblings}: each plug-in of {package}/ stands alone"
    if not any(name == one or name.startswith(f"{one}.") for one in KNOW_SQL):
        used = {other for other in ours(found) if other.split(".")[0] == "sql"}
        assert not used, f"{name} imports {used}: only {KNOW_SQL} may"
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level], (
        "write imports in full"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "sql").glob("*/*.py")), ids=name_of)
def test_rooms_of_sql(path):
    room = SQL_ROOMS.index(path.parent.name)
    used = [other.split(".")[1] for other in ours(imports(parsed(path))) if other.startswith("sql.")]
    assert not [other for other in used if SQL_ROOMS.index(other) > room], (
        f"{name_of(path)} imports {used}: sql/ goes {' <- '.join(SQL_ROOMS)}"
    )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_faults_are_raised_and_code_is_described(path):
    tree = parsed(path)
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not asserts, f"assert in lines {asserts}: raise an error of symtune.types instead"
    assert "traceback" not in imports(tree), "a user's fault is one line, never a traceback"
    if path.read_text("utf-8").strip():
        assert ast.get_docstring(tree), "a module opens with what it is for"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def loaded_by(code: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after `code`."""
    script = f"import sys\n{code}\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import symtune",
        "from symtune.cli import build; build()(['--help'], standalone_mode=False)",
    ],
)
def test_start_is_light(code):
    assert loaded_by(code) == set()


def test_the_table_of_layers_has_no_dead_names():
    there = {name_of(path).split(".")[0] for path in MODULES}
    planned = set(LEVEL) - there
    assert not planned, f"no such module: {sorted(planned)}"
