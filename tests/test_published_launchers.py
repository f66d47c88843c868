"""The published commands under their launchers: one process and two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from published_toy import BIN, ROOT, accelerate, launched, logged, one_step, step_words, torchrun, words
from symtune.published import train as published
from symtune.workers import free_port

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def eight_by_one(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    out = tmp_path_factory.mktemp("step") / "out"
    published.run(step_words(toy, out, "8", "1", "False"))
    return one_step(out)


@pytest.mark.xdist_group("processes")
def test_the_published_launch_line_runs_without_a_gpu_and_without_variables(toy: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    launched("accelerate", "launch", "--config_file", "train_config.yaml", "train_model.py", *words(toy, out))
    assert len(logged(out)) == 3
    assert (out / "model.safetensors").is_file()


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("launcher", [torchrun, accelerate])
def test_two_processes_take_the_step_of_one(
    launcher: Callable[[], tuple[str, ...]], toy: Path, tmp_path: Path, eight_by_one: tuple[float, float]
) -> None:
    variables = {"ACCELERATE_USE_CPU": "true"} if launcher is accelerate else {}
    launched(*launcher(), "train_model.py", *step_words(toy, tmp_path / "out", "2", "2", "True"), environment=variables)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["training"]["processes"] == 2
    assert one_step(tmp_path / "out") == pytest.approx(eight_by_one, rel=1e-5)


LEAVING = """
import atexit, torch
from symtune.training.group import leave_group

class Late:
    def __del__(self):
        print("the interpreter ends")

late = Late()
atexit.register(print, "what was registered is run")
leave_group()
torch.distributed.init_process_group("gloo", rank=0, world_size=1, store=torch.distributed.HashStore())
leave_group(3)
"""


def test_leaving_the_group_ends_the_process_before_the_interpreter_does(tmp_path: Path) -> None:
    """Threads of gloo that are left would abort it there."""
    (tmp_path / "leaving.py").write_text(LEAVING)
    done = launched(BIN / "python", tmp_path / "leaving.py", fails=True)
    assert (done.returncode, done.stdout) == (3, "what was registered is run\n")


FAULTS = [("--learning_rate nan", "--learning_rate nan: wanted"), ("--learning_rate 1e38", "the training diverged")]


@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize(("said", "message"), FAULTS, ids=[said for said, _ in FAULTS])
def test_a_fault_that_two_processes_have_is_one_line_of_ours(
    said: str, message: str, toy: Path, tmp_path: Path
) -> None:
    """Whatever the launcher adds to it."""
    more = ("--max_steps", "5", *said.split())
    done = launched(*torchrun(), "train_model.py", *words(toy, tmp_path / "out", *more), fails=True)
    (line,) = [line for line in done.stderr.splitlines() if message in line]
    assert line.startswith("train_model.py: ")
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.xdist_group("processes")
def test_a_full_disk_is_one_line_of_two_processes(toy: Path, tmp_path: Path) -> None:
    """The second process waits for the first one, which cannot write."""
    said = words(toy, tmp_path / "out", "--save_steps", "1")
    done = launched("bash", "-c", 'ulimit -f 60; "$@"', "bash", *torchrun(), "train_model.py", *said, fails=True)
    (line,) = [line for line in done.stderr.splitlines() if "cannot write" in line]
    assert line.startswith(f"train_model.py: cannot write {tmp_path}/out/checkpoint-1: ")
    assert "[rank" not in done.stderr  # as torch begins the lines of a traceback
    assert not list(tmp_path.glob("out/checkpoint-*"))


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

    deepspeed = ("deepspeed", "--num_gpus", "2", "--master_port", str(free_port()))
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
