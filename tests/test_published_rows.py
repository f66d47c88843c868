"""train_model.py: how rows are read from files, what is refused, what is cut."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import transformers

from published_toy import step_words
from symtune.published import train as published
from symtune.published.arguments import DataArguments
from symtune.published.rows import open_splits, read_rows
from symtune.types import InputError

pytestmark = pytest.mark.usefixtures("one_thread")

COLUMNS = ("input", "output")
GOOD = '{"input": "a", "output": "b"}\n'
# What `datasets` would change: to numbers, to a missing value, to a date, to a day at midnight.
TEXTS = ["007", "NA", "1.50", "2012-05-01 00:00:00", "null", "True", "", " a ", "é", "1,000"]


def write(path: Path, texts: list[str]) -> Path:
    """A file of rows whose outputs are these texts, in the layout that its name says."""
    rows = [{"input": f"row {number}", "output": text} for number, text in enumerate(texts)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        quoted = [
            f'{row["input"]},"{row["output"]}"\n' if "," in row["output"] else f"{row['input']},{row['output']}\n"
            for row in rows
        ]
        path.write_text("input,output\n" + "".join(quoted), "utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1), "utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def loaded(**said: Any) -> list[dict[str, str]]:
    """The rows of the train split that these arguments name."""
    return list(open_splits(DataArguments(**said))["train"].rows(COLUMNS))


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".csv", ".parquet"])
def test_texts_stay_as_they_are_written(ending: str, tmp_path: Path) -> None:
    file = write(tmp_path / f"train{ending}", TEXTS)
    assert [row["output"] for row in loaded(train_file=str(file))] == TEXTS
    assert [row["output"] for row in loaded(dataset_name=str(tmp_path))] == TEXTS  # recognized by its name
    assert [row["output"] for _, row in read_rows(file, COLUMNS)] == TEXTS


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = write(tmp_path / "some.jsonl", ["one"])
    assert [row["output"] for row in loaded(train_file=str(file))] == ["one"]
    write(file, ["two", "three"])
    assert [row["output"] for row in loaded(train_file=str(file))] == ["two", "three"]


def test_a_card_may_say_which_files_are_which_split(toy: Path, tmp_path: Path) -> None:
    shutil.copytree(toy / "data", tmp_path / "data")
    front = "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: validation/*.json\n---\n"
    (tmp_path / "data" / "README.md").write_text(front)
    assert len(loaded(dataset_name=str(tmp_path / "data"))) == 5
    assert len(loaded(dataset_name=str(toy / "data"))) == 40


# A file, its content, and the line about it.
FAULTS: list[tuple[str, str | bytes, str]] = [
    ("some.json", "", "some.json: no rows; wanted rows of input and output"),
    ("some.json", "\n\n", "some.json: no rows; wanted rows of input and output"),
    ("some.json", GOOD * 3 + '{"input": "a", output}\n' + GOOD, "some.json:4: not JSON: Expecting property name"),
    ("some.json", GOOD * 2 + '{"input": "a"}\n', "some.json:3: no 'output'; there is input"),
    ("some.json", GOOD * 2 + "{}\n", "some.json:3: no 'input'; there is nothing"),
    ("some.json", GOOD + '{"input": "a", "output": 7}\n', "some.json:2: output is 7 (int), wanted a text"),
    ("some.json", GOOD + '{"input": ["a"], "output": "7"}\n', "some.json:2: input is ['a'] (list), wanted a text"),
    ("some.json", GOOD + '"a"\n', "some.json:2: got a JSON string, wanted an object with input and output"),
    ("some.json", GOOD + '{"input": "\\ud800", "output": "7"}\n', "some.json:2: input contains half of a"),
    ("some.json", "[" + GOOD + ", 5]", "some.json: record 2: got a JSON number"),
    ("some.json", '{"input": "é", "output": "7"}\n'.encode("latin-1"), "some.json:1: not UTF-8: byte 0xe9"),
    ("some.json", '{"input": null, "output": null}\n', "the train split: 1 rows, and none has both"),
    ("some.csv", "", "some.csv: no rows"),
    ("some.csv", "input;output\na;b\n", "some.csv:1: no column 'input'; wanted input, output"),
    ("some.csv", "input,output\na,b\na,b,c\n", "some.csv:3: got 3 columns, wanted 2 as in the header"),
    ("some.csv", "input,output\né,b\n".encode("latin-1"), "some.csv: not UTF-8: byte 0xe9 past line 1"),
    ("some.parquet", "no", "some.parquet: not a readable parquet file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), FAULTS, ids=[message for *_, message in FAULTS])
def test_a_file_that_cannot_be_trained_on_is_one_line(
    name: str, content: str | bytes, message: str, toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    argv = step_words(toy, tmp_path / "out", "2", "1", "True", "--train_file", str(tmp_path / name))
    assert published.main(argv) == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("train_model.py: ")
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_parquet_column_of_other_values_is_one_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"input": ["a", "b"], "output": [1, 2]}), tmp_path / "some.parquet")
    with pytest.raises(InputError, match=r"some\.parquet: row 1: output is 1 \(int\), wanted a text"):
        loaded(train_file=str(tmp_path / "some.parquet"))


def test_the_column_that_is_named_must_be_there(toy: Path, tmp_path: Path) -> None:
    argv = step_words(toy, tmp_path / "out", "2", "1", "True", "--input_column", "question")
    with pytest.raises(InputError, match=r"flan\.json:1: no 'question'; there is input, output"):
        published.run(argv)


def test_inputs_are_cut_as_published_counted_and_said(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"input": "short 7", "output": "7"},
        {"input": "x" * 40 + " gone", "output": "gone"},
        {"input": "kept " + "x" * 40, "output": "kept"},
        {"input": "fine", "output": "12345678901"},
        {"input": None, "output": "5"},
    ]
    (tmp_path / "train.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    argv = step_words(toy, tmp_path / "out", "2", "1", "True")
    for flag, value in {"--max_seq_length": "20", "--max_answer_length": "10"}.items():
        argv[argv.index(flag) + 1] = value
    published.run([*argv, "--train_file", str(tmp_path / "train.json")])
    assert (
        "train: 4 rows; 2 inputs cut; 1 inputs cut that lost their answer; 1 answers cut; "
        "1 rows without an input or an output, dropped"
    ) in capsys.readouterr().err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["cut"]["train"]["answers cut"] == 1
    assert manifest["training"]["dropout_rate"] == 0.0


def test_a_model_with_positions_is_given_no_longer_inputs(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """BART has an embedding for each position, and the published lengths are longer."""
    shutil.copytree(toy / "model", tmp_path / "model")
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_position_embeddings": 40}
    tokens = {"vocab_size": 384, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 0, "decoder_start_token_id": 0}
    config = transformers.BartConfig(**sizes, **heads, **tokens, forced_eos_token_id=1)
    transformers.BartForConditionalGeneration(config).save_pretrained(tmp_path / "model")
    said = ["--model_name_or_path", str(tmp_path / "model"), "--dropout_rate", "-1"]
    published.run([*step_words(toy, tmp_path / "out", "2", "1", "True"), *said])
    found = capsys.readouterr().err
    assert "--max_seq_length 2,048 is more than this model can read; it is lowered to 40" in found
    texts = [row["input"] for row in loaded(dataset_name=str(toy / "data"))]
    over = sum(len(text.encode()) + 1 > 40 for text in texts)  # the tokenizer's tokens are bytes, and one for the end
    assert 0 < over < 40
    assert f"train: 40 rows; {over} inputs cut" in found
