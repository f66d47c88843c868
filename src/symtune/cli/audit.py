"""symtune audit: execute every line of a data set again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("audit")
    def command(
        data: Annotated[Path, typer.Argument(help="A data set folder, a parquet or a jsonl file.")],
    ) -> None:
        """Execute every line of a data set again and print how many agree. Exit status 1 where one does not."""
        from rich.console import Console
        from rich.markup import escape

        from symtune.audit import audit

        console = Console(highlight=False)
        with Console(stderr=True).status("auditing") as status:
            report = audit(data, progress=lambda n: status.update(f"auditing: {n:,} lines") if n % 500 == 0 else None)
        colour = "green" if report.agreed == report.lines else "red"
        console.print(
            f"[{colour}]{report.agreed:,} of {report.lines:,} lines agree ({report.agreement:.2%})[/]; "
            f"{report.duplicates:,} duplicate prompts"
        )
        for reason, count in report.failures.most_common():
            console.print(f"  {count:,} × {escape(reason)}")
        for where, id, detail in report.first:
            console.print(f"  {escape(where)} {escape(id)}: {escape(detail[:300])}", soft_wrap=True)
        if report.agreed != report.lines:
            raise typer.Exit(1)
