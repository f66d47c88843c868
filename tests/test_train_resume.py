"""A training that is interrupted, resumed or repeated ends alike, to the last bit; and its snapshots."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from symtune.models.local import LocalModel, load
from symtune.training import StepLog, TrainConfig, train
from symtune.training.checkpoints import fault, newest_complete
from symtune.training.snapshots import FOLDER as SNAPSHOTS
from symtune.training.snapshots import points
from symtune.types import OutputError
from train_toy import LLAMA, T5, log_of, records, write

pytestmark = pytest.mark.usefixtures("one_thread")  # sums in a fixed order: runs are compared bit by bit


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "mix", records())


class Cut(Exception):  # noqa: N818
    """The run is interrupted here."""


@pytest.mark.parametrize("spec", [LLAMA, T5], ids=["causal", "seq2seq"])  # T5 has dropout: its draws go on too
def test_a_run_that_is_cut_and_resumed_ends_as_the_uninterrupted_one(
    spec: dict[str, Any], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def config(name: str) -> TrainConfig:
        return TrainConfig(
            model=spec,
            data=data,
            out=tmp_path / name,
            epochs=6 if spec is LLAMA else 2,
            batch_tokens=400,
            max_length=300,
            learning_rate=1e-3,
            save_every=2,
            snapshots=3,
        )

    def cut_at_five(step: StepLog) -> None:
        if step.step == 5:
            raise Cut

    whole = train(config("whole"), quiet=True)
    assert 6 < whole.steps < 30
    with pytest.raises(Cut):
        train(config("cut"), quiet=True, on_step=cut_at_five)
    assert not (tmp_path / "cut").exists()
    working = tmp_path / ".cut.working"
    (working / "checkpoint-99").mkdir()  # a checkpoint that was never written
    shutil.copytree(working / "checkpoint-4", working / "checkpoint-6")
    (working / "checkpoint-6" / "trainer_state.json").unlink()  # and one that was half written
    assert newest_complete(working) == working / "checkpoint-4"
    seen: list[int] = []
    capsys.readouterr()
    report = train(config("cut"), quiet=True, on_step=lambda step: seen.append(step.step))
    assert capsys.readouterr().err.splitlines() == [
        f"symtune: {working}/checkpoint-99 is incomplete (no complete.json, which is written last) and is skipped",
        f"symtune: {working}/checkpoint-6 is incomplete (trainer_state.json is missing) and is skipped",
    ]
    assert report.resumed_from == 4
    assert seen == list(range(5, whole.steps + 1))
    assert log_of(tmp_path / "cut") == log_of(tmp_path / "whole")
    assert not working.exists()
    folders = [Path(), *(Path(SNAPSHOTS) / f"step-{step}" for step in points(whole.steps, 3))]
    weights = [
        [(tmp_path / name / at / "model.safetensors").read_bytes() for at in folders] for name in ("whole", "cut")
    ]
    assert weights[0] == weights[1]
    assert len(set(weights[0])) == 4
    assert len(list((tmp_path / "cut" / SNAPSHOTS).iterdir())) == 3


def test_a_snapshot_is_the_model_as_it_was(data: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"model": LLAMA, "data": data, "batch_tokens": 400, "max_length": 300, "save_every": 2}
    plain = train(TrainConfig(out=tmp_path / "plain", epochs=2, **settings), quiet=True)
    whole = train(TrainConfig(out=tmp_path / "whole", epochs=2, snapshots=1, **settings), quiet=True)
    (folder,) = (tmp_path / "whole" / SNAPSHOTS).iterdir()
    weights = [(path / "model.safetensors").read_bytes() for path in (tmp_path / "plain", tmp_path / "whole", folder)]
    assert weights[0] == weights[1] != weights[2]  # a snapshot changes nothing
    (step,) = points(plain.steps, 1)
    assert folder.name == f"step-{step}"
    assert log_of(folder) == log_of(tmp_path / "whole")[:step]
    said, end = (json.loads((path / "manifest.json").read_text()) for path in (folder, tmp_path / "whole"))
    assert said["tokens"] == log_of(folder)[-1]["tokens"] < end["tokens"] == whole.tokens
    assert 0 < said["passes"] < end["passes"] == 2
    assert (said["in_domain"], said["splits"]) == (end["in_domain"], end["splits"])
    texts = [
        dict(LocalModel(load(path)).generate(["What is 2 + 2?"], max_new_tokens=4))
        for path in (folder, tmp_path / "whole")
    ]
    assert all(texts)


@pytest.mark.parametrize(("steps", "count", "after"), [(10, 0, []), (10, 4, [2, 4, 6, 8]), (3, 5, [1, 2]), (1, 2, [])])
def test_snapshots_are_evenly_spaced(steps: int, count: int, after: list[int]) -> None:
    assert points(steps, count) == after


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete checkpoint of a training that was interrupted."""
    folder = tmp_path_factory.mktemp("cut")

    def stop(step: StepLog) -> None:
        if step.step == 2:
            raise Cut

    settings: dict[str, Any] = {"epochs": 1, "batch_tokens": 400, "max_length": 300, "save_every": 1}
    with pytest.raises(Cut):
        train(
            TrainConfig(model=LLAMA, data=write(folder / "mix", records()), out=folder / "out", **settings),
            quiet=True,
            on_step=stop,
        )
    return folder / ".out.working" / "checkpoint-1"


