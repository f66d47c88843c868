"""symtune evaluate: a benchmark and a model -> an evaluation folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symtune.cli import progress_bar

if TYPE_CHECKING:
    from rich.table import Table

    from symtune.types import Result


def register(app: typer.Typer) -> None:
    """Add `symtune evaluate`."""
    app.command("evaluate")(evaluate)


def evaluate(
    benchmark: Annotated[str, typer.Option(help="wikitablequestions, or sql_execution.")],
    model: Annotated[str, typer.Option(help="A name, a folder, a hub id, or a YAML that builds a model.")],
    data: Annotated[Path, typer.Option(help="The benchmark's official release, or a data set folder.")],
    out: Annotated[Path, typer.Option(help="The evaluation folder to write.")],
    split: Annotated[
        str | None, typer.Option(help="train, validation, test, or a file of the release. [the benchmark's choice]")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many examples. [all]")] = None,
    template: Annotated[str | None, typer.Option(help="A prompt template by name. [the benchmark's choice]")] = None,
    linearization: Annotated[str | None, typer.Option(help="How tables are written. [the benchmark's choice]")] = None,
    max_new_tokens: Annotated[int, typer.Option(help="The longest answer, in tokens.")] = 64,
    budget: Annotated[
        int | None, typer.Option(help="The longest prompt, in tokens; longer tables are cut. [what the model reads]")
    ] = None,
    batch_tokens: Annotated[int, typer.Option(help="Tokens of a batch, padding and answers included.")] = 16_384,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")] = False,
) -> None:
    """Score a model on a benchmark. Predictions are written as they come, to OUT.partial.jsonl."""
    arguments = {name: str(value) if isinstance(value, Path) else value for name, value in locals().items()}
    arguments.pop("overwrite")
    from rich.console import Console

    from symtune.benchmarks import Format, find
    from symtune.evaluate import evaluate as run_evaluate
    from symtune.output import check_writable
    from symtune.types import InputError

    for name, number in (
        ("limit", limit), ("max-new-tokens", max_new_tokens), ("budget", budget), ("batch-tokens", batch_tokens),
    ):  # fmt: skip
        if number is not None and number < 1:
            raise InputError(f"--{name}: got {number}, wanted 1 or more")
    # All that can be wrong is found before the model is loaded, which takes long.
    asked = find(benchmark)
    format = Format(template, linearization)
    asked.check_format(format)
    check_writable(out, overwrite=overwrite)
    chosen = asked.split(data, split)

    from symtune.models import check_model, device, generator, load

    check_model(model)
    examples = asked.load(data, chosen, limit)
    console = Console(stderr=True)
    with console.status(f"loading {model}"):
        loaded = load(model)
    room = loaded.prompt_room(max_new_tokens)
    room = min(room, budget or room)
    with progress_bar("answers") as progress:
        results = run_evaluate(
            asked,
            examples,
            generator(loaded, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens),
            split=chosen,
            out=out,
            measure=loaded.measure,
            room=room,
            format=format,
            arguments={**arguments, "split": chosen},
            facts={"model": loaded.facts()},
            run={"device": str(device())},
            progress=progress,
            overwrite=overwrite,
        )
    print_console = Console()
    print_console.print(results_table(results))
    print_console.print(f"{out}", markup=False, highlight=False)


def results_table(results: Sequence[Result]) -> Table:
    """Scores with their intervals, chance beside them, as a table for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    first = results[0]
    stated = [f"{first.notes['tables_cut']:,} tables cut" if first.notes.get("tables_cut") else ""]
    stated += [
        f"{count:,} ended by {reason}" for reason, count in first.notes.get("finish", {}).items() if reason != "stop"
    ]
    if first.notes.get("without_canonical_value"):
        stated.append(f"{first.notes['without_canonical_value']:,} answers without a canonical value: compared as text")
    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(f"{first.benchmark}, {first.split} split"),
        caption=Text("; ".join(filter(None, stated))),
    )
    table.add_column("metric")
    for column in ("score", "95 % interval", "chance", "n"):
        table.add_column(column, justify="right")
    for result in results:
        chance = result.notes.get("chance")
        table.add_row(
            Text(f"  {result.group}" if result.group else result.metric),
            f"{result.score:.1%}",
            f"{result.interval[0]:.1%} – {result.interval[1]:.1%}",
            "" if chance is None else f"{chance:.1%}",
            f"{result.n:,}",
        )
    return table
