"""train_model.py: the whole command, passes over the data, checkpoints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from published_toy import files_up_to, logged, words
from symtune.published import train as published
from symtune.training import checkpoints
from symtune.types import InputError, SymtuneError

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_large_command_trains_evaluates_and_writes_what_transformers_loads(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    out = tmp_path / "out"
    metrics = published.run(words(toy, out, "--do_predict"))
    assert {"train_loss", "eval_loss", "eval_get_denotation_accuracy", "eval_get_denotation_accuracy_low"} <= set(
        metrics
    )
    assert [line["epoch"] for line in logged(out)] == pytest.approx([0.2, 0.4, 0.6])
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert model.config.dropout_rate == 0.05
    assert len(tokenizer) <= model.get_input_embeddings().num_embeddings
    assert not checkpoints.fault(out / "checkpoint-3")
    golds = [json.loads(line)["ground_truth"] for line in (out / "predictions.jsonl").read_text().splitlines()]
    test = (toy / "data" / "test" / "wtq_tapex_large.json").read_text().splitlines()
    assert golds == [json.loads(line)["output"] for line in test]
    with pytest.raises(
        InputError, match=r"checkpoint-3 is from another training \(learning_rate was 0.003, is 0.001\)"
    ):
        published.run(words(toy, out, "--learning_rate", "1e-3"))
    assert not checkpoints.fault(out / "checkpoint-3")


def test_a_folder_of_other_files_is_not_written_to(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SymtuneError, match="holds files but no checkpoint to resume from"):
        published.run(words(toy, tmp_path))


# Ten examples a pass and four a step: passes end with steps 3, 5, 8 and 10, some of them in the middle.
SHORT = (
    "--do_train --per_device_train_batch_size 2 --gradient_accumulation_steps 2 --max_train_samples 10 "
    "--learning_rate 3e-3 --logging_steps 1 --generation_max_length 6 --report_to none"
).split()


def history(out: Path, name: str) -> list[tuple[int, float]]:
    """The steps and passes at which something was logged."""
    lines = json.loads((out / "trainer_state.json").read_text())["log_history"]
    return [(line["step"], line["epoch"]) for line in lines if name in line]


PASSES = [
    (("--num_train_epochs", "2"), [(3, 1.2), (5, 2.0)]),
    (("--num_train_epochs", "1.5"), [(3, 1.2), (4, 1.6)]),  # fifteen examples fill four steps
    (("--max_steps", "4"), [(3, 1.2), (4, 1.6)]),
    (("--max_steps", "10"), [(3, 1.2), (5, 2.0), (8, 3.2), (10, 4.0)]),
    (("--num_train_epochs", "2", "--eval_delay", "1.5"), [(5, 2.0)]),
]


@pytest.mark.parametrize(("length", "ends"), PASSES, ids=[" ".join(length) for length, _ in PASSES])
def test_a_pass_ends_with_the_step_that_takes_its_last_example(
    length: tuple[str, ...], ends: list[tuple[int, float]], toy: Path, tmp_path: Path
) -> None:
    strategies = [word for name in ("evaluation", "save", "logging") for word in (f"--{name}_strategy", "epoch")]
    published.run(words(toy, tmp_path, *length, *strategies, base=SHORT))
    assert history(tmp_path, "eval_loss") == ends
    logs = history(tmp_path, "loss")
    assert logs[-len(ends) :] == ends
    assert sorted(int(path.name.split("-")[1]) for path in tmp_path.glob("checkpoint-*")) == [step for step, _ in logs]
    assert not any(checkpoints.fault(path) for path in tmp_path.glob("checkpoint-*"))


def test_a_training_by_passes_resumes_exactly(toy: Path, tmp_path: Path) -> None:
    said = ("--num_train_epochs", "2", "--save_strategy", "epoch", "--evaluation_strategy", "epoch")
    for name in ("whole", "cut"):
        published.run(words(toy, tmp_path / name, *said, base=SHORT))
    for path in (tmp_path / "cut").iterdir():  # as if it had been killed after the first pass
        if path.name != "checkpoint-3":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    published.run(words(toy, tmp_path / "cut", *said, base=SHORT))
    whole, cut = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "cut"))
    assert whole == cut
    assert history(tmp_path / "cut", "eval_loss") == history(tmp_path / "whole", "eval_loss")


EVALUATIONS = [
    ("--evaluation_strategy", "steps", "--eval_steps", "1"),
    ("--evaluation_strategy", "steps", "--eval_steps", "2", "--predict_with_generate", "--eval_func", "wtq"),
    ("--evaluation_strategy", "steps", "--eval_steps", "2", "--eval_on_start", "--dataloader_num_workers", "1"),
]


@pytest.mark.parametrize("asked", EVALUATIONS, ids=["loss", "answers", "before the first step"])
def test_an_evaluation_does_not_change_the_training_after_it(asked: tuple[str, ...], toy: Path, tmp_path: Path) -> None:
    """To the last bit, with dropout."""
    said = ("--max_steps", "5", "--dropout_rate", "0.3", "--save_strategy", "no")
    published.run(words(toy, tmp_path / "without", *said, base=SHORT))
    published.run(words(toy, tmp_path / "with", *said, *asked, base=SHORT))
    assert history(tmp_path / "with", "eval_loss")
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("without", "with"))
    assert one == two
    assert [line["loss"] for line in logged(tmp_path / "without")] == [
        line["loss"] for line in logged(tmp_path / "with")
    ]


@pytest.mark.parametrize("precision", [(), ("--bf16",)], ids=["float32", "bfloat16"])
def test_a_training_that_diverges_ends_with_one_line_and_saves_nothing_of_it(
    precision: tuple[str, ...], toy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It logs only every tenth step, and would save the second."""
    said = ("--max_steps", "20", "--learning_rate", "1e38", "--logging_steps", "10", "--save_steps", "1")
    assert published.main(words(toy, tmp_path, *said, *precision, base=SHORT)) == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("train_model.py: the ")
    assert "is nan at step 2: the training diverged; lower the learning rate" in line
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-1"]
    assert not (tmp_path / "model.safetensors").exists()


