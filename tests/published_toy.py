"""The published commands on a toy: a model of random weights, a small data set in the published layout."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from symtune.models.local import load
from symtune.workers import free_port

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


def prepare(folder: Path) -> Path:
    """A model and data in the published layout."""
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


STEP = "--dropout_rate 0 --max_steps 1 --warmup_steps 0 --evaluation_strategy no --save_strategy no".split()


def one_step(out: Path) -> tuple[float, float]:
    """The loss and gradient norm of the only step."""
    (line,) = logged(out)
    return line["loss"], line["grad_norm"]


def step_words(toy: Path, out: Path, batch: str, accumulation: str, sort: str, *more: str) -> list[str]:
    """The published command for a single step, without an evaluation."""
    sizes = ["--per_device_train_batch_size", batch, "--gradient_accumulation_steps", accumulation]
    base = [word for word in LARGE if word != "--do_eval"]
    return words(toy, out, *STEP, *sizes, "--sort_in_step", sort, *more, base=base)


def launched(
    *command: str | Path, environment: dict[str, str] | None = None, fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command from the root of the repository, as a user would; it must end as it should."""
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
    assert (done.returncode != 0) == fails, done.stderr[-3000:]
    return done


def torchrun() -> tuple[str, ...]:
    return ("torchrun", "--standalone", "--nproc_per_node", "2")


def accelerate() -> tuple[str, ...]:
    config = ("--config_file", "train_config.yaml", "--num_processes", "2", "--main_process_port", str(free_port()))
    return ("accelerate", "launch", *config)


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file may grow beyond this, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
