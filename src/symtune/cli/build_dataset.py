"""symtune build-dataset: the data set of the paper's release, in its layout."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import typer

from symtune.flags import takes
from symtune.published.config import BuildConfig


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("build-dataset")
    @takes(BuildConfig)
    def command(config: BuildConfig) -> None:
        """Write train/flan.json, train/sql.json, validation/wtq_mmlu.json and the test files of the paper's release."""
        from symtune.progress import progress_bar
        from symtune.published.layout import build

        with ExitStack() as stack:

            def progress(done: int, of: int) -> None:
                if not shown:  # the time left is that of generating alone
                    shown.append(stack.enter_context(progress_bar("examples", of)))
                shown[0](done, of)

            shown: list[Callable[[int, int | None], None]] = []
            manifest = build(config, say=lambda line: typer.echo(f"symtune: {line}", err=True), progress=progress)
        for name, rows in manifest["rows"].items():
            typer.echo(f"{rows:>9,}  {name}")
        typer.echo(f"{config.out}")
