"""symtune score: predictions and targets in a jsonl file -> the same lines with a verdict each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add `symtune score`."""
    app.command("score")(score)


def score(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.jsonl", help="Lines of {prediction: [..], target: [..], target_canon: [..]}."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write: the same lines with `correct`.")],
    metric: Annotated[str, typer.Option(help="wtq: the official rules of WikiTableQuestions.")] = "wtq",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file.")] = False,
) -> None:
    """Judge predictions by an official metric, without a model."""
    from symtune.evaluate import score_file
    from symtune.intervals import score_interval

    verdicts = score_file(file, out, metric=metric, overwrite=overwrite)
    low, high = score_interval(verdicts)
    share = sum(verdicts) / len(verdicts)
    typer.echo(f"{metric}: {share:.1%} of {len(verdicts):,} correct (95 % interval {low:.1%} to {high:.1%}); {out}")
