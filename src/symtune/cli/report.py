"""symtune report: a run folder, or a folder of evaluations -> one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("report")
    def command(
        run: Annotated[
            Path,
            typer.Argument(
                metavar="RUN_DIR", help="A run folder of `symtune run`, or a folder that contains evaluations."
            ),
        ],
        out: Annotated[Path | None, typer.Option(help="The HTML file [default: RUN_DIR/report.html].")] = None,
        task: Annotated[
            list[str] | None,
            typer.Option("--task", help="The .py file of a task of your own that the run is about. Repeatable."),
        ] = None,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier file.")] = False,
    ) -> None:
        """Write one self-contained HTML file about a run, finished or not, or about all evaluations in a folder."""
        from symtune.reporting import report

        print(report(run, out, tasks=task or (), overwrite=overwrite or out is None))
