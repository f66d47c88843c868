"""symtune train: a training set folder -> a checkpoint folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from symtune.training import TrainConfig, TrainReport


def register(app: typer.Typer) -> None:
    """Add `symtune train`."""
    app.command("train")(train)


def train(
    model: Annotated[
        str | None, typer.Option(help="A name, a folder, a hub id, or a YAML that builds a model.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="A training set folder (symtune mix) or a data set folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="The checkpoint folder to write.")] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML of the settings below; flags win over it.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Stop after this many computed tokens.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data (default 1, or what --max-tokens allows).")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate (default 2e-4).")] = None,
    schedule: Annotated[str | None, typer.Option(help="cosine, linear or constant (default cosine).")] = None,
    warmup: Annotated[float | None, typer.Option(help="Share of the steps to warm up (default 0.05).")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="AdamW's weight decay (default 0.01).")] = None,
    clip: Annotated[float | None, typer.Option(help="Gradient norm to clip to (default 1; 0: none).")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Tokens of an optimizer step (default 4096).")] = None,
    max_length: Annotated[int | None, typer.Option(help="Longest record and pack, in tokens (default 1024).")] = None,
    pack: Annotated[bool | None, typer.Option("--pack/--no-pack", help="Several records in one sequence.")] = None,
    share_prefix: Annotated[
        bool | None, typer.Option("--share-prefix/--no-share-prefix", help="Compute a shared beginning once.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="shuffled or as_given (default shuffled).")] = None,
    shuffle_answers: Annotated[
        bool | None, typer.Option("--shuffle-answers", help="Control: permute completions.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Default 7.")] = None,
    bf16: Annotated[bool | None, typer.Option("--bf16/--no-bf16", help="Default: where it helps.")] = None,
    save_every: Annotated[
        int | None, typer.Option(help="Steps between checkpoints to resume from (default none).")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="How many processes torchrun started (default 1).")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")] = False,
) -> None:
    """Train a model on a training set; resumes from the newest complete checkpoint of the same run."""
    flags = {key: value for key, value in locals().items() if key not in ("config", "overwrite") and value is not None}
    from symtune.training import train as run_train

    report = run_train(_config(config, flags, overwrite))
    typer.echo(summary(report))


def _config(file: Path | None, flags: dict[str, Any], overwrite: bool) -> TrainConfig:
    """The file's settings, the flags over them."""
    from symtune import config
    from symtune.training import TrainFile
    from symtune.types import InputError

    settings = config.load(file, TrainFile).model_dump(exclude_unset=True) if file else {}
    settings |= flags
    missing = [f"--{name}" for name in ("model", "data", "out") if settings.get(name) is None]
    if missing:
        raise InputError(f"train needs {', '.join(missing)} (or the same key in --config FILE.yaml)")
    return _checked(settings, overwrite)


def _checked(settings: dict[str, Any], overwrite: bool) -> TrainConfig:
    from pydantic import ValidationError

    from symtune.training import TrainConfig
    from symtune.types import InputError

    try:
        return TrainConfig(**settings, overwrite=overwrite)
    except ValidationError as error:
        faults = [
            f"--{'.'.join(map(str, fault['loc'])).replace('_', '-')}: got {fault['input']!r}, {fault['msg']}"
            for fault in error.errors()
        ]
        raise InputError("; ".join(faults)) from None


def summary(report: TrainReport) -> str:
    """What training did, in a few lines for the terminal."""
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in report.dropped.items()) or "none"
    return (
        f"{report.out}: {report.steps:,} steps over {report.tokens:,} computed tokens "
        f"({report.effective_tokens:,} effective) of {report.records:,} records, dropped: {dropped}; "
        f"loss {report.first_loss:.3f} -> {report.last_loss:.3f} in {report.seconds:,.0f} s"
    )