def test_a_full_disk_is_one_line_and_the_older_checkpoint_stays_whole(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    said = words(toy, tmp_path, "--max_steps", "4", "--save_steps", "2", base=SHORT)
    step = published.StepTrainer.training_step
    limit = files_up_to(60_000)

    def full_from_the_third(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.state.global_step == 3:
            limit.__enter__()
            monkeypatch.setattr(published.StepTrainer, "training_step", step)
        return step(self, *arguments, **named)

    monkeypatch.setattr(published.StepTrainer, "training_step", full_from_the_third)
    try:
        assert published.main(said) == 2
    finally:
        limit.__exit__(None, None, None)
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert line.startswith(f"train_model.py: cannot write {tmp_path}/checkpoint-4: ")
    assert not checkpoints.fault(tmp_path / "checkpoint-2")
    assert not (tmp_path / "checkpoint-4").exists()
    published.run(said)
    assert "resuming from" in capfd.readouterr().err


NOT_WRITTEN = [
    ("--do_train --max_steps 1 --save_strategy no", 20_000, "cannot write {out}: "),  # the model
    ("--do_eval", 100, "cannot write {out}: "),  # the metrics
    ("--do_eval", 600, "cannot write {out}/manifest.json: "),  # the manifest
]


@pytest.mark.parametrize(("said", "size", "message"), NOT_WRITTEN)
def test_results_that_cannot_be_written_are_one_line(
    said: str, size: int, message: str, toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = [word for word in SHORT if word != "--do_train"]
    published.run(words(toy, tmp_path / "before", *said.split(), base=base))  # its data is cached now
    out = tmp_path / "out"
    with files_up_to(size):
        assert published.main(words(toy, out, *said.split(), base=base)) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("train_model.py: " + message.format(out=out))
    assert "File too large" in line
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize(("long", "size"), [(400, 100_000), (10, 60_000)], ids=["rows", "tokens"])
def test_a_cache_that_cannot_be_written_is_one_line(
    long: int, size: int, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"input": f"{k} {'x' * long}", "output": f"{tmp_path.name} {k}"} for k in range(700)]
    (tmp_path / "train.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with files_up_to(size):
        said = words(
            toy, tmp_path / "out", "--max_steps", "1", "--train_file", str(tmp_path / "train.json"), base=SHORT
        )
        said[said.index("--max_train_samples") + 1] = "700"
        assert published.main(said) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("train_model.py: the data cannot be cached in ")
    assert "File too large; make room" in line
