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
        from symtune import benchmarks
        from symtune.evaluation.scoring import by_benchmark, by_metric, score_file
        from symtune.intervals import score_interval
        from symtune.types import InputError

        if (metric is None) == (benchmark is None):
            raise InputError("score by either --metric NAME or --benchmark NAME")
        if metric is not None:
            if data is not None or split is not None or task:
                raise InputError("--data, --split and --task go with --benchmark; a metric knows no data")
            score = by_metric(metric)
        else:
            found = benchmarks.find(str(benchmark), task or ())
            if data is None and split is not None:
                raise InputError("--split is a split of --data; give --data too")
            score = by_benchmark(found, None if data is None else found.load(data, found.split(data, split)))
        scored = score_file(file, out, score, overwrite=overwrite)
        low, high = score_interval(scored.scores)
        mean = sum(scored.scores) / len(scored.scores)
        lack = "".join(f"; {count:,} lines have no {name}" for name, count in scored.missing.items())
        typer.echo(
            f"{metric or benchmark}: {mean:.1%} of {len(scored.scores):,} correct (95 % interval {low:.1%} to "
            f"{high:.1%}){lack}; {out}"
        )
