"""symtune run: a recipe -> every stage in order -> a run folder with its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from symtune.reporting.evaluations import Evaluation
    from symtune.reporting.read import Comparison


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("run")
    def command(
        recipe: Annotated[Path, typer.Argument(help="A recipe, for example recipes/quickstart.yaml.")],
        out: Annotated[Path | None, typer.Option(help="The run folder. [default: runs/NAME]")] = None,
        control: Annotated[
            str, typer.Option(help="short: the control trains on fewer tokens; full: on as many as the model.")
        ] = "short",
        overwrite: Annotated[
            bool, typer.Option("--overwrite", help="Run stages again that were run with other arguments.")
        ] = False,
    ) -> None:
        """Run a whole recipe. An interrupted run resumes where it stopped."""
        from symtune.recipe.published import is_published

        if is_published(recipe):
            _run_published(recipe, out, overwrite)
        else:
            _run(recipe, out, control, overwrite)


def _run_published(recipe: Path, out: Path | None, overwrite: bool) -> None:
    from functools import partial

    from rich.console import Console

    from symtune.recipe import published
    from symtune.recipe.board import Board

    console, asked = Console(), published.load(recipe)
    folder = out or Path("runs") / asked.name
    for file, found in published.run(
        asked, recipe, folder, partial(Board, console=console), overwrite=overwrite
    ).items():
        low, high = found["interval"]
        line = f"{file}: {found['score']:.1%} ({low:.1%} to {high:.1%}) of {found['n']:,}"
        console.print(line, markup=False, highlight=False)
    console.print(f"{folder}", markup=False, highlight=False)


def _run(recipe: Path, out: Path | None, control: str, overwrite: bool) -> None:
    from functools import partial
    from typing import cast, get_args

    from rich.console import Console

    from symtune import recipe as recipes
    from symtune.recipe.board import Board
    from symtune.recipe.summary import comparisons, verdict
    from symtune.reporting.read import read_evaluations
    from symtune.types import UnknownName

    if control not in get_args(recipes.ControlLength):
        raise UnknownName("control", control, get_args(recipes.ControlLength))
    console = Console()
    with console.status("reading the recipe"):
        asked = recipes.load(recipe)
    folder = out or recipes.run_folder(asked)
    page = recipes.run(
        asked,
        recipe,
        folder,
        partial(Board, console=console),
        control=cast(recipes.ControlLength, control),
        overwrite=overwrite,
    )
    found = read_evaluations(folder)
    lines = comparisons(found)
    for name, evaluated in found.items():
        console.print(scores_table(name, evaluated, lines))
    console.print(verdict(lines), markup=False, highlight=False)
    console.print(f"report: {page}", markup=False, highlight=False, soft_wrap=True)


def scores_table(name: str, found: Mapping[str, Evaluation], lines: Sequence[Comparison]) -> Table:
    """Before, chance, control and after, with n and 95 % intervals, and by how much after is higher than each."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from symtune.recipe.summary import overall

    scores = overall(found)
    differences = {line.against: line for line in lines if line.evaluation == name and not line.group}
    table = Table(box=box.SIMPLE_HEAD, title=Text(name))
    for column in ("", "right", "95 % interval", "n", "after is higher by", "95 % interval"):
        table.add_column(column, justify="left" if not column else "right")
    chance = next((score.notes["chance"] for score in scores.values() if "chance" in score.notes), None)
    for model in ("before", "chance", "control", "after"):
        score, line = scores.get(model), differences.get(model)
        if model == "chance" and chance is not None:
            cells = [f"{100 * chance:.1f} %", "", ""]
        elif score is None and line is None:
            continue
        elif score is None or score.score is None or score.interval is None:  # no overall score of a partial release
            cells = ["–", "", f"{score.n:,}" if score else ""]
        else:
            low, high = score.interval
            cells = [f"{100 * score.score:.1f} %", f"{100 * low:.1f} to {100 * high:.1f}", f"{score.n:,}"]
        if line is not None:
            low, high = line.interval
            cells += [f"{100 * line.difference:+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}"]
        table.add_row(model, *cells)
    return table