TORN = [
    ("model.safetensors", lambda path: os.truncate(path, path.stat().st_size // 2), "model.safetensors has "),
    ("optimizer.pt", lambda path: os.truncate(path, 1000), "optimizer.pt has 1,000 of "),
    ("rng_state.pth", lambda path: path.unlink(), "rng_state.pth is missing"),
    ("scheduler.pt", lambda path: path.write_bytes(b"\0" * path.stat().st_size), "scheduler.pt has changed"),
    ("complete.json", lambda path: os.truncate(path, 100), "no complete.json"),
]


@pytest.mark.parametrize(("name", "tear", "wrong"), TORN, ids=[name for name, *_ in TORN])
def test_a_checkpoint_that_lost_data_is_passed_over_with_one_line(
    name: str, tear: Callable[[Path], Any], wrong: str, checkpoint: Path, tmp_path: Path
) -> None:
    shutil.copytree(checkpoint, tmp_path / "checkpoint-1")
    shutil.copytree(checkpoint, tmp_path / "checkpoint-2")
    tear(tmp_path / "checkpoint-2" / name)
    said: list[str] = []
    assert newest_complete(tmp_path, said.append) == tmp_path / "checkpoint-1"
    (line,) = said
    assert f"checkpoint-2 is incomplete ({wrong}" in line


def test_a_full_disk_is_one_line_and_the_older_checkpoint_stays_whole(data: Path, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_at_four(step: StepLog) -> None:
        if step.step == 4:  # its checkpoint cannot be written: no file may grow beyond this
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))

    settings: dict[str, Any] = {"epochs": 6, "batch_tokens": 400, "max_length": 300, "save_every": 2}
    config = TrainConfig(model=LLAMA, data=data, out=tmp_path / "out", **settings)
    try:
        with pytest.raises(OutputError, match=r"^cannot write .*checkpoint-4: .+$"):
            train(config, quiet=True, on_step=fill_at_four)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept = tmp_path / ".out.working" / "checkpoint-2"
    assert not fault(kept)
    assert not (kept.parent / "checkpoint-4").exists()
    assert train(config, quiet=True).resumed_from == 2


def test_checkpoints_of_another_run_are_not_resumed(data: Path, tmp_path: Path) -> None:
    def stop(step: StepLog) -> None:
        if step.step == 3:
            raise Cut

    settings: dict[str, Any] = {"epochs": 4, "batch_tokens": 300, "max_length": 300, "save_every": 1}
    out = tmp_path / "out"
    with pytest.raises(Cut):
        train(TrainConfig(model=LLAMA, data=data, out=out, **settings), quiet=True, on_step=stop)
    kept = newest_complete(tmp_path / ".out.working")
    with pytest.raises(OutputError, match=r"unfinished work with other arguments \(seed: was 7, is 8\).*--overwrite"):
        train(TrainConfig(model=LLAMA, data=data, out=out, **settings, seed=8), quiet=True)
    assert newest_complete(tmp_path / ".out.working") == kept is not None
    other = train(TrainConfig(model=LLAMA, data=data, out=out, **settings, seed=8, overwrite=True), quiet=True)
    assert other.resumed_from == 0
    assert not (tmp_path / ".out.working").exists()


def test_training_twice_gives_the_same_weights_and_another_seed_others(data: Path, tmp_path: Path) -> None:
    weights = []
    for number, seed in enumerate([7, 7, 8]):
        out = tmp_path / str(number)
        config = TrainConfig(model=T5, data=data, out=out, max_tokens=3000, batch_tokens=1000, seed=seed)
        train(config, quiet=True)
        weights.append((out / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]
