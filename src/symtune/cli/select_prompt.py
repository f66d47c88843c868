"""symtune select-prompt: every prompt template of a benchmark on validation -> one chosen for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from symtune.evaluation.config import SelectConfig
from symtune.flags import takes

if TYPE_CHECKING:
    from rich.table import Table

    from symtune.evaluation.selection import Selection


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("select-prompt")
    @takes(SelectConfig)
    def command(config: SelectConfig) -> None:
        """Score each prompt template on validation and choose one. An interrupted selection resumes."""
        from rich.console import Console
        from rich.text import Text

        from symtune.evaluation import candidates, check_splits, select
        from symtune.models import check_model, open_model
        from symtune.outcomes import truncation_warning
        from symtune.output import check_writable
        from symtune.progress import progress_bar

        # Everything that can be wrong is found before the model is loaded, which takes long.
        check_writable(config.out, overwrite=config.overwrite)
        exams = candidates(config)
        check_model(config.model)
        check_splits(config.model, config.data)
        with Console(stderr=True).status(f"loading {config.model}"):
            model = open_model(config.model, batch_tokens=config.batch_tokens)
        with progress_bar("answers") as progress:
            selection = select(exams, model, config, progress=progress)
        console = Console()
        console.print(selection_table(selection))
        truncated = sum(score.truncated for score in selection.scores)
        if warning := truncation_warning(truncated, sum(score.n for score in selection.scores)):
            console.print(Text(f"warning: {warning}", "yellow"), soft_wrap=True)
        console.print(f"{config.out}", markup=False, highlight=False)


def selection_table(selection: Selection) -> Table:
    """The templates with their scores and intervals, the chosen one marked, and their spread, for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        title=Text(f"{selection.benchmark}, {selection.split} split, {selection.metric}"),
        caption=Text(
            f"minimum {selection.minimum:.1%}, mean {selection.mean:.1%}, maximum {selection.maximum:.1%}; "
            f"chosen: {selection.chosen}"
        ),
    )
    table.add_column("prompt template")
    for column in ("score", "95 % interval", "n"):
        table.add_column(column, justify="right")
    for score in selection.scores:
        chosen = score.template == selection.chosen
        low, high = score.interval
        cells = (f"{score.score:.1%}", f"{low:.1%} – {high:.1%}", f"{score.n:,}")
        table.add_row(Text(("▸ " if chosen else "  ") + score.template), *cells, style="bold" if chosen else "")
    return table
