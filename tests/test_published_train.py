"""train_model.py: old flags, the loss of a step, what is cut, checkpoints, the launchers, two processes."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from symtune.models.local import load
from symtune.published import train as published
from symtune.published.arguments import parse, share_cores
from symtune.published.flags import RENAMED, WITHOUT_EFFECT, arguments_of, translate
from symtune.published.scores import NAMES, score_by
from symtune.training import checkpoints
from symtune.types import InputError, SymtuneError

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
T5 = {"architecture": "t5", "tokenizer": "bytes", "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 1, "num_heads": 2}

# The published words, but for model, data and the counts of steps.
LARGE = (
    "--eval_func get_denotation_accuracy --input_column input --output_column output --do_train --do_eval "
    "--per_device_train_batch_size 2 --per_device_eval_batch_size 6 --gradient_accumulation_steps 4 "
    "--learning_rate 3e-3 --preprocessing_num_workers 1 --generation_max_length 8 --eval_steps 3 --save_steps 3 "
    "--max_steps 3 --logging_strategy steps --logging_steps 1 --evaluation_strategy steps --predict_with_generate "
    "--warmup_steps 1 --max_seq_length 2048 --max_answer_length 128 --val_max_answer_length 128 --run_name toy"
).split()


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and data in the published layout."""
    folder = tmp_path_factory.mktemp("published")
    loaded = load(T5)
    loaded.model.save_pretrained(folder / "model")
    loaded.tokenizer.save_pretrained(folder / "model")
    draw = random.Random(3)
    files = {"train/flan": 20, "train/sql": 20, "validation/wtq_mmlu": 5, "test/wtq_tapex_large": 5}
    for name, rows in files.items():
        path = folder / "data" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            {
                "input": f"{name} {'x' * draw.randint(1, 60)} {k}",
                "output": str(draw.randint(1, 10 ** draw.randint(1, 5))),
            }
            for k in range(rows)
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def speaking(folder: Path) -> Path:
    """A model of random weights that writes letters and digits, and other ones for another input."""
    loaded, drawn = load(T5), torch.Generator().manual_seed(5)
    read = [loaded.tokenizer.decode([token]) for token in range(loaded.model.config.vocab_size)]
    with torch.no_grad():
        for name, weight in loaded.model.named_parameters():
            if weight.ndim == 2:
                weight.normal_(0, 1 if "EncDec" in name else 0.3, generator=drawn)
        silent = [token for token, text in enumerate(read) if not (text.isascii() and text.isalnum())]
        loaded.model.get_input_embeddings().weight[silent] = 0
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def words(toy: Path, out: Path, *more: str, base: Sequence[str] = LARGE) -> list[str]:
    """The published command followed by `more`, whose flags replace the published ones."""
    found = list(base)
    for flag in [word for word in more if word.startswith("--")]:
        if flag in found:
            place = found.index(flag)
            end = place + 1
            while end < len(found) and not found[end].startswith("--"):
                end += 1
            del found[place:end]
    where = ["--model_name_or_path", str(toy / "model"), "--dataset_name", str(toy / "data"), "--output_dir", str(out)]
    return [*where, *found, *more]


def logged(out: Path) -> list[dict[str, float]]:
    history = json.loads((out / "trainer_state.json").read_text())["log_history"]
    return [line for line in history if "loss" in line]


# ------------------------------------------------------------------------------------------------------------- flags
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


