"""build-dataset: the published layout, made from what is present; missing parts are reported but do no harm."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from symtune import cli
from symtune.published import layout
from symtune.published.config import BuildConfig
from symtune.published.layout import build
from symtune.published.sampling import files_in, sample
from symtune.types import SymtuneError


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases in their official layouts, under names chosen by the user."""
    folder = tmp_path_factory.mktemp("releases")
    tables, data = folder / "first" / "csv" / "1-csv", folder / "first" / "data"
    tables.mkdir(parents=True)
    data.mkdir()
    (tables / "1.csv").write_text('"Year","City"\n' + "".join(f'"{1900 + k}","City {k}"\n' for k in range(6)))
    head = "id\tutterance\tcontext\ttargetValue\n"
    rows = "".join(f"nt-{k}\twhich city in {1900 + k}?\tcsv/1-csv/1.csv\tCity {k}|City {k + 1}\n" for k in range(3))
    for name in ("random-split-1-dev", "pristine-unseen-tables"):
        (data / f"{name}.tsv").write_text(head + rows)
    for split in ("dev", "val", "test"):
        (folder / "second" / "data" / split).mkdir(parents=True)
        asked = "".join(f'"{split} question {k}, which?",a,b,c,d,{"ABCD"[k % 4]}\n' for k in range(5))
        (folder / "second" / "data" / split / f"astronomy_{split}.csv").write_text(asked)
    return folder


@pytest.fixture(scope="module")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("instructions") / "flan.jsonl"
    sizes = {"large": 60, "middle": 20, "small": 2}
    rows = [
        {"inputs": f"{task} {k}", "targets": str(k), "task": task} for task, size in sizes.items() for k in range(size)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[0]]))
    return path


def config(out: Path, releases: Path, instructions: Path, **more: object) -> BuildConfig:
    said = {"out": out, "sql_n": 40, "flan": str(instructions), "flan_n": 30, "flan_cap": 40, "benchmarks": releases}
    return BuildConfig.of(said | more)


def test_the_published_layout(releases: Path, instructions: Path, tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "prompts.json").write_text('{"wikitablequestions": "01"}')
    prompts = (f"xl={tmp_path / 'prompts.json'}",)
    manifest = build(config(tmp_path / "out", releases, instructions, prompts=prompts), say=said.append)
    files = {path.relative_to(tmp_path / "out").as_posix(): lines(path) for path in (tmp_path / "out").glob("*/*.json")}
    assert set(files) == {
        "train/flan.json", "train/sql.json", "validation/wtq_mmlu.json",
        *(f"test/{task}_tapex_{scale}.json" for task in ("wtq", "mmlu") for scale in ("large", "xl")),
    }  # fmt: skip
    assert {name: len(rows) for name, rows in files.items()} == manifest["rows"]
    assert all(set(row) == {"input", "output"} for rows in files.values() for row in rows)
    assert all('" | "' not in row["input"] for row in files["train/sql.json"])
    assert len(files["validation/wtq_mmlu.json"]) == 3 + 5
    assert files["test/wtq_tapex_xl.json"][0]["output"] == "City 0, City 1"
    assert files["test/wtq_tapex_large.json"][0]["input"] != files["test/wtq_tapex_xl.json"][0]["input"]
    assert files["test/mmlu_tapex_large.json"][0]["input"].count("dev question") == 5
    assert sorted(said) == sorted(
        f"test/{task}_tapex_{scale}.json is missing: no release of it is there"
        for task in ("wikisql", "sqa", "tabfact", "svamp", "bbh")
        for scale in ("large", "xl")
    )
    card = (tmp_path / "out" / "README.md").read_text()
    assert all(line in card for line in said)
    assert "wikitablequestions test, prompt wikitablequestions/01+tapex (the user)" in card
    assert manifest["shares"]["flan"] == {"requested": 30 / 70, "realised": 30 / 70}
    again = build(config(tmp_path / "again", releases, instructions, prompts=prompts, workers=2))
    assert again["sha256"] == manifest["sha256"]


def test_datasets_loads_the_folder(releases: Path, instructions: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    manifest = build(config(tmp_path / "out", releases, instructions))
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {
        split: sum(count for name, count in manifest["rows"].items() if name.startswith(split))
        for split in ("train", "validation", "test")
    }
    assert loaded["train"].column_names == ["input", "output"]


def test_tasks_are_sampled_in_proportion_under_the_cap(instructions: Path) -> None:
    """60, 20 and 2 records with a cap of 40: 40, 20 and 2 of them count, and 31 are half of these."""
    sampled = sample([instructions], 31, 40, seed=1)
    assert Counter(text.split()[0] for text, _ in sampled.lines()) == {"large": 20, "middle": 10, "small": 1}
    assert sampled.facts["dropped"] == {"duplicate": 1}
    assert (sampled.facts["available"], sampled.facts["tasks at the cap"]) == (82, 1)
    assert list(sampled.lines()) == list(sample([instructions], 31, 40, seed=1).lines())
    assert list(sampled.lines()) != list(sample([instructions], 31, 40, seed=2).lines())
    assert Counter(text.split()[0] for text, _ in sample([instructions], 999, 40, seed=1).lines())["large"] == 40


def test_without_tasks_a_file_is_one_task_and_a_short_source_is_said(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"p{k}", "completion": "c"}) + "\n" for k in range(9)))
    said: list[str] = []
    manifest = build(BuildConfig(out=tmp_path / "out", sql_n=0, flan=str(path), flan_n=20), say=said.append)
    assert manifest["rows"] == {"train/flan.json": 9}
    assert "train/flan.json has 9 of 20 records: the source has no more with a cap of 30,000 per task" in said
    assert manifest["files"]["train/flan.json"]["tasks"] == 1


