"""infer_model.py: a published test file, answered and scored."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from published_toy import ROOT, files_up_to, launched, speaking, torchrun
from symtune.published import infer

LINES = [
    {"input": text, "output": gold}
    for text, gold in [("who 3", "5"), (f"question {'abc ' * 12}", "Café 1"), ("Z" * 29, "1,000, 2"), ("9 é7", "yes")]
]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("infer")
    speaking(folder / "tapex-zero-toy")
    (folder / "wtq_tapex_toy.json").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return folder


def words(toy: Path, *more: str) -> list[str]:
    return ["--model_name", str(toy / "tapex-zero-toy"), "--data_file", str(toy / "wtq_tapex_toy.json"), *more]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_test_file_is_answered_in_its_order_and_scored_against_its_own_texts(
    dtype: str, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = infer.run(
        words(toy, "--batch_size", "3", "--dtype", dtype, "--max_length", "9", "--max_input_length", "40")
    )
    written = [
        json.loads(line) for line in Path("outputs/wtq_tapex_toy.json_tapex-zero-toy.json").read_text().splitlines()
    ]
    assert [(line["input"], line["ground_truth"]) for line in written] == [(x["input"], x["output"]) for x in LINES]
    assert all(set(line) == {"input", "prediction", "ground_truth"} for line in written)
    said = capsys.readouterr()
    assert "4 inputs from" in said.err
    assert "1 cut at 40 tokens" in said.err
    assert "Eval func is get_denotation_accuracy, Performance is: 0.0 (95 % interval 0.0000 to 0.4899, n 4)" in said.out
    assert result["n"] == 4


def test_padding_does_not_change_an_answer(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would without an attention mask, and the release passes none."""
    monkeypatch.chdir(tmp_path)
    found = []
    for batch in ("1", "4"):
        infer.run(words(toy, "--batch_size", batch, "--max_length", "12", "--output_dir", batch))
        found.append((Path(batch) / "wtq_tapex_toy.json_tapex-zero-toy.json").read_text())
    assert found[0] == found[1]
    assert len({json.loads(line)["prediction"] for line in found[0].splitlines()}) > 2


FAULTS = [
    ("--data_file absent.json", "--data_file absent.json: no such file"),
    ("--data_file .", "--data_file .: a folder, wanted a file"),
    ("--data_file empty.json", "--data_file empty.json: no rows in it; wanted rows of input and output"),
    ("--data_file null.json", "null.json:1: output is null, wanted a text"),
    ("--data_file notes.txt", "notes.txt: wanted a file named .json, .jsonl, .csv, .parquet"),
    ("--output_dir notes.txt", "cannot write notes.txt/wtq_tapex_toy.json_tapex-zero-toy.json"),
    ("--model_name .", "cannot be loaded: Unrecognized model"),
    ("--model_name absent/absent", "model absent/absent: cannot be loaded: We couldn't connect to"),
    (
        "--max_length 1 --max_input_length 0",
        "--max_input_length 0: wanted a number, at least 2; --max_length 1: wanted",
    ),
    ("--data_file broken.json", "broken.json:1: no 'output'; there is input"),
    ("--eval_func_name exact", "unknown metric 'exact'. Did you mean"),
    ("--dtype half", "unknown dtype 'half'"),
    ("--batchsize 3", "unknown argument '--batchsize'. Did you mean '--batch"),
    ("--batch_size 0", "--batch_size 0: wanted a number, at least 1"),
    ("--model_name ./absent", "model ./absent: no such folder"),
]


@pytest.mark.parametrize(("said", "message"), FAULTS, ids=[said for said, _ in FAULTS])
def test_a_fault_is_one_line(
    said: str,
    message: str,
    toy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    Path("broken.json").write_text('{"input": "x"}\n')
    Path("null.json").write_text('{"input": "x", "output": null}\n')
    for name in ("empty.json", "notes.txt"):
        Path(name).touch()
    assert infer.main([*words(toy), *said.split()]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("infer_model.py: ")
    assert message in line


def test_a_full_disk_is_one_line(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with files_up_to(50):
        assert infer.main(words(toy, "--max_length", "9", "--output_dir", str(tmp_path))) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    file = tmp_path / "wtq_tapex_toy.json_tapex-zero-toy.json"
    assert line == f"infer_model.py: cannot write {file}: File too large"
    assert not list(tmp_path.iterdir())


@pytest.mark.xdist_group("processes")
def test_two_processes_write_what_one_writes(toy: Path, tmp_path: Path) -> None:
    done = launched(
        *torchrun(),
        "infer_model.py",
        *words(toy, "--batch_size", "1", "--max_length", "9", "--output_dir", str(tmp_path / "two")),
    )
    assert done.stderr.count("4 inputs from") == 1
    assert "2 processes" in done.stderr
    infer.run(words(toy, "--batch_size", "1", "--max_length", "9", "--output_dir", str(tmp_path / "one")))
    one, two = ((tmp_path / name / "wtq_tapex_toy.json_tapex-zero-toy.json").read_text() for name in ("one", "two"))
    assert one == two


def test_without_torch_the_scripts_say_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    for script in ("train_model.py", "infer_model.py"):
        environment = {"PYTHONPATH": f"{tmp_path}:{ROOT / 'src'}"}
        done = subprocess.run(
            [sys.executable, ROOT / script], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode != 0
        assert "torch" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "pip install" in done.stderr
