"""symtune train: a training set folder -> a checkpoint folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from symtune import config
from symtune.flags import takes
from symtune.training.config import TrainConfig, TrainFile, TrainFlags
from symtune.types import InputError

if TYPE_CHECKING:
    from symtune.training import TrainReport


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("train")
    @takes(TrainFlags)
    def command(flags: TrainFlags) -> None:
        """Train a model on a training set; resumes from the newest complete checkpoint of the same run."""
        from symtune.training import train
        from symtune.training.group import leave_group

        report = train(_config(flags))
        if os.environ.get("RANK", "0") == "0":  # of several processes, only the first prints
            typer.echo(summary(report))
        leave_group()


def _config(flags: TrainFlags) -> TrainConfig:
    """The settings of the file, overridden by the flags."""
    settings = config.load(flags.config, TrainFile).model_dump(exclude_unset=True) if flags.config else {}
    settings |= flags.model_dump(exclude_unset=True, exclude={"config"})
    missing = [f"--{name}" for name in ("model", "data", "out") if settings.get(name) is None]
    if missing:
        raise InputError(f"train needs {', '.join(missing)} (or the same key in --config FILE.yaml)")
    return TrainConfig.of(settings, lambda name: f"--{name.replace('_', '-')}")


def summary(report: TrainReport) -> str:
    """What training did, in a few lines for the terminal."""
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in report.dropped.items()) or "none"
    return (
        f"{report.out}: {report.steps:,} steps over {report.tokens:,} computed tokens "
        f"({report.effective_tokens:,} effective) of {report.records:,} records, dropped: {dropped}; "
        f"loss {report.first_loss:.3f} -> {report.last_loss:.3f} in {report.seconds:,.0f} s"
    )