def test_a_folder_of_files_is_one_source(instructions: Path, tmp_path: Path) -> None:
    """As one file with the same records is; a file without tasks is one task, and hidden files are not read."""
    folder = tmp_path / "flan"
    (folder / "deep").mkdir(parents=True)
    (folder / ".cache").mkdir()
    whole = instructions.read_text().splitlines(keepends=True)
    (folder / "a.jsonl").write_text("".join(whole[:50]))
    (folder / "deep" / "b.jsonl").write_text("".join(whole[50:]))
    (folder / ".cache" / "c.json").write_text("broken")
    (folder / "LICENSE").write_text("mine")
    one, many = (sample(files_in(source), 31, 40, seed=1) for source in (instructions, folder))
    assert list(many.lines()) == list(one.lines())
    assert many.facts == one.facts | {"source files": 2}
    for name in ("c", "d"):
        rows = [{"prompt": f"{name} {k}", "completion": "c"} for k in range(9)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert sample(files_in(folder), 31, 40, seed=1).facts["tasks"] == 3 + 2


def test_a_release_that_lacks_a_split_says_why(releases: Path, instructions: Path, tmp_path: Path) -> None:
    """On the terminal; the card holds no path of this machine."""
    shutil.copytree(releases, tmp_path / "some")
    (tmp_path / "some" / "first" / "data" / "pristine-unseen-tables.tsv").unlink()
    said: list[str] = []
    manifest = build(config(tmp_path / "out", tmp_path / "some", instructions, sql_n=0), say=said.append)
    what = "test/wtq_tapex_large.json is missing: the release has no test split"
    (line,) = [line for line in said if line.startswith(what)]
    assert f"({tmp_path}/some/first/data/pristine-unseen-tables.tsv: no such file (split test)" in line
    assert what in manifest["missing"]
    assert str(tmp_path) not in (tmp_path / "out" / "README.md").read_text()


BROKEN = [
    ("--flan {here}/broken.jsonl", "broken.jsonl:2: not JSON"),
    ("--flan {here}/texts", "--flan {here}/texts: no file of records in it; wanted a data set folder, a .jsonl"),
    ("--flan {here}/held", "--flan {here}/held: holds the test split, which is not for training"),
    ("--flan {here}/held/data/test-00000-of-00001.parquet", "holds the test split, which is not for training"),
    ("--flan {here}/texts/a.txt", "a.txt: wanted a data set folder, a .jsonl"),
    ("--flan bundled:gsm9k", "unknown bundled source 'gsm9k'. Did you mean 'gsm8k'?"),
    ("--benchmarks {here}/torn", "--benchmarks: {here}/torn/second/data/test/astronomy_test.csv:5: the answer is 'Q'"),
    ("--benchmarks {here}/broken.jsonl", "broken.jsonl: no such folder; wanted one that contains official releases"),
    ("--prompts large={here}/prompts.json --benchmarks {here}/whole", "unknown prompt template '99'"),
    ("--prompts large={here}/broken.jsonl", "broken.jsonl: not JSON; wanted a selection"),
    ("--tables {here}/absent", "absent: no such file or folder; name a file or folder of tables"),
    ("--tables {here}/texts", "texts: no tables that symtune can read"),
    ("--tokenizer absent", "--tokenizer absent: neither a model's name, nor a local folder"),
    ("--tokenizer {here}/texts", "--tokenizer {here}/texts: cannot be loaded"),
    ("--scales ../up", "--scales '../up': wanted letters and digits"),
]


@pytest.mark.parametrize(("said", "message"), BROKEN, ids=[said for said, _ in BROKEN])
def test_whatever_is_named_is_read_before_examples_are_generated(
    said: str, message: str, releases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "generate", lambda *_, **__: pytest.fail("examples were generated"))
    (tmp_path / "broken.jsonl").write_text('{"prompt": "a", "completion": "b"}\nbroken\n')
    (tmp_path / "prompts.json").write_text('{"wikitablequestions": "99"}')
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    (tmp_path / "held" / "data").mkdir(parents=True)
    (tmp_path / "held" / "data" / "test-00000-of-00001.parquet").touch()
    for name in ("torn", "whole"):
        shutil.copytree(releases, tmp_path / name)
    file = tmp_path / "torn" / "second" / "data" / "test" / "astronomy_test.csv"
    file.write_text(file.read_text().removesuffix("A\n") + "Q\n")
    argv = said.replace("{here}", str(tmp_path)).split()
    with pytest.raises(SymtuneError) as fault:
        cli.build()(["build-dataset", "--out", str(tmp_path / "out"), *argv], standalone_mode=False)
    assert message.replace("{here}", str(tmp_path)) in str(fault.value)
    assert "\n" not in str(fault.value)
    assert not (tmp_path / "out").exists()


FAULTS = [
    ("--prompts huge=x.json", "--prompts huge=x.json: wanted SCALE=FILE, with SCALE one of large, xl"),
    ("--prompts xl=absent.json", "absent.json: cannot be read"),
    ("--benchmarks absent", "--benchmarks absent: no such folder"),
    ("--flan absent.jsonl", "absent.jsonl: no such file or folder"),
    ("--mmlu-split test", "--mmlu-split: got 'test'"),
    ("--sql-n 0", "nothing to write"),
]


@pytest.mark.parametrize(("said", "message"), FAULTS, ids=[said for said, _ in FAULTS])
def test_a_fault_is_one_line_and_writes_nothing(
    said: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SymtuneError) as fault:
        cli.build()(["build-dataset", "--out", "out", *said.split()], standalone_mode=False)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)
    assert not list(tmp_path.iterdir())