FAULTS = [
    ("--eval_fun x", "unknown argument '--eval_fun'. Did you mean '--eval_func'?"),
    ("--evalution_strategy steps", "Did you mean '--evaluation_strategy'?"),
    ("--eval_func get_denotation_acuracy", "unknown metric 'get_denotation_acuracy'. Did you mean 'get_denotation_"),
    ("--learning_rate fast", "argument --learning_rate/--learning-rate: invalid float value: 'fast'"),
    ("--warmup_ratio 2", "--warmup_ratio 2.0: wanted a number from 0 to below 1"),
    ("--evaluation_strategy no --eval_strategy no", "--evaluation_strategy is now --eval_strategy, and both are given"),
    ("--model_name_or_path ./absent", "model ./absent: no such folder"),
    ("--dataset_name ./absent", "./absent: cannot be loaded"),
    ("--input_column question", "the train split: no column 'question'; there is input, output"),
    ("--train_file absent.json", "--train_file absent.json: no such file"),
    ("--train_file data.txt", "wanted a file named .json, .jsonl, .csv, .parquet"),
    ("--resume_from_checkpoint absent", "--resume_from_checkpoint absent: no such folder"),
    ("--deepspeed deepspeed.json", "--deepspeed needs a launcher: deepspeed train_model.py"),
    ("--batch_eval_metrics", "When using `batch_eval_metrics`"),
    ("--max_answer_length 1", "--max_answer_length 1: wanted at least 2 tokens"),
    ("absent.json", "absent.json: no such file"),
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
    Path("deepspeed.json").write_text(json.dumps({"zero_optimization": {"stage": 1}}))
    argv = (
        said.split()
        if said.endswith("absent.json") and " " not in said
        else words(toy, tmp_path / "out", *said.split())
    )
    assert published.main(argv) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("train_model.py: ")
    assert message in line


# ------------------------------------------------------------------------------------------------------------ scores
PAIRS = [
    ("get_denotation_accuracy", "Athens, 1896", "1896, athens", 1.0),
    ("get_denotation_accuracy", "The answer is 5", "5", 0.0),
    ("get_exact_match", "YES", "yes", 1.0),
    ("get_exact_match_option", "b", "(B)", 1.0),
    ("wtq", "5.0", "5", 1.0),
    ("denotation", "1,000", "1000", 1.0),
    ("exact_match", "a | b", "a | b", 1.0),
    ("option_match", "The answer is (B).", "(B)", 1.0),
]


@pytest.mark.parametrize(("name", "text", "gold", "score"), PAIRS)
def test_metrics_by_name(name: str, text: str, gold: str, score: float) -> None:
    assert score_by(name)(text, gold) == score
    assert score_by(name)("no idea", gold) == 0.0


def test_every_metric_can_be_named() -> None:
    assert {name for name, *_ in PAIRS} == set(NAMES)


# ------------------------------------------------------------------------------------------------ the loss of a step
SHAPES = [
    pytest.param(("2", "4", "False"), id="2x4"),
    pytest.param(("2", "4", "True"), id="2x4-sorted"),
    pytest.param(("4", "2", "True", "--pad_to_max_length", "--max_seq_length", "120"), id="4x2-padded"),
]
STEP = (
    "--dropout_rate",
    "0",
    "--max_steps",
    "1",
    "--warmup_steps",
    "0",
    "--eval_strategy",
    "no",
    "--save_strategy",
    "no",
)


def one_step(out: Path) -> tuple[float, float]:
    """The loss and gradient norm of the only step."""
    (line,) = logged(out)
    return line["loss"], line["grad_norm"]


def step_words(toy: Path, out: Path, batch: str, accumulation: str, sort: str, *more: str) -> list[str]:
    base = [
        word for word in words(toy, out, *STEP, *more) if word not in ("--evaluation_strategy", "steps", "--do_eval")
    ]
    base = ["--logging_strategy" if word == "--logging_strategy" else word for word in base]
    place = base.index("--logging_strategy")
    base.insert(place + 1, "steps")
    sizes = {"--per_device_train_batch_size": batch, "--gradient_accumulation_steps": accumulation}
    for flag, value in sizes.items():
        base[base.index(flag) + 1] = value
    return [*base, "--sort_in_step", sort]


@pytest.fixture(scope="module")
def eight_by_one(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    out = tmp_path_factory.mktemp("step") / "out"
    published.run(step_words(toy, out, "8", "1", "False"))
    return one_step(out)


def test_the_loss_of_a_step_is_the_mean_over_its_answer_tokens(
    toy: Path, tmp_path: Path, eight_by_one: tuple[float, float]
) -> None:
    """Computed here from the model alone, with the loss of transformers on the eight examples in one batch."""
    from symtune.published.data import Reading, encode, load_splits
    from symtune.published.model import load_model
    from symtune.published.steps import _order

    model_arguments, arguments, training, _ = parse(step_words(toy, tmp_path, "8", "1", "False"))
    model, tokenizer = load_model(model_arguments, print)
    part = encode(load_splits(arguments)["train"], tokenizer, Reading("input", "output", 2048, 128))
    rows = [part.rows[k] for k in _order(training.seed, 0, len(part))[:8]]
    width, long = max(len(row["input_ids"]) for row in rows), max(len(row["labels"]) for row in rows)
    ids = torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows])
    labels = torch.tensor([row["labels"] + [-100] * (long - len(row["labels"])) for row in rows])
    loss = model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    assert eight_by_one == pytest.approx((loss.item(), norm.item()), rel=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_micro_batches_do_not_change_the_step(
    shape: tuple[str, ...], toy: Path, tmp_path: Path, eight_by_one: tuple[float, float]
) -> None:
    published.run(step_words(toy, tmp_path / "out", *shape))
    assert one_step(tmp_path / "out") == pytest.approx(eight_by_one, rel=1e-5)


def test_padding_of_answers_bears_a_loss_where_that_is_asked(toy: Path, tmp_path: Path) -> None:
    """In one batch, as many tokens count as the longest answer has, times the number of examples."""
    found = []
    for ignored in ("True", "False"):
        out = tmp_path / ignored
        published.run(step_words(toy, out, "8", "1", "False", "--ignore_pad_token_for_loss", ignored))
        found.append(one_step(out)[0])
    assert found[0] != pytest.approx(found[1], rel=1e-3)


EVALUATE = ["--do_eval", "--do_predict", "--generation_max_length", "9"]
SAY = ["--predict_with_generate", "--eval_func", "exact_match"]


@pytest.fixture(scope="module")
def evaluated(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """A model that speaks; the metrics and the predictions of one process, one example at a time."""
    folder = tmp_path_factory.mktemp("evaluated")
    model = speaking(folder / "model")
    more = ["--model_name_or_path", str(model), "--per_device_eval_batch_size", "1"]
    metrics = published.run([*words(toy, folder / "out", base=[*EVALUATE, *SAY]), *more])
    return model, metrics, (folder / "out" / "predictions.jsonl").read_text()


def test_an_evaluation_is_the_mean_over_answer_tokens_and_scores_what_is_written(
    toy: Path, evaluated: tuple[Path, dict[str, Any], str]
) -> None:
    """The loss is computed here from the model alone, and the answers are the model's own, in the file's order."""
    from symtune.published.arguments import ModelArguments
    from symtune.published.model import load_model

    path, metrics, predictions = evaluated
    model, tokenizer = load_model(ModelArguments(str(path), dropout_rate=-1), print)
    summed, tokens, written = 0.0, 0, []
    lines = map(json.loads, (toy / "data" / "test" / "wtq_tapex_large.json").read_text().splitlines())
    for line in lines:
        inputs, labels = (tokenizer(line[name], return_tensors="pt") for name in ("input", "output"))
        with torch.no_grad():
            summed += model.eval()(**inputs, labels=labels["input_ids"]).loss.item() * labels["input_ids"].shape[1]
        tokens += labels["input_ids"].shape[1]
        answer = tokenizer.decode(model.generate(**inputs, max_length=9)[0], skip_special_tokens=True)
        written.append({"prediction": answer, "ground_truth": line["output"]})
    assert metrics["predict_loss"] == pytest.approx(summed / tokens, rel=1e-5)
    assert [json.loads(line) for line in predictions.splitlines()] == written
    assert len({line["prediction"] for line in written}) > 2
    assert {"eval_loss", "eval_exact_match", "predict_exact_match_high"} <= set(metrics)


@pytest.mark.parametrize("base", [EVALUATE, [*EVALUATE, *SAY]], ids=["loss", "answers"])
def test_batches_do_not_change_an_evaluation(
    base: list[str], toy: Path, tmp_path: Path, evaluated: tuple[Path, dict[str, Any], str]
) -> None:
    model, metrics, predictions = evaluated
    more = ["--model_name_or_path", str(model), "--per_device_eval_batch_size", "3"]
    found = published.run([*words(toy, tmp_path / "out", base=base), *more])
    for name in ("eval_loss", "predict_loss"):
        assert found[name] == pytest.approx(metrics[name], rel=1e-5)
    assert base is EVALUATE or (tmp_path / "out" / "predictions.jsonl").read_text() == predictions


@pytest.mark.xdist_group("processes")
def test_two_processes_evaluate_as_one(toy: Path, tmp_path: Path, evaluated: tuple[Path, dict[str, Any], str]) -> None:
    """Five rows in batches of two: the last batches are filled up, which changes nothing."""
    model, metrics, predictions = evaluated
    more = ["--model_name_or_path", str(model), "--per_device_eval_batch_size", "2"]
    launched(*torchrun(), "train_model.py", *words(toy, tmp_path / "out", base=[*EVALUATE, *SAY]), *more)
    found = json.loads((tmp_path / "out" / "all_results.json").read_text())
    assert (tmp_path / "out" / "predictions.jsonl").read_text() == predictions
    for name in ("eval_loss", "predict_loss"):
        assert found[name] == pytest.approx(metrics[name], rel=1e-5)
    same = ("eval_samples", "eval_exact_match", "predict_exact_match", "predict_exact_match_high")
    assert [found[name] for name in same] == [metrics[name] for name in same]


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


# --------------------------------------------------------------------------------------- checkpoints, one process
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


# ------------------------------------------------------------------------------------------------------ the launchers
def launched(*command: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ACCELERATE")}
    variables = {
        **clean,
        "PYTHONPATH": paths,
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=variables | (environment or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.mark.xdist_group("processes")
def test_the_published_launch_line_runs_without_a_gpu_and_without_variables(toy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    launched("accelerate", "launch", "--config_file", "train_config.yaml", "train_model.py", *words(toy, out))
    assert len(logged(out)) == 3
    assert (out / "model.safetensors").is_file()


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def torchrun() -> tuple[str, ...]:
    return ("torchrun", "--standalone", "--nproc_per_node", "2")


def accelerate() -> tuple[str, ...]:
    config = ("--config_file", "train_config.yaml", "--num_processes", "2", "--main_process_port", free_port())
    return ("accelerate", "launch", *config)


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("launcher", [torchrun, accelerate])
def test_two_processes_take_the_step_of_one(
    launcher: Callable[[], tuple[str, ...]], toy: Path, tmp_path: Path, eight_by_one: tuple[float, float]
) -> None:
    variables = {"ACCELERATE_USE_CPU": "true"} if launcher is accelerate else {}
    launched(*launcher(), "train_model.py", *step_words(toy, tmp_path / "out", "2", "2", "True"), environment=variables)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["training"]["processes"] == 2
    assert one_step(tmp_path / "out") == pytest.approx(eight_by_one, rel=1e-5)


@pytest.mark.xdist_group("processes")
def test_a_step_of_zero_1_in_two_processes_is_the_step_without_it(toy: Path, tmp_path: Path) -> None:
    """The ZeRO-1 configuration of the xl command, in float32: same loss, gradient norm and weights after one step."""
    config = ROOT / "deepspeed_config" / "zero_stage1_config.json"
    for name, more in (("plain", ()), ("zero", ("--deepspeed", str(config)))):
        launched(*torchrun(), "train_model.py", *step_words(toy, tmp_path / name, "2", "2", "True"), *more)
    assert one_step(tmp_path / "zero") == pytest.approx(one_step(tmp_path / "plain"), rel=1e-4)
    one, two = (safetensors.torch.load_file(tmp_path / name / "model.safetensors") for name in ("plain", "zero"))
    start = safetensors.torch.load_file(toy / "model" / "model.safetensors")
    assert one.keys() <= two.keys()  # deepspeed gives shared weights out under each of their names
    moved = max(float((one[name] - start[name]).abs().max()) for name in one)
    assert moved > 1e-3
    # Adam's first step moves each weight by the learning rate in its gradient's direction: nearly all agree.
    agree = [((one[name] - two[name]).abs() < 0.01 * moved).float().mean() for name in one]
    assert min(agree) > 0.99


@pytest.mark.xdist_group("processes")
def test_the_xl_command_takes_the_step_of_one_process_in_two(toy: Path, tmp_path: Path) -> None:
    """deepspeed's own launcher, ZeRO-1 in bfloat16, 512 examples a step: against torchrun without deepspeed."""
    from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

    deepspeed = ("deepspeed", "--num_gpus", "2", "--master_port", free_port())
    base = step_words(toy, tmp_path, "16", "16", "True", "--bf16")
    base = [*base, "--save_strategy", "steps", "--save_steps", "1"]
    config = ("--deepspeed", "deepspeed_config/zero_stage1_config.json")
    for name, launcher, more in (("zero", deepspeed, config), ("plain", torchrun(), ())):
        launched(*launcher, "train_model.py", *base, *more, "--output_dir", str(tmp_path / name))
    # A step has so many tokens that bfloat16 does not hold their number, and a divisor in it would show.
    loss, norm = one_step(tmp_path / "plain")
    assert one_step(tmp_path / "zero")[0] == pytest.approx(loss, rel=3e-4)
    assert one_step(tmp_path / "zero")[1] == pytest.approx(norm, rel=1e-2)
    plain = safetensors.torch.load_file(tmp_path / "plain" / "model.safetensors")
    start = safetensors.torch.load_file(toy / "model" / "model.safetensors")
    zero = get_fp32_state_dict_from_zero_checkpoint(str(tmp_path / "zero" / "checkpoint-1"))
    # deepspeed begins with the weights in bfloat16, so the moves are compared, and not where they lead.
    moves = [(plain[name] - start[name], zero[name] - start[name].bfloat16().float()) for name in start]
    one, two = (torch.cat([move[side].flatten() for move in moves]) for side in (0, 1))
    assert float(one.abs().max()) > 1e-3
    assert float(((one - two).abs() < 1e-4).float().mean()) > 0.95
