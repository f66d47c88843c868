"""symtune score: stored predictions -> the same lines with a verdict each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("score")
    def command(
        file: Annotated[
            Path,
            typer.Argument(
                metavar="FILE.jsonl",
                help="Lines of {prediction: [..], target: [..]}, or with `text` for a prediction; an evaluation's "
                "predictions.jsonl as it is.",
            ),
        ],
        out: Annotated[Path, typer.Option(help="The file to write: the same lines with `score` and `correct`.")],
        metric: Annotated[
            str | None,
            typer.Option(
                help="wtq (the official rules of WikiTableQuestions), denotation, exact_match, option_match, or "
                "get_denotation_accuracy (the paper's)."
            ),
        ] = None,
        benchmark: Annotated[str | None, typer.Option(help="Score as this benchmark does.")] = None,
        data: Annotated[
            Path | None, typer.Option(help="The benchmark's data, in which the ids of the lines are looked up.")
        ] = None,
        split: Annotated[str | None, typer.Option(help="The split of --data that the ids are of.")] = None,
        task: Annotated[
            list[str] | None, typer.Option(help="The .py file of a task of your own that the data names. Repeatable.")
        ] = None,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file.")] = False,
    ) -> None:
        """Score stored predictions by a metric or as a benchmark does, without a model."""
        from symtune.api import score
        from symtune.intervals import score_interval

        scored = score(
            file, out, metric=metric, benchmark=benchmark, data=data, split=split, tasks=task or (), overwrite=overwrite
        )
        low, high = score_interval(scored.scores)
        mean = sum(scored.scores) / len(scored.scores)
        lack = "".join(f"; {count:,} lines have no {name}" for name, count in scored.missing.items())
        typer.echo(
            f"{metric or benchmark}: {mean:.1%} of {len(scored.scores):,} correct (95 % interval {low:.1%} to "
            f"{high:.1%}){lack}; {out}"
        )
