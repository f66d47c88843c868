"""symtune selftest: prove what symtune promises, at any size, without writing a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symtune.types import InputError

if TYPE_CHECKING:
    from symtune.selftest import Report


def register(app: typer.Typer) -> None:
    """Add `symtune selftest`."""

    @app.command("selftest")
    def command(
        only: Annotated[str, typer.Option("--only", help="The task to test, by its name or its first word.")] = "sql",
        n: Annotated[int, typer.Option("--n", "-n", help="Answers to prove.")] = 20_000,
        tables: Annotated[
            Path | None, typer.Option("--tables", help="A folder or file of tables. [the bundled tables]")
        ] = None,
        workers: Annotated[int, typer.Option("--workers", help="Processes.")] = 1,
        seed: Annotated[int, typer.Option("--seed")] = 0,
    ) -> None:
        """Prove answers with every engine and report every failure. Exit status 1 if there are any."""
        from symtune.progress import progress_bar
        from symtune.selftest import selftest

        for name, value in (("n", n), ("workers", workers)):
            if value < 1:
                raise InputError(f"--{name} is {value}; wanted 1 or more")
        with progress_bar("answers", n) as progress:
            report = selftest(only, n, tables=tables, seed=seed, processes=workers, progress=progress)
        _tell(report, n)
        if report.failed:
            raise typer.Exit(1)


def _tell(report: Report, n: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    shown = Table("query type", "answers", "%", box=None, pad_edge=False)
    total = max(report.by_type.total(), 1)
    for name, count in report.by_type.most_common():
        shown.add_row(name, f"{count:,}", f"{100 * count / total:.1f}")
    console.print(shown)
    said = ", ".join(f"{engine} {count:,}" for engine, count in report.disagreements.items())
    colour = "red" if report.failed else "green"
    console.print(f"\n[{colour}]{report.answers:,} answers proven[/]; disagreements: {said or 'none'}")
    console.print(
        f"{report.ambiguous:,} ambiguous among {report.varied:,} proven again on variants (other orders of rows)"
    )
    if report.solutions or report.unsolved:
        console.print(f"{report.solutions:,} worked solutions verified; {report.unsolved:,} examples have none")
    console.print(f"0 duplicates are written; {report.duplicates:,} were drawn and dropped")
    rate = report.answers / max(report.cpu_seconds, 1e-9)
    console.print(f"{report.cpu_seconds:,.0f} CPU seconds: {rate:,.0f} answers per CPU second")
    if report.stopped:
        console.print(f"[yellow]asked for {n:,}, found {report.answers:,}: stopped after {report.stopped}[/]")
    for text in report.first:
        console.print(f"[red]{escape(text)}[/]", soft_wrap=True)
