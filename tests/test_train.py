"""Training: the command line on tiny models, the loss that packing must not change, drops, control, resuming."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from symtune import cli
from symtune.models.local import LoadedModel, LocalModel, load
from symtune.packing import Row, plan_packs
from symtune.training import TrainConfig, TrainSettings, train
from symtune.training.isolation import choose_attention
from symtune.training.plan import make_plan
from symtune.training.rows import TrainingRecord, encode, read, shards, shuffle_answers
from symtune.training.tensors import causal_tensors, summed_loss
from symtune.training.trainers import learning_rate_factor
from symtune.types import InputError, LeakError
from train_toy import LLAMA, T5, log_of, records, write

pytestmark = pytest.mark.usefixtures("one_thread")  # sums in a fixed order: runs are compared bit by bit


def symtune(*arguments: str | Path) -> None:
    """Run the command line in this process; what it writes is captured by pytest."""
    cli.build()([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "mix", records())


# ------------------------------------------------------------------------------- the command line
@pytest.mark.parametrize(("spec", "epochs"), [(LLAMA, "40"), (T5, "12")], ids=["causal", "seq2seq"])
def test_the_command_line_trains_and_writes_a_model_that_loads(
    spec: dict[str, Any], epochs: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.json").write_text(json.dumps(spec))
    out = tmp_path / "out"
    flags = ["--epochs", epochs, "--learning-rate", "3e-3", "--batch-tokens", "500", "--max-length", "400"]
    symtune("train", "--model", tmp_path / "model.json", "--data", data, "--out", out, *flags)
    log, manifest = log_of(out), json.loads((out / "manifest.json").read_text())
    assert set(log[0]) == {"step", "tokens", "effective_tokens", "loss", "learning_rate"}
    assert [line["step"] for line in log] == list(range(1, manifest["steps"] + 1))
    assert log[-1]["tokens"] == manifest["tokens"]
    assert 5 < log[0]["loss"] < 7
    assert log[-1]["loss"] < 3.2
    assert manifest["symtune"] == "train"
    assert manifest["arguments"]["model"] == spec
    assert manifest["model"]["weights_sha256"] == load(spec).weights_sha256
    assert (manifest["records"], manifest["dropped"]) == (30, {})
    assert not list(tmp_path.glob(".out*"))
    trained = load(out)
    (answer,) = dict(LocalModel(trained).generate([records()[0]["prompt"]], 4)).values()
    assert answer.text.strip("0123456789") == ""
    assert "30 records" in capsys.readouterr().out


def test_settings_come_from_a_file_and_flags_win(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(json.dumps({"model": LLAMA, "epochs": 3, "learning_rate": 0.001, "schedule": "constant"}))
    symtune("train", "--config", file, "--data", data, "--out", tmp_path / "out", "--epochs", "2")
    arguments = json.loads((tmp_path / "out" / "manifest.json").read_text())["arguments"]
    assert (arguments["epochs"], arguments["learning_rate"], arguments["schedule"]) == (2, 0.001, "constant")


FAULTS = [
    (["--model", "smollm2-135m-instruct-guff"], "Did you mean 'smollm2-135m-instruct-gguf'?"),
    (["--data", "absent"], "absent: no such folder"),
    (["--data", "empty"], "no data/*.parquet"),
    (["--data", "no_rows"], "has no rows"),
    (["--data", "broken"], "not a readable parquet file"),
    (["--data", "columns"], "no column 'completion'; got prompt, text"),
    (["--data", "heldout"], "holds the split validation"),
    (["--out", "taken"], "exists already"),
    (["--out", "file/out"], "is not a folder"),
    (["--learning-rate", "-1"], "--learning-rate: got -1.0"),
    (["--schedule", "cosin"], "--schedule: got 'cosin'"),
    (["--config", "typo.yaml"], "typo.yaml:1: learning_rat: unknown key. Did you mean 'learning_rate'?"),
    (["--processes", "2"], "got 1 processes, wanted 2"),
    (["--max-length", "20"], "no record can be trained on (30 too long)"),
    (["--max-tokens", "5"], "not even the first pack fits"),
]


@pytest.mark.parametrize(("flags", "message"), FAULTS, ids=[" ".join(flags) for flags, _ in FAULTS])
def test_a_fault_is_one_line_and_nothing_is_written(
    flags: list[str],
    message: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.yaml").write_text(json.dumps(LLAMA))
    (tmp_path / "typo.yaml").write_text("learning_rat: 1\n")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "columns", [{"prompt": "a", "text": "b"}])
    write(tmp_path / "heldout", records(1), "validation")
    pq.write_table(
        pq.read_table(shards(data)[0]).slice(0, 0),
        write(tmp_path / "no_rows", records(1)) / "data" / "train-00000-of-00001.parquet",
    )
    (write(tmp_path / "broken", records(1)) / "data" / "train-00000-of-00001.parquet").write_bytes(b"PAR1")
    given = {"--model": "model.yaml", "--data": "mix", "--out": "out"}
    given |= dict(zip(flags[::2], flags[1::2], strict=True))
    command = [part for pair in given.items() for part in pair]
    monkeypatch.setattr("sys.argv", ["symtune", "train", *command])
    with pytest.raises(SystemExit) as end:
        cli.main()
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert end.value.code == 2
    assert error.startswith("symtune: ")
    assert message in error
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


# ---------------------------------------------------------- packing changes the speed and not the loss
@pytest.fixture(scope="module")
def llama() -> LoadedModel:
    return load(LLAMA)


def gradients(loaded: LoadedModel, batches: Sequence[dict[str, Any]]) -> tuple[float, torch.Tensor]:
    loaded.model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = summed_loss(loaded.model, batch)
        loss.backward()
        total += loss.item()
    return total, torch.cat([parameter.grad.flatten() for parameter in loaded.model.parameters()])


@pytest.mark.parametrize("share", [True, False], ids=["shared", "unshared"])
@pytest.mark.parametrize("attention", ["blocks", "sdpa", "eager"])
def test_packed_loss_and_gradients_are_those_of_single_records(
    llama: LoadedModel, attention: str, share: bool, data: Path
) -> None:
    rows, _ = encode(llama, list(read(shards(data))), 1024)
    llama.model.set_attn_implementation("sdpa")
    single, wanted = gradients(llama, [causal_tensors([row], False, False) for row in rows])
    packs = plan_packs(rows, max_length=1000, share=share, order="shuffled", seed=1, epoch=0)
    if attention == "blocks":
        choose_attention(llama, rows, packs, share)
        assert llama.model.config._attn_implementation == "symtune_blocks"
    else:
        llama.model.set_attn_implementation(attention)
    in_blocks = attention == "blocks"
    loss, got = gradients(llama, [causal_tensors([rows[k] for k in pack.rows], share, in_blocks) for pack in packs])
    assert loss == pytest.approx(single, rel=1e-5)
    assert (got - wanted).abs().max() < 1e-5 * wanted.abs().max()
    if share:
        assert sum(pack.tokens for pack in packs) * 2 < sum(pack.effective for pack in packs)


@pytest.mark.parametrize("prompts", [["one alone"], ["the same"] * 3, ["ab", "abc", "abcd"], ["x", "y"]])
def test_packs_of_every_form_fall_into_blocks(llama: LoadedModel, prompts: list[str]) -> None:
    """One row, equal rows, a row within another, rows with nothing in common: chain or blocks may be empty."""
    rows, _ = encode(llama, [TrainingRecord("", "", "", prompt, "5") for prompt in prompts], 100)
    llama.model.set_attn_implementation("sdpa")
    single, wanted = gradients(llama, [causal_tensors([row], False, False) for row in rows])
    llama.model.set_attn_implementation("symtune_blocks")
    for share in (True, False):
        loss, got = gradients(llama, [causal_tensors(rows, share, True)])
        assert loss == pytest.approx(single, rel=1e-5)
        assert (got - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_training_with_and_without_shared_prefixes_and_packs_is_the_same_training(data: Path, tmp_path: Path) -> None:
    """One step over all records: the same loss and the same weights after it, whatever the layout."""
    losses, weights = [], []
    for number, layout in enumerate([{}, {"share_prefix": False}, {"pack": False}]):
        out = tmp_path / str(number)
        settings: dict[str, Any] = {"epochs": 1, "batch_tokens": 10**6, "learning_rate": 1e-3, **layout}
        train(TrainConfig(model=LLAMA, data=data, out=out, **settings), quiet=True)
        (line,) = log_of(out)
        losses.append(line["loss"])
        weights.append(torch.cat([p.flatten() for p in load(out).model.parameters()]))
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    # Adam's first step moves each weight by the learning rate in its gradient's direction: nearly all agree.
    assert all(((other - weights[0]).abs() < 1e-5).float().mean() > 0.99 for other in weights[1:])


def test_a_model_that_mixes_packed_records_is_refused() -> None:
    mamba = {
        "architecture": "mamba",
        "tokenizer": "bytes",
        "hidden_size": 16,
        "state_size": 4,
        "num_hidden_layers": 1,
    }
    loaded = load(mamba)
    rows, _ = encode(loaded, [TrainingRecord("1", "", "", "ab", "1"), TrainingRecord("2", "", "", "ac", "2")], 64)
    packs = plan_packs(rows, max_length=64, share=True, order="as_given", seed=1, epoch=0)
    with pytest.raises(InputError, match="use pack: false"):
        choose_attention(loaded, rows, packs, True)


# ------------------------------------------------------------------------------------ rows and plans
def test_rows_that_do_not_fit_are_dropped_whole_and_counted(llama: LoadedModel) -> None:
    def record(prompt: str, completion: str) -> TrainingRecord:
        return TrainingRecord("", "", "", prompt, completion)

    # prompt + newline + completion + end token
    fits, over = record("p" * 10, "c" * 8), record("p" * 10, "c" * 9)
    rows, dropped = encode(llama, [fits, over, record("p", " "), record("p", "c")], max_length=20)
    assert [(row.prompt, row.trained) for row in rows] == [(11, 9), (2, 2)]
    assert dropped == {"too long": 1, "empty completion": 1}
    assert rows[0].tokens[-1] == llama.tokenizer.eos_token_id


def rows_of(count: int) -> list[Row]:
    loaded = load(LLAMA)
    found = [TrainingRecord(str(k), "", "", f"{k} {k}", "7") for k in range(count)]
    return encode(loaded, found, 100)[0]


@pytest.mark.parametrize("max_tokens", [50, 100, 1000])
def test_the_budget_is_never_exceeded_and_nearly_used(max_tokens: int) -> None:
    rows = rows_of(10)
    plan = make_plan(rows, "causal", TrainSettings(max_tokens=max_tokens, max_length=20, batch_tokens=20))
    assert max_tokens - 20 < plan.tokens <= max_tokens
    assert plan.passes == pytest.approx(sum(len(pack.rows) for pack in plan.packs) / 10)
    once = make_plan(rows, "causal", TrainSettings(max_tokens=1000, epochs=1, max_length=20, batch_tokens=20))
    assert once.passes == 1


def test_the_learning_rate_rises_falls_and_is_never_nothing() -> None:
    for schedule in ("cosine", "linear", "constant"):
        factors = [learning_rate_factor(step, 20, 0.2, schedule) for step in range(20)]
        assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
        assert factors[4:] == sorted(factors[4:], reverse=True)
        assert min(factors) > 0


# ------------------------------------------------------------------------------------------ the control
def test_shuffled_answers_are_a_permutation_within_a_kind() -> None:
    given = [
        TrainingRecord(str(k), source, f"{source}-{kind}", f"p{k}", f"{source}{kind}{k}")
        for k, (source, kind) in enumerate([("sql", "n"), ("sql", "t"), ("chat", "t")] * 20)
    ]
    control, changed = shuffle_answers(given, ("sql",), seed=1)
    assert [(r.id, r.prompt) for r in control] == [(r.id, r.prompt) for r in given]
    assert sorted(r.completion for r in control) == sorted(r.completion for r in given)
    assert all(new.completion.startswith(old.kind.replace("-", "")) for new, old in zip(control, given, strict=True))
    assert 30 < changed <= 40
    assert all(r == g for r, g in zip(control, given, strict=True) if g.source == "chat")
    assert control == shuffle_answers(given, ("sql",), seed=1)[0] != shuffle_answers(given, ("sql",), seed=2)[0]


def test_the_manifest_says_that_answers_were_shuffled(data: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"max_tokens": 2000, "shuffle_answers": True}
    train(TrainConfig(model=LLAMA, data=data, out=tmp_path / "out", **settings), quiet=True)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["shuffled_answers"]["records"] == 30
    assert manifest["shuffled_answers"]["changed"] > 15
    with pytest.raises(InputError, match="no completion changed"):
        train(TrainConfig(model=LLAMA, data=data, out=tmp_path / "two", shuffle_answers=("sqll",)), quiet=True)


def test_a_held_out_split_is_refused_and_left_alone_beside_a_training_split(data: Path, tmp_path: Path) -> None:
    write(data, records(2), "test")
    assert [file.name for file in shards(data)] == ["train-00000-of-00001.parquet"]
    with pytest.raises(LeakError):
        shards(write(tmp_path / "other", records(2), "test"))
