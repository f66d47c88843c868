"""symtune export: a data set folder in another layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symtune.cli import harmless


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("export")
    def command(
        data: Annotated[Path, typer.Argument(help="A data set folder of `symtune generate`.")],
        to: Annotated[str, typer.Option("--to", help="The layout: input-output.")],
        out: Annotated[Path, typer.Option("--out", help="The folder to write.")],
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")] = False,
    ) -> None:
        """Write a data set in another layout: input-output is that of the published system."""
        from symtune.export import export

        examples = export(data, to, out, overwrite=overwrite)
        typer.echo(f"{examples:,} examples in {harmless(out)}")
