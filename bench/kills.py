"""Does a training that is killed and resumed end like one that was not? To the last bit of its weights and its log.

    python bench/kills.py [--kills 20] [--seed 1]

For `symtune train` and `train_model.py`, with one process and with two: one training runs uninterrupted. Then the same
training is killed with SIGKILL at random moments (while a checkpoint is written, or in the steps after it), all
its processes at once, and resumed from the newest complete checkpoint by the same command, until the given number of
kills is reached and the current training has ended. CPU only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from symtune.workers import free_port

TRAIN, PUBLISHED = "symtune train", "train_model.py"
MODEL = {
    "architecture": "t5",
    "tokenizer": "bytes",
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 1,
    "num_heads": 2,
}
STEPS, SAVE_EVERY = 40, 3
AHEAD = 4  # the next kill happens at one of this many checkpoints after the newest one
LIMIT = 300  # seconds after which a run is considered hung

# Modules are imported once, in a process from which every run is forked.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["symtune.training.run", "symtune.published.train", "symtune.cli"])


@dataclass
class Outcome:
    """The outcome: how many kills, the steps from which trainings resumed, and trainings that ended differently."""

    kills: int = 0
    resumed_from: list[int] = field(default_factory=list)
    trainings: int = 0
    different: int = 0


def _child(verb: str, argv: Sequence[str], rank: int, processes: int, port: int, log: str) -> None:
    """One process of a training."""
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    if processes > 1:  # what torchrun sets
        found = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        os.environ |= {name: str(value) for name, value in found.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    import torch

    torch.set_num_threads(1)
    if verb == TRAIN:
        from symtune.cli import main

        sys.argv = ["symtune", "train", *argv]
        main()
    else:
        from symtune.published.train import main as train_model

        sys.exit(train_model(argv))


def run(verb: str, argv: Sequence[str], processes: int, log: Path, kill: Callable[[], bool] | None = None) -> bool:
    """Run a training, and kill it once `kill()` is true; returns False if it was killed. Raises SystemExit if it
    fails."""
    port = free_port()
    started = [
        _CONTEXT.Process(target=_child, args=(verb, list(argv), rank, processes, port, str(log)))
        for rank in range(processes)
    ]
    for one in started:
        one.start()
    end, killed = time.monotonic() + LIMIT, False
    while any(one.is_alive() for one in started) and time.monotonic() < end:
        if kill is not None and kill():
            killed = True
            break
        time.sleep(0.003)
    for one in started:
        one.kill()
    for one in started:
        one.join()
    codes = [one.exitcode for one in started]
    if killed:
        return False
    if any(codes):
        raise SystemExit(f"{verb} with {processes} processes ended with {codes}:\n{log.read_text()[-3000:]}")
    return True


def _at(folder: Path, step: int, delay: float) -> Callable[[], bool]:
    """A function that becomes true `delay` seconds after the writing of a checkpoint of this step, or a later one,
    begins."""
    now, began = time.time(), list[float]()

    def due() -> bool:
        if not began and any(_begun(path, step, now) for path in folder.glob("checkpoint-*")):
            began.append(time.monotonic())
        return bool(began) and time.monotonic() >= began[0] + delay

    return due


def _begun(path: Path, step: int, since: float) -> bool:
    try:
        return int(path.name.removeprefix("checkpoint-")) >= step and path.stat().st_ctime > since
    except FileNotFoundError:  # an older checkpoint was deleted meanwhile
        return False


def prepare(folder: Path) -> None:
    """A model, a training set folder and a data set in the published layout, all small."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from symtune.models.local import load

    draw = random.Random(5)
    rows = [{"input": f"{'ab' * draw.randint(1, 20)} {k}", "output": str(draw.randint(1, 9999))} for k in range(64)]
    (folder / "mix" / "data").mkdir(parents=True)
    records = [{"prompt": row["input"], "completion": row["output"]} for row in rows]
    pq.write_table(pa.Table.from_pylist(records), folder / "mix" / "data" / "train-00000-of-00001.parquet")
    (folder / "published" / "train").mkdir(parents=True)
    (folder / "published" / "train" / "sql.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    loaded = load(MODEL)
    loaded.model.save_pretrained(folder / "model")
    loaded.tokenizer.save_pretrained(folder / "model")


def command(verb: str, processes: int, folder: Path, out: Path) -> list[str]:
    """The arguments of a training that saves every few steps."""
    if verb == TRAIN:
        return [
            "--model", str(folder / "model"), "--data", str(folder / "mix"), "--out", str(out), "--save-every",
            str(SAVE_EVERY), "--batch-tokens", "200", "--max-tokens", str(STEPS * 200), "--max-length", "100",
            "--processes", str(processes),
        ]  # fmt: skip
    return [
        "--model_name_or_path", str(folder / "model"), "--dataset_name", str(folder / "published"), "--do_train",
        "--output_dir", str(out), "--per_device_train_batch_size", "2", "--gradient_accumulation_steps", "2",
        "--max_steps", str(STEPS), "--save_steps", str(SAVE_EVERY), "--save_total_limit", "2", "--logging_steps", "1",
        "--learning_rate", "1e-3",
    ]  # fmt: skip


def result(verb: str, out: Path) -> tuple[bytes, list[Any]]:
    """The weights and the log of a training."""
    weights = (out / "model.safetensors").read_bytes()
    if verb == TRAIN:
        return weights, (out / "log.jsonl").read_text().splitlines()
    history = json.loads((out / "trainer_state.json").read_text())["log_history"]
    return weights, [line for line in history if "loss" in line]


def kill_and_resume(verb: str, processes: int, kills: int, seed: int, folder: Path) -> Outcome:
    """Kill a training on the prepared folder the given number of times."""
    log, draw, found = folder / "log.txt", random.Random(f"{verb}/{processes}/{seed}"), Outcome()
    whole, out = folder / "whole", folder / "killed"
    for path in (whole, out):
        shutil.rmtree(path, ignore_errors=True)
    run(verb, command(verb, processes, folder, whole), processes, log)
    wanted, newest = result(verb, whole), 0
    while True:
        targets = list(range(newest + SAVE_EVERY, len(wanted[1]), SAVE_EVERY))[:AHEAD]
        kill = None
        if targets and found.kills < kills:
            # Some kills happen while a checkpoint is written, some in the steps after it.
            kill = _at(_work(verb, out), draw.choice(targets), draw.uniform(0, 0.1))
        if not run(verb, command(verb, processes, folder, out), processes, log, kill):
            newest = _newest(verb, out)
            found.kills += 1
            found.resumed_from.append(newest)
            if verb == PUBLISHED or not out.exists():  # otherwise it was already complete
                continue
        found.trainings += 1
        found.different += result(verb, out) != wanted
        shutil.rmtree(out)
        newest = 0
        if found.kills >= kills:
            return found


def _work(verb: str, out: Path) -> Path:
    """Where a training keeps its checkpoints."""
    return out.with_name(f".{out.name}.working") if verb == TRAIN else out


def _newest(verb: str, out: Path) -> int:
    """The step of the newest complete checkpoint that a kill left; 0 for none."""
    from symtune.training.checkpoints import newest_complete, step_of

    return step_of(newest_complete(_work(verb, out)))


def main() -> None:
    """All four kinds of training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="kills for each kind of training")
    parser.add_argument("--seed", type=int, default=1)
    said = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    wrong = 0
    for verb in (TRAIN, PUBLISHED):
        for processes in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                prepare(Path(folder))
                found = kill_and_resume(verb, processes, said.kills, said.seed, Path(folder))
            wrong += found.different
            print(
                f"{verb}, {processes} process{'es' * (processes > 1)}: {found.kills} kills in {found.trainings} "
                f"trainings of about {STEPS} steps, newest complete checkpoints {found.resumed_from}; "
                f"{found.trainings - found.different} of {found.trainings} bit-identical to the training never killed",
                flush=True,
            )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
