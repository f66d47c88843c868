"""One training run: check, load, encode, plan, train (or resume), and write the complete checkpoint folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import accelerate
import torch
import transformers

from symtune.models.local import LoadedModel, check_model, load
from symtune.models.local import quiet as quiet_transformers
from symtune.output import check_writable, sha256, versions, working_folder
from symtune.packing import Row
from symtune.training import checkpoints
from symtune.training import rows as training_rows
from symtune.training.config import StepLog, TrainConfig, TrainReport
from symtune.training.isolation import choose_attention
from symtune.training.meter import Meter
from symtune.training.plan import make_plan
from symtune.training.results import Ended, write
from symtune.training.tensors import Batches
from symtune.training.trainers import make_trainer, step_logs
from symtune.types import InputError


def run(config: TrainConfig, *, on_step: Callable[[StepLog], None] | None, quiet: bool) -> TrainReport:
    """See `symtune.training.train`."""
    started = time.monotonic()
    files = _check(config)
    first = os.environ.get("RANK", "0") == "0"  # of several processes, only the first prints
    with quiet_transformers(), Meter(config, files, quiet or not first) as meter:
        loaded = load(config.model)
        meter.stage("reading the training set")
        rows, facts = _rows(config, loaded, files)
        plan = make_plan(rows, loaded.kind, config)
        if sum(row.trained < 1 for row in rows):
            raise RuntimeError("a row has no trained token")  # a bug of ours, since each row ends with an end token
        packing = config.pack and loaded.kind == "causal"
        share = packing and config.share_prefix
        attention = loaded.model.config._attn_implementation
        isolation = choose_attention(loaded, rows, plan.packs, share) if packing else None
        meter.begin(plan)

        def step_done(step: StepLog) -> None:
            meter.step(step)
            if on_step:
                on_step(step)

        identity = _identity(config, loaded, facts)
        with contextlib.ExitStack() as stack:
            with accelerate.PartialState(cpu=not torch.cuda.is_available()).main_process_first():
                work = working_folder(config.out, identity, worth=_has_checkpoint, overwrite=config.overwrite)
                working = stack.enter_context(work)
            trainer = make_trainer(loaded, Batches(rows, plan, loaded, share), config, working, step_done)
            resumed = checkpoints.newest_complete(working, meter.say if first else lambda line: None)
            meter.resume(checkpoints.step_of(resumed), plan)
            with _seeded(config.seed):
                trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
            logs = step_logs(plan, trainer.state.log_history)
            loaded.model.set_attn_implementation(attention)
            ended = Ended(config, loaded, plan, logs, facts, isolation, checkpoints.step_of(resumed))
            report = ended.report(time.monotonic() - started)
            meter.stage("writing the checkpoint")
            if trainer.is_world_process_zero():
                write(ended, report, working)
    return report


def _check(config: TrainConfig) -> list[Path]:
    """Check everything that can be checked before the model is loaded. Returns the files to read."""
    real = int(os.environ.get("WORLD_SIZE", "1"))
    if real != config.processes:
        raise InputError(
            f"got {real} processes, wanted {config.processes}: start them with `torchrun "
            f"--nproc_per_node {config.processes} --no-python symtune train … --processes {config.processes}`"
        )
    files = training_rows.shards(config.data)
    training_rows.check_rows(files)
    check_writable(config.out, overwrite=config.overwrite)
    check_model(config.model)
    return files


def _rows(config: TrainConfig, loaded: LoadedModel, files: Sequence[Path]) -> tuple[list[Row], dict[str, Any]]:
    """The rows to train on, and what the manifest says about them."""
    records = list(training_rows.read(files))
    facts: dict[str, Any] = {"data_sha256": {file.name: sha256(file) for file in files}}
    if config.shuffle_answers is not False:
        records, changed = training_rows.shuffle_answers(records, config.shuffle_answers, config.seed)
        facts["shuffled_answers"] = {"records": len(records), "changed": changed}
        if not changed:
            raise InputError(
                f"shuffle_answers {config.shuffle_answers}: no completion changed; check the names of the sources"
            )
    rows, dropped = training_rows.encode(loaded, records, config.max_length)
    facts |= {"records": len(rows), "dropped": dict(sorted(dropped.items()))}
    if not rows:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items()))
        raise InputError(f"{config.data}: no record can be trained on ({reasons}); max_length is {config.max_length}")
    return rows, facts


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generator, from which dropout draws, and restore it afterwards."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        transformers.set_seed(seed)
        yield


# ------------------------------------------------------------------------------------- resuming
def _identity(config: TrainConfig, loaded: LoadedModel, facts: dict[str, Any]) -> dict[str, Any]:
    """Everything that determines the outcome of the training."""
    settings = config.model_dump(mode="json", exclude={"model", "data", "out", "overwrite", "save_every"})
    return {
        **settings,
        "weights_sha256": loaded.weights_sha256,
        "data_sha256": facts["data_sha256"],
        "versions": versions("torch", "transformers"),
    }


def _has_checkpoint(folder: Path) -> bool:
    return any(folder.glob(f"{checkpoints.PREFIX}*"))
