"""symtune audit: execute every line of a data set again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symtune.cli import harmless

if TYPE_CHECKING:
    from symtune.audit import IdleReport


def register(app: typer.Typer) -> None:
    """Add the verb to the app."""

    @app.command("audit")
    def command(
        data: Annotated[Path, typer.Argument(help="A data set folder, a parquet file or a jsonl file.")],
        engine: Annotated[str, typer.Option("--engine", help="An additional engine that must confirm: duckdb.")] = "",
        task: Annotated[
            list[str] | None, typer.Option("--task", help="The .py file of a task of your own. Repeatable.")
        ] = None,
        idle: Annotated[
            bool,
            typer.Option("--idle", help="Try every program without each of its parts; count those that can go."),
        ] = False,
        near_duplicates: Annotated[
            bool, typer.Option("--near-duplicates", help="Count near duplicates too (extra `dedup`).")
        ] = False,
    ) -> None:
        """Execute every line of a data set again and print how many agree. Exit status 1 if any line disagrees."""
        from rich.console import Console
        from rich.markup import escape

        from symtune.audit import audit
        from symtune.dataset import lines
        from symtune.near_duplicates import THRESHOLD, require
        from symtune.near_duplicates import near_duplicates as find
        from symtune.progress import progress_bar

        if near_duplicates:
            require()  # so that a missing extra is reported before the audit, not after it
        console = Console(highlight=False, soft_wrap=True)
        with progress_bar("lines audited") as progress:
            report = audit(data, engine=engine, tasks=task or (), idle=idle, progress=progress)
        colour = "green" if report.agreed == report.lines else "red"
        console.print(
            f"[{colour}]{report.agreed:,} of {report.lines:,} lines agree ({report.agreement:.2%})[/]; "
            f"{report.duplicates:,} duplicate prompts"
        )
        if report.unrendered:
            console.print(
                f"{report.unrendered:,} prompts were not checked: their lines name no prompt template and "
                "linearization that the task knows"
            )
        if report.unasked:
            console.print(f"{report.unasked:,} lines belong to tasks that {escape(harmless(engine))} cannot execute")
        for reason, count in report.failures.most_common():
            console.print(f"  {count:,} × {escape(harmless(reason))}")
        for where, id, detail in report.first:
            console.print("  " + escape(harmless(f"{where} {id}: {detail[:300]}")))
        if report.idle is not None:
            for text in _idle_lines(report.idle):
                console.print(text)
        if near_duplicates:
            with Console(stderr=True).status("comparing lines"):
                found = find(lines(data))
            console.print(
                f"{found.near:,} of {found.lines:,} lines are near duplicates (MinHash of fields and rows, "
                f"similarity {THRESHOLD} or more)" + (f"; {found.left_out:,} not compared" if found.left_out else "")
            )
        if report.agreed != report.lines:
            raise typer.Exit(1)


def _idle_lines(report: IdleReport) -> Iterator[str]:
    """What to print of idle parts: a line of all programs, one by kind of part, one of swaps."""
    if not report.programs:
        yield "idle parts: none of the lines holds a program with parts"
        return
    share = report.idle / report.programs
    yield (
        f"idle parts: {report.idle:,} of {report.programs:,} programs ({share:.1%}) have a part that can be dropped "
        "without changing the answer"
    )
    parts, idle, swaps, same, untried = report.found
    if parts:
        yield f"  of the parts, idle: {_shares(idle, parts)}"
    if swaps:
        yield f"  swapped for its neighbour without changing the answer: {_shares(same, swaps)}"
    if untried:
        yield f"  {untried:,} changes were not tried: their programs may take too many steps"


def _shares(some: Mapping[str, int], of: Mapping[str, int]) -> str:
    return ", ".join([f"{kind} {some.get(kind, 0):,} of {count:,}" for kind, count in sorted(of.items())])
