"""symtune data list, symtune data fetch NAME: the official releases of benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symtune.cli import harmless


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    group = typer.Typer(help="Official releases of benchmarks.", no_args_is_help=True)
    app.add_typer(group, name="data")

    @group.command("list")
    def list_() -> None:
        """List the releases that can be fetched: licence, address, and which files to put where without a network."""
        from symtune.fetching import SOURCES

        for name, source in SOURCES.items():
            first, *more = source.addresses
            others = f" and {len(more)} more" if more else ""
            typer.echo(f"{name} ({source.licence})\n  from  {first}{others}\n  DIR   {source.layout}")

    @group.command("fetch")
    def fetch(
        name: Annotated[str, typer.Argument(help="A benchmark of `symtune data list`.")],
        out: Annotated[Path, typer.Option("--out", help="The folder to write, for `symtune evaluate --data`.")],
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier output.")] = False,
    ) -> None:
        """Fetch the official release of a benchmark from where it is published."""
        from symtune.fetching import fetch as fetch_release
        from symtune.progress import progress_bar

        with progress_bar("files") as progress:
            questions = fetch_release(name, out, overwrite=overwrite, progress=progress)
        counted = ", ".join(f"{count:,} of {split}" for split, count in questions.items())
        typer.echo(f"{harmless(out)}: {counted + ' questions' if counted else 'fetched'}")
