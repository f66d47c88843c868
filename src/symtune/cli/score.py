"""symtune score: stored predictions -> the same lines, each with a verdict."""

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
                help="Lines of {id: .., text: .., target: [..]}, or with `prediction`, a list of items, instead of "
                "`text`; the predictions.jsonl of an evaluation can be used as it is.",
            ),
        ],
        out: Annotated[
            Path | None,
            typer.Option(
                help="The file to write: the same lines with `score`, `correct` and `verdict`. [default: "
                "FILE.scored.jsonl beside FILE.jsonl]"
            ),
        ] = None,
        metric: Annotated[
            str | None,
            typer.Option(
                help="wtq (the official rules of WikiTableQuestions), denotation, exact_match, option_match, or "
                "get_denotation_accuracy (the paper's)."
            ),
        ] = None,
        benchmark: Annotated[str | None, typer.Option(help="Score as this benchmark does.")] = None,
        data: Annotated[
            Path | None, typer.Option(help="The benchmark's data, in which to look up the ids of the lines.")
        ] = None,
        split: Annotated[str | None, typer.Option(help="The split of --data to which the ids belong.")] = None,
        task: Annotated[
            list[str] | None, typer.Option(help="The .py file of a task of your own that the data names. Repeatable.")
        ] = None,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file.")] = False,
    ) -> None:
        """Score stored predictions by a metric or as a benchmark does, without a model."""
        from symtune.api import score
        from symtune.intervals import score_interval
        from symtune.outcomes import truncation_warning

        out = out or file.with_name(f"{file.name.removesuffix('.jsonl')}.scored.jsonl")
        scored = score(
            file, out, metric=metric, benchmark=benchmark, data=data, split=split, tasks=task or (), overwrite=overwrite
        )
        low, high = score_interval(scored.scores)
        mean = sum(scored.scores) / len(scored.scores)
        n = len(scored.scores)
        verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in scored.verdicts.items())
        lack = "".join(f"; {count:,} lines have no {name}" for name, count in scored.missing.items())
        typer.echo(
            f"{metric or benchmark}: {mean:.1%} of {n:,} correct (95 % interval {low:.1%} to {high:.1%}): "
            f"{verdicts}{lack}; {out}"
        )
        if warning := truncation_warning(scored.truncated, n):
            typer.secho(f"warning: {warning}", fg="yellow", err=True)
