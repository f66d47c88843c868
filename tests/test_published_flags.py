"""train_model.py: flags of transformers 4, every option of the release, arguments that are refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from published_toy import words
from symtune.published import train as published
from symtune.published.arguments import parse, share_cores
from symtune.published.flags import RENAMED, WITHOUT_EFFECT, arguments_of, translate

pytestmark = pytest.mark.usefixtures("one_thread")

OLD = [
    ("--evaluation_strategy steps", "--eval_strategy steps", "--evaluation_strategy is now --eval_strategy"),
    ("--no_cuda", "--use_cpu", "--no_cuda is now --use_cpu"),
    ("--warmup_ratio 0.1", "--warmup_steps 0.1", "--warmup_ratio is now --warmup_steps below 1"),
    ("--warmup_ratio=0.1 --warmup_steps 5", "--warmup_steps 5", "--warmup_ratio is ignored beside --warmup_steps"),
    ("--adafactor True", "--optim adafactor", "--adafactor is now --optim adafactor"),
    ("--group_by_length", "", "--group_by_length has no effect: the examples of a step are already sorted by length"),
    ("--doc_stride 64", "", "--doc_stride has no effect: inputs are cut at --max_seq_length"),
    ("--version_2_with_negative", "", "--version_2_with_negative has no effect: no null answer is scored"),
    ("--logging_dir runs", "--tensorboard_dir runs", "--logging_dir is the variable TENSORBOARD_LOGGING_DIR now"),
]


@pytest.mark.parametrize(("old", "new", "said"), OLD, ids=[old for old, *_ in OLD])
def test_flags_of_transformers_4_are_translated_with_one_line_each(old: str, new: str, said: str) -> None:
    flags, notes = translate(old.split())
    assert flags == new.split()
    (note,) = notes
    assert note.startswith(said)


def test_every_old_flag_is_unknown_to_transformers_today_or_does_nothing_here() -> None:
    _, _, training, _ = parse(["--model_name_or_path", "m", "--output_dir", "o", "--do_train"])
    assert not [name for name in RENAMED if hasattr(training, name)]
    assert not set(RENAMED) & set(WITHOUT_EFFECT)


# Every other option of the release, with a value.
ACCEPTED = (
    "--config_name c --tokenizer_name t --cache_dir d --model_revision main --use_auth_token --train_file a.json "
    "--validation_file b.csv --test_file c.parquet --pad_to_max_length --max_train_samples 5 --max_eval_samples 5 "
    "--max_predict_samples 5 --num_beams 2 --ignore_pad_token_for_loss False --do_predict --push_to_hub "
    "--resume_from_checkpoint c --use_fast_tokenizer False --overwrite_cache --overwrite_output_dir --doc_stride 1 "
    "--n_best_size 1 --null_score_diff_threshold 0.1 --version_2_with_negative --label_smoothing_factor 0.1 "
    "--lr_scheduler_type cosine --weight_decay 0.1 --seed 3 --save_total_limit 2 --per_gpu_eval_batch_size 2"
).split()


def test_every_option_of_the_release_is_accepted_from_words_and_from_a_json_file(tmp_path: Path) -> None:
    base = ["--model_name_or_path", "m", "--output_dir", "o"]
    model, data, training, _ = parse([*base, *ACCEPTED])
    assert (model.tokenizer_name, data.max_eval_samples, data.ignore_pad_token_for_loss) == ("t", 5, False)
    assert (training.generation_num_beams, training.per_device_eval_batch_size, training.seed) == (2, 2, 3)
    assert data.dataset_name is None  # files are named
    said = {"model_name_or_path": "m", "output_dir": "o", "do_predict": True, "evaluation_strategy": "no", "seed": 3}
    (tmp_path / "said.json").write_text(json.dumps(said))
    _, data, training, notes = parse([str(tmp_path / "said.json")])
    assert (training.do_predict, training.seed, data.dataset_name) == (True, 3, "sail/symbolic-instruction-tuning")
    assert notes == [
        "--evaluation_strategy is now --eval_strategy",
        "--do_predict only measures the loss; with --predict_with_generate it writes what the model says",
    ]


def test_a_lone_json_file_is_one_under_the_launcher_of_deepspeed(tmp_path: Path) -> None:
    (tmp_path / "said.json").write_text('{"seed": 3}')
    assert arguments_of(["--local_rank=1", str(tmp_path / "said.json")]) == ["--local_rank=1", "--seed", "3"]


def test_processes_share_the_cores_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    for name in ("OMP_NUM_THREADS", "LOCAL_WORLD_SIZE", "LOCAL_SIZE"):
        monkeypatch.setenv(name, "")
    share_cores()
    assert torch.get_num_threads() == 1  # as the fixture set it: one process has the machine to itself
    monkeypatch.setenv("LOCAL_SIZE", "2")  # deepspeed's launcher
    share_cores()
    assert torch.get_num_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("LOCAL_SIZE", "6")
    share_cores()
    assert torch.get_num_threads() == 3


# What is refused, as the user says it, and what the line about it contains. `{bad}` is the folder of hostile files.
FAULTS = [
    ("--eval_fun x", "unknown argument '--eval_fun'. Did you mean '--eval_func'?"),
    ("--evalution_strategy steps", "Did you mean '--evaluation_strategy'?"),
    ("--eval_func get_denotation_acuracy", "unknown metric 'get_denotation_acuracy'. Did you mean 'get_denotation_"),
    ("--learning_rate fast", "argument --learning_rate/--learning-rate: invalid float value: 'fast'"),
    ("--warmup_ratio 2", "--warmup_ratio 2.0: wanted a number from 0 to below 1"),
    ("--evaluation_strategy no --eval_strategy no", "--evaluation_strategy is now --eval_strategy, and both are given"),
    ("--model_name_or_path ./absent", "model ./absent: no such folder"),
    ("--model_name_or_path {bad}", "cannot be loaded: Unrecognized model"),
    ("--model_name_or_path {bad}/torn", "cannot be loaded: Error while deserializing header"),
    ("--model_name_or_path {bad}/weightless", "cannot be loaded: Error no file named model.safetensors"),
    ("--model_name_or_path {bad}/speechless", "the tokenizer's files are missing or belong to another model"),
    ("--model_name_or_path absent/absent", "model absent/absent: cannot be loaded: We couldn't connect to"),
    ("--dataset_name ./absent", "--dataset_name ./absent: no such folder"),
    (
        "--dataset_name absent",
        "--dataset_name absent: no such folder, and cannot be loaded: Couldn't reach 'absent' on the",
    ),
    ("--dataset_name {bad}/notes.txt", "notes.txt: a file; wanted a folder or a name on the hub"),
    ("--dataset_name {bad}/empty", "doesn't contain any data files"),
    ("--dataset_name {bad}/texts", "a.txt: wanted a file named .json, .jsonl, .csv, .parquet"),
    ("--dataset_name {bad}/some", "--do_eval needs a validation split; there is train; name a file with --val"),
    ("--train_file absent.json", "--train_file absent.json: no such file"),
    ("--train_file {bad}/folder.json", "folder.json: a folder, wanted a file"),
    ("--train_file data.txt", "wanted a file named .json, .jsonl, .csv, .parquet"),
    ("--cache_dir {bad}/notes.txt", "File exists"),
    ("--output_dir {bad}/notes.txt", "notes.txt: a file, wanted a folder"),
    ("--output_dir {bad}/notes.txt/out", "notes.txt/out: "),
    ("--resume_from_checkpoint absent", "--resume_from_checkpoint absent: no such folder"),
    ("--resume_from_checkpoint {bad}", "incomplete (no complete.json, which is written last)"),
    ("--deepspeed deepspeed.json", "--deepspeed needs a launcher: deepspeed train_model.py"),
    ("--batch_eval_metrics", "When using `batch_eval_metrics`"),
    ("--report_to wandb", "wandb"),
    ("--push_to_hub", "offline"),
    ("--optim adamw_bnb_8bit", "the training cannot be prepared: You need to install `bitsandbytes`"),
    ('--lr_scheduler_kwargs {"foo":1}', "unexpected keyword argument 'foo'"),
    ("absent.json", "absent.json: no such file"),
    # numbers
    ("--per_device_train_batch_size 0", "--per_device_train_batch_size 0: wanted a number, at least 1"),
    (
        "--per_device_eval_batch_size -2 --num_beams 0",
        "-2: wanted a number, at least 1; --num_beams 0: wanted a number, at",
    ),
    ("--gradient_accumulation_steps 0", "--gradient_accumulation_steps 0: wanted a number, at least 1"),
    ("--preprocessing_num_workers 0", "--preprocessing_num_workers 0: wanted a number, at least 1"),
    ("--max_train_samples 0", "--max_train_samples 0: wanted a number, at least 1"),
    ("--max_steps 0", "--max_steps 0: wanted at least 1, or -1 to train for --num_train_epochs"),
    ("--max_steps -1 --num_train_epochs nan", "--num_train_epochs nan: wanted a number above 0"),
    ("--learning_rate nan", "--learning_rate nan: wanted a number, at least 0"),
    ("--learning_rate -1", "--learning_rate -1.0: wanted a number, at least 0"),
    ("--learning_rate inf", "--learning_rate inf: wanted a number, at least 0"),
    ("--adam_beta1 1", "--adam_beta1 1.0: wanted a number from 0 to below 1"),
    ("--label_smoothing_factor -1", "--label_smoothing_factor -1.0: wanted a number from 0 to below 1"),
    ("--seed -1", "--seed -1: wanted a number from 0 to below 4294967296"),
    ("--dropout_rate 1.5", "--dropout_rate 1.5: wanted a number from 0 to below 1, or -1 to keep the model's"),
    ("--dropout_rate -0.5", "--dropout_rate -0.5: wanted a number from 0 to below 1, or -1 to keep the model's"),
    ("--logging_steps -1", "--logging_steps -1: wanted at least 1, or a share of all steps"),
    ("--max_seq_length 0", "--max_seq_length 0: wanted a number, at least 2"),
    ("--max_answer_length 1", "--max_answer_length 1: wanted a number, at least 2"),
    ("--val_max_answer_length 0", "--val_max_answer_length 0: wanted a number, at least 2"),
]


@pytest.fixture(scope="module")
def bad(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are not what they should be, and no model itself."""
    folder = tmp_path_factory.mktemp("bad")
    for name in ("empty", "texts", "folder.json", "some"):
        (folder / name).mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "texts" / "a.txt").write_text("a\n")
    (folder / "some" / "train.json").write_text('{"input": "a", "output": "b"}\n')
    for name in ("torn", "weightless", "speechless"):
        shutil.copytree(toy / "model", folder / name)
    os.truncate(folder / "torn" / "model.safetensors", 10_000)
    (folder / "weightless" / "model.safetensors").unlink()
    for path in (folder / "speechless").glob("*token*"):
        path.unlink()
    return folder


@pytest.mark.parametrize(("said", "message"), FAULTS, ids=[said for said, _ in FAULTS])
def test_a_fault_is_one_line(
    said: str,
    message: str,
    toy: Path,
    bad: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    Path("deepspeed.json").write_text(json.dumps({"zero_optimization": {"stage": 1}}))
    given = [word.replace("{bad}", str(bad)) for word in said.split()]
    assert published.main(given if said == "absent.json" else words(toy, tmp_path / "out", *given)) == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("train_model.py: ")
    assert message in line
    assert not list(tmp_path.glob("out/checkpoint-*"))
